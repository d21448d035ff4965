use std::ops::Range;

use crate::parallel::map_indices;

/// Solves `A x = b` for a positive definite `A` given by its product, by conjugate gradients with
/// the diagonal as preconditioner; stops at a residual of `tolerance * |b|`.
pub(super) fn solve(
    product: impl Fn(&[f64]) -> Vec<f64>,
    diagonal: &[f64],
    b: &[f64],
    tolerance: f64,
) -> Vec<f64> {
    let mut x = vec![0.0; b.len()];
    let mut residual = b.to_vec();
    let bar = tolerance * dot(b, b).sqrt();
    let scaled = |residual: &[f64]| -> Vec<f64> {
        let pairs = residual.iter().zip(diagonal);
        pairs.map(|(r, d)| r / d.max(f64::MIN_POSITIVE)).collect()
    };
    let mut eased = scaled(&residual);
    let mut direction = eased.clone();
    let mut size = dot(&residual, &eased);
    for _ in 0..2 * b.len() + 50 {
        if dot(&residual, &residual).sqrt() <= bar {
            break;
        }
        let image = product(&direction);
        let bend = dot(&direction, &image);
        if bend <= 0.0 {
            break;
        }
        let step = size / bend;
        for at in 0..x.len() {
            x[at] += step * direction[at];
            residual[at] -= step * image[at];
        }
        eased = scaled(&residual);
        let next = dot(&residual, &eased);
        let turn = next / size;
        size = next;
        for (direction, eased) in direction.iter_mut().zip(&eased) {
            *direction = eased + turn * *direction;
        }
    }
    x
}

/// Rows or columns that are worked on together, so that the rest of a large matrix is read once for
/// all of them.
const TOGETHER: usize = 8;

/// The diagonal of the inverse of a positive definite matrix of `size` rows; `None` where it is
/// not positive definite. Cost O(size^3).
pub(super) fn inverse_diagonal(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    factor(&mut matrix, size)?;
    let groups = map_indices(size.div_ceil(TOGETHER), |group| {
        let from = group * TOGETHER;
        inverse_columns(&matrix, size, from..size.min(from + TOGETHER))
    });
    Some(groups.into_iter().flatten().collect())
}

/// Cholesky's factor `L`, rows in place: every inner product runs along two rows.
fn factor(matrix: &mut [f64], size: usize) -> Option<()> {
    for from in (0..size).step_by(TOGETHER) {
        let (above, below) = matrix.split_at_mut(from * size);
        let rows = TOGETHER.min(size - from);
        let panel = &mut below[..rows * size];
        let scales: Vec<f64> = (0..rows)
            .map(|row| panel[row * size + from + row].abs().max(f64::MIN_POSITIVE))
            .collect();
        for column in 0..from {
            let other = &above[column * size..][..=column];
            for own in panel.chunks_exact_mut(size) {
                own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
            }
        }
        for (row, scale) in scales.into_iter().enumerate() {
            let (before, own) = panel.split_at_mut(row * size);
            let own = &mut own[..size];
            for (column, other) in (from..).zip(before.chunks_exact(size)) {
                own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
            }
            let diagonal = from + row;
            let rest = own[diagonal] - dot(&own[..diagonal], &own[..diagonal]);
            if rest <= 1e-13 * scale {
                return None;
            }
            own[diagonal] = rest.sqrt();
        }
    }
    Some(())
}

/// Sums of squares of some columns of the inverse of `L`: the diagonal of the inverse of `L L'`.
fn inverse_columns(factor: &[f64], size: usize, columns: Range<usize>) -> Vec<f64> {
    let from = columns.start;
    let mut solved = vec![0.0; columns.len() * (size - from)];
    for row in from..size {
        let own = &factor[row * size..][..=row];
        for (column, solved) in columns.clone().zip(solved.chunks_exact_mut(size - from)) {
            let unit = f64::from(u8::from(row == column));
            let sum = dot(&own[from..row], &solved[..row - from]);
            solved[row - from] = (unit - sum) / own[row];
        }
    }
    let columns = solved.chunks_exact(size - from);
    columns.map(|column| dot(column, column)).collect()
}

/// Inner product in eight running sums, which lets it use vector instructions; always the same
/// order, so always the same bits.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_parts, b_parts) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a_parts.remainder().iter().zip(b_parts.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in a_parts.zip(b_parts) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_solvers_invert_a_small_matrix() {
        // The inverse of the second-difference matrix of 3: diagonal 3/4, 1, 3/4.
        let matrix = [2.0, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0];
        let found = inverse_diagonal(matrix.to_vec(), 3).unwrap();
        for (found, wanted) in found.iter().zip([0.75, 1.0, 0.75]) {
            assert!((found - wanted).abs() < 1e-14);
        }
        let product = |x: &[f64]| matrix.chunks(3).map(|row| dot(row, x)).collect::<Vec<_>>();
        let x = solve(product, &[2.0; 3], &[1.0, 0.0, 1.0], 1e-14);
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-12), "{x:?}");
        assert_eq!(inverse_diagonal(vec![1.0, 1.0, 1.0, 1.0], 2), None);
    }

    #[test]
    fn a_large_matrix_is_inverted_as_the_solver_does() {
        // Diagonally dominant, of more rows than are worked on together.
        let size = 29;
        let cell = |i: usize, j: usize| {
            if i == j {
                20.0 + i as f64
            } else {
                1.0 / (1.0 + (i * j % 7) as f64)
            }
        };
        let matrix: Vec<f64> = (0..size * size)
            .map(|at| cell(at / size, at % size))
            .collect();
        let found = inverse_diagonal(matrix.clone(), size).unwrap();
        let product = |x: &[f64]| {
            matrix
                .chunks(size)
                .map(|row| dot(row, x))
                .collect::<Vec<_>>()
        };
        for (at, found) in found.iter().enumerate() {
            let mut unit = vec![0.0; size];
            unit[at] = 1.0;
            let column = solve(product, &vec![20.0; size], &unit, 1e-14);
            assert!((found - column[at]).abs() < 1e-12, "{at}");
        }
    }

    #[test]
    fn long_products_are_whole() {
        let a: Vec<f64> = (0..21).map(f64::from).collect();
        assert_eq!(
            dot(&a, &a),
            (0..21_u32).map(|x| f64::from(x * x)).sum::<f64>()
        );
    }
}
