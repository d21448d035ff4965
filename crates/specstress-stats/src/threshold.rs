use crate::{Ratio, StatsError};

/// Largest denominator tried when a decimal is read back as the ratio it stands for.
const LARGEST_DENOMINATOR: u32 = 1000;
/// Above this a numerator could leave 32 bits, whose square must fit in 64.
const LARGEST_EXACT: f64 = 4_000_000.0;

/// A bar that a dispersion is held against, `D >= t`, decided exactly where it can be.
///
/// ```text
/// D >= p/q   <=>   D^2 >= p^2 / q^2
/// ```
///
/// For integer scores `D^2` is a ratio of integers ([`Dispersion::exact_square`]), so both
/// sides are integers once multiplied out and no square root is ever rounded. A threshold
/// made from an `f64` is read as the ratio `p/q` with the smallest `q <= 1000` whose nearest
/// `f64` it is: 1.5 is 3/2, 0.1 is 1/10 and 1.436 is 359/250. A number that is no such ratio
/// (pi, or anything above 4,000,000) is compared in `f64` with the dispersion rounded to
/// nearest.
///
/// [`Dispersion::exact_square`]: crate::Dispersion::exact_square
///
/// ```
/// use specstress_stats::Threshold;
///
/// assert!(Threshold::new(1.436)?.is_exact());
/// assert!(!Threshold::new(std::f64::consts::SQRT_2)?.is_exact());
/// assert_eq!(Threshold::default().value(), 1.5);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    value: f64,
    square: Option<Ratio>,
}

impl Threshold {
    /// A threshold from a finite number that is not negative.
    pub fn new(value: f64) -> Result<Self, StatsError> {
        if !value.is_finite() || value < 0.0 {
            return Err(StatsError::Threshold { value });
        }
        let square = (1..=LARGEST_DENOMINATOR)
            .take_while(|_| value <= LARGEST_EXACT)
            .find_map(|q| {
                let p = (value * f64::from(q)).round();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number from 0 to 4e9"
                )]
                let numerator = p as u64;
                // `value` equals the quotient bit for bit, or it is another number.
                (p / f64::from(q) == value).then(|| Self::squared(numerator, u64::from(q)))?
            });
        // `-0.0` is a fine bar, but should print as 0.
        let value = value.abs();
        Ok(Self { value, square })
    }

    /// The threshold `numerator / denominator`, exactly, for parts of up to 32 bits.
    pub fn ratio(numerator: u64, denominator: u64) -> Result<Self, StatsError> {
        let square = Self::squared(numerator, denominator).ok_or(StatsError::ThresholdRatio {
            numerator,
            denominator,
        })?;
        Ok(Self {
            value: numerator as f64 / denominator as f64,
            square: Some(square),
        })
    }

    fn squared(p: u64, q: u64) -> Option<Ratio> {
        let fits = u32::try_from(p).is_ok() && u32::try_from(q).is_ok();
        fits.then(|| Ratio::new(p * p, q * q)).flatten()
    }

    /// The threshold as a number.
    pub fn value(self) -> f64 {
        self.value
    }

    /// Whether the comparison with a dispersion of integer scores is free of rounding.
    #[inline]
    pub fn is_exact(self) -> bool {
        self.square.is_some()
    }

    /// `dispersion >= self`, through the exact square when both sides have one.
    #[inline]
    pub fn is_reached(self, dispersion: f64, square: Option<Ratio>) -> bool {
        match (square, self.square) {
            (Some(found), Some(bar)) => found >= bar,
            _ => dispersion >= self.value,
        }
    }

    /// `dispersion > self`, decided as [`Threshold::is_reached`] does.
    pub(crate) fn is_exceeded(self, dispersion: f64, square: Option<Ratio>) -> bool {
        match (square, self.square) {
            (Some(found), Some(bar)) => found > bar,
            _ => dispersion > self.value,
        }
    }
}

impl Default for Threshold {
    /// 3/2, the bar of high disagreement in the paper (page 5).
    fn default() -> Self {
        Self {
            value: 1.5,
            square: Ratio::new(9, 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ratio_up_to_a_thousandth_is_read_back() {
        for q in 1..=1000_u32 {
            for p in [1, 7, q - 1, q, q + 1, 3 * q, 3 * q + 1] {
                let read = Threshold::new(f64::from(p) / f64::from(q)).unwrap();
                let stated = Threshold::ratio(u64::from(p), u64::from(q)).unwrap();
                assert_eq!(read.square, stated.square, "{p}/{q}");
            }
        }
    }

    #[test]
    fn unusable_thresholds_are_refused() {
        for bad in [f64::NAN, f64::INFINITY, -0.5] {
            assert!(Threshold::new(bad).is_err(), "{bad}");
        }
        assert!(Threshold::ratio(1, 0).is_err());
        assert!(Threshold::ratio(1 << 32, 1).is_err());
        assert!(!Threshold::new(5e6).unwrap().is_exact());
        assert!(Threshold::new(0.0).unwrap().is_exact());
    }
}
