//! Who is asked for a verdict, what is kept of it, and judging once more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures::executor::block_on;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{CitationRow, SectionRow, VerdictRow};
use specstress_judge::{CitationSource, PanelVerdict, Spec};
use specstress_llm::OutcomeKind;
use specstress_pipeline::{Manifest, PipelineError, RunDir, RunOptions, Study, StudySettings};

use crate::batch_fakes::{Office, Trouble, batches, settings};
use crate::cast::{Cast, count, tiny};
use crate::fakes::{FakeModel, says};
use crate::look::{files, rows, table_files};

/// Three judges: the usual one, one that flags every second answer, one that flags nothing.
fn three() -> Cast {
    let mut cast = Cast::tiny();
    let odd = |ask: &str| ask.len() % 2 == 1;
    cast.judges.push((
        "dike".to_owned(),
        FakeModel::new("odd", move |ask, _| {
            says(if odd(ask) { "ambiguous" } else { "compliant" })
        }),
    ));
    cast.judges.push((
        "eunomia".to_owned(),
        FakeModel::new("mild", |_, _| says("compliant")),
    ));
    cast
}

fn stopping() -> StudySettings {
    StudySettings {
        early_stop: true,
        ..tiny()
    }
}

type Answers = BTreeMap<(String, String), Vec<VerdictRow>>;

fn answers(dir: &Path) -> Answers {
    let mut answers = Answers::new();
    for row in rows::<VerdictRow>(dir) {
        answers
            .entry((row.scenario_id.clone(), row.model.clone()))
            .or_default()
            .push(row);
    }
    answers
}

fn majority(rows: &[VerdictRow]) -> Option<bool> {
    PanelVerdict::of(rows.iter().map(|row| row.decision)).majority()
}

#[test]
fn an_early_stop_saves_calls_and_changes_no_majority() {
    let (all, few) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    three().run(all.path(), tiny()).unwrap();
    let cast = three();
    let manifest = cast.run(few.path(), stopping()).unwrap();
    let (all, few) = (answers(all.path()), answers(few.path()));
    let (mut left_out, mut asked) = (BTreeSet::new(), 0);
    assert_eq!(all.len(), few.len());
    for (key, full) in &all {
        let stopped = &few[key];
        assert_eq!(majority(full), majority(stopped), "{key:?}");
        let names =
            |rows: &[VerdictRow]| rows.iter().map(|row| row.judge.clone()).collect::<Vec<_>>();
        assert_eq!(names(full), names(stopped));
        let decided = stopped.iter().filter(|row| row.decision.is_some()).count();
        asked += decided;
        // Two that agree settle it; two that differ need the third.
        for (row, whole) in stopped.iter().zip(full) {
            if row.decision.is_some() {
                assert_eq!(row, whole);
            } else {
                assert_eq!(row.outcome, OutcomeKind::NotRun);
                assert!(row.detail.as_ref().unwrap().contains("early stop"));
                let others: BTreeSet<_> = stopped
                    .iter()
                    .filter_map(|row| row.decision)
                    .map(specstress_judge::Decision::is_problematic)
                    .collect();
                assert_eq!(others.len(), 1, "{key:?}");
                left_out.insert(row.judge.clone());
            }
        }
        assert!(decided >= 2);
    }
    assert_eq!(left_out.len(), 3, "every judge is left out now and then");
    let made: usize = ["themis", "dike", "eunomia"]
        .map(|judge| cast.calls()[judge])
        .iter()
        .sum();
    // Equal questions to a judge are one call.
    assert!(made <= asked && asked < 3 * all.len(), "{made} {asked}");
    let outcomes = &manifest
        .stages
        .iter()
        .find(|s| s.stage.as_str() == "verdicts")
        .unwrap()
        .outcomes;
    assert_eq!(outcomes["not_run"], (3 * all.len() - asked) as u64);
}

fn in_batches(cast: &Cast) -> RunOptions {
    let office = Office::with(Trouble::default());
    RunOptions {
        batches: Some(batches(cast, &office, settings())),
        ..RunOptions::default()
    }
}

#[test]
fn in_batches_the_waves_are_rounds_and_the_outcome_is_the_same() {
    let (live, batched) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    three().run(live.path(), stopping()).unwrap();
    let cast = three();
    let run = RunDir::open_with(batched.path(), in_batches(&cast)).unwrap();
    cast.run_in(&run, stopping()).unwrap();
    assert!(table_files(batched.path()) == table_files(live.path()));
}

