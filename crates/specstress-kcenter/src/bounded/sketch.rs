use ndarray::ArrayView2;

use super::codes::{Codes, REGISTER, Reach, Stage};
use super::frame::{Frame, Part};
use crate::parallel::map_tasks;
use crate::{Geometry, KCenterError, PointSource, Progress, Run};

/// Rows coded per task, and tasks between two reports.
const TASK_ROWS: usize = 128;
const TASKS: usize = 32;

/// Most dimensions whose sums stay within an `i32`.
const MOST_DIMENSIONS: usize = 8192;
/// Relative widening of reaches, for the stretch of a rounded rotation, about 1e-6, and the
/// `1e-9` by which an `f64` distance may be off.
const WIDENING: f64 = 1.0 / (1_u64 << 14) as f64;

/// How often the usual error a point's error may be before it counts as far out.
const FAR_OUT: f64 = 1.2;

/// What looking at one pair that the first stage leaves costs, in registers multiplied.
const PAIR: f64 = 250.0;
/// Pairs of the sample from which the first stage is chosen.
const TRIED: usize = 400;

/// Points in eight bits, in up to three stages of bounds, each looked at where the one before
/// has not rejected.
pub(super) struct Sketch {
    turned: Codes,
    /// The first coordinates of rotated points, which hold much of the distances.
    pub(super) short: Stage,
    /// All coordinates that were rotated.
    long: Stage,
    /// Whole points, where wanted and longer.
    whole: Option<(Codes, Stage)>,
    scale: f64,
    /// Rounding of the metric and of normalised points, as a distance.
    blur: f64,
    geometry: Geometry,
}

/// What a sketch is for.
#[derive(Clone, Copy)]
pub(crate) struct Purpose {
    /// A distance most pairs will be compared with, if known.
    pub(crate) radius: Option<f64>,
    /// Whether many pairs will be compared with distances to nearest points, for which short
    /// codes tell too little.
    pub(crate) nearest: bool,
}

impl Sketch {
    /// `None` where the bounds would not be safe.
    pub(super) fn build<S: PointSource + ?Sized>(
        source: &S,
        geometry: Geometry,
        purpose: Purpose,
        run: &Run<'_>,
    ) -> Result<Option<Self>, KCenterError> {
        let (points, dimensions) = (source.point_count(), source.dimensions());
        if dimensions > MOST_DIMENSIONS {
            return Ok(None);
        }
        let Some((frame, sample)) = Frame::fit(source, geometry, run.seed)? else {
            return Ok(None);
        };
        let known = frame.known();
        let stage = |width: usize| {
            let cap = FAR_OUT * frame.turned(sample.view(), &[width]).usual_error();
            Stage::new(width.div_ceil(REGISTER), frame.turned_step, cap, points)
        };
        let mut sketch = Self {
            turned: Codes::new(known, points),
            short: stage(REGISTER),
            long: stage(known),
            whole: None,
            scale: frame.scale(),
            blur: match geometry {
                Geometry::Euclidean => 0.0,
                Geometry::Cosine => (dimensions + 64) as f64 * f64::EPSILON * 8.0,
            },
            geometry,
        };
        let short = purpose.radius.map_or(REGISTER, |radius| {
            let reach = sketch.reach(radius).0;
            cheapest(frame.turn(sample.view()).view(), reach)
        });
        sketch.short = stage(short);
        if purpose.nearest && dimensions > known {
            let cap = FAR_OUT * frame.whole(sample.view()).usual_error();
            let registers = dimensions.div_ceil(REGISTER);
            let whole = Stage::new(registers, frame.whole_step, cap, points);
            sketch.whole = Some((Codes::new(dimensions, points), whole));
        }
        let widths = [short, known];
        for start in (0..points).step_by(TASK_ROWS * TASKS) {
            run.report(Progress::Preparing {
                done: start,
                points,
            })?;
            let rows = points.min(start + TASK_ROWS * TASKS) - start;
            let parts = map_tasks(rows.div_ceil(TASK_ROWS), |task| {
                let first = start + task * TASK_ROWS;
                let count = TASK_ROWS.min(start + rows - first);
                let points = frame.read(source, first, count)?;
                let turned = frame.turned(points.view(), &widths);
                let whole = sketch.whole.is_some();
                Ok((turned, whole.then(|| frame.whole(points.view()))))
            })?;
            for (turned, whole) in parts {
                let Part { codes, norms } = turned;
                sketch.turned.extend(&codes);
                sketch.short.extend(&norms[0]);
                sketch.long.extend(&norms[1]);
                if let (Some((codes, stage)), Some(part)) = (&mut sketch.whole, whole) {
                    codes.extend(&part.codes);
                    stage.extend(&part.norms[0]);
                }
            }
        }
        Ok(Some(sketch))
    }

    /// Widens a distance of the metric so that its bounds reject nothing within it.
    pub(super) fn reach(&self, radius: f64) -> Reach {
        let length = match self.geometry {
            Geometry::Euclidean => radius,
            // Between points of length 1 the squared length is twice the cosine distance.
            Geometry::Cosine => (2.0 * (radius + self.blur)).sqrt() + self.blur,
        };
        Reach(length * self.scale * (1.0 + WIDENING))
    }

    /// Holds every point as near to a row as one whose whole code gave a sum with that of the row.
    pub(super) fn as_near(&self, row: usize, sum: i32) -> Reach {
        let (_, stage) = self.whole.as_ref().expect("the sum is of whole codes");
        match stage.upper(row, sum) {
            Some(length) => self.at_most(length),
            None => Reach(f64::INFINITY),
        }
    }

