use crate::{Confidence, Interval, StatsError, normal_cdf, wilson_interval};

/// How far missing items could move a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MissingBounds {
    /// The rate if all missing items were failures, and if all were successes; `None` without
    /// items.
    pub bounds: Option<Interval>,
    /// The bounds widened by sampling error, so that the true rate is covered at the level wherever
    /// between the bounds it lies.
    pub interval: Option<Interval>,
    /// Items that are known.
    pub n: u64,
    /// Items that are missing.
    pub missing: u64,
}

/// The worst and best case of a rate whose missing items went either way (Manski 1989).
///
/// ```text
/// bounds   = [ k / (n + m), (k + m) / (n + m) ]
/// interval = [ Wilson low of the first, Wilson high of the second ] at z,
///            z with P( -z <= Z <= z + width of the bounds / standard error ) = level
/// ```
///
/// `k` successes of `n` known items, `m` missing. No assumption on why they are missing. The true rate
/// is one point, which can only lie beyond one of the bounds, so `z` falls from the two-sided to the
/// one-sided quantile as the bounds move apart (Imbens & Manski 2004). Errors when successes exceed
/// the known items. Cost O(1).
///
/// ```
/// use specstress_stats::{Confidence, Interval, missing_bounds};
///
/// let found = missing_bounds(30, 80, 20, Confidence::default())?;
/// assert_eq!(found.bounds, Some(Interval { low: 0.3, high: 0.5 }));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn missing_bounds(
    successes: u64,
    n: u64,
    missing: u64,
    confidence: Confidence,
) -> Result<MissingBounds, StatsError> {
    StatsError::at_most(successes, n)?;
    let all = n.saturating_add(missing);
    let most = successes.saturating_add(missing).min(all);
    let eased = eased(successes, most, all, confidence)?;
    let low = wilson_interval(successes, all, eased)?;
    let high = wilson_interval(most, all, eased)?;
    Ok(MissingBounds {
        bounds: (all > 0).then(|| Interval {
            low: successes as f64 / all as f64,
            high: most as f64 / all as f64,
        }),
        interval: low.zip(high).map(|(low, high)| Interval {
            low: low.low,
            high: high.high,
        }),
        n,
        missing,
    })
}

/// The level at which the ends of the interval are taken.
fn eased(low: u64, high: u64, all: u64, confidence: Confidence) -> Result<Confidence, StatsError> {
    if low == high {
        return Ok(confidence);
    }
    let share = |count: u64| count as f64 / all as f64;
    let error = |p: f64| (p * (1.0 - p) / all as f64).sqrt();
    let error = error(share(low)).max(error(share(high)));
    let width = share(high) - share(low);
    let (mut below, mut above) = (0.0, confidence.z());
    for _ in 0..60 {
        let z = f64::midpoint(below, above);
        // Without sampling error at either end the bounds are infinitely far apart.
        let apart = if error > 0.0 {
            width / error
        } else {
            f64::INFINITY
        };
        if normal_cdf(z + apart) - normal_cdf(-z) < confidence.level() {
            below = z;
        } else {
            above = z;
        }
    }
    Confidence::new(1.0 - 2.0 * normal_cdf(-above))
}
