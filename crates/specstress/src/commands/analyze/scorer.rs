//! Scores row by row, and what of each row the summary needs.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;
use specstress_dataset::published::PublishedRow;
use specstress_scenarios::Nudge;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    DisagreementParams, Dispersion, OutlierParams, OutlierReading, PopulationStd, Ratio, SampleStd,
    Threshold, disagreement, outliers,
};

use super::subsets;
use crate::cli::{AnalyzeArgs, OutliersArg, StdArg};

#[derive(Debug, Serialize)]
pub(super) struct ScoredRow {
    chunk_index: Option<i64>,
    entry_idx: Option<i64>,
    nudge_direction: Option<&'static str>,
    subsets: BTreeMap<String, Score>,
    outliers: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Score {
    disagreement: Option<f64>,
    high: bool,
}

/// A subset with its figures by row.
#[derive(Debug)]
pub(super) struct Subset {
    pub(super) name: String,
    pub(super) models: Vec<usize>,
    pub(super) disagreement: Vec<Option<f64>>,
    pub(super) high: Vec<Option<bool>>,
}

/// Everything by row; some 100 bytes each for twelve models.
pub(super) struct Scorer {
    pub(super) models: Vec<String>,
    pub(super) subsets: Vec<Subset>,
    /// Whether the two models furthest apart are a pair of high disagreement.
    pub(super) any_pair: Vec<Option<bool>>,
    /// By model: whether it is an outlier; unknown where it lacks a position.
    pub(super) outliers: Vec<Vec<Option<bool>>>,
    /// Rows x models x values.
    pub(super) positions: Vec<Option<u8>>,
    pub(super) nudges: Vec<Option<Nudge>>,
    /// The scenario of each row; siblings share it.
    pub(super) scenarios: Vec<u64>,
    pub(super) outlier_params: OutlierParams,
    by_key: BTreeMap<(i64, i64), u64>,
    params: DisagreementParams<Box<dyn Dispersion>>,
    threshold: Threshold,
    /// What the squared range of two scores is divided by to give their squared dispersion.
    pair_scale: u64,
}

impl Scorer {
    pub(super) fn new(
        models: &[String],
        extra: &[(String, Vec<String>)],
        args: &AnalyzeArgs,
    ) -> anyhow::Result<Self> {
        let (dispersion, pair_scale): (Box<dyn Dispersion>, u64) = match args.std {
            StdArg::Population => (Box::new(PopulationStd), 4),
            StdArg::Sample => (Box::new(SampleStd), 2),
        };
        let reading = match args.outliers {
            OutliersArg::Either => OutlierReading::Either,
            OutliersArg::Same => OutlierReading::Same,
            OutliersArg::Both => OutlierReading::Both,
        };
        // Nine of eleven, rounded up for other panels.
        let needed = ((models.len().saturating_sub(1)) * 9).div_ceil(11).max(1);
        let threshold = Threshold::new(args.threshold).context("--threshold")?;
        let subset = |(name, models)| Subset {
            name,
            models,
            disagreement: Vec::new(),
            high: Vec::new(),
        };
        Ok(Self {
            models: models.to_vec(),
            subsets: subsets::all(models, extra)?
                .into_iter()
                .map(subset)
                .collect(),
            any_pair: Vec::new(),
            outliers: vec![Vec::new(); models.len()],
            positions: Vec::new(),
            nudges: Vec::new(),
            scenarios: Vec::new(),
            outlier_params: OutlierParams::default().reading(reading).count(needed)?,
            by_key: BTreeMap::new(),
            params: DisagreementParams::new(dispersion).threshold(threshold),
            threshold,
            pair_scale,
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.scenarios.len()
    }

    pub(super) fn score(&mut self, row: &PublishedRow) -> anyhow::Result<ScoredRow> {
        self.place(row);
        let scores = Array2::from_shape_fn((self.models.len(), 2), |(model, value)| {
            let (first, second) = row.positions[model];
            if value == 0 { first } else { second }
        });
        let mut subsets = BTreeMap::new();
        for subset in &mut self.subsets {
            let found = disagreement(scores.view(), Some(&subset.models), &self.params)?;
            subset.disagreement.push(found.max);
            subset.high.push(found.max.map(|_| found.high));
            subsets.insert(
                subset.name.clone(),
                Score {
                    disagreement: found.max,
                    high: found.high,
                },
            );
        }
        self.any_pair.push(self.furthest(row));
        let found = outliers(scores.view(), None, &self.outlier_params)?;
        for (model, known) in found.models.iter().zip(&mut self.outliers) {
            let complete = scores.row(model.model).iter().all(Option::is_some);
            known.push(complete.then_some(model.outlier));
        }
        self.positions.extend(scores);
        Ok(ScoredRow {
            chunk_index: row.chunk_index,
            entry_idx: row.entry_idx,
            nudge_direction: row.nudge_direction.map(Nudge::as_str),
            subsets,
            outliers: found
                .flagged()
                .map(|model| self.models[model].clone())
                .collect(),
        })
    }

    /// Siblings of one triple share the two indices; a row without them stands alone.
    fn place(&mut self, row: &PublishedRow) {
        let next = self.scenarios.len() as u64;
        let scenario = match row.chunk_index.zip(row.entry_idx) {
            Some(key) => *self.by_key.entry(key).or_insert(next),
            None => next,
        };
        self.scenarios.push(scenario);
        self.nudges.push(row.nudge_direction);
    }

    /// Whether any two models that have both positions reach the threshold by themselves.
    fn furthest(&self, row: &PublishedRow) -> Option<bool> {
        let complete = row
            .positions
            .iter()
            .filter_map(|(first, second)| Some([(*first)?, (*second)?]));
        let complete: Vec<[u8; 2]> = complete.collect();
        if complete.len() < 2 {
            return None;
        }
        let range = |value: usize| {
            let of = || complete.iter().map(|positions| positions[value]);
            of().max()
                .zip(of().min())
                .map_or(0, |(high, low)| u64::from(high - low))
        };
        let range = range(0).max(range(1));
        let square = Ratio::new(range * range, self.pair_scale)?;
        Some(
            self.threshold
                .is_reached(square.to_f64().sqrt(), Some(square)),
        )
    }
}
