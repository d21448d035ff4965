//! Moments and waits, as the providers write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted in years that start in March and eras of 400 of them, so that leap days come last.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (
        era * 400 + year + u64::from(month <= 2),
        month,
        day_of_month,
    )
}

/// Now, since 1970-01-01.
pub(super) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A moment, in seconds since 1970-01-01: `2026-11-21T09:15:06Z`.
pub(super) fn rfc3339(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The moment after a wait, rounded up to a second: `2026-11-21T09:15:06Z`.
pub(super) fn moment_after(wait: Duration) -> String {
    rfc3339(whole_seconds(since_epoch() + wait))
}

/// The day of a moment in UTC, `YYYY-MM-DD`.
pub(super) fn day_of(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Today in UTC, `YYYY-MM-DD`.
pub(super) fn today() -> String {
    day_of(since_epoch().as_secs())
}

/// Whether a text is a day, `YYYY-MM-DD`. Such texts are in the order of the days they name.
pub(super) fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let fits = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let day = (number(4), number(2), number(2));
    let (Some(year), Some(month), Some(day)) = day else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    parts.next().is_none() && (1..=last).contains(&day)
}

/// Seconds, rounded up.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A wait as Go writes it, to the millisecond: `17ms`, `1.5s`, `6m0s`.
pub(super) fn go_duration(wait: Duration) -> String {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = decimal_seconds(rest);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A wait as protocol buffers write it in JSON: `37s`, `0.25s`.
pub(super) fn proto_duration(wait: Duration) -> String {
    format!("{}s", decimal_seconds(wait.as_nanos().div_ceil(1_000_000)))
}

fn decimal_seconds(millis: u128) -> String {
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        // From `date -u -d @N +%FT%TZ`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_252_504, "2026-11-21T09:15:04Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
        assert!(moment_after(Duration::ZERO).starts_with(&today()[..7]));
    }

    #[test]
    fn days_are_checked() {
        for day in ["2026-11-21", "2024-02-29", "2000-02-29"] {
            assert!(is_day(day), "{day}");
        }
        for no in [
            "",
            "2026-13-01",
            "2026-02-29",
            "2026-04-31",
            "2026-1-1",
            "2026-01-00",
            "2026-01-01-",
            "+026-01-01",
        ] {
            assert!(!is_day(no), "{no}");
        }
        assert!(is_day(&today()));
    }

    #[test]
    fn waits_are_written_like_go_and_protobuf() {
        for (millis, go, proto) in [
            (0, "0s", "0s"),
            (17, "17ms", "0.017s"),
            (1_000, "1s", "1s"),
            (1_500, "1.5s", "1.5s"),
            (10_000, "10s", "10s"),
            (360_000, "6m0s", "360s"),
            (3_661_250, "1h1m1.25s", "3661.25s"),
        ] {
            let wait = Duration::from_millis(millis);
            assert_eq!((&*go_duration(wait), &*proto_duration(wait)), (go, proto));
        }
        assert_eq!(go_duration(Duration::from_nanos(1)), "1ms");
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
    }
}
