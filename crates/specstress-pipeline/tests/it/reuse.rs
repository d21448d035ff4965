//! What was asked before is not asked again, whatever else changes.

use std::collections::BTreeMap;
use std::path::Path;

use specstress_dataset::rows::{PositionRow, ResponseRow, ScenarioRow, VerdictRow};
use specstress_llm::{LlmErrorKind, OutcomeKind};
use specstress_pipeline::{OutlierReading, StdKind, StudySettings};

use crate::cast::{Cast, author, count, panel_model, tiny};
use crate::fakes::{FakeModel, fails, says};
use crate::look::{lines, rows, table_files};

/// The calls of one more run on a directory.
fn calls(dir: &Path, cast: &Cast, settings: StudySettings) -> BTreeMap<String, usize> {
    cast.run(dir, settings).unwrap();
    cast.calls()
}

#[test]
fn a_second_run_asks_nothing_and_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!calls(dir.path(), &Cast::tiny(), tiny()).is_empty());
    let first = table_files(dir.path());
    assert_eq!(calls(dir.path(), &Cast::tiny(), tiny()), count(&[]));
    assert!(table_files(dir.path()) == first);
    // Measuring the same answers another way is free as well.
    let other = StudySettings {
        std: StdKind::Sample,
        threshold: 2.0,
        outliers: OutlierReading::Same,
        ..tiny()
    };
    assert_eq!(calls(dir.path(), &Cast::tiny(), other), count(&[]));
    assert!(table_files(dir.path()) != first);
}

#[test]
fn a_new_panel_model_is_the_only_one_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut cast = Cast::tiny();
    cast.panel.truncate(2);
    cast.labeler = None;
    cast.run(dir.path(), tiny()).unwrap();
    let before = rows::<ResponseRow>(dir.path());

    let mut cast = Cast::tiny();
    cast.labeler = None;
    // Its answers are its own, so that each needs a verdict.
    let gamma = FakeModel::new("gamma", |_, _| says("I stand at 5 5"));
    cast.seat("gamma", gamma);
    assert_eq!(
        calls(dir.path(), &cast, tiny()),
        // All answers to a question are placed together, so the old ones are placed again.
        count(&[("classifier", 9), ("gamma", 9), ("themis", 9)])
    );
    let (new, old): (Vec<_>, Vec<_>) = rows::<ResponseRow>(dir.path())
        .into_iter()
        .partition(|row| row.model == "gamma");
    assert_eq!(old, before);
    assert_eq!(new.len(), 9);
}

#[test]
fn another_spec_is_only_judged_again() {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    let before = table_files(dir.path());
    let mut cast = Cast::tiny();
    cast.spec = "be better".to_owned();
    cast.judges[0].1 = FakeModel::new("judge", |_, _| says("ambiguous"));
    assert_eq!(calls(dir.path(), &cast, tiny()), count(&[("themis", 18)]));
    for (name, bytes) in table_files(dir.path()) {
        let same = bytes == before[&name];
        assert_eq!(same, !name.starts_with("verdicts"), "{name}");
    }
    // The first spec's verdicts are still there.
    assert_eq!(calls(dir.path(), &Cast::tiny(), tiny()), count(&[]));
    assert!(table_files(dir.path()) == before);
}

#[test]
fn another_judge_judges_beside_the_first() {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    let mut cast = Cast::tiny();
    cast.judges.push((
        "dike".to_owned(),
        FakeModel::new("other judge", |_, _| says("compliant")),
    ));
    assert_eq!(calls(dir.path(), &cast, tiny()), count(&[("dike", 18)]));
    let judges = lines(dir.path(), |row: &VerdictRow| row.judge.clone());
    assert_eq!(judges.len(), 54);
    assert!(judges.chunks(2).all(|two| two == ["themis", "dike"]));
}

