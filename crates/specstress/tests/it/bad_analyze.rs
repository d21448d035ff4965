//! Files that cannot be scored: a clear message, and nothing written over.

use std::path::Path;

use specstress_dataset::published::{PublishedRow, PublishedWriter};

use crate::support::{call, done, files};

const HEADER: &str = "claude_opus_4_value1_position,claude_opus_4_value2_position,o3_value1_position,o3_value2_position\n";

/// Writes an input and older results, analyzes, and checks that the results are the older ones.
#[track_caller]
fn refused(name: &str, bytes: &[u8], options: &[&str], parts: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("the input is written");
    refused_in(folder.path(), name, options, parts);
}

#[track_caller]
fn refused_in(folder: &Path, name: &str, options: &[&str], parts: &[&str]) {
    for older in ["rows.jsonl", "summary.json"] {
        std::fs::write(folder.join(older), "older").expect("a file is written");
    }
    let before = files(folder);
    let mut arguments = vec!["analyze", name, "--rows", "rows.jsonl"];
    arguments.extend(["--json", "summary.json"]);
    arguments.extend(options);
    let ended = call(folder, &arguments);
    ended.refused(2, parts);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    assert_eq!(files(folder), before, "something was written");
}

#[test]
fn a_missing_file() {
    let folder = tempfile::tempdir().unwrap();
    refused_in(
        folder.path(),
        "absent.csv",
        &[],
        &["no file at absent.csv", "check the path"],
    );
}

#[test]
fn a_missing_column() {
    refused(
        "rows.csv",
        b"o3_value1_position,o4_mini_value1_position,o4_mini_value2_position\n1,2,3\n",
        &[],
        &["rows.csv: no column `o3_value2_position`", "the file has"],
    );
    refused(
        "rows.csv",
        b"query,value1\nx,y\n",
        &[],
        &["rows.csv: no column `<model>_value1_position`"],
    );
}

#[test]
fn positions_that_are_none() {
    for (cell, shown) in [("7", "\"7\""), ("-1", "\"-1\""), ("two", "\"two\"")] {
        refused(
            "rows.csv",
            format!("{HEADER}1,2,3,4\n1,2,3,{cell}\n").as_bytes(),
            &[],
            &[
                "rows.csv: row 2 (line 3), column `o3_value2_position`",
                &format!("bad value {shown}"),
                "expected a whole number from 0 to 6",
            ],
        );
    }
    refused(
        "rows.jsonl.jsonl",
        b"{\"o3_value1_position\": 1, \"o3_value2_position\": 2.5}\n",
        &[],
        &["bad value 2.5", "`o3_value2_position`"],
    );
}

#[test]
fn a_truncated_parquet_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let models = ["o3".to_owned(), "o4_mini".to_owned()];
    let row = PublishedRow {
        models: models.to_vec().into(),
        positions: vec![(Some(1), Some(2)), (Some(3), Some(4))],
        responses: vec![None, None],
        ..PublishedRow::default()
    };
    let mut writer = PublishedWriter::create(&path, &models).unwrap();
    writer.write(&vec![row; 300]).unwrap();
    writer.finish().unwrap();
    done(folder.path(), &["analyze", "rows.parquet"]);
    let whole = std::fs::read(&path).unwrap();
    for part in [whole.len() - 1, whole.len() / 2, 3, 0] {
        std::fs::write(&path, &whole[..part]).unwrap();
        refused_in(
            folder.path(),
            "rows.parquet",
            &[],
            &["rows.parquet is not a whole Parquet file"],
        );
    }
}

#[test]
fn subsets_that_cannot_be() {
    let text = format!("{HEADER}1,2,3,4\n");
    for (subset, parts) in [
        (
            "mine=o3,cluade_opus_4",
            ["no model cluade_opus_4", "did you mean claude_opus_4?"],
        ),
        ("mine", ["--subset \"mine\"", "NAME=model,model"]),
        ("mine=o3,,o3", ["--subset", "NAME=model,model"]),
        ("all_models=o3", ["the name is taken", "choose another"]),
    ] {
        refused("rows.csv", text.as_bytes(), &["--subset", subset], &parts);
    }
}

#[test]
fn files_of_two_panels() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.csv"), format!("{HEADER}1,2,3,4\n")).unwrap();
    std::fs::write(
        folder.path().join("two.csv"),
        "x_value1_position,x_value2_position\n1,2\n",
    )
    .unwrap();
    refused_in(
        folder.path(),
        "one.csv",
        &["two.csv"],
        &["two.csv has the models x", "analyze them apart"],
    );
}

#[test]
fn a_file_of_an_unknown_kind() {
    refused("rows.xlsx", b"PK", &[], &["rows.xlsx", ".parquet"]);
}

#[test]
fn a_threshold_that_is_none() {
    let text = format!("{HEADER}1,2,3,4\n");
    for threshold in ["-1", "NaN", "inf"] {
        let option = format!("--threshold={threshold}");
        refused("rows.csv", text.as_bytes(), &[&option], &["--threshold"]);
    }
}
