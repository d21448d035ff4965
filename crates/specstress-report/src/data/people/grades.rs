//! Grades from 0 to 6 against those of people.

use serde::{Deserialize, Serialize};
use specstress_dataset::rows::PeopleLabelRow;

use super::Estimate;
use super::sheet::Sheet;
use crate::error::ReportError;

/// How near a machine's grades from 0 to 6 come to people's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradeAccuracy {
    /// Share of grades that are the same.
    pub exact: Estimate,
    /// Share of grades that are at most one apart.
    pub within_one: Estimate,
    /// Cohen's kappa with squared distances as weights: 1 for the same grades, 0 for chance.
    pub kappa: Estimate,
    /// Mean of the machine's grade less people's: above 0 where the machine grades higher.
    pub bias: Estimate,
}

const GRADES: usize = 7;

fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..GRADES).flat_map(|people| (0..GRADES).map(move |machine| (people, machine)))
}

/// The mean of a function of people's and the machine's grade over a table of weights.
fn mean(table: &[f64], of: impl Fn(f64, f64) -> f64) -> Option<f64> {
    let all: f64 = table.iter().sum();
    let sum: f64 = cells()
        .zip(table)
        .map(|((people, machine), weight)| weight * of(people as f64, machine as f64))
        .sum();
    (all > 0.0).then(|| sum / all)
}

/// ```text
/// kappa = 1 - sum (a - b)^2 w_ab / sum (a - b)^2 r_a c_b,   r and c the margins as shares
/// ```
fn kappa(table: &[f64]) -> Option<f64> {
    let all: f64 = table.iter().sum();
    let row = |a: usize| table[GRADES * a..GRADES * (a + 1)].iter().sum::<f64>();
    let column = |b: usize| (0..GRADES).map(|a| table[GRADES * a + b]).sum::<f64>();
    let observed = mean(table, |a, b| (a - b).powi(2))?;
    let expected: f64 = cells()
        .map(|(a, b)| (a as f64 - b as f64).powi(2) * row(a) * column(b))
        .sum::<f64>()
        / (all * all);
    (expected > 0.0).then(|| 1.0 - observed / expected)
}

/// `pairs` gives people's grade and the machine's for one label; an answer's pairs share its weight.
pub(super) fn accuracy(
    sheet: &Sheet,
    pairs: impl Fn(usize, &PeopleLabelRow) -> Vec<(u8, u8)>,
) -> Result<GradeAccuracy, ReportError> {
    let of = |at: usize| -> Vec<(u8, u8)> {
        let labels = sheet.items[at].labels.iter();
        labels.flat_map(|label| pairs(at, label)).collect()
    };
    let n = (0..sheet.items.len()).map(|at| of(at).len() as u64).sum();
    let rows = sheet.weigh(|at, _| {
        let pairs = of(at);
        let mut parts = vec![0.0; GRADES * GRADES];
        for (people, machine) in &pairs {
            parts[GRADES * usize::from(*people) + usize::from(*machine)] +=
                1.0 / pairs.len() as f64;
        }
        (!pairs.is_empty()).then_some(parts)
    });
    let near = |most: f64| {
        move |table: &[f64]| mean(table, |a, b| f64::from(u8::from((a - b).abs() <= most)))
    };
    Ok(GradeAccuracy {
        exact: rows.estimate(n, near(0.0))?,
        within_one: rows.estimate(n, near(1.0))?,
        kappa: rows.estimate(n, kappa)?,
        bias: rows.estimate(n, |table| mean(table, |people, machine| machine - people))?,
    })
}

#[cfg(test)]
mod tests {
    use specstress_stats::ndarray::Array2;
    use specstress_stats::{AgreementWeights, Coefficient, agreement};

    use super::*;

    #[test]
    fn the_kappa_of_equal_weights_is_cohens() {
        let pairs = [(0, 0), (6, 5), (3, 3), (2, 4), (5, 5), (1, 0)];
        let mut table = vec![0.0; GRADES * GRADES];
        let mut flat = Vec::new();
        for (a, b) in pairs {
            table[GRADES * a + b] += 10.0;
            flat.extend([u32::try_from(a).ok(), u32::try_from(b).ok()]);
        }
        let ratings = Array2::from_shape_vec((pairs.len(), 2), flat).unwrap();
        let cohen = Coefficient::Cohen(AgreementWeights::Quadratic);
        let wanted = agreement(ratings.view(), None, cohen)
            .unwrap()
            .estimate
            .unwrap();
        assert!((kappa(&table).unwrap() - wanted).abs() < 1e-12);
        assert_eq!(mean(&table, |a, b| b - a), Some(0.0));
        assert_eq!(kappa(&[0.0; GRADES * GRADES]), None);
    }
}
