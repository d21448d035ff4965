//! Scores of the published layout, against figures computed elsewhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use specstress_dataset::published::{PublishedWriter, ReadOptions, read_published};

use crate::support::{done, shared, text};

const SUBSETS: [&str; 6] = [
    "all_models",
    "claude_models",
    "openai_models",
    "opus4_vs_sonnet4",
    "gpt41_vs_mini",
    "o3_vs_o4mini",
];

/// The published rows and what is expected of them.
fn published() -> Option<(PathBuf, Vec<Value>)> {
    let rows = shared("stress_dataset/stress_rows.csv")?;
    let expected = shared("stress_dataset/stress_rows_expected.json")?;
    let text = std::fs::read_to_string(expected).expect("the figures are read");
    let mut expected: Value = serde_json::from_str(&text).expect("the figures are JSON");
    match expected["rows"].take() {
        Value::Array(expected) => Some((rows, expected)),
        other => unreachable!("rows are a list, not {other}"),
    }
}

/// Scores a file; the rows and the summary.
fn analyze(folder: &Path, file: &Path, options: &[&str]) -> (Vec<Value>, Value) {
    let mut arguments = vec!["analyze", text(file)];
    arguments.extend(["--rows", "rows.jsonl", "--json", "summary.json"]);
    arguments.extend(options);
    done(folder, &arguments);
    let rows = std::fs::read_to_string(folder.join("rows.jsonl")).expect("rows are written");
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row is JSON"))
        .collect();
    let summary =
        std::fs::read_to_string(folder.join("summary.json")).expect("a summary is written");
    (
        rows,
        serde_json::from_str(&summary).expect("the summary is JSON"),
    )
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|name| name.as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn published_rows_score_as_expected() {
    let Some((file, expected)) = published() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (std, suffix) in [("population", "pop"), ("sample", "sample")] {
        for (reading, figure) in [
            ("either", "either_value_per_pair"),
            ("same", "same_value"),
            ("both", "both_values_per_pair"),
        ] {
            let options = ["--std", std, "--outliers", reading];
            let (rows, summary) = analyze(folder.path(), &file, &options);
            assert_eq!(rows.len(), expected.len());
            assert_eq!(summary["rows"], expected.len());
            assert_eq!(summary["std"], std);
            for (row, expected) in rows.iter().zip(&expected) {
                for place in ["chunk_index", "entry_idx", "nudge_direction"] {
                    assert_eq!(row[place], expected[place], "rows come as they stood");
                }
                assert_eq!(row["subsets"].as_object().unwrap().len(), SUBSETS.len());
                for name in SUBSETS {
                    let (found, wanted) = (&row["subsets"][name], &expected["subsets"][name]);
                    let found_d = found["disagreement"].as_f64().unwrap();
                    let wanted_d = wanted[format!("disagreement_{suffix}")].as_f64().unwrap();
                    assert!(
                        (found_d - wanted_d).abs() <= 1e-9,
                        "{name}, {std}: {found_d} is not {wanted_d}"
                    );
                    assert_eq!(
                        found["high"],
                        wanted[format!("high_{suffix}")],
                        "{name}, {std}: {found_d}"
                    );
                }
                assert_eq!(
                    sorted(&row["outliers"]),
                    sorted(&expected["outliers"][figure]),
                    "{reading}"
                );
            }
            for subset in summary["subsets"].as_array().unwrap() {
                let name = subset["name"].as_str().unwrap();
                let high = expected
                    .iter()
                    .filter(|row| row["subsets"][name][format!("high_{suffix}")] == true)
                    .count();
                assert_eq!(subset["high"]["successes"], high, "{name}");
                assert_eq!(subset["high"]["n"], expected.len(), "{name}");
            }
        }
    }
}

#[test]
fn every_format_scores_the_same() {
    let Some((file, _)) = published() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (rows, mut summary) = analyze(folder.path(), &file, &[]);
    let reader = read_published(&file, &ReadOptions::default()).unwrap();
    let models = reader.models().to_vec();
    let all: Vec<_> = reader.map(Result::unwrap).collect();
    for name in ["copy.parquet", "copy.jsonl", "copy.csv"] {
        let copy = folder.path().join(name);
        let mut writer = PublishedWriter::create(&copy, &models).unwrap();
        writer.write(&all).unwrap();
        writer.finish().unwrap();
        let (copied_rows, mut copied) = analyze(folder.path(), &copy, &[]);
        assert_eq!(copied_rows, rows, "{name}");
        summary["files"] = Value::Null;
        copied["files"] = Value::Null;
        assert_eq!(copied, summary, "{name}");
    }
}

#[test]
fn a_subset_of_ones_own_is_measured_beside_the_published_ones() {
    let Some((file, _)) = published() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (rows, summary) = analyze(folder.path(), &file, &["--subset", "mine=o3,gpt_4o"]);
    let positions = read_published(&file, &ReadOptions::without_texts()).unwrap();
    for (row, read) in rows.iter().zip(positions) {
        let read = read.unwrap();
        let (o3, gpt_4o) = (
            read.position("o3").unwrap(),
            read.position("gpt_4o").unwrap(),
        );
        let gap = |one: Option<u8>, other: Option<u8>| {
            f64::from(one.unwrap().abs_diff(other.unwrap())) / 2.0
        };
        // Two scores stand half their distance from their mean.
        let wanted = gap(o3.0, gpt_4o.0).max(gap(o3.1, gpt_4o.1));
        let found = row["subsets"]["mine"]["disagreement"].as_f64().unwrap();
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
        assert_eq!(row["subsets"].as_object().unwrap().len(), 7);
    }
    let mine = summary["subsets"].as_array().unwrap().last().unwrap();
    assert_eq!(mine["name"], "mine");
    assert_eq!(mine["models"], serde_json::json!(["o3", "gpt_4o"]));
}

#[test]
fn several_files_are_read_one_after_the_other() {
    let Some((file, expected)) = published() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (rows, summary) = analyze(folder.path(), &file, &[text(&file)]);
    assert_eq!(summary["rows"], 2 * expected.len());
    assert_eq!(rows[..expected.len()], rows[expected.len()..]);
}

#[test]
fn rows_without_texts_and_with_gaps_are_scored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    std::fs::write(
        &file,
        "nudge_direction,query,response_a,entry_idx,chunk_index,\
         a_value1_position,a_value2_position,b_value1_position,b_value2_position\n\
         ,,,7,1,0,6,6,6\n\
         neutral,\"a question, long\",yes,,2,3,3,,\n\
         value1,,,9,3,2,2,2,5\n",
    )
    .unwrap();
    let (rows, summary) = analyze(folder.path(), &file, &[]);
    let wanted = [
        r#"{"chunk_index":1,"entry_idx":7,"nudge_direction":null,"subsets":{"all_models":{"disagreement":3.0,"high":true}},"outliers":["a","b"]}"#,
        r#"{"chunk_index":2,"entry_idx":null,"nudge_direction":"neutral","subsets":{"all_models":{"disagreement":null,"high":false}},"outliers":[]}"#,
        r#"{"chunk_index":3,"entry_idx":9,"nudge_direction":"value1","subsets":{"all_models":{"disagreement":1.5,"high":true}},"outliers":[]}"#,
    ]
    .map(|row| serde_json::from_str::<Value>(row).unwrap());
    assert_eq!(rows, wanted);
    let all = &summary["subsets"][0];
    assert_eq!(all["high"]["successes"], 2);
    assert_eq!(all["high"]["n"], 2);
    assert_eq!(all["unscored"], 1);
}

