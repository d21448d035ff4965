//! Calls in batches: the same study, whatever happens to the batches.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::{Either, select};
use specstress_dataset::rows::ResponseRow;
use specstress_llm::{BatchState, LlmErrorKind, OutcomeKind};
use specstress_pipeline::{
    BatchRetry, BatchSettings, Observer, PipelineError, RunDir, RunOptions, SqliteStore, Study,
};

use crate::batch_fakes::{Office, Trouble, batches, settings};
use crate::cast::{Cast, count, tiny};
use crate::look::{rows, table_files};

fn options(cast: &Cast, office: &Arc<Office>, settings: BatchSettings) -> RunOptions {
    RunOptions {
        batches: Some(batches(cast, office, settings)),
        ..RunOptions::default()
    }
}

fn run(
    dir: &Path,
    office: &Arc<Office>,
    settings: BatchSettings,
) -> (Result<(), PipelineError>, BTreeMap<String, usize>) {
    let cast = Cast::tiny();
    let run = RunDir::open_with(dir, options(&cast, office, settings)).unwrap();
    let result = cast.run_in(&run, tiny()).map(drop);
    (result, cast.calls())
}

/// The tables of the study when every call is live.
fn live() -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    Cast::tiny().run(dir.path(), tiny()).unwrap();
    table_files(dir.path())
}

/// Runs the study in batches with some trouble; it must come out as the live one, with nothing answered twice.
fn comes_out_the_same(trouble: Trouble) -> Arc<Office> {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(trouble);
    let (result, calls) = run(dir.path(), &office, settings());
    result.unwrap();
    assert!(table_files(dir.path()) == live());
    assert_eq!(office.most_answers(), 1);
    if office.trouble.lock().unwrap().first_try.is_none() {
        assert_eq!(office.twins(), 0);
    }
    // Embeddings have no batches here; everything else was answered in one.
    let chats: usize = calls
        .iter()
        .filter(|(role, _)| *role != "embedder")
        .map(|c| c.1)
        .sum();
    assert_eq!(chats, office.answered.lock().unwrap().len());
    let batches = SqliteStore::batches(&RunDir::calls_path(dir.path())).unwrap();
    assert!(batches.iter().all(|batch| !batch.open));
    office
}

#[test]
fn a_study_in_batches_is_the_live_study() {
    let office = comes_out_the_same(Trouble::default());
    // Four to a batch: nine answers of a model are three batches.
    assert!(office.created() > 20);
    assert!(
        office
            .fetched
            .lock()
            .unwrap()
            .values()
            .all(|times| *times == 1)
    );
}

#[test]
fn what_fails_in_a_batch_is_sent_again() {
    for kind in [LlmErrorKind::Unavailable, LlmErrorKind::Expired] {
        comes_out_the_same(Trouble {
            first_try: Some(kind),
            ..Trouble::default()
        });
    }
}

#[test]
fn lost_answers_of_the_service_lose_and_double_nothing() {
    comes_out_the_same(Trouble {
        silent_creations: 5,
        failed_creations: 3,
        deaf_polls: 7,
        looks: 2,
        ..Trouble::default()
    });
    comes_out_the_same(Trouble {
        silent_creations: 5,
        failed_creations: 3,
        untagged: true,
        ..Trouble::default()
    });
}

#[test]
fn nothing_is_sent_again_before_a_list_or_a_deadline_says_so() {
    comes_out_the_same(Trouble {
        silent_creations: 3,
        deaf_lists: 40,
        ..Trouble::default()
    });
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble {
        wrong_key: true,
        ..Trouble::default()
    });
    let error = run(dir.path(), &office, settings()).0.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("does not know batch batch-0"), "{cause}");
    office.trouble.lock().unwrap().wrong_key = false;
    run(dir.path(), &office, settings()).0.unwrap();
    assert!(table_files(dir.path()) == live());
    assert_eq!((office.most_answers(), office.twins()), (1, 0));
}

