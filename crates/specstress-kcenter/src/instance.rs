use crate::{Geometry, KCenterError, Metric, PointSource, Progress, Run, Strategy};

/// Largest weight accepted: its product with any distance of `f32` points is finite.
const LARGEST_WEIGHT: f64 = 1e200;

/// Numbers read at a time while rows are checked: about a megabyte.
const BLOCK_NUMBERS: usize = 1 << 18;

/// From this many pairs of points times dimensions on, bounds pay for their set-up.
const WORTH_BOUNDING: u128 = 1 << 26;

/// Points and weights, checked once: coordinates finite, weights usable.
pub(crate) struct Instance<'a, S: ?Sized, M: ?Sized> {
    pub(crate) source: &'a S,
    pub(crate) weights: Weights<'a>,
    metric: &'a M,
}

/// Buffers for the two rows of a distance.
#[derive(Default)]
pub(crate) struct Pair {
    a: Vec<f32>,
    b: Vec<f32>,
}

impl<'a, S: PointSource + ?Sized, M: Metric + ?Sized> Instance<'a, S, M> {
    pub(crate) fn new(
        metric: &'a M,
        source: &'a S,
        weights: Option<&'a [f64]>,
        run: &Run<'_>,
    ) -> Result<Self, KCenterError> {
        let (rows, dimensions) = (source.point_count(), source.dimensions());
        if rows == 0 || dimensions == 0 {
            return Err(KCenterError::Empty { rows, dimensions });
        }
        let weights = Weights::new(weights, rows)?;
        let step = (BLOCK_NUMBERS / dimensions).max(1);
        let mut buffer = Vec::new();
        for start in (0..rows).step_by(step) {
            run.report(Progress::Preparing {
                done: start,
                points: rows,
            })?;
            for row in start..rows.min(start + step) {
                let point = source.read_row(row, &mut buffer)?;
                if point.len() != dimensions {
                    return Err(KCenterError::RowLength {
                        row,
                        found: point.len(),
                        dimensions,
                    });
                }
                check_finite(row, point)?;
                metric.check_row(row, point)?;
            }
        }
        Ok(Self {
            source,
            weights,
            metric,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.source.point_count()
    }

    pub(crate) fn distance(
        &self,
        a: usize,
        b: usize,
        pair: &mut Pair,
    ) -> Result<f64, KCenterError> {
        let a = self.source.read_row(a, &mut pair.a)?;
        let b = self.source.read_row(b, &mut pair.b)?;
        Ok(self.metric.distance(a, b))
    }

    /// The geometry to bound distances in, if this run should.
    pub(crate) fn bounded(&self, run: &Run<'_>) -> Option<Geometry> {
        let geometry = self.metric.geometry()?;
        let points = self.len() as u128;
        let large = points * points * self.source.dimensions() as u128 >= WORTH_BOUNDING;
        match run.strategy {
            Strategy::Pairwise => None,
            Strategy::Bounded => Some(geometry),
            Strategy::Auto => large.then_some(geometry),
        }
    }
}

fn check_finite(row: usize, point: &[f32]) -> Result<(), KCenterError> {
    // The largest magnitude tells whether to look for the culprit; a plain maximum over bits is
    // what the compiler makes fast.
    let largest = point
        .iter()
        .fold(0, |most, x| most.max(x.to_bits() & 0x7fff_ffff));
    if largest < 0x7f80_0000 {
        return Ok(());
    }
    let found = point.iter().enumerate().find(|(_, x)| !x.is_finite());
    let (column, &value) = found.expect("a magnitude of at least infinity is not finite");
    Err(KCenterError::NotFinite { row, column, value })
}

/// One weight per point, or 1 for each.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a>(Option<&'a [f64]>);

impl<'a> Weights<'a> {
    fn new(weights: Option<&'a [f64]>, points: usize) -> Result<Self, KCenterError> {
        let Some(given) = weights else {
            return Ok(Self(None));
        };
        if given.len() != points {
            return Err(KCenterError::WeightCount {
                weights: given.len(),
                points,
            });
        }
        for (row, &value) in given.iter().enumerate() {
            if !(0.0..=LARGEST_WEIGHT).contains(&value) {
                return Err(KCenterError::Weight { row, value });
            }
        }
        Ok(Self(weights))
    }

    pub(crate) fn of(self, row: usize) -> f64 {
        self.0.map_or(1.0, |weights| weights[row])
    }

    /// Rows by falling weight, equal weights by rising row.
    pub(crate) fn descending(self, points: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..points).collect();
        // Stable, and `-0.0` must not sort below `0.0`: both are the same weight.
        let key = |row: usize| self.of(row) + 0.0;
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        order
    }

    /// The heaviest row, the lowest among equals.
    pub(crate) fn heaviest(self, points: usize) -> usize {
        (0..points).fold(0, |best, row| {
            if self.of(row) > self.of(best) {
                row
            } else {
                best
            }
        })
    }
}
