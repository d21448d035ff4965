//! What the rows say, with intervals.

use serde::Serialize;
use specstress_stats::{ClusteredMean, ClusteredProportion, Confidence};

use super::measures::{CELL, Measures, Rules, SubsetSums};
use crate::cli::{AnalyzeArgs, StdArg};

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) files: Vec<String>,
    pub(super) rows: u64,
    /// Groups of rows that share `chunk_index` and `entry_idx`; intervals take their rows to be alike.
    pub(super) scenarios: u64,
    pub(super) models: usize,
    pub(super) std: &'static str,
    pub(super) threshold: f64,
    pub(super) subsets: Vec<SubsetSummary>,
    /// Rows in which at least two models, taken alone, reach the threshold.
    pub(super) any_pair: ClusteredProportion,
    pub(super) outliers: Vec<OutlierSummary>,
    pub(super) nudges: Vec<NudgeSummary>,
}

#[derive(Debug, Serialize)]
pub(super) struct SubsetSummary {
    pub(super) name: String,
    pub(super) models: Vec<String>,
    /// Rows at or above the threshold, of those with a disagreement.
    pub(super) high: ClusteredProportion,
    /// The same among neutral questions.
    pub(super) high_neutral: ClusteredProportion,
    /// The same among nudged questions.
    pub(super) high_nudged: ClusteredProportion,
    /// Mean disagreement.
    pub(super) mean: ClusteredMean,
    /// Rows without one: fewer than two models have both positions.
    pub(super) unscored: u64,
    pub(super) histogram: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub(super) struct Cell {
    from: f64,
    rows: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct OutlierSummary {
    pub(super) model: String,
    /// Outlier rows, of those with both positions of the model.
    pub(super) rate: ClusteredProportion,
    /// Of the outlier rows, those with the model above the mean of the others.
    pub(super) high: u64,
    /// Those with the model below it.
    pub(super) low: u64,
}

/// How far a nudge toward a value moves a model's position on it, against the neutral sibling.
#[derive(Debug, Serialize)]
pub(super) struct NudgeSummary {
    pub(super) model: String,
    pub(super) effect: ClusteredMean,
}

impl Summary {
    pub(super) fn new(
        files: Vec<String>,
        found: &Measures,
        rules: &Rules,
        args: &AnalyzeArgs,
    ) -> Self {
        let level = Confidence::default();
        let subsets = rules.subsets.iter().zip(&found.subsets);
        let outliers = rules.models.iter().zip(&found.outliers);
        let nudges = rules.models.iter().zip(&found.nudges);
        Self {
            files,
            rows: found.rows,
            scenarios: found.scenarios,
            models: rules.models.len(),
            std: match args.std {
                StdArg::Population => "population",
                StdArg::Sample => "sample",
            },
            threshold: args.threshold,
            subsets: subsets
                .map(|((name, places), sums)| {
                    let models = places.iter().map(|&model| rules.models[model].clone());
                    SubsetSummary::new(name, models.collect(), sums, level)
                })
                .collect(),
            any_pair: found.any_pair.proportion(level),
            outliers: outliers
                .map(|(model, sums)| OutlierSummary {
                    model: model.clone(),
                    rate: sums.rate.proportion(level),
                    high: sums.above,
                    low: sums.below,
                })
                .collect(),
            nudges: nudges
                .map(|(model, moments)| NudgeSummary {
                    model: model.clone(),
                    effect: moments.mean(level),
                })
                .collect(),
        }
    }
}

impl SubsetSummary {
    fn new(name: &str, models: Vec<String>, sums: &SubsetSums, level: Confidence) -> Self {
        let cells = sums.histogram.iter().enumerate();
        Self {
            name: name.to_owned(),
            models,
            high: sums.high.proportion(level),
            high_neutral: sums.high_neutral.proportion(level),
            high_nudged: sums.high_nudged.proportion(level),
            mean: sums.mean.mean(level),
            unscored: sums.unscored,
            histogram: cells
                .map(|(cell, rows)| Cell {
                    from: cell as f64 * CELL,
                    rows: *rows,
                })
                .collect(),
        }
    }
}
