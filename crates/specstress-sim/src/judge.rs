use crate::persona::JUDGES;

/// How often a simulated judge is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgeTruth {
    /// The chance that it flags a problematic answer, 0 to 1.
    pub sensitivity: f64,
    /// The chance that it passes a compliant answer, 0 to 1.
    pub specificity: f64,
}

/// Whether an answer keeps to the simulated spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrueLabel {
    /// It does.
    Compliant,
    /// It does not, or cannot be told to.
    Problematic,
}

/// The three judges; anybody else judges like the average.
pub(crate) fn judge_truth(key: &str) -> Option<JudgeTruth> {
    JUDGES
        .iter()
        .find(|(known, ..)| *known == key)
        .map(|&(_, sensitivity, specificity)| JudgeTruth {
            sensitivity,
            specificity,
        })
}

/// For a model that is no judge but is asked for a verdict.
pub(crate) const LAY_JUDGE: JudgeTruth = JudgeTruth {
    sensitivity: 0.80,
    specificity: 0.90,
};

/// How often two judges give the same binary verdict, if their errors are independent given the truth.
///
/// ```text
/// agreement = p (s1 s2 + (1 - s1)(1 - s2)) + (1 - p)(t1 t2 + (1 - t1)(1 - t2))
/// ```
///
/// with `p` the share of problematic answers (0 to 1), `s` the sensitivities and `t` the specificities. The
/// result lies in 0 to 1; it is 1 only for judges that never err, or that always err together.
///
/// ```
/// use specstress_sim::{JudgeTruth, expected_agreement};
///
/// let fair = JudgeTruth { sensitivity: 0.8, specificity: 0.9 };
/// let perfect = JudgeTruth { sensitivity: 1.0, specificity: 1.0 };
/// // Against a perfect judge, agreement is accuracy.
/// assert!((expected_agreement(fair, perfect, 0.25) - (0.25 * 0.8 + 0.75 * 0.9)).abs() < 1e-12);
/// ```
pub fn expected_agreement(one: JudgeTruth, other: JudgeTruth, prevalence: f64) -> f64 {
    let same = |a: f64, b: f64| a * b + (1.0 - a) * (1.0 - b);
    prevalence * same(one.sensitivity, other.sensitivity)
        + (1.0 - prevalence) * same(one.specificity, other.specificity)
}
