//! Numbers and names as readers see them; one place, so that all renderers agree.

use crate::data::Rate;

/// Stands for a number that does not exist.
pub(crate) const NONE: &str = "–";

/// `43960` as `43,960`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share of 0 to 1 in percent, one decimal.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// The interval of a rate in percent.
pub(crate) fn interval(rate: &Rate) -> String {
    match (rate.low, rate.high) {
        (Some(low), Some(high)) => format!("{:.1}–{:.1}%", low * 100.0, high * 100.0),
        _ => NONE.to_owned(),
    }
}

/// `12 of 480`.
pub(crate) fn fraction(rate: &Rate) -> String {
    format!("{} of {}", thousands(rate.count), thousands(rate.of))
}

/// Two decimals; the sign of a rounded zero is dropped.
pub(crate) fn decimal(number: Option<f64>) -> String {
    number.map_or_else(
        || NONE.to_owned(),
        |number| {
            let text = format!("{number:.2}");
            if text == "-0.00" {
                "0.00".to_owned()
            } else {
                text
            }
        },
    )
}

/// `3.3×`.
pub(crate) fn times(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| NONE.to_owned(), |ratio| format!("{ratio:.1}×"))
}

/// A bin's name such as `[1, 1.5)`.
pub(crate) fn bin(low: f64, high: f64, closed: bool) -> String {
    format!("[{low}, {high}{}", if closed { ']' } else { ')' })
}

/// A table or outcome name as words.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Control characters and text-direction overrides, which could rewrite the lines around them, as
/// replacement characters; newlines and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            '\r' => '\n',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            _ if character.is_control() => char::REPLACEMENT_CHARACTER,
            _ => character,
        })
        .collect()
}

/// At most `width` characters, with an ellipsis in place of the rest.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// The band of Landis and Koch for a kappa.
pub(crate) fn kappa_band(kappa: f64) -> &'static str {
    match kappa {
        k if k < 0.0 => "worse than chance",
        k if k <= 0.20 => "slight",
        k if k <= 0.40 => "fair",
        k if k <= 0.60 => "moderate",
        k if k <= 0.80 => "substantial",
        _ => "almost perfect",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(43_960), "43,960");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(percent(Some(0.3934)), "39.3%");
        assert_eq!(percent(None), "–");
        assert_eq!(decimal(Some(-0.001)), "0.00");
        assert_eq!(bin(1.0, 1.5, false), "[1, 1.5)");
        assert_eq!(times(Some(13.857)), "13.9×");
    }

    #[test]
    fn text_cannot_steer_a_terminal_or_turn_around() {
        assert_eq!(
            plain("a\u{1b}[31m\r\nb\rc\u{202e}d\0"),
            "a\u{fffd}[31m\nb\nc\u{fffd}d\u{fffd}"
        );
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shorten("über alles", 10), "über alles");
        assert_eq!(shorten("über alles", 6), "über…");
    }
}
