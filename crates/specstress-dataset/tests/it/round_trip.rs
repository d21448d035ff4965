//! What is written is read back, bit for bit, through every format.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use parquet::file::metadata::RowGroupMetaData;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde::Deserialize;
use specstress_dataset::arrow::{from_batch, to_batch};
use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, PositionRow, ResponseRow, SelectionRow, SpectrumRow,
};
use specstress_dataset::{Column, ColumnType, Format, ParquetSink, ParquetSource, Sink, Table};
use specstress_llm::OutcomeKind;

use crate::samples::for_each_table;

const FORMATS: [(Format, &str); 3] = [
    (Format::Parquet, "t.parquet"),
    (Format::Csv, "t.csv"),
    (Format::Jsonl, "t.jsonl"),
];

fn write<T: Table>(format: Format, path: &Path, rows: &[T], slice: usize) {
    let mut sink = format.create::<T>(path).unwrap();
    for rows in rows.chunks(slice.max(1)) {
        sink.write(rows).unwrap();
    }
    assert_eq!(sink.finish().unwrap(), rows.len() as u64);
}

fn read<T: Table>(format: Format, path: &Path) -> Vec<T> {
    let rows = format.open::<T>(path).unwrap().rows().unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn same_through_all<T: Table + PartialEq + Debug>(rows: &[T]) {
    let dir = tempfile::tempdir().unwrap();
    for (format, name) in FORMATS {
        let path = dir.path().join(name);
        write(format, &path, rows, rows.len());
        assert_eq!(
            read::<T>(format, &path),
            rows,
            "{} through {format}",
            T::NAME
        );
        let whole = fs::read(&path).unwrap();
        write(format, &path, rows, 1);
        assert!(
            fs::read(&path).unwrap() == whole,
            "{} as {format}: bytes differ",
            T::NAME
        );
    }
    assert_eq!(from_batch::<T>(&to_batch(rows).unwrap()).unwrap(), rows);
}

#[test]
fn every_table_through_every_format() {
    for_each_table!(same_through_all);
}

#[test]
fn no_rows_are_a_table_too() {
    same_through_all::<PositionRow>(&[]);
}

#[test]
fn signs_of_zero_survive() {
    let rows = crate::samples::embeddings();
    let dir = tempfile::tempdir().unwrap();
    for (format, name) in FORMATS {
        let path = dir.path().join(name);
        write(format, &path, &rows, 10);
        let vector = read::<EmbeddingRow>(format, &path)[3]
            .vector
            .clone()
            .unwrap();
        assert!(vector[2].is_sign_negative(), "{format}");
    }
}

/// A table with row groups small enough to have many.
#[derive(Clone, Debug, PartialEq, serde::Serialize, Deserialize)]
struct Tiny {
    n: u32,
}

impl Table for Tiny {
    const NAME: &'static str = "tiny";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column::required("n", ColumnType::UInt32)];
    const ROWS_PER_GROUP: usize = 7;
}

#[test]
fn row_groups_are_bounded_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let rows: Vec<Tiny> = (0..50).map(|n| Tiny { n }).collect();
    write(Format::Parquet, &path, &rows, 13);
    assert_eq!(read::<Tiny>(Format::Parquet, &path), rows);
    let file = fs::File::open(&path).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader);
    let groups: Vec<i64> = metadata
        .row_groups()
        .iter()
        .map(RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(groups, [7, 7, 7, 7, 7, 7, 7, 1]);
    let pairs: Vec<(&str, Option<&str>)> = metadata
        .file_metadata()
        .key_value_metadata()
        .unwrap()
        .iter()
        .map(|pair| (pair.key.as_str(), pair.value.as_deref()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("specstress.table", Some("tiny")),
            ("specstress.schema_version", Some("1")),
        ]
    );
}

#[derive(Debug, Deserialize)]
struct Wrong {
    #[expect(dead_code, reason = "never read")]
    modle: String,
}

#[test]
fn a_smaller_struct_reads_only_its_columns() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Score {
        model: String,
        value2_position: Option<u8>,
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let rows = crate::samples::positions();
    write(Format::Parquet, &path, &rows, 100);
    let source = ParquetSource::<PositionRow>::open(&path).unwrap();
    assert_eq!(source.count(), 25);
    let scores: Vec<Score> = source.project().unwrap().map(Result::unwrap).collect();
    let expected = rows.into_iter().map(|row| Score {
        model: row.model,
        value2_position: row.value2_position,
    });
    assert_eq!(scores, expected.collect::<Vec<_>>());

    let error = source.project::<Wrong>().err().unwrap().to_string();
    let expected = format!(
        "{}: no column `modle`; the file has scenario_id, model, sample, value1_position, value1_confidence, \
         value1_reasoning, value2_position, value2_confidence, value2_reasoning, outcome, detail",
        path.display()
    );
    assert_eq!(error, expected);
}

