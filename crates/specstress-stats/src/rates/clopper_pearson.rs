use crate::special::beta_quantile;
use crate::{Confidence, Interval, StatsError};

/// The interval of a binomial share that covers at least at its level, whatever the share
/// (Clopper & Pearson 1934).
///
/// ```text
/// low  = quantile (1 - level)/2 of Beta(k, n - k + 1),       0 for k = 0
/// high = quantile (1 + level)/2 of Beta(k + 1, n - k),       1 for k = n
/// ```
///
/// Wider than [`wilson_interval`](crate::wilson_interval()), which covers on average. `None`
/// for `n = 0`. Errors when successes exceed trials. Cost O(sqrt n), some 50 evaluations of
/// a continued fraction.
///
/// ```
/// use specstress_stats::{Confidence, clopper_pearson_interval};
///
/// let none = clopper_pearson_interval(0, 10, Confidence::default())?.expect("ten trials");
/// assert_eq!(none.low, 0.0);
/// assert!((none.high - 0.308_497_107_818_760_8).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn clopper_pearson_interval(
    successes: u64,
    n: u64,
    confidence: Confidence,
) -> Result<Option<Interval>, StatsError> {
    StatsError::at_most(successes, n)?;
    if n == 0 {
        return Ok(None);
    }
    let (hits, misses) = (successes as f64, (n - successes) as f64);
    let tail = (1.0 - confidence.level()) / 2.0;
    Ok(Some(Interval {
        low: if successes == 0 {
            0.0
        } else {
            beta_quantile(hits, misses + 1.0, tail)
        },
        // By the mirror, which keeps the small tail exact.
        high: if successes == n {
            1.0
        } else {
            1.0 - beta_quantile(misses, hits + 1.0, tail)
        },
    }))
}
