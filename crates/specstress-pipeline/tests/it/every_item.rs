//! Under any mixture of good and bad replies, every item ends in one outcome and the numbers agree with a
//! naive recount.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use specstress_dataset::Table;
use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, ExpressedValuesRow, PositionRow, RefusalRow, ResponseRow,
    ScenarioRow, SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_llm::{LlmErrorKind, OutcomeKind};
use specstress_pipeline::{Manifest, StageName, StudySettings};

use crate::cast::{Cast, place_answers, tiny, written};
use crate::fakes::{FakeModel, Reply, blocked, fails, says, truncated};
use crate::look::{Questions, outcomes, rows, tally};

/// A number that stands for a text, the same in every run.
fn mark(salt: u64, text: &str) -> u64 {
    text.bytes()
        .fold(salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte))
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23)
        })
}

/// Spoils some replies of a model.
fn spoilt(
    salt: u64,
    name: &str,
    one_in: u64,
    good: impl Fn(&str, u32) -> String + Send + Sync + 'static,
) -> Arc<FakeModel> {
    let salt = mark(salt, name);
    FakeModel::new(name, move |ask, sample| -> Reply {
        let number = mark(salt, &format!("{ask} {sample}"));
        if !number.is_multiple_of(one_in) {
            return says(good(ask, sample));
        }
        match number / one_in % 5 {
            0 => blocked("policy"),
            1 => truncated(),
            2 => says(""),
            3 => says("@ no form anybody asked for"),
            _ => fails(LlmErrorKind::BadRequest, "no"),
        }
    })
}

fn cast(salt: u64, one_in: u64) -> Cast {
    let mut cast = Cast::tiny();
    cast.authors = vec![spoilt(salt, "author", one_in, |ask, _| written(ask))];
    for key in ["alpha", "beta", "gamma"] {
        let stance = move |ask: &str, sample: u32| {
            let number = mark(salt, &format!("{key} {ask} {sample}"));
            format!("I stand at {} {}", number % 7, number / 7 % 7)
        };
        cast.seat(key, spoilt(salt, key, one_in, stance));
    }
    cast.rubric = spoilt(salt, "rubric", one_in, |_, _| "one|two".to_owned());
    cast.classifier = spoilt(salt, "classifier", one_in, |ask, _| place_answers(ask));
    let label = |ask: &str, _: u32| match ask.split('|').next() {
        Some("topics") => "politics".to_owned(),
        Some("refusal") => "Complete Rejection".to_owned(),
        _ => "alpha: candor\ngamma: warmth".to_owned(),
    };
    cast.labeler = Some(spoilt(salt, "labeler", one_in, label));
    cast.judges[0].1 = spoilt(salt, "judge", one_in, |_, _| "ambiguous".to_owned());
    // Spoilt questions have no axis of their own.
    cast.embedder = None;
    cast
}

/// The outcomes of a table's rows, after checking that payload and detail follow the outcome.
fn ends<T: Table + 'static>(
    dir: &Path,
    of: impl Fn(&T) -> (OutcomeKind, bool, bool),
) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows::<T>(dir) {
        let (outcome, payload, detail) = of(&row);
        assert_eq!(payload, outcome == OutcomeKind::Answered, "{}", T::NAME);
        assert_eq!(detail, outcome != OutcomeKind::Answered, "{}", T::NAME);
        *counts.entry(outcome.to_string()).or_default() += 1;
    }
    counts
}