#[test]
fn more_pairs_ask_for_the_new_ones_only_and_keep_their_authors() {
    let dir = tempfile::tempdir().unwrap();
    let cast = || {
        let mut cast = Cast::tiny();
        cast.authors = ["a", "b", "c", "d"].map(author).to_vec();
        cast
    };
    let generators = || lines(dir.path(), |row: &ScenarioRow| row.generator.clone());
    cast()
        .run(dir.path(), StudySettings { pairs: 2, ..tiny() })
        .unwrap();
    let before = generators();
    let asked = calls(dir.path(), &cast(), tiny());
    assert_eq!(asked["author"], 3);
    assert_eq!(
        (asked["alpha"], asked["rubric"], asked["classifier"]),
        (3, 1, 3)
    );
    assert_eq!(generators()[..6], before);
    // One pair keeps one author for all its questions.
    assert!(
        generators()
            .chunks(3)
            .all(|pair| pair[0] == pair[1] && pair[1] == pair[2])
    );
}

#[test]
fn failed_calls_are_made_again_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let query = "patience or accuracy?";
    let mut cast = Cast::tiny();
    cast.seat(
        "beta",
        FakeModel::new("beta", move |ask, _| {
            if ask == query {
                return fails(LlmErrorKind::Unavailable, "overloaded");
            }
            says("I stand at 2 2")
        }),
    );
    cast.run(dir.path(), tiny()).unwrap();
    let ends = || {
        let mut ends = lines(dir.path(), |row: &ResponseRow| row.outcome.to_string());
        ends.retain(|end| end != "answered");
        ends
    };
    assert_eq!(ends(), ["failed"]);

    let mut cast = Cast::tiny();
    cast.seat(
        "beta",
        FakeModel::new("beta", |_, _| says("I stand at 2 2")),
    );
    let asked = calls(dir.path(), &cast, tiny());
    assert_eq!(ends(), [""; 0]);
    assert_eq!(
        (asked["beta"], asked["classifier"], asked["themis"]),
        (1, 1, 1)
    );
    assert!(!asked.contains_key("alpha") && !asked.contains_key("author"));
    // The result is that of a run in which nothing failed.
    let clean = tempfile::tempdir().unwrap();
    cast.run(clean.path(), tiny()).unwrap();
    assert!(table_files(clean.path()) == table_files(dir.path()));
}

#[test]
fn equal_questions_are_asked_once_and_stay_apart_in_the_tables() {
    let mut cast = Cast::tiny();
    cast.embedder = None;
    cast.authors = vec![FakeModel::new("author", |ask, _| {
        // A nudge that changes nothing.
        says(ask.rsplit('|').next().unwrap())
    })];
    let dir = tempfile::tempdir().unwrap();
    let asked = calls(dir.path(), &cast, tiny());
    assert_eq!((asked["alpha"], asked["classifier"]), (3, 3));
    assert_eq!(rows::<PositionRow>(dir.path()).len(), 27);
    let ids: std::collections::BTreeSet<_> = lines(dir.path(), |row: &ScenarioRow| {
        row.scenario_id.clone().unwrap()
    })
    .into_iter()
    .collect();
    assert_eq!(ids.len(), 9);
}

#[test]
fn further_samples_ask_for_the_new_ones_only() {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    let mut cast = Cast::tiny();
    cast.labeler = None;
    cast.seat("alpha", panel_model("alpha", 1));
    let asked = calls(
        dir.path(),
        &cast,
        StudySettings {
            samples: 2,
            ..tiny()
        },
    );
    assert_eq!((asked["alpha"], asked["beta"], asked["gamma"]), (9, 9, 9));
    let answered = rows::<ResponseRow>(dir.path());
    assert_eq!(answered.len(), 54);
    assert!(
        answered
            .iter()
            .all(|row| row.outcome == OutcomeKind::Answered)
    );
    assert!((0..54).eq(answered.iter().enumerate().map(|(at, row)| {
        assert_eq!(row.sample as usize, at % 2);
        at
    })));
}
