use ndarray::ArrayView2;

use crate::bounded::{Bounded, Purpose, Scan, scan};
use crate::farthest::check_radius;
use crate::instance::{Instance, Pair};
use crate::verify::check;
use crate::{
    Assignment, Euclidean, KCenterError, Metric, PointSource, Progress, Run, Selection, Selector,
    Verification,
};

/// The order in which [`Cover`] looks at the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Order {
    /// By falling weight, equal weights by rising row (default); row order without weights.
    #[default]
    DescendingWeight,
    /// By rising row, whatever the weights.
    Given,
}

/// Whose weight stretches the distance between a point and a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WeightOn {
    /// The point to be covered, `w_v * d(v, c)` (default): a light point near a kept heavy one
    /// is dropped from farther away.
    #[default]
    Demand,
    /// The centre, `w_c * d(v, c)`, the letter of the formula in
    /// Zhang et al. 2025; carries no bound.
    Center,
}

/// Greedy cover at a fixed weighted distance: keep a point unless a kept one covers it.
///
/// ```text
/// for v in order:   drop v if  w_v * d(v, c) <= t  for some kept c,   else keep v
/// ```
///
/// What holds for every input, with "before" in the order of the scan:
///
/// - *cover*: each dropped `v` has a kept `c` before it with `w_v * d(v, c) <= t`; by falling
///   weight, `w_c >= w_v`;
/// - *separation*: for kept `u` before `v`, `w_v * d(u, v) > t`;
/// - *size*, by falling weight: no more centres than any cover at `t / 2` has. Proof: were two
///   kept `u` before `v` with the same centre `x` of such a cover, then
///   `w_v d(u, v) <= w_u d(u, x) + w_v d(v, x) <= t` as `w_v <= w_u`, against separation.
///
/// The size bound needs falling weight (any order without weights), the weight on the demand,
/// and the triangle inequality; cover and separation hold regardless, with `w_c` for `w_v`
/// under [`WeightOn::Center`]. Zhang et al. 2025 (arXiv 2510.07686 v2, page 5) deduplicate with
/// the disagreement as weight and 0.8, read here as this `t`; at weight 2 that is the distance
/// 0.4 of their unweighted selection.
///
/// Equal points: the first is kept. A point of weight 0 is dropped unless it comes first.
/// Needs at most O(points x centres) distances, fewer when points are covered early; on large
/// inputs nearly all of them are rejected by bounds, with the same result (see
/// [`Strategy`](crate::Strategy)). Errors as [`FarthestFirst`](crate::FarthestFirst).
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{Cover, Selector};
///
/// let points = array![[0.0_f32], [0.3], [0.6]];
/// // 0.3 is 0.45 from its neighbours once weighted 1.5, and 0.3 is 0.9 at weight 3.
/// let kept = Cover::new(0.8)?.select(points.view(), Some(&[1.5, 3.0, 3.0]))?;
/// assert_eq!(kept.centers, [1, 2]);
/// assert_eq!(kept.assignment.expect("kept by Cover")[0].center, 0);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cover<M = Euclidean> {
    threshold: f64,
    order: Order,
    weight_on: WeightOn,
    metric: M,
}

impl Cover {
    /// Euclidean cover by falling weight at a weighted distance above 0.
    pub fn new(threshold: f64) -> Result<Self, KCenterError> {
        Ok(Self {
            threshold: check_radius(threshold)?,
            order: Order::default(),
            weight_on: WeightOn::default(),
            metric: Euclidean,
        })
    }
}

impl<M> Cover<M> {
    /// Sets the order of the scan.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets whose weight counts.
    #[must_use]
    pub fn weight_on(mut self, weight_on: WeightOn) -> Self {
        self.weight_on = weight_on;
        self
    }

    /// Sets the distance.
    #[must_use]
    pub fn metric<N: Metric>(self, metric: N) -> Cover<N> {
        Cover {
            threshold: self.threshold,
            order: self.order,
            weight_on: self.weight_on,
            metric,
        }
    }
}

