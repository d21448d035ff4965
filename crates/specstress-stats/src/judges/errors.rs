use ndarray::{Array1, ArrayView2};

use crate::{Confidence, Correlation, Proportion, StatsError, pearson, proportion};

/// How the errors of two judges go together.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ErrorPair {
    /// Column of the first judge, below `b`.
    pub a: usize,
    /// Column of the second judge.
    pub b: usize,
    /// Correlation of their errors (phi) over the subjects both judged and truth is known for;
    /// `None` when one of them made no error, or only errors.
    pub correlation: Correlation,
}

/// Errors of judges against known labels.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JudgeErrors {
    /// Error rate per judge, over the subjects it judged.
    pub rates: Vec<Proportion>,
    /// Each unordered pair once, by `a`, then `b`.
    pub pairs: Vec<ErrorPair>,
    /// Plain mean of the correlations that exist; `None` when none does.
    pub mean_correlation: Option<f64>,
    /// How many independent judges the panel is worth; `None` without a mean correlation and
    /// where it is so negative that the formula has no answer.
    pub effective_judges: Option<f64>,
    /// Subjects with a known label and at least one vote.
    pub n: usize,
    /// All other subjects.
    pub dropped: usize,
}

/// Error rates, error correlation and the effective number of judges.
///
/// ```text
/// e_sj = 1 if judge j is wrong on subject s, else 0
/// r    = mean over pairs of corr(e_.i, e_.j)
/// effective = k / (1 + (k - 1) r)            (the design effect of Kish 1965)
/// ```
///
/// `votes` is subjects x judges, `truth` one label per subject (by people, or
/// [`dawid_skene`](crate::dawid_skene())); `None` is missing and drops the subject from the
/// judge, pair or all. Three judges whose errors correlate at 0.5 are worth 1.5. The effective
/// number exceeds `k` when errors repel each other. Errors on fewer than two judges and on
/// different lengths. Cost O(subjects x judges^2).
///
/// ```
/// use specstress_stats::ndarray::array;
/// use specstress_stats::{Confidence, judge_errors};
///
/// let (yes, no) = (Some(true), Some(false));
/// let votes = array![[yes, yes], [no, no], [yes, no], [no, no], [yes, None]];
/// let found = judge_errors(votes.view(), &[yes, yes, yes, no, no], Confidence::default())?;
/// assert_eq!((found.rates[0].successes, found.rates[0].n), (2, 5));
/// assert!((found.pairs[0].correlation.r.expect("both err") - 3_f64.recip().sqrt()).abs() < 1e-12);
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn judge_errors(
    votes: ArrayView2<'_, Option<bool>>,
    truth: &[Option<bool>],
    confidence: Confidence,
) -> Result<JudgeErrors, StatsError> {
    let (subjects, judges) = votes.dim();
    if judges < 2 {
        return Err(StatsError::TooFewRaters { raters: judges });
    }
    StatsError::same_length(subjects, truth.len())?;
    let errors: Vec<Array1<Option<f64>>> = votes
        .columns()
        .into_iter()
        .map(|column| {
            let wrong = column.iter().zip(truth).map(|(&vote, &truth)| {
                let wrong = vote? != truth?;
                Some(f64::from(u8::from(wrong)))
            });
            wrong.collect()
        })
        .collect();
    let rates = errors
        .iter()
        .map(|column| {
            let known = column.iter().flatten().count() as u64;
            let wrong = column.iter().flatten().filter(|&&e| e > 0.0).count() as u64;
            proportion(wrong, known, confidence)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut pairs = Vec::with_capacity(judges * (judges - 1) / 2);
    for a in 0..judges {
        for b in a + 1..judges {
            let correlation = pearson(errors[a].view(), errors[b].view())?;
            pairs.push(ErrorPair { a, b, correlation });
        }
    }
    let known: Vec<f64> = pairs.iter().filter_map(|pair| pair.correlation.r).collect();
    let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    let k = judges as f64;
    let n = (0..subjects)
        .filter(|&s| errors.iter().any(|column| column[s].is_some()))
        .count();
    Ok(JudgeErrors {
        rates,
        pairs,
        mean_correlation: mean,
        effective_judges: mean
            .map(|r| 1.0 + (k - 1.0) * r)
            .filter(|&effect| effect > 0.0)
            .map(|effect| k / effect),
        n,
        dropped: subjects - n,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn copies_of_one_judge_are_worth_one_judge() {
        let truth: Vec<_> = (0..40).map(|s| Some(s % 2 == 0)).collect();
        let votes = Array2::from_shape_fn((40, 3), |(s, _)| Some((s % 2 == 0) != (s % 5 == 0)));
        let found = judge_errors(votes.view(), &truth, Confidence::default()).unwrap();
        assert!((found.mean_correlation.unwrap() - 1.0).abs() < 1e-12);
        assert!((found.effective_judges.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(found.rates[2].successes, 8);
    }

    #[test]
    fn perfect_judges_have_no_correlation_of_errors() {
        let votes = Array2::from_elem((4, 2), Some(true));
        let truth = [Some(true), Some(true), None, Some(true)];
        let found = judge_errors(votes.view(), &truth, Confidence::default()).unwrap();
        assert_eq!(
            (found.mean_correlation, found.effective_judges),
            (None, None)
        );
        assert_eq!((found.n, found.dropped), (3, 1));
        assert!(judge_errors(votes.view(), &truth[..3], Confidence::default()).is_err());
    }
}
