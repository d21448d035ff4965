use async_trait::async_trait;
use bytes::Bytes;
use specstress_llm::LlmError;

use crate::wire::WireReply;

/// No reply of a model comes near this; more is a server gone wrong.
const MAX_REPLY_BYTES: usize = 64 << 20;
/// Most bytes of the results of one batch: fifty thousand long answers.
const MAX_RESULT_BYTES: usize = 1 << 30;

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Where a call goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// The path below the base URL.
    #[default]
    Base,
    /// The path below the base URL with `/upload` before its version segment.
    Upload,
    /// The address that the server gave for an upload. Only used at the provider's own host; the path
    /// stands for it in recordings.
    Given(String),
}

/// One exchange to be: everything but where to and with which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// Relative to the base URL, with a leading slash, without the version segment; a query may follow it.
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The text to post; JSON unless a header says otherwise. Shared by the attempts: a batch is large.
    pub(crate) body: Bytes,
    /// Which of several samples of the same request this is. Not sent; part of a recording's name.
    pub(crate) sample: u32,
    /// Most bytes of a reply to take.
    pub(crate) max_reply: usize,
}

impl Call {
    pub(crate) fn new(verb: Verb, path: impl Into<String>) -> Self {
        Self {
            verb,
            path: path.into(),
            place: Place::Base,
            headers: Vec::new(),
            body: Bytes::new(),
            sample: 0,
            max_reply: MAX_REPLY_BYTES,
        }
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(&'static str, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Takes a reply as long as the results of a batch may be.
    pub(crate) fn for_results(mut self) -> Self {
        self.max_reply = MAX_RESULT_BYTES;
        self
    }
}

/// Brings a reply to a call: over HTTP, or from recorded exchanges. One attempt, no retry.
#[async_trait]
pub(crate) trait Transport: Send + Sync + std::fmt::Debug {
    /// A reply of any status, or an error when there was none.
    async fn send(&self, call: &Call) -> Result<WireReply, LlmError>;
}
