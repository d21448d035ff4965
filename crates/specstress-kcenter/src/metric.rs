use crate::KCenterError;
use crate::simd::{Simd, sum_of};

/// The distance between two points.
///
/// One method is required. It must be symmetric bit for bit, not negative, never NaN, and 0
/// between equal points. The guarantees of the selectors also need the triangle inequality.
/// Override [`Metric::check_row`] to refuse points the distance is not defined for; it runs
/// once per row before selection, so that `distance` itself need not check.
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{FarthestFirst, Metric, Selector, Stop};
///
/// /// Sum of absolute differences.
/// struct Manhattan;
///
/// impl Metric for Manhattan {
///     fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
///         a.iter().zip(b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).abs()).sum()
///     }
/// }
///
/// let points = array![[0.0_f32, 0.0], [1.0, 1.0], [1.5, 0.0]];
/// let kept = FarthestFirst::new(Stop::Count(2)).metric(Manhattan).select(points.view(), None)?;
/// assert_eq!(kept.centers, [0, 1]);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
pub trait Metric {
    /// Distance between two rows of the same length with finite coordinates.
    fn distance(&self, a: &[f32], b: &[f32]) -> f64;

    /// Refuses a row this distance is not defined for; accepts all by default.
    fn check_row(&self, row: usize, point: &[f32]) -> Result<(), KCenterError> {
        let _ = (row, point);
        Ok(())
    }

    /// The geometry in which large inputs may be pruned; `None` by default, which compares
    /// pair by pair. Return one only if [`Metric::distance`] equals, bit for bit, that of the
    /// metric of that name.
    fn geometry(&self) -> Option<Geometry> {
        None
    }
}

/// Distances for which the selectors know bounds that reject most pairs unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Geometry {
    /// As [`Euclidean`].
    Euclidean,
    /// As [`Cosine`].
    Cosine,
}

impl<M: Metric + ?Sized> Metric for &M {
    fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
        (**self).distance(a, b)
    }

    fn check_row(&self, row: usize, point: &[f32]) -> Result<(), KCenterError> {
        (**self).check_row(row, point)
    }

    fn geometry(&self) -> Option<Geometry> {
        (**self).geometry()
    }
}

impl<M: Metric + ?Sized> Metric for Box<M> {
    fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
        (**self).distance(a, b)
    }

    fn check_row(&self, row: usize, point: &[f32]) -> Result<(), KCenterError> {
        (**self).check_row(row, point)
    }

    fn geometry(&self) -> Option<Geometry> {
        (**self).geometry()
    }
}

/// Euclidean distance, `sqrt(sum (a_i - b_i)^2)`, in `[0, inf)`.
///
/// Differences, squares and sums are in `f64`, so no finite `f32` coordinates overflow; the
/// order of summation is fixed, so the result is the same everywhere. Relative error at most
/// about `dimensions * 1.1e-16`. Cost O(dimensions).
///
/// ```
/// use specstress_kcenter::{Euclidean, Metric};
///
/// assert_eq!(Euclidean.distance(&[0.0, 0.0], &[3.0, 4.0]), 5.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Euclidean;

impl Metric for Euclidean {
    fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
        Simd::detect().squared_difference(a, b).sqrt()
    }

    fn geometry(&self) -> Option<Geometry> {
        Some(Geometry::Euclidean)
    }
}

/// Cosine distance, `1 - a.b / (|a| |b|)`, in `[0, 2]`.
///
/// Length does not matter, only direction; a row of zeros is refused. **Not a metric**: it
/// breaks the triangle inequality, so the factor-2 bounds do not hold. Cover, separation and
/// determinism do. For rows of length 1, Euclidean distance is `sqrt(2 * cosine distance)`:
/// use that, with the radius converted, when a bound matters. Cost O(dimensions).
///
/// ```
/// use specstress_kcenter::{Cosine, Metric};
///
/// assert_eq!(Cosine.distance(&[1.0, 0.0], &[0.0, 2.0]), 1.0);
/// assert_eq!(Cosine.distance(&[1.0, 1.0], &[3.0, 3.0]), 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cosine;

impl Metric for Cosine {
    fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
        let dot = sum_of(a, b, |x, y| x * y);
        let squares = sum_of(a, a, |x, y| x * y) * sum_of(b, b, |x, y| x * y);
        // Rounding may push the cosine of parallel vectors beyond 1.
        (1.0 - dot / squares.sqrt()).clamp(0.0, 2.0)
    }

    fn check_row(&self, row: usize, point: &[f32]) -> Result<(), KCenterError> {
        if point.iter().all(|&x| x == 0.0) {
            return Err(KCenterError::ZeroVector { row });
        }
        Ok(())
    }

    fn geometry(&self) -> Option<Geometry> {
        Some(Geometry::Cosine)
    }
}

fn _dyn_compatible(_: &dyn Metric) {}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the distances are exact or rounded once")]
mod tests {
    use super::*;

    #[test]
    fn every_coordinate_counts_once_across_blocks() {
        for dimensions in [1_u16, 7, 8, 9, 16, 19] {
            let a: Vec<f32> = (1..=dimensions).map(f32::from).collect();
            let b = vec![0.0; a.len()];
            let n = f64::from(dimensions);
            let sum = n * (n + 1.0) * (2.0 * n + 1.0) / 6.0;
            assert_eq!(Euclidean.distance(&a, &b), sum.sqrt(), "{dimensions}");
            assert_eq!(Cosine.distance(&a, &a), 0.0, "{dimensions}");
        }
    }

    #[test]
    fn the_ends_of_f32_neither_overflow_nor_vanish() {
        let far = Euclidean.distance(&[f32::MAX; 4], &[f32::MIN; 4]);
        assert!((far / (4.0 * f64::from(f32::MAX)) - 1.0).abs() < 1e-12);
        let tiny = f32::from_bits(1);
        assert_eq!(Euclidean.distance(&[tiny], &[0.0]), f64::from(tiny));
        assert_eq!(Cosine.distance(&[tiny], &[-tiny]), 2.0);
        assert_eq!(Cosine.distance(&[f32::MAX], &[tiny]), 0.0);
    }

    #[test]
    fn terms_that_f32_sums_would_lose_are_seen() {
        let found = Euclidean.distance(&[10_000.0, 1.0], &[0.0, 0.0]);
        assert_eq!(found, 100_000_001.0_f64.sqrt());
    }
}
