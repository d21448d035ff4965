use ndarray::{Array2, ArrayView2};

use super::codes::REGISTER;
use crate::random::SplitMix64;

/// Longest blocks of coordinates that are mixed.
const LONGEST: usize = 1024;

/// An orthogonal map that spreads what lies along few coordinates over many, so that a step of
/// the grid of codes fits all of them: random signs, then Hadamard transforms of blocks, each of
/// coordinates from all over the point. Points are first filled up to whole registers.
pub(super) struct Mixing {
    signs: Vec<f32>,
    block: usize,
}

impl Mixing {
    pub(super) fn new(dimensions: usize, seed: u64) -> Self {
        let width = dimensions.next_multiple_of(REGISTER);
        let mut draws = SplitMix64::new(!seed);
        let block = LONGEST.min(1 << width.trailing_zeros());
        // The transform below is longer than orthogonal by the root of the block.
        #[expect(clippy::cast_possible_truncation, reason = "made up for")]
        let length = (1.0 / (block as f64).sqrt()) as f32;
        let sign = |_| {
            if draws.next() >> 63 == 0 {
                length
            } else {
                -length
            }
        };
        Self {
            signs: (0..width).map(sign).collect(),
            block,
        }
    }

    /// The points mixed; their lengths err by at most 16 units in the last place of `f32`.
    pub(super) fn mix(&self, points: ArrayView2<'_, f32>) -> Array2<f32> {
        let width = self.signs.len();
        let blocks = width / self.block;
        let mut mixed = Array2::zeros((points.nrows(), width));
        for (point, mut out) in points.rows().into_iter().zip(mixed.rows_mut()) {
            let out = out
                .as_slice_mut()
                .expect("rows of an owned array are contiguous");
            for (at, (&x, sign)) in point.iter().zip(&self.signs).enumerate() {
                out[at % blocks * self.block + at / blocks] = x * sign;
            }
            for block in out.chunks_exact_mut(self.block) {
                transform(block);
            }
        }
        mixed
    }
}

/// The Hadamard transform of a power of two of numbers, not scaled.
fn transform(block: &mut [f32]) {
    let mut half = 1;
    while half < block.len() {
        for pair in block.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                (*x, *y) = (*x + *y, *x - *y);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_stay_and_single_coordinates_are_spread() {
        let mut points = Array2::<f32>::zeros((3, 300));
        points[[0, 7]] = 3.0;
        points[[1, 299]] = -4.0;
        points[[2, 7]] = 1.0;
        let mixed = Mixing::new(300, 5).mix(points.view());
        assert_eq!(mixed.ncols(), 320);
        for a in 0..3 {
            for b in 0..3 {
                let apart = |points: &Array2<f32>| {
                    let difference = &points.row(a) - &points.row(b);
                    difference.dot(&difference).sqrt()
                };
                assert!((apart(&points) - apart(&mixed)).abs() < 1e-5);
            }
            let largest = mixed
                .row(a)
                .iter()
                .fold(0.0_f32, |most, x| most.max(x.abs()));
            assert!(largest < 0.51, "{largest}");
        }
    }
}