#[test]
fn batches_that_end_early_keep_what_they_have() {
    for state in [
        BatchState::Expired,
        BatchState::Cancelled,
        BatchState::Ended,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let office = Office::with(Trouble {
            half: Some(state),
            ..Trouble::default()
        });
        let patient = BatchSettings {
            tries: 10,
            ..settings()
        };
        run(dir.path(), &office, patient).0.unwrap();
        assert!(table_files(dir.path()) == live());
        assert_eq!(office.most_answers(), 1);
    }
}

#[test]
fn a_full_queue_is_waited_for_and_other_refusals_count_as_tries() {
    comes_out_the_same(Trouble {
        refusals: vec![LlmErrorKind::RateLimited; 6],
        ..Trouble::default()
    });
    comes_out_the_same(Trouble {
        refusals: vec![LlmErrorKind::Unavailable; 2],
        ..Trouble::default()
    });
}

#[test]
fn what_never_succeeds_is_a_failure_of_its_item_and_made_again_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble {
        hopeless: Some("patience or accuracy? patience!"),
        ..Trouble::default()
    });
    run(dir.path(), &office, settings()).0.unwrap();
    let failed = rows::<ResponseRow>(dir.path())
        .into_iter()
        .filter(|row| row.outcome == OutcomeKind::Failed)
        .count();
    assert_eq!(failed, 3);
    office.trouble.lock().unwrap().hopeless = None;
    run(dir.path(), &office, settings()).0.unwrap();
    assert!(table_files(dir.path()) == live());
    assert_eq!(office.most_answers(), 1);
}

#[test]
fn failures_and_remainders_go_live_where_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble {
        first_try: Some(LlmErrorKind::Unavailable),
        ..Trouble::default()
    });
    let to_live = BatchSettings {
        retry: BatchRetry::Live,
        ..settings()
    };
    let (result, calls) = run(dir.path(), &office, to_live);
    result.unwrap();
    assert!(table_files(dir.path()) == live());
    assert!(office.answered.lock().unwrap().is_empty());
    assert_eq!(calls["alpha"], 9);

    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble::default());
    let large_only = BatchSettings {
        min_requests: 100,
        ..settings()
    };
    run(dir.path(), &office, large_only).0.unwrap();
    assert!(table_files(dir.path()) == live());
    assert_eq!(office.created(), 0);
}

#[test]
fn rules_say_which_calls_go_into_batches() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble::default());
    let verdicts = BatchSettings {
        batch: vec!["verdicts".parse().unwrap()],
        ..settings()
    };
    run(dir.path(), &office, verdicts).0.unwrap();
    let verdicts = Cast::tiny_calls()["themis"];
    assert_eq!(office.answered.lock().unwrap().len(), verdicts);
    assert!(table_files(dir.path()) == live());
}

/// Stops the run when the n-th batch is created.
struct StopAt<'a>(&'a RunDir, std::sync::atomic::AtomicUsize);

impl Observer for StopAt<'_> {
    fn batch(&self, batch: &specstress_pipeline::BatchRecord) {
        if batch.open && self.1.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            self.0.stop_signal().stop();
        }
    }
}

#[test]
fn a_stopped_run_takes_up_its_batches_again() {
    for at in [1, 2, 5, 9, 14, 30] {
        let dir = tempfile::tempdir().unwrap();
        let office = Office::with(Trouble {
            looks: 1,
            ..Trouble::default()
        });
        {
            let cast = Cast::tiny();
            let run = RunDir::open_with(dir.path(), options(&cast, &office, settings())).unwrap();
            let study = Study::new(tiny(), cast.parts(&run.recorder())).unwrap();
            let stop = StopAt(&run, at.into());
            let error = block_on(study.run(&run, &stop)).unwrap_err();
            assert!(matches!(error, PipelineError::Stopped { .. }), "{error}");
        }
        run(dir.path(), &office, settings()).0.unwrap();
        assert!(table_files(dir.path()) == live());
        assert_eq!((office.most_answers(), office.twins()), (1, 0));
    }
}

