//! How people's labels are put in words, for every form of the report.

use std::fmt::Write as _;

use crate::data::{CorrectedRates, Estimate, GradeAccuracy, JudgeAccuracy, PeopleLabels, Rate};
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
    let judge = |judge: &JudgeAccuracy| {
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
    };
    let grades = |what: &str, grades: &GradeAccuracy| {
        vec![
            what.to_owned(),
            thousands(grades.exact.n),
            share(&grades.exact),
            share(&grades.within_one),
            number(&grades.kappa),
            number(&grades.bias),
        ]
    };
    let rates = |row: &CorrectedRates| {
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
    };
    let all = vec![
        ReadyTable {
            title: "Judges against people".to_owned(),
            head: ReadyTable::head(&[
                "judge",
                "both problematic",
                "missed",
                "false alarms",
                "neither",
                "sensitivity",
                "specificity",
                "accuracy",
            ]),
            rows: people
                .majority
                .iter()
                .chain(&people.judges)
                .map(judge)
                .collect(),
        },
        ReadyTable {
            title: "Positions and refusal kinds against people's".to_owned(),
            head: ReadyTable::head(&[
                "labels",
                "n",
                "the same",
                "within one",
                "kappa",
                "mean error",
            ]),
            rows: vec![
                grades("positions", &people.positions),
                grades("refusal kinds", &people.refusal_kinds),
            ],
        },
        ReadyTable {
            title: "Rates before and after correction".to_owned(),
            head: ReadyTable::head(&[
                "D",
                "problematic, judges",
                "people",
                "corrected",
                "all answers problematic, judges",
                "corrected",
            ]),
            rows: people.rates.iter().map(rates).collect(),
        },
        ReadyTable {
            title: "People among themselves".to_owned(),
            head: ReadyTable::head(&["on", "labelled by two or more", "the same", "alpha"]),
            rows: people
                .between
                .iter()
                .map(|row| {
                    vec![
                        row.on.clone(),
                        thousands(row.n),
                        percent(row.same),
                        decimal(row.alpha),
                    ]
                })
                .collect(),
        },
    ];
    all.into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}
