use ndarray::{ArrayView3, ArrayView4, Axis};
use rand::RngExt;

use super::components::{VarianceComponents, split};
use crate::parallel::map_indices;
use crate::resample::stream;
use crate::score::{Reading, Score, read};
use crate::{
    Adjustment, Confidence, DisagreementParams, Permutations, Proportion, StatsError, Threshold,
    adjust_p_values, disagreement, proportion,
};

/// How noise is told from disagreement.
///
/// ```
/// use specstress_stats::{Adjustment, NoiseParams, Permutations};
///
/// let params = NoiseParams::new(Permutations::new(999, 1)?)
///     .level(0.1)?
///     .adjustment(Adjustment::BenjaminiYekutieli)
///     .floor(0.8)?;
/// # let _ = params;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseParams {
    permutations: Permutations,
    level: f64,
    adjustment: Adjustment,
    floor: f64,
    threshold: Threshold,
}

impl NoiseParams {
    /// A false discovery rate of 0.05 by Benjamini-Hochberg, no floor, and the bar 1.5.
    pub fn new(permutations: Permutations) -> Self {
        Self {
            permutations,
            level: 0.05,
            adjustment: Adjustment::default(),
            floor: 0.0,
            threshold: Threshold::default(),
        }
    }

    /// Sets the level that adjusted p-values are held against, in `(0, 1)`.
    pub fn level(mut self, level: f64) -> Result<Self, StatsError> {
        self.level = Confidence::new(level)?.level();
        Ok(self)
    }

    /// Sets what the adjustment controls.
    #[must_use]
    pub fn adjustment(mut self, adjustment: Adjustment) -> Self {
        self.adjustment = adjustment;
        self
    }

    /// Sets the net disagreement that a flag must exceed to survive, such as a
    /// [`noise_floor`](crate::noise_floor()); not negative.
    pub fn floor(mut self, floor: f64) -> Result<Self, StatsError> {
        self.floor = Threshold::new(floor)?.value();
        Ok(self)
    }

    /// Sets the bar of high disagreement.
    #[must_use]
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }
}

/// Disagreement and noise of one scenario.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ScenarioNoise {
    /// Variance components per value.
    pub per_value: Vec<VarianceComponents>,
    /// `D` from the first sample of each model, as a study with one sample would have it.
    pub single: Option<f64>,
    /// Largest net disagreement of the values, see [`VarianceComponents::net`].
    pub net: Option<f64>,
    /// Permutation p-value of "the models are all alike"; `None` without two models, one of
    /// which has two samples.
    pub p: Option<f64>,
    /// `p` adjusted over the scenarios.
    pub adjusted: Option<f64>,
    /// Whether `single` reaches the bar.
    pub flagged: bool,
    /// Whether a flag stands: adjusted p-value at most the level and `net` above the floor.
    pub survives: bool,
}

/// What is left of the flags of a study when noise is taken into account.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NoiseReport {
    /// Every scenario, in order.
    pub scenarios: Vec<ScenarioNoise>,
    /// Flags that survive, of flags that were tested.
    pub surviving: Proportion,
    /// Scenarios with a p-value.
    pub n: usize,
    /// Scenarios without.
    pub dropped: usize,
}

