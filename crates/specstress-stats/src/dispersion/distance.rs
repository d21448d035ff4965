use super::Dispersion;
use crate::Ratio;

/// Highest score minus lowest score.
///
/// In `[0, 6]` for scores 0 to 6. Sees only the two ends, so it grows with the panel; twice
/// [`PopulationStd`](crate::PopulationStd) for two scores. Needs two scores. Cost O(n).
///
/// ```
/// use specstress_stats::{Dispersion, Range};
///
/// assert_eq!(Range.of(&[1.0, 6.0, 3.0]), 5.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range;

/// Mean distance of two different scores (Gini's mean difference).
///
/// ```text
/// sum over pairs i < j of |r_i - r_j| / ( n (n - 1) / 2 )
/// ```
///
/// Does not grow with the panel: unbiased for the distance of two scores drawn at random. In
/// `[0, 6]` for scores 0 to 6. Needs two scores. Cost O(n log n).
///
/// ```
/// use specstress_stats::{Dispersion, MeanPairwiseDistance};
///
/// assert_eq!(MeanPairwiseDistance.of(&[0.0, 3.0, 6.0]), 4.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MeanPairwiseDistance;

/// Shannon entropy of the scores as labels, in bits (vote entropy, Dagan & Engelson 1995).
///
/// ```text
/// - sum over distinct scores s of p_s log2 p_s,   p_s = share of the panel
/// ```
///
/// From 0 to `log2 n`. Blind to distance: one step apart counts as much as six. Needs two
/// scores. Cost O(n log n).
///
/// ```
/// use specstress_stats::{Dispersion, Entropy};
///
/// assert_eq!(Entropy.of(&[0.0, 1.0, 5.0, 6.0]), 2.0);
/// assert_eq!(Entropy.of(&[4.0, 4.0]), 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entropy;

impl Dispersion for Range {
    fn min_scores(&self) -> usize {
        2
    }

    fn of(&self, scores: &[f64]) -> f64 {
        let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let low = scores.iter().copied().fold(f64::INFINITY, f64::min);
        high - low
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        let range = u64::from(scores.iter().max()? - scores.iter().min()?);
        Ratio::new(range.checked_mul(range)?, 1)
    }
}

impl Dispersion for MeanPairwiseDistance {
    fn min_scores(&self) -> usize {
        2
    }

    fn of(&self, scores: &[f64]) -> f64 {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        // The gap between neighbours is part of every pair that spans it.
        let gaps = sorted.windows(2).enumerate();
        let sum: f64 = gaps
            .map(|(at, pair)| (pair[1] - pair[0]) * (at + 1) as f64 * (n - (at + 1) as f64))
            .sum();
        sum / (n * (n - 1.0) / 2.0)
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        let mut sorted = scores.to_vec();
        sorted.sort_unstable();
        let n = u64::try_from(sorted.len()).ok()?;
        let (mut sum, mut below) = (0_u64, 0);
        for pair in sorted.windows(2) {
            below += 1;
            let spans = u64::from(pair[1] - pair[0]).checked_mul(below * (n - below))?;
            sum = sum.checked_add(spans)?;
        }
        let pairs = n.checked_mul(n.checked_sub(1)?)? / 2;
        Ratio::new(sum.checked_mul(sum)?, pairs.checked_mul(pairs)?)
    }
}

impl Dispersion for Entropy {
    fn min_scores(&self) -> usize {
        2
    }

    fn of(&self, scores: &[f64]) -> f64 {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let shares = sorted
            .chunk_by(|a, b| a == b)
            .map(|run| run.len() as f64 / n);
        // `0.0 -` keeps the zero of a unanimous panel positive.
        0.0 - shares.map(|p| p * p.log2()).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_reals_agree_on_every_small_panel() {
        for a in 0..=6_u32 {
            for b in 0..=6 {
                for c in 0..=6 {
                    let integers = [a, b, c];
                    let reals = integers.map(f64::from);
                    let pairs = [(a, b), (a, c), (b, c)].map(|(x, y)| f64::from(x.abs_diff(y)));
                    let mean = pairs.iter().sum::<f64>() / 3.0;
                    let most = pairs.into_iter().fold(0.0, f64::max);
                    assert!((MeanPairwiseDistance.of(&reals) - mean).abs() < 1e-12);
                    let square = MeanPairwiseDistance.exact_square(&integers).unwrap();
                    assert!((square.to_f64() - mean * mean).abs() < 1e-12);
                    assert_eq!(Range.of(&reals), most);
                    assert_eq!(Range.exact_square(&integers).unwrap().to_f64(), most * most);
                }
            }
        }
    }

    #[test]
    fn entropy_counts_labels_not_distances() {
        assert_eq!(
            Entropy.of(&[0.0, 0.0, 1.0, 1.0]),
            Entropy.of(&[0.0, 6.0, 0.0, 6.0])
        );
        assert_eq!(Entropy.of(&[5.0; 3]).to_bits(), 0);
        assert!(Entropy.exact_square(&[1, 2]).is_none());
    }
}
