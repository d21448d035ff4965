use std::sync::Arc;

use tokio::time::Instant;

use crate::server::batch::item::Item;
use crate::server::batch::job::Outcome;
use crate::server::batch::store::Which;
use crate::server::batch::{anthropic, gemini, openai};
use crate::server::service::Service;
use crate::server::wire::Wire;

/// How many items are written at a time.
const AT_A_TIME: usize = 64;

/// The lines of a download, written while they are sent: a large batch is never in memory as one text.
pub(super) struct Rows {
    pub(super) service: Arc<Service>,
    /// The number of the batch, whose items came all together.
    pub(super) batch: u64,
    pub(super) wire: Wire,
    pub(super) which: Which,
    /// The rank of the next item.
    pub(super) next: usize,
    pub(super) now: Instant,
}

impl Rows {
    fn line(&self, item: &Item, outcome: Outcome<'_>) -> Option<String> {
        match self.wire {
            Wire::Anthropic => anthropic::line(item, outcome),
            Wire::Gemini => Some(gemini::line(item, outcome)),
            Wire::OpenAi | Wire::Xai => openai::line(self.which, item, outcome),
        }
    }

    /// How many bytes are still to come.
    pub(super) fn bytes_left(&self) -> u64 {
        let store = self.service.batches.lock();
        let part = store.get(self.batch).and_then(|batch| batch.parts.first());
        part.map_or(0, |part| {
            part.outcomes_from(self.next, self.now)
                .filter_map(|(item, outcome)| self.line(item, outcome))
                .map(|line| line.len() as u64)
                .sum()
        })
    }

    /// The lines of the next items; `None` after the last one.
    pub(super) fn chunk(&mut self) -> Option<Vec<u8>> {
        let store = self.service.batches.lock();
        let part = store.get(self.batch)?.parts.first()?;
        let mut text = Vec::new();
        let mut any = false;
        for (item, outcome) in part.outcomes_from(self.next, self.now).take(AT_A_TIME) {
            any = true;
            text.extend(self.line(item, outcome).unwrap_or_default().into_bytes());
        }
        drop(store);
        self.next += AT_A_TIME;
        any.then_some(text)
    }

    /// All of it at once.
    pub(super) fn all(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk() {
            all.extend(chunk);
        }
        all
    }
}
