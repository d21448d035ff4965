//! CSV and JSONL that cannot be read, with the exact words.

use std::error::Error as _;
use std::fs;

use specstress_dataset::rows::{PositionRow, SelectionRow, TopicRow};
use specstress_dataset::{DatasetError, Format, Table};

fn read<T: Table>(name: &str, text: impl AsRef<[u8]>) -> Result<Vec<T>, DatasetError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    Format::of(&path)?.open::<T>(&path)?.rows()?.collect()
}

/// The message without the folder.
fn message<T: Table + std::fmt::Debug>(name: &str, text: impl AsRef<[u8]>) -> String {
    let error = read::<T>(name, text).unwrap_err();
    let message = error.to_string();
    let start = message.find(name).unwrap();
    message[start..].to_owned()
}

const HEADER: &str = "selection,rank,scenario_id,weight,radius\n";

#[test]
fn csv_columns() {
    assert_eq!(
        message::<SelectionRow>("s.csv", "selection,rnak,scenario_id,weight\n"),
        "s.csv: no column `rank`; the file has selection, rnak, scenario_id, weight"
    );
    assert_eq!(
        message::<SelectionRow>("s.csv", ""),
        "s.csv: no column `selection`; the file has no columns"
    );
    assert_eq!(
        message::<SelectionRow>("s.csv", "selection,rank,rank,scenario_id,weight\n"),
        "s.csv: column `rank` is there more than once; rename or remove one"
    );
}

#[test]
fn csv_values() {
    let cases = [
        (
            "a,x,b,,\n",
            "s.csv: row 1 (line 2), column `rank`: bad value \"x\"; expected a whole number from 0 to 4294967295",
        ),
        (
            "a,0,b,,\n\"two\nlines\",-1,b,,\n",
            "s.csv: row 2 (line 3), column `rank`: bad value \"-1\"; expected a whole number from 0 to 4294967295",
        ),
        (
            "a,4294967296,b,,\n",
            "s.csv: row 1 (line 2), column `rank`: bad value \"4294967296\"; expected a whole number from 0 to \
             4294967295",
        ),
        (
            "a,1,b,NaN,\n",
            "s.csv: row 1 (line 2), column `weight`: bad value \"NaN\"; expected a finite number, or an empty cell",
        ),
        (
            "a,1,,,\n",
            "s.csv: row 1 (line 2), column `scenario_id`: bad value \"\"; expected text",
        ),
    ];
    for (rows, expected) in cases {
        assert_eq!(
            message::<SelectionRow>("s.csv", format!("{HEADER}{rows}")),
            expected
        );
    }
}

#[test]
fn csv_lists() {
    let header = "scenario_id,topics,outcome,detail\n";
    assert_eq!(
        message::<TopicRow>("t.csv", format!("{header}a,politics,answered,\n")),
        "t.csv: row 1 (line 2), column `topics`: bad value \"politics\"; expected a JSON array of texts"
    );
    let unknown = message::<TopicRow>(
        "t.csv",
        format!("{header}a,\"[\"\"sport\"\"]\",answered,\n"),
    );
    assert!(
        unknown.starts_with(
            "t.csv: row 1 (line 2), column `topics`: bad value [\"sport\"]; expected one of `cyber security`, "
        ),
        "{unknown}"
    );
    assert_eq!(
        message::<TopicRow>("t.csv", format!("{header}a,[],fine,\n")),
        "t.csv: row 1 (line 2), column `outcome`: bad value \"fine\"; expected one of `answered`, `blocked`, \
         `truncated`, `unparsable`, `failed`, `not_run`"
    );
}

#[test]
fn csv_rows() {
    let error = read::<SelectionRow>("s.csv", format!("{HEADER}a,0,b,,\na,0\n")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("s.csv: row 2 (line 3) cannot be read; correct or remove it")
    );
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("found record with 2 fields")
    );
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(b"a,0,\xff,,\n");
    assert_eq!(
        message::<SelectionRow>("s.csv", bytes),
        "s.csv: row 1 (line 2) cannot be read; correct or remove it"
    );
}

