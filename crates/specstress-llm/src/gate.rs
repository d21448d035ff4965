use std::fmt;

use async_trait::async_trait;

use crate::error::LlmError;
use crate::id::ModelId;
use crate::key::RequestKey;
use crate::model::CallMode;
use crate::model::{Capabilities, ChatModel, EmbeddingModel, EmbeddingRequest};
use crate::request::ChatRequest;
use crate::response::Usage;

/// What a new call asks.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// One answer of a chat model.
    Chat(&'a dyn ChatModel, &'a ChatRequest),
    /// Vectors of texts, in one request.
    Embed(&'a dyn EmbeddingModel, &'a EmbeddingRequest),
}

/// A call that is not in the store and is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCall<'a> {
    /// Its keys: one for a chat, one per text for an embedding.
    pub keys: &'a [RequestKey],
    /// What is asked of whom.
    pub ask: Ask<'a>,
}

/// Bytes that make a token of English text, about; used only where nothing was measured yet.
const BYTES_PER_TOKEN: u64 = 4;

impl NewCall<'_> {
    /// Who is asked.
    pub fn model(&self) -> &ModelId {
        match self.ask {
            Ask::Chat(model, _) => model.id(),
            Ask::Embed(model, _) => model.id(),
        }
    }

    /// What the model can do; nothing is known of embedding models.
    pub fn capabilities(&self) -> Capabilities {
        match self.ask {
            Ask::Chat(model, _) => model.capabilities(),
            Ask::Embed(..) => Capabilities::default(),
        }
    }

    /// Bytes of text that are sent; for chats, those in shared parts apart: `(own, shared)`.
    pub fn bytes(&self) -> (u64, u64) {
        match self.ask {
            Ask::Chat(_, request) => request.text_bytes(),
            Ask::Embed(_, request) => {
                let bytes: usize = request.texts.iter().map(String::len).sum();
                (bytes as u64, 0)
            }
        }
    }

    /// Input tokens at four bytes each, for want of the model's own count.
    pub fn input_tokens(&self) -> u64 {
        let (own, shared) = self.bytes();
        (own + shared).div_ceil(BYTES_PER_TOKEN)
    }

    /// The list price under a usage, in US dollars; `None` where it is not known.
    pub fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        match self.ask {
            Ask::Chat(model, _) => model.quote(usage, mode),
            Ask::Embed(model, _) => model.quote(usage.input),
        }
    }
}

/// Decides what becomes of calls that the store does not hold; part of a [`Recorder`](crate::Recorder).
///
/// Two methods are required. A budget refuses with [`OverBudget`](crate::LlmErrorKind::OverBudget), a batch queue or a
/// dry run puts off with [`Deferred`](crate::LlmErrorKind::Deferred). Every admitted call is reported to
/// [`ended`](Self::ended) once, unless its future is dropped.
#[async_trait]
pub trait CallGate: Send + Sync + fmt::Debug {
    /// Lets the call be made, or says why not.
    async fn admit(&self, call: &NewCall<'_>) -> Result<(), LlmError>;

    /// An admitted call is over: what it cost in US dollars, as far as that is known, or the error it ended in.
    fn ended(&self, call: &NewCall<'_>, result: Result<(Usage, Option<f64>), &LlmError>);
}

/// Lets every call through.
#[async_trait]
impl CallGate for () {
    async fn admit(&self, _call: &NewCall<'_>) -> Result<(), LlmError> {
        Ok(())
    }

    fn ended(&self, _call: &NewCall<'_>, _result: Result<(Usage, Option<f64>), &LlmError>) {}
}

const _: fn(&dyn CallGate) = |_| {};
