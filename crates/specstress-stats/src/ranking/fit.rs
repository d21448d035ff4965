use std::f64::consts::LN_10;

use super::likelihood::{Curvature, Item, Likelihood, usable};
use super::linear::{dot, inverse_diagonal, solve};
use super::params::{NudgedComparison, RankingParams, Shrinkage, StandardErrors};
use crate::StatsError;

/// Variance of log odds from which data are taken to say nothing.
const UNDETERMINED: f64 = 1e4;

/// One value of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RankedItem {
    /// Index of the value.
    pub item: usize,
    /// Utility; all utilities sum to 0. A difference of 1 is odds of e to 1.
    pub theta: f64,
    /// Standard error of `theta`; `None` when not asked for, or not determined by the data.
    pub standard_error: Option<f64>,
    /// `1500 + 400 / ln 10 * theta`.
    pub elo: f64,
    /// Comparisons of the value; with 0 its `theta` is the shrinkage's alone.
    pub n: usize,
}

/// A term that all comparisons share.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Term {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error; `None` as for [`RankedItem::standard_error`].
    pub standard_error: Option<f64>,
}

/// A fitted ranking.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BradleyTerry {
    /// One entry per value, in index order.
    pub items: Vec<RankedItem>,
    /// Advantage of the value named first.
    pub intercept: Term,
    /// Effect of a nudge; `None` when no question was nudged.
    pub nudge: Option<Term>,
    /// Log of Davidson's `nu`; `None` without modelled ties.
    pub tie: Option<Term>,
    /// Log-likelihood, without the penalty.
    pub log_likelihood: f64,
    /// Comparisons used.
    pub n: usize,
    /// Comparisons dropped: unknown, of a value with itself, or ties when these are dropped.
    pub dropped: usize,
    /// Newton steps made.
    pub iterations: usize,
    /// Whether the gradient vanished.
    pub converged: bool,
}

impl BradleyTerry {
    /// Values by falling utility, the lower index first among equals.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by(|&a, &b| self.items[b].theta.total_cmp(&self.items[a].theta));
        order
    }
}

/// Utilities of values from one model's choices (Bradley & Terry 1952; ties, Davidson 1970; the
/// intercept and nudge term, Hua 2026).
///
/// ```text
/// eta = intercept + theta_first - theta_second + nudge * b,   b = +1 toward first, -1 toward second
/// P(first) : P(second) : P(tie) = exp(eta/2) : exp(-eta/2) : nu
/// minimise  -log likelihood + shrinkage
/// ```
///
/// Without ties this is the logistic `P(first) = 1 / (1 + exp(-eta))`. Values run from 0 to
/// `values - 1`. Minimised by Newton steps solved with conjugate gradients, each halved until it
/// helps. Utilities are centred at the end; standard errors are of the centred utilities and take the
/// shrinkage as a prior. Comparisons are taken as independent, and preferences as transitive
/// ([`transitivity`](crate::transitivity())).
///
/// Errors on a value out of range, no values, and unusable shrinkage. Cost O(comparisons) per
/// conjugate step, some hundred steps; standard errors see [`StandardErrors`].
///
/// ```
/// use specstress_stats::{NudgedComparison, Preference, RankingParams, Toward, bradley_terry};
///
/// let choice = |first, second, preference| NudgedComparison {
///     first, second, toward: Toward::Neither, preference: Some(preference),
/// };
/// let choices = [
///     choice(0, 1, Preference::First),
///     choice(1, 2, Preference::First),
///     choice(2, 0, Preference::Second),
///     choice(2, 1, Preference::Tie),
/// ];
/// let found = bradley_terry(3, &choices, &RankingParams::default())?;
/// assert_eq!(found.order(), [0, 1, 2]);
/// assert_eq!((found.n, found.nudge), (4, None));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn bradley_terry(
    values: usize,
    comparisons: &[NudgedComparison],
    params: &RankingParams,
) -> Result<BradleyTerry, StatsError> {
    check(values, comparisons, params)?;
    let items = usable(comparisons, params);
    let model = Likelihood::new(&items, values, params);
    let found = minimise(&model, vec![0.0; model.size()], params.iterations, 1e-10);
    let variances = match params.errors {
        StandardErrors::Exact => variances(&model, &found.curvature, &params.shrinkage),
        StandardErrors::Skip => None,
    };
    Ok(report(
        &model,
        &found,
        variances.as_deref(),
        comparisons.len(),
    ))
}

/// Refuses what cannot be fitted.
pub(super) fn check(
    values: usize,
    comparisons: &[NudgedComparison],
    params: &RankingParams,
) -> Result<(), StatsError> {
    crate::panel::not_empty(values, 1)?;
    params.check(values)?;
    for (item, comparison) in comparisons.iter().enumerate() {
        for index in [comparison.first, comparison.second] {
            StatsError::in_range(item, "value", index, values)?;
        }
    }
    Ok(())
}