#[test]
fn numbers_that_are_none_are_refused_by_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = crate::samples::selections();
    rows[4].weight = Some(f64::NAN);
    let mut vectors = crate::samples::embeddings();
    vectors[2].vector = Some(vec![1.0, f32::INFINITY]);
    for (format, name) in FORMATS {
        let path = dir.path().join(name);
        let mut sink = format.create::<SelectionRow>(&path).unwrap();
        sink.write(&rows[..2]).unwrap();
        let error = match sink.write(&rows[2..]) {
            Ok(()) => sink.finish().unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(
            error.to_string(),
            "table `selections`, row 5, column `weight`: NaN cannot be stored; leave a missing number out"
        );
        let mut sink = format.create::<EmbeddingRow>(&path).unwrap();
        let error = match sink.write(&vectors) {
            Ok(()) => sink.finish().unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(
            error.to_string(),
            "table `embeddings`, row 3, column `vector`: inf cannot be stored; leave a missing number out"
        );
        assert!(!path.exists());
    }
}

#[test]
fn a_sink_that_failed_does_not_finish() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let mut sink = Box::new(ParquetSink::<SelectionRow>::create(&path).unwrap());
    let row = SelectionRow {
        selection: "s".into(),
        rank: 0,
        scenario_id: "a".into(),
        weight: Some(f64::NAN),
        radius: None,
    };
    let failed = (0..SelectionRow::ROWS_PER_GROUP).filter(|_| sink.push(row.clone()).is_err());
    assert_eq!(failed.count(), 1);
    assert!(sink.finish().is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

fn outcomes() -> impl Strategy<Value = OutcomeKind> {
    prop::sample::select(OutcomeKind::ALL.to_vec())
}

prop_compose! {
    fn response()(
        scenario_id in any::<String>(),
        sample in any::<u32>(),
        text in option::of(any::<String>()),
        tokens in option::of(any::<u64>()),
        cost in option::of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO),
        outcome in outcomes(),
        detail in option::of("[\"\\\\,\n\r ]*"),
    ) -> ResponseRow {
        ResponseRow {
            scenario_id,
            model: "m".into(),
            sample,
            text,
            answered_by: None,
            input_tokens: tokens,
            output_tokens: None,
            cost_usd: cost,
            request_key: String::new(),
            outcome,
            detail,
        }
    }
}

prop_compose! {
    fn spectrum()(
        value1 in any::<String>(),
        strategies1 in vec(any::<String>(), 0..4),
        strategies2 in vec(any::<String>(), 0..4),
        outcome in outcomes(),
    ) -> SpectrumRow {
        SpectrumRow {
            triple_id: "t".into(),
            value1,
            value2: String::new(),
            strategies1,
            strategies2,
            outcome,
            detail: None,
        }
    }
}

prop_compose! {
    fn embedding()(
        vector in option::of(vec(prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, 0..6)),
    ) -> EmbeddingRow {
        EmbeddingRow {
            scenario_id: "a".into(),
            model: "e".into(),
            vector,
            outcome: OutcomeKind::Answered,
            detail: None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_responses(rows in vec(response(), 0..8)) {
        same_through_all(&rows);
    }

    #[test]
    fn any_spectra(rows in vec(spectrum(), 0..8)) {
        same_through_all(&rows);
    }

    #[test]
    fn any_embeddings(rows in vec(embedding(), 0..8)) {
        same_through_all(&rows);
    }
}

#[test]
fn an_unscored_row_is_null_in_text_formats() {
    let dir = tempfile::tempdir().unwrap();
    let row = DisagreementRow {
        scenario_id: "a".into(),
        subset: "s".into(),
        n: 0,
        missing: 2,
        std_value1: None,
        std_value2: None,
        disagreement: None,
        high: false,
    };
    let csv = dir.path().join("t.csv");
    write(Format::Csv, &csv, std::slice::from_ref(&row), 1);
    assert_eq!(
        fs::read_to_string(csv).unwrap(),
        "scenario_id,subset,n,missing,std_value1,std_value2,disagreement,high\na,s,0,2,,,,false\n"
    );
    let jsonl = dir.path().join("t.jsonl");
    write(Format::Jsonl, &jsonl, &[row], 1);
    assert_eq!(
        fs::read_to_string(jsonl).unwrap(),
        "{\"scenario_id\":\"a\",\"subset\":\"s\",\"n\":0,\"missing\":2,\"std_value1\":null,\"std_value2\":null,\
         \"disagreement\":null,\"high\":false}\n"
    );
}
