//! From `provider/name` in a config to a model: one provider client per entry, or the simulated world.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use specstress_llm::{ChatModel, EmbeddingModel, ModelId, StopSignal};
use specstress_pipeline::BatchLane;
use specstress_providers::{Catalog, Provider};
use specstress_sim::SimWorld;

use crate::config::{Config, SIM};
use crate::exit::UsageExt;
use crate::journal::Journal;

/// Every provider of a config, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Models {
    providers: BTreeMap<String, Provider>,
    world: SimWorld,
}

impl Models {
    /// Sets the providers up with their keys from the environment; connects to nothing.
    pub(crate) fn new(config: &Config, world: SimWorld) -> anyhow::Result<Self> {
        let catalog = Arc::new(catalog(config)?);
        let mut providers = BTreeMap::new();
        for provider in &config.providers {
            let provider = Provider::new(provider.clone())
                .usage()?
                .with_catalog(Arc::clone(&catalog));
            let name = provider.name().to_owned();
            if name == SIM || providers.insert(name.clone(), provider).is_some() {
                return Err(anyhow!(
                    "two providers are called {name:?}; give one of them another name"
                ))
                .usage();
            }
        }
        Ok(Self { providers, world })
    }

    /// Ends waits of all providers when the run is asked to stop.
    pub(crate) fn with_stop(&self, stop: &StopSignal) -> Self {
        let stopping = |(name, provider): (&String, &Provider)| {
            (name.clone(), provider.clone().with_stop(stop.clone()))
        };
        Self {
            providers: self.providers.iter().map(stopping).collect(),
            world: self.world.clone(),
        }
    }

    /// A chat model, with its requests written to the journal when it is simulated.
    pub(crate) fn chat(
        &self,
        id: &ModelId,
        journal: &Journal,
    ) -> anyhow::Result<Arc<dyn ChatModel>> {
        if id.provider() == SIM {
            let model = self.world.model(id.name()).usage()?;
            return Ok(journal.wrap(model));
        }
        Ok(journal.wrap(self.provider(id)?.model(id.name())))
    }

    /// An embedding model.
    pub(crate) fn embedder(&self, id: &ModelId) -> anyhow::Result<Arc<dyn EmbeddingModel>> {
        if id.provider() == SIM {
            return Ok(Arc::new(self.world.embedder()));
        }
        let embedder = self.provider(id)?.embedder(id.name()).usage()?;
        Ok(Arc::new(embedder))
    }

    /// The batch services of those of these models that have one.
    pub(crate) fn lanes(&self, ids: &[ModelId]) -> Vec<BatchLane> {
        ids.iter()
            .filter_map(|id| {
                let provider = self.providers.get(id.provider())?;
                let batch = provider.batch_model(id.name()).ok()?;
                Some(BatchLane {
                    chat: Arc::new(provider.model(id.name())),
                    batch: Arc::new(batch),
                })
            })
            .collect()
    }

    /// All providers.
    pub(crate) fn providers(&self) -> Vec<Provider> {
        self.providers.values().cloned().collect()
    }

    /// Which of these models no catalog describes, so that nothing optional is sent to them.
    pub(crate) fn unknown(&self, ids: &[ModelId]) -> Vec<ModelId> {
        let is_unknown = |id: &&ModelId| {
            let provider = self.providers.get(id.provider());
            provider.is_some_and(|provider| !provider.info(id.name()).known)
        };
        ids.iter().filter(is_unknown).cloned().collect()
    }

    /// The provider of a model.
    pub(crate) fn provider(&self, id: &ModelId) -> anyhow::Result<&Provider> {
        self.providers
            .get(id.provider())
            .with_context(|| {
                let known: Vec<&str> = self.providers.keys().map(String::as_str).collect();
                let hint = if known.is_empty() {
                    "there are none; add a [[providers]] section".to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                format!("{id}: no provider is called {:?}; {hint}", id.provider())
            })
            .usage()
    }
}

/// The built-in catalog with the config's own entries.
pub(crate) fn catalog(config: &Config) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::builtin();
    catalog.extend(config.catalog.clone()).usage()?;
    Ok(catalog)
}
