use std::collections::BTreeMap;

use ndarray::ArrayView2;
use rand::RngExt;

use super::stream;
use crate::parallel::map_indices;
use crate::quantile::sorted_quantile;
use crate::special::student_half_width;
use crate::{Confidence, Interval, StatsError, normal_cdf};

/// How to resample: the number of draws, the seed, and the level of the interval.
///
/// ```
/// use specstress_stats::{Bootstrap, Confidence};
///
/// let draws = Bootstrap::new(10_000, 42)?.confidence(Confidence::new(0.9)?);
/// # let _ = draws;
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    draws: usize,
    seed: u64,
    confidence: Confidence,
}

impl Bootstrap {
    /// At least one draw, at 95 %.
    pub fn new(draws: usize, seed: u64) -> Result<Self, StatsError> {
        if draws == 0 {
            return Err(StatsError::Parameter {
                name: "number of draws",
                value: 0.0,
                allowed: "at least 1, and 1,000 or more for an interval",
            });
        }
        Ok(Self {
            draws,
            seed,
            confidence: Confidence::default(),
        })
    }

    /// Sets the level of the interval.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }
}

/// A statistic with its bootstrap standard error and expanded percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BootstrapInterval {
    /// The statistic of all clusters, once each.
    pub estimate: Option<f64>,
    /// Sample standard deviation over the defined draws; `None` for fewer than two.
    pub standard_error: Option<f64>,
    /// Percentile interval; `None` with fewer than two clusters, and unless every draw is defined,
    /// as leaving some out would shift it.
    pub interval: Option<Interval>,
    /// Clusters drawn from.
    pub clusters: usize,
    /// Draws made.
    pub draws: usize,
    /// Draws in which the statistic does not exist.
    pub undefined: usize,
}

/// The cluster bootstrap of a statistic that is a function of sums (Davison & Hinkley 1997,
/// section 3.8).
///
/// ```text
/// T* = statistic( sum of the rows of C clusters drawn with replacement from all C )
/// interval = quantiles a and 1 - a of T*, at ranks a (draws + 1), interpolated linearly
/// a = P( Z < -t sqrt( C/(C-1) ) ),   t the two-sided quantile of Student's t, C - 1 degrees of freedom
/// ```
///
/// `a` is a little below `(1 - level)/2`: plain percentiles are too narrow by the factor by which a
/// sample's own variance and the normal quantile are too small (Hesterberg 2015, section 3.3).
///
/// `sums` is clusters x parts: for a rate, successes and trials per cluster. Rates, means,
/// ratios and the coefficients of agreement all have this form, and one draw then costs
/// O(clusters x parts). `None` from the statistic marks a draw in which it does not exist.
/// With fewer than about 15 clusters trust no bootstrap. The same seed gives the same bits for any
/// number of threads. Errors on an empty array.
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{Bootstrap, cluster_bootstrap};
///
/// let sums = array![[3.0, 10.0], [6.0, 10.0], [1.0, 4.0], [5.0, 9.0]];
/// let found = cluster_bootstrap(sums.view(), |s| Some(s[0] / s[1]), &Bootstrap::new(1000, 7)?)?;
/// assert_eq!((found.estimate, found.clusters), (Some(15.0 / 33.0), 4));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn cluster_bootstrap(
    sums: ArrayView2<'_, f64>,
    statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
    bootstrap: &Bootstrap,
) -> Result<BootstrapInterval, StatsError> {
    let (clusters, parts) = sums.dim();
    crate::panel::not_empty(clusters, parts)?;
    let flat: Vec<f64> = sums.iter().copied().collect();
    let mut all = vec![0.0; parts];
    for row in flat.chunks_exact(parts) {
        add(&mut all, row);
    }
    let drawn: Vec<f64> = map_indices(bootstrap.draws, |draw| {
        let mut rng = stream(bootstrap.seed, draw);
        let mut totals = vec![0.0; parts];
        for _ in 0..clusters {
            let at = parts * rng.random_range(0..clusters);
            add(&mut totals, &flat[at..at + parts]);
        }
        statistic(&totals)
    })
    .into_iter()
    .flatten()
    .collect();
    let tail = (clusters > 1).then(|| {
        let count = clusters as f64;
        let half = student_half_width(bootstrap.confidence, clusters - 1);
        normal_cdf(-half * (count / (count - 1.0)).sqrt())
    });
    Ok(summary(statistic(&all), drawn, bootstrap, tail, clusters))
}

