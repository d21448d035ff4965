//! Shards of a study, run on their own, are the study.

use std::path::Path;

use futures::executor::block_on;
use specstress_dataset::Table;
use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, ExpressedValuesRow, OutlierRow, PairRow, PositionRow,
    RefusalRow, ResponseRow, ScenarioRow, SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_pipeline::{PipelineError, RunDir, Shard, Study, StudySettings};

use crate::cast::{Cast, count, tiny};
use crate::look::{rows, table_files};

fn settings(shard: Option<Shard>) -> StudySettings {
    StudySettings {
        shard,
        judged_per_bin: Some(1),
        ..tiny()
    }
}

fn run_shard(base: &Path, shard: Shard) -> Result<(), PipelineError> {
    let cast = Cast::tiny();
    let run = RunDir::open(&RunDir::shard_path(base, shard)).unwrap();
    let study = Study::new(settings(Some(shard)), cast.parts(&run.recorder()))
        .unwrap()
        .with_shards_at(base);
    block_on(study.run(&run, &())).map(drop)
}

/// The rows of all shards, one after the other.
fn concatenated<T: Table>(base: &Path, count: usize) -> Vec<T> {
    (1..=count)
        .flat_map(|index| rows::<T>(&RunDir::shard_path(base, Shard { index, count })))
        .collect()
}

#[test]
fn shards_concatenate_to_the_whole_and_join_to_its_bytes() {
    let whole = tempfile::tempdir().unwrap();
    Cast::tiny().run(whole.path(), settings(None)).unwrap();
    for shards in 2..=3 {
        let base = tempfile::tempdir().unwrap();
        let all = || {
            (1..=shards).map(|index| Shard {
                index,
                count: shards,
            })
        };
        // Each goes as far as it can alone; three times all of them are enough for the three stages that look at
        // all questions.
        let mut rounds = 0;
        loop {
            let waiting: Vec<PipelineError> = all()
                .filter_map(|shard| run_shard(base.path(), shard).err())
                .collect();
            for error in &waiting {
                assert!(
                    matches!(error, PipelineError::WaitingForShards { .. }),
                    "{error}"
                );
            }
            rounds += 1;
            if waiting.is_empty() {
                break;
            }
            assert!(rounds < 5, "{waiting:?}");
        }
        macro_rules! same {
            ($($row:ty),+) => {$(
                assert_eq!(concatenated::<$row>(base.path(), shards), rows::<$row>(whole.path()));
            )+};
        }
        same!(
            PairRow,
            ScenarioRow,
            EmbeddingRow,
            ResponseRow,
            SpectrumRow,
            PositionRow,
            DisagreementRow,
            OutlierRow,
            VerdictRow,
            TopicRow,
            RefusalRow,
            ExpressedValuesRow
        );
        // Selections are ranked over all shards: in the order of rank they are the whole's.
        let order = |mut rows: Vec<SelectionRow>| {
            rows.sort_by(|a, b| (&a.selection, a.rank).cmp(&(&b.selection, b.rank)));
            rows
        };
        assert_eq!(
            order(concatenated(base.path(), shards)),
            order(rows(whole.path()))
        );

        let cast = Cast::tiny();
        let run = RunDir::open(base.path()).unwrap();
        for shard in all() {
            let calls = RunDir::calls_path(&RunDir::shard_path(base.path(), shard));
            block_on(run.store().import(&calls)).unwrap();
            // A second time takes nothing and counts nothing.
            assert_eq!(block_on(run.store().import(&calls)).unwrap(), 0);
        }
        cast.run_in(&run, settings(None)).unwrap();
        assert_eq!(cast.calls(), count(&[]));
        assert!(table_files(base.path()) == table_files(whole.path()));
    }
}

#[test]
fn shards_are_numbers_that_make_sense() {
    for wrong in ["", "2", "0/2", "3/2", "a/b", "1/0"] {
        let error = wrong.parse::<Shard>().unwrap_err();
        assert!(error.contains("is not I/N"), "{error}");
    }
    let parsed: Shard = "2/3".parse().unwrap();
    assert_eq!(parsed.to_string(), "2/3");
    let run = tempfile::tempdir().unwrap();
    let run = RunDir::open(run.path()).unwrap();
    let too_many = Shard { index: 1, count: 4 };
    let error = Study::new(
        settings(Some(too_many)),
        Cast::tiny().parts(&run.recorder()),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("setting shard: 1/4 of 3 pairs"),
        "{error}"
    );
}
