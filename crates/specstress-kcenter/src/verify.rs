use ndarray::ArrayView2;

use crate::bounded::{Bounded, Purpose, Scan, Traversal, first_too_close};
use crate::instance::{Instance, Pair};
use crate::{KCenterError, Metric, PointSource, Progress, Run, Selection, WeightOn};

/// What a check of a selection against its points found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verification {
    /// Whether every point is within the radius of a centre.
    pub covered: bool,
    /// Whether every two centres are more than the radius apart.
    pub separated: bool,
    /// The weighted covering radius, `max_i w_i * dist(i, T)`; infinite without centres.
    pub radius: f64,
    /// The lowest row that no centre covers.
    pub uncovered: Option<usize>,
    /// The first two centres that are too close, as rows, the earlier pick first.
    pub too_close: Option<(usize, usize)>,
}

/// Checks cover and separation of a selection.
///
/// ```text
/// cover       for every v some centre c:                w_v * d(v, c) <= radius
/// separation  for centres u picked before v:            w_v * d(u, v) >  radius
/// ```
///
/// The same comparisons, on the same `f64` numbers, as the selectors make, so there is no
/// tolerance: a selection of [`Cover`](crate::Cover), or of
/// [`FarthestFirst`](crate::FarthestFirst) stopped by its radius, passes both. One stopped by
/// count passes cover at its last radius, and separation below it. The assignment is not
/// read. Errors on unusable points, weights or radius, and on centres that are no rows.
///
/// Needs O(points x centres + centres^2) distances. On large inputs bounds reject most of them,
/// as in the selectors; [`verify_from`] with [`Strategy::Pairwise`](crate::Strategy) computes
/// every one, and so trusts nothing that a selector has used but the metric. The answer is the same.
///
/// ```
/// use specstress_kcenter::ndarray::array;
/// use specstress_kcenter::{Euclidean, FarthestFirst, Selector, Stop, verify};
///
/// let points = array![[0.0_f32], [1.0], [3.0]];
/// let kept = FarthestFirst::new(Stop::Radius(1.5)).select(points.view(), None)?;
/// let found = verify(&Euclidean, points.view(), None, &kept, 1.5)?;
/// assert!(found.covered && found.separated);
/// assert_eq!(found.radius, 1.0);
/// # Ok::<(), specstress_kcenter::KCenterError>(())
/// ```
pub fn verify<M: Metric + ?Sized>(
    metric: &M,
    points: ArrayView2<'_, f32>,
    weights: Option<&[f64]>,
    selection: &Selection,
    radius: f64,
) -> Result<Verification, KCenterError> {
    verify_from(
        metric,
        &points.as_standard_layout(),
        weights,
        selection,
        radius,
        &Run::new(),
    )
}

/// As [`verify`], for the points of any source, with progress and cancellation.
pub fn verify_from<S: PointSource + ?Sized, M: Metric + ?Sized>(
    metric: &M,
    points: &S,
    weights: Option<&[f64]>,
    selection: &Selection,
    radius: f64,
    run: &Run<'_>,
) -> Result<Verification, KCenterError> {
    let instance = Instance::new(metric, points, weights, run)?;
    check(&instance, selection, radius, WeightOn::Demand, run)
}

