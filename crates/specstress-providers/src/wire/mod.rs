//! Pure mapping between the contract and the wire formats; no IO here, so that every rule is a unit test.

mod anthropic;
mod effort;
mod embeddings;
mod error_body;
mod gemini;
mod json;
mod openai_chat;
mod openai_responses;
mod options;
mod params;
mod reply;
mod schema_clean;
mod scrub;
mod service;
#[cfg(test)]
mod test_support;
mod xai;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use specstress_llm::{ChatRequest, ChatResponse, Embedding, EmbeddingRequest, LlmError};

use crate::catalog::{ModelInfo, ProviderKind};

pub(crate) use embeddings::embedding_batch;
pub(crate) use gemini::model_path;
pub(crate) use json::{repair, text as text_of};
pub use options::{CacheTtl, CompatOptions, ResponseFormat, WireOptions};
pub(crate) use reply::body_retry_after;
pub(crate) use scrub::scrub;
pub(crate) use service::{accepted, document, failure, unreadable};

/// Pure mapping between the contract and one wire format; no IO.
pub(crate) trait ChatWire: Send + Sync + std::fmt::Debug {
    /// What to post.
    fn request(&self, model: &ModelInfo, request: &ChatRequest) -> Result<WireRequest, LlmError>;

    /// A reply of any status: an answer with its finish reason, or a typed error.
    fn response(&self, model: &ModelInfo, reply: &WireReply) -> Result<ChatResponse, LlmError>;
}

/// The same for vectors.
pub(crate) trait EmbeddingWire: Send + Sync + std::fmt::Debug {
    /// What to post.
    fn request(
        &self,
        model: &ModelInfo,
        request: &EmbeddingRequest,
    ) -> Result<WireRequest, LlmError>;

    /// As many unit vectors as texts were asked for, in their order.
    fn response(
        &self,
        model: &ModelInfo,
        asked: usize,
        reply: &WireReply,
    ) -> Result<Embedded, LlmError>;
}

/// The vectors of one reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Embedded {
    /// Of unit norm, in the order of the texts.
    pub vectors: Vec<Embedding>,
    /// Tokens read, where the provider says.
    pub tokens: Option<u64>,
}

/// One POST.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WireRequest {
    /// Relative to the base URL, with a leading slash. The version segment (`/v1`, `/v1beta`) belongs to
    /// the base URL: see `ProviderKind::default_base_url` and `ProviderKind::version_segment`.
    pub path: String,
    /// Headers the format needs; never the key.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: serde_json::Value,
}

/// What came back, of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireReply {
    /// The HTTP status.
    pub status: u16,
    /// Headers by lowercase name.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

/// The chat format of a provider.
pub(crate) fn chat_wire(kind: ProviderKind, options: WireOptions) -> Box<dyn ChatWire> {
    let options = Arc::new(options);
    match kind {
        ProviderKind::Anthropic => Box::new(anthropic::Anthropic { options }),
        ProviderKind::Gemini => Box::new(gemini::Gemini { options }),
        ProviderKind::Xai => Box::new(xai::Xai { options }),
        ProviderKind::OpenAi | ProviderKind::Compatible => {
            Box::new(openai_chat::OpenAiChat { options })
        }
    }
}

/// The embedding format of a provider; Anthropic and xAI have none.
pub(crate) fn embedding_wire(
    kind: ProviderKind,
    options: WireOptions,
) -> Option<Box<dyn EmbeddingWire>> {
    let options = Arc::new(options);
    match kind {
        ProviderKind::Gemini => Some(Box::new(embeddings::GeminiEmbeddings { options })),
        ProviderKind::OpenAi | ProviderKind::Compatible => {
            Some(Box::new(embeddings::OpenAiEmbeddings { options }))
        }
        ProviderKind::Anthropic | ProviderKind::Xai => None,
    }
}

/// Headers that every call to a provider needs, whatever is asked; never the key.
pub(crate) fn service_headers(
    kind: ProviderKind,
    options: &WireOptions,
) -> Vec<(&'static str, String)> {
    if kind != ProviderKind::Anthropic {
        return Vec::new();
    }
    let mut headers = vec![("anthropic-version", options.anthropic_version.clone())];
    if !options.anthropic_beta.is_empty() {
        headers.push(("anthropic-beta", options.anthropic_beta.join(",")));
    }
    headers
}

/// The body with the user's own fields over it.
fn finish_body(mut body: Map<String, Value>, options: &WireOptions) -> Value {
    for (field, value) in &options.compat.extra_body {
        body.insert(field.clone(), value.clone());
    }
    body.into()
}

/// What a `LiteLLM` proxy says the call cost.
fn header_cost(reply: &WireReply) -> Option<f64> {
    reply
        .headers
        .get("x-litellm-response-cost")?
        .trim()
        .parse()
        .ok()
        .filter(|cost: &f64| cost.is_finite() && *cost >= 0.0)
}

#[cfg(test)]
mod tests;
