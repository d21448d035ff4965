use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::{Duration, SystemTime};

use crate::time::{parse_go_duration, parse_rfc3339};

/// What a provider counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
}

impl Unit {
    /// The place of a reading of it, by its name in headers.
    fn place(name: &str) -> Option<usize> {
        ["requests", "tokens", "input-tokens", "output-tokens"]
            .iter()
            .position(|known| *known == name)
    }
}

/// One limit as a reply tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) limit: Option<f64>,
    pub(super) remaining: Option<f64>,
    /// How long until the limit is whole again.
    pub(super) reset: Option<Duration>,
}

/// Reads the rate headers of a reply: `anthropic-ratelimit-UNIT-FIELD` (reset as RFC 3339) and
/// `x-ratelimit-FIELD-UNIT` (reset as a Go duration). Headers must have lowercase names. What cannot be
/// read counts as absent; where both say the same, the first counts.
pub(super) fn read_rates(
    headers: &BTreeMap<String, String>,
    now: SystemTime,
) -> [Option<Reading>; 4] {
    let mut found = [Reading::default(); 4];
    for (rest, value) in beginning_with(headers, "x-ratelimit-") {
        if let Some((field, unit)) = rest.split_once('-') {
            put(&mut found, unit, field, value, now);
        }
    }
    for (rest, value) in beginning_with(headers, "anthropic-ratelimit-") {
        if let Some((unit, field)) = rest.rsplit_once('-') {
            put(&mut found, unit, field, value, now);
        }
    }
    found.map(|reading| (reading != Reading::default()).then_some(reading))
}

/// The headers whose names begin so: what follows, and the value.
fn beginning_with<'a>(
    headers: &'a BTreeMap<String, String>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    headers
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .map_while(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
}

fn put(found: &mut [Reading; 4], unit: &str, field: &str, value: &str, now: SystemTime) {
    let Some(place) = Unit::place(unit) else {
        return;
    };
    let reading = &mut found[place];
    let number = || {
        let number = value.trim().parse::<f64>().ok();
        number.filter(|n| n.is_finite() && *n >= 0.0)
    };
    match field {
        "limit" => reading.limit = number().or(reading.limit),
        "remaining" => reading.remaining = number().or(reading.remaining),
        "reset" => {
            let reset = match parse_rfc3339(value) {
                Some(at) => Some(at.duration_since(now).unwrap_or_default()),
                // A bare number this large is a moment of some clock, not a wait.
                None => {
                    parse_go_duration(value).filter(|wait| *wait < Duration::from_secs(10_000_000))
                }
            };
            reading.reset = reset.or(reading.reset);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn rates(headers: &[(&str, &str)]) -> [Option<Reading>; 4] {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        read_rates(&headers, UNIX_EPOCH + Duration::from_secs(1_795_252_504))
    }

    #[test]
    fn both_families_are_read() {
        let anthropic = rates(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-21T09:15:06Z"),
            ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ]);
        assert_eq!(
            anthropic[0],
            Some(Reading {
                limit: Some(50.0),
                remaining: Some(49.0),
                reset: Some(Duration::from_secs(2)),
            })
        );
        assert_eq!((anthropic[1], anthropic[2]), (None, None));
        assert_eq!(anthropic[3].unwrap().limit, Some(8000.0));
        let openai = rates(&[
            ("x-ratelimit-limit-tokens", "30000"),
            ("x-ratelimit-remaining-tokens", "29000"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        assert_eq!(openai[0], None);
        assert_eq!(openai[1].unwrap().reset, Some(Duration::from_mins(6)));
    }

    #[test]
    fn nonsense_counts_as_absent() {
        let odd = rates(&[
            ("x-ratelimit-limit-requests", "many"),
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-reset-requests", "1795252504"),
        ]);
        assert_eq!(odd[0], None);
        // A reset in the past is now.
        let past = rates(&[("anthropic-ratelimit-tokens-reset", "2020-01-01T00:00:00Z")]);
        assert_eq!(past[1].unwrap().reset, Some(Duration::ZERO));
    }
}