/// Kills the run between the creation of a batch and its record, by dropping it there.
fn killed_in_creation(untagged: bool, strangers: bool) {
    for at in [0, 1, 3, 6, 10] {
        let dir = tempfile::tempdir().unwrap();
        let office = Office::with(Trouble {
            untagged,
            ..Trouble::default()
        });
        {
            let cast = Cast::tiny();
            let run = RunDir::open_with(dir.path(), options(&cast, &office, settings())).unwrap();
            let study = Study::new(tiny(), cast.parts(&run.recorder())).unwrap();
            let (kill, killed) = futures::channel::oneshot::channel::<()>();
            let observer = Armed {
                office: Arc::clone(&office),
                left: std::sync::atomic::AtomicUsize::new(at),
                kill: std::sync::Mutex::new(Some(kill)),
            };
            observer.arm_if_due();
            let study_run = Box::pin(study.run(&run, &observer));
            match block_on(select(study_run, killed)) {
                Either::Left((result, _)) => panic!("not killed: {result:?}"),
                Either::Right(_) => {}
            }
        }
        if strangers {
            for size in 1..=4 {
                office.add_stranger(&format!("a-stranger-{size}"), size);
            }
        }
        run(dir.path(), &office, settings()).0.unwrap();
        let (found, wanted) = (table_files(dir.path()), live());
        let differ: Vec<&String> = found
            .keys()
            .filter(|name| found.get(*name) != wanted.get(*name))
            .collect();
        let ledger = || SqliteStore::batches(&RunDir::calls_path(dir.path())).unwrap();
        assert!(differ.is_empty(), "{at}: {differ:?} {:#?}", ledger());
        assert_eq!(
            (office.most_answers(), office.twins()),
            (1, 0),
            "{at} {:#?}",
            ledger()
        );
    }
}

/// Arms the office's hook once enough batches are there.
struct Armed {
    office: Arc<Office>,
    left: std::sync::atomic::AtomicUsize,
    kill: std::sync::Mutex<Option<futures::channel::oneshot::Sender<()>>>,
}

impl Armed {
    fn arm_if_due(&self) {
        if self.left.load(std::sync::atomic::Ordering::SeqCst) == 0
            && let Some(kill) = self.kill.lock().unwrap().take()
        {
            let mut kill = Some(kill);
            *self.office.on_create.lock().unwrap() = Some(Box::new(move || {
                let _ = kill.take().map(|kill| kill.send(()));
            }));
        }
    }
}

impl Observer for Armed {
    fn batch(&self, batch: &specstress_pipeline::BatchRecord) {
        if batch.open && batch.polled_at.is_none() {
            let left = &self.left;
            let _ = left.fetch_update(
                std::sync::atomic::Ordering::SeqCst,
                std::sync::atomic::Ordering::SeqCst,
                |left| left.checked_sub(1),
            );
            self.arm_if_due();
        }
    }
}

#[test]
fn a_batch_created_but_not_recorded_is_found_by_its_tag() {
    killed_in_creation(false, false);
}

#[test]
fn a_batch_without_a_tag_is_known_by_its_results() {
    killed_in_creation(true, false);
    killed_in_creation(true, true);
}

#[test]
fn open_batches_that_nobody_can_ask_for_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::with(Trouble {
        looks: 5,
        ..Trouble::default()
    });
    {
        let cast = Cast::tiny();
        let run = RunDir::open_with(dir.path(), options(&cast, &office, settings())).unwrap();
        let study = Study::new(tiny(), cast.parts(&run.recorder())).unwrap();
        let stop = StopAt(&run, 1.into());
        block_on(study.run(&run, &stop)).unwrap_err();
    }
    let error = Cast::tiny().run(dir.path(), tiny()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("batches of fake/author are open"),
        "{error}"
    );
    assert_eq!(count(&[]), BTreeMap::new());
}
