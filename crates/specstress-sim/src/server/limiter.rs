use std::time::Duration;

use crate::server::options::RateLimits;

/// A token bucket. Times are since the server's start.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    per_minute: f64,
    capacity: f64,
    /// Below zero after an answer that was longer than what was left.
    level: f64,
    at: Duration,
}

impl Bucket {
    fn new(per_minute: u32, burst_seconds: f64) -> Self {
        let per_minute = f64::from(per_minute);
        // Room for one request, or nothing would ever get in.
        let capacity = (per_minute * burst_seconds / 60.0).max(1.0);
        Self {
            per_minute,
            capacity,
            level: capacity,
            at: Duration::ZERO,
        }
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + passed * self.per_minute / 60.0).min(self.capacity);
        self.at = now.max(self.at);
    }

    /// How long until this much is there; zero when it is.
    fn wait(&self, amount: f64) -> Duration {
        let missing = amount.min(self.capacity) - self.level;
        // Sums of small refills miss a whole number by a little.
        if missing <= 1e-6 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(missing * 60.0 / self.per_minute)
    }
}

/// What is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Requests,
    Tokens,
    Concurrent,
}

/// Why a request must wait, and how long where that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shortage {
    pub(super) unit: Unit,
    pub(super) wait: Option<Duration>,
}

/// A limit as the headers tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gauge {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// Until it is whole again.
    pub(super) reset: Duration,
}

/// The limits of one provider and how far they are used.
#[derive(Debug)]
pub(super) struct Limiter {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    concurrent: Option<u32>,
    in_flight: u32,
}

impl Limiter {
    pub(super) fn new(limits: &RateLimits) -> Self {
        let bucket =
            |limit: Option<u32>| limit.map(|limit| Bucket::new(limit, limits.burst_seconds));
        Self {
            requests: bucket(limits.requests_per_minute),
            tokens: bucket(limits.tokens_per_minute),
            concurrent: limits.concurrent,
            in_flight: 0,
        }
    }

    /// Lets a request in, or says what is short. A refused request costs nothing.
    pub(super) fn admit(&mut self, now: Duration, input_tokens: u64) -> Result<(), Shortage> {
        if self.concurrent.is_some_and(|limit| self.in_flight >= limit) {
            return Err(Shortage {
                unit: Unit::Concurrent,
                wait: None,
            });
        }
        let needs = [
            (Unit::Requests, self.requests.as_mut(), 1.0),
            (Unit::Tokens, self.tokens.as_mut(), input_tokens as f64),
        ];
        let mut longest: Option<(Unit, Duration)> = None;
        for (unit, bucket, amount) in needs {
            let Some(bucket) = bucket else { continue };
            bucket.refill(now);
            let wait = bucket.wait(amount);
            if wait > longest.map_or(Duration::ZERO, |(_, wait)| wait) {
                longest = Some((unit, wait));
            }
        }
        if let Some((unit, wait)) = longest {
            return Err(Shortage {
                unit,
                wait: Some(wait),
            });
        }
        if let Some(bucket) = &mut self.requests {
            bucket.level -= 1.0;
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.level -= input_tokens as f64;
        }
        self.in_flight += 1;
        Ok(())
    }

    /// Takes the tokens of an answer, which may leave a debt.
    pub(super) fn spend(&mut self, now: Duration, output_tokens: u64) {
        if let Some(bucket) = &mut self.tokens {
            bucket.refill(now);
            bucket.level -= output_tokens as f64;
        }
    }

