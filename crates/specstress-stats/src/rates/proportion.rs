use crate::{StatsError, normal_quantile};

/// A two-sided confidence level with its normal quantile; 95 % by default.
///
/// ```
/// let level = specstress_stats::Confidence::new(0.99)?;
/// assert!((level.z() - 2.575_829_303_548_901).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    level: f64,
    z: f64,
}

impl Confidence {
    /// A level strictly between 0 and 1.
    pub fn new(level: f64) -> Result<Self, StatsError> {
        let refused = StatsError::Confidence { value: level };
        if !(level > 0.0 && level < 1.0) {
            return Err(refused);
        }
        // A level one rounding below 1 has no upper quantile left in f64.
        let z = normal_quantile(0.5 + level / 2.0).map_err(|_| refused)?;
        Ok(Self { level, z })
    }

    /// The level, such as 0.95.
    pub fn level(self) -> f64 {
        self.level
    }

    /// The quantile of `(1 + level) / 2`.
    pub fn z(self) -> f64 {
        self.z
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::new(0.95).expect("0.95 lies between 0 and 1")
    }
}

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A share of `n` trials with both measures of how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Proportion {
    /// Trials with the property.
    pub successes: u64,
    /// All trials, the denominator.
    pub n: u64,
    /// `successes / n` in `[0, 1]`; `None` without trials.
    pub rate: Option<f64>,
    /// See [`binomial_standard_error`].
    pub standard_error: Option<f64>,
    /// See [`wilson_interval`].
    pub interval: Option<Interval>,
}

/// The share of successes with its standard error and its Wilson interval.
///
/// Errors when successes exceed trials. Cost O(1).
///
/// ```
/// use specstress_stats::{Confidence, proportion};
///
/// // Table 2 of the paper prints 3.6 % with a standard error of 0.6 for 36 of 1,000.
/// let p = proportion(36, 1000, Confidence::default())?;
/// assert_eq!(p.rate, Some(0.036));
/// assert!((p.standard_error.expect("1,000 trials") - 0.0059).abs() < 5e-5);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn proportion(
    successes: u64,
    n: u64,
    confidence: Confidence,
) -> Result<Proportion, StatsError> {
    Ok(Proportion {
        successes,
        n,
        rate: rate(successes, n)?,
        standard_error: binomial_standard_error(successes, n)?,
        interval: wilson_interval(successes, n, confidence)?,
    })
}

/// The standard error of a binomial share, the +/- of the paper's Table 2.
///
/// ```text
/// se = sqrt(p (1 - p) / n),   p = successes / n
/// ```
///
/// `None` for `n = 0`. It is 0 at `p = 0` and `p = 1`, where it says nothing about how sure
/// the share is; use [`wilson_interval`] there. Errors when successes exceed trials.
pub fn binomial_standard_error(successes: u64, n: u64) -> Result<Option<f64>, StatsError> {
    Ok(rate(successes, n)?.map(|p| (p * (1.0 - p) / n as f64).sqrt()))
}

/// The Wilson score interval of a binomial share (Wilson 1927).
///
/// ```text
/// ( p + z^2/2n  +/-  z sqrt( p(1-p)/n + z^2/4n^2 ) ) / ( 1 + z^2/n )
/// ```
///
/// Stays inside `[0, 1]`, touches 0 only for no success and 1 only for no failure. `None` for
/// `n = 0`. Errors when successes exceed trials. Cost O(1).
///
/// ```
/// use specstress_stats::{Confidence, wilson_interval};
///
/// let none = wilson_interval(0, 10, Confidence::default())?.expect("ten trials");
/// assert_eq!(none.low, 0.0);
/// assert!((none.high - 0.277_532_799_862_889).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn wilson_interval(
    successes: u64,
    n: u64,
    confidence: Confidence,
) -> Result<Option<Interval>, StatsError> {
    let Some(p) = rate(successes, n)? else {
        return Ok(None);
    };
    Ok(Some(wilson_ends(p, n as f64, confidence)))
}

/// The Wilson interval of a share of so many trials, which may be no whole number.
pub(crate) fn wilson_ends(p: f64, trials: f64, confidence: Confidence) -> Interval {
    let z2 = confidence.z * confidence.z;
    let centre = p + z2 / (2.0 * trials);
    let half = confidence.z * (p * (1.0 - p) / trials + z2 / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z2 / trials;
    // The ends are exact at 0 and 1, where the formula only rounds to them.
    Interval {
        low: if p == 0.0 {
            0.0
        } else {
            ((centre - half) / scale).max(0.0)
        },
        high: if p == 1.0 {
            1.0
        } else {
            ((centre + half) / scale).min(1.0)
        },
    }
}

fn rate(successes: u64, trials: u64) -> Result<Option<f64>, StatsError> {
    StatsError::at_most(successes, trials)?;
    Ok((trials > 0).then(|| successes as f64 / trials as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15.0, `proportion_confint(method="wilson")`.
    #[test]
    fn wilson_matches_statsmodels() {
        for (k, n, low, high) in [
            (36, 1000, 0.026_115_571_407_387_32, 0.049_435_660_467_207_83),
            (10, 10, 0.722_467_200_137_110_9, 1.0),
            (5, 10, 0.236_593_090_512_564_05, 0.763_406_909_487_436),
            (97, 1000, 0.080_169_161_790_323_05, 0.116_915_205_549_034_4),
        ] {
            let found = wilson_interval(k, n, Confidence::default())
                .unwrap()
                .unwrap();
            assert!((found.low - low).abs() < 1e-14, "{k}/{n}: {found:?}");
            assert!((found.high - high).abs() < 1e-14, "{k}/{n}: {found:?}");
        }
    }

    #[test]
    fn standard_errors_reproduce_table_2() {
        for (k, percent) in [
            (761, 1.35),
            (393, 1.54),
            (179, 1.21),
            (11, 0.33),
            (36, 0.59),
            (51, 0.70),
        ] {
            let se = binomial_standard_error(k, 1000).unwrap().unwrap();
            assert!((100.0 * se - percent).abs() < 0.005, "{k}: {se}");
        }
    }

    #[test]
    fn no_trials_are_no_rate_and_too_many_successes_an_error() {
        let empty = proportion(0, 0, Confidence::default()).unwrap();
        assert_eq!(
            (empty.rate, empty.standard_error, empty.interval),
            (None, None, None)
        );
        assert!(proportion(2, 1, Confidence::default()).is_err());
    }

    #[test]
    fn levels_outside_the_open_interval_are_refused() {
        for level in [0.0, 1.0, 95.0, f64::NAN, 1.0 - f64::EPSILON / 2.0] {
            assert!(Confidence::new(level).is_err(), "{level}");
        }
    }
}
