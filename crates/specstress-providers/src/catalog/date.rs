use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, `YYYY-MM-DD`; the order is that of time.
///
/// ```
/// use specstress_providers::Date;
///
/// let read: Date = "2026-11-21".parse()?;
/// let today: Date = "2026-12-01".parse()?;
/// assert_eq!(today.days_since(read), 10);
/// assert_eq!(Date::from_unix_seconds(0).to_string(), "1970-01-01");
/// assert!("2026-02-30".parse::<Date>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The UTC day of a Unix time. Times after the year 65535 give its last day.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        let mut days = seconds / 86_400;
        let mut year = 1970_u16;
        while days >= days_in_year(year) {
            days -= days_in_year(year);
            if year == u16::MAX {
                return Self {
                    year,
                    month: 12,
                    day: 31,
                };
            }
            year += 1;
        }
        let mut month = 1;
        while days >= u64::from(days_in_month(year, month)) {
            days -= u64::from(days_in_month(year, month));
            month += 1;
        }
        Self {
            year,
            month,
            day: u8::try_from(days + 1).unwrap_or(1),
        }
    }

    /// How many days this day lies after another; negative before it.
    pub fn days_since(self, other: Self) -> i64 {
        self.ordinal() - other.ordinal()
    }

    /// Days since 0000-03-01: with the year starting in March the leap day comes last, so that the days
    /// before a month follow from one linear formula.
    fn ordinal(self) -> i64 {
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let shifted = (month + 9) % 12;
        365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * shifted + 2) / 5
            + i64::from(self.day)
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not a date; write it as YYYY-MM-DD");
        let digits = |range: std::ops::Range<usize>| {
            text.get(range)
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
        };
        if text.len() != 10 || text.as_bytes()[4] != b'-' || text.as_bytes()[7] != b'-' {
            return Err(bad());
        }
        let year = digits(0..4).ok_or_else(bad)?;
        let month = digits(5..7)
            .and_then(|month| u8::try_from(month).ok())
            .filter(|month| (1..=12).contains(month))
            .ok_or_else(bad)?;
        let day = digits(8..10)
            .and_then(|day| u8::try_from(day).ok())
            .filter(|day| (1..=days_in_month(year, month)).contains(day))
            .ok_or_else(bad)?;
        Ok(Self { year, month, day })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn reads_real_days_only() {
        for good in ["2024-02-29", "2000-02-29", "2026-12-31", "0001-01-01"] {
            assert_eq!(date(good).to_string(), good);
        }
        for bad in [
            "",
            "2026-1-1",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2025-02-29",
            "1900-02-29",
            "2026-01-00",
            "2026/01/01",
            "+026-01-01",
            "２０２６-",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn counts_days_over_leap_years_and_agrees_with_unix_time() {
        assert_eq!(date("2024-03-01").days_since(date("2024-02-28")), 2);
        assert_eq!(date("2100-03-01").days_since(date("2100-02-28")), 1);
        assert_eq!(date("2026-11-21").days_since(date("2026-12-01")), -10);
        // 1795219200 is 2026-11-21T00:00:00Z (`date -u -d 2026-11-21 +%s`).
        assert_eq!(Date::from_unix_seconds(1_795_219_200), date("2026-11-21"));
        assert_eq!(Date::from_unix_seconds(1_795_219_199), date("2026-11-20"));
        let epoch = date("1970-01-01");
        for day in (0..60_000_u32).step_by(17) {
            let there = Date::from_unix_seconds(u64::from(day) * 86_400);
            assert_eq!(there.days_since(epoch), i64::from(day));
        }
        assert_eq!(Date::from_unix_seconds(u64::MAX).to_string(), "65535-12-31");
    }
}
