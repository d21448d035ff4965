use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice};

use super::codes::{Norm, REGISTER};
use super::mixing::Mixing;
use super::rotation::directions;
use crate::random::SplitMix64;
use crate::simd::{LANES, Lanes};
use crate::{Geometry, KCenterError, PointSource};

/// Rows the rotation and the steps are fitted to.
const SAMPLE: usize = 2048;
/// Most coordinates that are rotated.
const MOST_ROTATED: usize = 256;
/// Terms of a product that are summed in one go, which bounds the error of the sum.
const TERMS: usize = 256;
/// Half a unit in the last place of `f32`, relative.
const UNIT: f64 = 1.0 / (1_u64 << 24) as f64;
/// Lengths beyond which a point gets no code; most sampled points are about of length 1.
const LONGEST: f32 = (1_u64 << 40) as f32;

/// How points become codes: moved by a centre, scaled, and rotated or not.
///
/// A map `x -> Q (x - m)` with orthonormal rows `Q` brings no two points farther apart. It is
/// computed in `f32`, and the error of that goes into the error of the code:
///
/// - the difference `z` is off by `2^-24 |z|`;
/// - each coordinate of `Q z` sums `n` terms in some order, at most 256 at a time, and so errs
///   by at most `(256 + 2 n / 256 + 16) 2^-24` of the product of lengths;
/// - mixing, where all coordinates are kept, errs by at most `16 2^-24 |z|`;
/// - `Q` is rounded to `f32`, which can stretch by `2^-24` times the root of its rows; a widened
///   reach makes up for it.
pub(super) struct Frame {
    center: Vec<f32>,
    scale: f32,
    geometry: Geometry,
    /// Dimensions x directions; `None` keeps the coordinates as they are.
    turn: Option<Array2<f32>>,
    mixing: Mixing,
    /// Steps of the codes of rotated and of whole points, scaled.
    pub(super) turned_step: f64,
    pub(super) whole_step: f64,
}

/// Codes of some points.
pub(super) struct Part {
    pub(super) codes: Vec<Lanes>,
    /// For each width asked for, the norms of the points.
    pub(super) norms: Vec<Vec<Norm>>,
}

impl Part {
    fn new(widths: &[usize]) -> Self {
        Self {
            codes: Vec::new(),
            norms: vec![Vec::new(); widths.len()],
        }
    }

    /// The error that most points do not exceed, in steps, at the first width.
    pub(super) fn usual_error(&self) -> f64 {
        let errors = self.norms[0].iter().map(|norm| f64::from(norm.error));
        most_of(errors.collect())
    }
}

impl Frame {
    /// With the sample it was fitted to, moved and scaled. `None` should rounding leave the
    /// directions short of orthonormal.
    pub(super) fn fit<S: PointSource + ?Sized>(
        source: &S,
        geometry: Geometry,
        seed: u64,
    ) -> Result<Option<(Self, Array2<f32>)>, KCenterError> {
        let dimensions = source.dimensions();
        let sample = sample(source, geometry, seed)?;
        // Once more without the points farthest out, which may have drawn the mean away.
        let from_mean = lengths_from(sample.view(), &mean(sample.view()));
        let limit = most_of(from_mean.clone());
        let usual: Vec<usize> = (0..sample.nrows())
            .filter(|&at| from_mean[at] <= limit)
            .collect();
        let mut sample = sample.select(Axis(0), &usual);
        let center = mean(sample.view());
        let scale = power_near(most_of(lengths_from(sample.view(), &center)));
        for mut row in sample.rows_mut() {
            for (x, m) in row.iter_mut().zip(&center) {
                *x -= m;
            }
        }
        sample.mapv_inplace(|x| x * scale);
        let turn = if dimensions <= REGISTER {
            None
        } else {
            let wide = sample.mapv(f64::from);
            match directions(wide.view(), MOST_ROTATED.min(dimensions), seed) {
                #[expect(clippy::cast_possible_truncation, reason = "made up for")]
                Some(found) => Some(
                    found
                        .t()
                        .mapv(|x| x as f32)
                        .as_standard_layout()
                        .into_owned(),
                ),
                None => return Ok(None),
            }
        };
        let mut frame = Self {
            center,
            scale,
            geometry,
            turn,
            mixing: Mixing::new(dimensions, seed),
            turned_step: 1.0,
            whole_step: 1.0,
        };
        frame.whole_step = fit_step(frame.mixing.mix(sample.view()).view());
        frame.turned_step = fit_step(frame.turn(sample.view()).view());
        Ok(Some((frame, sample)))
    }

