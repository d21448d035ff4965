use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::rotation::directions;
use crate::parallel::map_tasks;
use crate::random::SplitMix64;
use crate::{Geometry, KCenterError, PointSource, Progress, Run};

/// Rows the rotation is fitted to.
const SAMPLE: usize = 2048;
/// Coordinates of the short prefix, which goes through matrix products.
pub(super) const SHORT: usize = 62;
/// Coordinates of the long prefix, compared pair by pair.
const LONG: usize = 256;
/// Rows rotated per task, and tasks between two reports.
const TASK_ROWS: usize = 128;
const TASKS: usize = 32;

/// Squared lengths beyond which the `f32` arithmetic below is not trusted.
const LARGEST_SQUARE: f64 = (1_u64 << 40) as f64;
/// Squared lengths of whole points beyond which their products tell little; points are about
/// of length 1 when scaled and centred.
const LONGEST_WHOLE: f64 = 256.0;
/// A reach that contains every pair of such points.
const LARGEST_REACH: f64 = (1_u64 << 30) as f64;
/// Relative widening that covers the rounding of coordinates and rests; see [`Sketch`].
const WIDENING: f64 = 1.0 / (1_u64 << 14) as f64;

/// Rotated and shortened points from which lower bounds on distances are read.
///
/// With `Q` orthonormal rows, `m` any centre, `a = Q (x - m)` and `r = |x - m|^2 - |a|^2`,
/// the map `x -> (a, sqrt r)` brings no two points farther apart:
///
/// ```text
/// |x - y|^2 = |a_x - a_y|^2 + |rest_x - rest_y|^2 >= |a_x - a_y|^2 + (|rest_x| - |rest_y|)^2
/// ```
///
/// The images are computed in `f64`, scaled by a power of two and rounded to `f32`. A computed
/// image is off by at most `2^-17` of its length: `2^-24` by that rounding, and at most `6e-6`
/// where a rest much shorter than the point was found by subtraction (for up to 8,192
/// dimensions; longer points are not bounded). For any `e > 0`, `(d + h)^2 <= (1 + e) d^2 +
/// (1 + 1 / e) h^2`, with `e = 2^-16` and `h` the two errors: so shrinking all squared lengths
/// by `2^-14` and widening the squared radius by as much makes up for it, and for the `1e-9` by
/// which the `f64` distance itself may be off. A product of `c` terms in `f32` errs by at most
/// `c 2^-24` of the product of lengths, in whatever order it is summed; squared lengths are
/// shrunk by four times that too. What these bounds reject is therefore beyond the radius for
/// certain; all else is decided by the metric in `f64`.
pub(super) struct Sketch {
    /// Coordinates per short image: prefix, rest, and a one that meets the centre's constant.
    pub(super) short: usize,
    /// Row after row.
    short_images: Vec<f32>,
    /// Half the squared length of each image, shrunk.
    halves: Vec<f32>,
    /// Coordinates per long image: prefix and rest.
    long: usize,
    long_images: Vec<f32>,
    /// Half the squared length of each whole point, scaled and shrunk; empty where whole points
    /// are too long for products of theirs to tell distances apart.
    whole_halves: Vec<f32>,
    scale: f64,
    /// Rounding of the metric and of normalised points, as a distance.
    blur: f64,
    geometry: Geometry,
}

/// A radius, ready to compare bounds with.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    /// Squared and widened, in the scale of the sketch.
    square: f64,
}

struct Frame {
    center: Array1<f64>,
    /// Dimensions x directions; `None` keeps the coordinates as they are.
    turn: Option<Array2<f64>>,
    geometry: Geometry,
    short: usize,
    long: usize,
}

