use crate::{Confidence, Interval, Proportion, StatsError, proportion};

/// One judge held against labels by people.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct JudgeCalibration {
    /// Share of subjects that people call problematic which the judge does too.
    pub sensitivity: Proportion,
    /// Share of subjects that people call fine which the judge does too.
    pub specificity: Proportion,
    /// Share of all subjects on which both agree.
    pub accuracy: Proportion,
    /// Subjects with both labels.
    pub n: usize,
    /// Subjects that lack one.
    pub dropped: usize,
}

/// Sensitivity and specificity of a judge against labels by people, with Wilson intervals.
///
/// `judge[i]` and `people[i]` say whether subject `i` is problematic; `None` on either side
/// drops it. A share without subjects is `None`. Errors on different lengths. Cost O(n).
///
/// ```
/// use specstress_stats::{Confidence, calibrate};
///
/// let people = [Some(true), Some(true), Some(false), Some(false), None];
/// let judge = [Some(true), Some(false), Some(false), Some(false), Some(true)];
/// let found = calibrate(&judge, &people, Confidence::default())?;
/// assert_eq!((found.sensitivity.rate, found.specificity.rate), (Some(0.5), Some(1.0)));
/// assert_eq!((found.n, found.dropped), (4, 1));
/// # Ok::<(), specstress_stats::StatsError>(())
/// ```
pub fn calibrate(
    judge: &[Option<bool>],
    people: &[Option<bool>],
    confidence: Confidence,
) -> Result<JudgeCalibration, StatsError> {
    StatsError::same_length(judge.len(), people.len())?;
    // Counts by [people][judge].
    let mut table = [[0_u64; 2]; 2];
    let mut n = 0_usize;
    for (judge, people) in judge.iter().zip(people) {
        if let (Some(judge), Some(people)) = (judge, people) {
            table[usize::from(*people)][usize::from(*judge)] += 1;
            n += 1;
        }
    }
    let [[fine, alarm], [missed, found]] = table;
    Ok(JudgeCalibration {
        sensitivity: proportion(found, found + missed, confidence)?,
        specificity: proportion(fine, fine + alarm, confidence)?,
        accuracy: proportion(found + fine, n as u64, confidence)?,
        n,
        dropped: judge.len() - n,
    })
}

/// A rate reported by a judge, corrected for the judge's own errors.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CorrectedRate {
    /// The rate as judged.
    pub judged: Proportion,
    /// The corrected rate, cut to `[0, 1]`; `None` where the judge is no better than chance
    /// (sensitivity + specificity not above 1), or anything is unknown.
    pub rate: Option<f64>,
    /// Interval that covers the errors of all three samples, cut to `[0, 1]`.
    pub interval: Option<Interval>,
}

impl JudgeCalibration {
    /// The rate behind `flagged` of `n` subjects (Rogan & Gladen 1978), with the interval of
    /// Lang & Reiczigel (2014).
    ///
    /// ```text
    /// rate = ( q + Sp - 1 ) / ( Se + Sp - 1 ),   q = flagged / n
    /// ```
    ///
    /// For the interval `q` gets `z^2/2` of `z^2` added trials, `Se` and `Sp` one of two; with
    /// these, `p = (q + Sp - 1)/(Se + Sp - 1)` and
    ///
    /// ```text
    /// shift = 2 z^2 ( p Se (1 - Se) / n_Se - (1 - p) Sp (1 - Sp) / n_Sp )
    /// var   = q (1 - q) / n_q + p^2 Se (1 - Se) / n_Se + (1 - p)^2 Sp (1 - Sp) / n_Sp
    /// p + shift +/- z sqrt(var) / (Se + Sp - 1)
    /// ```
    ///
    /// The subjects of the rate and those judged by people are taken as separate samples.
    /// Errors when `flagged` exceeds `n`. Cost O(1).
    ///
    /// ```
    /// use specstress_stats::{Confidence, calibrate};
    ///
    /// let people: Vec<_> = (0..100).map(|i| Some(i < 50)).collect();
    /// let judge: Vec<_> = (0..100).map(|i| Some(i < 40 || i >= 95)).collect();
    /// let judged = calibrate(&judge, &people, Confidence::default())?;
    /// let found = judged.corrected_rate(310, 1000, Confidence::default())?;
    /// assert!((found.rate.expect("a useful judge") - 0.3).abs() < 1e-12);
    /// # Ok::<(), specstress_stats::StatsError>(())
    /// ```
    pub fn corrected_rate(
        &self,
        flagged: u64,
        n: u64,
        confidence: Confidence,
    ) -> Result<CorrectedRate, StatsError> {
        let judged = proportion(flagged, n, confidence)?;
        let correct = |q: f64, se: f64, sp: f64| {
            let useful = se + sp - 1.0;
            (useful > 0.0).then(|| ((q + sp - 1.0) / useful, useful))
        };
        let rate = judged
            .rate
            .zip(self.sensitivity.rate)
            .zip(self.specificity.rate)
            .and_then(|((q, se), sp)| correct(q, se, sp))
            .map(|(rate, _)| rate.clamp(0.0, 1.0));
        let interval = rate.and_then(|_| {
            let z = confidence.z();
            let padded = |share: &Proportion, trials: f64| {
                let n = share.n as f64 + trials;
                ((share.successes as f64 + trials / 2.0) / n, n)
            };
            let (q, trials) = padded(&judged, z * z);
            let (se, trials_of_hits) = padded(&self.sensitivity, 2.0);
            let (sp, trials_of_passes) = padded(&self.specificity, 2.0);
            let (p, useful) = correct(q, se, sp)?;
            let (spread_hit, spread_pass) = (
                se * (1.0 - se) / trials_of_hits,
                sp * (1.0 - sp) / trials_of_passes,
            );
            let shift = 2.0 * z * z * (p * spread_hit - (1.0 - p) * spread_pass);
            let variance =
                q * (1.0 - q) / trials + p * p * spread_hit + (1.0 - p).powi(2) * spread_pass;
            let half = z * variance.sqrt() / useful;
            Some(Interval {
                low: (p + shift - half).clamp(0.0, 1.0),
                high: (p + shift + half).clamp(0.0, 1.0),
            })
        });
        Ok(CorrectedRate {
            judged,
            rate,
            interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_that_guesses_corrects_nothing() {
        let people = [Some(true), Some(true), Some(false), Some(false)];
        let judge = [Some(true), Some(false), Some(true), Some(false)];
        let found = calibrate(&judge, &people, Confidence::default()).unwrap();
        let rate = found.corrected_rate(3, 10, Confidence::default()).unwrap();
        assert_eq!((rate.rate, rate.interval), (None, None));
        assert!(found.corrected_rate(3, 2, Confidence::default()).is_err());
        let nobody = calibrate(&[], &[], Confidence::default()).unwrap();
        let rate = nobody.corrected_rate(3, 10, Confidence::default()).unwrap();
        assert_eq!((nobody.n, rate.rate), (0, None));
    }

    #[test]
    fn a_perfect_judge_changes_no_rate() {
        let people: Vec<_> = (0..1000).map(|i| Some(i % 2 == 0)).collect();
        let found = calibrate(&people, &people, Confidence::default()).unwrap();
        let rate = found
            .corrected_rate(30, 100, Confidence::default())
            .unwrap();
        assert!((rate.rate.unwrap() - 0.3).abs() < 1e-12);
        let interval = rate.interval.unwrap();
        assert!(interval.low < 0.3 && 0.3 < interval.high);
    }
}
