use crate::special::binomial_cdf;
use crate::{Confidence, Interval, StatsError};

/// A yes-or-no outcome of the same items in two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct McNemar {
    /// Items with the property in both runs.
    pub both: u64,
    /// Only in the first.
    pub only_first: u64,
    /// Only in the second.
    pub only_second: u64,
    /// In neither.
    pub neither: u64,
    /// Rate of the second run minus rate of the first; `None` without pairs.
    pub difference: Option<f64>,
    /// Interval of the difference (Agresti & Min 2005).
    pub interval: Option<Interval>,
    /// Exact two-sided p-value; 1 when no item changed.
    pub p: f64,
    /// Items known in both runs.
    pub n: usize,
    /// Items missing in one of them.
    pub dropped: usize,
}

/// The exact test of `McNemar` (1947): did the rate change between two runs on the same items?
///
/// ```text
/// p = min(1, 2 P(X <= min(b, c))),   X ~ Binomial(b + c, 1/2)
/// ```
///
/// `b` items changed one way and `c` the other; the rest says nothing about the change. The
/// interval adds 1/2 to each of the four counts. Items missing in either run are dropped and
/// counted. Items should be independent: of siblings of one triple use one, or
/// `paired_permutation` (feature `bootstrap`) with clusters. Errors on different lengths. Cost
/// O(items).
///
/// ```
/// use specstress_stats::{Confidence, mcnemar};
///
/// let before = [Some(true); 8];
/// let after = [false, false, false, false, false, false, true, true].map(Some);
/// let found = mcnemar(&before, &after, Confidence::default())?;
/// assert_eq!(found.only_first, 6);
/// assert!((found.p - 2.0 / 64.0).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn mcnemar(
    first: &[Option<bool>],
    second: &[Option<bool>],
    confidence: Confidence,
) -> Result<McNemar, StatsError> {
    StatsError::same_length(first.len(), second.len())?;
    let mut table = [[0_u64; 2]; 2];
    for (first, second) in first.iter().zip(second) {
        if let (Some(first), Some(second)) = (first, second) {
            table[usize::from(*first)][usize::from(*second)] += 1;
        }
    }
    let [[neither, only_second], [only_first, both]] = table;
    let pairs = neither + only_second + only_first + both;
    let changed = only_first + only_second;
    let gain = only_second as f64 - only_first as f64;
    let p = (2.0 * binomial_cdf(only_first.min(only_second), changed, 0.5)).min(1.0);
    let known = pairs > 0;
    let padded = pairs as f64 + 2.0;
    let half = confidence.z() * ((changed + 1) as f64 - gain * gain / padded).sqrt();
    let dropped = first
        .iter()
        .zip(second)
        .filter(|(a, b)| a.is_none() || b.is_none());
    let dropped = dropped.count();
    Ok(McNemar {
        both,
        only_first,
        only_second,
        neither,
        difference: known.then(|| gain / pairs as f64),
        interval: known.then(|| Interval {
            low: ((gain - half) / padded).max(-1.0),
            high: ((gain + half) / padded).min(1.0),
        }),
        p,
        n: first.len() - dropped,
        dropped,
    })
}
