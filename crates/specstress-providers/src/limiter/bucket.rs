use std::time::Duration;

use tokio::time::Instant;

use super::readings::Reading;

const MINUTE: Duration = Duration::from_mins(1);

/// A token bucket that follows what a server says about one of its limits.
///
/// It refills continuously at `capacity / period`. Two kinds of server disagree with that and are noticed by
/// their reset: a window that opens at once (reset earlier than a continuous refill would need) holds the
/// bucket until then, and a reset more than a minute away belongs to a longer period, such as a day.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    capacity: f64,
    period: Duration,
    level: f64,
    updated: Instant,
    held_until: Option<Instant>,
    /// A ceiling the user set; the server's word can only lower it.
    ceiling: Option<f64>,
}

impl Bucket {
    /// A full bucket of so many units per minute.
    pub(super) fn per_minute(capacity: f64, ceiling: Option<f64>, now: Instant) -> Self {
        let capacity = ceiling.map_or(capacity, |ceiling| capacity.min(ceiling));
        Self {
            capacity,
            period: MINUTE,
            level: capacity,
            updated: now,
            held_until: None,
            ceiling,
        }
    }

    /// Units per minute.
    pub(super) fn rate(&self) -> f64 {
        self.capacity * MINUTE.as_secs_f64() / self.period.as_secs_f64()
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.updated).as_secs_f64();
        let gain = elapsed * self.capacity / self.period.as_secs_f64();
        self.level = (self.level + gain).min(self.capacity);
        self.updated = now;
    }

    /// When `need` units are there. More than the bucket can ever hold counts as all of it.
    pub(super) fn ready_at(&mut self, need: f64, now: Instant) -> Instant {
        self.refill(now);
        let missing = need.min(self.capacity) - self.level;
        let refilled = if missing <= 0.0 {
            now
        } else {
            let wait = missing * self.period.as_secs_f64() / self.capacity;
            // Rounding up: a wake-up a hair too early would only wait again.
            now + Duration::try_from_secs_f64(wait).unwrap_or(self.period)
                + Duration::from_millis(1)
        };
        self.held_until.map_or(refilled, |held| refilled.max(held))
    }

    /// Takes units, into debt if need be.
    pub(super) fn take(&mut self, units: f64, now: Instant) {
        self.refill(now);
        self.level -= units;
    }

    /// Gives units back, or takes more when negative, once the true cost of a call is known.
    pub(super) fn give_back(&mut self, units: f64, now: Instant) {
        self.refill(now);
        self.level = (self.level + units).min(self.capacity);
    }

    /// Follows the server. `outstanding` is what calls in flight have taken here and the server may not
    /// have counted yet, so the truth lies between `remaining - outstanding` and `remaining`.
    pub(super) fn learn(&mut self, reading: &Reading, outstanding: f64, now: Instant) {
        self.refill(now);
        if let Some(limit) = reading.limit.filter(|&limit| limit > 0.0) {
            self.capacity = self.ceiling.map_or(limit, |ceiling| limit.min(ceiling));
        }
        if let (Some(remaining), Some(limit), Some(reset)) =
            (reading.remaining, reading.limit, reading.reset)
            && limit > remaining
        {
            let used = (limit - remaining) / limit;
            self.period = if reset > MINUTE {
                Duration::try_from_secs_f64(reset.as_secs_f64() / used)
                    .unwrap_or(reset)
                    .max(MINUTE)
            } else {
                MINUTE
            };
            let opens_at_once = reset.as_secs_f64() < 0.9 * used * self.period.as_secs_f64();
            self.held_until = (remaining < 1.0 && opens_at_once).then(|| now + reset);
        }
        if let Some(remaining) = reading.remaining {
            self.level = self.level.min(remaining);
            if self.ceiling.is_none() {
                self.level = self.level.max(remaining - outstanding);
            }
        }
        self.level = self.level.min(self.capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(limit: f64, remaining: f64, reset: f64) -> Reading {
        Reading {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(Duration::from_secs_f64(reset)),
        }
    }

    fn wait(bucket: &mut Bucket, need: f64, now: Instant) -> f64 {
        (bucket.ready_at(need, now) - now).as_secs_f64()
    }

    #[test]
    fn refills_at_its_rate_and_lends() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(60.0, None, now);
        bucket.take(60.0, now);
        assert!((wait(&mut bucket, 1.0, now) - 1.001).abs() < 1e-6);
        // More than it can hold means full, not for ever.
        assert!((wait(&mut bucket, 1e9, now) - 60.001).abs() < 1e-6);
        bucket.give_back(-30.0, now);
        assert!((wait(&mut bucket, 1.0, now) - 31.001).abs() < 1e-6);
        let later = now + Duration::from_secs(32);
        assert!(wait(&mut bucket, 1.0, later) < 1e-9);
    }

    #[test]
    fn follows_the_server_both_ways() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(100.0, None, now);
        bucket.learn(&reading(1000.0, 400.0, 36.0), 0.0, now);
        assert!((bucket.rate() - 1000.0).abs() < 1e-9);
        assert!((bucket.level - 400.0).abs() < 1e-9);
        bucket.learn(&reading(1000.0, 300.0, 42.0), 5.0, now);
        assert!((bucket.level - 300.0).abs() < 1e-9);
        // What is in flight may be counted already or not.
        bucket.take(20.0, now);
        bucket.learn(&reading(1000.0, 290.0, 42.6), 20.0, now);
        assert!((bucket.level - 280.0).abs() < 1e-9);
    }

    #[test]
    fn a_day_is_not_a_minute() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(14_400.0, None, now);
        bucket.learn(&reading(14_400.0, 14_370.0, 180.0), 0.0, now);
        assert!((bucket.rate() - 10.0).abs() < 1e-6);
        // Whole seconds, as some servers round them, do not look like one.
        let mut bucket = Bucket::per_minute(4000.0, None, now);
        bucket.learn(&reading(4000.0, 3999.0, 1.0), 0.0, now);
        assert!((bucket.rate() - 4000.0).abs() < 1e-6);
    }

    #[test]
    fn an_empty_window_is_waited_for() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(60.0, None, now);
        bucket.learn(&reading(60.0, 0.0, 20.0), 0.0, now);
        assert!((wait(&mut bucket, 1.0, now) - 20.0).abs() < 0.01);
        // A continuous server at zero needs the whole minute to be full again: no need to wait for that.
        bucket.learn(&reading(60.0, 0.0, 60.0), 0.0, now);
        assert!(wait(&mut bucket, 1.0, now) < 1.1);
    }

    #[test]
    fn the_users_ceiling_stands() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(10.0, Some(10.0), now);
        bucket.take(10.0, now);
        bucket.learn(&reading(1000.0, 900.0, 6.0), 0.0, now);
        assert!((bucket.rate() - 10.0).abs() < 1e-9);
        assert!(wait(&mut bucket, 1.0, now) > 5.9);
    }
}
