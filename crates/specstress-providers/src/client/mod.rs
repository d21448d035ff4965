mod config;
mod embedder;
mod model;

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use specstress_llm::{LlmError, LlmErrorKind, StopSignal};

pub use config::ProviderConfig;
pub use embedder::ProviderEmbedder;
pub use model::ProviderModel;

use crate::batch::ProviderBatch;
use crate::catalog::{Catalog, ModelInfo, ProviderKind};
use crate::endpoint::Endpoint;
use crate::error::ProviderError;
use crate::http::{Address, HttpTransport};
use crate::limiter::Limiter;
use crate::preflight::{self, ModelStatus};
use crate::replay::{Recording, Replay};
use crate::retry::{Retrier, RetryPolicy};
use crate::stats::ProviderStats;
use crate::transport::{Call, Transport, Verb};
use crate::wire::WireRequest;

/// A provider with its key: one connection pool, one limiter and one retry budget, shared by all models made
/// from it. Clones are handles of the same.
///
/// ```
/// use specstress_llm::ChatModel as _;
/// use specstress_providers::{Provider, ProviderConfig, ProviderKind};
///
/// let local = ProviderConfig::new(ProviderKind::Compatible)
///     .with_name("vllm")
///     .with_base_url("http://localhost:8000");
/// let provider = Provider::new(local)?;
/// assert_eq!(provider.model("qwen3").id().to_string(), "vllm/qwen3");
/// # Ok::<(), specstress_providers::ProviderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Provider {
    config: Arc<ProviderConfig>,
    catalog: Arc<Catalog>,
    endpoint: Arc<Endpoint>,
}

impl Provider {
    /// Sets a provider up, with its key from the environment. Connects to nothing yet.
    pub fn new(config: ProviderConfig) -> Result<Self, ProviderError> {
        let key = if config.replay.is_some() {
            None
        } else {
            config.key()?
        };
        Self::with_key(config, key.as_ref())
    }

    /// The same with a key from elsewhere, or none.
    pub fn with_key(
        config: ProviderConfig,
        key: Option<&SecretString>,
    ) -> Result<Self, ProviderError> {
        config.check()?;
        let limiter = Limiter::new(config.limits.clone())?;
        let (transport, retry) = match &config.replay {
            Some(dir) => {
                // What was recorded will not get better by asking again.
                let once = RetryPolicy {
                    max_attempts: 1,
                    ..config.retry.clone()
                };
                (Box::new(Replay::new(dir)?) as Box<dyn Transport>, once)
            }
            None => (connect(&config, key)?, config.retry.clone()),
        };
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(transport, limiter, Retrier::new(retry))),
            catalog: Arc::new(Catalog::builtin()),
            config: Arc::new(config),
        })
    }

    /// Uses a catalog of one's own instead of the built-in one.
    #[must_use]
    pub fn with_catalog(mut self, catalog: impl Into<Arc<Catalog>>) -> Self {
        self.catalog = catalog.into();
        self
    }

    /// Ends waits between attempts and in the queue when the run is asked to stop; calls in flight end by
    /// themselves. Set it before models are made.
    #[must_use]
    pub fn with_stop(self, stop: StopSignal) -> Self {
        self.endpoint.stop_with(stop);
        self
    }

    /// The provider's name in model ids.
    pub fn name(&self) -> &str {
        self.config.name()
    }

    /// The wire format.
    pub fn kind(&self) -> ProviderKind {
        self.config.kind
    }

    /// The limiter all its models share, for a progress line. Its [`snapshot`](Limiter::snapshot) tells the
    /// requests and tokens per minute that are configured or were learnt.
    pub fn limiter(&self) -> &Limiter {
        &self.endpoint.limiter
    }

    /// What was asked so far, and what came of it.
    pub fn stats(&self) -> ProviderStats {
        self.endpoint.counters.read()
    }

    /// What is known of one of its models.
    pub fn info(&self, name: &str) -> ModelInfo {
        self.catalog
            .resolve(self.config.kind, self.config.name(), name)
    }

    /// A chat model by the provider's name for it.
    pub fn model(&self, name: &str) -> ProviderModel {
        ProviderModel::new(self, self.info(name))
    }

    /// An embedding model by the provider's name for it. An error where the provider has none.
    pub fn embedder(&self, name: &str) -> Result<ProviderEmbedder, ProviderError> {
        ProviderEmbedder::new(self, self.info(name))
    }

    /// The batch service of a chat model, by the provider's name for it. An error where the model or its
    /// provider has none; a model that the catalog does not know is taken at the provider's word.
    pub fn batch_model(&self, name: &str) -> Result<ProviderBatch, ProviderError> {
        let info = self.info(name);
        let model = info.id();
        ProviderBatch::new(&self.config, info, Arc::clone(&self.endpoint))
            .map_err(|reason| ProviderError::NoBatch { model, reason })
    }

    /// Asks the provider whether it has a model and how long it will live. Free of charge. A model that is
    /// not there is a status, not an error.
    pub async fn check_model(&self, name: &str) -> Result<ModelStatus, LlmError> {
        preflight::check(&self.endpoint, &self.config, &self.info(name)).await
    }
}

impl Call {
    fn post(request: WireRequest, sample: u32) -> Result<Self, LlmError> {
        let body = serde_json::to_string(&request.body).map_err(|error| {
            LlmError::new(LlmErrorKind::BadRequest, "the request is not JSON").with_source(error)
        })?;
        Ok(Self {
            sample,
            ..Self::new(Verb::Post, request.path)
                .with_headers(request.headers)
                .with_body(body)
        })
    }

    /// Tokens of the body, by the common rule of four bytes per token.
    fn input_tokens(&self) -> u64 {
        (self.body.len() as u64).div_ceil(4)
    }
}

fn connect(
    config: &ProviderConfig,
    key: Option<&SecretString>,
) -> Result<Box<dyn Transport>, ProviderError> {
    let address = Address {
        provider: config.name(),
        kind: config.kind,
        base_url: config.address()?,
        key,
        key_header: config.key_header.as_deref(),
        headers: &config.headers,
        secret_headers: &config.secret_headers()?,
        sample_header: config.wire.sample_header.as_deref(),
    };
    let http = HttpTransport::new(&address, &config.http)?;
    Ok(match &config.record {
        Some(dir) => record(http, dir)?,
        None => Box::new(http),
    })
}

fn record(http: HttpTransport, dir: &Path) -> Result<Box<dyn Transport>, ProviderError> {
    let scrubber = http.scrubber().clone();
    Ok(Box::new(Recording::new(http, dir, scrubber)?))
}
