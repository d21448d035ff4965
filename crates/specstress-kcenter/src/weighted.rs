use ndarray::ArrayView2;

use crate::farthest::check_count;
use crate::instance::{Instance, Nearest};
use crate::{Euclidean, KCenterError, Metric, Selection, Selector};

/// Relative slack of the cover test, far above the rounding of a distance and far below any
/// difference that matters: without it, `w_v d(v, c) <= 2r` could fail by one rounding where
/// it holds in real numbers, and the guess `r = OPT` be refused.
const SLACK: f64 = 1.0 + 1e-12;

/// Vertex-weighted k-center within twice the optimum (Plesnik 1987; Wang and Cheng 1990).
///
/// ```text
/// minimise over T, |T| <= k:    max_i  w_i * dist(i, T)
///
/// guess r:  scan vertices by falling weight; take the first uncovered one as centre c and
///           cover every v with  w_v * d(v, c) <= 2r;   r is too small if that takes over k
/// ```
///
/// The smallest workable guess is found by bisection. The optimum is one of the products
/// `w_i * d(i, j)`; instead of listing those O(n^2) candidates, the bisection runs over all
/// `f64` values, which needs at most 64 scans and O(n) memory and ends at or below the same
/// candidate.
///
/// **Guarantee**: the radius is at most 2 OPT, the best possible in polynomial time unless
/// P = NP. Proof: let `v` and `c` share a centre `x` of an optimal solution, `c` taken first, so
/// `w_v <= w_c`; then `w_v d(v, c) <= w_v d(v, x) + w_c d(c, x) <= 2 OPT`, so `c` covers the
/// whole cluster at `r = OPT`, and k scans suffice. A refused guess is therefore below OPT:
/// [`Selection::lower_bound`] is the guess the bisection ends at and never above OPT. Distances
/// are rounded, so both statements hold up to a factor of `1 + 1e-12`. The triangle
/// inequality is needed.
///
/// Centres left over from the k are given to the farthest points, which only shrinks the
/// radius; fewer than k come back only when the weighted radius is 0 already. `radii` follows
/// the picks and the assignment is to the nearest centre. Without weights all points weigh 1.
///
/// Needs O(64 x points x k) distances. Errors as [`FarthestFirst`](crate::FarthestFirst).
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{Selector, WeightedKCenter};
///
/// let points = array![[12.0_f32], [0.0], [12.0], [8.0], [6.0]];
/// let weights = [1.0, 2.0, 1.0, 1.0, 2.0];
/// let kept = WeightedKCenter::new(2).select(points.view(), Some(&weights))?;
/// assert_eq!(kept.centers, [1, 4]);
/// assert_eq!(kept.radii, Some(vec![12.0, 6.0]));
/// assert!(kept.lower_bound <= Some(4.0)); // the optimum, with centres 1 and 3
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedKCenter<M = Euclidean> {
    count: usize,
    metric: M,
}

impl WeightedKCenter {
    /// At most `count` centres under Euclidean distance; the count is checked against the
    /// points when selecting.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            metric: Euclidean,
        }
    }
}

impl<M> WeightedKCenter<M> {
    /// Sets the distance.
    #[must_use]
    pub fn metric<N: Metric>(self, metric: N) -> WeightedKCenter<N> {
        WeightedKCenter {
            count: self.count,
            metric,
        }
    }
}

impl<M: Metric> Selector for WeightedKCenter<M> {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        let instance = Instance::new(&self.metric, points, weights)?;
        let count = check_count(self.count, instance.len())?;
        let order = instance.by_weight();

        // One centre at the heaviest point: its radius is a guess that always works.
        let mut single = Nearest::new(&instance);
        single.add(order[0]);
        let mut works = Guess {
            radius: single.radius(),
            centers: vec![order[0]],
        };
        if let Some(centers) = scan(&instance, &order, 0.0, count) {
            works = Guess {
                radius: 0.0,
                centers,
            };
        }
        // Bits of non-negative floats are ordered as the floats are.
        let mut refused = 0.0_f64.to_bits();
        while works.radius.to_bits() > refused + 1 {
            let middle = refused + (works.radius.to_bits() - refused) / 2;
            let radius = f64::from_bits(middle);
            match scan(&instance, &order, radius, count) {
                Some(centers) => works = Guess { radius, centers },
                None => refused = middle,
            }
        }

        let mut nearest = Nearest::new(&instance);
        let mut radii = Vec::with_capacity(count);
        for row in works.centers {
            nearest.add(row);
            radii.push(nearest.radius());
        }
        while nearest.centers.len() < count
            && let Some((row, weighted)) = nearest.farthest()
            && weighted > 0.0
        {
            nearest.add(row);
            radii.push(nearest.radius());
        }
        Ok(Selection {
            centers: nearest.centers,
            radii: Some(radii),
            assignment: Some(nearest.assignment),
            lower_bound: Some(works.radius),
        })
    }
}

struct Guess {
    radius: f64,
    centers: Vec<usize>,
}

/// The centres that the guess `radius` leads to, or `None` once they exceed `count`.
fn scan<M: Metric>(
    instance: &Instance<'_, M>,
    order: &[usize],
    radius: f64,
    count: usize,
) -> Option<Vec<usize>> {
    let reach = 2.0 * radius * SLACK;
    let mut centers: Vec<usize> = Vec::with_capacity(count);
    for &row in order {
        let weight = instance.weight(row);
        let covered = |&center: &usize| weight * instance.distance(row, center) <= reach;
        if centers.iter().any(covered) {
            continue;
        }
        if centers.len() == count {
            return None;
        }
        centers.push(row);
    }
    Some(centers)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn zero_is_reached_when_there_are_enough_centres() {
        let points = array![[0.0_f32], [0.0], [7.0], [7.0]];
        let kept = WeightedKCenter::new(3).select(points.view(), None).unwrap();
        assert_eq!(kept.centers, [0, 2]);
        assert_eq!(
            (kept.radii, kept.lower_bound),
            (Some(vec![7.0, 0.0]), Some(0.0))
        );
    }

    #[test]
    fn a_midpoint_at_the_optimum_is_not_lost_to_rounding() {
        // Thirds are not exact: 0.1 + 0.2 style sums must not refuse r = OPT.
        let points = array![[0.0_f32, 0.0], [0.1, 0.3], [0.2, 0.6]];
        let kept = WeightedKCenter::new(1).select(points.view(), None).unwrap();
        let optimum = Euclidean.distance(&[0.1, 0.3], &[0.2, 0.6]);
        assert!(kept.lower_bound.unwrap() <= optimum * SLACK);
        assert!(kept.radii.unwrap()[0] <= 2.0 * optimum * SLACK);
    }

    #[test]
    fn counts_are_checked() {
        let points = array![[0.0_f32], [1.0]];
        for count in [0, 3] {
            assert_eq!(
                WeightedKCenter::new(count).select(points.view(), None),
                Err(KCenterError::Count { count, points: 2 })
            );
        }
    }
}