#[test]
fn the_threshold_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    std::fs::write(
        &file,
        "a_value1_position,a_value2_position,b_value1_position,b_value2_position\n0,0,4,0\n",
    )
    .unwrap();
    for (threshold, high) in [("2", true), ("2.01", false)] {
        let (rows, _) = analyze(folder.path(), &file, &["--threshold", threshold]);
        assert_eq!(
            rows[0]["subsets"]["all_models"]["high"], high,
            "{threshold}"
        );
    }
}

#[test]
fn siblings_count_as_one_scenario_and_nudges_have_effects() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    let mut rows = "chunk_index,entry_idx,nudge_direction,a_value1_position,a_value2_position,\
                    b_value1_position,b_value2_position\n"
        .to_owned();
    for scenario in 0..40 {
        // A nudge moves a by 2 points on the value it leans to, every fourth time by 1, and b never.
        let moved = if scenario % 4 == 0 { 1 } else { 2 };
        let (a, b) = (3, if scenario % 2 == 0 { 0 } else { 3 });
        for (nudge, first, second) in [
            ("neutral", a, a),
            ("value1", a + moved, a),
            ("value2", a, a + moved),
        ] {
            let _ = writeln!(rows, "1,{scenario},{nudge},{first},{second},{b},3");
        }
    }
    std::fs::write(&file, rows).unwrap();
    let (_, summary) = analyze(folder.path(), &file, &[]);
    assert_eq!(
        (&summary["rows"], &summary["scenarios"]),
        (&120.into(), &40.into())
    );
    let all = &summary["subsets"][0];
    let number = |value: &Value| value.as_f64().expect("a number");
    // 20 scenarios with b at 0 are high in all framings, whole scenarios at a time.
    assert_eq!(
        (&all["high"]["successes"], &all["high"]["n"]),
        (&60.into(), &120.into())
    );
    assert!(number(&all["high"]["effective_n"]) < 45.0, "{all}");
    assert_eq!(
        (&all["high_neutral"]["n"], &all["high_nudged"]["n"]),
        (&40.into(), &80.into())
    );
    assert_eq!(summary["any_pair"]["successes"], 60);
    let (a, b) = (
        &summary["nudges"][0]["effect"],
        &summary["nudges"][1]["effect"],
    );
    assert!((number(&a["mean"]) - 1.75).abs() < 1e-12 && number(&b["mean"]).abs() < 1e-12);
    assert_eq!((&a["n"], &a["clusters"]), (&80.into(), &40.into()));
    assert!(number(&a["interval"]["low"]) > 1.5 && number(&a["interval"]["high"]) < 2.0);
    let shown = done(folder.path(), &["analyze", text(&file)]).stdout;
    for part in [
        "120 rows of 40 scenarios",
        "effect of a nudge",
        "some pair of models",
        "nudged",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
}