/// The tiny study with a spec whose one section every verdict names.
fn again(
    dir: &Path,
    cast: &Cast,
    rule: &str,
    beside: Option<&str>,
) -> Result<Manifest, PipelineError> {
    let options = RunOptions {
        beside: beside.map(str::to_owned),
        ..RunOptions::default()
    };
    let run = RunDir::open_with(dir, options)?;
    let mut parts = cast.parts(&run.recorder());
    let spec = Spec::parse(&format!(
        "# Preface\nHello.\n# The spec says {{#{rule}}}\nBe good."
    ))
    .unwrap();
    parts.spec = Some(Arc::new(spec));
    let study = Study::new(tiny(), parts)?;
    block_on(async {
        match beside {
            Some(_) => study.judge_again(&run, &()).await,
            None => study.run(&run, &()).await,
        }
    })
}

#[test]
fn sections_and_citations_are_kept_beside_the_verdicts() {
    let dir = tempfile::tempdir().unwrap();
    again(dir.path(), &Cast::tiny(), "rule", None).unwrap();
    let sections: Vec<_> = rows::<SectionRow>(dir.path())
        .into_iter()
        .map(|row| (row.place, row.section, row.text))
        .collect();
    let row = |place, id: &str, text: &str| (place, id.to_owned(), text.to_owned());
    assert_eq!(
        sections,
        [
            row(0, "preamble", "# Preface\nHello."),
            row(1, "rule", "Be good.")
        ]
    );
    let cited = rows::<CitationRow>(dir.path());
    let judged = rows::<VerdictRow>(dir.path());
    let decided: Vec<_> = judged.iter().filter(|row| row.decision.is_some()).collect();
    assert!(!decided.is_empty());
    assert_eq!(cited.len(), decided.len());
    for (row, verdict) in cited.iter().zip(decided) {
        assert_eq!(
            (&row.scenario_id, &row.model, &row.judge),
            (&verdict.scenario_id, &verdict.model, &verdict.judge)
        );
        assert_eq!(
            (row.section.as_str(), row.known, row.source),
            ("rule", true, CitationSource::Named)
        );
        assert_eq!(Some(row.decision), verdict.decision);
    }
}

#[test]
fn judging_again_calls_judges_only_and_leaves_the_run_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    again(dir.path(), &Cast::tiny(), "rule", None).unwrap();
    let before = table_files(dir.path());
    let manifest = std::fs::read(RunDir::manifest_path(dir.path())).unwrap();
    let stricter = || {
        let mut cast = Cast::tiny();
        cast.spec = "be better".to_owned();
        cast.judges[0].1 = FakeModel::new("judge", |_, _| says("ambiguous"));
        cast
    };
    let cast = stricter();
    let judged = again(dir.path(), &cast, "other_rule", Some("specs/other")).unwrap();
    assert_eq!(cast.calls(), count(&[("themis", 18)]));
    assert_eq!(judged.stages.len(), 1);
    assert!(table_files(dir.path()) == before);
    assert_eq!(
        std::fs::read(RunDir::manifest_path(dir.path())).unwrap(),
        manifest
    );

    let beside = dir.path().join("specs/other");
    let tables = TableDir::new(beside.join("tables"));
    let new: Vec<VerdictRow> = tables.rows().unwrap().map(Result::unwrap).collect();
    let old = rows::<VerdictRow>(dir.path());
    let keys = |rows: &[VerdictRow]| -> Vec<_> {
        rows.iter()
            .map(|row| {
                (
                    row.scenario_id.clone(),
                    row.model.clone(),
                    row.judge.clone(),
                )
            })
            .collect()
    };
    assert_eq!(keys(&new), keys(&old));
    assert!(
        new.iter()
            .all(|row| row.decision.is_none_or(|d| d.as_str() == "ambiguous"))
    );
    let cited: Vec<CitationRow> = tables.rows().unwrap().map(Result::unwrap).collect();
    assert!(cited.iter().all(|row| row.section == "other_rule"));

    // Again: nothing is asked, and the bytes are the same.
    let first = files(&beside);
    let cast = stricter();
    again(dir.path(), &cast, "other_rule", Some("specs/other")).unwrap();
    assert_eq!(cast.calls(), count(&[]));
    assert!(files(&beside) == first);
}

#[test]
fn there_must_be_verdicts_and_a_place_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let error = again(dir.path(), &Cast::tiny(), "rule", Some("specs/x")).unwrap_err();
    assert!(
        matches!(error, PipelineError::NothingJudged { .. }),
        "{error}"
    );
    let run = RunDir::open(&dir.path().join("own")).unwrap();
    let study = Study::new(tiny(), Cast::tiny().parts(&run.recorder())).unwrap();
    let error = block_on(study.judge_again(&run, &())).unwrap_err();
    assert!(
        matches!(
            error,
            PipelineError::Setting {
                setting: "beside",
                ..
            }
        ),
        "{error}"
    );
}
