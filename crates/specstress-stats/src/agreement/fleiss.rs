use std::collections::BTreeMap;

use ndarray::ArrayView2;

use super::recipe::{Parts, beyond_chance};
use crate::StatsError;

/// Fleiss' kappa with the parts it is made of.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FleissKappa {
    /// Kappa, at most 1; `None` without a subject, or when only one label was used (`Pe = 1`).
    pub kappa: Option<f64>,
    /// Mean observed agreement `P`; `None` without a subject.
    pub observed: Option<f64>,
    /// Agreement expected by chance `Pe`; `None` without a subject.
    pub expected: Option<f64>,
    /// Complete subjects, the denominator.
    pub subjects: usize,
    /// Subjects dropped because a rating was missing.
    pub dropped: usize,
    /// Ratings per subject.
    pub raters: usize,
    /// Each label used by a complete subject and its share of all ratings, by label.
    pub categories: Vec<(u32, f64)>,
}

/// Fleiss' kappa of nominal ratings (Fleiss 1971; paper, page 9).
///
/// ```text
/// P_i   = ( sum_j n_ij^2 - n ) / ( n (n - 1) )     P  = mean of P_i
/// p_j   = sum_i n_ij / (N n)                       Pe = sum_j p_j^2
/// kappa = (P - Pe) / (1 - Pe)
/// ```
///
/// `ratings` is N subjects x n raters; labels are any `u32` and have no order; `None` is
/// missing. The formula needs n ratings of every subject, so a subject that lacks one is
/// dropped and counted. Which rater gave which label does not matter. Kappa is `None`, not 0
/// or 1, when all ratings are equal: chance alone explains them. Errors on fewer than two
/// raters. Cost O(N n log n).
///
/// The paper's 0.42 is on the binary label, problematic or not; pass 0 and 1 for that.
///
/// ```
/// use specstress_stats::fleiss_kappa;
/// use specstress_stats::ndarray::array;
///
/// let ratings = array![[Some(0), Some(0)], [Some(1), Some(1)], [Some(0), Some(1)], [None, Some(1)]];
/// let found = fleiss_kappa(ratings.view())?;
/// assert_eq!((found.subjects, found.dropped), (3, 1));
/// assert!((found.kappa.expect("two labels") - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn fleiss_kappa(ratings: ArrayView2<'_, Option<u32>>) -> Result<FleissKappa, StatsError> {
    let mut tally = Tally::new(ratings.ncols())?;
    let mut labels = Vec::with_capacity(ratings.ncols());
    for row in ratings.rows() {
        labels.clear();
        labels.extend(row.iter().flatten().copied());
        if labels.len() < tally.raters {
            tally.dropped += 1;
            continue;
        }
        labels.sort_unstable();
        tally.add(
            labels
                .chunk_by(|a, b| a == b)
                .map(|run| (run[0], run.len() as u64)),
        );
    }
    Ok(tally.finish())
}

/// [`fleiss_kappa`] from counts: `counts[[i, j]]` raters gave subject `i` label `j`.
///
/// `counts` is subjects x labels; `raters` is the number every complete row sums to. A row
/// that sums to less is incomplete, dropped and counted; a row that sums to more is an error,
/// as are fewer than two raters. Cost O(subjects x labels).
///
/// ```
/// use specstress_stats::fleiss_kappa_counts;
/// use specstress_stats::ndarray::array;
///
/// let found = fleiss_kappa_counts(array![[2, 0], [0, 2], [1, 1]].view(), 2)?;
/// assert!((found.kappa.expect("two labels") - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn fleiss_kappa_counts(
    counts: ArrayView2<'_, u32>,
    raters: usize,
) -> Result<FleissKappa, StatsError> {
    let mut tally = Tally::new(raters)?;
    for (subject, row) in counts.rows().into_iter().enumerate() {
        let found: u64 = row.iter().map(|&count| u64::from(count)).sum();
        if found > raters as u64 {
            return Err(StatsError::TooManyRatings {
                subject,
                found,
                raters,
            });
        }
        if found < raters as u64 {
            tally.dropped += 1;
            continue;
        }
        let labels = (0_u32..).zip(row.iter().map(|&count| u64::from(count)));
        tally.add(labels.filter(|&(_, count)| count > 0));
    }
    Ok(tally.finish())
}

