use ndarray::ArrayView2;

use crate::bounded::{Bounded, Extent, Purpose, Traversal};
use crate::instance::Instance;
use crate::nearest::Nearest;
use crate::random::SplitMix64;
use crate::{
    Assignment, Euclidean, KCenterError, Metric, PointSource, Progress, Run, Selection, Selector,
};

/// When to stop picking centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// After this many centres, from 1 to the number of points.
    Count(usize),
    /// As soon as the farthest remaining weighted distance is at most this, above 0.
    Radius(f64),
    /// As soon as either holds. The count is a cap, so it may exceed the number of points.
    CountOrRadius {
        /// Most centres to pick, at least 1.
        count: usize,
        /// Weighted distance that is near enough, above 0.
        radius: f64,
    },
}

impl Stop {
    /// The largest number of centres and the radius, checked.
    fn limits(self, points: usize) -> Result<(usize, Option<f64>), KCenterError> {
        match self {
            Stop::Count(count) => Ok((check_count(count, points)?, None)),
            Stop::Radius(radius) => Ok((points, Some(check_radius(radius)?))),
            Stop::CountOrRadius { count, radius } => {
                if count == 0 {
                    return Err(KCenterError::Count { count, points });
                }
                Ok((count.min(points), Some(check_radius(radius)?)))
            }
        }
    }
}

pub(crate) fn check_count(count: usize, points: usize) -> Result<usize, KCenterError> {
    if count == 0 || count > points {
        return Err(KCenterError::Count { count, points });
    }
    Ok(count)
}

pub(crate) fn check_radius(radius: f64) -> Result<f64, KCenterError> {
    if !radius.is_finite() || radius <= 0.0 {
        return Err(KCenterError::Radius { value: radius });
    }
    Ok(radius)
}

/// The first centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// The heaviest point, the lowest row among equals; row 0 without weights (default).
    #[default]
    Heaviest,
    /// This row.
    Index(usize),
    /// A uniform row drawn from this seed; the same row for the same seed and number of
    /// points, everywhere.
    Seed(u64),
}

impl Start {
    fn row<S: PointSource + ?Sized, M: Metric + ?Sized>(
        self,
        instance: &Instance<'_, S, M>,
    ) -> Result<usize, KCenterError> {
        let points = instance.len();
        match self {
            Start::Heaviest => Ok(instance.weights.heaviest(points)),
            Start::Index(index) if index >= points => Err(KCenterError::Start { index, points }),
            Start::Index(index) => Ok(index),
            Start::Seed(seed) => Ok(SplitMix64::new(seed).below(points)),
        }
    }
}

/// Farthest-first traversal: always pick the point farthest from the centres so far.
///
/// ```text
/// next = argmax_i  w_i * dist(i, T)          (w = 1 without weights; lowest row among equals)
/// ```
///
/// **Without weights** (Gonzalez 1985). With k centres the covering radius is at most twice
/// the optimum: were it larger, the k centres and the farthest point would be k + 1 points
/// pairwise more than 2 OPT apart, yet two of them share an optimal centre and so are within
/// 2 OPT. With a radius `delta` the centres are pairwise more than `delta` apart, every point
/// is within `delta` of one, and no cover at `delta / 2` has fewer centres.
///
/// **With weights** (Dyer and Frieze 1985), started at the heaviest vertex: the weighted radius
/// is at most `min(3, 1 + a)` times the optimum, `a` the largest over the smallest weight. 3 is
/// reached even at `a = 2`; use [`WeightedKCenter`](crate::WeightedKCenter) for a factor of 2.
/// Another start loses the bound. With a radius, a centre `v` picked after `u` still has
/// `w_v * d(u, v) > radius`.
///
/// Duplicates: equal points are picked only once all others are at distance 0 too, so a
/// radius stops before them. Radii never rise. Selection needs O(points x centres) distances;
/// on large inputs nearly all of them are rejected by bounds, with the same result (see
/// [`Strategy`](crate::Strategy)).
///
/// Errors on empty or non-finite points, unusable weights, a count of 0 or above the number
/// of points, a radius that is not positive, and a first row out of range.
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{FarthestFirst, Selector, Start, Stop};
///
/// let points = array![[0.0_f32], [1.0], [4.0], [10.0]];
/// let selector = FarthestFirst::new(Stop::Count(3)).start(Start::Index(1));
/// let kept = selector.select(points.view(), None)?;
/// assert_eq!(kept.centers, [1, 3, 2]);
/// assert_eq!(kept.radii, Some(vec![9.0, 3.0, 1.0]));
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FarthestFirst<M = Euclidean> {
    stop: Stop,
    start: Start,
    metric: M,
}

