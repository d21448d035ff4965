use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{LlmError, LlmErrorKind};

/// How an item of a study ended. Every item ends in exactly one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// A usable answer.
    Answered,
    /// The provider withheld the answer: a refusal stop, a content filter, a blocked prompt.
    Blocked,
    /// The answer ran into the token limit.
    Truncated,
    /// A reply came, but not in the form asked for, after all re-asks.
    Unparsable,
    /// The call failed for good.
    Failed,
    /// The call was not made: the run was stopped, or something it needs is missing.
    #[default]
    NotRun,
}

impl OutcomeKind {
    /// All kinds, in the order tables list them.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Blocked,
        Self::Truncated,
        Self::Unparsable,
        Self::Failed,
        Self::NotRun,
    ];

    /// The name used in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Blocked => "blocked",
            Self::Truncated => "truncated",
            Self::Unparsable => "unparsable",
            Self::Failed => "failed",
            Self::NotRun => "not_run",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OutcomeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("unknown outcome {text:?}"))
    }
}

/// Why an item has no answer: every [`OutcomeKind`] but [`Answered`](OutcomeKind::Answered), with its story.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The provider withheld the answer.
    #[error("blocked by the provider: {category}")]
    Blocked {
        /// The provider's own word for the reason.
        category: String,
    },
    /// The answer ran into the token limit.
    #[error("truncated at the token limit")]
    Truncated,
    /// A reply came, but not in the form asked for.
    #[error("unparsable after {attempts} attempts: {reason}")]
    Unparsable {
        /// What was wrong with the last reply.
        reason: String,
        /// The last reply.
        raw: String,
        /// How many replies were read.
        attempts: u32,
    },
    /// The call failed.
    #[error("{0}")]
    Failed(#[source] LlmError),
    /// The call was not made.
    #[error("not run: {reason}")]
    NotRun {
        /// What was missing.
        reason: String,
    },
}

impl Unanswered {
    /// Shorthand for [`Unanswered::NotRun`].
    pub fn not_run(reason: impl Into<String>) -> Self {
        Self::NotRun {
            reason: reason.into(),
        }
    }

    /// The kind, for tables and counts.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Blocked { .. } => OutcomeKind::Blocked,
            Self::Truncated => OutcomeKind::Truncated,
            Self::Unparsable { .. } => OutcomeKind::Unparsable,
            Self::Failed(error)
                if matches!(
                    error.kind(),
                    LlmErrorKind::Stopped
                        | LlmErrorKind::Deferred
                        | LlmErrorKind::NotStored
                        | LlmErrorKind::OverBudget
                ) =>
            {
                OutcomeKind::NotRun
            }
            Self::Failed(_) => OutcomeKind::Failed,
            Self::NotRun { .. } => OutcomeKind::NotRun,
        }
    }

    /// The error that must stop the whole run, where this is one.
    pub fn fatal(&self) -> Option<&LlmError> {
        match self {
            Self::Failed(error) if error.is_fatal() => Some(error),
            _ => None,
        }
    }

    /// Whether a call of this item was put off, so that the item is not over yet.
    pub fn is_deferred(&self) -> bool {
        matches!(self, Self::Failed(error) if error.kind() == LlmErrorKind::Deferred)
    }

    /// Whether the run was asked to stop before this item was done.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Failed(error) if error.kind() == LlmErrorKind::Stopped)
    }
}

impl From<LlmError> for Unanswered {
    fn from(error: LlmError) -> Self {
        Self::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in OutcomeKind::ALL {
            assert_eq!(kind.as_str().parse::<OutcomeKind>().unwrap(), kind);
            assert_eq!(
                serde_json::to_value(kind).unwrap(),
                serde_json::json!(kind.as_str())
            );
        }
        assert!("done".parse::<OutcomeKind>().is_err());
    }

    #[test]
    fn a_stop_is_not_a_failure() {
        let stopped = Unanswered::from(LlmError::new(LlmErrorKind::Stopped, "stopped"));
        assert_eq!(stopped.kind(), OutcomeKind::NotRun);
        assert!(stopped.is_stopped() && stopped.fatal().is_none());
        let fatal = Unanswered::from(LlmError::new(LlmErrorKind::Unauthorized, "no key"));
        assert_eq!(fatal.kind(), OutcomeKind::Failed);
        assert!(fatal.fatal().is_some());
    }
}
