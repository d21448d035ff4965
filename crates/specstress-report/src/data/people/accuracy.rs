//! Judges against people, and people against each other.

use serde::{Deserialize, Serialize};
use specstress_stats::ndarray::Array2;
use specstress_stats::{Coefficient, MeasurementLevel, agreement};

use super::Estimate;
use super::sheet::{Sheet, Weighed};
use crate::error::ReportError;

/// One judge, or the majority of all, against people on problematic or not.
///
/// The four counts are of the sheet; the shares are estimates over all answers that were drawn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgeAccuracy {
    /// The judge; `majority` for that of all.
    pub judge: String,
    /// Answers that both call problematic.
    pub both: u64,
    /// Answers that only people call problematic.
    pub missed: u64,
    /// Answers that only the judge calls problematic.
    pub false_alarms: u64,
    /// Answers that neither calls problematic.
    pub neither: u64,
    /// Share of the answers people call problematic that the judge does too.
    pub sensitivity: Estimate,
    /// Share of the other answers that the judge does not call problematic either.
    pub specificity: Estimate,
    /// Share of answers on which both agree.
    pub accuracy: Estimate,
}

/// How far people agree with each other (Krippendorff's alpha).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaterAgreement {
    /// On what: `problematic`, `positions` or `refusal kinds`.
    pub on: String,
    /// Alpha, nominal for problematic and ordinal for the others; `None` where it does not exist.
    pub alpha: Option<f64>,
    /// Share of pairs of people who say the same.
    pub same: Option<f64>,
    /// Ratings units that at least two people labelled: answers, or for positions answers and values.
    pub n: u64,
}

/// Places of the four kinds of answer in a row of sums.
pub(super) const NEITHER: usize = 0;
pub(super) const ALARM: usize = 1;
pub(super) const MISSED: usize = 2;
pub(super) const BOTH: usize = 3;

pub(super) fn share(part: f64, rest: f64) -> Option<f64> {
    (part + rest > 0.0).then(|| part / (part + rest))
}

pub(super) fn sensitivity(sums: &[f64]) -> Option<f64> {
    share(sums[BOTH], sums[MISSED])
}

pub(super) fn specificity(sums: &[f64]) -> Option<f64> {
    share(sums[NEITHER], sums[ALARM])
}

/// Which of the four kinds an answer is; `None` where either side has no decision.
pub(super) fn kind(people: Option<bool>, judge: Option<bool>) -> Option<usize> {
    Some(2 * usize::from(people?) + usize::from(judge?))
}

/// The answers that both decided on, with a 1 in the place of their kind.
pub(super) fn confusion(
    sheet: &Sheet,
    judge: impl Fn(usize) -> Option<bool>,
) -> (Weighed, [u64; 4]) {
    let mut counts = [0; 4];
    for (at, item) in sheet.items.iter().enumerate() {
        if let Some(kind) = kind(item.problematic(), judge(at)) {
            counts[kind] += 1;
        }
    }
    let weighed = sheet.weigh(|at, item| {
        let mut parts = vec![0.0; 4];
        parts[kind(item.problematic(), judge(at))?] = 1.0;
        Some(parts)
    });
    (weighed, counts)
}

pub(super) fn judge(
    sheet: &Sheet,
    name: &str,
    judge: impl Fn(usize) -> Option<bool>,
) -> Result<JudgeAccuracy, ReportError> {
    let (rows, counts) = confusion(sheet, judge);
    Ok(JudgeAccuracy {
        judge: name.to_owned(),
        both: counts[BOTH],
        missed: counts[MISSED],
        false_alarms: counts[ALARM],
        neither: counts[NEITHER],
        sensitivity: rows.estimate(counts[BOTH] + counts[MISSED], sensitivity)?,
        specificity: rows.estimate(counts[NEITHER] + counts[ALARM], specificity)?,
        accuracy: rows.estimate(counts.iter().sum(), |sums| {
            share(sums[NEITHER] + sums[BOTH], sums[ALARM] + sums[MISSED])
        })?,
    })
}

/// Empty for a single person.
pub(super) fn between(sheet: &Sheet) -> Result<Vec<RaterAgreement>, ReportError> {
    let raters = sheet.raters.len();
    if raters < 2 {
        return Ok(Vec::new());
    }
    let of = |rater: usize, at: usize| {
        let name = &sheet.raters[rater];
        sheet.items[at]
            .labels
            .iter()
            .find(|label| label.rater == *name)
    };
    let items = sheet.items.len();
    let decisions = Array2::from_shape_fn((items, raters), |(at, rater)| {
        let decision = of(rater, at)?.decision?;
        Some(u32::from(decision.is_problematic()))
    });
    let positions = Array2::from_shape_fn((2 * items, raters), |(unit, rater)| {
        let label = of(rater, unit / 2)?;
        let place = [label.value1_position, label.value2_position][unit % 2];
        place.map(u32::from)
    });
    let kinds = Array2::from_shape_fn((items, raters), |(at, rater)| {
        Some(u32::from(of(rater, at)?.refusal_kind? as u8))
    });
    let seven = [0, 1, 2, 3, 4, 5, 6];
    let measure = |on: &str, ratings: &Array2<Option<u32>>, scale: &[u32], level| {
        let failed = |source| ReportError::Stats {
            what: "agreement between people",
            source: Box::new(source),
        };
        let alpha = Coefficient::Krippendorff(level);
        let found = agreement(ratings.view(), Some(scale), alpha).map_err(failed)?;
        let same = agreement(ratings.view(), Some(scale), Coefficient::Percent).map_err(failed)?;
        Ok(RaterAgreement {
            on: on.to_owned(),
            alpha: found.estimate,
            same: same.estimate,
            n: same.n as u64,
        })
    };
    Ok(vec![
        measure(
            "problematic",
            &decisions,
            &[0, 1],
            MeasurementLevel::Nominal,
        )?,
        measure("positions", &positions, &seven, MeasurementLevel::Ordinal)?,
        measure("refusal kinds", &kinds, &seven, MeasurementLevel::Ordinal)?,
    ])
}
