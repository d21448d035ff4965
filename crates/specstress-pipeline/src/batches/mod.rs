//! Calls in batches: which, and how they get there and back.
//!
//! A stage whose calls go into batches is gone through without waiting: calls that are not stored are put into the
//! queue of the call store. Then the queue is sent, the batches are waited for, their replies are stored, and the
//! stage is gone through again. So a batch study and a live one are the same study, and a killed one goes on.

mod lane;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use specstress_llm::{BatchModel, ChatModel, LlmError, LlmErrorKind, ModelId, StopSignal};

pub use rules::{BatchRetry, BatchSettings, CallSelector};

use crate::budget::Purse;
use crate::progress::Observer;
use crate::store::SqliteStore;
use lane::Lane;

/// A model with its batch service.
#[derive(Clone, Debug)]
pub struct BatchLane {
    /// The live model, for its prices.
    pub chat: Arc<dyn ChatModel>,
    /// The batch service of the same model.
    pub batch: Arc<dyn BatchModel>,
}

/// Which calls go into batches, and through whom.
#[derive(Clone, Debug)]
pub struct Batches {
    settings: BatchSettings,
    lanes: Vec<BatchLane>,
}

impl Batches {
    /// Batches through these services; calls of other models are made live.
    pub fn new(settings: BatchSettings, lanes: Vec<BatchLane>) -> Self {
        Self { settings, lanes }
    }

    /// How.
    pub fn settings(&self) -> &BatchSettings {
        &self.settings
    }

    pub(crate) fn takes(&self, stage: &str, model: &ModelId) -> bool {
        self.settings.takes(stage, model) && self.lanes.iter().any(|lane| lane.batch.id() == model)
    }

    /// Sends everything in the queue and waits until no batch is open. What is over budget stays in the queue; the
    /// refusal is returned once nothing else is open.
    pub(crate) async fn work_off(
        &self,
        store: &SqliteStore,
        purse: &Purse,
        stop: &StopSignal,
        observer: &dyn Observer,
    ) -> Result<(), LlmError> {
        let lanes = self
            .lanes
            .iter()
            .map(|lane| Lane::new(lane, &self.settings, store, purse, stop, observer).run());
        let mut first: Option<LlmError> = None;
        for result in join_all(lanes).await {
            if let Err(error) = result {
                // A stop follows from the error that caused it, and tells less.
                let better = first
                    .as_ref()
                    .is_none_or(|first| first.kind() == LlmErrorKind::Stopped);
                if better {
                    first = Some(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Names of models with open batches that this run cannot ask for.
    pub(crate) fn orphans(&self, open: &[crate::store::BatchRecord]) -> Vec<String> {
        let mut models: Vec<String> = open
            .iter()
            .map(|batch| batch.model.clone())
            .filter(|model| {
                self.lanes
                    .iter()
                    .all(|lane| lane.batch.id().to_string() != *model)
            })
            .collect();
        models.sort();
        models.dedup();
        models
    }
}

/// Sleeps, but no longer than until a stop is asked for. Answers whether one was.
pub(crate) async fn pause(duration: Duration, stop: &StopSignal) -> bool {
    const SLICE: Duration = Duration::from_millis(100);
    let mut left = duration;
    while !left.is_zero() && !stop.is_stopped() {
        let slice = left.min(SLICE);
        futures_timer::Delay::new(slice).await;
        left -= slice;
    }
    stop.is_stopped()
}
