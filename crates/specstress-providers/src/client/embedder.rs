use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::{
    Embedding, EmbeddingModel, EmbeddingRequest, LlmError, LlmErrorKind, ModelId, Usage,
};

use super::Provider;
use crate::catalog::ModelInfo;
use crate::cost::{PriceTier, cost_usd};
use crate::endpoint::Endpoint;
use crate::error::ProviderError;
use crate::limiter::Cost;
use crate::transport::Call;
use crate::wire::{EmbeddingWire, embedding_batch, embedding_wire};

/// An embedding model of a [`Provider`]; made by [`Provider::embedder`].
///
/// Splits what it is asked for into requests of [`max_batch`](EmbeddingModel::max_batch) texts, one after
/// the other; vectors come back in the order of the texts and of unit norm.
#[derive(Clone, Debug)]
pub struct ProviderEmbedder {
    id: ModelId,
    info: Arc<ModelInfo>,
    wire: Arc<dyn EmbeddingWire>,
    endpoint: Arc<Endpoint>,
    max_batch: usize,
}

impl ProviderEmbedder {
    pub(super) fn new(provider: &Provider, info: ModelInfo) -> Result<Self, ProviderError> {
        let config = &provider.config;
        let wire = embedding_wire(config.kind, config.wire.clone()).ok_or_else(|| {
            ProviderError::NoEmbeddings {
                provider: config.name().to_owned(),
                kind: config.kind,
            }
        })?;
        Ok(Self {
            id: ModelId::new(config.name(), &info.name),
            wire: wire.into(),
            max_batch: embedding_batch(&info, &config.wire).max(1),
            info: Arc::new(info),
            endpoint: Arc::clone(&provider.endpoint),
        })
    }

    /// What is known of the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed_batch(
        &self,
        texts: &[String],
        dimensions: Option<u32>,
    ) -> Result<Vec<Embedding>, LlmError> {
        let request = EmbeddingRequest {
            texts: texts.to_vec(),
            dimensions,
        };
        let call = Call::post(self.wire.request(&self.info, &request)?, 0)?;
        let cost = Cost {
            input: call.input_tokens(),
            output: 0,
        };
        let read = |reply: &_| {
            let vectors = self.wire.response(&self.info, texts.len(), reply)?;
            Ok((vectors, None))
        };
        self.endpoint.call(&call, cost, read).await
    }
}

#[async_trait]
impl EmbeddingModel for ProviderEmbedder {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        if let Some(at) = request.texts.iter().position(|text| text.trim().is_empty()) {
            return Err(LlmError::new(
                LlmErrorKind::BadRequest,
                format!(
                    "{}: text {at} (from 0) is empty; there is nothing to embed",
                    self.id
                ),
            ));
        }
        let mut vectors: Vec<Embedding> = Vec::with_capacity(request.texts.len());
        for texts in request.texts.chunks(self.max_batch()) {
            vectors.extend(self.embed_batch(texts, request.dimensions).await?);
        }
        let length = vectors.first().map_or(0, Vec::len);
        if let Some(odd) = vectors.iter().find(|vector| vector.len() != length) {
            return Err(LlmError::new(
                LlmErrorKind::BadReply,
                format!(
                    "{}: vectors of {length} and of {} numbers in one answer",
                    self.id,
                    odd.len()
                ),
            ));
        }
        Ok(vectors)
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    fn quote(&self, tokens: u64) -> Option<f64> {
        let usage = Usage {
            input: tokens,
            ..Usage::default()
        };
        cost_usd(&self.info, &usage, PriceTier::default())
    }
}
