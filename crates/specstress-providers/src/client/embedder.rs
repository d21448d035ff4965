use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::{
    Embedding, EmbeddingModel, EmbeddingRequest, LlmError, LlmErrorKind, ModelId, Usage,
};

use super::Provider;
use crate::catalog::{ModelInfo, ProviderKind};
use crate::cost::{PriceTier, cost_usd};
use crate::endpoint::Endpoint;
use crate::error::ProviderError;
use crate::limiter::Cost;
use crate::transport::Call;
use crate::wire::{Embedded, EmbeddingWire, embedding_batch, embedding_wire};

/// An embedding model of a [`Provider`]; made by [`Provider::embedder`].
///
/// Splits what it is asked for into requests of at most [`max_batch`](EmbeddingModel::max_batch) texts and of
/// no more tokens than the model takes at once, one after the other; vectors come back in the order of the
/// texts, of unit norm and of the length that was asked for. A text that Gemini would cut without a word is
/// an error.
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
            let embedded = self.wire.response(&self.info, texts.len(), reply)?;
            let spent = embedded.tokens.map(|input| Cost { input, output: 0 });
            Ok((embedded, spent))
        };
        let Embedded { vectors, tokens } = self.endpoint.call(&call, cost, read).await?;
        self.endpoint.counters.charge_input(&self.info, tokens);
        Ok(vectors)
    }

    /// Cuts a list of texts where a request is full.
    fn batches<'t>(&self, texts: &'t [String]) -> Vec<&'t [String]> {
        let most_texts = self.max_batch;
        let rule = self.info.embedding;
        let most_tokens = rule.and_then(|rule| rule.max_request_tokens);
        let most_tokens = most_tokens.map_or(usize::MAX, |most| most as usize);
        let (mut batches, mut start, mut tokens) = (Vec::new(), 0, 0);
        for (at, text) in texts.iter().enumerate() {
            let more = text.len().div_ceil(BYTES_PER_TOKEN_AT_LEAST);
            if at > start && (at - start == most_texts || tokens + more > most_tokens) {
                batches.push(&texts[start..at]);
                (start, tokens) = (at, 0);
            }
            tokens += more;
        }
        if start < texts.len() {
            batches.push(&texts[start..]);
        }
        batches
    }

    fn check_texts(&self, texts: &[String]) -> Result<(), LlmError> {
        let bad = |reason: String| {
            Err(LlmError::new(
                LlmErrorKind::BadRequest,
                format!("{}: {reason}", self.id),
            ))
        };
        if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
            return bad(format!(
                "text {at} (from 0) is empty; there is nothing to embed"
            ));
        }
        // Others refuse a text that is too long; Gemini embeds its beginning.
        let cuts = self.info.kind == ProviderKind::Gemini;
        if let Some(rule) = self.info.embedding.filter(|_| cuts) {
            let tokens = |text: &String| text.len().div_ceil(4);
            let long = |text: &String| tokens(text) > rule.max_tokens as usize;
            if let Some(at) = texts.iter().position(long) {
                return bad(format!(
                    "text {at} (from 0) has about {} tokens; the model reads {} and would leave out the rest",
                    tokens(&texts[at]),
                    rule.max_tokens
                ));
            }
        }
        Ok(())
    }

    /// Vectors of one length, and of the one asked for.
    fn check_vectors(&self, vectors: &[Embedding], asked: Option<u32>) -> Result<(), LlmError> {
        let bad = |reason: String| {
            Err(LlmError::new(
                LlmErrorKind::BadReply,
                format!("{}: {reason}", self.id),
            ))
        };
        let length = vectors.first().map_or(0, Vec::len);
        if let Some(odd) = vectors.iter().find(|vector| vector.len() != length) {
            return bad(format!(
                "vectors of {length} and of {} numbers in one answer",
                odd.len()
            ));
        }
        match asked {
            Some(asked) if length != asked as usize => bad(format!(
                "vectors of {length} numbers where {asked} were asked for: the server ignores dimensions; leave \
                 it unset"
            )),
            _ => Ok(()),
        }
    }
}

/// Few texts have fewer bytes per token than this.
const BYTES_PER_TOKEN_AT_LEAST: usize = 3;

#[async_trait]
impl EmbeddingModel for ProviderEmbedder {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        self.check_texts(&request.texts)?;
        let mut vectors: Vec<Embedding> = Vec::with_capacity(request.texts.len());
        for texts in self.batches(&request.texts) {
            vectors.extend(self.embed_batch(texts, request.dimensions).await?);
            // Before the next request is paid for.
            self.check_vectors(&vectors, request.dimensions)?;
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