    /// Coordinates of rotated points; 1 where points are equal and there are none.
    pub(super) fn known(&self) -> usize {
        self.turn
            .as_ref()
            .map_or(self.center.len(), Array2::ncols)
            .max(1)
    }

    /// Factor from distances of points to distances of moved and scaled ones.
    pub(super) fn scale(&self) -> f64 {
        f64::from(self.scale)
    }

    /// Rows from `first` on, moved and scaled.
    pub(super) fn read<S: PointSource + ?Sized>(
        &self,
        source: &S,
        first: usize,
        count: usize,
    ) -> Result<Array2<f32>, KCenterError> {
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
        normalise(&mut flat, dimensions, self.geometry);
        for row in flat.chunks_exact_mut(dimensions) {
            for (x, m) in row.iter_mut().zip(&self.center) {
                *x = (*x - m) * self.scale;
            }
        }
        Ok(Array2::from_shape_vec((count, dimensions), flat).expect("whole rows were read"))
    }

    pub(super) fn turn(&self, points: ArrayView2<'_, f32>) -> Array2<f32> {
        let Some(turn) = &self.turn else {
            return points.to_owned();
        };
        let mut turned = Array2::zeros((points.nrows(), turn.ncols()));
        for start in (0..points.ncols()).step_by(TERMS) {
            let terms = Slice::from(start..points.ncols().min(start + TERMS));
            let (part, turn) = (
                points.slice_axis(Axis(1), terms),
                turn.slice_axis(Axis(0), terms),
            );
            general_mat_mul(1.0, &part, &turn, 1.0, &mut turned);
        }
        turned
    }

    /// Codes of rotated points; norms for each of `widths` first bytes.
    pub(super) fn turned(&self, points: ArrayView2<'_, f32>, widths: &[usize]) -> Part {
        let terms = TERMS + 2 * self.center.len().div_ceil(TERMS) + 16;
        let summing = match self.turn {
            Some(_) => (self.known() as f64).sqrt() * terms as f64 * UNIT,
            None => 0.0,
        };
        let mut turned = self.turn(points);
        let errors: Vec<f64> = points
            .rows()
            .into_iter()
            .map(|row| {
                let length = length(
                    row.as_slice()
                        .expect("rows of an owned array are contiguous"),
                );
                length * (summing * 1.01 + 4.0 * UNIT) + self.rounding()
            })
            .collect();
        encode(turned.view_mut(), &errors, self.turned_step, widths)
    }

    /// Codes of whole points.
    pub(super) fn whole(&self, points: ArrayView2<'_, f32>) -> Part {
        let mut mixed = self.mixing.mix(points);
        let errors: Vec<f64> = mixed
            .rows()
            .into_iter()
            .map(|row| {
                let row = row.as_slice();
                let length = length(row.expect("rows of an owned array are contiguous"));
                length * 20.0 * UNIT + self.rounding()
            })
            .collect();
        let widths = [mixed.ncols()];
        encode(mixed.view_mut(), &errors, self.whole_step, &widths)
    }

    /// What normalising to length 1 may be off by, scaled.
    fn rounding(&self) -> f64 {
        match self.geometry {
            Geometry::Euclidean => 0.0,
            Geometry::Cosine => 4.0 * UNIT * self.scale(),
        }
    }
}

/// The step with the least error on a sample: small steps cut off large coordinates, large
/// ones round coarsely.
fn fit_step(sample: ArrayView2<'_, f32>) -> f64 {
    let rows = sample.nrows().min(256);
    let sample = sample.slice_axis(Axis(0), Slice::from(..rows));
    let largest = sample.rows().into_iter().map(|row| {
        let largest = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        f64::from(largest)
    });
    let largest = most_of(largest.collect());
    if largest == 0.0 {
        return 1.0;
    }
    let coarsest = largest / 127.0;
    let tried = (0..8).map(|halves| {
        let step = coarsest * 2.0_f64.powf(-f64::from(halves) / 2.0);
        let mut points = sample.to_owned();
        let part = encode(points.view_mut(), &vec![0.0; rows], step, &[sample.ncols()]);
        (part.usual_error() * step, step)
    });
    let best = tried.min_by(|a, b| a.0.total_cmp(&b.0));
    best.expect("eight steps were tried").1
}

fn mean(sample: ArrayView2<'_, f32>) -> Vec<f32> {
    let mean = sample.mapv(f64::from).mean_axis(Axis(0));
    #[expect(clippy::cast_possible_truncation, reason = "any centre will do")]
    let mean = mean
        .expect("the sample has rows")
        .iter()
        .map(|&x| x as f32)
        .collect();
    mean
}

