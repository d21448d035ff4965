use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which model, at which provider: `anthropic/claude-opus-4-20250514`.
///
/// The provider is everything before the first slash, so names with slashes of their own
/// (`openrouter/meta-llama/llama-4`) stay whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId {
    provider: String,
    name: String,
}

impl ModelId {
    /// A model of a provider.
    pub fn new(provider: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            name: name.into(),
        }
    }

    /// The provider's name: `anthropic`, `openai`, `sim`.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The name the provider knows the model by.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.name)
    }
}

impl FromStr for ModelId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((provider, name)) if !provider.is_empty() && !name.is_empty() => {
                Ok(Self::new(provider, name))
            }
            _ => Err(format!(
                "model id {text:?} is not of the form provider/name"
            )),
        }
    }
}

impl TryFrom<String> for ModelId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ModelId> for String {
    fn from(id: ModelId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_slashes_and_refuses_half_ids() {
        let id: ModelId = "openrouter/meta-llama/llama-4".parse().unwrap();
        assert_eq!(
            (id.provider(), id.name()),
            ("openrouter", "meta-llama/llama-4")
        );
        assert_eq!(id.to_string(), "openrouter/meta-llama/llama-4");
        for bad in ["", "gpt-4o", "/x", "openai/"] {
            assert!(bad.parse::<ModelId>().is_err(), "{bad:?}");
        }
    }
}