impl<M: Metric> Cover<M> {
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
        let order = match self.order {
            Order::DescendingWeight => instance.weights.descending(instance.len()),
            Order::Given => (0..instance.len()).collect(),
        };
        let typical = instance.weights.of(order[order.len() / 2]);
        let purpose = Purpose {
            radius: (typical > 0.0).then(|| self.threshold / typical),
            nearest: false,
        };
        let (centers, assignment) = match Bounded::new(&instance, purpose, run)? {
            Some(bounded) => {
                let wanted = Scan {
                    order: &order,
                    threshold: self.threshold,
                    weight_on: self.weight_on,
                    most: order.len(),
                };
                scan(&bounded, wanted, run)?.expect("no more centres than points")
            }
            None => self.pairwise(&instance, &order, run)?,
        };
        Ok(Selection {
            centers,
            radii: None,
            assignment: run.assignment.then_some(assignment),
            lower_bound: None,
        })
    }

    fn pairwise<S: PointSource + ?Sized>(
        &self,
        instance: &Instance<'_, S, M>,
        order: &[usize],
        run: &Run<'_>,
    ) -> Result<(Vec<usize>, Vec<Assignment>), KCenterError> {
        let mut centers: Vec<usize> = Vec::new();
        let mut pair = Pair::default();
        let mut assignment = vec![
            Assignment {
                center: 0,
                distance: 0.0,
            };
            instance.len()
        ];
        for (done, &row) in order.iter().enumerate() {
            if done % 256 == 0 {
                run.report(Progress::Selecting {
                    centers: centers.len(),
                    done,
                    most: order.len(),
                })?;
            }
            let mut covering = None;
            for (center, &kept) in centers.iter().enumerate() {
                let distance = instance.distance(row, kept, &mut pair)?;
                if self.weight_on.of(instance, row, kept) * distance <= self.threshold {
                    covering = Some(Assignment { center, distance });
                    break;
                }
            }
            assignment[row] = covering.unwrap_or_else(|| {
                centers.push(row);
                Assignment {
                    center: centers.len() - 1,
                    distance: 0.0,
                }
            });
        }
        Ok((centers, assignment))
    }

    /// [`verify`](crate::verify()) with the threshold, distance and weights of this cover.
    pub fn verify(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
        selection: &Selection,
    ) -> Result<Verification, KCenterError> {
        self.verify_from(&points, weights, selection, &Run::new())
    }

    /// As [`Cover::verify`], for the points of any source.
    pub fn verify_from<S: PointSource + ?Sized>(
        &self,
        points: &S,
        weights: Option<&[f64]>,
        selection: &Selection,
        run: &Run<'_>,
    ) -> Result<Verification, KCenterError> {
        let instance = Instance::new(&self.metric, points, weights, run)?;
        check(&instance, selection, self.threshold, self.weight_on, run)
    }
}

impl<M: Metric> Selector for Cover<M> {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        self.select_from(&points.as_standard_layout(), weights, &Run::new())
    }
}

impl WeightOn {
    pub(crate) fn of<S: PointSource + ?Sized, M: Metric + ?Sized>(
        self,
        instance: &Instance<'_, S, M>,
        demand: usize,
        center: usize,
    ) -> f64 {
        match self {
            WeightOn::Demand => instance.weights.of(demand),
            WeightOn::Center => instance.weights.of(center),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_demand_weight_spares_heavy_points_and_the_center_weight_their_surroundings() {
        // A heavy point at 0, a light one 0.3 away.
        let points = array![[0.0_f32], [0.3]];
        let weights = [3.0, 1.0];
        let pick = |on| {
            let cover = Cover::new(0.5).unwrap().weight_on(on);
            cover.select(points.view(), Some(&weights)).unwrap().centers
        };
        assert_eq!(pick(WeightOn::Demand), [0]);
        assert_eq!(pick(WeightOn::Center), [0, 1]);
    }

    #[test]
    fn the_order_decides_who_stays() {
        let points = array![[0.0_f32], [0.3]];
        let weights = [1.0, 1.5];
        let cover = Cover::new(0.8).unwrap();
        let kept = cover.select(points.view(), Some(&weights)).unwrap();
        assert_eq!(kept.centers, [1]);
        let kept = cover
            .order(Order::Given)
            .select(points.view(), Some(&weights))
            .unwrap();
        assert_eq!(kept.centers, [0]);
    }

    #[test]
    fn equality_covers_and_equal_points_keep_the_first() {
        let points = array![[0.0_f32], [1.0], [0.0], [1.5]];
        let kept = Cover::new(1.0)
            .unwrap()
            .select(points.view(), None)
            .unwrap();
        assert_eq!(kept.centers, [0, 3]);
        let assignment = kept.assignment.unwrap();
        // Covered by the first centre within reach, though the second is nearer.
        assert_eq!(
            assignment[1],
            Assignment {
                center: 0,
                distance: 1.0
            }
        );
    }

    #[test]
    fn weights_of_zero_leave_one_point() {
        let points = array![[0.0_f32], [9.0], [4.0]];
        let cover = Cover::new(0.1).unwrap();
        assert_eq!(
            cover
                .select(points.view(), Some(&[0.0; 3]))
                .unwrap()
                .centers,
            [0]
        );
        // A negative zero is a zero, also when ordering.
        let kept = cover
            .select(points.view(), Some(&[-0.0, 0.0, 0.0]))
            .unwrap();
        assert_eq!(kept.centers, [0]);
        assert!(Cover::new(0.0).is_err());
        assert!(Cover::new(f64::NAN).is_err());
    }
}
