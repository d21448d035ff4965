//! Runs that end early: what is stored stays, nothing more is asked, and going on gives the same study.

use std::error::Error;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use specstress_llm::{LlmErrorKind, OutcomeKind};
use specstress_pipeline::{
    Manifest, Observer, PipelineError, RunDir, SqliteStore, StageName, Study, StudySettings,
};

use crate::cast::{Cast, place_answers, stance, tiny};
use crate::fakes::{FakeModel, fails, says};
use crate::look::table_files;

fn stored(dir: &std::path::Path) -> u64 {
    let summary = SqliteStore::summary(&RunDir::calls_path(dir)).unwrap();
    summary.iter().map(|model| model.calls).sum()
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let whole = tempfile::tempdir().unwrap();
    Cast::tiny().run(whole.path(), tiny()).unwrap();
    for concurrency in [1, 4, 8] {
        let dir = tempfile::tempdir().unwrap();
        let settings = StudySettings {
            concurrency,
            ..tiny()
        };
        let run = RunDir::open(dir.path()).unwrap();
        let mut first = Cast::tiny();
        let (stop, asked) = (run.stop_signal().clone(), AtomicUsize::new(0));
        first.seat(
            "alpha",
            FakeModel::new("alpha", move |query, _| {
                if asked.fetch_add(1, Ordering::SeqCst) == 3 {
                    stop.stop();
                }
                says(stance(0, query))
            }),
        );
        let error = first.run_in(&run, settings.clone()).unwrap_err();
        assert!(matches!(
            error,
            PipelineError::Stopped { stage: "responses" }
        ));
        assert_eq!(
            error.to_string(),
            "the run was stopped in stage responses; run the same command again to go on"
        );
        drop(run);
        // Every call that was made is stored, the one that was under way included.
        let calls = first.calls();
        assert_eq!(calls.values().sum::<usize>() as u64, stored(dir.path()));
        assert!(calls["alpha"] >= 4 && !calls.contains_key("classifier"));
        let manifest = Manifest::read(&RunDir::manifest_path(dir.path()))
            .unwrap()
            .unwrap();
        assert_eq!(manifest.stages.len(), 4, "the stages before are done");

        let second = Cast::tiny();
        second.run(dir.path(), settings).unwrap();
        assert_eq!(
            calls["alpha"] + second.calls().get("alpha").copied().unwrap_or(0),
            9
        );
        assert!(!second.calls().contains_key("author"));
        assert!(
            table_files(dir.path()) == table_files(whole.path()),
            "{concurrency}"
        );
    }
}

#[test]
fn a_run_stopped_before_it_starts_asks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    run.stop_signal().stop();
    let cast = Cast::tiny();
    let error = cast.run_in(&run, tiny()).unwrap_err();
    assert!(matches!(
        error,
        PipelineError::Stopped { stage: "scenarios" }
    ));
    assert!(cast.calls().is_empty());
    drop(run);
    // With everything in the store a stopped run still comes to its end: it needs no call.
    cast.run(dir.path(), tiny()).unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    run.stop_signal().stop();
    Cast::tiny().run_in(&run, tiny()).unwrap();
}

#[test]
fn a_wrong_key_stops_the_run_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let mut cast = Cast::tiny();
    let asked = AtomicUsize::new(0);
    cast.seat(
        "beta",
        FakeModel::new("beta", move |query, _| {
            if asked.fetch_add(1, Ordering::SeqCst) == 2 {
                return fails(LlmErrorKind::Unauthorized, "fake: the key is not valid");
            }
            says(stance(1, query))
        }),
    );
    let settings = StudySettings {
        concurrency: 1,
        ..tiny()
    };
    let error = cast.run_in(&run, settings).unwrap_err();
    assert!(matches!(
        error,
        PipelineError::Fatal {
            stage: "responses",
            ..
        }
    ));
    assert!(
        error
            .to_string()
            .starts_with("stage responses: every further call would fail")
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "fake: the key is not valid"
    );
    assert!(run.stop_signal().is_stopped());
    let calls = cast.calls();
    assert_eq!((calls["alpha"], calls["beta"], calls["gamma"]), (3, 3, 2));
    assert!(!calls.contains_key("rubric"));
    drop(run);
    // With the right key only what is missing is asked.
    let again = Cast::tiny();
    again.run(dir.path(), tiny()).unwrap();
    let calls = again.calls();
    assert_eq!((calls["alpha"], calls["beta"], calls["gamma"]), (6, 7, 7));
}

#[test]
fn the_first_fatal_error_lets_what_is_in_flight_end_and_nothing_more_begin() {
    for (role, stage) in [
        ("author", "scenarios"),
        ("classifier", "positions"),
        ("judge", "verdicts"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut cast = Cast::tiny();
        let broke = |name: &str| {
            FakeModel::new(name, |_, _| {
                fails(LlmErrorKind::QuotaExhausted, "out of credit")
            })
        };
        match role {
            "author" => cast.authors = vec![broke(role)],
            "classifier" => cast.classifier = broke(role),
            _ => cast.judges[0].1 = broke(role),
        }
        let settings = StudySettings {
            concurrency: 2,
            ..tiny()
        };
        let error = cast.run(dir.path(), settings).unwrap_err();
        assert!(
            matches!(error, PipelineError::Fatal { stage: at, .. } if at == stage),
            "{error}"
        );
        let role = if role == "judge" { "themis" } else { role };
        assert!((1..=2).contains(&cast.calls()[role]), "{:?}", cast.calls());
    }
}

/// Writes down what it hears.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn started(&self, stage: StageName, items: Option<u64>) {
        self.0.lock().unwrap().push(format!("{stage} {items:?}"));
    }

    fn ended(&self, stage: StageName, outcome: OutcomeKind, items: u64) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{stage} {outcome} {items}"));
    }

    fn finished(&self, stage: StageName) {
        self.0.lock().unwrap().push(format!("{stage} done"));
    }
}

#[test]
fn an_observer_hears_every_item_of_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::open(dir.path()).unwrap();
    let mut cast = Cast::tiny();
    cast.classifier = FakeModel::new("classifier", |ask, _| {
        says(if ask.contains("thrift!") {
            "none".to_owned()
        } else {
            place_answers(ask)
        })
    });
    let study = Study::new(tiny(), cast.parts(&run.recorder())).unwrap();
    let log = Arc::new(Log::default());
    let manifest = futures::executor::block_on(study.run(&run, &*log)).unwrap();
    let heard = log.0.lock().unwrap();
    for record in &manifest.stages {
        let of = |end: &str| {
            let start = format!("{} {end}", record.stage);
            heard
                .iter()
                .filter(move |line| line.starts_with(&start))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("done").len(), 1, "{}", record.stage);
        assert_eq!(of("Some").len() + of("None").len(), 1, "{}", record.stage);
        for (outcome, items) in &record.outcomes {
            let counted: u64 = of(&format!("{outcome} "))
                .iter()
                .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
                .sum();
            assert_eq!(counted, *items, "{} {outcome}", record.stage);
        }
    }
    let announced = heard.iter().find(|line| line.starts_with("positions Some"));
    assert_eq!(announced.unwrap(), "positions Some(27)");
    let ended: u64 = manifest.stages[6].outcomes.values().sum();
    assert_eq!(ended, 27);
    assert_eq!(manifest.stages[6].outcomes["unparsable"], 3);
}