/// The stratified bootstrap of a statistic that is a function of sums, for items drawn at random without replacement
/// from each stratum (Rao & Wu 1988).
///
/// ```text
/// T* = statistic( sum over strata of n_h/(n_h - 1) * sum of n_h - 1 rows drawn with replacement from the n_h )
/// interval = quantiles P( Z < -t ) and P( Z < t ) of T*,   t of Student's t with n - H degrees of freedom
/// ```
///
/// Drawing one row less and scaling it up gives each stratum its unbiased variance, also where it has two rows only; the
/// plain bootstrap would give those half of it. A stratum with one row is kept as it is and adds no variance. The share
/// of a stratum that was drawn is not allowed for, so intervals are wide rather than narrow. `n` counts the rows and
/// `H` the strata, of strata with two rows or more.
///
/// `sums` is rows x parts, each row already times its design weight; `strata[i]` names the stratum of row `i`. In the
/// result `clusters` counts rows. The same seed gives the same bits for any number of threads. Errors on an empty array
/// and on different lengths. Cost O(draws x rows x parts).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{Bootstrap, stratified_bootstrap};
///
/// // Three of 30 answers that a judge flagged, two of 200 that it passed: weight, and weight where people object.
/// let sums = array![[10.0, 10.0], [10.0, 10.0], [10.0, 0.0], [100.0, 0.0], [100.0, 100.0]];
/// let strata = [0, 0, 0, 1, 1];
/// let found = stratified_bootstrap(sums.view(), &strata, |s| Some(s[1] / s[0]), &Bootstrap::new(1000, 7)?)?;
/// assert_eq!(found.estimate, Some(120.0 / 230.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn stratified_bootstrap(
    sums: ArrayView2<'_, f64>,
    strata: &[usize],
    statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
    bootstrap: &Bootstrap,
) -> Result<BootstrapInterval, StatsError> {
    let (rows, parts) = sums.dim();
    crate::panel::not_empty(rows, parts)?;
    StatsError::same_length(rows, strata.len())?;
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, stratum) in strata.iter().enumerate() {
        members.entry(*stratum).or_default().push(row);
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    let flat: Vec<f64> = sums.iter().copied().collect();
    let row = |at: usize| &flat[parts * at..parts * (at + 1)];
    // Lone rows are the same in every draw.
    let mut lone = vec![0.0; parts];
    let mut all = vec![0.0; parts];
    let mut freedom = 0;
    for stratum in &members {
        for &at in stratum {
            add(&mut all, row(at));
        }
        match stratum[..] {
            [only] => add(&mut lone, row(only)),
            _ => freedom += stratum.len() - 1,
        }
    }
    let drawn: Vec<f64> = map_indices(bootstrap.draws, |draw| {
        let mut rng = stream(bootstrap.seed, draw);
        let mut totals = lone.clone();
        for stratum in members.iter().filter(|stratum| stratum.len() > 1) {
            let n = stratum.len();
            let mut part = vec![0.0; parts];
            for _ in 1..n {
                add(&mut part, row(stratum[rng.random_range(0..n)]));
            }
            let scale = n as f64 / (n as f64 - 1.0);
            for (total, part) in totals.iter_mut().zip(part) {
                *total += scale * part;
            }
        }
        statistic(&totals)
    })
    .into_iter()
    .flatten()
    .collect();
    let tail =
        (freedom > 0).then(|| normal_cdf(-student_half_width(bootstrap.confidence, freedom)));
    Ok(summary(statistic(&all), drawn, bootstrap, tail, rows))
}

/// What the draws say. `tail` is the share of draws beyond either end; `None` where there can be no interval.
fn summary(
    estimate: Option<f64>,
    mut drawn: Vec<f64>,
    bootstrap: &Bootstrap,
    tail: Option<f64>,
    clusters: usize,
) -> BootstrapInterval {
    drawn.sort_by(f64::total_cmp);
    let defined = drawn.len();
    let mean = drawn.iter().sum::<f64>() / defined as f64;
    let squares: f64 = drawn.iter().map(|value| (value - mean).powi(2)).sum();
    let interval = tail.filter(|_| defined == bootstrap.draws).map(|tail| {
        // `sorted_quantile` spreads the draws over [0, 1]; rank p (draws + 1) is meant here.
        let made = defined as f64;
        let at = |p: f64| sorted_quantile(&drawn, (p * (made + 1.0) - 1.0) / (made - 1.0).max(1.0));
        Some(Interval {
            low: at(tail)?,
            high: at(1.0 - tail)?,
        })
    });
    BootstrapInterval {
        estimate,
        standard_error: (defined > 1).then(|| (squares / (defined as f64 - 1.0)).sqrt()),
        interval: interval.flatten(),
        clusters,
        draws: bootstrap.draws,
        undefined: bootstrap.draws - defined,
    }
}

fn add(totals: &mut [f64], row: &[f64]) {
    for (total, part) in totals.iter_mut().zip(row) {
        *total += part;
    }
}