pub(crate) fn check<S: PointSource + ?Sized, M: Metric + ?Sized>(
    instance: &Instance<'_, S, M>,
    selection: &Selection,
    radius: f64,
    weight_on: WeightOn,
    run: &Run<'_>,
) -> Result<Verification, KCenterError> {
    // A radius of 0 is met by a selection that keeps every distinct point.
    if !radius.is_finite() || radius < 0.0 {
        return Err(KCenterError::Radius { value: radius });
    }
    let centers = &selection.centers;
    let points = instance.len();
    for (position, &row) in centers.iter().enumerate() {
        if row >= points {
            return Err(KCenterError::UnknownCenter {
                position,
                row,
                points,
            });
        }
    }
    // Bounds are for nearest centres, which weights on the centres are not about.
    let bounded = match weight_on {
        WeightOn::Demand if !centers.is_empty() => {
            let purpose = Purpose {
                radius: Some(radius),
                nearest: true,
            };
            Bounded::new(instance, purpose, run)?
        }
        _ => None,
    };
    let (reached, too_close) = match &bounded {
        Some(bounded) => {
            let distances = Traversal::distances(bounded, centers, run)?;
            let weights = instance.weights;
            let reached = (0..points).map(|row| weights.of(row) * distances[row]);
            let wanted = Scan {
                order: centers,
                threshold: radius,
                weight_on,
                most: points,
            };
            (reached.collect(), first_too_close(bounded, wanted, run)?)
        }
        None => pairwise(instance, centers, radius, weight_on, run)?,
    };
    let uncovered = reached.iter().position(|&nearest| nearest > radius);
    Ok(Verification {
        covered: uncovered.is_none(),
        separated: too_close.is_none(),
        radius: reached.into_iter().fold(0.0, f64::max),
        uncovered,
        too_close,
    })
}

/// Every point's weighted distance to its nearest centre, and the first centres too close.
type Found = (Vec<f64>, Option<(usize, usize)>);

fn pairwise<S: PointSource + ?Sized, M: Metric + ?Sized>(
    instance: &Instance<'_, S, M>,
    centers: &[usize],
    radius: f64,
    weight_on: WeightOn,
    run: &Run<'_>,
) -> Result<Found, KCenterError> {
    let points = instance.len();
    let mut pair = Pair::default();
    let mut weighted = |demand: usize, center: usize| {
        let distance = instance.distance(demand, center, &mut pair)?;
        Ok::<f64, KCenterError>(weight_on.of(instance, demand, center) * distance)
    };
    let mut reached = Vec::with_capacity(points);
    for row in 0..points {
        run.report(Progress::Assigning { done: row, points })?;
        let mut nearest = f64::INFINITY;
        for &center in centers {
            nearest = nearest.min(weighted(row, center)?);
        }
        reached.push(nearest);
    }
    for (position, &later) in centers.iter().enumerate() {
        for &earlier in &centers[..position] {
            if weighted(later, earlier)? <= radius {
                return Ok((reached, Some((earlier, later))));
            }
        }
    }
    Ok((reached, None))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Euclidean;

    fn selection(centers: &[usize]) -> Selection {
        Selection {
            centers: centers.to_vec(),
            radii: None,
            assignment: None,
            lower_bound: None,
        }
    }

    #[test]
    fn broken_selections_are_found_out() {
        let points = array![[0.0_f32], [1.0], [5.0]];
        let check = |centers: &[usize], radius| {
            verify(&Euclidean, points.view(), None, &selection(centers), radius)
        };
        let found = check(&[0], 1.0).unwrap();
        assert_eq!(
            (found.covered, found.uncovered, found.radius),
            (false, Some(2), 5.0)
        );
        let found = check(&[2, 1, 0], 1.0).unwrap();
        assert_eq!((found.separated, found.too_close), (false, Some((1, 0))));
        let found = check(&[], 1.0).unwrap();
        assert_eq!((found.uncovered, found.radius), (Some(0), f64::INFINITY));
        assert_eq!(
            check(&[0, 3], 1.0),
            Err(KCenterError::UnknownCenter {
                position: 1,
                row: 3,
                points: 3
            })
        );
        assert!(check(&[0], f64::NAN).is_err());
        assert!(check(&[0, 1, 2], 0.0).unwrap().covered);
    }

    #[test]
    fn separation_weighs_the_later_pick() {
        let points = array![[0.0_f32], [1.0]];
        let weights = [3.0, 1.0];
        let found = |centers: &[usize]| {
            let kept = selection(centers);
            verify(&Euclidean, points.view(), Some(&weights), &kept, 2.0)
                .unwrap()
                .separated
        };
        assert!(!found(&[0, 1]));
        assert!(found(&[1, 0]));
    }
}
