use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use specstress_llm::Digest;

use crate::server::batch::BatchStats;
use crate::server::faults::FaultKind;
use crate::server::wire::Wire;

/// What a [`SimServer`](crate::SimServer) has seen and done so far.
///
/// A *logical request* is one provider, path, body and sample: a client that tries again sends the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerStats {
    /// HTTP requests of every kind.
    pub requests: u64,
    /// Questions about models (`GET models`).
    pub lookups: u64,
    /// Requests refused for what they are: wrong fields, no key, unknown model (HTTP 4xx, 429 apart).
    pub rejected: u64,
    /// 429s because of a rate limit; those that are faults are counted there.
    pub rate_limited: u64,
    /// Right and complete answers, after a stall too. Counted when the answer is handed to the connection:
    /// a client that is gone by then has not read it.
    pub answered: u64,
    /// Different logical requests that got past the limits.
    pub logical: u64,
    /// Of those, how many were answered.
    pub logical_answered: u64,
    /// Answers to logical requests that already had one: `answered - logical_answered`.
    pub duplicates: u64,
    /// Faults by kind; kinds that did not happen are not listed.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Answers, live or in a batch, to what the other way had answered before.
    pub answered_live_and_in_batch: u64,
    /// The same for each model that was asked.
    pub models: BTreeMap<String, ModelStats>,
    /// Most requests that were being answered at the same time.
    pub most_in_flight: u64,
    /// What the batch service of each provider did; providers without any batch call are not listed.
    pub batches: BTreeMap<String, BatchStats>,
}

impl ServerStats {
    /// All faults.
    pub fn fault_count(&self) -> u64 {
        self.faults.values().sum()
    }
}

/// What one model was asked; part of [`ServerStats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelStats {
    /// Well-formed requests.
    pub requests: u64,
    /// 429s because of a rate limit.
    pub rate_limited: u64,
    /// Faults of every kind.
    pub faults: u64,
    /// Right and complete answers.
    pub answered: u64,
}

/// Reads the counters of a server, also while and after it serves. A cheap handle.
#[derive(Clone, Debug, Default)]
pub struct StatsHandle(Arc<Mutex<Ledger>>);

impl StatsHandle {
    /// The counters now.
    pub fn read(&self) -> ServerStats {
        self.ledger().stats.clone()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Counters are whole after every statement, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a logical request.
pub(super) type LogicalId = [u8; 16];

/// The name of what is asked on a wire, however it is asked: live or in a batch. `request` is the id that the
/// simulation gives the request, which follows from model, content and sample.
pub(super) fn content_id(wire: Wire, request: &str) -> LogicalId {
    let bytes = Digest::new("specstress sim content 1")
        .field("wire", wire.name())
        .field("request", request)
        .finish();
    let mut id = LogicalId::default();
    id.copy_from_slice(&bytes[..16]);
    id
}

#[derive(Clone, Copy, Debug, Default)]
struct History {
    attempts: u32,
    faults: u32,
    answered: bool,
}

/// What has happened to one piece of content in batches and, once there are any, live.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ContentHistory {
    pub(super) submitted: u32,
    pub(super) faults: u32,
    answered_live: bool,
    answered_in_batch: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) stats: ServerStats,
    /// Looked up only, never walked.
    seen: HashMap<LogicalId, History>,
    contents: HashMap<LogicalId, ContentHistory>,
    in_flight: u64,
}

impl Ledger {
    pub(super) fn model(&mut self, key: &str) -> &mut ModelStats {
        // The key is copied on first sight only.
        if !self.stats.models.contains_key(key) {
            self.stats
                .models
                .insert(key.to_owned(), ModelStats::default());
        }
        self.stats.models.entry(key.to_owned()).or_default()
    }

    /// Opens the next attempt of a request and asks for its fault, which is refused to a request that has
    /// had its share. Returns the number of the attempt, from 1.
    pub(super) fn attempt(
        &mut self,
        id: LogicalId,
        key: &str,
        most: u32,
        draw: impl FnOnce(u32) -> Option<FaultKind>,
    ) -> (u32, Option<FaultKind>) {
        let history = self.seen.entry(id).or_insert_with(|| {
            self.stats.logical += 1;
            History::default()
        });
        history.attempts += 1;
        let attempt = history.attempts;
        let fault = if history.faults < most {
            draw(attempt)
        } else {
            None
        };
        if let Some(fault) = fault {
            history.faults += 1;
            *self.stats.faults.entry(fault).or_default() += 1;
            self.model(key).faults += 1;
        }
        (attempt, fault)
    }

    /// Counts a live answer. `content` names what was asked, so that it is noticed when a batch asked it too.
    pub(super) fn answer(&mut self, id: LogicalId, key: &str, content: Option<LogicalId>) {
        if let Some(content) = content {
            let history = self.contents.entry(content).or_default();
            history.answered_live = true;
            if history.answered_in_batch {
                self.stats.answered_live_and_in_batch += 1;
            }
        }
        self.stats.answered += 1;
        self.model(key).answered += 1;
        let history = self.seen.entry(id).or_default();
        if history.answered {
            self.stats.duplicates += 1;
        } else {
            history.answered = true;
            self.stats.logical_answered += 1;
        }
    }

    pub(super) fn batches(&mut self, wire: Wire) -> &mut BatchStats {
        self.stats
            .batches
            .entry(wire.name().to_owned())
            .or_default()
    }

    /// Opens the next submission of an item of a batch.
    pub(super) fn submit(&mut self, content: LogicalId) -> &mut ContentHistory {
        let history = self.contents.entry(content).or_default();
        history.submitted += 1;
        history
    }

    /// Counts an answer given in a batch.
    pub(super) fn answer_in_batch(&mut self, wire: Wire, content: LogicalId) {
        let history = self.contents.entry(content).or_default();
        let (live, batch) = (history.answered_live, history.answered_in_batch);
        history.answered_in_batch = true;
        if live {
            self.stats.answered_live_and_in_batch += 1;
        }
        let stats = self.batches(wire);
        stats.answered += 1;
        if batch {
            stats.answered_again += 1;
        }
    }

    pub(super) fn enter(&mut self) {
        self.in_flight += 1;
        self.stats.most_in_flight = self.stats.most_in_flight.max(self.in_flight);
    }

    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_share_of_faults_and_no_more() {
        let mut ledger = Ledger::default();
        let always = |_: u32| Some(FaultKind::Empty);
        let mut attempt = |id: u8| ledger.attempt([id; 16], "m", 2, always);
        assert_eq!(attempt(1), (1, Some(FaultKind::Empty)));
        assert_eq!(attempt(1), (2, Some(FaultKind::Empty)));
        assert_eq!(attempt(1), (3, None));
        assert_eq!(attempt(2), (1, Some(FaultKind::Empty)));
        for id in [1, 1, 2] {
            ledger.answer([id; 16], "m", None);
        }
        let stats = &ledger.stats;
        assert_eq!((stats.logical, stats.logical_answered), (2, 2));
        assert_eq!((stats.answered, stats.duplicates), (3, 1));
        assert_eq!((stats.fault_count(), stats.models["m"].faults), (3, 3));
    }

    #[test]
    fn the_peak_is_kept() {
        let mut ledger = Ledger::default();
        for _ in 0..3 {
            ledger.enter();
        }
        ledger.leave();
        ledger.enter();
        assert_eq!(ledger.stats.most_in_flight, 3);
    }
}
