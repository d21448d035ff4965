use std::cmp::Ordering;

/// A non-negative ratio of two integers, compared without rounding.
///
/// `2/4` equals `1/2`; the parts are kept as given. Comparison is by cross-multiplication in
/// 128 bits, so it never overflows and costs two multiplications.
///
/// ```
/// use specstress_stats::Ratio;
///
/// let quarter = Ratio::new(9, 4).expect("denominator above 0");
/// assert!(quarter >= Ratio::new(2_250, 1_000).expect("denominator above 0"));
/// assert_eq!(quarter.to_f64(), 2.25);
/// assert_eq!(Ratio::new(1, 0), None);
/// ```
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Ratio {
    numerator: u64,
    denominator: u64,
}

impl Ratio {
    /// `numerator / denominator`, or `None` when the denominator is 0.
    #[inline]
    pub fn new(numerator: u64, denominator: u64) -> Option<Self> {
        (denominator > 0).then_some(Self {
            numerator,
            denominator,
        })
    }

    /// The upper part, as given.
    #[inline]
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// The lower part, as given; never 0.
    #[inline]
    pub fn denominator(self) -> u64 {
        self.denominator
    }

    /// The quotient, rounded once when both parts are below 2^53.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl Ord for Ratio {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.denominator == other.denominator {
            return self.numerator.cmp(&other.numerator);
        }
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        let right = u128::from(other.numerator) * u128::from(self.denominator);
        left.cmp(&right)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ratio {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_beyond_the_precision_of_f64_are_told_apart() {
        let a = Ratio::new(u64::MAX, u64::MAX - 1).unwrap();
        let b = Ratio::new(u64::MAX - 1, u64::MAX - 2).unwrap();
        assert_eq!(a.to_f64().to_bits(), b.to_f64().to_bits());
        assert!(a < b);
        assert_eq!(Ratio::new(3, 6), Ratio::new(1, 2));
    }
}
