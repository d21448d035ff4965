use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::id::ModelId;
use crate::key::RequestKey;
use crate::model::{CallMode, Embedding};
use crate::request::ChatRequest;
use crate::response::ChatResponse;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallRequest {
    /// A conversation.
    Chat(ChatRequest),
    /// One text to embed.
    Embedding {
        /// The text.
        text: String,
        /// The length asked for.
        dimensions: Option<u32>,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub enum CallReply {
    /// A chat reply, raw body included.
    Chat(ChatResponse),
    /// A vector.
    Embedding(Embedding),
}

/// One call with its reply: the unit that is paid for once.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCall {
    /// The identity of the call.
    pub key: RequestKey,
    /// Who answered.
    pub model: ModelId,
    /// What was asked.
    pub request: CallRequest,
    /// What came back.
    pub reply: CallReply,
    /// Under which terms.
    pub mode: CallMode,
    /// What it cost, in US dollars: what the provider says, else the list price; `None` where neither is known.
    pub cost_usd: Option<f64>,
}

/// A store that failed: full disk, broken file, no permission.
#[derive(Debug, thiserror::Error)]
#[error("call store: {message}")]
pub struct StoreError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// An error with what was being done, and the cause.
    pub fn new(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

/// A log of calls by key.
///
/// Two methods are required. [`put`](Self::put) returns only when the reply would survive the end of the
/// process; a second `put` of a key keeps the first reply. [`get`](Self::get) is cheap: it is asked before
/// every call.
#[async_trait]
pub trait CallStore: Send + Sync + fmt::Debug {
    /// The stored reply of a key.
    async fn get(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError>;

    /// Keeps a call for good.
    async fn put(&self, call: StoredCall) -> Result<(), StoreError>;
}

/// A store in memory, for tests and for programs that need no durability.
#[derive(Debug, Default)]
pub struct MemoryStore {
    calls: Mutex<BTreeMap<RequestKey, StoredCall>>,
}

impl MemoryStore {
    /// How many calls are stored.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<RequestKey, StoredCall>> {
        // A panic elsewhere leaves the map whole: every change is one insert.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CallStore for MemoryStore {
    async fn get(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        Ok(self.lock().get(key).map(|call| call.reply.clone()))
    }

    async fn put(&self, call: StoredCall) -> Result<(), StoreError> {
        self.lock().entry(call.key).or_insert(call);
        Ok(())
    }
}

#[async_trait]
impl<S: CallStore + ?Sized> CallStore for Arc<S> {
    async fn get(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        (**self).get(key).await
    }

    async fn put(&self, call: StoredCall) -> Result<(), StoreError> {
        (**self).put(call).await
    }
}

const _: fn(&dyn CallStore) = |_| {};
