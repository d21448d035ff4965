//! Batch services: many requests in, their replies within a day, at a lower price.

mod anthropic;
mod find;
mod form;
mod gemini;
mod held;
mod item;
mod moment;
mod openai;
mod service;
#[cfg(test)]
mod tests;
mod upload;
mod xai;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::{
    BatchLimits, BatchLine, BatchModel, BatchPage, BatchStatus, BatchTag, ChatRequest, LlmError,
    LlmErrorKind, LostBatch, ModelId, RequestKey,
};

use crate::catalog::{ModelInfo, ProviderKind};
use crate::client::ProviderConfig;
use crate::endpoint::Endpoint;
use crate::wire::{ChatWire, WireOptions, chat_wire, repair, service_headers};
use form::BatchForm;
use held::Holding;
use service::Service;

/// The batch service of a model of a [`Provider`](crate::Provider); made by
/// [`Provider::batch_model`](crate::Provider::batch_model).
///
/// Requests and replies are those of the live model. Nothing here counts against the live rates: the calls go past
/// the limiter. Asking, listing, fetching, uploading and cancelling are tried again by the provider's
/// [`RetryPolicy`](crate::RetryPolicy); creating never is.
///
/// The results of a batch are held as text, once, from the first page of [`results`](BatchModel::results) to the
/// last; a page has at most a thousand of them.
///
/// ```
/// use specstress_llm::{BatchModel as _, ChatRequest, RequestKey};
/// use specstress_providers::{Provider, ProviderConfig, ProviderKind};
///
/// let config = ProviderConfig::new(ProviderKind::Anthropic);
/// let model = Provider::with_key(config, None)?.batch_model("claude-opus-5-5")?;
/// assert_eq!((model.limits().requests, model.limits().bytes), (100_000, 64_000_000));
/// let request = ChatRequest::user("Hello").with_max_tokens(1024);
/// let key = RequestKey::chat(model.id(), &request);
/// let line = model.encode(&key, &request)?;
/// assert!(line.json.starts_with(&format!(r#"{{"custom_id":"{key}","params":{{"#)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProviderBatch {
    id: ModelId,
    wire: Arc<dyn ChatWire>,
    limits: BatchLimits,
    service: Service,
    /// Tells a server that answers equal requests equally which sample an item is.
    sample_field: Option<String>,
}

impl ProviderBatch {
    pub(crate) fn new(
        config: &ProviderConfig,
        info: ModelInfo,
        endpoint: Arc<Endpoint>,
    ) -> Result<Self, &'static str> {
        let form = form_of(config.kind, &info, &config.wire)?;
        let most = most(config.kind);
        Ok(Self {
            id: ModelId::new(config.name(), &info.name),
            wire: chat_wire(config.kind, config.wire.clone()).into(),
            sample_field: config.wire.sample_header.clone(),
            limits: BatchLimits {
                requests: config
                    .batch_max_requests
                    .map_or(most.requests, |limit| limit.min(most.requests)),
                bytes: config.batch_max_bytes.min(most.bytes),
            },
            service: Service {
                headers: service_headers(config.kind, &config.wire),
                info: Arc::new(info),
                endpoint,
                form,
                holding: Holding::default(),
            },
        })
    }

    /// What is known of the model.
    pub fn info(&self) -> &ModelInfo {
        &self.service.info
    }

    /// What would be refused as a whole, or could not be paired.
    fn check(&self, lines: &[BatchLine]) -> Result<(), LlmError> {
        let bytes: usize = lines.iter().map(|line| line.json.len()).sum();
        let keys: BTreeSet<_> = lines.iter().map(|line| line.key).collect();
        let reason = if lines.is_empty() {
            "it has no requests".to_owned()
        } else if lines.len() > self.limits.requests {
            format!(
                "{} requests are more than {}",
                lines.len(),
                self.limits.requests
            )
        } else if bytes > self.limits.bytes {
            format!("{bytes} bytes are more than {}", self.limits.bytes)
        } else if keys.len() < lines.len() {
            "two requests have one key".to_owned()
        } else {
            return Ok(());
        };
        Err(LlmError::new(
            LlmErrorKind::BadRequest,
            format!("{}: the batch was not sent: {reason}", self.id),
        ))
    }
}

