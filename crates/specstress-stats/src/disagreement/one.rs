use ndarray::{ArrayView2, ArrayView3, Axis};

use crate::panel::{Panel, chosen, not_empty};
use crate::score::{Reading, Score};
use crate::{Dispersion, PopulationStd, Ratio, StatsError, Threshold};

/// What to do with a model of the panel that lacks a score.
///
/// In all three, a measure left with fewer scores than it needs
/// ([`Dispersion::min_scores`]) is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum MissingPolicy {
    /// A model that lacks any score is left out of every value (default).
    ///
    /// Both scores of a model come from one reply, so half a reply is not trusted, and every
    /// value is measured over the same panel.
    #[default]
    DropModel,
    /// A missing score is left out of its own value only, so the values may rest on
    /// different panels. The maximum is `None` unless every value has a dispersion.
    DropScore,
    /// Any missing score leaves every dispersion `None`.
    RequireAll,
}

/// How disagreement is measured: the dispersion, the bar for high, and the rule for missing
/// scores. The default is the paper's measure and bar, [`PopulationStd`] and 1.5, with
/// [`MissingPolicy::DropModel`].
///
/// ```
/// use specstress_stats::{DisagreementParams, MissingPolicy, SampleStd, Threshold};
///
/// let params = DisagreementParams::new(SampleStd)
///     .threshold(Threshold::new(2.0)?)
///     .missing(MissingPolicy::RequireAll);
/// # let _ = params;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DisagreementParams<D = PopulationStd> {
    pub(super) dispersion: D,
    pub(super) threshold: Threshold,
    pub(super) missing: MissingPolicy,
}

// For one measure only, so that a bare `DisagreementParams::default()` needs no annotation.
impl Default for DisagreementParams {
    fn default() -> Self {
        Self::new(PopulationStd)
    }
}

impl<D: Dispersion> DisagreementParams<D> {
    /// The given measure with the default bar and rule; a `&dyn Dispersion` works too.
    pub fn new(dispersion: D) -> Self {
        Self {
            dispersion,
            threshold: Threshold::default(),
            missing: MissingPolicy::default(),
        }
    }

    /// Sets the bar at which disagreement counts as high.
    #[must_use]
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the rule for missing scores.
    #[must_use]
    pub fn missing(mut self, missing: MissingPolicy) -> Self {
        self.missing = missing;
        self
    }
}

/// How far one panel disagrees on one scenario.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Disagreement {
    /// Dispersion per value, in column order.
    pub per_value: Vec<Option<f64>>,
    /// `D(x, M)`, the largest of `per_value`; `None` when any of them is.
    pub max: Option<f64>,
    /// `D(x, M)^2` as a ratio of integers, for integer scores and a measure that has one.
    ///
    /// Compare and sort with this, not with `max`, where ties matter.
    pub max_square: Option<Ratio>,
    /// The value `max` belongs to; the lowest index among equals.
    pub widest: Option<usize>,
    /// Models that contributed at least one score.
    pub n: usize,
    /// Models of the panel that lack at least one score.
    pub missing: usize,
    /// Whether `D(x, M)` reaches the threshold; `false` when `max` is `None`.
    pub high: bool,
}

/// Disagreement of a panel on one scenario (paper, page 4).
///
/// ```text
/// D(x, M) = max over values v of dispersion({ r_i^v : i in M })
/// ```
///
/// `scores` is models x values (any number of each, at least one); `subset` lists the rows
/// that form the panel `M`, all of them by default. `high` is decided in integers for integer
/// scores, see [`Threshold`]: with the population standard deviation and 1.5 it is
/// `4*(n*S2 - S1^2) >= 9*n^2`. A panel with fewer scores than the measure needs gives `None`,
/// as does an `f64` dispersion that overflows; `high` is false then.
///
/// Errors on an empty array, a subset index that is absent or repeated, and `f64` scores that
/// are not finite. Cost O(models x values).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{DisagreementParams, disagreement};
///
/// let scores = array![[Some(0_u8), Some(3)], [Some(3), Some(3)], [Some(6), None]];
/// let d = disagreement(scores.view(), None, &DisagreementParams::default())?;
/// assert_eq!(d.per_value, [Some(1.5), Some(0.0)]);
/// assert_eq!((d.n, d.missing, d.high), (2, 1, true));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn disagreement<S: Score, D: Dispersion>(
    scores: ArrayView2<'_, S>,
    subset: Option<&[usize]>,
    params: &DisagreementParams<D>,
) -> Result<Disagreement, StatsError> {
    not_empty(scores.nrows(), scores.ncols())?;
    let models = chosen(scores.nrows(), subset)?;
    Measure::new(params).scenario(scores, &models)
}

