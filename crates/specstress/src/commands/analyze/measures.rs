//! What is measured of every pool, added up over the pools.

use specstress_scenarios::Nudge;
use specstress_stats::ndarray::ArrayView2;
use specstress_stats::{
    ClusterMoments, ClusterSum, Disagreement, DisagreementParams, Dispersion, OutlierParams,
    OutlierReading, PopulationStd, Ratio, SampleStd, Standing, StatsError, Threshold, disagreement,
    disagreement_panels, outliers, standings,
};

use super::pool::Pool;
use super::subsets::Places;
use crate::cli::{AnalyzeArgs, OutliersArg, StdArg};

/// Histogram cells are this wide.
pub(super) const CELL: f64 = 0.25;

/// The rules that rows are measured by.
pub(super) struct Rules {
    pub(super) models: Vec<String>,
    pub(super) subsets: Vec<Places>,
    params: DisagreementParams<Box<dyn Dispersion + Sync>>,
    outliers: OutlierParams,
    threshold: Threshold,
    /// What the squared range of two scores is divided by to give their squared dispersion.
    pair_scale: u64,
}

impl Rules {
    pub(super) fn new(
        models: &[String],
        subsets: Vec<Places>,
        args: &AnalyzeArgs,
    ) -> anyhow::Result<Self> {
        let (dispersion, pair_scale): (Box<dyn Dispersion + Sync>, u64) = match args.std {
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
        let threshold = Threshold::new(args.threshold)
            .map_err(|error| anyhow::Error::new(error).context("--threshold"))?;
        Ok(Self {
            models: models.to_vec(),
            subsets,
            params: DisagreementParams::new(dispersion).threshold(threshold),
            outliers: OutlierParams::default().reading(reading).count(needed)?,
            threshold,
            pair_scale,
        })
    }

    /// The disagreement of each subset on one row, and the places of its outliers.
    pub(super) fn score(
        &self,
        row: &[Option<u8>],
    ) -> Result<(Vec<Disagreement>, Vec<usize>), StatsError> {
        let scores = ArrayView2::from_shape((self.models.len(), 2), row)
            .expect("a row has two positions per model");
        let found = self
            .subsets
            .iter()
            .map(|(_, models)| disagreement(scores, Some(models), &self.params))
            .collect::<Result<_, _>>()?;
        let apart = outliers(scores, None, &self.outliers)?;
        Ok((found, apart.flagged().collect()))
    }

    /// Whether any two models that have both positions reach the threshold by themselves.
    fn furthest(&self, row: &[Option<u8>]) -> Option<bool> {
        let (mut low, mut high, mut models) = ([u8::MAX; 2], [0; 2], 0);
        for model in row.chunks_exact(2) {
            let (Some(first), Some(second)) = (model[0], model[1]) else {
                continue;
            };
            models += 1;
            for (value, position) in [first, second].into_iter().enumerate() {
                low[value] = low[value].min(position);
                high[value] = high[value].max(position);
            }
        }
        if models < 2 {
            return None;
        }
        let range = u64::from((high[0] - low[0]).max(high[1] - low[1]));
        let square = Ratio::new(range * range, self.pair_scale)?;
        Some(
            self.threshold
                .is_reached(square.to_f64().sqrt(), Some(square)),
        )
    }
}

/// Sums over all pools.
#[derive(Debug, Default)]
pub(super) struct Measures {
    pub(super) rows: u64,
    pub(super) scenarios: u64,
    /// In the order of the rules.
    pub(super) subsets: Vec<SubsetSums>,
    pub(super) any_pair: ClusterMoments,
    /// In the order of the models, as the next.
    pub(super) outliers: Vec<OutlierSums>,
    pub(super) nudges: Vec<ClusterMoments>,
}

#[derive(Debug, Default)]
pub(super) struct SubsetSums {
    pub(super) high: ClusterMoments,
    pub(super) high_neutral: ClusterMoments,
    pub(super) high_nudged: ClusterMoments,
    pub(super) mean: ClusterMoments,
    pub(super) unscored: u64,
    pub(super) histogram: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct OutlierSums {
    pub(super) rate: ClusterMoments,
    pub(super) above: u64,
    pub(super) below: u64,
}

/// One number, or none, per row.
fn add_rows(moments: &mut ClusterMoments, pool: &Pool, rows: impl Iterator<Item = Option<f64>>) {
    add_items(moments, pool, rows.zip(&pool.scenarios));
}

/// Items with the scenario of each.
fn add_items<'a>(
    moments: &mut ClusterMoments,
    pool: &Pool,
    items: impl Iterator<Item = (Option<f64>, &'a u32)>,
) {
    let mut sums = vec![ClusterSum::default(); pool.scenario_count()];
    let mut dropped = 0;
    for (value, scenario) in items {
        match value {
            Some(value) => {
                let sum = &mut sums[*scenario as usize];
                sum.n += 1.0;
                sum.total += value;
            }
            None => dropped += 1,
        }
    }
    moments.add_dropped(dropped);
    moments.add(sums.into_iter());
}

fn share(event: Option<bool>) -> Option<f64> {
    event.map(|event| f64::from(u8::from(event)))
}

impl Measures {
    pub(super) fn new(rules: &Rules) -> Self {
        let models = rules.models.len();
        Self {
            subsets: rules
                .subsets
                .iter()
                .map(|_| SubsetSums::default())
                .collect(),
            outliers: (0..models).map(|_| OutlierSums::default()).collect(),
            nudges: vec![ClusterMoments::default(); models],
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, pool: &Pool, rules: &Rules) -> Result<(), StatsError> {
        self.rows += pool.rows() as u64;
        self.scenarios += pool.scenario_count() as u64;
        if pool.rows() == 0 {
            return Ok(());
        }
        let furthest = (0..pool.rows()).map(|row| share(rules.furthest(pool.row(row))));
        add_rows(&mut self.any_pair, pool, furthest);
        self.add_subsets(pool, rules)?;
        self.add_outliers(pool, rules)?;
        self.add_nudges(pool);
        Ok(())
    }

    fn add_subsets(&mut self, pool: &Pool, rules: &Rules) -> Result<(), StatsError> {
        let panels: Vec<&[usize]> = rules.subsets.iter().map(|(_, models)| &**models).collect();
        let found = disagreement_panels(pool.scores(), &panels, &rules.params)?;
        for (sums, found) in self.subsets.iter_mut().zip(&found) {
            let high = || found.iter().map(|one| one.widest().map(|_| one.is_high()));
            let among = |neutral: bool| {
                high().zip(&pool.nudges).map(move |(high, nudge)| {
                    share(high.filter(|_| {
                        nudge.is_some_and(|nudge| (nudge == Nudge::Neutral) == neutral)
                    }))
                })
            };
            add_rows(&mut sums.high, pool, high().map(share));
            add_rows(&mut sums.high_neutral, pool, among(true));
            add_rows(&mut sums.high_nudged, pool, among(false));
            let numbers: Vec<Option<f64>> = found.iter().map(|one| one.max()).collect();
            for value in &numbers {
                match value {
                    Some(value) => count_in(&mut sums.histogram, *value),
                    None => sums.unscored += 1,
                }
            }
            add_rows(&mut sums.mean, pool, numbers.into_iter());
        }
        Ok(())
    }

    fn add_outliers(&mut self, pool: &Pool, rules: &Rules) -> Result<(), StatsError> {
        let found = standings(pool.scores(), &rules.outliers)?;
        for (model, sums) in self.outliers.iter_mut().enumerate() {
            let column = found.column(model);
            for standing in column.iter().flatten() {
                match standing {
                    Standing::Inside => {}
                    Standing::Above(_) => sums.above += 1,
                    Standing::Below(_) => sums.below += 1,
                }
            }
            let flags = column
                .iter()
                .map(|one| share(one.map(Standing::is_outlier)));
            add_rows(&mut sums.rate, pool, flags);
        }
        Ok(())
    }

    /// How far nudges move each model on the value they lean to, against the first neutral question of the scenario.
    fn add_nudges(&mut self, pool: &Pool) {
        let mut neutral: Vec<Option<usize>> = vec![None; pool.scenario_count()];
        for (row, (scenario, nudge)) in pool.scenarios.iter().zip(&pool.nudges).enumerate() {
            if *nudge == Some(Nudge::Neutral) {
                neutral[*scenario as usize].get_or_insert(row);
            }
        }
        // The row, its neutral sibling, and the value it leans to.
        let sibling = |(row, nudge): (usize, &Option<Nudge>)| {
            let value = match (*nudge)? {
                Nudge::Neutral => return None,
                Nudge::Value1 => 0,
                Nudge::Value2 => 1,
            };
            Some((row, neutral[pool.scenarios[row] as usize]?, value))
        };
        let siblings: Vec<(usize, usize, usize)> =
            pool.nudges.iter().enumerate().filter_map(sibling).collect();
        for (model, moments) in self.nudges.iter_mut().enumerate() {
            let position = |row: usize, value: usize| pool.row(row)[2 * model + value];
            let moved = |&(row, sibling, value): &(usize, usize, usize)| {
                let pair = position(row, value).zip(position(sibling, value));
                let moved = pair.map(|(nudged, neutral)| f64::from(nudged) - f64::from(neutral));
                (moved, &pool.scenarios[row])
            };
            add_items(moments, pool, siblings.iter().map(moved));
        }
    }
}

fn count_in(histogram: &mut Vec<u64>, value: f64) {
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
