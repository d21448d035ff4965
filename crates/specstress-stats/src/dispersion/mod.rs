//! Measures of the spread of scores.

mod deviation;
mod distance;

use crate::Ratio;

pub use deviation::{PopulationStd, SampleStd};
pub use distance::{Entropy, MeanPairwiseDistance, Range};

/// The spread of the scores that one panel gave on one value.
///
/// Two methods are required. Override [`Dispersion::exact_square`] when the square of the
/// measure is a ratio of integers for integer scores; thresholds and bins are then decided
/// without rounding. A measure should be 0 when all scores are equal, and must not depend on
/// their order.
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{Dispersion, DisagreementParams, Ratio, disagreement};
///
/// /// Whether anybody disagrees at all.
/// struct Any;
///
/// impl Dispersion for Any {
///     fn min_scores(&self) -> usize {
///         2
///     }
///     fn of(&self, scores: &[f64]) -> f64 {
///         f64::from(u8::from(scores.iter().any(|score| *score != scores[0])))
///     }
/// }
///
/// let d = disagreement(array![[0_u8], [5]].view(), None, &DisagreementParams::new(Any))?;
/// assert_eq!(d.max, Some(1.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub trait Dispersion {
    /// The least number of scores for which the measure is defined; at least 1.
    fn min_scores(&self) -> usize;

    /// The dispersion of finite scores, not negative and not NaN.
    ///
    /// Called with at least [`Dispersion::min_scores`] scores.
    fn of(&self, scores: &[f64]) -> f64;

    /// The square of the dispersion of integer scores as a ratio of integers.
    ///
    /// `None` (provided) where the measure has none; [`Dispersion::of`] is used then. Called
    /// with at least [`Dispersion::min_scores`] scores.
    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        let _ = scores;
        None
    }

    /// What the scatter of `count` integer scores is divided by to give the square:
    ///
    /// ```text
    /// exact_square = (n*S2 - S1^2) / scatter_scale(n),   S1 = sum r_i,   S2 = sum r_i^2
    /// ```
    ///
    /// `None` (provided) for a measure that is no multiple of a standard deviation;
    /// [`disagreement_panels`] is many times faster for one that is. Where it is there, it must
    /// agree with `exact_square`. `count` is at least [`Dispersion::min_scores`].
    ///
    /// [`disagreement_panels`]: crate::disagreement_panels()
    fn scatter_scale(&self, count: u64) -> Option<u64> {
        let _ = count;
        None
    }
}

impl<D: Dispersion + ?Sized> Dispersion for &D {
    fn min_scores(&self) -> usize {
        (**self).min_scores()
    }

    fn of(&self, scores: &[f64]) -> f64 {
        (**self).of(scores)
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        (**self).exact_square(scores)
    }

    fn scatter_scale(&self, count: u64) -> Option<u64> {
        (**self).scatter_scale(count)
    }
}

impl<D: Dispersion + ?Sized> Dispersion for Box<D> {
    fn min_scores(&self) -> usize {
        (**self).min_scores()
    }

    fn of(&self, scores: &[f64]) -> f64 {
        (**self).of(scores)
    }

    fn exact_square(&self, scores: &[u32]) -> Option<Ratio> {
        (**self).exact_square(scores)
    }

    fn scatter_scale(&self, count: u64) -> Option<u64> {
        (**self).scatter_scale(count)
    }
}

fn _dyn_compatible(_: &dyn Dispersion) {}
