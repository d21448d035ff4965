//! A table is there as a whole or not at all.

use std::fs;

use serde::Deserialize;
use specstress_dataset::rows::{OutlierRow, PairRow};
use specstress_dataset::{DatasetError, Source, Table, TableDir};

use crate::samples::{for_each_table, outliers};

fn fill(tables: &TableDir, rows: &[OutlierRow]) {
    let mut writer = tables.writer::<OutlierRow>().unwrap();
    for row in rows {
        writer.push(row.clone()).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), rows.len() as u64);
}

fn read(tables: &TableDir) -> Vec<OutlierRow> {
    tables.rows().unwrap().map(Result::unwrap).collect()
}

fn entries(tables: &TableDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(tables.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn stores_and_reads<T: Table + PartialEq + std::fmt::Debug>(rows: &[T]) {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path().join("deep/tables"));
    let mut writer = tables.writer::<T>().unwrap();
    for row in rows {
        writer.push(row.clone()).unwrap();
    }
    writer.finish().unwrap();
    let stored: Vec<T> = tables.rows::<T>().unwrap().map(Result::unwrap).collect();
    assert_eq!(stored, rows);
    assert_eq!(tables.count::<T>().unwrap(), rows.len() as u64);
    assert_eq!(entries(&tables), [T::NAME]);
    assert!(tables.path::<T>().join("part-00000.parquet").is_file());
}

#[test]
fn every_table_is_stored_under_its_name() {
    for_each_table!(stores_and_reads);
}

#[test]
fn a_missing_table_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    assert!(!tables.exists::<OutlierRow>());
    let path = tables.path::<OutlierRow>();
    let expected = format!(
        "no table `outliers` at {}; run the stage that writes it first",
        path.display()
    );
    assert_eq!(
        tables.rows::<OutlierRow>().err().unwrap().to_string(),
        expected
    );
    assert_eq!(
        tables.count::<OutlierRow>().unwrap_err().to_string(),
        expected
    );
    // A folder without parts is no table either.
    fs::create_dir(path).unwrap();
    assert!(!tables.exists::<OutlierRow>());
    assert!(matches!(
        tables.rows::<OutlierRow>().err().unwrap(),
        DatasetError::MissingTable {
            table: "outliers",
            ..
        }
    ));
}

#[test]
fn a_dropped_writer_leaves_the_old_table() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers()[..3]);
    let mut writer = tables.writer::<OutlierRow>().unwrap();
    writer.push(outliers().remove(9)).unwrap();
    drop(writer);
    assert_eq!(read(&tables), outliers()[..3]);
    assert_eq!(entries(&tables), ["outliers"]);
}

#[test]
fn a_table_is_replaced_and_readers_keep_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers()[..5]);
    let mut rows = tables.rows::<OutlierRow>().unwrap();
    let first = rows.next().unwrap().unwrap();
    fill(&tables, &outliers()[10..12]);
    let rest = rows.map(Result::unwrap);
    assert_eq!(
        [first].into_iter().chain(rest).collect::<Vec<_>>(),
        outliers()[..5]
    );
    assert_eq!(read(&tables), outliers()[10..12]);
}

#[test]
fn leftovers_of_a_killed_writer_go() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers()[..3]);
    for name in [".outliers.partial-1-0", ".outliers.old", ".outliers.ready"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("part-00000.parquet"), "half").unwrap();
    }
    fs::create_dir(dir.path().join(".outliers_of_mine.partial-1-0")).unwrap();
    assert_eq!(read(&tables), outliers()[..3]);
    drop(tables.writer::<OutlierRow>().unwrap());
    assert_eq!(
        entries(&tables),
        [".outliers_of_mine.partial-1-0", "outliers"]
    );
    assert_eq!(read(&tables), outliers()[..3]);
}

/// Killed between the two renames: the old table is out of the way, the new one not yet in place.
#[test]
fn a_writer_killed_between_its_renames_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers()[..3]);
    fs::rename(
        dir.path().join("outliers"),
        dir.path().join(".outliers.ready"),
    )
    .unwrap();
    fs::create_dir(dir.path().join(".outliers.old")).unwrap();
    assert!(tables.exists::<OutlierRow>());
    assert_eq!(read(&tables), outliers()[..3]);
    drop(tables.writer::<OutlierRow>().unwrap());
    assert_eq!(entries(&tables), ["outliers"]);
    assert_eq!(read(&tables), outliers()[..3]);
}

#[test]
fn a_second_writer_ends_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    let first = tables.writer::<OutlierRow>().unwrap();
    let mut second = tables.writer::<OutlierRow>().unwrap();
    assert!(matches!(
        first.finish().unwrap_err(),
        DatasetError::Io { .. }
    ));
    assert!(!tables.exists::<OutlierRow>());
    second.push(outliers().remove(0)).unwrap();
    second.finish().unwrap();
    assert_eq!(read(&tables), outliers()[..1]);
}

#[test]
fn several_parts_are_read_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    let folder = tables.path::<OutlierRow>();
    fill(&tables, &outliers()[..2]);
    fs::rename(folder.join("part-00000.parquet"), dir.path().join("kept")).unwrap();
    fill(&tables, &outliers()[2..5]);
    fs::rename(
        folder.join("part-00000.parquet"),
        folder.join("part-00001.parquet"),
    )
    .unwrap();
    fs::rename(dir.path().join("kept"), folder.join("part-00000.parquet")).unwrap();
    fs::write(folder.join("notes.txt"), "no part").unwrap();
    assert_eq!(read(&tables), outliers()[..5]);
    assert_eq!(tables.count::<OutlierRow>().unwrap(), 5);
}

#[test]
fn rows_may_be_smaller_than_the_table() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Count {
        disagrees_with: u64,
    }
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers());
    let rows = tables.rows_projected::<OutlierRow, Count>().unwrap();
    let sum: u64 = rows.map(|row| row.unwrap().disagrees_with).sum();
    assert_eq!(sum, (0..25).sum::<u64>());
}

#[test]
fn equal_rows_give_equal_bytes_elsewhere() {
    let bytes = || {
        let dir = tempfile::tempdir().unwrap();
        let tables = TableDir::new(dir.path());
        fill(&tables, &outliers());
        fs::read(tables.path::<OutlierRow>().join("part-00000.parquet")).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = TableDir::new(&file).writer::<PairRow>().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot create {}", file.display())
    );
    assert_eq!(error.path(), Some(file.as_path()));
}

#[test]
fn a_table_dir_is_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let tables = TableDir::new(dir.path());
    fill(&tables, &outliers());
    let source: &dyn Source<OutlierRow> = &tables;
    assert_eq!(source.rows().unwrap().count(), 25);
}
