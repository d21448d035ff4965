use std::collections::BTreeMap;

use ndarray::ArrayView1;

use super::fit::BradleyTerry;
use super::params::NudgedComparison;
use crate::{Correlation, Preference, StatsError, spearman};

/// How often three values are preferred in a circle.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Transitivity {
    /// Triples of values with a majority on each of their three pairs.
    pub n: usize,
    /// Those that go in a circle.
    pub circular: usize,
    /// `circular / n`; 1/4 for coin tosses. `None` without such triples.
    pub share: Option<f64>,
    /// Pairs of values compared as often won as lost, which no triple uses.
    pub undecided: usize,
    /// Comparisons dropped: unknown, or of a value with itself.
    pub dropped: usize,
}

/// Whether preferences are transitive, which every ranking takes for granted (Kendall & Babington
/// Smith 1940).
///
/// A pair is decided by the majority of its comparisons, ties left out. `values` bounds the
/// indices. Errors on a value out of range. Cost O(comparisons log + pairs x partners): fine for
/// sparse choices between thousands of values, or dense ones between dozens.
///
/// ```
/// use specstress_stats::{NudgedComparison, Preference, Toward, transitivity};
///
/// let wins = |first, second| NudgedComparison {
///     first, second, toward: Toward::Neither, preference: Some(Preference::First),
/// };
/// let found = transitivity(4, &[wins(0, 1), wins(1, 2), wins(2, 0), wins(0, 3), wins(1, 3)])?;
/// assert_eq!((found.n, found.circular), (2, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn transitivity(
    values: usize,
    comparisons: &[NudgedComparison],
) -> Result<Transitivity, StatsError> {
    // Wins of the lower index minus wins of the higher one.
    let mut balance: BTreeMap<(usize, usize), i64> = BTreeMap::new();
    let mut dropped = 0;
    for (item, comparison) in comparisons.iter().enumerate() {
        let &NudgedComparison { first, second, .. } = comparison;
        for index in [first, second] {
            StatsError::in_range(item, "value", index, values)?;
        }
        let Some(preference) = comparison.preference.filter(|_| first != second) else {
            dropped += 1;
            continue;
        };
        let sign = match preference {
            Preference::First => 1,
            Preference::Second => -1,
            Preference::Tie => 0,
        };
        let turned = if first < second { sign } else { -sign };
        *balance
            .entry((first.min(second), first.max(second)))
            .or_default() += turned;
    }
    let undecided = balance.values().filter(|balance| **balance == 0).count();
    // Partners above each value, with whether the lower one wins.
    let mut above: Vec<BTreeMap<usize, bool>> = vec![BTreeMap::new(); values];
    for ((low, high), balance) in balance {
        if balance != 0 {
            above[low].insert(high, balance > 0);
        }
    }
    let (mut n, mut circular) = (0, 0);
    for partners in &above {
        for (&middle, &low_beats_middle) in partners {
            for (high, &middle_beats_high) in &above[middle] {
                if let Some(&low_beats_high) = partners.get(high) {
                    n += 1;
                    circular += usize::from(
                        low_beats_middle == middle_beats_high && low_beats_high != low_beats_middle,
                    );
                }
            }
        }
    }
    Ok(Transitivity {
        n,
        circular,
        share: (n > 0).then(|| circular as f64 / n as f64),
        undecided,
        dropped,
    })
}

/// The rank correlation of two rankings.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RankAgreement {
    /// Index of the first ranking.
    pub a: usize,
    /// Index of the second ranking, above `a`.
    pub b: usize,
    /// Spearman's correlation of the utilities.
    pub correlation: Correlation,
}

/// Rank correlation of every pair of rankings, by `a`, then `b`.
///
/// Values compared fewer than `least` times in either ranking are dropped from that pair: their
/// utilities are mostly shrinkage. Errors on rankings of different lengths. Cost O(rankings^2 x
/// values log values).
///
/// ```
/// use specstress_stats::{NudgedComparison, Preference, RankingParams, Toward, bradley_terry, rank_agreement};
///
/// let wins = |first, second| NudgedComparison {
///     first, second, toward: Toward::Neither, preference: Some(Preference::First),
/// };
/// let params = RankingParams::default();
/// let up = bradley_terry(3, &[wins(0, 1), wins(1, 2)], &params)?;
/// let down = bradley_terry(3, &[wins(2, 1), wins(1, 0)], &params)?;
/// let found = rank_agreement(&[up, down], 1)?;
/// assert_eq!(found[0].correlation.r, Some(-1.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn rank_agreement(
    rankings: &[BradleyTerry],
    least: usize,
) -> Result<Vec<RankAgreement>, StatsError> {
    let utilities: Vec<Vec<Option<f64>>> = rankings
        .iter()
        .map(|ranking| {
            let known = ranking
                .items
                .iter()
                .map(|item| (item.n >= least).then_some(item.theta));
            known.collect()
        })
        .collect();
    let mut found = Vec::new();
    for (a, first) in utilities.iter().enumerate() {
        for (b, second) in utilities.iter().enumerate().skip(a + 1) {
            let correlation = spearman(ArrayView1::from(first), ArrayView1::from(second))?;
            found.push(RankAgreement { a, b, correlation });
        }
    }
    Ok(found)
}