/// [`disagreement`] of many scenarios, in their order: scenarios x models x values.
///
/// The same panel is used throughout and checked once; buffers are reused. No scenarios give
/// an empty list. An unusable score is reported as [`StatsError::Scenario`] with the cause in
/// `source()`. Cost O(scenarios x models x values).
pub fn disagreement_batch<S: Score, D: Dispersion>(
    scores: ArrayView3<'_, S>,
    subset: Option<&[usize]>,
    params: &DisagreementParams<D>,
) -> Result<Vec<Disagreement>, StatsError> {
    let (_, rows, columns) = scores.dim();
    not_empty(rows, columns)?;
    let models = chosen(rows, subset)?;
    let mut measure = Measure::new(params);
    scores
        .axis_iter(Axis(0))
        .enumerate()
        .map(|(scenario, matrix)| {
            measure
                .scenario(matrix, &models)
                .map_err(|source| StatsError::Scenario {
                    scenario,
                    source: Box::new(source),
                })
        })
        .collect()
}

/// The buffers of one pass over scenarios.
pub(super) struct Measure<'a, D> {
    params: &'a DisagreementParams<D>,
    panel: Panel,
    column: Vec<Reading>,
    integers: Vec<u32>,
    reals: Vec<f64>,
}

impl<'a, D: Dispersion> Measure<'a, D> {
    pub(super) fn new(params: &'a DisagreementParams<D>) -> Self {
        Self {
            params,
            panel: Panel::default(),
            column: Vec::new(),
            integers: Vec::new(),
            reals: Vec::new(),
        }
    }

    pub(super) fn scenario<S: Score>(
        &mut self,
        scores: ArrayView2<'_, S>,
        models: &[usize],
    ) -> Result<Disagreement, StatsError> {
        self.panel.fill(scores, models)?;
        let complete = |row: &&[Option<Reading>]| row.iter().all(Option::is_some);
        let missing = models.len() - self.panel.rows().filter(complete).count();
        let policy = self.params.missing;
        let n = match policy {
            MissingPolicy::DropModel | MissingPolicy::RequireAll => models.len() - missing,
            MissingPolicy::DropScore => {
                let any = |row: &&[Option<Reading>]| row.iter().any(Option::is_some);
                self.panel.rows().filter(any).count()
            }
        };

        let values = self.panel.values();
        let mut found = Disagreement {
            per_value: vec![None; values],
            max: None,
            max_square: None,
            widest: None,
            n,
            missing,
            high: false,
        };
        if policy == MissingPolicy::RequireAll && missing > 0 {
            return Ok(found);
        }
        let mut widest: Option<(usize, Spread)> = None;
        for value in 0..values {
            self.column.clear();
            self.column.extend(
                self.panel
                    .rows()
                    .filter(|row| policy == MissingPolicy::DropScore || complete(row))
                    .filter_map(|row| row[value]),
            );
            let Some(spread) = self.spread() else {
                continue;
            };
            found.per_value[value] = Some(spread.dispersion);
            if widest.is_none_or(|(_, best)| spread.exceeds(best)) {
                widest = Some((value, spread));
            }
        }
        if let Some((value, spread)) = widest
            && found.per_value.iter().all(Option::is_some)
        {
            found.max = Some(spread.dispersion);
            found.max_square = spread.square;
            found.widest = Some(value);
            found.high = self
                .params
                .threshold
                .is_reached(spread.dispersion, spread.square);
        }
        Ok(found)
    }

