use serde::{Deserialize, Serialize};
use specstress_stats::{Confidence, wilson_interval};

/// A share with its denominator and a 95 % Wilson score interval.
///
/// ```text
/// share = count / of
/// ```
///
/// `share`, `low` and `high` are in 0 to 1, and all three are `None` where `of` is 0: a rate over nothing is
/// unknown, not zero. They are also `None` where `count` exceeds `of`, which happens only when tables of
/// different runs stand side by side.
///
/// ```
/// use specstress_report::Rate;
///
/// let rate = Rate::new(3, 12);
/// assert_eq!(rate.share, Some(0.25));
/// assert!(rate.low.unwrap() < 0.25 && 0.25 < rate.high.unwrap());
/// assert_eq!(Rate::new(0, 0).share, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many have the property.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// The share, 0 to 1.
    pub share: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

impl Rate {
    /// The rate of `count` out of `of`.
    pub fn new(count: u64, of: u64) -> Self {
        let interval = wilson_interval(count, of, Confidence::default())
            .ok()
            .flatten();
        Self {
            count,
            of,
            share: (of > 0 && count <= of).then(|| count as f64 / of as f64),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    }

    /// How many times larger this share is than `base`'s; `None` where either is unknown or `base` is 0.
    pub fn ratio_to(&self, base: &Self) -> Option<f64> {
        match (self.share, base.share) {
            (Some(share), Some(base)) if base > 0.0 => Some(share / base),
            _ => None,
        }
    }
}

/// A rate of a named group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRate {
    /// The group.
    pub group: String,
    /// Its rate.
    pub rate: Rate,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wilson's formula, written out with the 97.5 % normal quantile.
    fn direct(count: f64, of: f64) -> (f64, f64) {
        let z = 1.959_963_984_540_054_f64;
        let (p, z2) = (count / of, z * z);
        let centre = (p + z2 / (2.0 * of)) / (1.0 + z2 / of);
        let half = z / (1.0 + z2 / of) * (p * (1.0 - p) / of + z2 / (4.0 * of * of)).sqrt();
        (centre - half, centre + half)
    }

    #[test]
    fn the_interval_is_wilsons() {
        for (count, of) in [(1_u64, 4_u64), (7, 10), (439, 1000)] {
            let rate = Rate::new(count, of);
            let (low, high) = direct(count as f64, of as f64);
            assert!((rate.low.unwrap() - low).abs() < 1e-9, "{rate:?}");
            assert!((rate.high.unwrap() - high).abs() < 1e-9, "{rate:?}");
        }
    }

    #[test]
    fn a_rate_over_nothing_is_unknown() {
        let none = Rate::new(0, 0);
        assert_eq!((none.share, none.low, none.high), (None, None, None));
        let wrong = Rate::new(3, 2);
        assert_eq!((wrong.share, wrong.low, wrong.high), (None, None, None));
    }

    #[test]
    fn a_ratio_needs_a_base() {
        assert_eq!(Rate::new(3, 4).ratio_to(&Rate::new(1, 4)), Some(3.0));
        assert_eq!(Rate::new(3, 4).ratio_to(&Rate::new(0, 4)), None);
        assert_eq!(Rate::new(3, 4).ratio_to(&Rate::new(0, 0)), None);
    }
}
