use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::TokenLimitName;

/// How requests are written and replies read for one endpoint, beyond what the catalog says of a model.
///
/// Every default is right for the providers themselves; the switches are for proxies and compatible servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WireOptions {
    /// What an OpenAI-shaped server accepts, where that differs from the catalog.
    pub compat: CompatOptions,
    /// Accept a reply of another model than the one asked for. Off by default: providers re-route retired
    /// models without a word.
    pub allow_other_model: bool,
    /// The `anthropic-version` header; `2023-06-01` by default.
    pub anthropic_version: String,
    /// Values of the `anthropic-beta` header.
    pub anthropic_beta: Vec<String>,
    /// How long Anthropic keeps what shared text writes to its cache.
    pub cache_ttl: CacheTtl,
    /// Gemini safety settings: category (`HARM_CATEGORY_HARASSMENT`) to threshold (`OFF`). None by default.
    pub gemini_safety: BTreeMap<String, String>,
    /// What Gemini embeddings are for: `CLUSTERING`, `SEMANTIC_SIMILARITY`, ...; none by default.
    pub embedding_task: Option<String>,
    /// A header that carries [`ChatRequest::sample`](specstress_llm::ChatRequest::sample), for servers that
    /// answer equal requests equally: `x-specstress-sample` at `specstress sim serve`. None by default, since
    /// providers draw anew by themselves.
    pub sample_header: Option<String>,
}

impl Default for WireOptions {
    fn default() -> Self {
        Self {
            compat: CompatOptions::default(),
            allow_other_model: false,
            anthropic_version: "2023-06-01".to_owned(),
            anthropic_beta: Vec::new(),
            cache_ttl: CacheTtl::default(),
            gemini_safety: BTreeMap::new(),
            embedding_task: None,
            sample_header: None,
        }
    }
}

/// What a server that speaks Chat Completions accepts. `None` leaves it to the catalog, and for a model that
/// is not there to what the caller sets.
///
/// ```
/// use specstress_providers::{CompatOptions, ResponseFormat, TokenLimitName};
///
/// let ollama: CompatOptions = serde_json::from_str(r#"{
///     "token_limit_name": "max_tokens", "response_format": "json_object",
///     "reasoning_effort": false, "extra_body": {"num_ctx": 32768}
/// }"#)?;
/// assert_eq!(ollama.token_limit_name, Some(TokenLimitName::MaxTokens));
/// assert_eq!(ollama.response_format, Some(ResponseFormat::JsonObject));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompatOptions {
    /// What the token limit is called.
    pub token_limit_name: Option<TokenLimitName>,
    /// Whether `seed` may be sent.
    pub supports_seed: Option<bool>,
    /// Which `response_format` a schema is sent as.
    pub response_format: Option<ResponseFormat>,
    /// Whether `reasoning_effort` may be sent.
    pub reasoning_effort: Option<bool>,
    /// Whether the system prompt has the role `developer` instead of `system`.
    pub developer_role: Option<bool>,
    /// Whether a compatible server has the batch service of `OpenAI` (files and batches), as Together has; off
    /// by default.
    pub batch: bool,
    /// Most texts in one embedding request.
    pub max_embedding_inputs: Option<u32>,
    /// Fields put into every request body last, over whatever is there. Used for every provider.
    pub extra_body: serde_json::Map<String, serde_json::Value>,
}

/// How a compatible server is asked for JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseFormat {
    /// `{"type": "json_schema", ...}`.
    JsonSchema,
    /// `{"type": "json_object"}`: JSON of any form.
    JsonObject,
    /// Not at all; the reply is decoded leniently.
    None,
}

/// How long a prompt cache keeps a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CacheTtl {
    /// Five minutes from the last use.
    #[default]
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour; writes cost more.
    #[serde(rename = "1h")]
    OneHour,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_partial_settings_and_refuses_typos() {
        let options: WireOptions =
            serde_json::from_str(r#"{"cache_ttl":"1h","compat":{"supports_seed":false}}"#).unwrap();
        assert_eq!(options.cache_ttl, CacheTtl::OneHour);
        assert_eq!(options.compat.supports_seed, Some(false));
        assert_eq!(options.anthropic_version, "2023-06-01");
        assert!(!options.allow_other_model);
        assert!(serde_json::from_str::<WireOptions>(r#"{"cachettl":"1h"}"#).is_err());
        assert!(serde_json::from_str::<CompatOptions>(r#"{"seed":true}"#).is_err());
    }
}
