//! Exhaustive answers for small inputs, written apart from the library.

use specstress_kcenter::ndarray::Array2;

pub(crate) fn distance(points: &Array2<f32>, a: usize, b: usize) -> f64 {
    let square = |x: f64| x * x;
    let pairs = points.row(a).into_iter().zip(points.row(b));
    pairs
        .map(|(x, y)| square(f64::from(*x) - f64::from(*y)))
        .sum::<f64>()
        .sqrt()
}

/// `max_i w_i * dist(i, T)`.
pub(crate) fn radius(points: &Array2<f32>, weights: &[f64], centers: &[usize]) -> f64 {
    (0..points.nrows())
        .map(|i| {
            let near = centers.iter().map(|&c| distance(points, i, c));
            weights[i] * near.fold(f64::INFINITY, f64::min)
        })
        .fold(0.0, f64::max)
}

/// Every non-empty set of rows, as bit masks unpacked.
fn subsets(n: usize) -> impl Iterator<Item = Vec<usize>> {
    (1_u32..1 << n).map(move |mask| (0..n).filter(|i| mask & (1 << i) != 0).collect())
}

/// The least weighted radius of `k` centres.
pub(crate) fn optimum(points: &Array2<f32>, weights: &[f64], k: usize) -> f64 {
    subsets(points.nrows())
        .filter(|centers| centers.len() == k)
        .map(|centers| radius(points, weights, &centers))
        .fold(f64::INFINITY, f64::min)
}

/// The least number of centres whose weighted radius is at most `reach`.
pub(crate) fn least_cover(points: &Array2<f32>, weights: &[f64], reach: f64) -> usize {
    subsets(points.nrows())
        .filter(|centers| radius(points, weights, centers) <= reach)
        .map(|centers| centers.len())
        .min()
        .unwrap()
}