/// Where the minimisation ended.
pub(super) struct Minimum {
    pub(super) at: Vec<f64>,
    pub(super) curvature: Curvature,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Newton steps from a start until the gradient is below `tolerance` per comparison.
pub(super) fn minimise(
    model: &Likelihood<'_>,
    start: Vec<f64>,
    iterations: usize,
    tolerance: f64,
) -> Minimum {
    let mut at = start;
    let bar = tolerance * (1.0 + model.items.len() as f64).sqrt();
    let mut here = model.evaluate(&at);
    let mut made = 0;
    let settled = |gradient: &[f64]| dot(gradient, gradient).sqrt() <= bar;
    while made < iterations && !settled(&here.gradient) {
        made += 1;
        let size = dot(&here.gradient, &here.gradient).sqrt();
        // Loose far from the minimum, tight near it: convergence stays faster than linear.
        let ease = (size / (1.0 + model.items.len() as f64))
            .sqrt()
            .clamp(1e-8, 0.1);
        let diagonal = model.diagonal(&here.curvature);
        let step = solve(
            |by| model.curved(&here.curvature, by),
            &diagonal,
            &here.gradient,
            ease,
        );
        let mut share = 1.0;
        let better = loop {
            let next: Vec<f64> = at.iter().zip(&step).map(|(x, s)| x - share * s).collect();
            let there = model.evaluate(&next);
            // Near the minimum a step changes the loss by less than it is rounded to.
            if there.loss <= here.loss + 1e-12 * here.loss.abs() {
                break Some((next, there));
            }
            share /= 2.0;
            if share < 1e-10 {
                break None;
            }
        };
        let Some((next, there)) = better else { break };
        (at, here) = (next, there);
    }
    Minimum {
        at,
        converged: settled(&here.gradient),
        curvature: here.curvature,
        iterations: made,
    }
}

/// Variances of all parameters, of the utilities after centring.
fn variances(
    model: &Likelihood<'_>,
    curvature: &Curvature,
    shrinkage: &Shrinkage,
) -> Option<Vec<f64>> {
    let size = model.size();
    let mut matrix = model.matrix(curvature);
    // Terms without data would make the matrix singular and have no variance to report.
    for (offset, used) in [true, model.nudged, model.tied].into_iter().enumerate() {
        if !used {
            let at = model.terms() + offset;
            matrix[at * size + at] += 1.0;
        }
    }
    let values = model.values as f64;
    let Shrinkage::Ridge { strength } = shrinkage else {
        // Var(theta_i - mean) from one more column of the inverse, that of the mean.
        let mut mean = vec![0.0; size];
        mean[..model.values].fill(1.0 / values);
        let diagonal = model.diagonal(curvature);
        let with_mean = solve(|by| model.curved(curvature, by), &diagonal, &mean, 1e-12);
        let of_mean = dot(&with_mean, &mean);
        let mut found = inverse_diagonal(matrix, size)?;
        for (variance, with_mean) in found.iter_mut().zip(&with_mean).take(model.values) {
            *variance = (*variance - 2.0 * with_mean + of_mean).max(0.0);
        }
        return Some(found);
    };
    // The same shift of all utilities is an eigenvector with the ridge as eigenvalue. Raising
    // that eigenvalue by `lift` and taking its part out again centres the covariance.
    let lift = 1.0
        + matrix
            .iter()
            .step_by(size + 1)
            .take(model.values)
            .sum::<f64>()
            / values;
    for row in matrix.chunks_exact_mut(size).take(model.values) {
        for cell in &mut row[..model.values] {
            *cell += lift / values;
        }
    }
    let mut found = inverse_diagonal(matrix, size)?;
    for variance in &mut found[..model.values] {
        *variance = (*variance - 1.0 / (values * (strength + lift))).max(0.0);
    }
    Some(found)
}

fn report(
    model: &Likelihood<'_>,
    found: &Minimum,
    variances: Option<&[f64]>,
    comparisons: usize,
) -> BradleyTerry {
    let (at, terms) = (&found.at, model.terms());
    let mean = at[..model.values].iter().sum::<f64>() / model.values as f64;
    // Choices that are all alike leave a term to the floor: it has no error to speak of.
    let error = |index: usize| {
        let variance = variances.map(|variances| variances[index]);
        variance
            .filter(|variance| *variance < UNDETERMINED)
            .map(f64::sqrt)
    };
    let term = |offset: usize| Term {
        estimate: at[terms + offset],
        standard_error: error(terms + offset),
    };
    let mut counts = vec![0; model.values];
    for Item { first, second, .. } in model.items {
        counts[*first as usize] += 1;
        counts[*second as usize] += 1;
    }
    let items = counts.into_iter().enumerate().map(|(item, n)| RankedItem {
        item,
        theta: at[item] - mean,
        standard_error: error(item),
        elo: 1500.0 + 400.0 / LN_10 * (at[item] - mean),
        n,
    });
    BradleyTerry {
        items: items.collect(),
        intercept: term(0),
        nudge: model.nudged.then(|| term(1)),
        tie: model.tied.then(|| term(2)),
        log_likelihood: model.log_likelihood(at),
        n: model.items.len(),
        dropped: comparisons - model.items.len(),
        iterations: found.iterations,
        converged: found.converged,
    }
}
