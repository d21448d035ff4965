use ndarray::{ArrayView3, Axis};

use super::one::OutlierParams;
use super::standing::{Standing, one};
use crate::score::Score;
use crate::{Confidence, Proportion, StatsError, proportion};

/// On which side of the others an outlier stood, for one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DirectedCount {
    /// Scenarios with the model above the mean of the others.
    pub high: u64,
    /// Scenarios with the model below it.
    pub low: u64,
}

/// How often one model is an outlier.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModelOutlierCount {
    /// Row of the model.
    pub model: usize,
    /// Outlier scenarios of scenarios where it has all its scores.
    pub rate: Proportion,
    /// By value: each outlier scenario counts once, under the value it disagrees most on.
    pub directions: Vec<DirectedCount>,
    /// Scenarios of the pool where it lacks a score.
    pub dropped: usize,
}

/// Outlier scenarios per model.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OutlierCounts {
    /// Every model, in row order.
    pub models: Vec<ModelOutlierCount>,
    /// Scenarios of the pool.
    pub n: usize,
}

/// Counts outlier scenarios per model and direction (paper, page 13, figure 6).
///
/// `scores` is scenarios x models x values; `pool` lists the scenarios to look at, all of them by
/// default. The rule is that of [`outliers`](crate::outliers()), over all models. The direction is
/// that of the value the model disagrees with most others on, the lowest index among equals:
/// high when its score is above the mean of the other complete models. A pool that keeps only high
/// disagreement loses most lone models, whose panel stays below 1.5.
///
/// Errors as `outliers`, and on a scenario index out of range. Cost O(pool x models^2 x values).
///
/// ```
/// use specstress_stats::ndarray::Array3;
/// use specstress_stats::{Confidence, OutlierParams, outlier_counts};
///
/// let mut scores = Array3::<u8>::from_elem((10, 12, 2), 1);
/// scores[[3, 7, 1]] = 5;
/// let found = outlier_counts(scores.view(), None, &OutlierParams::default(), Confidence::default())?;
/// assert_eq!(found.models[7].rate.successes, 1);
/// assert_eq!(found.models[7].directions[1].high, 1);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn outlier_counts<S: Score>(
    scores: ArrayView3<'_, S>,
    pool: Option<&[usize]>,
    params: &OutlierParams,
    confidence: Confidence,
) -> Result<OutlierCounts, StatsError> {
    let (scenarios, models, values) = scores.dim();
    crate::panel::not_empty(models, values)?;
    let all: Vec<usize>;
    let pool = if let Some(pool) = pool {
        pool
    } else {
        all = (0..scenarios).collect();
        &all
    };
    let mut flagged = vec![0_u64; models];
    let mut complete = vec![0_u64; models];
    let mut directions = vec![vec![DirectedCount::default(); values]; models];
    for (item, &scenario) in pool.iter().enumerate() {
        StatsError::in_range(item, "scenario", scenario, scenarios)?;
        let matrix = scores.index_axis(Axis(0), scenario);
        for (model, standing) in one(matrix, scenario, params)?.into_iter().enumerate() {
            let Some(standing) = standing else { continue };
            complete[model] += 1;
            flagged[model] += u64::from(standing.is_outlier());
            match standing {
                Standing::Inside => {}
                Standing::Above(value) => directions[model][usize::from(value)].high += 1,
                Standing::Below(value) => directions[model][usize::from(value)].low += 1,
            }
        }
    }
    let models = directions
        .into_iter()
        .enumerate()
        .map(|(model, directions)| {
            Ok(ModelOutlierCount {
                model,
                rate: proportion(flagged[model], complete[model], confidence)?,
                directions,
                dropped: pool.len() - usize::try_from(complete[model]).unwrap_or(pool.len()),
            })
        })
        .collect::<Result<Vec<_>, StatsError>>()?;
    Ok(OutlierCounts {
        models,
        n: pool.len(),
    })
}
