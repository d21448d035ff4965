use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::random::SplitMix64;

/// Passes over the sample; each sharpens the order of the directions by their variance.
const ITERATIONS: usize = 4;

/// What is left of a direction, relative to its length, when it lies in those before it.
const DEPENDENT: f64 = 1e-8;

/// How far from orthonormal the directions may be for the bounds to count on it.
const TOLERANCE: f64 = 1e-12;

/// Orthonormal directions (rows) along which the centred sample varies most, about in falling
/// order: randomised PCA by orthogonal iteration (Halko, Martinsson, Tropp 2011, algorithm
/// 4.4). At most `count`, fewer when the sample spans less. `None` should rounding leave them
/// short of orthonormal.
pub(super) fn directions(
    sample: ArrayView2<'_, f64>,
    count: usize,
    seed: u64,
) -> Option<Array2<f64>> {
    let (rows, dimensions) = sample.dim();
    let mut draws = SplitMix64::new(seed);
    let mixing = Array2::from_shape_fn((count, rows), |_| draws.symmetric());
    let mut basis = orthonormal(mixing.dot(&sample));
    for _ in 0..ITERATIONS {
        basis = orthonormal(basis.dot(&sample.t()).dot(&sample));
    }
    let mut gram = Array2::eye(basis.nrows());
    general_mat_mul(1.0, &basis, &basis.t(), -1.0, &mut gram);
    let off = gram.iter().map(|x| x * x).sum::<f64>().sqrt();
    debug_assert_eq!(basis.ncols(), dimensions);
    (off <= TOLERANCE).then_some(basis)
}

/// Gram-Schmidt over the rows in order, each done twice; dependent rows are left out.
fn orthonormal(rows: Array2<f64>) -> Array2<f64> {
    let mut basis = Array2::zeros((rows.nrows().min(rows.ncols()), rows.ncols()));
    let mut found = 0;
    for row in rows.axis_iter(Axis(0)) {
        if found == basis.nrows() {
            break;
        }
        let mut direction = row.to_owned();
        let before = direction.dot(&direction).sqrt();
        for _ in 0..2 {
            project_out(
                &mut direction,
                basis.slice_axis(Axis(0), Slice::from(..found)),
            );
        }
        let length = direction.dot(&direction).sqrt();
        if length > before * DEPENDENT && length.is_normal() {
            // A third pass at unit length takes away what cancellation left of the others.
            direction /= length;
            project_out(
                &mut direction,
                basis.slice_axis(Axis(0), Slice::from(..found)),
            );
            let length = direction.dot(&direction).sqrt();
            basis.row_mut(found).assign(&(&direction / length));
            found += 1;
        }
    }
    basis.slice_axis(Axis(0), Slice::from(..found)).to_owned()
}

/// Takes away what lies along orthonormal rows.
fn project_out(direction: &mut Array1<f64>, rows: ArrayView2<'_, f64>) {
    let along = rows.dot(direction);
    for (row, along) in rows.rows().into_iter().zip(along) {
        direction.scaled_add(-along, &row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directions_hold_the_variance() {
        // Variance 4^-j along coordinate j: the first three directions are the first three axes.
        let mut draws = SplitMix64::new(1);
        let sample = Array2::from_shape_fn((400, 12), |(_, j)| {
            draws.symmetric() * 0.25_f64.powi(i32::try_from(j).unwrap())
        });
        let found = directions(sample.view(), 6, 9).unwrap();
        assert_eq!(found.dim(), (6, 12));
        for axis in 0..3 {
            assert!(found[[axis, axis]].abs() > 0.99, "{found:?}");
        }
    }

    #[test]
    fn a_flat_sample_spans_few_directions() {
        let line = Array2::from_shape_fn((50, 8), |(i, j)| (i * (j + 1)) as f64);
        assert_eq!(directions(line.view(), 5, 0).unwrap().dim(), (1, 8));
        let nothing = Array2::<f64>::zeros((50, 8));
        assert_eq!(directions(nothing.view(), 5, 0).unwrap().dim(), (0, 8));
    }
}
