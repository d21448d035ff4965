use serde::{Deserialize, Serialize};

use crate::outcome::Unanswered;

/// Why a model stopped writing. Unknown reasons are kept, never an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FinishReason {
    /// The answer is complete.
    Stop,
    /// The token limit was reached.
    Length,
    /// The model or its provider declined: a refusal stop, a content filter, a blocked prompt.
    Blocked {
        /// The provider's own word: `refusal`, `content_filter`, `SAFETY`, `frontier_llm`.
        category: String,
    },
    /// A reason this crate does not know; the text counts as an answer unless it is empty.
    Other {
        /// The provider's own word.
        reason: String,
    },
}

/// Tokens of one call, normalised over providers: the total is the sum of all five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input tokens billed in full.
    pub input: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cached_input: u64,
    /// Input tokens written to the provider's prompt cache.
    pub cache_write: u64,
    /// Output tokens the caller sees.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// All tokens of the call.
    pub fn total(&self) -> u64 {
        self.input + self.cached_input + self.cache_write + self.output + self.reasoning
    }
}

/// One complete reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// The visible text; empty when there is none.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens used.
    pub usage: Usage,
    /// The model that really answered, as the provider names it.
    pub model: String,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// What the provider says the call cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// The body as received. Stored before anything is parsed from it.
    pub raw: String,
}

impl ChatResponse {
    /// A finished reply with this text; the raw body is the text itself.
    pub fn stop(model: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            raw: text.clone(),
            text,
            finish: FinishReason::Stop,
            usage: Usage::default(),
            model: model.into(),
            request_id: None,
            cost_usd: None,
        }
    }

    /// The text, or why there is none.
    ///
    /// A reply cut at the token limit is [`Truncated`](Unanswered::Truncated) even when it has text: half an
    /// answer must not be scored as one. An empty text is never an answer.
    pub fn answer(&self) -> Result<&str, Unanswered> {
        match &self.finish {
            FinishReason::Length => Err(Unanswered::Truncated),
            FinishReason::Blocked { category } => Err(Unanswered::Blocked {
                category: category.clone(),
            }),
            FinishReason::Stop | FinishReason::Other { .. } if self.text.trim().is_empty() => {
                Err(Unanswered::Unparsable {
                    reason: "the reply has no text".to_owned(),
                    raw: self.raw.clone(),
                    attempts: 1,
                })
            }
            FinishReason::Stop | FinishReason::Other { .. } => Ok(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutcomeKind;

    #[test]
    fn each_finish_reason_has_one_outcome() {
        let reply = |finish, text: &str| ChatResponse {
            finish,
            ..ChatResponse::stop("m", text)
        };
        let kind = |r: &ChatResponse| {
            r.answer()
                .map_or_else(|e| e.kind(), |_| OutcomeKind::Answered)
        };
        let other = || FinishReason::Other {
            reason: "new".into(),
        };
        let blocked = || FinishReason::Blocked {
            category: "SAFETY".into(),
        };
        assert_eq!(kind(&reply(FinishReason::Stop, "x")), OutcomeKind::Answered);
        assert_eq!(
            kind(&reply(FinishReason::Stop, " \n")),
            OutcomeKind::Unparsable
        );
        assert_eq!(
            kind(&reply(FinishReason::Length, "half an")),
            OutcomeKind::Truncated
        );
        assert_eq!(kind(&reply(blocked(), "sorry")), OutcomeKind::Blocked);
        assert_eq!(kind(&reply(other(), "x")), OutcomeKind::Answered);
        assert_eq!(kind(&reply(other(), "")), OutcomeKind::Unparsable);
    }
}
