use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::{LlmError, LlmErrorKind};
use crate::id::ModelId;
use crate::key::{Digest, RequestKey};
use crate::request::ChatRequest;
use crate::response::ChatResponse;

/// The unique name under which a batch is recorded before it is created, so that one that was created just before
/// a crash is found again at the provider.
///
/// 32 hexadecimal digits after `specstress-`: a valid name, display name and metadata value everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchTag(String);

impl BatchTag {
    /// A tag that is one of its kind: made of what is sent and of a salt that no other batch of the run has.
    ///
    /// ```
    /// use specstress_llm::{BatchTag, ChatRequest, ModelId, RequestKey};
    ///
    /// let key = RequestKey::chat(&ModelId::new("demo", "echo"), &ChatRequest::user("hello"));
    /// let tag = BatchTag::new("first attempt", [&key]);
    /// assert!(tag.as_str().starts_with("specstress-"));
    /// assert_ne!(tag, BatchTag::new("second attempt", [&key]));
    /// ```
    pub fn new<'a>(salt: &str, keys: impl IntoIterator<Item = &'a RequestKey>) -> Self {
        let digest = keys.into_iter().fold(
            Digest::new("specstress batch 1").field("salt", salt),
            |digest, key| digest.field("key", key.as_bytes()),
        );
        Self(format!("specstress-{}", &digest.hex()[..32]))
    }

    /// A tag as it was recorded.
    pub fn from_recorded(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BatchTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One request as a batch carries it: a line of JSON with the request's key as its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLine {
    /// Pairs the reply with the request; never the position.
    pub key: RequestKey,
    /// The JSON, without a newline.
    pub json: String,
}

/// What one batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchLimits {
    /// Most requests.
    pub requests: usize,
    /// Most bytes of all lines together.
    pub bytes: usize,
}

/// Where a batch stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Taken in, checked or waiting: nothing to fetch yet.
    Queued,
    /// Being worked on.
    Running,
    /// Being cancelled: what is done by then can be fetched later.
    Cancelling,
    /// Every request has a reply or an error of its own.
    Ended,
    /// The provider's time was up; what was done can be fetched.
    Expired,
    /// Cancelled; what was done can be fetched.
    Cancelled,
    /// Refused as a whole: nothing was done and nothing can be fetched.
    Failed,
    /// A word this crate does not know; taken for running until the deadline has passed.
    Unknown(String),
}

impl BatchState {
    /// Whether nothing more will happen to it.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Ended | Self::Expired | Self::Cancelled | Self::Failed
        )
    }

    /// Whether there may be replies to fetch.
    pub fn has_results(&self) -> bool {
        matches!(self, Self::Ended | Self::Expired | Self::Cancelled)
    }

    /// The word for ledgers and people.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown(word) => word,
        }
    }
}

/// What a provider says of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchStatus {
    /// Where it stands.
    pub state: BatchState,
    /// Requests with a reply so far, where the provider counts.
    pub succeeded: u64,
    /// Requests with an error so far, where the provider counts.
    pub failed: u64,
    /// When the provider gives up on what is left, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// For [`BatchState::Failed`]: why, and whether trying again later helps (a full queue) or not.
    pub refusal: Option<(LlmErrorKind, String)>,
}

impl BatchStatus {
    /// A state without counts.
    pub fn new(state: BatchState) -> Self {
        Self {
            state,
            succeeded: 0,
            failed: 0,
            expires_at: None,
            refusal: None,
        }
    }
}

/// Some results of a batch.
#[derive(Debug, Default)]
pub struct BatchPage {
    /// Reply or error by key, in any order. A key that is missing from all pages has no result.
    pub items: Vec<(RequestKey, Result<ChatResponse, LlmError>)>,
    /// The next page, when there is one.
    pub next: Option<String>,
}

/// What is known of a batch whose creation was begun but not recorded as done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostBatch<'a> {
    /// The tag it would have.
    pub tag: &'a BatchTag,
    /// When its creation was begun, in seconds since 1970 by this machine's clock.
    pub begun_at: u64,
    /// How many requests it would hold.
    pub requests: u64,
}

/// A provider's batch service for one model: many requests in, their replies within a day, at a lower price.
///
/// Seven methods are required. None retries on its own where the outcome of a try is unknown: a batch that was
/// created although the answer got lost must be found with [`find`](Self::find), not created twice. Everything is
/// paired by [`RequestKey`]; providers return results in any order.
#[async_trait]
pub trait BatchModel: Send + Sync + fmt::Debug {
    /// Which model this is; the same as that of its live [`ChatModel`](crate::ChatModel).
    fn id(&self) -> &ModelId;

    /// What one batch may hold.
    fn limits(&self) -> BatchLimits;

    /// The request as a line of a batch. Pure: nothing is sent.
    fn encode(&self, key: &RequestKey, request: &ChatRequest) -> Result<BatchLine, LlmError>;

    /// Creates a batch under this tag and returns the provider's id of it.
    ///
    /// An error that leaves open whether the batch now exists ([`LlmErrorKind::Transport`],
    /// [`LlmErrorKind::Unavailable`], [`LlmErrorKind::BadReply`]) must be followed by [`find`](Self::find).
    async fn create(&self, tag: &BatchTag, lines: &[BatchLine]) -> Result<String, LlmError>;

    /// Ids of batches that may be this one, oldest first: exactly those with its tag where the provider keeps one;
    /// elsewhere those of the right size created since, of which the results tell.
    async fn find(&self, lost: &LostBatch<'_>) -> Result<Vec<String>, LlmError>;

    /// How a batch stands.
    async fn status(&self, id: &str) -> Result<BatchStatus, LlmError>;

    /// A page of the results of a batch that [has some](BatchState::has_results); `None` for the first.
    async fn results(&self, id: &str, page: Option<&str>) -> Result<BatchPage, LlmError>;

    /// Asks to cancel a batch; what is done by then is kept and billed.
    async fn cancel(&self, id: &str) -> Result<(), LlmError>;

    /// Whether [`find`](Self::find) knows batches by their tag, so that what it returns is certain.
    fn finds_by_tag(&self) -> bool {
        true
    }
}

#[async_trait]
impl<M: BatchModel + ?Sized> BatchModel for Arc<M> {
    fn id(&self) -> &ModelId {
        (**self).id()
    }

    fn limits(&self) -> BatchLimits {
        (**self).limits()
    }

    fn encode(&self, key: &RequestKey, request: &ChatRequest) -> Result<BatchLine, LlmError> {
        (**self).encode(key, request)
    }

    async fn create(&self, tag: &BatchTag, lines: &[BatchLine]) -> Result<String, LlmError> {
        (**self).create(tag, lines).await
    }

    async fn find(&self, lost: &LostBatch<'_>) -> Result<Vec<String>, LlmError> {
        (**self).find(lost).await
    }

    async fn status(&self, id: &str) -> Result<BatchStatus, LlmError> {
        (**self).status(id).await
    }

    async fn results(&self, id: &str, page: Option<&str>) -> Result<BatchPage, LlmError> {
        (**self).results(id, page).await
    }

    async fn cancel(&self, id: &str) -> Result<(), LlmError> {
        (**self).cancel(id).await
    }

    fn finds_by_tag(&self) -> bool {
        (**self).finds_by_tag()
    }
}

const _: fn(&dyn BatchModel) = |_| {};
