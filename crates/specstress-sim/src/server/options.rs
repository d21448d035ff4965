use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::SimError;
use crate::persona::chat_keys;
use crate::server::batch::BatchOptions;
use crate::server::clock::is_day;
use crate::server::faults::FaultRates;
use crate::server::wire::Wire;

/// How a [`SimServer`](crate::SimServer) behaves: where it listens, how fast it is, what it allows and how
/// often it fails. The default is a free port, no limits, no delay, no faults.
///
/// Unknown fields are refused when it is read from a file.
///
/// ```
/// use specstress_sim::{RateLimits, ServerOptions};
///
/// let mut options = ServerOptions::default();
/// options.limits.anthropic = RateLimits { requests_per_minute: Some(50), ..RateLimits::default() };
/// options.faults.overloaded = 0.05;
/// assert!(options.check().is_ok());
/// options.faults.truncated = 2.0;
/// assert!(options.check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerOptions {
    /// Where to listen; loopback only. Port 0, the default, takes a free one.
    pub address: SocketAddr,
    /// Decides faults and jitter, together with the request. Default 0.
    pub seed: u64,
    /// What each provider allows.
    pub limits: ProviderLimits,
    /// How long an answer takes.
    pub latency: Latency,
    /// How often which fault happens.
    pub faults: FaultRates,
    /// Days on which models retire, `YYYY-MM-DD` by model key: told by `GET models/{id}` of Anthropic,
    /// `OpenAI` and xAI, and from that day (UTC) on every call of the model is a 404.
    pub retires: BTreeMap<String, String>,
    /// How the batch services behave.
    pub batch: BatchOptions,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            limits: ProviderLimits::default(),
            latency: Latency::default(),
            faults: FaultRates::default(),
            retires: BTreeMap::new(),
            batch: BatchOptions::default(),
        }
    }
}

impl ServerOptions {
    /// Refuses the first option that is not loopback, names no model or no day, or is outside its range.
    pub fn check(&self) -> Result<(), SimError> {
        if !self.address.ip().is_loopback() {
            return Err(SimError::NotLoopback {
                address: self.address,
            });
        }
        for (model, date) in &self.retires {
            if !Wire::ALL.iter().any(|wire| wire.knows(model)) {
                return Err(SimError::UnknownModel {
                    key: model.clone(),
                    known: chat_keys().join(", "),
                });
            }
            if !is_day(date) {
                return Err(SimError::RetirementDate {
                    model: model.clone(),
                    date: date.clone(),
                });
            }
        }
        let Latency {
            base_ms,
            per_token_ms,
            jitter,
        } = self.latency;
        in_range("latency.base_ms", base_ms, 0.0, 600_000.0)?;
        in_range("latency.per_token_ms", per_token_ms, 0.0, 10_000.0)?;
        in_range("latency.jitter", jitter, 0.0, 1.0)?;
        for wire in Wire::ALL {
            self.limits.of(wire).check()?;
        }
        self.faults.check()?;
        self.batch.check()
    }
}

/// Rate limits by provider. As at the real ones, all models of a provider share them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderLimits {
    /// The Anthropic wire: the alder models.
    pub anthropic: RateLimits,
    /// The `OpenAI` wire: the birch models and the embedder.
    pub openai: RateLimits,
    /// The Gemini wire: the cedar models and the embedder.
    pub gemini: RateLimits,
    /// The xAI wire: the dune models.
    pub xai: RateLimits,
}

impl ProviderLimits {
    /// The same limits for every provider.
    pub fn uniform(limits: RateLimits) -> Self {
        Self {
            anthropic: limits,
            openai: limits,
            gemini: limits,
            xai: limits,
        }
    }

    pub(super) fn of(&self, wire: Wire) -> &RateLimits {
        match wire {
            Wire::Anthropic => &self.anthropic,
            Wire::OpenAi => &self.openai,
            Wire::Gemini => &self.gemini,
            Wire::Xai => &self.xai,
        }
    }
}

