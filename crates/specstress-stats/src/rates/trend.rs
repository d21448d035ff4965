use crate::special::two_sided;
use crate::{Proportion, StatsError};

/// A test for a rate that rises or falls over ordered groups.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Trend {
    /// Above 0 when the rate rises with the score, standard normal when it does not depend on
    /// it. `None` when the event always or never happens, or only one score has trials.
    pub z: Option<f64>,
    /// Two-sided p-value of `z`.
    pub p: Option<f64>,
    /// Trials.
    pub n: u64,
}

/// The Cochran-Armitage test for a trend of rates (Cochran 1954, Armitage 1955).
///
/// ```text
/// z = sum_g s_g (k_g - n_g p) / sqrt( p (1 - p) ( sum n_g s_g^2 - (sum n_g s_g)^2 / N ) )
/// ```
///
/// `groups` holds successes and trials, `scores` a number per group, such as its index or the
/// middle of its bin; only differences of scores relative to each other matter. `p` is the rate
/// of all groups together. Some programs have `N/(N - 1)` of the variance, which lowers `z` by
/// `sqrt((N - 1)/N)`. Normal in large samples. Errors on different lengths, scores that are
/// not finite and counts above their trials. Cost O(groups).
///
/// ```
/// use specstress_stats::cochran_armitage;
///
/// // The five bins of figure 2 of the paper, per 1,000.
/// let bins = [(7, 1000), (12, 1000), (14, 1000), (49, 1000), (97, 1000)];
/// let found = cochran_armitage(&bins, &[0.0, 1.0, 2.0, 3.0, 4.0])?;
/// assert!(found.z > Some(11.0) && found.p < Some(1e-20));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn cochran_armitage(groups: &[(u64, u64)], scores: &[f64]) -> Result<Trend, StatsError> {
    StatsError::same_length(groups.len(), scores.len())?;
    let (mut events, mut trials) = (0_u64, 0_u64);
    for (row, (&(successes, n), &value)) in groups.iter().zip(scores).enumerate() {
        StatsError::at_most(successes, n)?;
        StatsError::finite(row, 0, value)?;
        events += successes;
        trials += n;
    }
    let p = events as f64 / trials.max(1) as f64;
    let weighted = groups
        .iter()
        .zip(scores)
        .map(|((_, n), score)| *n as f64 * score);
    let mean = weighted.sum::<f64>() / trials.max(1) as f64;
    // Centred scores: the sum of n * score is then 0.
    let (mut sum, mut spread) = (0.0, 0.0);
    for (&(successes, n), score) in groups.iter().zip(scores) {
        let score = score - mean;
        sum += score * (successes as f64 - n as f64 * p);
        spread += n as f64 * score * score;
    }
    let varied = events > 0 && events < trials && {
        let mut used = groups.iter().zip(scores).filter(|((_, n), _)| *n > 0);
        let first = used.next().map(|(_, score)| score);
        used.any(|(_, score)| Some(score) != first)
    };
    let z = varied.then(|| sum / (p * (1.0 - p) * spread).sqrt());
    Ok(Trend {
        z,
        p: z.map(two_sided),
        n: trials,
    })
}

impl Trend {
    /// The trend over rates at hand, such as the bins of [`enrichment`](crate::enrichment()).
    ///
    /// As [`cochran_armitage`], which see.
    pub fn of_proportions(rates: &[Proportion], scores: &[f64]) -> Result<Self, StatsError> {
        let groups: Vec<_> = rates.iter().map(|rate| (rate.successes, rate.n)).collect();
        cochran_armitage(&groups, scores)
    }
}
