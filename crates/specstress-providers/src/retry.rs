use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use specstress_llm::{LlmError, LlmErrorKind};

use crate::error::ProviderError;
use crate::wire::{WireReply, body_retry_after};

/// When a failed call is made again. There is no other retry below or above it.
///
/// Retried are connection failures, HTTP 408, 409, 429 (of the rate, not of the quota), 5xx and replies that
/// are not what the wire promises. Never retried are answers: refusals, filters and token limits. A server's
/// `x-should-retry` overrides the class of an error, except of one that must stop the run.
///
/// The wait is the server's, where it names one (`retry-after-ms`, `retry-after` in seconds or as a date,
/// `RetryInfo` in the body), plus up to a tenth so that callers do not come back all at once; else uniform
/// between 0 and `min(max_wait, first_wait * 2^(n-1))` before retry n (full jitter).
///
/// ```
/// use specstress_providers::RetryPolicy;
///
/// let patient = RetryPolicy { max_attempts: 12, ..RetryPolicy::default() };
/// assert_eq!(patient.max_wait.as_secs(), 60);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// How often one call is made at most, 1 and up; 8 by default.
    pub max_attempts: u32,
    /// The longest wait before the first retry; 0.5 s by default. In files: seconds.
    #[serde(with = "crate::time::as_seconds")]
    pub first_wait: Duration,
    /// The longest wait ever; 60 s by default. A server that asks for more is asked again after this. In
    /// files: seconds.
    #[serde(with = "crate::time::as_seconds")]
    pub max_wait: Duration,
    /// Retries allowed per call on average over all calls of the provider, so that an outage does not
    /// multiply the traffic; 0.25 by default. Rate limits are not counted: the limiter paces them.
    pub budget_share: f64,
    /// Retries allowed on top of the share, for short runs; 100 by default.
    pub budget_floor: u32,
    /// Makes the waits repeatable in tests; by default they differ from process to process.
    pub jitter_seed: Option<u64>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 8,
            first_wait: Duration::from_millis(500),
            max_wait: Duration::from_mins(1),
            budget_share: 0.25,
            budget_floor: 100,
            jitter_seed: None,
        }
    }
}

impl RetryPolicy {
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        if self.max_attempts == 0 {
            return Err(ProviderError::Setting {
                setting: "retry.max_attempts",
                value: "0".to_owned(),
                range: "1 and up",
            });
        }
        if !(0.0..=100.0).contains(&self.budget_share) {
            return Err(ProviderError::Setting {
                setting: "retry.budget_share",
                value: self.budget_share.to_string(),
                range: "0 to 100",
            });
        }
        if self.first_wait > self.max_wait {
            return Err(ProviderError::Setting {
                setting: "retry.first_wait",
                value: format!("{} s", self.first_wait.as_secs_f64()),
                range: "at most max_wait",
            });
        }
        Ok(())
    }
}

/// What a reply says about trying again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHint {
    pub(crate) should_retry: Option<bool>,
    pub(crate) wait: Option<Duration>,
}

impl ServerHint {
    /// Reads the hints of a reply in the order in which they count. A success has none.
    pub(crate) fn read(reply: &WireReply, now: SystemTime) -> Self {
        if reply.status < 400 {
            return Self::default();
        }
        let header = |name: &str| reply.headers.get(name).map(|value| value.trim());
        let should_retry = match header("x-should-retry") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let number = |text: &str| text.parse::<f64>().ok();
        let wait = header("retry-after-ms")
            .and_then(number)
            .and_then(|ms| crate::time::seconds(ms / 1000.0))
            .or_else(|| {
                // LiteLLM passes the provider's own header on under another name.
                ["retry-after", "llm_provider-retry-after"]
                    .into_iter()
                    .filter_map(header)
                    .find_map(|text| match number(text) {
                        Some(value) => crate::time::seconds(value),
                        None => httpdate::parse_http_date(text)
                            .ok()
                            .map(|at| at.duration_since(now).unwrap_or_default()),
                    })
            })
            .or_else(|| body_retry_after(&reply.body));
        Self { should_retry, wait }
    }
}

/// Decides about retries for all calls of one provider.
#[derive(Debug)]
pub(crate) struct Retrier {
    policy: RetryPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Retries left now.
    budget: f64,
    rng: ChaCha8Rng,
}