    /// Holds every point as near to `row` as `other`; `None` without codes of whole points.
    pub(super) fn as_near_as(&self, row: usize, other: usize) -> Option<Reach> {
        let (codes, stage) = self.whole.as_ref()?;
        Some(self.at_most(codes.upper(stage, row, other)))
    }

    /// Holds every point whose distance is at most that of some pair at most so far apart.
    fn at_most(&self, length: f64) -> Reach {
        if !length.is_finite() {
            return Reach(f64::INFINITY);
        }
        let length = length / self.scale * (1.0 + 1e-9);
        self.reach(match self.geometry {
            Geometry::Euclidean => length,
            Geometry::Cosine => length * length / 2.0 + self.blur,
        })
    }

    /// The codes and the stage that most pairs go through.
    pub(super) fn first(&self) -> (&Codes, &Stage) {
        (&self.turned, &self.short)
    }

    /// The codes and the stage of whole points.
    pub(super) fn whole(&self) -> Option<(&Codes, &Stage)> {
        self.whole.as_ref().map(|(codes, stage)| (codes, stage))
    }

    /// Whether the stages after the first leave a pair possibly within reach.
    pub(super) fn may_reach(&self, a: usize, b: usize, reach: Reach) -> bool {
        if self.long.registers() > self.short.registers()
            && !self.turned.may_reach(&self.long, a, b, reach)
        {
            return false;
        }
        let whole = self.whole.as_ref();
        whole.is_none_or(|(codes, stage)| codes.may_reach(stage, a, b, reach))
    }
}

/// The width of the first stage, in bytes, at which a pair costs least: longer ones take longer
/// to multiply and leave fewer pairs to look at.
fn cheapest(sample: ArrayView2<'_, f32>, reach: f64) -> usize {
    let rows = sample.nrows().min(TRIED);
    let widths: Vec<usize> = (1..=sample.ncols().div_ceil(REGISTER))
        .map(|registers| (registers * REGISTER).min(sample.ncols()))
        .collect();
    let mut left = vec![0_usize; widths.len()];
    for a in 0..rows {
        for b in 0..a {
            let (x, y) = (sample.row(a), sample.row(b));
            let mut square = 0.0;
            let mut from = 0;
            for (left, &to) in left.iter_mut().zip(&widths) {
                for at in from..to {
                    let apart = f64::from(x[at] - y[at]);
                    square += apart * apart;
                }
                if square > reach * reach {
                    break;
                }
                *left += 1;
                from = to;
            }
        }
    }
    let pairs = (rows * rows.saturating_sub(1) / 2).max(1) as f64;
    let cost = |at: usize| (at + 1) as f64 + PAIR * left[at] as f64 / pairs;
    let best = (0..widths.len()).min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
    best.map_or(REGISTER, |at| (at + 1) * REGISTER)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::bounded::codes::{Columns, Products, Rows};
    use crate::random::SplitMix64;
    use crate::{Cosine, Euclidean, Metric};

    /// Families of points around 20 centres, and one point far out.
    fn points() -> Array2<f32> {
        let mut draws = SplitMix64::new(3);
        let families = Array2::from_shape_fn((20, 300), |_| draws.symmetric());
        Array2::from_shape_fn((201, 300), |(i, j)| {
            let spread = 0.3 / (1 + j % 40) as f64;
            let value = families[[i % 20, j]] + spread * draws.symmetric() + 0.5;
            #[expect(clippy::cast_possible_truncation, reason = "random numbers")]
            let value = if i == 200 { value * 1e9 } else { value } as f32;
            value
        })
    }

    #[test]
    fn bounds_reject_most_far_pairs_and_never_a_near_one() {
        let points = points();
        let metrics: [(&dyn Metric, Geometry, f64); 2] = [
            (&Euclidean, Geometry::Euclidean, 6.0),
            (&Cosine, Geometry::Cosine, 0.1),
        ];
        for (metric, geometry, radius) in metrics {
            let purpose = Purpose {
                radius: None,
                nearest: true,
            };
            let sketch = Sketch::build(&points, geometry, purpose, &Run::new()).unwrap();
            let sketch = sketch.expect("ordinary points are bounded");
            let stages = [sketch.first(), sketch.whole().expect("300 are above 256")];
            for (codes, stage) in stages {
                let mut rows = Rows::new(stage);
                rows.gather(codes, stage, 0..201);
                let mut columns = Columns::new(stage);
                for row in 0..201 {
                    columns.push(codes, stage, row, None);
                }
                let mut products = Products::new(codes);
                products.multiply(&rows, (0, 201), &columns, (0, 13));
                let (mut far, mut passed) = (0, 0);
                for a in 0..201 {
                    let sums = products.of(a);
                    for b in 0..201 {
                        let distance = metric.distance(
                            points.row(a).as_slice().unwrap(),
                            points.row(b).as_slice().unwrap(),
                        );
                        // At its own distance a pair is a borderline one.
                        let own = sketch.reach(distance);
                        assert!(sums.at(b) >= stage.least(a, Some(own)), "{a} {b}");
                        assert!(sketch.may_reach(a, b, own), "{a} {b}");
                        if distance > radius && a.max(b) < 200 {
                            far += 1;
                            let reach = sketch.reach(radius);
                            passed += usize::from(sums.at(b) >= stage.least(a, Some(reach)));
                        }
                    }
                }
                assert!(far > 30_000 && passed * 10 < far, "{passed} of {far}");
            }
        }
    }
}
