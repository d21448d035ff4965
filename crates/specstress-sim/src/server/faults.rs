use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::error::SimError;
use crate::server::options::in_range;

/// What can go wrong with a request to a [`SimServer`](crate::SimServer).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// 429 that says when to come back.
    RateLimited,
    /// 429 that does not.
    RateLimitedSilent,
    /// 529 on the Anthropic wire, 503 elsewhere.
    Overloaded,
    /// The connection is reset before a byte of the reply.
    ResetBefore,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// The right answer, after a long silence.
    Stalled,
    /// HTTP 200 with JSON that stops in the middle.
    Truncated,
    /// 502 with an HTML page.
    BadGateway,
    /// HTTP 200 with an error for a body.
    ErrorBody,
    /// An answer that says another model gave it. Gemini embeddings name no model and never have it.
    Rerouted,
    /// A well-formed reply without content, or without vectors.
    Empty,
}

/// How often each fault happens, as a probability per attempt, and the details. All rates together are at
/// most 1; the default is none.
///
/// Whether an attempt fails follows from [`ServerOptions::seed`](crate::ServerOptions::seed), the request and
/// the number of the attempt: the same run has the same faults, whatever its timing. (Refusals by a rate limit
/// are no attempts.)
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRates {
    /// Rate of [`FaultKind::RateLimited`].
    pub rate_limited: f64,
    /// Rate of [`FaultKind::RateLimitedSilent`].
    pub rate_limited_silent: f64,
    /// Rate of [`FaultKind::Overloaded`].
    pub overloaded: f64,
    /// Rate of [`FaultKind::ResetBefore`].
    pub reset_before: f64,
    /// Rate of [`FaultKind::ResetMidBody`].
    pub reset_mid_body: f64,
    /// Rate of [`FaultKind::Stalled`].
    pub stalled: f64,
    /// Rate of [`FaultKind::Truncated`].
    pub truncated: f64,
    /// Rate of [`FaultKind::BadGateway`].
    pub bad_gateway: f64,
    /// Rate of [`FaultKind::ErrorBody`].
    pub error_body: f64,
    /// Rate of [`FaultKind::Rerouted`].
    pub rerouted: f64,
    /// Rate of [`FaultKind::Empty`].
    pub empty: f64,
    /// Most faults one logical request meets; after them it is answered. Default 2.
    pub max_per_request: u32,
    /// Length of a stall in milliseconds, up to an hour; default 5000.
    pub stall_ms: u32,
    /// The wait that a [`FaultKind::RateLimited`] asks for, in milliseconds, up to an hour; default 1000. Where
    /// the wire has whole seconds only, it is rounded up.
    pub retry_after_ms: u32,
}

impl Default for FaultRates {
    fn default() -> Self {
        Self {
            rate_limited: 0.0,
            rate_limited_silent: 0.0,
            overloaded: 0.0,
            reset_before: 0.0,
            reset_mid_body: 0.0,
            stalled: 0.0,
            truncated: 0.0,
            bad_gateway: 0.0,
            error_body: 0.0,
            rerouted: 0.0,
            empty: 0.0,
            max_per_request: 2,
            stall_ms: 5_000,
            retry_after_ms: 1_000,
        }
    }
}

const HOUR_MS: f64 = 3_600_000.0;

impl FaultRates {
    /// Every fault, in equal shares of a total rate from 0 to 1.
    pub fn even(total: f64) -> Self {
        let rate = total / 11.0;
        Self {
            rerouted: rate,
            empty: rate,
            ..Self::passing(total * 9.0 / 11.0)
        }
    }

    /// The faults that pass when a client tries again, in equal shares of a total rate from 0 to 1: all but
    /// rerouted models and empty content, which clients take for the outcome.
    pub fn passing(total: f64) -> Self {
        let rate = total / 9.0;
        Self {
            rate_limited: rate,
            rate_limited_silent: rate,
            overloaded: rate,
            reset_before: rate,
            reset_mid_body: rate,
            stalled: rate,
            truncated: rate,
            bad_gateway: rate,
            error_body: rate,
            ..Self::default()
        }
    }