    /// An admitted request is over.
    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The limits of requests and of tokens, where there are any.
    pub(super) fn gauges(&mut self, now: Duration) -> [Option<Gauge>; 2] {
        [&mut self.requests, &mut self.tokens].map(|bucket| {
            let bucket = bucket.as_mut()?;
            bucket.refill(now);
            Some(Gauge {
                limit: whole(bucket.per_minute),
                remaining: whole(bucket.level),
                reset: bucket.wait(bucket.capacity),
            })
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn whole(value: f64) -> u64 {
    (value + 1e-6).clamp(0.0, 4_294_967_295.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(value: f64) -> Duration {
        Duration::from_secs_f64(value)
    }

    #[test]
    fn requests_come_back_one_by_one() {
        let mut limiter = Limiter::new(&RateLimits {
            requests_per_minute: Some(60),
            burst_seconds: 2.0,
            ..RateLimits::default()
        });
        let now = Duration::ZERO;
        assert!(limiter.admit(now, 10).is_ok() && limiter.admit(now, 10).is_ok());
        let shortage = limiter.admit(now, 10).unwrap_err();
        assert_eq!(shortage.unit, Unit::Requests);
        assert_eq!(shortage.wait, Some(seconds(1.0)));
        let [gauge, tokens] = limiter.gauges(seconds(0.5));
        let gauge = gauge.unwrap();
        assert_eq!((gauge.limit, gauge.remaining), (60, 0));
        assert_eq!(gauge.reset, seconds(1.5));
        assert_eq!(tokens, None);
        assert!(limiter.admit(seconds(1.0), 10).is_ok());
        assert!(limiter.admit(seconds(1.0), 10).is_err());
    }

    #[test]
    fn long_answers_leave_a_debt_and_large_questions_get_in_once() {
        let mut limiter = Limiter::new(&RateLimits {
            tokens_per_minute: Some(600),
            burst_seconds: 60.0,
            ..RateLimits::default()
        });
        assert!(limiter.admit(Duration::ZERO, 5_000).is_ok());
        limiter.spend(Duration::ZERO, 200);
        let shortage = limiter.admit(Duration::ZERO, 100).unwrap_err();
        assert_eq!(shortage.unit, Unit::Tokens);
        // 600 at the start, 5200 taken, 100 wanted, ten per second.
        assert_eq!(shortage.wait, Some(seconds(470.0)));
        assert!(limiter.admit(seconds(470.0), 100).is_ok());
        assert_eq!(limiter.gauges(seconds(470.0))[1].unwrap().remaining, 0);
    }

    #[test]
    fn places_are_given_back() {
        let mut limiter = Limiter::new(&RateLimits {
            concurrent: Some(1),
            ..RateLimits::default()
        });
        assert!(limiter.admit(Duration::ZERO, 1).is_ok());
        let shortage = limiter.admit(Duration::ZERO, 1).unwrap_err();
        assert_eq!((shortage.unit, shortage.wait), (Unit::Concurrent, None));
        limiter.leave();
        assert!(limiter.admit(Duration::ZERO, 1).is_ok());
    }

    proptest! {
        #[test]
        fn no_window_lets_more_in_than_the_limit(
            per_minute in 1_u32..2_000, burst in 0.1_f64..60.0, gaps in prop::collection::vec(0_u64..3_000, 1..200)
        ) {
            let mut limiter = Limiter::new(&RateLimits {
                requests_per_minute: Some(per_minute), burst_seconds: burst, ..RateLimits::default()
            });
            // A token bucket is this rule: no window of any length holds more than a burst and its refill.
            let room = |admitted: &[Duration], now: Duration, slack: f64| {
                admitted.iter().enumerate().all(|(at, since)| {
                    let window = now.saturating_sub(*since).as_secs_f64();
                    let most = (f64::from(per_minute) * burst / 60.0).max(1.0)
                        + f64::from(per_minute) * window / 60.0;
                    ((admitted.len() - at + 1) as f64) <= most + slack
                })
            };
            let mut now = Duration::ZERO;
            let mut admitted = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Err(shortage) = limiter.admit(now, 0) {
                    prop_assert!(!room(&admitted, now, 1e-7), "refused without need");
                    now += shortage.wait.unwrap() + Duration::from_micros(1);
                    prop_assert!(limiter.admit(now, 0).is_ok());
                }
                prop_assert!(room(&admitted, now, 1e-5), "too many");
                admitted.push(now);
            }
        }
    }
}
