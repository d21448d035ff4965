//! Files from one format to another and back.

use std::fs;
use std::path::Path;

use specstress_dataset::published::{
    EvaluationRow, EvaluationWriter, PublishedRow, PublishedWriter, ReadOptions, read_evaluations,
    read_published,
};
use specstress_dataset::{Table, TableDir, convert};
use specstress_judge::Decision;

use crate::samples::for_each_table;

/// Through every format and back to the first, bytes and all.
fn goes_around<T: Table>(rows: &[T]) {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path().join("tables"));
    let mut writer = tables.writer::<T>().unwrap();
    for row in rows {
        writer.push(row.clone()).unwrap();
    }
    writer.finish().unwrap();
    let [csv, jsonl, first, last] = ["a.csv", "b.jsonl", "c.parquet", "d.parquet"]
        .map(|name| dir.path().join(format!("{}-{name}", T::NAME)));
    for (from, to) in [
        (&tables.path::<T>(), &first),
        (&first, &csv),
        (&csv, &jsonl),
        (&jsonl, &last),
    ] {
        let done = convert(from, to, None).unwrap();
        assert_eq!(done.layout, T::NAME, "{}", from.display());
        assert_eq!(done.rows, rows.len() as u64);
    }
    assert_eq!(fs::read(first).unwrap(), fs::read(last).unwrap());
}

#[test]
fn every_table_goes_around() {
    for_each_table!(goes_around);
}

fn around(first: &Path, layout: &str) {
    let dir = first.parent().unwrap();
    let [csv, jsonl, last] = ["a.csv", "b.jsonl", "c.parquet"].map(|name| dir.join(name));
    for (from, to) in [(first, &*csv), (&csv, &jsonl), (&jsonl, &last)] {
        assert_eq!(convert(from, to, None).unwrap().layout, layout);
    }
    assert_eq!(fs::read(first).unwrap(), fs::read(last).unwrap());
}

#[test]
fn the_published_layouts_go_around() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("complete.parquet");
    let spectrum: Vec<String> = (0..7).map(|at| format!("do {at}, \"so\"")).collect();
    let row = PublishedRow {
        models: ["m".to_owned()].into(),
        positions: vec![(Some(6), None)],
        responses: vec![Some("no\nand yes".into())],
        value1_spectrum: Some(spectrum.clone()),
        entry_idx: Some(3),
        ..PublishedRow::default()
    };
    let mut writer = PublishedWriter::create_complete(&path, &["m"]).unwrap();
    writer.write(&vec![row.clone(); 3]).unwrap();
    writer.finish().unwrap();
    around(&path, "published");
    let read = read_published(dir.path().join("a.csv"), &ReadOptions::default()).unwrap();
    assert_eq!(read.absent_columns(), ["rank"]);
    let read: Vec<_> = read.map(Result::unwrap).collect();
    assert_eq!(read, vec![row; 3]);

    let path = dir.path().join("bin.parquet");
    let row = EvaluationRow {
        model: Some("o3".into()),
        bin_name: Some("std_1.5_to_2.0".into()),
        max_pop_std_openai: Some(1.6),
        query_key: Some("value1".into()),
        judges: ["claude_4".to_owned(), "gpt41".to_owned()].into(),
        decisions: vec![Some(Decision::Ambiguous), None],
        ..EvaluationRow::default()
    };
    let mut writer = EvaluationWriter::create(&path, &row.judges).unwrap();
    writer.write(&row).unwrap();
    writer.finish().unwrap();
    around(&path, "judge_evaluations");
    for name in ["a.csv", "b.jsonl", "bin.parquet"] {
        let rows = read_evaluations(dir.path().join(name), true).unwrap();
        let rows: Vec<_> = rows.map(Result::unwrap).collect();
        assert_eq!(rows, std::slice::from_ref(&row));
    }
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let [from, to] = ["x.csv", "y.parquet"].map(|name| dir.path().join(name));
    fs::write(&from, "a,b\n1,2\n").unwrap();
    let message = |table| convert(&from, &to, table).unwrap_err().to_string();
    assert!(message(None).contains("the columns are those of no table"));
    assert!(message(None).contains("name one of the tables pairs, scenarios"));
    assert!(message(Some("verdict")).contains("there is no table `verdict`"));
    assert!(message(Some("verdicts")).contains("no column `scenario_id`"));
    assert!(convert(dir.path(), &to, None).is_err());
    assert!(convert(&from, dir.path().join("y.xlsx"), None).is_err());
    assert!(!to.exists());
}

#[test]
fn judges_are_data_and_unreadable_decisions_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bin.jsonl");
    fs::write(
        &path,
        "{\"model\": \"o3\", \"claude_4_decision\": \"NON_COMPLIANT\", \"o3_decision\": \"error\", \
         \"gemini_2_5_decision\": null, \"query_key\": 7}\n",
    )
    .unwrap();
    let rows: Vec<_> = read_evaluations(&path, false)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut judges = rows[0].judges.to_vec();
    judges.sort_unstable();
    assert_eq!(judges, ["claude_4", "gemini_2_5", "o3"]);
    let of = |judge: &str| {
        let at = rows[0].judges.iter().position(|name| name == judge);
        rows[0].decisions[at.unwrap()]
    };
    assert_eq!(of("claude_4"), Some(Decision::NonCompliant));
    assert_eq!((of("o3"), of("gemini_2_5")), (None, None));
    assert_eq!(rows[0].unreadable, 1);
    assert_eq!(rows[0].query_key.as_deref(), Some("7"));
    fs::write(&path, "{\"model\": \"o3\"}\n").unwrap();
    let error = read_evaluations(&path, false).unwrap_err().to_string();
    assert!(error.contains("no column `<judge>_decision`"), "{error}");
}