impl FarthestFirst {
    /// Euclidean farthest-first from the heaviest point. `stop` is checked against the points
    /// when selecting.
    pub fn new(stop: Stop) -> Self {
        Self {
            stop,
            start: Start::default(),
            metric: Euclidean,
        }
    }
}

impl<M> FarthestFirst<M> {
    /// Sets the first centre.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Sets the distance.
    #[must_use]
    pub fn metric<N: Metric>(self, metric: N) -> FarthestFirst<N> {
        FarthestFirst {
            stop: self.stop,
            start: self.start,
            metric,
        }
    }
}

impl<M: Metric> FarthestFirst<M> {
    /// Selects among the points of any source; [`Selector::select`] for arrays.
    ///
    /// Errors also on what the source cannot read, and when the run is cancelled.
    pub fn select_from<S: PointSource + ?Sized>(
        &self,
        points: &S,
        weights: Option<&[f64]>,
        run: &Run<'_>,
    ) -> Result<Selection, KCenterError> {
        let instance = Instance::new(&self.metric, points, weights, run)?;
        let (most, radius) = self.stop.limits(instance.len())?;
        let extent = Extent { most, radius };
        let start = self.start.row(&instance)?;
        let mut radii = Vec::new();
        let purpose = Purpose {
            radius,
            nearest: true,
        };
        let (centers, assignment) = match Bounded::new(&instance, purpose, run)? {
            Some(bounded) => {
                let mut traversal = Traversal::new(&bounded, start)?;
                traversal.extend(extent, &mut radii, run)?;
                traversal.finish(run)?
            }
            None => pairwise(&instance, start, extent, &mut radii, run)?,
        };
        Ok(Selection {
            centers,
            radii: Some(radii),
            assignment,
            lower_bound: None,
        })
    }
}

fn pairwise<S: PointSource + ?Sized, M: Metric>(
    instance: &Instance<'_, S, M>,
    start: usize,
    extent: Extent,
    radii: &mut Vec<f64>,
    run: &Run<'_>,
) -> Result<(Vec<usize>, Option<Vec<Assignment>>), KCenterError> {
    let mut nearest = Nearest::new(instance);
    let mut next = Some(start);
    while let Some(row) = next {
        run.report(Progress::Selecting {
            centers: nearest.centers.len(),
            done: nearest.centers.len(),
            most: extent.most,
        })?;
        nearest.add(row)?;
        let farthest = nearest.farthest();
        let reached = farthest.map_or(0.0, |(_, weighted)| weighted);
        radii.push(reached);
        let near_enough = extent.radius.is_some_and(|radius| reached <= radius);
        if nearest.centers.len() == extent.most || near_enough {
            break;
        }
        next = farthest.map(|(row, _)| row);
    }
    let assignment = run.assignment.then_some(nearest.assignment);
    Ok((nearest.centers, assignment))
}

impl<M: Metric> Selector for FarthestFirst<M> {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        self.select_from(&points.as_standard_layout(), weights, &Run::new())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn line(xs: &[f32]) -> Array2<f32> {
        Array2::from_shape_vec((xs.len(), 1), xs.to_vec()).unwrap()
    }

    #[test]
    fn ties_go_to_the_lowest_row() {
        // From 0, the points at -2 and 2 are equally far; then all four at 1 are.
        let points = line(&[0.0, 2.0, -2.0, 1.0, -1.0]);
        let kept = FarthestFirst::new(Stop::Count(4))
            .select(points.view(), None)
            .unwrap();
        assert_eq!(kept.centers, [0, 1, 2, 3]);
        let assignment = kept.assignment.unwrap();
        assert_eq!(
            assignment[4],
            crate::Assignment {
                center: 0,
                distance: 1.0
            }
        );
    }

    #[test]
    fn within_the_radius_stops_at_equality() {
        let points = line(&[0.0, 1.0, 3.0]);
        let pick = |radius| {
            let selector = FarthestFirst::new(Stop::Radius(radius));
            selector.select(points.view(), None).unwrap().centers
        };
        assert_eq!(pick(1.0), [0, 2]);
        assert_eq!(pick(0.99), [0, 2, 1]);
        assert_eq!(pick(3.0), [0]);
    }

