use ndarray::ArrayView2;

use super::coefficient::{AgreementEstimate, Coefficient};
use super::recipe::Recipe;
use crate::clustered::cluster_sums;
use crate::{Bootstrap, BootstrapInterval, StatsError, cluster_bootstrap};

/// A coefficient of agreement with a bootstrap interval.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AgreementInterval {
    /// The coefficient of all subjects.
    pub agreement: AgreementEstimate,
    /// How sure it is.
    pub bootstrap: BootstrapInterval,
}

/// [`agreement`](crate::agreement()) with an interval that respects clusters.
///
/// Subjects that share a scenario, or the three framings of one, are no independent evidence:
/// `clusters[i]` names the cluster of subject `i` and whole clusters are drawn, see
/// [`cluster_bootstrap`]. Without it every subject is its own cluster. The order of subjects
/// within and between clusters does not matter. Errors as `agreement`, and when lengths
/// differ. Cost O(subjects + draws x clusters x sums), with 2 to `1 + labels^2` sums.
///
/// ```
/// use specstress_stats::ndarray::Array2;
/// use specstress_stats::{Bootstrap, Coefficient, agreement_bootstrap};
///
/// let ratings = Array2::from_shape_fn((60, 3), |(i, j)| Some(u32::from(i % 3 == 0 || i % 7 == j)));
/// let triples: Vec<u64> = (0..60).map(|subject| subject / 3).collect();
/// let draws = Bootstrap::new(500, 1)?;
/// let found = agreement_bootstrap(ratings.view(), None, Coefficient::Fleiss, Some(&triples), &draws)?;
/// let interval = found.bootstrap.interval.expect("two labels in every draw");
/// let kappa = found.agreement.estimate.expect("two labels");
/// assert!(interval.low < kappa && kappa < interval.high);
/// assert_eq!(found.bootstrap.clusters, 20);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn agreement_bootstrap(
    ratings: ArrayView2<'_, Option<u32>>,
    scale: Option<&[u32]>,
    coefficient: Coefficient,
    clusters: Option<&[u64]>,
    bootstrap: &Bootstrap,
) -> Result<AgreementInterval, StatsError> {
    let recipe = Recipe::new(ratings, scale, coefficient)?;
    let sums = cluster_sums(ratings.nrows(), clusters, recipe.width(), |row, sums| {
        recipe.add(row, ratings.row(row), sums)
    })?;
    let all: Vec<f64> = sums
        .columns()
        .into_iter()
        .map(|column| column.sum())
        .collect();
    Ok(AgreementInterval {
        agreement: recipe.estimate(&all, ratings.nrows()),
        bootstrap: cluster_bootstrap(sums.view(), |sums| recipe.parts(sums).estimate, bootstrap)?,
    })
}
