use crate::StatsError;
use crate::correlation::ranks;
use crate::special::two_sided;

/// Largest number of changed items for which all rank sums are counted.
const EXACT: usize = 50;

/// A numeric outcome of the same items in two runs, compared by rank.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Wilcoxon {
    /// Sum of the ranks of items that rose.
    pub rank_sum: f64,
    /// Above 0 when the second run is higher; `None` when nothing changed.
    pub z: Option<f64>,
    /// Rank-biserial correlation in `[-1, 1]`: share of rank sum that rose minus share that fell.
    pub effect: Option<f64>,
    /// Two-sided p-value; 1 when nothing changed.
    pub p: f64,
    /// Whether `p` is exact; otherwise it is the normal one of `z`.
    pub exact: bool,
    /// Items that changed, on which the test rests.
    pub n: usize,
    /// Items known in both runs and equal.
    pub unchanged: usize,
    /// Items missing in one run.
    pub dropped: usize,
}

/// The signed-rank test (Wilcoxon 1945): did the numbers move between two runs?
///
/// ```text
/// d_i = second_i - first_i,   W = sum of ranks of |d_i| with d_i > 0
/// z   = (W - n(n+1)/4) / sqrt( n(n+1)(2n+1)/24 - sum (t^3 - t)/48 )
/// ```
///
/// Items that did not change are left out; `t` are sizes of groups of equal `|d|`, which share
/// their mean rank. The p-value is exact for at most 50 changed items without ties, normal
/// without continuity correction otherwise. For scores 0 to 6 prefer `paired_permutation`,
/// whose p-value is exact with ties. Errors on different lengths and numbers that are not
/// finite. Cost O(n log n), O(n^3) when exact.
///
/// ```
/// use specstress_stats::wilcoxon_signed_rank;
///
/// let first = [1.0, 2.0, 3.0, 4.0, 5.0].map(Some);
/// let second = [1.5, 3.0, 4.5, 6.0, 7.5].map(Some);
/// let found = wilcoxon_signed_rank(&first, &second)?;
/// assert!(found.exact);
/// assert!((found.p - 2.0 / 32.0).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn wilcoxon_signed_rank(
    first: &[Option<f64>],
    second: &[Option<f64>],
) -> Result<Wilcoxon, StatsError> {
    let differences = differences(first, second)?;
    let known = differences.len();
    let changed: Vec<f64> = differences.into_iter().filter(|d| *d != 0.0).collect();
    let sizes: Vec<f64> = changed.iter().map(|d| d.abs()).collect();
    let ranks = ranks(&sizes);
    let rose = ranks.iter().zip(&changed).filter(|(_, d)| **d > 0.0);
    let rank_sum: f64 = rose.map(|(rank, _)| rank).sum();

    let n = changed.len() as f64;
    let all = n * (n + 1.0) / 2.0;
    let mut sorted = sizes;
    sorted.sort_by(f64::total_cmp);
    let runs = sorted.chunk_by(|a, b| a == b).map(|run| run.len() as f64);
    let ties: f64 = runs.map(|t| t * t * t - t).sum();
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    let z = (!changed.is_empty()).then(|| (rank_sum - all / 2.0) / variance.sqrt());
    let exact = changed.len() <= EXACT && ties == 0.0;
    Ok(Wilcoxon {
        rank_sum,
        z,
        effect: z.map(|_| (2.0 * rank_sum - all) / all),
        p: match z {
            None => 1.0,
            Some(_) if exact => exact_p(changed.len(), rank_sum.min(all - rank_sum)),
            Some(z) => two_sided(z),
        },
        exact,
        n: changed.len(),
        unchanged: known - changed.len(),
        dropped: first.len() - known,
    })
}

/// Second minus first of the pairs that are complete.
pub(super) fn differences(
    first: &[Option<f64>],
    second: &[Option<f64>],
) -> Result<Vec<f64>, StatsError> {
    StatsError::same_length(first.len(), second.len())?;
    let mut found = Vec::with_capacity(first.len());
    for (row, (&first, &second)) in first.iter().zip(second).enumerate() {
        for (column, value) in [first, second].into_iter().enumerate() {
            value.map_or(Ok(0.0), |value| StatsError::finite(row, column, value))?;
        }
        if let (Some(first), Some(second)) = (first, second) {
            found.push(second - first);
        }
    }
    Ok(found)
}

/// `2 P(W <= smaller)` over all signs of the ranks 1 to n.
fn exact_p(n: usize, smaller: f64) -> f64 {
    let most = n * (n + 1) / 2;
    // Share of the sign patterns with each rank sum; halving keeps it a probability.
    let mut shares = vec![0.0; most + 1];
    shares[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = f64::midpoint(shares[sum], with);
        }
    }
    let below = shares
        .iter()
        .enumerate()
        .take_while(|(sum, _)| *sum as f64 <= smaller);
    (2.0 * below.map(|(_, share)| share).sum::<f64>()).min(1.0)
}
