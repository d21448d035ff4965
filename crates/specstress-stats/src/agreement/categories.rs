use ndarray::ArrayView2;

use super::coefficient::{Coefficient, agreement};
use crate::StatsError;

/// Agreement on one label against all others.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CategoryKappa {
    /// The label.
    pub label: u32,
    /// Fleiss' kappa of the label against the rest; `None` when it was always or never given.
    pub kappa: Option<f64>,
    /// Share of all ratings of complete subjects; `None` without such subjects.
    pub share: Option<f64>,
    /// Complete subjects.
    pub n: usize,
    /// Subjects dropped because a rating was missing.
    pub dropped: usize,
}

/// Fleiss' kappa of each label in use against all others (Fleiss 1971), by rising label.
///
/// ```text
/// kappa_j = 1 - sum_i n_ij (n - n_ij) / ( N n (n - 1) p_j (1 - p_j) )
/// ```
///
/// `ratings` is subjects x raters as for [`fleiss_kappa`](crate::fleiss_kappa()), with the same
/// rule for missing ratings. The mean weighted by `p_j (1 - p_j)` is Fleiss' kappa. Errors on
/// fewer than two raters. Cost O(labels x ratings).
///
/// ```
/// use specstress_stats::category_kappa;
/// use specstress_stats::ndarray::array;
///
/// let ratings = array![[Some(0), Some(0)], [Some(1), Some(2)], [Some(2), Some(1)]];
/// let found = category_kappa(ratings.view())?;
/// assert_eq!((found[0].label, found[0].kappa), (0, Some(1.0)));
/// assert!(found[1].kappa < Some(0.0));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn category_kappa(
    ratings: ArrayView2<'_, Option<u32>>,
) -> Result<Vec<CategoryKappa>, StatsError> {
    let labels = agreement(ratings, None, Coefficient::Percent)?.labels;
    labels
        .into_iter()
        .map(|label| {
            let found = agreement(ratings, None, Coefficient::FleissCategory(label))?;
            let mut given = 0_usize;
            for row in ratings.rows() {
                if row.iter().all(Option::is_some) {
                    given += row.iter().filter(|&&rating| rating == Some(label)).count();
                }
            }
            let all = found.n * found.raters;
            Ok(CategoryKappa {
                label,
                kappa: found.estimate,
                share: (all > 0).then(|| given as f64 / all as f64),
                n: found.n,
                dropped: found.dropped,
            })
        })
        .collect()
}
