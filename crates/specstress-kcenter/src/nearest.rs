use crate::instance::{Instance, Pair};
use crate::{Assignment, KCenterError, Metric, PointSource};

/// Every point's nearest centre, kept up to date pair by pair as centres are added.
pub(crate) struct Nearest<'i, 'a, S: ?Sized, M: ?Sized> {
    instance: &'i Instance<'a, S, M>,
    pub(crate) centers: Vec<usize>,
    pub(crate) assignment: Vec<Assignment>,
    is_center: Vec<bool>,
    pair: Pair,
}

impl<'i, 'a, S: PointSource + ?Sized, M: Metric + ?Sized> Nearest<'i, 'a, S, M> {
    pub(crate) fn new(instance: &'i Instance<'a, S, M>) -> Self {
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
            pair: Pair::default(),
        }
    }

    /// Adds a centre; on equal distances a point stays with the earlier one.
    pub(crate) fn add(&mut self, row: usize) -> Result<(), KCenterError> {
        let center = self.centers.len();
        self.centers.push(row);
        self.is_center[row] = true;
        for (point, assigned) in self.assignment.iter_mut().enumerate() {
            let distance = self.instance.distance(point, row, &mut self.pair)?;
            if distance < assigned.distance {
                *assigned = Assignment { center, distance };
            }
        }
        // Even beside an equal centre picked before, a centre stands for itself.
        self.assignment[row] = Assignment {
            center,
            distance: 0.0,
        };
        Ok(())
    }

    /// The point that is no centre with the largest `w_i * dist(i, T)`, the lowest row among
    /// equals, and that weighted distance; `None` when every point is a centre.
    pub(crate) fn farthest(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (point, assigned) in self.assignment.iter().enumerate() {
            if self.is_center[point] {
                continue;
            }
            let weighted = self.instance.weights.of(point) * assigned.distance;
            if best.is_none_or(|(_, most)| weighted > most) {
                best = Some((point, weighted));
            }
        }
        best
    }
}
