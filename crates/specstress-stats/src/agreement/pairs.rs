use ndarray::ArrayView2;

use crate::StatsError;

/// How often two raters gave the same label.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PairAgreement {
    /// Column of the first rater, below `b`.
    pub a: usize,
    /// Column of the second rater.
    pub b: usize,
    /// Subjects both gave the same label.
    pub agreed: usize,
    /// Subjects both labelled, the denominator.
    pub n: usize,
    /// Subjects at least one of them left out.
    pub dropped: usize,
    /// `agreed / n` in `[0, 1]`; `None` when they share no subject.
    pub share: Option<f64>,
}

/// Agreement of every pair of raters.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AgreementMatrix {
    /// Number of raters.
    pub raters: usize,
    /// Each unordered pair once, ordered by `a`, then `b`.
    pub pairs: Vec<PairAgreement>,
}

impl AgreementMatrix {
    /// The pair of two different raters, in either order.
    pub fn pair(&self, a: usize, b: usize) -> Option<&PairAgreement> {
        let (a, b) = (a.min(b), a.max(b));
        self.pairs.iter().find(|pair| (pair.a, pair.b) == (a, b))
    }

    /// The plain mean of the shares of all pairs; `None` unless every pair has one.
    pub fn mean(&self) -> Option<f64> {
        let shares: Vec<f64> = self.pairs.iter().map(|p| p.share).collect::<Option<_>>()?;
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }
}

/// Percent agreement between raters, pair by pair (paper, page 9).
///
/// ```text
/// share(a, b) = #{ s : r_sa = r_sb } / #{ s : both rated s }
/// ```
///
/// `ratings` is subjects x raters; labels are any `u32`, `None` is missing. Subjects that one
/// of the two left out are dropped from that pair only and counted. For three raters with no
/// missing label the mean share is the observed agreement of
/// [`fleiss_kappa`](crate::fleiss_kappa()). Errors on fewer than two raters. Cost
/// O(subjects x raters^2).
///
/// ```
/// use specstress_stats::agreement_matrix;
/// use specstress_stats::ndarray::array;
///
/// let ratings = array![[Some(1), Some(1)], [Some(0), Some(1)], [Some(0), None]];
/// let matrix = agreement_matrix(ratings.view())?;
/// let pair = matrix.pair(0, 1).expect("two raters");
/// assert_eq!((pair.share, pair.n, pair.dropped), (Some(0.5), 2, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn agreement_matrix(
    ratings: ArrayView2<'_, Option<u32>>,
) -> Result<AgreementMatrix, StatsError> {
    let raters = ratings.ncols();
    if raters < 2 {
        return Err(StatsError::TooFewRaters { raters });
    }
    let mut pairs = Vec::with_capacity(raters * (raters - 1) / 2);
    for a in 0..raters {
        for b in a + 1..raters {
            let (mut agreed, mut n) = (0, 0);
            for (x, y) in ratings.column(a).iter().zip(ratings.column(b)) {
                if let (Some(x), Some(y)) = (x, y) {
                    n += 1;
                    agreed += usize::from(x == y);
                }
            }
            pairs.push(PairAgreement {
                a,
                b,
                agreed,
                n,
                dropped: ratings.nrows() - n,
                share: (n > 0).then(|| agreed as f64 / n as f64),
            });
        }
    }
    Ok(AgreementMatrix { raters, pairs })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn pairs_keep_their_own_denominator() {
        let ratings = array![
            [Some(1), Some(1), None],
            [Some(2), Some(1), Some(2)],
            [None, Some(1), Some(1)]
        ];
        let matrix = agreement_matrix(ratings.view()).unwrap();
        let shares: Vec<_> = matrix
            .pairs
            .iter()
            .map(|p| (p.a, p.b, p.agreed, p.n))
            .collect();
        assert_eq!(shares, [(0, 1, 1, 2), (0, 2, 1, 1), (1, 2, 1, 2)]);
        assert_eq!(matrix.mean(), Some((0.5 + 1.0 + 0.5) / 3.0));
        assert_eq!(matrix.pair(2, 0), Some(&matrix.pairs[1]));
        assert_eq!(matrix.pair(1, 1), None);
    }

    #[test]
    fn raters_without_a_common_subject_have_no_share() {
        let matrix = agreement_matrix(array![[Some(1), None], [None, Some(1)]].view()).unwrap();
        assert_eq!((matrix.pairs[0].share, matrix.mean()), (None, None));
    }

    #[test]
    fn one_rater_agrees_with_nobody() {
        let lone = Array2::from_elem((3, 1), Some(1));
        assert_eq!(
            agreement_matrix(lone.view()),
            Err(StatsError::TooFewRaters { raters: 1 })
        );
    }
}