fn lengths_from(sample: ArrayView2<'_, f32>, center: &[f32]) -> Vec<f64> {
    let square = |(&x, &m): (&f32, &f32)| (f64::from(x) - f64::from(m)).powi(2);
    let rows = sample.rows().into_iter();
    rows.map(|row| row.iter().zip(center).map(square).sum::<f64>().sqrt())
        .collect()
}

/// What 19 of 20 numbers do not exceed: few points far out must not spoil the grid for all.
fn most_of(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
        .get((numbers.len() * 19 / 20).min(numbers.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// Rounds coordinates to codes. `errors` are what the coordinates of each point may be off by.
fn encode(mut points: ArrayViewMut2<'_, f32>, errors: &[f64], step: f64, widths: &[usize]) -> Part {
    #[expect(clippy::cast_possible_truncation, reason = "made up for")]
    let per_step = (1.0 / step) as f32;
    let registers = points.ncols().div_ceil(REGISTER).max(1);
    let mut part = Part::new(widths);
    part.codes.reserve(points.nrows() * registers);
    let mut codes = vec![0_u8; registers * REGISTER];
    for (mut row, &known) in points.rows_mut().into_iter().zip(errors) {
        let row = row
            .as_slice_mut()
            .expect("rows of an owned array are contiguous");
        for x in row.iter_mut() {
            *x *= per_step;
        }
        let length = length(row);
        // Also when a product has overflowed.
        let fits = length * step <= f64::from(LONGEST) && known.is_finite();
        let before = part.codes.len();
        if fits {
            round(row, &mut codes);
        } else {
            codes.fill(0);
        }
        for register in codes.as_chunks::<REGISTER>().0 {
            let (words, _) = register.as_chunks::<4>();
            let mut lanes = [0; LANES];
            for (lane, word) in lanes.iter_mut().zip(words) {
                *lane = i32::from_ne_bytes(*word);
            }
            part.codes.push(lanes);
        }
        debug_assert_eq!(part.codes.len() - before, registers);
        for (norms, &width) in part.norms.iter_mut().zip(widths) {
            let width = width.min(row.len());
            let codes = codes[..width]
                .iter()
                .map(|byte| i32::from(byte.cast_signed()));
            let error = if fits {
                let left: f32 = squares(&row[..width]);
                f64::from(left).sqrt() * 1.001 + (known / step + length * 4.0 * UNIT) * 1.001
            } else {
                f64::INFINITY
            };
            #[expect(clippy::cast_possible_truncation, reason = "enlarged by more")]
            norms.push(Norm {
                square: codes.clone().map(|x| x * x).sum(),
                sum: codes.sum(),
                error: (error * (1.0 + 1e-6)) as f32,
            });
        }
    }
    part
}

/// Nearest whole numbers from -127 to 127, as bytes; what is left stays in `row`.
fn round(row: &mut [f32], codes: &mut [u8]) {
    // Adding a number whose last place is 1 rounds, and leaves the whole number in the low bits.
    const ROUNDING: f32 = 12_582_912.0;
    for (x, code) in row.iter_mut().zip(codes) {
        let moved = x.clamp(-127.0, 127.0) + ROUNDING;
        *x -= moved - ROUNDING;
        *code = moved.to_bits().to_le_bytes()[0];
    }
}

/// Length of a vector, within a thousandth.
fn length(vector: &[f32]) -> f64 {
    f64::from(squares(vector)).sqrt() * 1.001
}

fn squares(vector: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (blocks, rest) = vector.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] += block[lane] * block[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
}

/// The power of two nearest below `1 / length`, within what `f32` can hold.
fn power_near(length: f64) -> f32 {
    if length > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a power of two in range")]
        let power = (-length.log2()).clamp(-126.0, 126.0).floor().exp2() as f32;
        power
    } else {
        1.0
    }
}

/// Scales rows to length 1 where only directions count.
fn normalise(flat: &mut [f32], dimensions: usize, geometry: Geometry) {
    if geometry != Geometry::Cosine {
        return;
    }
    for row in flat.chunks_exact_mut(dimensions) {
        let square: f64 = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let factor = 1.0 / square.sqrt();
        for x in row {
            #[expect(clippy::cast_possible_truncation, reason = "made up for")]
            let scaled = (f64::from(*x) * factor) as f32;
            *x = scaled;
        }
    }
}

/// Rows drawn without replacement, in rising order.
fn sample<S: PointSource + ?Sized>(
    source: &S,
    geometry: Geometry,
    seed: u64,
) -> Result<Array2<f32>, KCenterError> {
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
    normalise(&mut flat, source.dimensions(), geometry);
    let shape = (count, source.dimensions());
    Ok(Array2::from_shape_vec(shape, flat).expect("whole rows were read"))
}