#[test]
fn csv_from_other_programs() {
    let text = "\u{feff}weight,extra,rank,scenario_id,selection,radius\r\n0.5,x,3.0,\"\"\"hi\"\" she said\",s,\r\n";
    let rows = read::<SelectionRow>("s.csv", text).unwrap();
    let expected = SelectionRow {
        selection: "s".into(),
        rank: 3,
        scenario_id: "\"hi\" she said".into(),
        weight: Some(0.5),
        radius: None,
    };
    assert_eq!(rows, [expected]);
}

#[test]
fn jsonl_values() {
    let cases = [
        (
            "{\"selection\":\"a\",\"rank\":-1,\"scenario_id\":\"b\"}",
            "s.jsonl: row 1 (line 1), column `rank`: bad value -1; expected u32",
        ),
        (
            "\n{\"selection\":\"a\",\"rank\":1,\"scenario_id\":\"b\"}\n\n{\"selection\":\"a\",\"rank\":1}",
            "s.jsonl: row 2 (line 4), column `scenario_id`: bad value null; expected a string",
        ),
        (
            "{\"selection\":",
            "s.jsonl: row 1 (line 1) cannot be read; correct or remove it",
        ),
        (
            "[1]",
            "s.jsonl: row 1 (line 1) cannot be read; correct or remove it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message::<SelectionRow>("s.jsonl", text), expected);
    }
}

#[test]
fn jsonl_keys_may_be_missing_or_more() {
    let text = "{\"rank\":1,\"extra\":[],\"scenario_id\":\"b\",\"selection\":\"a\"}";
    let rows = read::<SelectionRow>("s.jsonl", text).unwrap();
    assert_eq!((rows[0].rank, rows[0].weight), (1, None));
}

#[test]
fn long_values_are_cut_in_messages() {
    let text = format!("{HEADER}a,{},b,,\n", "é".repeat(1000));
    let message = message::<SelectionRow>("s.csv", text);
    let expected = format!(
        "s.csv: row 1 (line 2), column `rank`: bad value \"{}...; expected a whole number from 0 to 4294967295",
        "é".repeat(79)
    );
    assert_eq!(message, expected);
}

#[test]
fn rows_end_at_the_first_error() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("s.csv", format!("{HEADER}a,0,b,,\na,x,b,,\na,1,b,,\n")),
        (
            "s.jsonl",
            "{\"selection\":\"a\",\"rank\":0,\"scenario_id\":\"b\"}\n{}\n\
             {\"selection\":\"a\",\"rank\":1,\"scenario_id\":\"b\"}\n"
                .to_owned(),
        ),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let source = Format::of(&path)
            .unwrap()
            .open::<SelectionRow>(&path)
            .unwrap();
        let ends: Vec<bool> = source.rows().unwrap().map(|row| row.is_ok()).collect();
        assert_eq!(ends, [true, false], "{name}");
    }
}

#[test]
fn names_of_files_tell_the_format() {
    assert_eq!(Format::of("a.CSV").unwrap(), Format::Csv);
    assert_eq!(Format::of("a.ndjson").unwrap(), Format::Jsonl);
    assert_eq!(
        Format::of("tables/a.xlsx").unwrap_err().to_string(),
        "tables/a.xlsx: unknown format; use a name that ends in .parquet, .csv or .jsonl"
    );
    let missing = Format::Csv
        .open::<PositionRow>("nowhere/p.csv")
        .err()
        .unwrap();
    assert_eq!(
        missing.to_string(),
        "no file at nowhere/p.csv; check the path"
    );
    let nowhere = Format::Csv
        .create::<PositionRow>("nowhere/p.csv")
        .err()
        .unwrap();
    assert_eq!(nowhere.to_string(), "cannot create nowhere/p.csv");
}
