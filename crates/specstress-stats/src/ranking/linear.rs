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

/// The diagonal of the inverse of a positive definite matrix of `size` rows; `None` where it is
/// not positive definite. Cost O(size^3).
pub(super) fn inverse_diagonal(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    // Cholesky, rows of L in place: every inner product runs along two rows.
    for row in 0..size {
        let (above, from_row) = matrix.split_at_mut(row * size);
        let own = &mut from_row[..size];
        let scale = own[row].abs().max(f64::MIN_POSITIVE);
        for column in 0..row {
            let other = &above[column * size..][..=column];
            own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
        }
        let rest = own[row] - dot(&own[..row], &own[..row]);
        if rest <= 1e-13 * scale {
            return None;
        }
        own[row] = rest.sqrt();
    }
    // Column by column of L^-1; the diagonal of the inverse is its squared columns.
    let mut found = vec![0.0; size];
    let mut solved = vec![0.0; size];
    for (column, found) in found.iter_mut().enumerate() {
        for row in column..size {
            let own = &matrix[row * size..][..=row];
            let unit = f64::from(u8::from(row == column));
            let sum = dot(&own[column..row], &solved[column..row]);
            solved[row] = (unit - sum) / own[row];
        }
        *found = dot(&solved[column..], &solved[column..]);
    }
    Some(found)
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
    fn long_products_are_whole() {
        let a: Vec<f64> = (0..21).map(f64::from).collect();
        assert_eq!(
            dot(&a, &a),
            (0..21_u32).map(|x| f64::from(x * x)).sum::<f64>()
        );
    }
}
