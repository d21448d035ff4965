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
    let mut drawn: Vec<f64> = map_indices(bootstrap.draws, |draw| {
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
    drawn.sort_by(f64::total_cmp);

    let defined = drawn.len();
    let mean = drawn.iter().sum::<f64>() / defined as f64;
    let squares: f64 = drawn.iter().map(|value| (value - mean).powi(2)).sum();
    let interval = (defined == bootstrap.draws && clusters > 1).then(|| {
        let count = clusters as f64;
        let half = student_half_width(bootstrap.confidence, clusters - 1);
        let tail = normal_cdf(-half * (count / (count - 1.0)).sqrt());
        // `sorted_quantile` spreads the draws over [0, 1]; rank p (draws + 1) is meant here.
        let made = defined as f64;
        let at = |p: f64| sorted_quantile(&drawn, (p * (made + 1.0) - 1.0) / (made - 1.0).max(1.0));
        Some(Interval {
            low: at(tail)?,
            high: at(1.0 - tail)?,
        })
    });
    Ok(BootstrapInterval {
        estimate: statistic(&all),
        standard_error: (defined > 1).then(|| (squares / (defined as f64 - 1.0)).sqrt()),
        interval: interval.flatten(),
        clusters,
        draws: bootstrap.draws,
        undefined: bootstrap.draws - defined,
    })
}

fn add(totals: &mut [f64], row: &[f64]) {
    for (total, part) in totals.iter_mut().zip(row) {
        *total += part;
    }
}
