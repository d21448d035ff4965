//! Headline rates before and after correction.

use serde::{Deserialize, Serialize};
use specstress_stats::Bins;

use super::Estimate;
use super::accuracy::{confusion, sensitivity, share, specificity};
use super::sheet::{Machine, Sheet, majority};
use crate::data::ballots::{Ballots, JudgedScenario, answer_votes};
use crate::data::rate::Rate;
use crate::error::ReportError;

/// Rates of one bin of disagreement, or of all judged questions: as the majority of the judges has them, as people's
/// labels alone have them, and corrected for the judges' errors.
///
/// With `Se` and `Sp` the sensitivity and specificity of the majority over the whole sheet, `q` the share of answers it
/// flags, and `f_i` = 1 where it flags answer `i` of a question with `k` answers:
///
/// ```text
/// problematic = (q + Sp - 1) / (Se + Sp - 1)                                (Rogan & Gladen 1978)
/// frequent    = mean over questions of  prod_i (f_i + Sp - 1) / (Se + Sp - 1)
/// ```
///
/// The first is the second for one answer. Both take `Se` and `Sp` to be the same in every bin; the second also takes the
/// judges' errors on the answers to one question to be independent given whether these are problematic, and then is
/// free of bias. `by_people` needs neither and rests on the labels in the bin alone. Corrected rates are cut to 0 to 1,
/// and are `None` where `Se + Sp <= 1` in some draw of the bootstrap: a majority that may be no better than chance
/// corrects nothing. Their intervals carry people's
/// sampling error and that of the questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrectedRates {
    /// Edges of the bin, `low <= D < high`, the last one closed; `None` for all judged questions.
    pub bin: Option<(f64, f64)>,
    /// Whether the upper edge is inside.
    pub closed: bool,
    /// Answers that the majority of the judges calls problematic, out of those with a vote.
    pub problematic: Rate,
    /// Share of answers that people call problematic.
    pub by_people: Estimate,
    /// Share of problematic answers, corrected.
    pub corrected: Estimate,
    /// Questions of which the majority calls every answer problematic, out of those with all answers judged.
    pub frequent: Rate,
    /// Share of such questions, corrected.
    pub frequent_corrected: Estimate,
}

/// What the judges say of one question.
struct Judged {
    bin: Option<usize>,
    answers: u64,
    flagged: u64,
    /// All judged models have an answer with a vote.
    complete: bool,
}

fn judged(scenario: &JudgedScenario, models: usize, bins: &Bins) -> Judged {
    let mut judged = Judged {
        bin: scenario.disagreement.and_then(|d| bins.of_number(d)),
        answers: 0,
        flagged: 0,
        complete: models > 0,
    };
    for model in 0..models {
        let votes = answer_votes(&scenario.votes, model, 0);
        match majority(votes.map(|(_, mark)| mark.problematic())) {
            Some(flagged) => {
                judged.answers += 1;
                judged.flagged += u64::from(flagged);
            }
            None => judged.complete = false,
        }
    }
    judged
}

pub(super) fn rates(
    sheet: &Sheet,
    machine: &Machine,
    ballots: &Ballots,
) -> Result<Vec<CorrectedRates>, ReportError> {
    let bins = Bins::default();
    let models = ballots.judged_models().len();
    let scenarios: Vec<Judged> = ballots
        .scenarios()
        .iter()
        .map(|scenario| judged(scenario, models, &bins))
        .collect();
    let mut rows = vec![rate(sheet, machine, &scenarios, models, None)?];
    for bin in 0..bins.count() {
        let mut row = rate(sheet, machine, &scenarios, models, Some(bin))?;
        row.bin = bins.edges(bin);
        row.closed = bin + 1 == bins.count();
        rows.push(row);
    }
    Ok(rows)
}

fn rate(
    sheet: &Sheet,
    machine: &Machine,
    scenarios: &[Judged],
    models: usize,
    bin: Option<usize>,
) -> Result<CorrectedRates, ReportError> {
    let here = |place: Option<usize>| bin.is_none() || place == bin;
    let mut decided = 0;
    for (item, &place) in sheet.items.iter().zip(&machine.bins) {
        decided += u64::from(here(place) && item.problematic().is_some());
    }
    // Labels of other bins count for the weights of their strata, and for nothing else.
    let people = sheet.weigh(|at, item| {
        let problematic = item.problematic()?;
        let inside = f64::from(u8::from(here(machine.bins[at])));
        let yes = inside * f64::from(u8::from(problematic));
        Some(vec![yes, inside - yes])
    });

    // After the four kinds of labelled answer: answers, flagged, complete questions by how many of theirs are flagged.
    let (rows, counts) = confusion(sheet, |at| machine.majority[at]);
    let mut joint = rows.widened(3 + models);
    let (mut answers, mut flagged, mut complete, mut all) = (0, 0, 0, 0);
    for scenario in scenarios.iter().filter(|scenario| here(scenario.bin)) {
        answers += scenario.answers;
        flagged += scenario.flagged;
        let mut parts = vec![0.0; 7 + models];
        parts[4] = scenario.answers as f64;
        parts[5] = scenario.flagged as f64;
        if scenario.complete {
            complete += 1;
            all += u64::from(scenario.flagged == models as u64);
            parts[6 + usize::try_from(scenario.flagged).unwrap_or(models)] = 1.0;
        }
        // Questions are one more stratum.
        joint.push(usize::MAX, parts);
    }
    // Either share of the correction needs enough labels.
    let labels = (counts[3] + counts[2]).min(counts[0] + counts[1]);
    Ok(CorrectedRates {
        bin: None,
        closed: false,
        problematic: Rate::new(flagged, answers),
        by_people: people.estimate(decided, |sums| share(sums[0], sums[1]))?,
        corrected: joint
            .estimate(labels, |sums| {
                let (flag, pass) = factors(sums)?;
                let q = share(sums[5], sums[4] - sums[5])?;
                Some((q * flag + (1.0 - q) * pass).clamp(0.0, 1.0))
            })?
            .sure(),
        frequent: Rate::new(all, complete),
        frequent_corrected: joint
            .estimate(labels, |sums| {
                let (flag, pass) = factors(sums)?;
                let by_flagged = &sums[6..];
                let questions: f64 = by_flagged.iter().sum();
                let product = |flagged: usize| power(flag, flagged) * power(pass, models - flagged);
                let sum: f64 = by_flagged
                    .iter()
                    .enumerate()
                    .map(|(flagged, count)| count * product(flagged))
                    .sum();
                (questions > 0.0).then(|| (sum / questions).clamp(0.0, 1.0))
            })?
            .sure(),
    })
}

/// What a flagged answer and one that passed count after correction.
fn factors(sums: &[f64]) -> Option<(f64, f64)> {
    let (se, sp) = (sensitivity(sums)?, specificity(sums)?);
    let useful = se + sp - 1.0;
    (useful > 0.0).then(|| (sp / useful, (sp - 1.0) / useful))
}

fn power(base: f64, exponent: usize) -> f64 {
    std::iter::repeat_n(base, exponent).product()
}