    /// The dispersion of the current column, in integers when every score is one.
    fn spread(&mut self) -> Option<Spread> {
        let measure = &self.params.dispersion;
        if self.column.len() < measure.min_scores().max(1) {
            return None;
        }
        self.integers.clear();
        self.integers
            .extend(self.column.iter().filter_map(|reading| match reading {
                Reading::Integer(i) => Some(*i),
                Reading::Real(_) => None,
            }));
        if self.integers.len() == self.column.len()
            && let Some(square) = measure.exact_square(&self.integers)
        {
            return Some(Spread {
                dispersion: square.to_f64().sqrt(),
                square: Some(square),
            });
        }
        self.reals.clear();
        self.reals
            .extend(self.column.iter().map(|reading| reading.to_f64()));
        let dispersion = measure.of(&self.reals);
        // Scores near the end of the range of f64 overflow; no dispersion is infinite or NaN.
        dispersion.is_finite().then_some(Spread {
            dispersion,
            square: None,
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Spread {
    dispersion: f64,
    square: Option<Ratio>,
}

impl Spread {
    fn exceeds(self, other: Self) -> bool {
        match (self.square, other.square) {
            (Some(mine), Some(theirs)) => mine > theirs,
            _ => self.dispersion > other.dispersion,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use ndarray::array;

    use super::*;
    use crate::SampleStd;

    fn of<S: Score>(scores: &ndarray::Array2<S>, policy: MissingPolicy) -> Disagreement {
        let params = DisagreementParams::default().missing(policy);
        disagreement(scores.view(), None, &params).unwrap()
    }

    #[test]
    fn the_exact_bar_is_inclusive() {
        // Six 3s, six 6s: variance exactly 9/4. One point less on one score is below.
        let mut scores =
            ndarray::Array2::from_shape_fn((12, 1), |(i, _)| if i % 2 == 0 { 3_u8 } else { 6 });
        let d = of(&scores, MissingPolicy::DropModel);
        assert_eq!(d.max, Some(1.5));
        assert!(d.high);
        scores[[1, 0]] = 5;
        assert!(!of(&scores, MissingPolicy::DropModel).high);
    }

    #[test]
    fn sample_std_has_its_own_bar() {
        // n*S2 - S1^2 is 54: variance 54/25 for the population, 54/20 for the sample.
        let five = array![[3_u8], [0], [0], [0], [3]];
        let population = of(&five, MissingPolicy::DropModel);
        let sample = disagreement(five.view(), None, &DisagreementParams::new(SampleStd)).unwrap();
        assert!(!population.high);
        assert!(sample.high);
        assert!((sample.max.unwrap() - 2.7_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn missing_scores_follow_the_policy() {
        let scores = array![
            [Some(0_u8), Some(1)],
            [Some(2), None],
            [Some(4), Some(1)],
            [None, None]
        ];
        let model = of(&scores, MissingPolicy::DropModel);
        assert_eq!(model.per_value, [Some(2.0), Some(0.0)]);
        assert_eq!((model.n, model.missing, model.widest), (2, 2, Some(0)));

        let score = of(&scores, MissingPolicy::DropScore);
        assert_eq!(score.per_value, [Some((8.0_f64 / 3.0).sqrt()), Some(0.0)]);
        assert_eq!((score.n, score.missing), (3, 2));

        let all = of(&scores, MissingPolicy::RequireAll);
        assert_eq!(
            (all.per_value, all.max, all.high),
            (vec![None, None], None, false)
        );
    }

    #[test]
    fn a_value_without_dispersion_leaves_the_maximum_open() {
        let scores = array![[Some(0_u8), Some(1)], [Some(6), None]];
        let d = of(&scores, MissingPolicy::DropScore);
        assert_eq!(d.per_value, [Some(3.0), None]);
        assert_eq!((d.max, d.widest, d.high), (None, None, false));
        assert_eq!(of(&array![[5_u8, 1]], MissingPolicy::DropModel).max, None);
    }

    #[test]
    fn equal_values_name_the_first_as_widest() {
        let d = of(&array![[1_u8, 0], [4, 3]], MissingPolicy::DropModel);
        assert_eq!(d.widest, Some(0));
    }

    #[test]
    fn real_scores_are_compared_as_numbers() {
        let d = of(&array![[0.5], [3.5]], MissingPolicy::DropModel);
        assert_eq!((d.max, d.max_square, d.high), (Some(1.5), None, true));
    }

    #[test]
    fn bad_input_is_an_error_that_names_the_place() {
        let params = DisagreementParams::default();
        let empty = ndarray::Array2::<u8>::zeros((0, 2));
        assert_eq!(
            disagreement(empty.view(), None, &params),
            Err(StatsError::EmptyArray {
                rows: 0,
                columns: 2
            })
        );
        let batch = array![[[1.0], [2.0]], [[1.0], [f64::NAN]]];
        let error = disagreement_batch(batch.view(), None, &params).unwrap_err();
        assert_eq!(error.to_string(), "scenario 1 of the batch cannot be used");
        assert_eq!(
            error.source().unwrap().to_string(),
            "score at row 1, column 0 is NaN; pass a finite number, or `None` where it is missing"
        );
    }
}
