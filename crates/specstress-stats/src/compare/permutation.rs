use rand::RngExt;

use super::wilcoxon::differences;
use crate::StatsError;
use crate::clustered::cluster_sums;
use crate::parallel::map_indices;
use crate::resample::stream;

/// How many random permutations, and their seed.
///
/// ```
/// let params = specstress_stats::Permutations::new(9_999, 1)?;
/// # let _ = params;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutations {
    pub(crate) draws: usize,
    pub(crate) seed: u64,
}

impl Permutations {
    /// At least one draw; the smallest p-value is `1 / (draws + 1)`.
    pub fn new(draws: usize, seed: u64) -> Result<Self, StatsError> {
        if draws == 0 {
            return Err(StatsError::Parameter {
                name: "number of permutations",
                value: 0.0,
                allowed: "at least 1, and 999 or more for a level of 0.05",
            });
        }
        Ok(Self { draws, seed })
    }
}

/// The mean change of the same items between two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PairedPermutation {
    /// Mean of second minus first; `None` without pairs.
    pub mean: Option<f64>,
    /// Two-sided p-value; 1 without pairs.
    pub p: f64,
    /// Whether all signs were tried, not a sample of them.
    pub exact: bool,
    /// Items known in both runs.
    pub n: usize,
    /// Items missing in one.
    pub dropped: usize,
    /// Clusters with at least one known item.
    pub clusters: usize,
}

/// The paired permutation test of a mean change (Fisher 1935).
///
/// ```text
/// T = sum of d_i,   d_i = second_i - first_i
/// p = P( |T*| >= |T| ),   T* with the sign of each cluster's sum turned at random
/// ```
///
/// If nothing changed but by chance, the two runs of a cluster could be swapped. `clusters[i]`
/// names the cluster of item `i` (siblings of one triple swap together); without it every item
/// is its own. All `2^C` signs are tried where that is no more than the draws, else
/// `p = (1 + #{|T*| >= |T|}) / (1 + draws)`, which never understates. Sums within 1e-9 of `|T|`
/// relative count as equal. Works for scores, rates (0 and 1) and disagreements alike. Errors
/// on different lengths and numbers that are not finite. Cost O(draws x clusters).
///
/// ```
/// use specstress_stats::{Permutations, paired_permutation};
///
/// let first = [1.0, 2.0, 3.0].map(Some);
/// let second = [2.0, 3.0, 5.0].map(Some);
/// let found = paired_permutation(&first, &second, None, &Permutations::new(999, 1)?)?;
/// assert!(found.exact);
/// assert_eq!(found.p, 0.25);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn paired_permutation(
    first: &[Option<f64>],
    second: &[Option<f64>],
    clusters: Option<&[u64]>,
    permutations: &Permutations,
) -> Result<PairedPermutation, StatsError> {
    let known = differences(first, second)?;
    let sums = cluster_sums(first.len(), clusters, 2, |item, sums| {
        if let (Some(first), Some(second)) = (first[item], second[item]) {
            sums[0] += second - first;
            sums[1] += 1.0;
        }
        Ok(())
    })?;
    let sums: Vec<f64> = sums
        .rows()
        .into_iter()
        .filter(|row| row[1] > 0.0)
        .map(|row| row[0])
        .collect();
    let total: f64 = sums.iter().sum();
    let scale: f64 = sums.iter().map(|sum| sum.abs()).sum();
    let bar = total.abs() - 1e-9 * scale;
    let signed = |turn: &mut dyn FnMut(usize) -> bool| -> bool {
        let sum = |(at, sum): (usize, &f64)| if turn(at) { -sum } else { *sum };
        sums.iter().enumerate().map(sum).sum::<f64>().abs() >= bar
    };

    let patterns = u32::try_from(sums.len())
        .ok()
        .and_then(|clusters| 2_usize.checked_pow(clusters))
        .filter(|patterns| *patterns <= permutations.draws);
    let p = if let Some(patterns) = patterns {
        let far = map_indices(patterns, |pattern| signed(&mut |at| pattern >> at & 1 == 1));
        far.into_iter().filter(|far| *far).count() as f64 / patterns as f64
    } else {
        let far = map_indices(permutations.draws, |draw| {
            let mut rng = stream(permutations.seed, draw);
            let (mut bits, mut left) = (0_u64, 0);
            signed(&mut |_| {
                if left == 0 {
                    (bits, left) = (rng.random(), 64);
                }
                left -= 1;
                bits >> left & 1 == 1
            })
        });
        let far = far.into_iter().filter(|far| *far).count();
        (far + 1) as f64 / (permutations.draws + 1) as f64
    };
    Ok(PairedPermutation {
        mean: (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64),
        p,
        exact: patterns.is_some(),
        n: known.len(),
        dropped: first.len() - known.len(),
        clusters: sums.len(),
    })
}
