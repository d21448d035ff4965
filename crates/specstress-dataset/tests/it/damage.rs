//! Files that are broken, of another table, or of another time.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use serde::{Deserialize, Serialize};
use specstress_dataset::arrow::arrow::array::{
    ArrayRef, DictionaryArray, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StringViewArray,
};
use specstress_dataset::arrow::arrow::datatypes::Int32Type;
use specstress_dataset::rows::{OutlierRow, PairRow, ScenarioRow};
use specstress_dataset::{Column, ColumnType, DatasetError, Format, ParquetSource, Source, Table};

use crate::samples::{outliers, scenarios};

fn write<T: Table>(path: &Path, rows: &[T]) {
    let format = Format::of(path).unwrap();
    let mut sink = format.create::<T>(path).unwrap();
    sink.write(rows).unwrap();
    sink.finish().unwrap();
}

fn read<T: Table>(path: &Path) -> Result<Vec<T>, DatasetError> {
    ParquetSource::<T>::open(path)?.rows()?.collect()
}

fn temporary() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    (dir, path)
}

#[test]
fn a_truncated_file_is_an_error_at_every_length() {
    let (_dir, path) = temporary();
    write(&path, &scenarios());
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = read::<ScenarioRow>(&path).unwrap_err();
        let expected = format!(
            "{} is not a whole Parquet file; write or fetch it again",
            path.display()
        );
        assert_eq!(error.to_string(), expected, "{length} bytes");
        assert!(error.source().is_some());
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let (_dir, path) = temporary();
    write(&path, &scenarios());
    let bytes = fs::read(&path).unwrap();
    let mut refused = 0;
    for place in (0..bytes.len()).step_by(3) {
        let mut broken = bytes.clone();
        broken[place] ^= 0x5a;
        fs::write(&path, broken).unwrap();
        refused += u32::from(read::<ScenarioRow>(&path).is_err());
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let (dir, path) = temporary();
    let error = read::<PairRow>(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no file at {}; check the path", path.display())
    );
    let error = read::<PairRow>(dir.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open {}", dir.path().display())
    );
}

#[test]
fn another_table_is_refused() {
    let (_dir, path) = temporary();
    write(&path, &outliers());
    let error = read::<PairRow>(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} holds table `outliers`, not `pairs`; give the file of that table",
            path.display()
        )
    );
}

/// The table of the outliers, two versions on: a column more that may be missing, and one more that may not.
macro_rules! later_outliers {
    ($name:ident, $version:literal, $field:ident: $kind:ty, $column:expr) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        struct $name {
            scenario_id: String,
            $field: $kind,
        }

        impl Table for $name {
            const NAME: &'static str = "outliers";
            const VERSION: u32 = $version;
            const COLUMNS: &'static [Column] =
                &[Column::required("scenario_id", ColumnType::Text), $column];
        }
    };
}

later_outliers!(Second, 2, note: Option<String>, Column::optional("note", ColumnType::Text));
later_outliers!(Third, 3, note: String, Column::required("note", ColumnType::Text));

#[test]
fn a_newer_version_is_refused_and_an_older_one_read() {
    let (_dir, path) = temporary();
    let row = Second {
        scenario_id: "a".into(),
        note: Some("n".into()),
    };
    write(&path, &[row]);
    let error = read::<OutlierRow>(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: table `outliers` has schema version 2, this build reads up to 1; use a newer build",
            path.display()
        )
    );

    write(&path, &outliers()[2..3]);
    let expected = Second {
        scenario_id: "plain".into(),
        note: None,
    };
    assert_eq!(read::<Second>(&path).unwrap(), [expected]);
    assert_eq!(
        read::<Third>(&path).unwrap_err().to_string(),
        format!(
            "{}: no column `note`; the file has scenario_id, model, disagrees_with, others",
            path.display()
        )
    );
}

