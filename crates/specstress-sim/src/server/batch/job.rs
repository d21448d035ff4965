use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::server::batch::item::{Asked, Item};
use crate::server::batch::options::{BatchFate, ItemFate};
use crate::server::batch::time::Moment;
use crate::server::wire::{Refusal, Wire};

/// What is wrong with a batch as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flaw {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) param: Option<&'static str>,
    /// The line of the file, from 1.
    pub(super) line: Option<usize>,
}

/// How a part of a batch ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum How {
    /// Every item by its own fate.
    Ended,
    /// As if all were well, and there is nothing.
    Empty,
    /// The first items by their own fate; the others expired or were cancelled.
    Expired(usize),
    Cancelled(usize),
    Failed(Vec<Flaw>),
}

#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) moment: Moment,
    pub(super) how: How,
}

/// Items that came together: all of a batch, or at xAI one addition to it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) start: Moment,
    pub(super) ends: Instant,
    /// How many items there are, answered yet or not.
    pub(super) count: usize,
    /// Their ids, where more may come and must differ from these.
    pub(super) ids: Vec<Box<str>>,
    /// The answered items in the order they came; `None` until they are.
    pub(super) items: Option<Arc<[Item]>>,
    pub(super) fates: Vec<ItemFate>,
    /// The order in which they are done, which is that of the results.
    pub(super) order: Vec<u32>,
    pub(super) fate: BatchFate,
    pub(super) end: Option<End>,
    /// Names the set of item ids.
    pub(super) set: String,
    /// When it was cancelled; nothing more is done from then on.
    pub(super) stopped: Option<Instant>,
}

/// What an item has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome<'a> {
    /// The body of the reply.
    Answered(&'a str),
    Refused(&'a Refusal),
    Failed,
    Expired,
    Cancelled,
    Pending,
}

/// Items by what they have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) pending: usize,
    pub(super) succeeded: usize,
    pub(super) errored: usize,
    pub(super) expired: usize,
    pub(super) cancelled: usize,
}

impl Part {
    /// How many items are done, in the order of work, while it runs.
    fn done(&self, now: Instant) -> usize {
        if self.items.is_none() {
            return 0;
        }
        let now = self.stopped.map_or(now, |stopped| stopped.min(now));
        let most = match self.fate {
            BatchFate::Expires(share) => share_of(self.count, share),
            BatchFate::Fails | BatchFate::EndsEmpty => 0,
            BatchFate::Ends => self.count,
        };
        // Work goes on between the first and the last tenth of the time.
        let share = ((self.passed(now) - 0.1) / 0.8).clamp(0.0, 1.0);
        // The last one is done when the part has ended: that is how xAI's end is known.
        share_of(self.count, share)
            .min(most)
            .min(self.count.saturating_sub(1))
    }

    /// The share of its time that has passed.
    pub(super) fn passed(&self, now: Instant) -> f64 {
        let all = self.ends.saturating_duration_since(self.start.at);
        let gone = now.saturating_duration_since(self.start.at);
        if gone >= all {
            return 1.0;
        }
        gone.as_secs_f64() / all.as_secs_f64()
    }

    /// The end of this part when its time is up.
    pub(super) fn end_in_time(&self) -> How {
        match self.fate {
            BatchFate::Ends => How::Ended,
            BatchFate::Expires(share) => How::Expired(share_of(self.count, share)),
            BatchFate::EndsEmpty => How::Empty,
            BatchFate::Fails => How::Failed(vec![Flaw {
                code: "internal_error",
                message: "the batch could not be validated (simulated)".to_owned(),
                param: None,
                line: None,
            }]),
        }
    }

    /// The end of this part when it is cancelled.
    pub(super) fn end_cancelled(&self) -> How {
        let stopped = self.stopped.unwrap_or(self.start.at);
        How::Cancelled(self.done(stopped))
    }

    /// Each item with what it has come to, in the order of work.
    pub(super) fn outcomes(&self, now: Instant) -> impl Iterator<Item = (&Item, Outcome<'_>)> {
        self.outcomes_from(0, now)
    }

