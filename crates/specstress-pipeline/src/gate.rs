//! Decides what becomes of every call that the store does not hold.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use specstress_llm::{
    Ask, CallGate, LlmError, LlmErrorKind, NewCall, RequestKey, StoreError, Usage,
};

use crate::batches::Batches;
use crate::budget::Purse;
use crate::store::{Pending, SqliteStore};

/// What a run may do about calls that are not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallPolicy {
    /// Make them, live or in batches.
    #[default]
    Make,
    /// Only count them.
    Count,
    /// Leave them out: only stored replies are read, and every stage is made again from them.
    StoredOnly,
}

/// Calls of one stage and model that would be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    pub(crate) shared_bytes: u64,
}

/// Calls that were counted. Equal requests are one call, whoever asks.
#[derive(Debug, Default)]
struct Counted {
    missing: BTreeMap<(&'static str, String), Missing>,
    seen: HashSet<RequestKey>,
}

/// The gate of a run.
#[derive(Debug)]
pub(crate) struct RunGate {
    store: Arc<SqliteStore>,
    pub(crate) policy: CallPolicy,
    pub(crate) purse: Purse,
    pub(crate) batches: Option<Batches>,
    missing: Mutex<Counted>,
    left_out: AtomicU64,
}

impl RunGate {
    pub(crate) fn new(
        store: Arc<SqliteStore>,
        policy: CallPolicy,
        purse: Purse,
        batches: Option<Batches>,
    ) -> Self {
        Self {
            store,
            policy,
            purse,
            batches,
            missing: Mutex::default(),
            left_out: AtomicU64::new(0),
        }
    }

    /// What was counted under [`CallPolicy::Count`], by stage and model.
    pub(crate) fn missing(&self) -> BTreeMap<(&'static str, String), Missing> {
        self.missing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .missing
            .clone()
    }

    /// Whether stages are made again even when nothing has changed.
    pub(crate) fn reads_again(&self) -> bool {
        self.policy == CallPolicy::StoredOnly
    }

    /// Calls left out under [`CallPolicy::StoredOnly`] so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn count(&self, call: &NewCall<'_>) {
        let like = (self.store.stage(), call.model().to_string());
        let mut counted = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let Counted { missing, seen } = &mut *counted;
        let missing = missing.entry(like).or_default();
        let mut add = |key: RequestKey, own: u64, shared: u64| {
            if seen.insert(key) {
                missing.calls += 1;
                missing.bytes += own + shared;
                missing.shared_bytes += shared;
            }
        };
        match call.ask {
            Ask::Chat(_, request) => {
                let (own, shared) = request.text_bytes();
                call.keys.iter().for_each(|&key| add(key, own, shared));
            }
            // Texts to embed are counted one by one, as the store keeps them.
            Ask::Embed(_, request) => {
                for (&key, text) in call.keys.iter().zip(&request.texts) {
                    add(key, text.len() as u64, 0);
                }
            }
        }
    }
}

fn broken(error: StoreError) -> LlmError {
    LlmError::new(LlmErrorKind::Store, error.to_string()).with_source(error)
}

#[async_trait]
impl CallGate for RunGate {
    async fn admit(&self, call: &NewCall<'_>) -> Result<(), LlmError> {
        match self.policy {
            CallPolicy::Make => {}
            CallPolicy::Count => {
                self.count(call);
                return Err(LlmError::new(
                    LlmErrorKind::Deferred,
                    "the call was only counted",
                ));
            }
            CallPolicy::StoredOnly => {
                self.left_out
                    .fetch_add(call.keys.len() as u64, Ordering::Relaxed);
                return Err(LlmError::new(
                    LlmErrorKind::NotStored,
                    "the reply is not in the call store, and no call is made",
                ));
            }
        }
        let stage = self.store.stage();
        if let (Ask::Chat(model, request), Some(batches)) = (call.ask, &self.batches)
            && batches.takes(stage, model.id())
            && let Some(&key) = call.keys.first()
        {
            match self.store.pending(&key).map_err(broken)? {
                Pending::Live => {}
                Pending::Failed(error) => return Err(error),
                known @ (Pending::No | Pending::Waiting) => {
                    if matches!(known, Pending::No) {
                        self.store
                            .defer(key, model.id(), stage, request.clone())
                            .await
                            .map_err(broken)?;
                    }
                    return Err(LlmError::new(
                        LlmErrorKind::Deferred,
                        "the call waits for a batch",
                    ));
                }
            }
        }
        self.purse.reserve(stage, call).await
    }

    fn ended(&self, call: &NewCall<'_>, result: Result<(Usage, Option<f64>), &LlmError>) {
        self.purse.settle(self.store.stage(), call, result);
    }
}
