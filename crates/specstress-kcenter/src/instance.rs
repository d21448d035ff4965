use ndarray::{ArrayView2, CowArray, Ix2};

use crate::{Assignment, KCenterError, Metric};

/// Largest weight accepted: its product with any distance of `f32` points is finite.
const LARGEST_WEIGHT: f64 = 1e200;

/// Points and weights, checked once: rows contiguous, coordinates finite, weights usable.
pub(crate) struct Instance<'a, M> {
    points: CowArray<'a, f32, Ix2>,
    dimensions: usize,
    weights: Option<&'a [f64]>,
    metric: &'a M,
}

impl<'a, M: Metric> Instance<'a, M> {
    pub(crate) fn new(
        metric: &'a M,
        points: ArrayView2<'a, f32>,
        weights: Option<&'a [f64]>,
    ) -> Result<Self, KCenterError> {
        let (rows, dimensions) = points.dim();
        if rows == 0 || dimensions == 0 {
            return Err(KCenterError::Empty { rows, dimensions });
        }
        for ((row, column), &value) in points.indexed_iter() {
            if !value.is_finite() {
                return Err(KCenterError::NotFinite { row, column, value });
            }
        }
        if let Some(weights) = weights {
            check_weights(weights, rows)?;
        }
        let points = if points.is_standard_layout() {
            CowArray::from(points)
        } else {
            CowArray::from(points.as_standard_layout().into_owned())
        };
        let instance = Self {
            points,
            dimensions,
            weights,
            metric,
        };
        for row in 0..rows {
            metric.check_row(row, instance.point(row))?;
        }
        Ok(instance)
    }

    pub(crate) fn len(&self) -> usize {
        self.points.nrows()
    }

    fn point(&self, row: usize) -> &[f32] {
        let flat = self.points.as_slice().expect("rows were made contiguous");
        &flat[row * self.dimensions..(row + 1) * self.dimensions]
    }

    pub(crate) fn distance(&self, a: usize, b: usize) -> f64 {
        self.metric.distance(self.point(a), self.point(b))
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Rows by falling weight, equal weights by rising row.
    pub(crate) fn by_weight(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        // Stable, and `-0.0` must not sort below `0.0`: both are the same weight.
        let key = |row: usize| self.weight(row) + 0.0;
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        order
    }
}

fn check_weights(weights: &[f64], points: usize) -> Result<(), KCenterError> {
    if weights.len() != points {
        return Err(KCenterError::WeightCount {
            weights: weights.len(),
            points,
        });
    }
    for (row, &value) in weights.iter().enumerate() {
        if !(0.0..=LARGEST_WEIGHT).contains(&value) {
            return Err(KCenterError::Weight { row, value });
        }
    }
    Ok(())
}

/// Every point's nearest centre, kept up to date as centres are added.
pub(crate) struct Nearest<'i, 'a, M> {
    instance: &'i Instance<'a, M>,
    pub(crate) centers: Vec<usize>,
    pub(crate) assignment: Vec<Assignment>,
    is_center: Vec<bool>,
}

impl<'i, 'a, M: Metric> Nearest<'i, 'a, M> {
    pub(crate) fn new(instance: &'i Instance<'a, M>) -> Self {
        Self {
            instance,
            centers: Vec::new(),
            assignment: vec![
                Assignment {
                    center: 0,
                    distance: f64::INFINITY,
                };
                instance.len()
            ],
            is_center: vec![false; instance.len()],
        }
    }

    /// Adds a centre; on equal distances a point stays with the earlier one.
    pub(crate) fn add(&mut self, row: usize) {
        let center = self.centers.len();
        self.centers.push(row);
        self.is_center[row] = true;
        for (point, assigned) in self.assignment.iter_mut().enumerate() {
            let distance = self.instance.distance(point, row);
            if distance < assigned.distance {
                *assigned = Assignment { center, distance };
            }
        }
        // Even beside an equal centre picked before, a centre stands for itself.
        self.assignment[row] = Assignment {
            center,
            distance: 0.0,
        };
    }

    /// The point that is no centre with the largest `w_i * dist(i, T)`, the lowest row among
    /// equals, and that weighted distance; `None` when every point is a centre.
    pub(crate) fn farthest(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (point, assigned) in self.assignment.iter().enumerate() {
            if self.is_center[point] {
                continue;
            }
            let weighted = self.instance.weight(point) * assigned.distance;
            if best.is_none_or(|(_, most)| weighted > most) {
                best = Some((point, weighted));
            }
        }
        best
    }

    /// The weighted covering radius, `max_i w_i * dist(i, T)`.
    pub(crate) fn radius(&self) -> f64 {
        self.farthest().map_or(0.0, |(_, weighted)| weighted)
    }
}
