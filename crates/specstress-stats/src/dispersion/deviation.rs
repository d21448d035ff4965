use super::Dispersion;
use crate::Ratio;

/// Population standard deviation (ddof 0), which the paper (page 4) and its released bins
/// are read as using.
///
/// ```text
/// std = sqrt( (n*S2 - S1^2) / n^2 ),   S1 = sum r_i,   S2 = sum r_i^2
/// ```
///
/// At most half the range (Popoviciu), so at most 3 for scores 0 to 6, and `std >= 1.5` forces
/// two scores at least 3 apart. Asked for at least two scores, as one model cannot disagree.
/// Cost O(n).
///
/// ```
/// use specstress_stats::{Dispersion, PopulationStd, SampleStd};
///
/// assert_eq!(PopulationStd.of(&[0.0, 6.0]), 3.0);
/// assert_eq!(SampleStd.of(&[0.0, 6.0]), 18_f64.sqrt());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PopulationStd;

/// Sample standard deviation (ddof 1).
///
/// ```text
/// std = sqrt( (n*S2 - S1^2) / (n*(n - 1)) )
/// ```
///
/// Larger than [`PopulationStd`] by `sqrt(n/(n-1))`: up to 4.243 for two scores of 0 to 6. Not
/// what the published data was selected with; offered for comparison. Needs two scores.
/// Cost O(n).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleStd;

impl Dispersion for PopulationStd {
    fn min_scores(&self) -> usize {
        2
    }

    fn of(&self, scores: &[f64]) -> f64 {
        (centred_squares(scores) / scores.len() as f64).sqrt()
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        let n = u64::try_from(scores.len()).ok()?;
        Ratio::new(scatter(scores)?, self.scatter_scale(n)?)
    }

    fn scatter_scale(&self, count: u64) -> Option<u64> {
        count.checked_mul(count)
    }
}

impl Dispersion for SampleStd {
    fn min_scores(&self) -> usize {
        2
    }

    fn of(&self, scores: &[f64]) -> f64 {
        (centred_squares(scores) / (scores.len() as f64 - 1.0)).sqrt()
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        let n = u64::try_from(scores.len()).ok()?;
        Ratio::new(scatter(scores)?, self.scatter_scale(n)?)
    }

    fn scatter_scale(&self, count: u64) -> Option<u64> {
        count.checked_mul(count.checked_sub(1)?)
    }
}

/// `sum (x - mean)^2`, in two passes so that a large mean costs no digits.
fn centred_squares(scores: &[f64]) -> f64 {
    // Rounding may leave the mean of equal numbers beside them; equal scores must give 0.
    if scores.windows(2).all(|pair| pair[0] == pair[1]) {
        return 0.0;
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    scores.iter().map(|x| (x - mean) * (x - mean)).sum()
}

/// `n*S2 - S1^2`, or `None` where it leaves 64 bits (never below 65,536 scores of 16 bits).
fn scatter(scores: &[u32]) -> Option<u64> {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for &score in scores {
        let score = u64::from(score);
        sum = sum.checked_add(score)?;
        squares = squares.checked_add(score.checked_mul(score)?)?;
    }
    let n = u64::try_from(scores.len()).ok()?;
    // Cauchy-Schwarz: the difference is never negative.
    n.checked_mul(squares)?.checked_sub(sum.checked_mul(sum)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hair_above_equal_scores_is_above_zero_and_equal_scores_are_zero() {
        assert_eq!(PopulationStd.of(&[0.1, 0.1, 0.1]).to_bits(), 0);
        assert!(PopulationStd.of(&[0.1, 0.1, 0.100_000_1]) > 0.0);
    }

    #[test]
    fn a_large_common_offset_does_not_cost_precision() {
        let std = PopulationStd.of(&[1e9, 1e9 + 2.0]);
        assert!((std - 1.0).abs() < 1e-12);
    }

    #[test]
    fn scatter_beyond_64_bits_is_no_ratio() {
        assert!(PopulationStd.exact_square(&[u32::MAX; 4]).is_none());
        assert_eq!(PopulationStd.exact_square(&[7; 4]), Ratio::new(0, 1));
        assert_eq!(SampleStd.exact_square(&[0, 6]), Ratio::new(18, 1));
    }
}