/// Tells disagreement between models from noise within them, over many scenarios.
///
/// ```text
/// T = max over values of sum_i n_i (m_i - m)^2        (i over models, n_i samples each)
/// p = (1 + #{ T* >= T }) / (1 + draws)
/// ```
///
/// `samples` is scenarios x models x values x samples: the whole pipeline up to the score is
/// run again per sample. If the models were alike their samples could be swapped: each draw
/// deals all samples of the scenario out to the models anew, the values of one sample staying
/// together. A sample that lacks any value is left out. `T*` within 1e-9 of `T` relative counts
/// as reaching it. p-values are adjusted over the scenarios; a flag (`D >= 1.5` in sample 0)
/// survives when its adjusted p-value is at most the level and its net disagreement exceeds
/// the floor. Needs about `20 x scenarios / expected findings` draws for any to be possible.
///
/// Errors on an empty axis and numbers that are not finite. Cost O(scenarios x draws x samples),
/// on all cores with `rayon`; scenario `i` has its own stream of the seed.
///
/// ```
/// use specstress_stats::ndarray::Array4;
/// use specstress_stats::{NoiseParams, Permutations, disagreement_noise};
///
/// // Scenario 0: six models, half at 0 and half at 6; scenario 1: every model all over.
/// let samples = Array4::from_shape_fn((2, 6, 1, 4), |(scenario, model, _, sample)| {
///     if scenario == 0 { 6 * (model % 2) as u8 } else { 2 * ((model + sample) % 4) as u8 }
/// });
/// let found = disagreement_noise(samples.view(), &NoiseParams::new(Permutations::new(999, 1)?))?;
/// assert!(found.scenarios[0].survives);
/// assert!(found.scenarios[1].flagged && !found.scenarios[1].survives);
/// assert_eq!(found.surviving.rate, Some(0.5));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn disagreement_noise<S: Score>(
    samples: ArrayView4<'_, S>,
    params: &NoiseParams,
) -> Result<NoiseReport, StatsError> {
    let (count, models, values, rounds) = samples.dim();
    crate::panel::not_empty(models, values)?;
    crate::panel::not_empty(models, rounds)?;
    let mut scenarios = map_indices(count, |at| {
        one(samples.index_axis(Axis(0), at), at, params).map_err(|source| StatsError::Scenario {
            scenario: at,
            source: Box::new(source),
        })
    })
    .into_iter()
    .collect::<Result<Vec<_>, _>>()?;

    let p: Vec<Option<f64>> = scenarios.iter().map(|scenario| scenario.p).collect();
    let adjusted = adjust_p_values(&p, params.adjustment)?;
    let (mut tested, mut standing) = (0, 0);
    for (scenario, &p) in scenarios.iter_mut().zip(&adjusted.p) {
        scenario.adjusted = p;
        let real = p.is_some_and(|p| p <= params.level)
            && scenario.net.is_some_and(|net| net > params.floor);
        scenario.survives = scenario.flagged && real;
        tested += u64::from(scenario.flagged && p.is_some());
        standing += u64::from(scenario.survives);
    }
    Ok(NoiseReport {
        scenarios,
        surviving: proportion(standing, tested, Confidence::default())?,
        n: adjusted.n,
        dropped: adjusted.dropped,
    })
}

fn one<S: Score>(
    samples: ArrayView3<'_, S>,
    stream_of: usize,
    params: &NoiseParams,
) -> Result<ScenarioNoise, StatsError> {
    let (models, values, rounds) = samples.dim();
    // Complete samples, model by model: `sizes` counts them, `deck[value]` lines them up.
    let mut sizes = Vec::with_capacity(models);
    let mut deck: Vec<Vec<f64>> = vec![Vec::new(); values];
    for model in 0..models {
        let before = deck[0].len();
        for round in 0..rounds {
            let mut scores = Vec::with_capacity(values);
            for value in 0..values {
                let score = read(samples[[model, value, round]], model, value)?;
                scores.extend(score.map(Reading::to_f64));
            }
            if scores.len() == values {
                for (deck, score) in deck.iter_mut().zip(scores) {
                    deck.push(score);
                }
            }
        }
        sizes.push(deck[0].len() - before);
    }
    let per_value: Vec<VarianceComponents> = deck
        .iter()
        .map(|deck| {
            let mut rest = deck.as_slice();
            let groups = sizes.iter().map(|&size| {
                let (group, after) = rest.split_at(size);
                rest = after;
                group.to_vec()
            });
            split(&groups.collect::<Vec<_>>(), models * rounds)
        })
        .collect();
    let net: Option<Vec<f64>> = per_value.iter().map(|parts| parts.net).collect();
    let bar = DisagreementParams::default().threshold(params.threshold);
    let single = disagreement(samples.index_axis(Axis(2), 0), None, &bar)?;
    let testable = net.is_some();
    Ok(ScenarioNoise {
        single: single.max,
        net: net.map(|net| net.into_iter().fold(0.0, f64::max)),
        p: testable.then(|| permuted(&deck, &sizes, stream_of, params.permutations)),
        adjusted: None,
        flagged: single.high,
        survives: false,
        per_value,
    })
}

fn permuted(deck: &[Vec<f64>], sizes: &[usize], stream_of: usize, how: Permutations) -> f64 {
    // Centred scores: the sum over models of n m^2 is then the statistic itself.
    let deck: Vec<Vec<f64>> = deck
        .iter()
        .map(|scores| {
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            scores.iter().map(|score| score - mean).collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..deck[0].len()).collect();
    let spread = |order: &[usize]| {
        let of_value = |scores: &Vec<f64>| {
            let mut rest = order;
            let mut sum = 0.0;
            for &size in sizes.iter().filter(|size| **size > 0) {
                let (group, after) = rest.split_at(size);
                rest = after;
                sum += group.iter().map(|&at| scores[at]).sum::<f64>().powi(2) / size as f64;
            }
            sum
        };
        deck.iter().map(of_value).fold(0.0, f64::max)
    };
    let bar = spread(&order) * (1.0 - 1e-9);
    let mut rng = stream(how.seed, stream_of);
    let mut reached = 0;
    for _ in 0..how.draws {
        for at in (1..order.len()).rev() {
            order.swap(at, rng.random_range(0..=at));
        }
        reached += usize::from(spread(&order) >= bar);
    }
    (reached + 1) as f64 / (how.draws + 1) as f64
}