    fn table(&self) -> [(FaultKind, &'static str, f64); 11] {
        use FaultKind::{
            BadGateway, Empty, ErrorBody, Overloaded, RateLimited, RateLimitedSilent, Rerouted,
            ResetBefore, ResetMidBody, Stalled, Truncated,
        };
        [
            (RateLimited, "faults.rate_limited", self.rate_limited),
            (
                RateLimitedSilent,
                "faults.rate_limited_silent",
                self.rate_limited_silent,
            ),
            (Overloaded, "faults.overloaded", self.overloaded),
            (ResetBefore, "faults.reset_before", self.reset_before),
            (ResetMidBody, "faults.reset_mid_body", self.reset_mid_body),
            (Stalled, "faults.stalled", self.stalled),
            (Truncated, "faults.truncated", self.truncated),
            (BadGateway, "faults.bad_gateway", self.bad_gateway),
            (ErrorBody, "faults.error_body", self.error_body),
            (Rerouted, "faults.rerouted", self.rerouted),
            (Empty, "faults.empty", self.empty),
        ]
    }

    pub(super) fn check(&self) -> Result<(), SimError> {
        let table = self.table();
        let sum: f64 = table.iter().map(|(.., rate)| rate).sum();
        // Thirds and elevenths do not add up to exactly one.
        if sum > 1.0 + 1e-9 {
            in_range("sum of faults", sum, 0.0, 1.0)?;
        }
        for (_, option, rate) in table {
            in_range(option, rate, 0.0, 1.0)?;
        }
        in_range("faults.stall_ms", f64::from(self.stall_ms), 0.0, HOUR_MS)?;
        in_range(
            "faults.retry_after_ms",
            f64::from(self.retry_after_ms),
            0.0,
            HOUR_MS,
        )
    }

    /// The fault of an attempt, the first being 1, of a request with this name.
    pub(super) fn draw(&self, seed: u64, request: &str, attempt: u32) -> Option<FaultKind> {
        let mut left = Draw::new(seed, &["fault", request, &attempt.to_string()]).unit();
        for (kind, _, rate) in self.table() {
            if left < rate {
                return Some(kind);
            }
            left -= rate;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn faults_come_at_their_rates_and_repeat() {
        let rates = FaultRates {
            empty: 0.0,
            rerouted: 0.3,
            ..FaultRates::passing(0.45)
        };
        let mut counts = BTreeMap::new();
        for request in 0..20_000 {
            let name = request.to_string();
            let fault = rates.draw(7, &name, 1);
            assert_eq!(fault, rates.draw(7, &name, 1));
            *counts.entry(fault).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 11, "nine passing ones, rerouted and none");
        for (fault, count) in counts {
            let expected = match fault {
                None => 5_000,
                Some(FaultKind::Rerouted) => 6_000,
                Some(_) => 1_000,
            };
            // Six standard deviations of a count at rate 0.05 are about 185.
            assert!(i32::abs(count - expected) < 400, "{fault:?}: {count}");
        }
    }

    #[test]
    fn attempts_and_seeds_are_drawn_apart() {
        let half = FaultRates {
            overloaded: 0.5,
            ..FaultRates::default()
        };
        let row = |seed| -> Vec<bool> {
            (1..40)
                .map(|attempt| half.draw(seed, "r", attempt).is_some())
                .collect()
        };
        assert!(row(1).contains(&true) && row(1).contains(&false));
        assert_ne!(row(1), row(2));
    }

    #[test]
    fn totals_up_to_one_are_fine() {
        assert!(FaultRates::even(1.0).check().is_ok());
        assert!(FaultRates::passing(1.0).check().is_ok());
        let sum: f64 = FaultRates::even(0.5).table().iter().map(|row| row.2).sum();
        assert!((sum - 0.5).abs() < 1e-12);
        assert!(FaultRates::passing(-0.1).check().is_err());
    }
}
