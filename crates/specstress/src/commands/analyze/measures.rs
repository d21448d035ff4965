//! What is measured of every pool, added up over the pools.

use rayon::prelude::*;
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
        put(&mut sums[*scenario as usize], value, &mut dropped);
    }
    moments.add_dropped(dropped);
    moments.add(sums.into_iter());
}

fn put(sum: &mut ClusterSum, value: Option<f64>, dropped: &mut u64) {
    match value {
        Some(value) => {
            sum.n += 1.0;
            sum.total += value;
        }
        None => *dropped += 1,
    }
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
        // Every sum is one thread's, so that the order of its terms is that of the rows.
        let any_pair = &mut self.any_pair;
        let nudges = &mut self.nudges;
        rayon::join(
            || {
                let furthest = (0..pool.rows()).map(|row| share(rules.furthest(pool.row(row))));
                add_rows(any_pair, pool, furthest);
            },
            || add_nudges(nudges, pool),
        );
        self.add_subsets(pool, rules)?;
        self.add_outliers(pool, rules)
    }

    fn add_subsets(&mut self, pool: &Pool, rules: &Rules) -> Result<(), StatsError> {
        let panels: Vec<&[usize]> = rules.subsets.iter().map(|(_, models)| &**models).collect();
        let found = disagreement_panels(pool.scores(), &panels, &rules.params)?;
        let subsets = self.subsets.par_iter_mut().zip(&found);
        subsets.for_each(|(sums, found)| {
            let mut numbers = vec![[ClusterSum::default(); 4]; pool.scenario_count()];
            let mut dropped = [0; 4];
            let rows = found.iter().zip(&pool.nudges).zip(&pool.scenarios);
            for ((one, nudge), scenario) in rows {
                let max = one.max();
                match max {
                    Some(max) => count_in(&mut sums.histogram, max),
                    None => sums.unscored += 1,
                }
                let high = share(max.map(|_| one.is_high()));
                let among = |neutral| {
                    high.filter(|_| nudge.is_some_and(|own| (own == Nudge::Neutral) == neutral))
                };
                let of_scenario = &mut numbers[*scenario as usize];
                let values = [high, among(true), among(false), max];
                for ((value, sum), dropped) in values.iter().zip(of_scenario).zip(&mut dropped) {
                    put(sum, *value, dropped);
                }
            }
            let moments = [
                &mut sums.high,
                &mut sums.high_neutral,
                &mut sums.high_nudged,
                &mut sums.mean,
            ];
            for (at, moments) in moments.into_iter().enumerate() {
                moments.add_dropped(dropped[at]);
                moments.add(numbers.iter().map(|sums| sums[at]));
            }
        });
        Ok(())
    }

    fn add_outliers(&mut self, pool: &Pool, rules: &Rules) -> Result<(), StatsError> {
        let found = standings(pool.scores(), &rules.outliers)?;
        let models = self.outliers.par_iter_mut().enumerate();
        models.for_each(|(model, sums)| {
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
        });
        Ok(())
    }
}

/// How far nudges move each model on the value they lean to, against the first neutral question of the scenario.
fn add_nudges(models: &mut [ClusterMoments], pool: &Pool) {
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
    models
        .par_iter_mut()
        .enumerate()
        .for_each(|(model, moments)| {
            let position = |row: usize, value: usize| pool.row(row)[2 * model + value];
            let moved = |&(row, sibling, value): &(usize, usize, usize)| {
                let pair = position(row, value).zip(position(sibling, value));
                let moved = pair.map(|(nudged, neutral)| f64::from(nudged) - f64::from(neutral));
                (moved, &pool.scenarios[row])
            };
            add_items(moments, pool, siblings.iter().map(moved));
        });
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use specstress_dataset::published::PositionBlock;
    use specstress_stats::Confidence;

    use super::super::pool::Share;
    use super::*;
    use crate::cli::{Cli, Command};

    /// Rows of 3 models; siblings stand 400 rows apart, some rows have gaps or no scenario.
    fn block(rows: std::ops::Range<usize>) -> PositionBlock {
        let mut block = PositionBlock::default();
        for row in rows {
            let mixed = |cell: usize| {
                let spread = (row * 6 + cell + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (spread ^ (spread >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 50
            };
            for cell in 0..6 {
                let drawn = mixed(cell) % 8;
                block
                    .positions
                    .push(u8::try_from(drawn).ok().filter(|drawn| *drawn < 7));
            }
            let nudge = [Nudge::Neutral, Nudge::Value1, Nudge::Value2][row / 400 % 3];
            block.nudges.push((row % 17 != 0).then_some(nudge));
            block.chunks.push((row % 29 != 0).then_some(4));
            block.entries.push(i64::try_from(row % 400).ok());
        }
        block
    }

    #[test]
    fn parts_say_what_the_whole_says() {
        let models = ["a", "b", "c"].map(str::to_owned);
        let Command::Analyze(args) = Cli::parse_from(["specstress", "analyze", "x"]).command else {
            unreachable!("that is the command");
        };
        let subsets = vec![
            ("all".to_owned(), vec![0, 1, 2]),
            ("pair".to_owned(), vec![0, 2]),
        ];
        let rules = Rules::new(&models, subsets, &args).unwrap();
        let measured = |most: usize| {
            let mut found = Measures::new(&rules);
            let mut share = Share::ALL;
            while share.part < share.parts {
                let mut pool = Pool::of_most(3, share, most);
                for from in (0..1_200).step_by(300) {
                    pool.add(&block(from..from + 300));
                }
                found.add(&pool, &rules).unwrap();
                share.parts = pool.share.parts;
                share.part += 1;
            }
            (found, share.parts)
        };
        let (whole, one) = measured(usize::MAX);
        let (parts, several) = measured(200);
        assert!(one == 1 && several >= 8);
        assert_eq!((whole.rows, whole.scenarios), (parts.rows, parts.scenarios));
        let level = Confidence::default();
        let same = |one: &ClusterMoments, other: &ClusterMoments| {
            let (one, other) = (one.mean(level), other.mean(level));
            assert_eq!((one.n, one.dropped), (other.n, other.dropped));
            assert_eq!(one.clusters, other.clusters);
            let close = |one: Option<f64>, other: Option<f64>| {
                (one.expect("a number") - other.expect("a number")).abs() < 1e-12
            };
            assert!(close(one.mean, other.mean), "{one:?} is not {other:?}");
            assert!(
                close(one.standard_error, other.standard_error),
                "{one:?}, {other:?}"
            );
        };
        same(&whole.any_pair, &parts.any_pair);
        for (one, other) in whole.subsets.iter().zip(&parts.subsets) {
            same(&one.high, &other.high);
            same(&one.high_neutral, &other.high_neutral);
            same(&one.high_nudged, &other.high_nudged);
            same(&one.mean, &other.mean);
            assert_eq!(one.unscored, other.unscored);
            assert_eq!(one.histogram, other.histogram);
        }
        for (one, other) in whole.outliers.iter().zip(&parts.outliers) {
            same(&one.rate, &other.rate);
            assert_eq!((one.above, one.below), (other.above, other.below));
        }
        for (one, other) in whole.nudges.iter().zip(&parts.nudges) {
            same(one, other);
        }
        let (above, pairs) = (whole.outliers[0].above, whole.nudges[0].mean(level).n);
        assert!(
            above > 0 && pairs > 300,
            "{above} outliers and {pairs} pairs"
        );
    }
}