/// Whether a model has a batch service here, or why not.
pub(crate) fn offered(
    kind: ProviderKind,
    info: &ModelInfo,
    options: &WireOptions,
) -> Result<(), &'static str> {
    form_of(kind, info, options).map(|_| ())
}

fn form_of(
    kind: ProviderKind,
    info: &ModelInfo,
    options: &WireOptions,
) -> Result<Arc<dyn BatchForm>, &'static str> {
    if info.embedding.is_some() {
        return Err("it is an embedding model");
    }
    if kind == ProviderKind::Compatible {
        // What a catalog says of a model does not tell what a server of someone else has.
        if options.compat.batch {
            return Ok(Arc::new(openai::OpenAi::of(info)));
        }
        return Err("wire.compat.batch does not say that the server has batches");
    }
    if info.known && info.batch_factor.is_none() {
        return Err("the catalog knows of no batch service for it");
    }
    Ok(match kind {
        ProviderKind::Anthropic => Arc::new(anthropic::Anthropic),
        ProviderKind::Gemini => Arc::new(gemini::Gemini::of(info)),
        ProviderKind::Xai => Arc::new(xai::Xai),
        ProviderKind::OpenAi | ProviderKind::Compatible => Arc::new(openai::OpenAi::of(info)),
    })
}

/// What a provider takes at most, a little less for what stands around the lines.
fn most(kind: ProviderKind) -> BatchLimits {
    let (requests, bytes) = match kind {
        ProviderKind::Anthropic => (100_000, 255_000_000),
        ProviderKind::OpenAi => (50_000, 199_000_000),
        ProviderKind::Gemini => (100_000, 1_999_000_000),
        // Not documented for files; this is what one addition to a batch may have.
        ProviderKind::Xai => (50_000, 24_000_000),
        // The least of those that are known: requests of OpenRouter, bytes of Together.
        ProviderKind::Compatible => (5_000, 99_000_000),
    };
    BatchLimits { requests, bytes }
}

#[async_trait]
impl BatchModel for ProviderBatch {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn encode(&self, key: &RequestKey, request: &ChatRequest) -> Result<BatchLine, LlmError> {
        let sent = self.wire.request(&self.service.info, request)?;
        let mut json = self.service.form.line(key, &sent.body.to_string());
        if let Some(name) = &self.sample_field
            && request.sample > 0
        {
            let sample = serde_json::json!(name);
            json.replace_range(..1, &format!("{{{sample}:{},", request.sample));
        }
        Ok(BatchLine { key: *key, json })
    }

    async fn create(&self, tag: &BatchTag, lines: &[BatchLine]) -> Result<String, LlmError> {
        self.check(lines)?;
        self.service.create(tag, lines).await
    }

    async fn find(&self, lost: &LostBatch<'_>) -> Result<Vec<String>, LlmError> {
        self.service.find(lost).await
    }

    async fn status(&self, id: &str) -> Result<BatchStatus, LlmError> {
        self.service.status(id).await
    }

    async fn results(&self, id: &str, page: Option<&str>) -> Result<BatchPage, LlmError> {
        let texts = self.service.results(id, page).await?;
        let items = texts.lines.iter().filter_map(|line| {
            let line = repair(line);
            let (key, item) = self.service.form.item(&line)?;
            Some((key, item.settle(&self.service.info, &*self.wire)))
        });
        Ok(BatchPage {
            items: items.collect(),
            next: texts.next,
        })
    }

    async fn cancel(&self, id: &str) -> Result<(), LlmError> {
        self.service.cancel(id).await
    }

    fn finds_by_tag(&self) -> bool {
        self.service.form.keeps_tag()
    }
}