impl Sketch {
    /// `None` where the bounds would not be safe or tell nothing.
    pub(super) fn build<S: PointSource + ?Sized>(
        source: &S,
        geometry: Geometry,
        run: &Run<'_>,
    ) -> Result<Option<Self>, KCenterError> {
        let (points, dimensions) = (source.point_count(), source.dimensions());
        if dimensions > 8192 {
            return Ok(None);
        }
        let sample = sample(source, geometry, run.seed)?;
        let center = sample.mean_axis(Axis(0)).expect("the sample has rows");
        let sample = sample - &center;
        let turn = if dimensions <= SHORT {
            None
        } else {
            match directions(sample.view(), LONG.min(dimensions), run.seed) {
                Some(found) => Some(found.t().as_standard_layout().into_owned()),
                None => return Ok(None),
            }
        };
        let known = turn.as_ref().map_or(dimensions, Array2::ncols);
        let frame = Frame {
            center,
            turn,
            geometry,
            short: known.min(SHORT),
            long: known,
        };
        let largest = sample
            .rows()
            .into_iter()
            .map(|row| row.dot(&row))
            .fold(0.0, f64::max);
        let scale = power_near(largest.sqrt());
        let (short, long) = (frame.short + 2, frame.long + 1);
        let mut sketch = Self {
            short,
            short_images: Vec::with_capacity(points * short),
            halves: Vec::with_capacity(points),
            long,
            long_images: Vec::with_capacity(points * long),
            whole_halves: Vec::with_capacity(points),
            scale,
            blur: match geometry {
                Geometry::Euclidean => 0.0,
                Geometry::Cosine => (dimensions + 64) as f64 * f64::EPSILON * 8.0,
            },
            geometry,
        };
        let mut longest = 0.0_f64;
        for start in (0..points).step_by(TASK_ROWS * TASKS) {
            run.report(Progress::Preparing {
                done: start,
                points,
            })?;
            let rows = points.min(start + TASK_ROWS * TASKS) - start;
            let parts = map_tasks(rows.div_ceil(TASK_ROWS), |task| {
                let first = start + task * TASK_ROWS;
                let count = TASK_ROWS.min(start + rows - first);
                frame.images(source, first, count, scale)
            })?;
            for part in parts {
                if part.largest.is_nan() || part.largest > LARGEST_SQUARE {
                    return Ok(None);
                }
                sketch.short_images.extend_from_slice(&part.short);
                sketch.halves.extend_from_slice(&part.halves);
                sketch.long_images.extend_from_slice(&part.long);
                sketch.whole_halves.extend_from_slice(&part.whole_halves);
                longest = longest.max(part.longest);
            }
        }
        let scalable = (2.0_f64.powi(-100)..2.0_f64.powi(100)).contains(&scale);
        if !scalable || longest > LONGEST_WHOLE {
            sketch.whole_halves = Vec::new();
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
        // `min` also turns the product of an infinite radius into a number.
        let scaled = (length * self.scale).min(LARGEST_REACH);
        Reach {
            square: scaled * scaled * (1.0 + WIDENING) + f64::from(f32::MIN_POSITIVE),
        }
    }

    /// Whether products of whole points are bounds too.
    pub(super) fn has_whole(&self) -> bool {
        !self.whole_halves.is_empty()
    }

    /// Writes a point as it is, scaled, and a last coordinate: 1, or for a centre its constant.
    /// Products of these bound distances as those of short images do, with the next two in the
    /// places of [`Sketch::least_product`] and [`Sketch::center_constant`].
    pub(super) fn write_whole(&self, point: &[f32], last: f32, out: &mut [f32]) {
        let scale = match self.geometry {
            Geometry::Euclidean => self.scale,
            Geometry::Cosine => {
                let squares = point.iter().map(|&x| f64::from(x) * f64::from(x));
                self.scale / squares.sum::<f64>().sqrt()
            }
        };
        for (out, &x) in out.iter_mut().zip(point) {
            #[expect(clippy::cast_possible_truncation, reason = "rounding is made up for")]
            let scaled = (f64::from(x) * scale) as f32;
            *out = scaled;
        }
        out[point.len()] = last;
    }

    pub(super) fn least_whole_product(&self, row: usize, reach: Reach) -> f32 {
        let half = f64::from(self.whole_halves[row]);
        lower(half - reach.square / 2.0, half + reach.square / 2.0)
    }

    pub(super) fn whole_constant(&self, row: usize) -> f32 {
        let half = f64::from(self.whole_halves[row]);
        -lower(half, half)
    }

    /// The image to multiply with those of centres. Its last coordinate is 1.
    pub(super) fn short_image(&self, row: usize) -> &[f32] {
        &self.short_images[row * self.short..(row + 1) * self.short]
    }

    /// What the product of two images must reach for the pair to be possibly within reach:
    /// `|x - y|^2 <= R^2` is `x.y - |y|^2 / 2 >= |x|^2 / 2 - R^2 / 2`. The left side is the
    /// product when the centre's last coordinate is [`Sketch::center_constant`].
    pub(super) fn least_product(&self, row: usize, reach: Reach) -> f32 {
        let half = f64::from(self.halves[row]);
        lower(half - reach.square / 2.0, half + reach.square / 2.0)
    }

    /// The last coordinate of a centre, with the reach of the centre, if the centre has one.
    pub(super) fn center_constant(&self, row: usize, reach: Option<Reach>) -> f32 {
        let half = f64::from(self.halves[row]);
        let square = reach.map_or(0.0, |reach| reach.square * (1.0 + WIDENING));
        -lower(half - square / 2.0, half + square / 2.0)
    }

    /// Whether the long prefixes leave a pair possibly within reach.
    pub(super) fn may_reach(&self, a: usize, b: usize, reach: Reach) -> bool {
        let image = |row: usize| &self.long_images[row * self.long..(row + 1) * self.long];
        let slack = WIDENING * 2.0 * f64::from(self.halves[a] + self.halves[b]);
        let limit = reach.square * (1.0 + WIDENING) + slack;
        f64::from(squared_difference(image(a), image(b))) <= limit
    }
}

/// A float below `value` by more than the rounding of two operations on parts of size `size`.
fn lower(value: f64, size: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is made up for")]
    let rounded = (value - size * 2.0_f64.powi(-22)) as f32;
    rounded
}

/// The power of two nearest below `1 / length`, within what `f64` can scale `f32` points by.
fn power_near(length: f64) -> f64 {
    if length > 0.0 {
        (-length.log2()).clamp(-200.0, 200.0).floor().exp2()
    } else {
        1.0
    }
}

struct Images {
    short: Vec<f32>,
    halves: Vec<f32>,
    long: Vec<f32>,
    whole_halves: Vec<f32>,
    /// The largest squared length, scaled.
    largest: f64,
    /// The same before centring.
    longest: f64,
}

impl Frame {
    fn images<S: PointSource + ?Sized>(
        &self,
        source: &S,
        first: usize,
        count: usize,
        scale: f64,
    ) -> Result<Images, KCenterError> {
        let dimensions = source.dimensions();
        let mut flat = Vec::new();
        source.read_block(first, count, &mut flat)?;
        if flat.len() != count * dimensions {
            return Err(KCenterError::RowLength {
                row: first,
                found: flat.len() / count,
                dimensions,
            });
        }
        let rows = widened(&flat, dimensions, self.geometry);
        drop(flat);
        let mut images = Images {
            short: Vec::with_capacity(count * (self.short + 2)),
            halves: Vec::with_capacity(count),
            long: Vec::with_capacity(count * (self.long + 1)),
            whole_halves: Vec::with_capacity(count),
            largest: 0.0,
            longest: 0.0,
        };
        let products = (dimensions + 8) as f64 * 2.0_f64.powi(-24);
        for row in rows.rows() {
            let square = row.dot(&row) * scale * scale;
            let half = square / 2.0 * (1.0 - WIDENING - 4.0 * products);
            #[expect(clippy::cast_possible_truncation, reason = "half is shrunk by more")]
            images.whole_halves.push(half as f32);
            images.longest = images.longest.max(square);
        }
        let centred = rows - &self.center;
        let turned = match &self.turn {
            Some(turn) => centred.dot(turn),
            None => centred.clone(),
        };
        for (point, turned) in centred.rows().into_iter().zip(turned.rows()) {
            self.image(
                &point.to_vec(),
                turned.as_slice().unwrap_or(&[]),
                scale,
                &mut images,
            );
        }
        Ok(images)
    }

