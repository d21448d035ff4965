//! What the four providers expect and how they answer: JSON in, JSON out, no IO.

mod anthropic;
mod embeddings;
mod errors;
mod fields;
mod gemini;
mod models;
mod openai_chat;
mod openai_responses;

use serde_json::Value;
use specstress_llm::{ChatRequest, ChatResponse, Effort, EmbeddingRequest, FinishReason, Usage};

use crate::persona::{EMBEDDER, chat_keys, panel_index, provider};

pub(super) use embeddings::tokens as embedding_tokens;
pub(super) use errors::{Refusal, error_body};
pub(super) use fields::Fields;
pub(super) use models::{model_body, model_list};

/// A provider's formats and manners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Anthropic,
    OpenAi,
    Gemini,
    Xai,
}

impl Wire {
    pub(super) const ALL: [Self; 4] = [Self::Anthropic, Self::OpenAi, Self::Gemini, Self::Xai];

    /// The first segment of a path that insists on this wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::Xai => "xai",
        }
    }

    /// The wire of a panel member; `None` for the helpers, which are on all of them.
    pub(super) fn of_model(key: &str) -> Option<Self> {
        panel_index(key)?;
        match provider(key) {
            "alder" => Some(Self::Anthropic),
            "birch" => Some(Self::OpenAi),
            "cedar" => Some(Self::Gemini),
            "dune" => Some(Self::Xai),
            _ => None,
        }
    }

    fn has_embeddings(self) -> bool {
        matches!(self, Self::OpenAi | Self::Gemini)
    }

    /// Whether this provider has a model of that name.
    pub(super) fn knows(self, key: &str) -> bool {
        if key == EMBEDDER {
            return self.has_embeddings();
        }
        chat_keys().contains(&key) && Self::of_model(key).is_none_or(|wire| wire == self)
    }

    /// The names of its models, panel first.
    pub(super) fn models(self) -> impl Iterator<Item = &'static str> {
        chat_keys()
            .into_iter()
            .chain([EMBEDDER])
            .filter(move |key| self.knows(key))
    }
}

/// A form of request and of reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Messages,
    Completions,
    Responses,
    Generate,
    Embeddings,
    EmbedBatch,
    EmbedOne,
}

impl Form {
    pub(super) fn embeds(self) -> bool {
        matches!(self, Self::Embeddings | Self::EmbedBatch | Self::EmbedOne)
    }
}

/// A request as the simulation takes it.
#[derive(Debug)]
pub(super) struct Ask {
    /// The model, as named by path or body.
    pub(super) model: String,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Chat(Box<ChatAsk>),
    Embed(EmbedAsk),
}

#[derive(Debug, Default)]
pub(super) struct ChatAsk {
    pub(super) request: ChatRequest,
    /// Whether thinking was asked for by other means than an effort.
    thinks: bool,
    /// The tool whose call is the answer, where one is forced.
    tool: Option<String>,
}

#[derive(Debug)]
pub(super) struct EmbedAsk {
    pub(super) request: EmbeddingRequest,
    /// Vectors as base64 of little-endian `f32`, as one SDK asks for.
    base64: bool,
}

/// Reads a request. `path_model` is the model named by the path, where the wire does so.
pub(super) fn read(
    wire: Wire,
    form: Form,
    path_model: Option<&str>,
    body: &Value,
) -> Result<Ask, Refusal> {
    let fields = Fields::of(wire, body)?;
    match form {
        Form::Messages => anthropic::read(&fields),
        Form::Completions => openai_chat::read(wire, &fields),
        Form::Responses => openai_responses::read(&fields),
        Form::Generate => gemini::read(path_model.unwrap_or_default(), &fields),
        Form::Embeddings => embeddings::read(&fields),
        Form::EmbedBatch => embeddings::read_batch(path_model.unwrap_or_default(), &fields),
        Form::EmbedOne => embeddings::read_one(path_model.unwrap_or_default(), &fields),
    }
}

/// An answer on its way out.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// The name to answer under.
    pub(super) model: &'a str,
    /// Names the reply; the same for the same request.
    pub(super) id: &'a str,
    pub(super) text: &'a str,
    pub(super) finish: &'a FinishReason,
    pub(super) usage: Usage,
    tool: Option<&'a str>,
}

impl<'a> Said<'a> {
    pub(super) fn new(model: &'a str, ask: &'a ChatAsk, response: &'a ChatResponse) -> Self {
        Self {
            model,
            id: response.request_id.as_deref().unwrap_or("sim"),
            text: &response.text,
            finish: &response.finish,
            usage: response.usage,
            tool: ask.tool.as_deref(),
        }
    }
}

/// Reasoning tokens that the simulation itself does not count: half of the answer's for the models that
/// always reason and where thinking was asked for.
pub(super) fn reasoning(model: &str, ask: &ChatAsk, usage: Usage) -> u64 {
    let always = model.starts_with("birch_reason") || model == "cedar_pro" || model == "dune_max";
    let reasons = match ask.request.effort {
        Some(Effort::None) => false,
        Some(_) => true,
        None => always || ask.thinks,
    };
    if reasons { usage.output.div_ceil(2) } else { 0 }
}

/// Writes an answer.
pub(super) fn write(wire: Wire, form: Form, said: &Said<'_>) -> Value {
    match (form, wire) {
        (Form::Messages, _) => anthropic::write(said),
        (Form::Responses, _) => openai_responses::write(said),
        (Form::Generate, _) => gemini::write(said),
        _ => openai_chat::write(wire, said),
    }
}

/// Writes vectors; none of them for an empty reply.
pub(super) fn write_vectors(
    form: Form,
    model: &str,
    ask: &EmbedAsk,
    vectors: &[Vec<f32>],
) -> Value {
    match form {
        Form::EmbedBatch => embeddings::write_batch(vectors),
        Form::EmbedOne => embeddings::write_one(vectors),
        _ => embeddings::write(model, ask, vectors),
    }
}

/// Bodies carry this moment, so that the same request has the same reply byte for byte.
const CREATED: u64 = 1_780_000_000;

fn effort_named(name: &str) -> Option<Effort> {
    Some(match name.to_ascii_lowercase().as_str() {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::Xhigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panel_members_have_one_wire_and_helpers_all() {
        let on = |key: &str| {
            Wire::ALL
                .into_iter()
                .filter(|wire| wire.knows(key))
                .map(Wire::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(on("alder_first"), ["anthropic"]);
        assert_eq!(on("birch_reason_mini"), ["openai"]);
        assert_eq!(on("cedar_pro"), ["gemini"]);
        assert_eq!(on("dune_max"), ["xai"]);
        assert_eq!(on("judge_alder").len(), 4);
        assert_eq!(on(EMBEDDER), ["openai", "gemini"]);
        assert!(on("alder").is_empty() && on("").is_empty());
        // 5 + 5 + 1 + 1 members, 7 helpers on four wires, the embedder on two.
        let count: usize = Wire::ALL.iter().map(|wire| wire.models().count()).sum();
        assert_eq!(count, 12 + 4 * 7 + 2);
    }
}