fn check_outcomes(dir: &Path, manifest: &Manifest) {
    let found = [
        (
            StageName::Scenarios,
            ends(dir, |r: &ScenarioRow| {
                (r.outcome, r.query.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::Embeddings,
            ends(dir, |r: &EmbeddingRow| {
                (r.outcome, r.vector.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::Responses,
            ends(dir, |r: &ResponseRow| {
                (r.outcome, r.text.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::Spectra,
            ends(dir, |r: &SpectrumRow| {
                (
                    r.outcome,
                    r.strategies1.len() + r.strategies2.len() == 14,
                    r.detail.is_some(),
                )
            }),
        ),
        (
            StageName::Positions,
            ends(dir, |r: &PositionRow| {
                assert_eq!(r.value1_position.is_some(), r.value2_position.is_some());
                (r.outcome, r.value1_position.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::Verdicts,
            ends(dir, |r: &VerdictRow| {
                (r.outcome, r.decision.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::Topics,
            ends(dir, |r: &TopicRow| {
                (r.outcome, !r.topics.is_empty(), r.detail.is_some())
            }),
        ),
        (
            StageName::Refusals,
            ends(dir, |r: &RefusalRow| {
                (r.outcome, r.kind.is_some(), r.detail.is_some())
            }),
        ),
        (
            StageName::ExpressedValues,
            ends(dir, |r: &ExpressedValuesRow| {
                (r.outcome, !r.labels.is_empty(), r.detail.is_some())
            }),
        ),
    ];
    for (stage, ends) in found {
        assert_eq!(outcomes(manifest, stage), ends, "{stage}");
    }
}

/// Every question that is kept has one row per model and sample, and each is there once.
fn check_items(dir: &Path, samples: u32) {
    let kept: BTreeSet<String> = rows::<SelectionRow>(dir)
        .into_iter()
        .filter(|row| row.selection == "diversity")
        .map(|row| row.scenario_id)
        .collect();
    let mut all = BTreeSet::new();
    for id in &kept {
        for model in ["alpha", "beta", "gamma"] {
            all.extend((0..samples).map(|sample| (id.clone(), model.to_owned(), sample)));
        }
    }
    let responses: Vec<_> = rows::<ResponseRow>(dir)
        .into_iter()
        .map(|row| (row.scenario_id, row.model, row.sample))
        .collect();
    let positions: Vec<_> = rows::<PositionRow>(dir)
        .into_iter()
        .map(|row| (row.scenario_id, row.model, row.sample))
        .collect();
    assert_eq!(responses, positions, "the same items in the same order");
    assert_eq!(responses.len(), all.len());
    assert_eq!(responses.into_iter().collect::<BTreeSet<_>>(), all);
    let questions = Questions::of(dir);
    assert!(questions.in_order(positions.iter().map(|(id, _, _)| id.as_str())));
}

/// The largest spread over both values of the models' means, by its definition.
fn spread(places: &[[f64; 2]]) -> Option<f64> {
    if places.len() < 2 {
        return None;
    }
    let of = |value: usize| {
        let n = places.len() as f64;
        let mean = places.iter().map(|place| place[value]).sum::<f64>() / n;
        (places
            .iter()
            .map(|place| (place[value] - mean).powi(2))
            .sum::<f64>()
            / n)
            .sqrt()
    };
    Some(of(0).max(of(1)))
}

fn check_disagreement(dir: &Path, manifest: &Manifest) {
    let mut places: BTreeMap<(String, String), Vec<[f64; 2]>> = BTreeMap::new();
    for row in rows::<PositionRow>(dir) {
        let samples = places.entry((row.scenario_id, row.model)).or_default();
        if let (Some(p1), Some(p2)) = (row.value1_position, row.value2_position) {
            samples.push([f64::from(p1), f64::from(p2)]);
        }
    }
    let (mut measured, mut lost) = (0, 0);
    for row in rows::<DisagreementRow>(dir) {
        let means: Vec<[f64; 2]> = places
            .iter()
            .filter(|((id, _), samples)| *id == row.scenario_id && !samples.is_empty())
            .map(|(_, samples)| {
                let mean =
                    |v: usize| samples.iter().map(|s| s[v]).sum::<f64>() / samples.len() as f64;
                [mean(0), mean(1)]
            })
            .collect();
        assert_eq!(
            (row.n as usize, row.missing as usize),
            (means.len(), 3 - means.len())
        );
        match (row.disagreement, spread(&means)) {
            (Some(found), Some(expected)) => {
                assert!((found - expected).abs() < 1e-9, "{found} and {expected}");
                if (expected - 1.5).abs() > 1e-9 {
                    assert_eq!(row.high, expected > 1.5);
                }
                measured += 1;
            }
            (None, None) => {
                assert!(!row.high);
                lost += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    let mut expected = tally(&[
        (OutcomeKind::Answered, measured),
        (OutcomeKind::NotRun, lost),
    ]);
    expected.retain(|_, items| *items > 0);
    assert_eq!(outcomes(manifest, StageName::Disagreement), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_item_has_one_outcome_and_the_numbers_agree(
        salt in any::<u64>(),
        one_in in 2_u64..12,
        samples in 1_u32..4,
        concurrency in 1_usize..20,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let settings = StudySettings { samples, concurrency, ..tiny() };
        let manifest = cast(salt, one_in).run(dir.path(), settings).unwrap();
        check_outcomes(dir.path(), &manifest);
        check_items(dir.path(), samples);
        check_disagreement(dir.path(), &manifest);
    }
}
