//! The stored form does not change unseen.

use std::fmt::{Debug, Write};
use std::fs;
use std::path::PathBuf;

use parquet::file::reader::{FileReader, SerializedFileReader};
use specstress_dataset::arrow::schema;
use specstress_dataset::{Format, Table};

use crate::samples::for_each_table;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(name)
}

fn describe<T: Table>() -> String {
    let mut text = format!("{} version {}\n", T::NAME, T::VERSION);
    for field in schema::<T>().fields() {
        let null = if field.is_nullable() {
            "null"
        } else {
            "not null"
        };
        writeln!(text, "  {}: {} {null}", field.name(), field.data_type()).unwrap();
    }
    text
}

#[test]
fn schemas_are_the_committed_ones() {
    let mut text = String::new();
    let mut add = |part: String| text.push_str(&part);
    macro_rules! add_all {
        ($($row:ident)+) => { $(add(describe::<specstress_dataset::rows::$row>());)+ };
    }
    add_all! {
        PairRow ScenarioRow EmbeddingRow SelectionRow ResponseRow SpectrumRow PositionRow DisagreementRow OutlierRow
        VerdictRow SectionRow CitationRow TopicRow RefusalRow ExpressedValuesRow LabelSampleRow PeopleLabelRow
    }
    let committed = fs::read_to_string(golden("schemas.txt")).unwrap();
    assert_eq!(
        text, committed,
        "a schema changed: raise the table's VERSION, then put the new text into golden/schemas.txt"
    );
}

fn reads_golden_file<T: Table + PartialEq + Debug>(rows: &[T]) {
    let path = golden("v1").join(format!("{}.parquet", T::NAME));
    let source = Format::Parquet.open::<T>(&path).unwrap();
    let stored: Vec<T> = source.rows().unwrap().map(Result::unwrap).collect();
    assert_eq!(stored, rows[..5], "golden/v1/{}.parquet", T::NAME);
}

/// Files of version 1, written by the first build with `examples/golden_files.rs`, stay readable for good.
#[test]
fn files_of_version_1_stay_readable() {
    for_each_table!(reads_golden_file);
}

#[test]
fn the_parquet_schema_needs_no_arrow_to_be_understood() {
    let path = golden("v1/spectra.parquet");
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let mut text = Vec::new();
    let schema = reader.metadata().file_metadata().schema();
    parquet::schema::printer::print_schema(&mut text, schema);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "message arrow_schema {
  REQUIRED BYTE_ARRAY triple_id (STRING);
  REQUIRED BYTE_ARRAY value1 (STRING);
  REQUIRED BYTE_ARRAY value2 (STRING);
  REQUIRED group strategies1 (LIST) {
    REPEATED group list {
      REQUIRED BYTE_ARRAY element (STRING);
    }
  }
  REQUIRED group strategies2 (LIST) {
    REPEATED group list {
      REQUIRED BYTE_ARRAY element (STRING);
    }
  }
  REQUIRED BYTE_ARRAY outcome (STRING);
  OPTIONAL BYTE_ARRAY detail (STRING);
}
"
    );
}
