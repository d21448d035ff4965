mod bucket;
mod readings;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::error::ProviderError;
use state::{State, Turn};

/// What a [`Limiter`] starts from and may never leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimiterOptions {
    /// Calls in flight at the start, 1 to `max_concurrency`; 8 by default.
    pub start_concurrency: usize,
    /// Most calls in flight ever, 1 and up; 512 by default.
    pub max_concurrency: usize,
    /// A ceiling on requests per minute; by default what the server says.
    pub requests_per_minute: Option<u32>,
    /// A ceiling on tokens (input and output) per minute; by default what the server says.
    pub tokens_per_minute: Option<u32>,
    /// The longest pause, whatever a server asks for; 60 seconds by default. In files: seconds.
    #[serde(with = "crate::time::as_seconds")]
    pub max_pause: Duration,
}

impl Default for LimiterOptions {
    fn default() -> Self {
        Self {
            start_concurrency: 8,
            max_concurrency: 512,
            requests_per_minute: None,
            tokens_per_minute: None,
            max_pause: Duration::from_mins(1),
        }
    }
}

impl LimiterOptions {
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        let wrong = |setting: &'static str, value: String, range: &'static str| {
            Err(ProviderError::Setting {
                setting,
                value,
                range,
            })
        };
        if self.max_concurrency == 0 {
            return wrong("limits.max_concurrency", "0".into(), "1 and up");
        }
        if self.start_concurrency == 0 || self.start_concurrency > self.max_concurrency {
            return wrong(
                "limits.start_concurrency",
                self.start_concurrency.to_string(),
                "1 to max_concurrency",
            );
        }
        if self.requests_per_minute == Some(0) {
            return wrong("limits.requests_per_minute", "0".into(), "1 and up");
        }
        if self.tokens_per_minute == Some(0) {
            return wrong("limits.tokens_per_minute", "0".into(), "1 and up");
        }
        if self.max_pause < Duration::from_millis(100) {
            return wrong(
                "limits.max_pause",
                format!("{} s", self.max_pause.as_secs_f64()),
                "0.1 s and up",
            );
        }
        Ok(())
    }
}

/// How a [`Limiter`] stands right now, for a progress line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimiterSnapshot {
    /// Calls in flight.
    pub in_flight: usize,
    /// Calls waiting for their turn.
    pub waiting: usize,
    /// Calls that may be in flight now, 1 and up.
    pub concurrency: usize,
    /// How long nothing is sent, after a server asked to wait.
    pub pause: Option<Duration>,
    /// Requests per minute that are configured or that the server allows, where it said so.
    pub requests_per_minute: Option<f64>,
    /// The same of tokens (of input, where the server counts input and output apart).
    pub tokens_per_minute: Option<f64>,
    /// The same of output tokens, where the server counts them apart.
    pub output_tokens_per_minute: Option<f64>,
    /// Calls that brought an answer.
    pub completed: u64,
    /// Replies that said "slow down" (HTTP 429, 503, 529).
    pub throttled: u64,
}

/// Decides when the next call to one provider with one key may go out. Clones share everything; all models
/// of a key share one limiter, and different keys never wait for each other.
///
/// * **Concurrency** grows by one per answer until the first throttle, then by one per round trip; once per round
///   trip a throttle takes half the recent share of throttles from it (additive increase, multiplicative
///   decrease), and half of it all when throttles come in a row. After a cut it returns quickly to nine tenths
///   of where it was. It stays between 1 and [`max_concurrency`](LimiterOptions::max_concurrency).
/// * **Rates** follow the `anthropic-ratelimit-*` and `x-ratelimit-*` headers: requests and tokens per
///   minute as token buckets, with the tokens of a call estimated first and settled afterwards.
/// * **Pauses** that a server asks for hold everybody, at most [`max_pause`](LimiterOptions::max_pause), unless
///   its headers say that there is plenty left; then, and where it names no wait, only a second refusal in a
///   row does. The refused call waits in any case.
/// * **Order** is first come, first served. At least one call goes out per `max_pause`, so that a wrong
///   header can slow a run but never freeze it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use specstress_providers::{Limiter, LimiterOptions};
///
/// let limiter = Limiter::new(LimiterOptions::default())?;
/// let now = limiter.snapshot();
/// assert_eq!((now.in_flight, now.waiting, now.concurrency), (0, 0, 8));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Limiter(Arc<Mutex<State>>);

impl Limiter {
    /// A limiter that knows nothing yet.
    pub fn new(options: LimiterOptions) -> Result<Self, ProviderError> {
        options.check()?;
        Ok(Self(Arc::new(Mutex::new(State::new(
            options,
            Instant::now(),
        )))))
    }

    /// How it stands right now.
    pub fn snapshot(&self) -> LimiterSnapshot {
        self.state().snapshot(Instant::now())
    }

    /// Waits for the turn of a call that will cost about this much. Cancel-safe: a dropped wait leaves the
    /// queue.
    pub(crate) async fn acquire(&self, cost: Cost) -> Permit {
        let (id, bell) = self.state().enqueue(Instant::now());
        let _place = Place { limiter: self, id };
        loop {
            let turn = self.state().turn(id, cost, Instant::now());
            match turn {
                Turn::Go(epoch) => {
                    return Permit {
                        limiter: self.clone(),
                        cost,
                        epoch,
                        settled: false,
                    };
                }
                Turn::At(when) => {
                    let _ = timeout_at(when, bell.notified()).await;
                }
                Turn::Wait => wait_for(&bell).await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait_for(bell: &Notify) {
    bell.notified().await;
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limiter").field(&self.state()).finish()
    }
}

/// A place in the queue, given up when dropped.
struct Place<'a> {
    limiter: &'a Limiter,
    id: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.state().leave(self.id);
    }
}

/// Tokens of a call: an estimate before it, the truth after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

/// How a call ended, as far as the limiter is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// An answer, with its true cost where the server tells it.
    Success(Option<Cost>),
    /// The server asked to slow down, and perhaps for how long.
    Throttled(Option<Duration>),
    /// Anything else; says nothing about the load.
    Failed,
}

/// Leave to make one call. Dropped unsettled, it counts as a failed call.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Limiter,
    cost: Cost,
    epoch: u64,
    settled: bool,
}

impl Permit {
    /// Gives the slot back and tells the limiter what the reply said.
    pub(crate) fn settle(mut self, end: &End, headers: &BTreeMap<String, String>) {
        self.settled = true;
        let rates = readings::read_rates(headers, SystemTime::now());
        self.limiter
            .state()
            .finish(self.cost, self.epoch, end, rates, Instant::now());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            self.limiter.state().finish(
                self.cost,
                self.epoch,
                &End::Failed,
                [None; 4],
                Instant::now(),
            );
        }
    }
}
