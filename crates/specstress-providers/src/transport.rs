use async_trait::async_trait;
use specstress_llm::LlmError;

use crate::wire::WireReply;

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One exchange to be: everything but where to and with which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// Relative to the base URL, with a leading slash, without the version segment.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The JSON text to post.
    pub(crate) body: String,
    /// Which of several samples of the same request this is. Not sent; part of a recording's name.
    pub(crate) sample: u32,
}

/// Brings a reply to a call: over HTTP, or from recorded exchanges. One attempt, no retry.
#[async_trait]
pub(crate) trait Transport: Send + Sync + std::fmt::Debug {
    /// A reply of any status, or an error when there was none.
    async fn send(&self, call: &Call) -> Result<WireReply, LlmError>;
}