    fn image(&self, point: &[f64], turned: &[f64], scale: f64, images: &mut Images) {
        let square = |xs: &[f64]| xs.iter().map(|x| x * x).sum::<f64>();
        let whole = square(point);
        // Without a rotation nothing is left over, and subtraction would find rounding.
        let rest = |known: usize| {
            if self.turn.is_none() && known == turned.len() {
                return 0.0;
            }
            (whole - square(&turned[..known])).max(0.0).sqrt()
        };
        #[expect(clippy::cast_possible_truncation, reason = "rounding is made up for")]
        let narrow = |x: f64| (x * scale) as f32;
        let at = images.short.len();
        images
            .short
            .extend(turned[..self.short].iter().map(|&x| narrow(x)));
        images.short.push(narrow(rest(self.short)));
        let length: f64 = images.short[at..]
            .iter()
            .map(|&x| f64::from(x) * f64::from(x))
            .sum();
        images.short.push(1.0);
        images
            .long
            .extend(turned[..self.long].iter().map(|&x| narrow(x)));
        images.long.push(narrow(rest(self.long)));
        let products = (self.short + 8) as f64 * 2.0_f64.powi(-24);
        let half = length / 2.0 * (1.0 - WIDENING - 4.0 * products);
        #[expect(clippy::cast_possible_truncation, reason = "half is shrunk by more")]
        images.halves.push(half as f32);
        images.largest = images.largest.max(whole * scale * scale);
    }
}

/// Rows as `f64`, of length 1 where only directions count.
fn widened(flat: &[f32], dimensions: usize, geometry: Geometry) -> Array2<f64> {
    let mut rows: Vec<f64> = flat.iter().map(|&x| f64::from(x)).collect();
    if geometry == Geometry::Cosine {
        for row in rows.chunks_exact_mut(dimensions) {
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            for x in row {
                *x /= length;
            }
        }
    }
    let count = rows.len() / dimensions;
    Array2::from_shape_vec((count, dimensions), rows).expect("whole rows were read")
}

/// Rows drawn without replacement, in rising order.
fn sample<S: PointSource + ?Sized>(
    source: &S,
    geometry: Geometry,
    seed: u64,
) -> Result<Array2<f64>, KCenterError> {
    let points = source.point_count();
    let mut draws = SplitMix64::new(seed);
    let mut chosen: Vec<usize> = (0..points).collect();
    let count = points.min(SAMPLE);
    for at in 0..count {
        let other = at + draws.below(points - at);
        chosen.swap(at, other);
    }
    chosen.truncate(count);
    chosen.sort_unstable();
    let mut flat = Vec::with_capacity(count * source.dimensions());
    let mut buffer = Vec::new();
    for row in chosen {
        flat.extend_from_slice(source.read_row(row, &mut buffer)?);
    }
    Ok(widened(&flat, source.dimensions(), geometry))
}

/// `sum (a_i - b_i)^2` over lanes that stay in registers.
fn squared_difference(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            lanes[lane] += difference * difference;
        }
    }
    let rest: f32 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    lanes.iter().sum::<f32>() + rest
}

