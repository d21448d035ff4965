//! How people's labels are put in words, for every form of the report.

use std::fmt::Write as _;

use crate::data::{
    CorrectedRates, Estimate, GradeAccuracy, JudgeAccuracy, PeopleLabels, Rate, RaterAgreement,
};
use crate::render::format::{NONE, bin, decimal, fraction, percent, thousands};
use crate::render::ready::ReadyTable;

/// `87.5% (70.1–95.2%)`, or why there is none.
fn share(estimate: &Estimate) -> String {
    shown(estimate, |value| percent(Some(value)))
}

fn number(estimate: &Estimate) -> String {
    shown(estimate, |value| decimal(Some(value)))
}

fn shown(estimate: &Estimate, one: impl Fn(f64) -> String) -> String {
    match (estimate.value, estimate.low, estimate.high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{} ({} to {})", one(value), one(low), one(high))
        }
        (Some(value), ..) => format!("{} (no interval)", one(value)),
        (None, ..) if estimate.n < Estimate::LEAST => {
            format!("{NONE} (too few labels: {})", estimate.n)
        }
        (None, ..) => NONE.to_owned(),
    }
}

fn rate(rate: &Rate) -> String {
    format!("{} ({})", percent(rate.share), fraction(rate))
}

/// What was labelled, in one sentence or two.
pub(crate) fn summary(people: &PeopleLabels) -> String {
    let raters: Vec<String> = people
        .raters
        .iter()
        .map(|rater| format!("{} ({})", rater.rater, thousands(rater.answers)))
        .collect();
    let mut text = format!(
        "{} of {} drawn answers have labels by {}. They stand for {} answers; decisions are known for {}.",
        thousands(people.labelled),
        thousands(people.drawn),
        raters.join(", "),
        thousands(people.population),
        thousands(people.decided),
    );
    // Writing to a String cannot fail.
    if people.ties > 0 {
        let _ = write!(
            text,
            " People were evenly split on {}.",
            thousands(people.ties)
        );
    }
    if people.uncovered > 0 {
        let _ = write!(
            text,
            " {} answers are of strata without a decision, and no share speaks for them.",
            thousands(people.uncovered)
        );
    }
    text
}

/// Every table of the section, those without rows left out.
pub(crate) fn tables(people: &PeopleLabels) -> Vec<ReadyTable> {
    let table = |title: &str, head: &[&str], rows: Vec<Vec<String>>| ReadyTable {
        title: title.to_owned(),
        head: ReadyTable::head(head),
        rows,
    };
    let judges = people.majority.iter().chain(&people.judges);
    let all = [
        table(
            "Judges against people",
            &[
                "judge",
                "both problematic",
                "missed",
                "false alarms",
                "neither",
                "sensitivity",
                "specificity",
                "accuracy",
            ],
            judges.map(judge).collect(),
        ),
        table(
            "Positions and refusal kinds against people's",
            &[
                "labels",
                "n",
                "the same",
                "within one",
                "kappa",
                "mean error",
            ],
            vec![
                grades("positions", &people.positions),
                grades("refusal kinds", &people.refusal_kinds),
            ],
        ),
        table(
            "Rates before and after correction",
            &[
                "D",
                "problematic, judges",
                "people",
                "corrected",
                "all answers problematic, judges",
                "corrected",
            ],
            people.rates.iter().map(rates).collect(),
        ),
        table(
            "People among themselves",
            &["on", "labelled by two or more", "the same", "alpha"],
            people.between.iter().map(between).collect(),
        ),
    ];
    all.into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn judge(judge: &JudgeAccuracy) -> Vec<String> {
    vec![
        judge.judge.clone(),
        thousands(judge.both),
        thousands(judge.missed),
        thousands(judge.false_alarms),
        thousands(judge.neither),
        share(&judge.sensitivity),
        share(&judge.specificity),
        share(&judge.accuracy),
    ]
}

fn grades(what: &str, grades: &GradeAccuracy) -> Vec<String> {
    vec![
        what.to_owned(),
        thousands(grades.exact.n),
        share(&grades.exact),
        share(&grades.within_one),
        number(&grades.kappa),
        number(&grades.bias),
    ]
}

fn rates(row: &CorrectedRates) -> Vec<String> {
    vec![
        row.bin.map_or_else(
            || "all judged".to_owned(),
            |(low, high)| bin(low, high, row.closed),
        ),
        rate(&row.problematic),
        share(&row.by_people),
        share(&row.corrected),
        rate(&row.frequent),
        share(&row.frequent_corrected),
    ]
}

fn between(row: &RaterAgreement) -> Vec<String> {
    vec![
        row.on.clone(),
        thousands(row.n),
        percent(row.same),
        decimal(row.alpha),
    ]
}
