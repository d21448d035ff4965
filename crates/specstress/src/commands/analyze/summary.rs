//! What a file says, with intervals.

use std::collections::BTreeMap;

use serde::Serialize;
use specstress_scenarios::Nudge;
use specstress_stats::ndarray::Array3;
use specstress_stats::{
    ClusteredMean, ClusteredProportion, Confidence, NudgePair, clustered_mean,
    clustered_proportion, nudge_effects, outlier_counts,
};

use super::scorer::{Scorer, Subset};
use crate::cli::{AnalyzeArgs, StdArg};

/// Histogram cells are this wide.
const CELL: f64 = 0.25;

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) files: Vec<String>,
    pub(super) rows: usize,
    /// Groups of rows that share `chunk_index` and `entry_idx`; intervals take their rows to be alike.
    pub(super) scenarios: usize,
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
    pub(super) unscored: usize,
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

impl Scorer {
    pub(super) fn summary(self, args: &AnalyzeArgs) -> anyhow::Result<Summary> {
        let mut names = self.scenarios.clone();
        names.sort_unstable();
        names.dedup();
        Ok(Summary {
            files: args
                .files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            rows: self.rows(),
            scenarios: names.len(),
            models: self.models.len(),
            std: match args.std {
                StdArg::Population => "population",
                StdArg::Sample => "sample",
            },
            threshold: args.threshold,
            subsets: self
                .subsets
                .iter()
                .map(|subset| self.subset(subset))
                .collect::<anyhow::Result<_>>()?,
            any_pair: self.share(&self.any_pair)?,
            outliers: self.outlier_summary()?,
            nudges: self.nudge_summary()?,
        })
    }

    fn share(&self, events: &[Option<bool>]) -> anyhow::Result<ClusteredProportion> {
        Ok(clustered_proportion(
            events,
            Some(&self.scenarios),
            Confidence::default(),
        )?)
    }

    fn subset(&self, subset: &Subset) -> anyhow::Result<SubsetSummary> {
        let among = |neutral: bool| {
            let rows = subset.high.iter().zip(&self.nudges);
            let kept = rows.map(|(high, nudge)| {
                high.filter(|_| nudge.is_some_and(|n| (n == Nudge::Neutral) == neutral))
            });
            self.share(&kept.collect::<Vec<_>>())
        };
        let mut histogram: Vec<u64> = Vec::new();
        for value in subset.disagreement.iter().flatten() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a standard deviation of scores from 0 to 6 is small and not negative"
            )]
            let cell = (value / CELL) as usize;
            if histogram.len() <= cell {
                histogram.resize(cell + 1, 0);
            }
            histogram[cell] += 1;
        }
        let cells = histogram.into_iter().enumerate();
        Ok(SubsetSummary {
            name: subset.name.clone(),
            models: subset
                .models
                .iter()
                .map(|&model| self.models[model].clone())
                .collect(),
            high: self.share(&subset.high)?,
            high_neutral: among(true)?,
            high_nudged: among(false)?,
            mean: clustered_mean(
                &subset.disagreement,
                Some(&self.scenarios),
                Confidence::default(),
            )?,
            unscored: subset
                .disagreement
                .iter()
                .filter(|found| found.is_none())
                .count(),
            histogram: cells
                .map(|(cell, rows)| Cell {
                    from: cell as f64 * CELL,
                    rows,
                })
                .collect(),
        })
    }

    fn outlier_summary(&self) -> anyhow::Result<Vec<OutlierSummary>> {
        let shape = (self.rows(), self.models.len(), 2);
        let scores = Array3::from_shape_vec(shape, self.positions.clone())?;
        let counts = outlier_counts(
            scores.view(),
            None,
            &self.outlier_params,
            Confidence::default(),
        )?;
        let models = self.models.iter().zip(&self.outliers).zip(counts.models);
        models
            .map(|((model, flags), count)| {
                Ok(OutlierSummary {
                    model: model.clone(),
                    rate: self.share(flags)?,
                    high: count.directions.iter().map(|side| side.high).sum(),
                    low: count.directions.iter().map(|side| side.low).sum(),
                })
            })
            .collect()
    }

    fn nudge_summary(&self) -> anyhow::Result<Vec<NudgeSummary>> {
        let mut neutral: BTreeMap<u64, usize> = BTreeMap::new();
        for (row, (scenario, nudge)) in self.scenarios.iter().zip(&self.nudges).enumerate() {
            if *nudge == Some(Nudge::Neutral) {
                neutral.entry(*scenario).or_insert(row);
            }
        }
        // The row, its neutral sibling, and the value it leans to.
        let siblings: Vec<(usize, usize, usize)> = self
            .nudges
            .iter()
            .enumerate()
            .filter_map(|(row, nudge)| {
                let value = match (*nudge)? {
                    Nudge::Neutral => return None,
                    Nudge::Value1 => 0,
                    Nudge::Value2 => 1,
                };
                Some((row, *neutral.get(&self.scenarios[row])?, value))
            })
            .collect();
        let models = self.models.iter().enumerate();
        models
            .map(|(at, model)| {
                let position = |row: usize, value: usize| {
                    self.positions[(row * self.models.len() + at) * 2 + value].map(f64::from)
                };
                let pair = |&(row, sibling, value): &(usize, usize, usize)| NudgePair {
                    cluster: self.scenarios[row],
                    category: 0,
                    neutral: position(sibling, value),
                    nudged: position(row, value),
                };
                let pairs: Vec<NudgePair> = siblings.iter().map(pair).collect();
                let effect = nudge_effects(1, &pairs, Confidence::default())?.overall;
                Ok(NudgeSummary {
                    model: model.clone(),
                    effect,
                })
            })
            .collect()
    }
}
