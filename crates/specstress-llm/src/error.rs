use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What went wrong with a call, in the classes a caller acts on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LlmErrorKind {
    /// No connection, connection reset, or no answer in time: try again.
    Transport,
    /// Too many requests or tokens per minute (HTTP 429): wait and try again.
    RateLimited,
    /// The server is overloaded or failed (HTTP 5xx, 529): wait and try again.
    Unavailable,
    /// A reply that is not what the wire format promises (truncated JSON, an HTML page): try again.
    BadReply,
    /// The request is wrong (HTTP 400, 413, 422): the item fails.
    BadRequest,
    /// The provider does not have the model (HTTP 404): the item fails.
    UnknownModel,
    /// Another model answered than the one asked.
    WrongModel,
    /// Missing, wrong or forbidden key (HTTP 401, 403): the run stops.
    Unauthorized,
    /// Out of credit, quota or budget (HTTP 402, `insufficient_quota`): the run stops.
    QuotaExhausted,
    /// The call store failed: the run stops, since a reply that is not stored is lost.
    Store,
    /// The run was asked to stop before the call was made.
    Stopped,
    /// The call would go beyond the budget: it was not made, and the run stops.
    OverBudget,
    /// The call was put off: it comes back with a batch, or it was only counted.
    Deferred,
    /// Only stored replies are read, and this one is not there.
    NotStored,
    /// The batch ended before the provider came to this request: not billed, send it again.
    Expired,
}

impl LlmErrorKind {
    /// The name in ledgers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::BadReply => "bad_reply",
            Self::BadRequest => "bad_request",
            Self::UnknownModel => "unknown_model",
            Self::WrongModel => "wrong_model",
            Self::Unauthorized => "unauthorized",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Store => "store",
            Self::Stopped => "stopped",
            Self::OverBudget => "over_budget",
            Self::Deferred => "deferred",
            Self::NotStored => "not_stored",
            Self::Expired => "expired",
        }
    }
}

impl std::str::FromStr for LlmErrorKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [
            Self::Transport,
            Self::RateLimited,
            Self::Unavailable,
            Self::BadReply,
            Self::BadRequest,
            Self::UnknownModel,
            Self::WrongModel,
            Self::Unauthorized,
            Self::QuotaExhausted,
            Self::Store,
            Self::Stopped,
            Self::OverBudget,
            Self::Deferred,
            Self::NotStored,
            Self::Expired,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("unknown kind of error {text:?}"))
    }
}

/// A call that brought no reply. Owns its whole story and names no foreign type; it never holds a key,
/// nor a URL with a query string.
///
/// The message says what was wrong; the cause, where there is one, is in [`Error::source`].
#[derive(Debug)]
pub struct LlmError {
    kind: LlmErrorKind,
    message: String,
    status: Option<u16>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl LlmError {
    /// An error of a kind, with the message for the person who reads it: lowercase, no final period.
    pub fn new(kind: LlmErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            retry_after: None,
            request_id: None,
            source: None,
        }
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds how long the server asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds the provider's request id.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> LlmErrorKind {
        self.kind
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            LlmErrorKind::Transport
                | LlmErrorKind::RateLimited
                | LlmErrorKind::Unavailable
                | LlmErrorKind::BadReply
                | LlmErrorKind::Expired
        )
    }

    /// Whether every further call would fail too, so that a run must stop rather than burn through its items.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            LlmErrorKind::Unauthorized
                | LlmErrorKind::QuotaExhausted
                | LlmErrorKind::Store
                | LlmErrorKind::OverBudget
        )
    }

    /// The HTTP status, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The provider's id of the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for LlmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status})")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " [request {id}]")?;
        }
        Ok(())
    }
}

impl Error for LlmError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_questions_and_keeps_the_cause_apart() {
        let error = LlmError::new(LlmErrorKind::RateLimited, "openai: too many requests")
            .with_status(429)
            .with_retry_after(Duration::from_secs(2))
            .with_request_id("req_1")
            .with_source("slow down");
        assert!(error.is_retryable() && !error.is_fatal());
        assert_eq!(error.status(), Some(429));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(
            error.to_string(),
            "openai: too many requests (HTTP 429) [request req_1]"
        );
        assert_eq!(error.source().unwrap().to_string(), "slow down");
        assert!(LlmError::new(LlmErrorKind::Store, "disk full").is_fatal());
    }

    #[test]
    fn kinds_round_trip_through_their_names() {
        for kind in [
            LlmErrorKind::Transport,
            LlmErrorKind::OverBudget,
            LlmErrorKind::Deferred,
            LlmErrorKind::Expired,
        ] {
            assert_eq!(kind.as_str().parse::<LlmErrorKind>().unwrap(), kind);
        }
        assert!("odd".parse::<LlmErrorKind>().is_err());
    }
}
