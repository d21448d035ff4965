//! Shorthands for the tests of the formats.

use std::collections::BTreeMap;

use serde_json::json;
use specstress_llm::ResponseSchema;

use crate::catalog::{Catalog, ModelInfo, ProviderKind};
use crate::wire::{ChatWire, EmbeddingWire, WireOptions, WireReply, chat_wire, embedding_wire};

pub(super) const KINDS: [ProviderKind; 5] = [
    ProviderKind::Anthropic,
    ProviderKind::OpenAi,
    ProviderKind::Gemini,
    ProviderKind::Xai,
    ProviderKind::Compatible,
];

pub(super) fn unknown(kind: ProviderKind) -> ModelInfo {
    ModelInfo::unknown(kind, kind.as_str(), "m")
}

pub(super) fn known(id: &str) -> ModelInfo {
    let (provider, name) = id.split_once('/').expect("provider/name");
    let catalog = Catalog::builtin();
    catalog.get(provider, name).expect("a listed model").clone()
}

pub(super) fn chat(kind: ProviderKind) -> Box<dyn ChatWire> {
    chat_with(kind, "{}")
}

/// With options written as JSON.
pub(super) fn chat_with(kind: ProviderKind, options: &str) -> Box<dyn ChatWire> {
    chat_wire(kind, options_of(options))
}

pub(super) fn embedder_with(kind: ProviderKind, options: &str) -> Box<dyn EmbeddingWire> {
    embedding_wire(kind, options_of(options)).expect("a kind with embeddings")
}

fn options_of(options: &str) -> WireOptions {
    serde_json::from_str(options).expect("options")
}

pub(super) fn reply(status: u16, body: &str) -> WireReply {
    WireReply {
        status,
        headers: BTreeMap::new(),
        body: body.to_owned(),
    }
}

/// `{"score": integer}`.
pub(super) fn schema() -> ResponseSchema {
    ResponseSchema {
        name: "rating".to_owned(),
        schema: json!({"type": "object", "properties": {"score": {"type": "integer"}},
            "required": ["score"], "additionalProperties": false}),
    }
}