/// What one provider allows. `None` is no limit.
///
/// Requests and tokens are token buckets: full at the start, refilled without pause at the rate per minute,
/// holding at most [`burst_seconds`](Self::burst_seconds) of it. So a client that never stops gets, in `t`
/// seconds, `(burst_seconds + t) / 60` times the limit. A request is let in when a whole request and its
/// input tokens are there (or a full bucket, for one larger than that); input is taken then, output when the
/// answer is made, which may leave a debt. Input that was marked for caching is free, as at Anthropic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Requests per minute, at least 1.
    pub requests_per_minute: Option<u32>,
    /// Input and output tokens per minute, at least 1.
    pub tokens_per_minute: Option<u32>,
    /// Requests at the same time, at least 1. A 429 for this says no time to come back, which nobody knows.
    pub concurrent: Option<u32>,
    /// How many seconds' worth of the rate can be used at once, 0.1 to 60; default 60.
    pub burst_seconds: f64,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            requests_per_minute: None,
            tokens_per_minute: None,
            concurrent: None,
            burst_seconds: 60.0,
        }
    }
}

impl RateLimits {
    fn check(&self) -> Result<(), SimError> {
        in_range("limits.burst_seconds", self.burst_seconds, 0.1, 60.0)?;
        for (option, limit) in [
            ("limits.requests_per_minute", self.requests_per_minute),
            ("limits.tokens_per_minute", self.tokens_per_minute),
            ("limits.concurrent", self.concurrent),
        ] {
            let limit = limit.map_or(1.0, f64::from);
            in_range(option, limit, 1.0, f64::from(u32::MAX))?;
        }
        Ok(())
    }
}

/// How long an answer takes: `(base_ms + per_token_ms x output tokens) x (1 + jitter x u)`, with `u` uniform in
/// -1 to 1 and fixed by seed, request and attempt. Refusals by a rate limit or fault come at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Milliseconds before the first token, up to ten minutes.
    pub base_ms: f64,
    /// Milliseconds per output token, reasoning included, up to 10 000.
    pub per_token_ms: f64,
    /// How far it varies, as a share from 0 to 1.
    pub jitter: f64,
}

impl Latency {
    pub(super) fn wait(&self, output_tokens: u64, unit: f64) -> Duration {
        let mean = self.base_ms + self.per_token_ms * output_tokens as f64;
        let millis = mean * (1.0 + self.jitter * (2.0 * unit - 1.0));
        Duration::from_secs_f64(millis.max(0.0) / 1000.0)
    }
}

pub(super) fn in_range(
    option: &'static str,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), SimError> {
    // NaN is in no range.
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(SimError::OptionOutOfRange {
        option,
        value,
        low,
        high,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_from_a_file_refuse_what_they_do_not_know() {
        let read = |text: &str| serde_json::from_str::<ServerOptions>(text);
        let options = read(
            r#"{"address":"127.0.0.1:8080","limits":{"xai":{"concurrent":4}},"faults":{"empty":0.1}}"#,
        )
        .unwrap();
        assert_eq!(options.limits.xai.concurrent, Some(4));
        assert_eq!(options.limits.openai, RateLimits::default());
        assert!(read(r#"{"limits":{"xai":{"concurent":4}}}"#).is_err());
        assert!(read(r#"{"fault":{}}"#).is_err());
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(read(&text).unwrap(), options);
    }

    #[test]
    fn every_bad_option_is_named() {
        let bad = |change: fn(&mut ServerOptions)| {
            let mut options = ServerOptions::default();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        for (message, expected) in [
            (
                bad(|o| o.address = ([0, 0, 0, 0], 80).into()),
                "0.0.0.0:80 is not",
            ),
            (
                bad(|o| o.latency.jitter = f64::NAN),
                "latency.jitter is NaN",
            ),
            (
                bad(|o| o.limits.gemini.concurrent = Some(0)),
                "limits.concurrent is 0",
            ),
            (
                bad(|o| o.limits.gemini.burst_seconds = 90.0),
                "burst_seconds is 90",
            ),
            (
                bad(|o| {
                    o.retires.insert("alder_first".into(), "soon".into());
                }),
                "retirement of alder_first is \"soon\"",
            ),
            (
                bad(|o| {
                    o.retires.insert("alder_last".into(), "2027-01-01".into());
                }),
                "no simulated model \"alder_last\"",
            ),
            (
                bad(|o| (o.faults.empty, o.faults.stalled) = (0.75, 0.75)),
                "sum of faults is 1.5",
            ),
        ] {
            assert!(message.contains(expected), "{message}");
        }
        assert!(ServerOptions::default().check().is_ok());
    }

    #[test]
    fn waits_stay_within_the_jitter() {
        let latency = Latency {
            base_ms: 100.0,
            per_token_ms: 2.0,
            jitter: 0.5,
        };
        for (unit, millis) in [(0.0, 100), (0.5, 200), (1.0, 300)] {
            assert_eq!(latency.wait(50, unit), Duration::from_millis(millis));
        }
    }
}
