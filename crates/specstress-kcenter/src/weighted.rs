use ndarray::ArrayView2;

use crate::bounded::{Bounded, Extent, Purpose, Scan, Traversal, scan};
use crate::farthest::check_count;
use crate::instance::{Instance, Pair};
use crate::nearest::Nearest;
use crate::{
    Assignment, Euclidean, KCenterError, Metric, PointSource, Run, Selection, Selector, WeightOn,
};

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

impl<M: Metric> WeightedKCenter<M> {
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
        let count = check_count(self.count, instance.len())?;
        let order = instance.weights.descending(instance.len());
        let purpose = Purpose {
            radius: None,
            nearest: true,
        };
        let (lower_bound, (centers, assignment), radii) =
            match Bounded::new(&instance, purpose, run)? {
                Some(bounded) => with_bounds(&bounded, &order, count, run)?,
                None => pairwise(&instance, &order, count, run)?,
            };
        Ok(Selection {
            centers,
            radii: Some(radii),
            assignment,
            lower_bound: Some(lower_bound),
        })
    }
}

/// The guess, the centres with the assignment if wanted, and the radii.
type Outcome = (f64, (Vec<usize>, Option<Vec<Assignment>>), Vec<f64>);

fn with_bounds<S: PointSource + ?Sized>(
    points: &Bounded<'_, S>,
    order: &[usize],
    count: usize,
    run: &Run<'_>,
) -> Result<Outcome, KCenterError> {
    let single = Traversal::new(points, order[0])?.radius()?;
    let guess = smallest_guess(order[0], single, |reach| {
        let wanted = Scan {
            order,
            threshold: reach,
            weight_on: WeightOn::Demand,
            most: count,
        };
        Ok(scan(points, wanted, run)?.map(|(centers, _)| centers))
    })?;
    let mut nearest = Traversal::new(points, guess.centers[0])?;
    let mut radii = vec![nearest.radius()?];
    for &row in &guess.centers[1..] {
        nearest.add(row);
        radii.push(nearest.radius()?);
    }
    // Continuing starts by stating the present radius again.
    radii.pop();
    let extent = Extent {
        most: count,
        radius: Some(0.0),
    };
    nearest.extend(extent, &mut radii, run)?;
    Ok((guess.radius, nearest.finish(run)?, radii))
}

fn pairwise<S: PointSource + ?Sized, M: Metric>(
    instance: &Instance<'_, S, M>,
    order: &[usize],
    count: usize,
    run: &Run<'_>,
) -> Result<Outcome, KCenterError> {
    let mut single = Nearest::new(instance);
    single.add(order[0])?;
    let radius = single.farthest().map_or(0.0, |(_, weighted)| weighted);
    let guess = smallest_guess(order[0], radius, |reach| {
        run.report(crate::Progress::Selecting {
            centers: 0,
            done: 0,
            most: order.len(),
        })?;
        centers_within(instance, order, reach, count)
    })?;
    let mut nearest = Nearest::new(instance);
    let mut radii = Vec::with_capacity(count);
    let mut forced = guess.centers.into_iter();
    loop {
        let farthest = nearest.farthest().filter(|&(_, weighted)| weighted > 0.0);
        let next = forced.next().or(farthest.map(|(row, _)| row));
        let Some(row) = next.filter(|_| nearest.centers.len() < count) else {
            break;
        };
        nearest.add(row)?;
        radii.push(nearest.farthest().map_or(0.0, |(_, weighted)| weighted));
    }
    let assignment = run.assignment.then_some(nearest.assignment);
    Ok((guess.radius, (nearest.centers, assignment), radii))
}

impl<M: Metric> Selector for WeightedKCenter<M> {
    fn select(
        &self,
        points: ArrayView2<'_, f32>,
        weights: Option<&[f64]>,
    ) -> Result<Selection, KCenterError> {
        self.select_from(&points.as_standard_layout(), weights, &Run::new())
    }
}

struct Guess {
    radius: f64,
    centers: Vec<usize>,
}

/// Bisects for the smallest radius whose scan, given its reach, needs no more centres than
/// asked for; `single` is the radius of the heaviest point alone, a guess that always works.
fn smallest_guess(
    heaviest: usize,
    single: f64,
    mut scan: impl FnMut(f64) -> Result<Option<Vec<usize>>, KCenterError>,
) -> Result<Guess, KCenterError> {
    let mut works = Guess {
        radius: single,
        centers: vec![heaviest],
    };
    if let Some(centers) = scan(0.0)? {
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
        match scan(2.0 * radius * SLACK)? {
            Some(centers) => works = Guess { radius, centers },
            None => refused = middle,
        }
    }
    Ok(works)
}

/// The centres that a scan with this reach leads to, or `None` once they exceed `count`.
fn centers_within<S: PointSource + ?Sized, M: Metric>(
    instance: &Instance<'_, S, M>,
    order: &[usize],
    reach: f64,
    count: usize,
) -> Result<Option<Vec<usize>>, KCenterError> {
    let mut centers: Vec<usize> = Vec::with_capacity(count);
    let mut pair = Pair::default();
    'rows: for &row in order {
        let weight = instance.weights.of(row);
        for &center in &centers {
            if weight * instance.distance(row, center, &mut pair)? <= reach {
                continue 'rows;
            }
        }
        if centers.len() == count {
            return Ok(None);
        }
        centers.push(row);
    }
    Ok(Some(centers))
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