fn foreign(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

#[test]
fn a_table_made_elsewhere_is_read_by_name() {
    let (_dir, path) = temporary();
    let ids: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    foreign(
        &path,
        vec![
            ("others", numbers(&[11, 11])),
            ("extra", texts(&[None, None])),
            ("disagrees_with", numbers(&[9, 10])),
            ("model", Arc::new(LargeStringArray::from(vec!["m", "n"]))),
            ("scenario_id", Arc::new(ids)),
        ],
    );
    let rows = read::<OutlierRow>(&path).unwrap();
    assert_eq!(rows[1].scenario_id, "b");
    assert_eq!((rows[1].model.as_str(), rows[1].disagrees_with), ("n", 10));

    foreign(
        &path,
        vec![
            ("scenario_id", Arc::new(StringViewArray::from(vec!["a"]))),
            ("model", texts(&[Some("m")])),
            ("disagrees_with", numbers(&[-1])),
            ("others", numbers(&[11])),
        ],
    );
    assert_eq!(
        read::<OutlierRow>(&path).unwrap_err().to_string(),
        format!(
            "{}: row 1, column `disagrees_with`: bad value -1; expected u32",
            path.display()
        )
    );
}

#[test]
fn a_null_where_there_must_be_a_value_is_named() {
    let (_dir, path) = temporary();
    foreign(
        &path,
        vec![
            ("scenario_id", texts(&[Some("a"), Some("b"), Some("c")])),
            ("model", texts(&[Some("m"), None, Some("m")])),
            ("disagrees_with", numbers(&[9, 9, 9])),
            ("others", numbers(&[11, 11, 11])),
        ],
    );
    let mut rows = ParquetSource::<OutlierRow>::open(&path)
        .unwrap()
        .rows()
        .unwrap();
    assert_eq!(rows.next().unwrap().unwrap().scenario_id, "a");
    assert_eq!(
        rows.next().unwrap().unwrap_err().to_string(),
        format!(
            "{}: row 2, column `model`: bad value null; expected a string",
            path.display()
        )
    );
    assert!(rows.next().is_none());
}

#[test]
fn a_name_that_is_none_of_the_allowed_is_named() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Loose {
        scenario_id: Option<String>,
        triple_id: String,
        pair: u32,
        value1: String,
        value2: String,
        nudge: String,
        generator: String,
        query: Option<String>,
        outcome: String,
        detail: Option<String>,
    }
    impl Table for Loose {
        const NAME: &'static str = ScenarioRow::NAME;
        const VERSION: u32 = ScenarioRow::VERSION;
        const COLUMNS: &'static [Column] = ScenarioRow::COLUMNS;
    }
    let (_dir, path) = temporary();
    let row = Loose {
        scenario_id: None,
        triple_id: "t".into(),
        pair: 0,
        value1: "a".into(),
        value2: "b".into(),
        nudge: "sideways".into(),
        generator: "g".into(),
        query: None,
        outcome: "answered".into(),
        detail: None,
    };
    write(&path, &[row]);
    assert_eq!(
        read::<ScenarioRow>(&path).unwrap_err().to_string(),
        format!(
            "{}: row 1, column `nudge`: bad value \"sideways\"; expected one of `neutral`, `value1`, `value2`",
            path.display()
        )
    );
}

#[test]
fn rows_that_do_not_fit_their_schema_are_a_mistake_of_the_type() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Mistaken {
        a: String,
    }
    impl Table for Mistaken {
        const NAME: &'static str = "mistaken";
        const VERSION: u32 = 1;
        const COLUMNS: &'static [Column] = &[Column::required("b", ColumnType::Text)];
    }
    let (_dir, path) = temporary();
    let mut sink = Format::Parquet.create::<Mistaken>(&path).unwrap();
    sink.write(&[Mistaken { a: "x".into() }]).unwrap();
    let error = sink.finish().unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows do not fit the schema of table `mistaken`; make the columns match the row type's fields"
    );
    assert!(error.source().is_some());
}

#[test]
fn a_full_disk_is_an_error_of_every_sink() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    for format in [Format::Parquet, Format::Csv, Format::Jsonl] {
        let mut sink = format.create::<ScenarioRow>(full).unwrap();
        let written = sink.write(&scenarios());
        let error = written.and_then(|()| sink.finish().map(drop)).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /dev/full", "{format}");
        let cause = error
            .source()
            .unwrap()
            .downcast_ref::<std::io::Error>()
            .unwrap();
        assert_eq!(cause.kind(), std::io::ErrorKind::StorageFull, "{format}");
    }
}

#[test]
fn a_file_is_replaced_only_when_the_new_one_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["t.parquet", "t.csv", "t.jsonl"] {
        let path = dir.path().join(name);
        fs::write(&path, "old").unwrap();
        let format = Format::of(&path).unwrap();
        let mut sink = format.create::<OutlierRow>(&path).unwrap();
        sink.write(&outliers()).unwrap();
        drop(sink);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}
