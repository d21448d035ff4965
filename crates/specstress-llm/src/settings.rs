use serde::{Deserialize, Serialize};

use crate::request::{ChatRequest, Effort};

/// How a task calls its model: the limits and knobs of every request, and how often a reply of the wrong
/// form is asked for again. Whatever is `None` is left to the provider.
///
/// ```
/// use specstress_llm::{CallSettings, ChatRequest, Effort};
///
/// let settings = CallSettings { max_tokens: Some(2048), effort: Some(Effort::High), ..CallSettings::default() };
/// let request = settings.apply(ChatRequest::user("Hello"));
/// assert_eq!((request.max_tokens, request.temperature), (Some(2048), None));
/// assert_eq!(settings.reasks, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallSettings {
    /// Most tokens to write.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 and up.
    pub temperature: Option<f64>,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// How often a reply of the wrong form is shown back with its error and asked for again; 2 by default.
    pub reasks: u32,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            max_tokens: None,
            temperature: None,
            effort: None,
            reasks: 2,
        }
    }
}

impl CallSettings {
    /// Puts the settings that are there into a request; what the request already has stays otherwise.
    #[must_use]
    pub fn apply(&self, mut request: ChatRequest) -> ChatRequest {
        request.max_tokens = self.max_tokens.or(request.max_tokens);
        request.temperature = self.temperature.or(request.temperature);
        request.effort = self.effort.or(request.effort);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_left_alone() {
        let request = ChatRequest::user("x")
            .with_max_tokens(7)
            .with_temperature(0.5);
        assert_eq!(CallSettings::default().apply(request.clone()), request);
        let settings = CallSettings {
            temperature: Some(0.0),
            effort: Some(Effort::Low),
            ..CallSettings::default()
        };
        let applied = settings.apply(request);
        assert_eq!(
            (applied.max_tokens, applied.temperature, applied.effort),
            (Some(7), Some(0.0), Some(Effort::Low))
        );
    }

    #[test]
    fn missing_fields_take_their_defaults_and_typos_are_refused() {
        let settings: CallSettings = serde_json::from_str(r#"{"max_tokens": 9}"#).unwrap();
        assert_eq!(
            settings,
            CallSettings {
                max_tokens: Some(9),
                ..CallSettings::default()
            }
        );
        assert!(serde_json::from_str::<CallSettings>(r#"{"max_token": 9}"#).is_err());
    }
}