/// Integer sums over complete subjects; divided once, at the end.
struct Tally {
    raters: usize,
    subjects: usize,
    dropped: usize,
    /// `sum_i sum_j n_ij^2`.
    squares: u128,
    per_label: BTreeMap<u32, u64>,
}

impl Tally {
    fn new(raters: usize) -> Result<Self, StatsError> {
        if raters < 2 {
            return Err(StatsError::TooFewRaters { raters });
        }
        Ok(Self {
            raters,
            subjects: 0,
            dropped: 0,
            squares: 0,
            per_label: BTreeMap::new(),
        })
    }

    fn add(&mut self, labels: impl Iterator<Item = (u32, u64)>) {
        self.subjects += 1;
        for (label, count) in labels {
            self.squares += u128::from(count) * u128::from(count);
            *self.per_label.entry(label).or_default() += count;
        }
    }

    fn finish(self) -> FleissKappa {
        let mut found = FleissKappa {
            kappa: None,
            observed: None,
            expected: None,
            subjects: self.subjects,
            dropped: self.dropped,
            raters: self.raters,
            categories: Vec::new(),
        };
        if self.subjects == 0 {
            return found;
        }
        let (n, subjects) = (self.raters as f64, self.subjects as f64);
        let counts: Vec<f64> = self.per_label.values().map(|&count| count as f64).collect();
        let parts = parts(n, subjects, self.squares as f64, &counts);
        found.kappa = parts.estimate;
        found.observed = parts.observed;
        found.expected = parts.expected;
        let shares = counts.iter().map(|count| count / (subjects * n));
        found.categories = self.per_label.keys().copied().zip(shares).collect();
        found
    }
}

/// Kappa from the sums over at least one subject: of squared counts per label, and of counts by label.
pub(super) fn parts(raters: f64, subjects: f64, squares: f64, counts: &[f64]) -> Parts {
    let ratings = subjects * raters;
    let observed = (squares - ratings) / (ratings * (raters - 1.0));
    let expected = counts
        .iter()
        .map(|count| (count / ratings).powi(2))
        .sum::<f64>();
    // `Pe = 1` exactly when a single label took every rating.
    let one_label = counts.iter().filter(|count| **count > 0.0).count() < 2;
    beyond_chance(observed, expected, one_label)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn a_textbook_table() {
        // Fourteen raters, ten subjects, five labels: kappa 0.210 in the textbook table.
        let counts = array![
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7]
        ];
        let found = fleiss_kappa_counts(counts.view(), 14).unwrap();
        assert!((found.observed.unwrap() - 0.378).abs() < 5e-4);
        assert!((found.expected.unwrap() - 0.213).abs() < 5e-4);
        assert!((found.kappa.unwrap() - 0.210).abs() < 5e-4);
    }

    #[test]
    fn one_label_has_no_kappa_and_no_subject_has_nothing() {
        let same = Array2::from_elem((4, 3), Some(7));
        let found = fleiss_kappa(same.view()).unwrap();
        assert_eq!(
            (found.kappa, found.observed, found.expected),
            (None, Some(1.0), Some(1.0))
        );

        let none = array![[None, Some(1)], [Some(2), None]];
        let found = fleiss_kappa(none.view()).unwrap();
        assert_eq!(
            (found.kappa, found.observed, found.dropped),
            (None, None, 2)
        );
    }

    #[test]
    fn rows_of_counts_are_checked_against_the_raters() {
        let counts = array![[2, 0], [1, 0], [2, 1]];
        assert_eq!(
            fleiss_kappa_counts(counts.view(), 2),
            Err(StatsError::TooManyRatings {
                subject: 2,
                found: 3,
                raters: 2
            })
        );
        assert_eq!(fleiss_kappa_counts(counts.view(), 3).unwrap().dropped, 2);
        assert!(fleiss_kappa_counts(counts.view(), 1).is_err());
    }
}
