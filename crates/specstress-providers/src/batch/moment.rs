//! When batches were made and when they end, in seconds since 1970.

use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::time::parse_rfc3339;

pub(super) const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Larger numbers are milliseconds: as seconds they lie beyond the year 5000.
const MOST_SECONDS: u64 = 100_000_000_000;

/// A moment as RFC 3339, seconds or milliseconds since 1970, digits in a string, or a bare date, which stands
/// for its last second: what is compared with it may have happened until then.
pub(super) fn moment(value: &Value) -> Option<u64> {
    let number = |number: u64| {
        if number > MOST_SECONDS {
            number / 1000
        } else {
            number
        }
    };
    match value {
        Value::Number(given) => given
            .as_u64()
            .or_else(|| {
                let whole = given.as_f64().filter(|float| (0.0..9e15).contains(float))?;
                format!("{whole:.0}").parse().ok()
            })
            .map(number),
        Value::String(text) => {
            let text = text.trim();
            if let Some(at) = parse_rfc3339(text) {
                return Some(at.duration_since(UNIX_EPOCH).ok()?.as_secs());
            }
            if let Some(start) = parse_rfc3339(&format!("{text}T00:00:00Z")) {
                return Some(start.duration_since(UNIX_EPOCH).ok()?.as_secs() + DAY - 1);
            }
            text.parse().ok().map(number)
        }
        _ => None,
    }
}

/// When a batch ends: what is said, else so many hours after its creation.
pub(super) fn expiry(said: &Value, created: &Value, hours: u64) -> Option<u64> {
    moment(said).or_else(|| Some(moment(created)? + hours * HOUR))
}

/// A count, written as a number or as digits.
pub(super) fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_write_a_moment_is_read() {
        // `date -u -d 2026-11-21T09:15:04Z +%s`
        let at = Some(1_795_252_504);
        for same in [
            json!("2026-11-21T09:15:04Z"),
            json!("2026-11-21T09:15:04.250+00:00"),
            json!(1_795_252_504),
            json!(1_795_252_504.0),
            json!("1795252504"),
            json!(1_795_252_504_000_u64),
        ] {
            assert_eq!(moment(&same), at, "{same}");
        }
        // The last second of that day.
        assert_eq!(moment(&json!("2026-11-21")), Some(1_795_305_599));
        for odd in [
            json!(null),
            json!("soon"),
            json!(-1),
            json!({}),
            json!("2026-13-01"),
        ] {
            assert_eq!(moment(&odd), None, "{odd}");
        }
    }

    #[test]
    fn an_end_that_is_not_said_follows_from_the_beginning() {
        assert_eq!(expiry(&json!(500), &json!(100), 24), Some(500));
        assert_eq!(expiry(&json!(null), &json!(100), 24), Some(86_500));
        assert_eq!(expiry(&json!(null), &json!(100), 48), Some(172_900));
        assert_eq!(expiry(&json!(null), &json!(null), 24), None);
        assert_eq!(
            (count(&json!("7")), count(&json!(7)), count(&json!(null))),
            (7, 7, 0)
        );
    }
}