impl Retrier {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        let seed = policy.jitter_seed.unwrap_or_else(|| {
            // The standard library's hasher is seeded by the operating system.
            std::collections::hash_map::RandomState::new()
                .build_hasher()
                .finish()
        });
        Self {
            state: Mutex::new(State {
                budget: f64::from(policy.budget_floor),
                rng: ChaCha8Rng::seed_from_u64(seed),
            }),
            policy,
        }
    }

    /// Counts a call, which earns its share of a retry.
    pub(crate) fn earn(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let most = f64::from(self.policy.budget_floor).max(1.0);
        state.budget = (state.budget + self.policy.budget_share).min(most);
    }

    /// How long to wait before another attempt after `attempt` of them (1 and up); `None` to give up.
    pub(crate) fn wait(
        &self,
        attempt: u32,
        error: &LlmError,
        hint: ServerHint,
    ) -> Option<Duration> {
        let again = !error.is_fatal()
            && hint.should_retry.unwrap_or(error.is_retryable())
            && error.kind() != LlmErrorKind::Stopped;
        if !again || attempt >= self.policy.max_attempts {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if error.kind() != LlmErrorKind::RateLimited {
            if state.budget < 1.0 {
                return None;
            }
            state.budget -= 1.0;
        }
        let share: f64 = state.rng.random();
        let wait = match hint.wait.or_else(|| error.retry_after()) {
            Some(wait) => wait.min(self.policy.max_wait).mul_f64(1.0 + share / 10.0),
            None => self
                .policy
                .first_wait
                .saturating_mul(2_u32.saturating_pow(attempt - 1))
                .min(self.policy.max_wait)
                .mul_f64(share),
        };
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> WireReply {
        WireReply {
            status,
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    fn hint(headers: &[(&str, &str)], body: &str) -> ServerHint {
        // Sat, 21 Nov 2026 09:15:04 GMT
        let now = UNIX_EPOCH + Duration::from_secs(1_795_252_504);
        ServerHint::read(&reply(429, headers, body), now)
    }

    fn ms(hint: ServerHint) -> Option<u128> {
        hint.wait.map(|wait| wait.as_millis())
    }

    const RETRY_INFO: &str = r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}"#;

    #[test]
    fn hints_count_in_their_order() {
        let all = [
            ("x-should-retry", "true"),
            ("retry-after-ms", "1500"),
            ("retry-after", "9"),
        ];
        assert_eq!(hint(&all, RETRY_INFO).should_retry, Some(true));
        assert_eq!(ms(hint(&all, RETRY_INFO)), Some(1500));
        assert_eq!(ms(hint(&all[2..], RETRY_INFO)), Some(9000));
        assert_eq!(ms(hint(&[], RETRY_INFO)), Some(37_000));
        assert_eq!(ms(hint(&[], "<html>")), None);
        assert_eq!(ms(hint(&[("retry-after", "0.25")], "")), Some(250));
        assert_eq!(
            ms(hint(
                &[("retry-after", "Sat, 21 Nov 2026 09:15:34 GMT")],
                ""
            )),
            Some(30_000)
        );
        assert_eq!(
            ms(hint(
                &[("retry-after", "Sat, 21 Nov 2020 09:15:34 GMT")],
                ""
            )),
            Some(0)
        );
        assert_eq!(
            ms(hint(&[("llm_provider-retry-after", "3")], "")),
            Some(3000)
        );
    }

    #[test]
    fn nonsense_hints_are_no_hints() {
        for bad in ["soon", "-1", "NaN", "inf", "1e300", ""] {
            assert_eq!(hint(&[("retry-after", bad)], "").wait, None, "{bad}");
        }
        assert_eq!(hint(&[("x-should-retry", "maybe")], "").should_retry, None);
        let success = reply(200, &[("x-should-retry", "true"), ("retry-after", "5")], "");
        assert_eq!(
            ServerHint::read(&success, SystemTime::now()),
            ServerHint::default()
        );
    }

    fn retrier(change: impl FnOnce(&mut RetryPolicy)) -> Retrier {
        let mut policy = RetryPolicy {
            jitter_seed: Some(7),
            ..RetryPolicy::default()
        };
        change(&mut policy);
        policy.check().unwrap();
        Retrier::new(policy)
    }

    fn error(kind: LlmErrorKind) -> LlmError {
        LlmError::new(kind, "x")
    }

    #[test]
    fn only_what_may_succeed_later_is_retried() {
        use LlmErrorKind as K;
        let retrier = retrier(|_| ());
        let again = |kind, should_retry| {
            let hint = ServerHint {
                should_retry,
                wait: None,
            };
            retrier.wait(1, &error(kind), hint).is_some()
        };
        for kind in [K::Transport, K::RateLimited, K::Unavailable, K::BadReply] {
            assert!(again(kind, None), "{kind:?}");
            assert!(!again(kind, Some(false)), "{kind:?}");
        }
        for kind in [K::BadRequest, K::UnknownModel, K::WrongModel] {
            assert!(!again(kind, None), "{kind:?}");
            assert!(again(kind, Some(true)), "{kind:?}");
        }
        for kind in [K::Unauthorized, K::QuotaExhausted, K::Store, K::Stopped] {
            assert!(!again(kind, None), "{kind:?}");
            assert!(!again(kind, Some(true)), "{kind:?}");
        }
    }

    #[test]
    fn waits_grow_with_full_jitter_up_to_the_cap() {
        let retrier = retrier(|p| {
            p.max_attempts = 100;
            p.max_wait = Duration::from_secs(4);
        });
        let error = error(LlmErrorKind::RateLimited);
        for (attempt, most) in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 4.0), (80, 4.0)] {
            let waits: Vec<f64> = (0..400)
                .map(|_| {
                    let wait = retrier.wait(attempt, &error, ServerHint::default());
                    wait.unwrap().as_secs_f64()
                })
                .collect();
            let mean = waits.iter().sum::<f64>() / 400.0;
            assert!(waits.iter().all(|wait| *wait <= most));
            // Uniform on [0, most]: the mean of 400 lies within 4 standard errors of the middle.
            let error = 4.0 * most / (12.0_f64 * 400.0).sqrt();
            assert!((mean - most / 2.0).abs() < error, "{attempt}: {mean}");
        }
        assert_eq!(
            retrier.wait(100, &error, ServerHint::default()),
            None,
            "attempts end"
        );
    }

    #[test]
    fn the_servers_wait_is_kept_and_capped() {
        let retrier = retrier(|_| ());
        let ask = |seconds| {
            let hint = ServerHint {
                should_retry: None,
                wait: Some(Duration::from_secs(seconds)),
            };
            let wait = retrier.wait(1, &error(LlmErrorKind::RateLimited), hint);
            wait.unwrap().as_secs_f64()
        };
        assert!((10.0..=11.0).contains(&ask(10)));
        assert!((60.0..=66.0).contains(&ask(86_400)));
        assert!(ask(0) < 1e-9);
    }

    #[test]
    fn an_outage_exhausts_the_budget_and_calls_refill_it() {
        let retrier = retrier(|p| {
            p.budget_share = 0.1;
            p.budget_floor = 5;
        });
        let down = error(LlmErrorKind::Unavailable);
        let tries = |calls: usize| {
            (0..calls)
                .filter(|_| {
                    retrier.earn();
                    retrier.wait(1, &down, ServerHint::default()).is_some()
                })
                .count()
        };
        // The floor first, then one in ten.
        let many = tries(1000);
        assert!((100..=105).contains(&many), "{many}");
        // Rate limits do not draw on it.
        let limited = error(LlmErrorKind::RateLimited);
        assert!(retrier.wait(1, &limited, ServerHint::default()).is_some());
        // Good calls earn it back, up to the floor and no further.
        for _ in 0..10_000 {
            retrier.earn();
        }
        let burst = (0..20)
            .filter(|_| retrier.wait(1, &down, ServerHint::default()).is_some())
            .count();
        assert_eq!(burst, 5);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let check = |policy: RetryPolicy| policy.check().unwrap_err().to_string();
        assert_eq!(
            check(RetryPolicy {
                max_attempts: 0,
                ..RetryPolicy::default()
            }),
            "retry.max_attempts is 0; it must be 1 and up"
        );
        assert_eq!(
            check(RetryPolicy {
                budget_share: f64::NAN,
                ..RetryPolicy::default()
            }),
            "retry.budget_share is NaN; it must be 0 to 100"
        );
        let read: RetryPolicy =
            serde_json::from_str(r#"{"max_wait": 2.5, "max_attempts": 3}"#).unwrap();
        assert_eq!(read.max_wait, Duration::from_millis(2500));
        assert!(serde_json::from_str::<RetryPolicy>(r#"{"max_wait": -1}"#).is_err());
        assert!(serde_json::from_str::<RetryPolicy>(r#"{"attempts": 1}"#).is_err());
    }
}