    /// The same without the first ones.
    pub(super) fn outcomes_from(
        &self,
        first: usize,
        now: Instant,
    ) -> impl Iterator<Item = (&Item, Outcome<'_>)> {
        let (done, rest) = match self.end.as_ref().map(|end| &end.how) {
            None => (self.done(now), Outcome::Pending),
            Some(How::Ended) => (self.count, Outcome::Pending),
            Some(How::Empty | How::Failed(_)) => (0, Outcome::Failed),
            Some(How::Expired(done)) => (*done, Outcome::Expired),
            Some(How::Cancelled(done)) => (*done, Outcome::Cancelled),
        };
        let items = self.items.as_deref().unwrap_or_default();
        let ranked = self.order.iter().enumerate().skip(first);
        ranked.filter_map(move |(rank, &index)| {
            let index = usize::try_from(index).ok()?;
            let item = items.get(index)?;
            if rank >= done {
                return Some((item, rest));
            }
            let outcome = match (self.fates.get(index)?, &item.reply) {
                (_, Err(refusal)) => Outcome::Refused(refusal),
                (ItemFate::Answered, Ok(body)) => Outcome::Answered(body),
                (ItemFate::Failed, _) => Outcome::Failed,
                (ItemFate::Expired, _) => Outcome::Expired,
            };
            Some((item, outcome))
        })
    }

    /// Whether its answers can be had. Gemini keeps nothing of what did not end in time.
    pub(super) fn keeps_answers(&self, wire: Wire) -> bool {
        match self.end.as_ref().map(|end| &end.how) {
            Some(How::Empty | How::Failed(_)) => false,
            Some(How::Expired(_) | How::Cancelled(_)) => wire != Wire::Gemini,
            Some(How::Ended) | None => true,
        }
    }

    /// Whether there are answers that can be had.
    pub(super) fn has_answers(&self, wire: Wire, now: Instant) -> bool {
        let mut outcomes = self.outcomes(now);
        self.keeps_answers(wire)
            && outcomes.any(|(_, outcome)| matches!(outcome, Outcome::Answered(_)))
    }

    fn count(&self, now: Instant, counts: &mut Counts) {
        counts.total += self.count;
        if self.items.is_none() {
            match self.end.as_ref().map(|end| &end.how) {
                None => counts.pending += self.count,
                Some(How::Cancelled(_)) => counts.cancelled += self.count,
                Some(_) => counts.errored += self.count,
            }
            return;
        }
        for (_, outcome) in self.outcomes(now) {
            *match outcome {
                Outcome::Answered(_) => &mut counts.succeeded,
                Outcome::Refused(_) | Outcome::Failed => &mut counts.errored,
                Outcome::Expired => &mut counts.expired,
                Outcome::Cancelled => &mut counts.cancelled,
                Outcome::Pending => &mut counts.pending,
            } += 1;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is no more than the count"
)]
fn share_of(count: usize, share: f64) -> usize {
    ((count as f64 * share) as usize).min(count)
}

/// A batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: String,
    pub(super) asked: Asked,
    /// The name, display name or metadata.
    pub(super) label: Value,
    /// What the wire has to say beside, as it was given.
    pub(super) given: Given,
    pub(super) created: Moment,
    pub(super) visible: Instant,
    pub(super) cancelled: Option<Moment>,
    pub(super) parts: Vec<Part>,
    /// Wakes whoever waits for its end.
    pub(super) wake: Arc<Notify>,
}

/// How the items of a batch were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// In the request itself.
    pub(super) inline: bool,
    pub(super) file: Option<String>,
    pub(super) endpoint: &'static str,
    /// The model of the first line of a file.
    pub(super) model: Option<String>,
}

impl Batch {
    pub(super) fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts::default();
        for part in &self.parts {
            part.count(now, &mut counts);
        }
        counts
    }

    /// The end of a batch whose items came all together.
    pub(super) fn end(&self) -> Option<&End> {
        self.parts.first()?.end.as_ref()
    }

    /// Whether every part has ended; a batch without any has not.
    pub(super) fn has_ended(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.end.is_some())
    }

    pub(super) fn outcomes(&self, now: Instant) -> impl Iterator<Item = (&Item, Outcome<'_>)> {
        self.parts.iter().flat_map(move |part| part.outcomes(now))
    }

    /// A moment as a fraction of the time from creation to end, for states that pass unseen.
    pub(super) fn moment_at(&self, share: f64) -> u64 {
        let all = self.parts.first().map_or(Duration::ZERO, |part| {
            part.ends.saturating_duration_since(part.start.at)
        });
        self.created.unix + all.mul_f64(share).as_secs()
    }
}