/// Short images of centres in pick order, ready to multiply with.
pub(super) struct Packed {
    width: usize,
    flat: Vec<f32>,
    pub(super) rows: Vec<usize>,
}

impl Packed {
    pub(super) fn new(sketch: &Sketch) -> Self {
        Self {
            width: sketch.short,
            flat: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, sketch: &Sketch, row: usize, reach: Option<Reach>) {
        let image = sketch.short_image(row);
        self.flat.extend_from_slice(&image[..self.width - 1]);
        self.flat.push(sketch.center_constant(row, reach));
        self.rows.push(row);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Images of the centres `from..to`.
    pub(super) fn images(&self, from: usize, to: usize) -> ArrayView2<'_, f32> {
        let flat = &self.flat[from * self.width..to * self.width];
        ArrayView2::from_shape((to - from, self.width), flat).expect("a whole image per centre")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cosine, Euclidean, Metric};

    #[test]
    fn bounds_reject_most_far_pairs_and_never_a_near_one() {
        let mut draws = SplitMix64::new(3);
        let families = Array2::from_shape_fn((20, 90), |_| draws.symmetric());
        let points = Array2::from_shape_fn((200, 90), |(i, j)| {
            let spread = 0.3 / (1 + j) as f64;
            #[expect(clippy::cast_possible_truncation, reason = "random numbers")]
            let value = (families[[i % 20, j]] + spread * draws.symmetric() + 0.5) as f32;
            value
        });
        let metrics: [(&dyn Metric, Geometry, f64); 2] = [
            (&Euclidean, Geometry::Euclidean, 1.0),
            (&Cosine, Geometry::Cosine, 0.02),
        ];
        for (metric, geometry, radius) in metrics {
            let sketch = Sketch::build(&points, geometry, &Run::new()).unwrap();
            let sketch = sketch.expect("ordinary points are bounded");
            let (mut far, mut passed) = (0, 0);
            for a in 0..200 {
                for b in 0..200 {
                    let distance = metric.distance(
                        points.row(a).as_slice().unwrap(),
                        points.row(b).as_slice().unwrap(),
                    );
                    // At its own distance a pair is a borderline one.
                    let own = sketch.reach(distance);
                    let product = product_of(&sketch, a, b);
                    assert!(product >= sketch.least_product(a, own), "{a} {b}");
                    assert!(sketch.may_reach(a, b, own), "{a} {b}");
                    if distance > radius {
                        far += 1;
                        let reach = sketch.reach(radius);
                        let may = product >= sketch.least_product(a, reach);
                        passed += usize::from(may && sketch.may_reach(a, b, reach));
                    }
                }
            }
            assert!(far > 30_000 && passed * 100 < far, "{passed} of {far}");
        }
    }

    fn product_of(sketch: &Sketch, row: usize, center: usize) -> f32 {
        let mut packed = Packed::new(sketch);
        packed.push(sketch, center, None);
        let image = Array1::from(sketch.short_image(row).to_vec());
        packed.images(0, 1).row(0).dot(&image)
    }
}
