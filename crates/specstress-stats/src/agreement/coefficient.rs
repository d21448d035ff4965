use ndarray::ArrayView2;

use super::recipe::Recipe;
use crate::StatsError;

/// How much two different labels disagree, for coefficients that weigh disagreements.
///
/// Labels are read as numbers; `R` is the largest label of the scale minus the smallest. On
/// labels numbered without gaps this equals weighting by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum AgreementWeights {
    /// Any two different labels disagree fully (default): `d = 1`.
    #[default]
    Identity,
    /// By distance: `d = |a - b| / R`.
    Linear,
    /// By squared distance: `d = (a - b)^2 / R^2`.
    Quadratic,
}

impl AgreementWeights {
    /// Disagreement of two labels in `[0, 1]`, with `range` above 0 unless both are equal.
    pub(crate) fn distance(self, a: u32, b: u32, range: f64) -> f64 {
        if a == b {
            return 0.0;
        }
        let gap = f64::from(a.abs_diff(b)) / range;
        match self {
            Self::Identity => 1.0,
            Self::Linear => gap,
            Self::Quadratic => gap * gap,
        }
    }
}

/// What the labels mean to Krippendorff's alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum MeasurementLevel {
    /// Names without order (default): `delta^2 = 1`.
    #[default]
    Nominal,
    /// Ordered: `delta^2 = ( sum of n_g for g from a to b - (n_a + n_b) / 2 )^2`.
    Ordinal,
    /// Numbers: `delta^2 = (a - b)^2`.
    Interval,
}

/// A coefficient of agreement.
///
/// With `o` the observed and `e` the expected agreement all but two are `(o - e) / (1 - e)`;
/// they differ in what chance is expected to do, and in which subjects they can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Coefficient {
    /// Share of agreeing pairs of raters, averaged over subjects with at least two ratings.
    Percent,
    /// Cohen's kappa of exactly two raters (Cohen 1960; weighted, Cohen 1968).
    ///
    /// ```text
    /// kappa = 1 - sum d_ab o_ab / sum d_ab r_a c_b
    /// ```
    ///
    /// `o` the shares of label pairs, `r` and `c` the margins of either rater. Subjects
    /// that one of them left out are dropped.
    Cohen(AgreementWeights),
    /// Fleiss' kappa (Fleiss 1971; paper, page 9), as [`fleiss_kappa`](crate::fleiss_kappa()):
    /// subjects without a rating by every rater are dropped.
    Fleiss,
    /// Fleiss' kappa of one label against all others taken together.
    FleissCategory(u32),
    /// Krippendorff's alpha (Krippendorff 2011), which uses every subject with at least two
    /// ratings.
    ///
    /// ```text
    /// o_ab  = sum over subjects of (ordered pairs labelled a, b) / (ratings - 1),  n_a = sum_b o_ab
    /// alpha = 1 - (n - 1) sum o_ab delta^2_ab / sum n_a n_b delta^2_ab,            n = sum n_a
    /// ```
    Krippendorff(MeasurementLevel),
    /// Gwet's AC1 with [`AgreementWeights::Identity`], AC2 with other weights (Gwet 2008,
    /// 2014), which stays meaningful when nearly all ratings are alike.
    ///
    /// ```text
    /// e = sum_ab w_ab * sum_k p_k (1 - p_k) / (q (q - 1)),   w = 1 - d
    /// ```
    ///
    /// `p_k` is the mean over rated subjects of the share of label `k`, `q` the number of
    /// labels on the scale. The observed agreement is over subjects with at least two ratings.
    /// Depends on the scale, so name it.
    Gwet(AgreementWeights),
}

/// A coefficient of agreement with the parts it is made of.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AgreementEstimate {
    /// The coefficient, at most 1. `None` without usable subjects, and where chance leaves
    /// nothing to explain: a single label in use, or for Gwet a scale of one label.
    pub estimate: Option<f64>,
    /// Observed agreement; for Krippendorff's alpha the observed *dis*agreement.
    pub observed: Option<f64>,
    /// Agreement expected by chance; for Krippendorff's alpha the expected *dis*agreement;
    /// `None` for [`Coefficient::Percent`].
    pub expected: Option<f64>,
    /// Subjects that could be used.
    pub n: usize,
    /// Subjects that lack too many ratings, see [`Coefficient`].
    pub dropped: usize,
    /// Raters.
    pub raters: usize,
    /// Labels of the scale, rising.
    pub labels: Vec<u32>,
}

/// A coefficient of agreement between raters.
///
/// `ratings` is subjects x raters, `None` is missing; [`Coefficient`] says which subjects that
/// costs. `scale` lists the possible labels; without it, those in use. Errors on fewer than
/// two raters, on a label that is not on the scale, and on other than two raters for Cohen.
/// Cost O(subjects x (raters + labels^2)).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{AgreementWeights, Coefficient, MeasurementLevel, agreement};
///
/// let ratings = array![[Some(0), Some(0)], [Some(6), Some(5)], [Some(3), Some(3)], [Some(2), None]];
/// let plain = agreement(ratings.view(), None, Coefficient::Cohen(AgreementWeights::Identity))?;
/// assert_eq!((plain.estimate, plain.n, plain.dropped), (Some(4.0 / 7.0), 3, 1));
///
/// let level = MeasurementLevel::Interval;
/// let alpha = agreement(ratings.view(), None, Coefficient::Krippendorff(level))?;
/// assert!(alpha.estimate.expect("several labels") > 0.97);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn agreement(
    ratings: ArrayView2<'_, Option<u32>>,
    scale: Option<&[u32]>,
    coefficient: Coefficient,
) -> Result<AgreementEstimate, StatsError> {
    let recipe = Recipe::new(ratings, scale, coefficient)?;
    let mut sums = vec![0.0; recipe.width()];
    for (row, ratings) in ratings.rows().into_iter().enumerate() {
        recipe.add(row, ratings, &mut sums)?;
    }
    Ok(recipe.estimate(&sums, ratings.nrows()))
}
