use ndarray::ArrayView1;

use crate::StatsError;
use crate::score::{Score, read};

/// A correlation of two columns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Correlation {
    /// The coefficient in `[-1, 1]`; `None` with fewer than two pairs or a constant column.
    pub r: Option<f64>,
    /// Pairs with both numbers.
    pub n: usize,
    /// Pairs that lack at least one.
    pub dropped: usize,
}

/// Pearson's product-moment correlation.
///
/// ```text
/// r = sum (x - mx)(y - my) / sqrt( sum (x - mx)^2 * sum (y - my)^2 )
/// ```
///
/// `x` and `y` run side by side; a pair with a missing number is dropped and counted. `None`
/// with fewer than two pairs, a constant column, or sums beyond `f64`. Errors when the
/// lengths differ or an `f64` is not finite. Cost O(n).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::pearson;
///
/// let found = pearson(array![1_u8, 2, 3].view(), array![Some(2.0), None, Some(6.0)].view())?;
/// assert_eq!((found.r, found.n, found.dropped), (Some(1.0), 2, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn pearson<S: Score, T: Score>(
    x: ArrayView1<'_, S>,
    y: ArrayView1<'_, T>,
) -> Result<Correlation, StatsError> {
    let (x_kept, y_kept) = complete(x, y)?;
    Ok(Correlation {
        r: product_moment(&x_kept, &y_kept),
        n: x_kept.len(),
        dropped: x.len() - x_kept.len(),
    })
}

/// Spearman's rank correlation: [`pearson`] of the ranks, equal numbers sharing the mean of
/// the ranks they span.
///
/// Depends on order only, so it suits scores on an ordinal scale. Missing numbers are dropped
/// before ranking. `None` and errors as [`pearson`]. Cost O(n log n).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::spearman;
///
/// let found = spearman(array![1_u8, 2, 3, 4].view(), array![1.0, 10.0, 100.0, 1e6].view())?;
/// assert_eq!(found.r, Some(1.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn spearman<S: Score, T: Score>(
    x: ArrayView1<'_, S>,
    y: ArrayView1<'_, T>,
) -> Result<Correlation, StatsError> {
    let (x_kept, y_kept) = complete(x, y)?;
    Ok(Correlation {
        r: product_moment(&ranks(&x_kept), &ranks(&y_kept)),
        n: x_kept.len(),
        dropped: x.len() - x_kept.len(),
    })
}

/// The pairs with both numbers, as two columns.
fn complete<S: Score, T: Score>(
    x: ArrayView1<'_, S>,
    y: ArrayView1<'_, T>,
) -> Result<(Vec<f64>, Vec<f64>), StatsError> {
    StatsError::same_length(x.len(), y.len())?;
    let mut kept = (Vec::with_capacity(x.len()), Vec::with_capacity(x.len()));
    for (row, (&x, &y)) in x.iter().zip(y).enumerate() {
        if let (Some(x), Some(y)) = (read(x, row, 0)?, read(y, row, 1)?) {
            kept.0.push(x.to_f64());
            kept.1.push(y.to_f64());
        }
    }
    Ok(kept)
}

fn product_moment(x: &[f64], y: &[f64]) -> Option<f64> {
    let constant = |column: &[f64]| column.windows(2).all(|pair| pair[0] == pair[1]);
    if x.len() < 2 || constant(x) || constant(y) {
        return None;
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    // One root is closer, two survive where the product leaves the range of `f64`.
    let product = xx * yy;
    let norm = if product.is_normal() {
        product.sqrt()
    } else {
        xx.sqrt() * yy.sqrt()
    };
    let r = xy / norm;
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Ranks from 1; ties share the mean of the ranks they span.
pub(crate) fn ranks(column: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let mut ranks = vec![0.0; column.len()];
    let mut before = 0;
    for run in order.chunk_by(|&a, &b| column[a] == column[b]) {
        let rank = before as f64 + f64::midpoint(1.0, run.len() as f64);
        for &at in run {
            ranks[at] = rank;
        }
        before += run.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;

    #[test]
    fn ties_share_the_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[0.0, -0.0, -1.0]), [2.5, 2.5, 1.0]);
    }

    #[test]
    fn values_computed_by_hand() {
        // Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6*4/120 = 0.8.
        let x = array![1_u8, 2, 3, 4, 5];
        let found = spearman(x.view(), array![20.0, 10.0, 40.0, 30.0, 50.0].view()).unwrap();
        assert!((found.r.unwrap() - 0.8).abs() < 1e-15);
        // sum xy 6, sum xx 10, sum yy 10 about the means.
        let found = pearson(x.view(), array![1_u8, 3, 2, 5, 4].view()).unwrap();
        assert!((found.r.unwrap() - 0.8).abs() < 1e-15);
    }

    #[test]
    fn a_constant_column_has_no_correlation() {
        let constant = Array1::from_elem(4, 0.1);
        let rising = array![1_u8, 2, 3, 4];
        assert_eq!(spearman(rising.view(), constant.view()).unwrap().r, None);
        assert_eq!(pearson(constant.view(), rising.view()).unwrap().r, None);
        assert_eq!(
            pearson(array![1.0].view(), array![2.0].view()).unwrap().r,
            None
        );
    }

    #[test]
    fn unequal_lengths_and_nan_are_errors() {
        assert!(pearson(array![1.0].view(), array![1.0, 2.0].view()).is_err());
        let error = spearman(array![1.0, 2.0].view(), array![1.0, f64::NAN].view());
        assert!(matches!(
            error,
            Err(StatsError::NotFinite {
                row: 1,
                column: 1,
                ..
            })
        ));
    }
}
