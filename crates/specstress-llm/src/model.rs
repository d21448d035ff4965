use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::LlmError;
use crate::id::ModelId;
use crate::request::ChatRequest;
use crate::response::{ChatResponse, Usage};

/// What a model can do, as far as callers choose by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent yes-or-no facts")]
#[non_exhaustive]
pub struct Capabilities {
    /// The provider enforces [`ChatRequest::schema`]; elsewhere callers decode leniently.
    pub structured_output: bool,
    /// The model reasons before it answers.
    pub reasoning: bool,
    /// Temperature and nucleus sampling may be sent.
    pub sampling: bool,
    /// The provider has a batch service for it.
    pub batch: bool,
    /// Most tokens it writes in one answer, where that is known.
    pub max_output: Option<u32>,
}

/// Under which terms a call is made.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum CallMode {
    /// Answered at once.
    #[default]
    Live,
    /// Through the provider's batch service.
    Batch,
}

impl CallMode {
    /// `live` or `batch`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Batch => "batch",
        }
    }
}

/// A language model: one conversation in, one complete answer out.
///
/// Two methods are required. Implementations do not retry on their own behind a caller's back unless they
/// say so, and never return a reply of another model than [`id`](Self::id) names. Conveniences for callers
/// are in [`ChatModelExt`](crate::ChatModelExt).
#[async_trait]
pub trait ChatModel: Send + Sync + fmt::Debug {
    /// Which model this is; part of every request key.
    fn id(&self) -> &ModelId;

    /// Asks for one answer. A refusal, a filter or a token limit is a reply with its
    /// [`FinishReason`](crate::FinishReason), not an error.
    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError>;

    /// What the model can do; nothing, when unsaid.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// The list price of a call with this usage, in US dollars; `None` where it is not known.
    fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        let _ = (usage, mode);
        None
    }
}

/// A vector of one text.
pub type Embedding = Vec<f32>;

/// Texts to embed, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbeddingRequest {
    /// The texts; none of them empty.
    pub texts: Vec<String>,
    /// The length of the vectors, for models that can shorten them.
    pub dimensions: Option<u32>,
}

impl EmbeddingRequest {
    /// Embeds these texts at the model's own length.
    pub fn new(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            texts: texts.into_iter().map(Into::into).collect(),
            dimensions: None,
        }
    }
}

/// A model that turns texts into vectors.
///
/// Two methods are required. The batch is the base case: [`embed`](Self::embed) returns exactly one vector
/// per text, in the order of the texts, all of the same length and of unit Euclidean norm.
#[async_trait]
pub trait EmbeddingModel: Send + Sync + fmt::Debug {
    /// Which model this is.
    fn id(&self) -> &ModelId;

    /// Embeds the texts; as many vectors as texts, in order.
    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError>;

    /// The most texts one request may hold.
    fn max_batch(&self) -> usize {
        64
    }

    /// The list price of embedding this many tokens, in US dollars; `None` where it is not known.
    fn quote(&self, tokens: u64) -> Option<f64> {
        let _ = tokens;
        None
    }
}

macro_rules! forward {
    ($($holder:ty),+) => {$(
        #[async_trait]
        impl<M: ChatModel + ?Sized> ChatModel for $holder {
            fn id(&self) -> &ModelId {
                (**self).id()
            }
            async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
                (**self).chat(request).await
            }
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
            fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
                (**self).quote(usage, mode)
            }
        }

        #[async_trait]
        impl<M: EmbeddingModel + ?Sized> EmbeddingModel for $holder {
            fn id(&self) -> &ModelId {
                (**self).id()
            }
            async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
                (**self).embed(request).await
            }
            fn max_batch(&self) -> usize {
                (**self).max_batch()
            }
            fn quote(&self, tokens: u64) -> Option<f64> {
                (**self).quote(tokens)
            }
        }
    )+};
}

forward!(&M, Box<M>, Arc<M>);

const _: fn(&dyn ChatModel, &dyn EmbeddingModel) = |_, _| {};
