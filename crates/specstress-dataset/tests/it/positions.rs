//! Positions read in blocks say what the rows say.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use specstress_dataset::DatasetError;
use specstress_dataset::published::{
    PositionBlock, PositionFiles, PublishedRow, PublishedWriter, ReadOptions, read_published,
};
use specstress_scenarios::Nudge;

fn in_blocks(files: &[PathBuf], threads: usize) -> Result<PositionBlock, DatasetError> {
    let mut all = PositionBlock::default();
    PositionFiles::open(files)?.for_each(threads, |block| {
        all.positions.extend(&block.positions);
        all.nudges.extend(&block.nudges);
        all.chunks.extend(&block.chunks);
        all.entries.extend(&block.entries);
        Ok::<(), DatasetError>(())
    })?;
    Ok(all)
}

fn by_row(files: &[PathBuf]) -> PositionBlock {
    let mut all = PositionBlock::default();
    for file in files {
        for row in read_published(file, &ReadOptions::without_texts()).unwrap() {
            all.push(&row.unwrap());
        }
    }
    all
}

fn rows(count: usize, seed: usize) -> Vec<PublishedRow> {
    let models: Arc<[String]> = ["o3".to_owned(), "gpt_4o".to_owned(), "own".to_owned()].into();
    let position = |at: usize| match (at * 7 + seed) % 9 {
        8 => None,
        place => Some(u8::try_from(place % 7).unwrap()),
    };
    let row = |at: usize| PublishedRow {
        nudge_direction: [
            None,
            Some(Nudge::Neutral),
            Some(Nudge::Value1),
            Some(Nudge::Value2),
        ][(at + seed) % 4],
        models: models.clone(),
        positions: (0..3)
            .map(|model| (position(3 * at + model), position(at + 5 * model)))
            .collect(),
        chunk_index: (!at.is_multiple_of(11)).then_some(7),
        entry_idx: i64::try_from(at / 3).ok(),
        ..PublishedRow::default()
    };
    (0..count).map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn blocks_hold_the_rows_in_their_order(
        counts in prop::collection::vec(0_usize..9_000, 1..4),
        threads in 1_usize..5,
        seed in 0_usize..50,
        csv in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (at, count) in counts.iter().enumerate() {
            let ending = if csv && at == 0 { "csv" } else { "parquet" };
            let path = dir.path().join(format!("{at}.{ending}"));
            let mut writer = PublishedWriter::create(&path, &["o3", "own", "gpt_4o"]).unwrap();
            writer.write(&rows(*count, seed + at)).unwrap();
            writer.finish().unwrap();
            files.push(path);
        }
        let found = in_blocks(&files, threads).unwrap();
        prop_assert_eq!(found.len(), counts.iter().sum::<usize>());
        prop_assert_eq!(found, by_row(&files));
    }
}

#[test]
fn row_groups_of_several_threads_come_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.parquet");
    let mut writer = PublishedWriter::create(&path, &["o3", "gpt_4o", "own"]).unwrap();
    writer.write(&rows(150_000, 1)).unwrap();
    writer.finish().unwrap();
    let wanted = by_row(std::slice::from_ref(&path));
    for threads in [1, 2, 3, 64] {
        assert_eq!(
            in_blocks(std::slice::from_ref(&path), threads).unwrap(),
            wanted,
            "{threads} threads"
        );
    }
}

#[test]
fn the_first_row_at_fault_is_named_with_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.csv");
    let mut text = "m_value1_position,m_value2_position\n".to_owned();
    for row in 0..20_000 {
        text.push_str(if row == 9_000 || row == 19_000 {
            "3,9\n"
        } else {
            "3,4\n"
        });
    }
    fs::write(&path, text).unwrap();
    let wanted = "row 9001 (line 9002), column `m_value2_position`: bad value \"9\"";
    for threads in [1, 4] {
        let error = in_blocks(std::slice::from_ref(&path), threads).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn files_of_other_models_are_refused_and_empty_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two, none] = ["one.csv", "two.csv", "none.jsonl"].map(|name| dir.path().join(name));
    fs::write(&one, "a_value1_position,a_value2_position\n1,2\n").unwrap();
    fs::write(&two, "b_value1_position,b_value2_position\n1,2\n").unwrap();
    fs::write(&none, "").unwrap();
    let error = PositionFiles::open(&[&one, &two]).unwrap_err().to_string();
    assert!(error.contains("two.csv has the models b, the files before it have a"));
    let files = [none.clone(), one.clone(), none];
    assert_eq!(PositionFiles::open(&files).unwrap().models(), ["a"]);
    assert_eq!(in_blocks(&files, 2).unwrap().len(), 1);
}
