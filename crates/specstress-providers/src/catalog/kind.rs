use std::fmt;

use serde::{Deserialize, Serialize};

/// Which wire format a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProviderKind {
    /// Anthropic Messages.
    Anthropic,
    /// `OpenAI` Chat Completions, and Responses for the models that need it.
    OpenAi,
    /// Google Gemini `generateContent` (Developer API).
    Gemini,
    /// xAI, OpenAI-shaped with its own rules.
    Xai,
    /// Any other server that speaks Chat Completions: vLLM, Ollama, llama.cpp, `OpenRouter`, `LiteLLM`, Together.
    Compatible,
}

impl ProviderKind {
    /// The name in configuration files, and of the provider in the built-in catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::Xai => "xai",
            Self::Compatible => "compatible",
        }
    }

    /// The public address, version segment included; none for [`Compatible`](Self::Compatible).
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Xai => Some("https://api.x.ai/v1"),
            Self::Compatible => None,
        }
    }

    /// The path segment a base URL ends with; appended to one that lacks it.
    pub fn version_segment(self) -> &'static str {
        match self {
            Self::Gemini => "v1beta",
            Self::Anthropic | Self::OpenAi | Self::Xai | Self::Compatible => "v1",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
