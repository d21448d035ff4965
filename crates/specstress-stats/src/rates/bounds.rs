use crate::{Confidence, Interval, StatsError, wilson_interval};

/// How far missing items could move a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MissingBounds {
    /// The rate if all missing items were failures, and if all were successes; `None` without
    /// items.
    pub bounds: Option<Interval>,
    /// The bounds widened by sampling error: the Wilson end of either bound.
    pub interval: Option<Interval>,
    /// Items that are known.
    pub n: u64,
    /// Items that are missing.
    pub missing: u64,
}

/// The worst and best case of a rate whose missing items went either way (Manski 1989).
///
/// ```text
/// bounds = [ k / (n + m), (k + m) / (n + m) ]
/// ```
///
/// `k` successes of `n` known items, `m` missing. No assumption on why they are missing. Errors
/// when successes exceed the known items. Cost O(1).
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
    if successes > n {
        return Err(StatsError::Successes {
            successes,
            trials: n,
        });
    }
    let all = n.saturating_add(missing);
    let most = successes.saturating_add(missing).min(all);
    let low = wilson_interval(successes, all, confidence)?;
    let high = wilson_interval(most, all, confidence)?;
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
