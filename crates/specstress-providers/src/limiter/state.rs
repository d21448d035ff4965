use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::readings::{Reading, Unit};
use super::{Cost, End, LimiterOptions, LimiterSnapshot};

/// First pause for throttles that name no wait; doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Over how many replies the share of refusals is taken, about.
const REPLIES: f64 = 16.0;

/// After a cut the window returns quickly to this share of what it was.
const QUICK_RETURN: f64 = 0.9;

/// How fast a window that was once reached is forgotten, per cut below it.
const FORGET: f64 = 0.9;

#[derive(Debug)]
struct Waiter {
    id: u64,
    since: Instant,
    bell: Arc<Notify>,
}

/// What the head of the queue may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Go, in this epoch.
    Go(u64),
    /// Look again at this moment.
    At(Instant),
    /// Wait for the bell.
    Wait,
}

/// The limiter without its clock and its lock: every method is told what time it is.
#[derive(Debug)]
pub(super) struct State {
    options: LimiterOptions,
    /// Calls that may be in flight, at least 1; the fraction is growth saved up.
    window: f64,
    /// A running share of replies that were refusals, 0 to 1.
    refused: f64,
    /// The window at the last cut; none before the first. Below it the window doubles per round trip, above
    /// it grows by one.
    reached: Option<f64>,
    /// Counts the cuts: calls sent before the last cut say nothing about the window after it.
    epoch: u64,
    /// Cuts since the last success.
    strikes: u32,
    paused_until: Option<Instant>,
    in_flight: usize,
    outstanding: [f64; 4],
    buckets: [Option<Bucket>; 4],
    last_grant: Instant,
    queue: VecDeque<Waiter>,
    next_id: u64,
    completed: u64,
    throttled: u64,
}

impl State {
    pub(super) fn new(options: LimiterOptions, now: Instant) -> Self {
        let bucket = |limit: Option<u32>| {
            limit.map(|limit| Bucket::per_minute(f64::from(limit), Some(f64::from(limit)), now))
        };
        let buckets = [
            bucket(options.requests_per_minute),
            bucket(options.tokens_per_minute),
            None,
            None,
        ];
        Self {
            window: options.start_concurrency.max(1) as f64,
            options,
            refused: 0.0,
            reached: None,
            epoch: 0,
            strikes: 0,
            paused_until: None,
            in_flight: 0,
            outstanding: [0.0; 4],
            buckets,
            last_grant: now,
            queue: VecDeque::new(),
            next_id: 0,
            completed: 0,
            throttled: 0,
        }
    }

    pub(super) fn enqueue(&mut self, now: Instant) -> (u64, Arc<Notify>) {
        let id = self.next_id;
        self.next_id += 1;
        let bell = Arc::new(Notify::new());
        self.queue.push_back(Waiter {
            id,
            since: now,
            bell: Arc::clone(&bell),
        });
        (id, bell)
    }

    /// Takes a waiter that gave up out of the queue.
    pub(super) fn leave(&mut self, id: u64) {
        if let Some(at) = self.queue.iter().position(|waiter| waiter.id == id) {
            self.queue.remove(at);
            self.ring();
        }
    }

    fn ring(&self) {
        if let Some(head) = self.queue.front() {
            head.bell.notify_one();
        }
    }