    #[test]
    fn duplicates_are_picked_only_to_fill_a_count() {
        let points = line(&[5.0, 5.0, 5.0]);
        let all = FarthestFirst::new(Stop::Count(3))
            .select(points.view(), None)
            .unwrap();
        assert_eq!(all.centers, [0, 1, 2]);
        assert_eq!(all.radii, Some(vec![0.0; 3]));
        let one = FarthestFirst::new(Stop::Radius(1e-9))
            .select(points.view(), None)
            .unwrap();
        assert_eq!(one.centers, [0]);
    }

    #[test]
    fn the_cap_and_the_radius_both_stop() {
        let points = line(&[0.0, 1.0, 2.0, 8.0]);
        let pick = |count, radius| {
            let stop = Stop::CountOrRadius { count, radius };
            FarthestFirst::new(stop)
                .select(points.view(), None)
                .unwrap()
                .centers
        };
        assert_eq!(pick(2, 0.5), [0, 3]);
        assert_eq!(pick(9, 1.5), [0, 3, 2]);
        assert_eq!(pick(9, 0.5), [0, 3, 2, 1]);
    }

    #[test]
    fn weights_start_at_the_heaviest_and_stretch_distances() {
        let points = line(&[0.0, 1.0, 4.0]);
        let selector = FarthestFirst::new(Stop::Count(2));
        let kept = selector
            .select(points.view(), Some(&[9.0, 1.0, 10.0]))
            .unwrap();
        assert_eq!(kept.centers, [2, 0]);
        assert_eq!(kept.radii, Some(vec![36.0, 1.0]));
        let zero = selector.select(points.view(), Some(&[0.0; 3])).unwrap();
        assert_eq!(zero.centers, [0, 1]);
    }

    #[test]
    fn bad_input_names_what_and_where() {
        let points = line(&[0.0, 1.0]);
        let error = |selector: FarthestFirst, weights: Option<&[f64]>| {
            selector.select(points.view(), weights).unwrap_err()
        };
        let count = |k| FarthestFirst::new(Stop::Count(k));
        assert_eq!(
            error(count(0), None),
            KCenterError::Count {
                count: 0,
                points: 2
            }
        );
        assert_eq!(
            error(count(3), None),
            KCenterError::Count {
                count: 3,
                points: 2
            }
        );
        assert_eq!(
            error(count(1).start(Start::Index(2)), None),
            KCenterError::Start {
                index: 2,
                points: 2
            }
        );
        for radius in [0.0, -1.0, f64::INFINITY] {
            let radius_stop = FarthestFirst::new(Stop::Radius(radius));
            assert_eq!(
                error(radius_stop, None),
                KCenterError::Radius { value: radius }
            );
        }
        let either = Stop::CountOrRadius {
            count: 0,
            radius: 1.0,
        };
        assert!(
            FarthestFirst::new(either)
                .select(points.view(), None)
                .is_err()
        );
        let nan = FarthestFirst::new(Stop::Radius(f64::NAN));
        assert!(nan.select(points.view(), None).is_err());
        assert_eq!(
            error(count(1), Some(&[1.0])),
            KCenterError::WeightCount {
                weights: 1,
                points: 2
            }
        );
        assert_eq!(
            error(count(1), Some(&[1.0, -2.0])),
            KCenterError::Weight {
                row: 1,
                value: -2.0
            }
        );
        assert!(matches!(
            error(count(1), Some(&[f64::NAN, 1.0])),
            KCenterError::Weight { row: 0, .. }
        ));
        let broken = array![[0.0_f32, 1.0], [2.0, f32::INFINITY]];
        assert_eq!(
            count(1)
                .select(broken.view(), None)
                .unwrap_err()
                .to_string(),
            "row 1, column 1 is inf; every coordinate must be finite"
        );
        let none = Array2::<f32>::zeros((0, 4));
        assert_eq!(
            count(1).select(none.view(), None),
            Err(KCenterError::Empty {
                rows: 0,
                dimensions: 4
            })
        );
        let zero = array![[1.0_f32], [0.0]];
        assert_eq!(
            count(1).metric(crate::Cosine).select(zero.view(), None),
            Err(KCenterError::ZeroVector { row: 1 })
        );
    }
}