    fn slots(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the window lies between 1 and a usize"
        )]
        let slots = self.window as usize;
        slots.max(1)
    }

    /// Lets a waiter through when it is its turn.
    pub(super) fn turn(&mut self, id: u64, cost: Cost, now: Instant) -> Turn {
        let Some(head) = self.queue.front() else {
            return Turn::Wait;
        };
        if head.id != id {
            return Turn::Wait;
        }
        if let Some(until) = self.paused_until {
            if now < until {
                return Turn::At(until);
            }
            self.paused_until = None;
        }
        if self.in_flight >= self.slots() {
            return Turn::Wait;
        }
        // Whatever the headers said, one call goes out per longest pause, to learn whether it still holds.
        let probe = head.since.max(self.last_grant) + self.options.max_pause;
        let costs = cost.units();
        let ready = self
            .buckets
            .iter_mut()
            .zip(costs)
            .filter_map(|(bucket, cost)| Some(bucket.as_mut()?.ready_at(cost, now)))
            .max()
            .unwrap_or(now);
        if now < ready.min(probe) {
            return Turn::At(ready.min(probe));
        }
        for ((bucket, outstanding), cost) in self
            .buckets
            .iter_mut()
            .zip(&mut self.outstanding)
            .zip(costs)
        {
            *outstanding += cost;
            if let Some(bucket) = bucket {
                bucket.take(cost, now);
            }
        }
        self.queue.pop_front();
        self.in_flight += 1;
        self.last_grant = now;
        self.ring();
        Turn::Go(self.epoch)
    }

    /// Settles a call that ended.
    pub(super) fn finish(
        &mut self,
        cost: Cost,
        epoch: u64,
        end: &End,
        rates: [Option<Reading>; 4],
        now: Instant,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let spent = match end {
            End::Success(Some(spent)) => spent.units(),
            // Unknown: the estimate stands.
            End::Success(None) | End::Failed | End::Throttled(_) => cost.units(),
        };
        // A server that says how much is left has no need of this pause for others unless it is too little.
        let plenty = rates.iter().any(Option::is_some)
            && rates.iter().zip(cost.units()).all(|(reading, need)| {
                let remaining = reading.and_then(|reading| reading.remaining);
                remaining.is_none_or(|remaining| remaining >= need)
            });
        for (at, reading) in rates.into_iter().enumerate() {
            let reserved = cost.units()[at];
            self.outstanding[at] = (self.outstanding[at] - reserved).max(0.0);
            if let Some(bucket) = &mut self.buckets[at] {
                bucket.give_back(reserved - spent[at], now);
            }
            if let Some(reading) = reading {
                self.learn(at, &reading, now);
            }
        }
        match end {
            End::Success(_) => self.succeed(epoch),
            End::Throttled(wait) => self.throttle(epoch, *wait, plenty, now),
            End::Failed => {}
        }
        self.ring();
    }

    fn learn(&mut self, at: usize, reading: &Reading, now: Instant) {
        if self.buckets[at].is_none()
            && let Some(limit) = reading.limit.filter(|&limit| limit > 0.0)
        {
            self.buckets[at] = Some(Bucket::per_minute(limit, None, now));
        }
        let outstanding = self.outstanding[at];
        if let Some(bucket) = &mut self.buckets[at] {
            bucket.learn(reading, outstanding, now);
        }
    }

    fn succeed(&mut self, epoch: u64) {
        self.completed += 1;
        self.refused -= self.refused / REPLIES;
        if epoch != self.epoch {
            return;
        }
        self.strikes = 0;
        // A window that is not used teaches nothing about a wider one.
        if 2 * (self.in_flight + 1) >= self.slots() {
            let quick = self
                .reached
                .is_none_or(|reached| self.window < QUICK_RETURN * reached);
            self.window += if quick { 1.0 } else { 1.0 / self.window };
            self.window = self.window.min(self.options.max_concurrency.max(1) as f64);
        }
    }

    /// Cuts the window, and holds everybody back where one call's refusal speaks for the others: when the
    /// server names a wait and does not say that there is plenty left, or refuses again after a cut before
    /// anything went well. The refused call itself waits in any case.
    fn throttle(&mut self, epoch: u64, wait: Option<Duration>, plenty: bool, now: Instant) {
        self.throttled += 1;
        self.refused += (1.0 - self.refused) / REPLIES;
        let first_of_its_epoch = epoch == self.epoch;
        let again = self.strikes > 0;
        let pause = match wait {
            Some(wait) if again || !plenty => wait,
            None if again && first_of_its_epoch => {
                FIRST_PAUSE * 2_u32.saturating_pow((self.strikes - 1).min(10))
            }
            _ => Duration::ZERO,
        };
        if first_of_its_epoch {
            self.epoch += 1;
            self.strikes += 1;
            // Further cuts of one outage say nothing about where the window was before it.
            if !again {
                let before = self.reached.map_or(0.0, |reached| FORGET * reached);
                self.reached = Some(self.window.max(before));
            }
            // One refusal among many answers is worth little, a server that refuses everybody the half.
            let cut = if again { 0.5 } else { self.refused / 2.0 };
            self.window = (self.window * (1.0 - cut)).max(1.0);
        }
        if pause.is_zero() {
            return;
        }
        let until = now + pause.min(self.options.max_pause);
        if self.paused_until.is_none_or(|paused| paused < until) {
            self.paused_until = Some(until);
        }
    }

    pub(super) fn snapshot(&self, now: Instant) -> LimiterSnapshot {
        let rate = |unit: Unit| self.buckets[unit as usize].as_ref().map(Bucket::rate);
        LimiterSnapshot {
            in_flight: self.in_flight,
            waiting: self.queue.len(),
            concurrency: self.slots(),
            pause: self
                .paused_until
                .and_then(|until| until.checked_duration_since(now))
                .filter(|pause| !pause.is_zero()),
            requests_per_minute: rate(Unit::Requests),
            tokens_per_minute: rate(Unit::Tokens).or_else(|| rate(Unit::InputTokens)),
            output_tokens_per_minute: rate(Unit::OutputTokens),
            completed: self.completed,
            throttled: self.throttled,
        }
    }
}

impl Cost {
    fn units(self) -> [f64; 4] {
        let (input, output) = (self.input as f64, self.output as f64);
        [1.0, input + output, input, output]
    }
}
