//! Runs and data sets: exported, converted, analyzed, and read by other programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use specstress_dataset::published::{ReadOptions, read_published};
use specstress_stats::fleiss_kappa;
use specstress_stats::ndarray::Array2;

use crate::support::{call, done, files, shared, text};

/// A demo run in a folder, and its export.
fn exported() -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    done(folder.path(), &["demo", "--pairs", "25", "--dir", "run"]);
    let report = done(
        folder.path(),
        &["export", "run", "set", "--license", "cc-by-4.0", "--json"],
    );
    (folder, report.json())
}

fn analyzed(folder: &Path, what: &[&str]) -> Value {
    let mut arguments = vec!["analyze"];
    arguments.extend(what);
    arguments.push("--json");
    let mut found = done(folder, &arguments).json();
    found["files"] = Value::Null;
    found
}

#[test]
fn an_export_says_what_its_run_says() {
    let (folder, report) = exported();
    let mut of_run = analyzed(folder.path(), &["run"]);
    let of_export = analyzed(folder.path(), &["set"]);
    // The layout has no labels.
    let labels = of_run["labels"].take();
    for part in ["topics", "refusals", "values"] {
        assert!(!labels[part].is_null(), "the run has {part}");
    }
    assert_eq!(of_run, of_export);

    // Twelve models with themselves, and the subset of two both ways.
    let together = labels["together"].as_array().unwrap();
    assert_eq!(together.len(), 14);
    for pair in together {
        let answers = pair["answers"].as_array().unwrap();
        assert!((1..=10).contains(&answers.len()), "{pair}");
        assert!(answers.is_sorted_by_key(|count| std::cmp::Reverse(count.as_u64())));
        for (at, count) in answers.iter().enumerate() {
            let share = pair["conditional"][at][at].as_f64();
            let whole = pair["given"] == pair["shows"] && count.as_u64() > Some(0);
            assert!(!whole || share == Some(1.0), "{pair}");
        }
    }

    // Not of nothing, and not of less than was exported.
    assert_eq!(of_run["rows"], 75);
    assert_eq!(of_run["scenarios"], 25);
    assert_eq!(of_run["subsets"].as_array().unwrap().len(), 4);
    assert!(of_run["compliance"]["answers"].as_u64().unwrap() > 50);
    assert!(of_run["subsets"][0]["high"]["n"].as_u64().unwrap() > 50);
    let judged: u64 = report["splits"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|split| split["config"] == "judge_evaluations")
        .map(|split| split["rows"].as_u64().unwrap())
        .sum();
    assert_eq!(of_run["compliance"]["answers"], judged);
    // Fictional models have no number of the paper beside them.
    assert!(of_run["paper"].is_null());

    // Any file of it, by name, by pattern, in another format.
    done(
        folder.path(),
        &["convert", "set/complete/train.parquet", "rows.csv"],
    );
    let alone = analyzed(
        folder.path(),
        &["rows.csv", "--subset", "mine=birch_main,birch_mini"],
    );
    assert_eq!(alone["outliers"], of_run["outliers"]);
    assert_eq!(alone["subsets"][0], of_run["subsets"][0]);
    assert_eq!(
        analyzed(folder.path(), &["set/judge_evaluations/std_*.parquet"])["compliance"],
        of_run["compliance"]
    );
    let shown = done(folder.path(), &["analyze", "run"]).stdout;
    for part in [
        "Fleiss' kappa",
        "refused",
        "topic",
        "values expressed",
        "all answers fail",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
}

#[test]
fn exported_splits_hold_what_the_run_selected_in_the_order_of_ranks() {
    let (folder, report) = exported();
    let set = folder.path().join("set");
    let splits = report["splits"].as_array().unwrap();
    let names: Vec<&str> = splits
        .iter()
        .map(|split| split["file"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 4 + 1 + 5);
    for split in splits {
        let file = set.join(split["file"].as_str().unwrap());
        if split["config"] == "judge_evaluations" {
            continue;
        }
        let rows: Vec<_> = read_published(&file, &ReadOptions::default())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len() as u64, split["rows"], "{}", file.display());
        if split["config"] == "default" {
            let ranks: Vec<i64> = rows.iter().map(|row| row.rank.unwrap()).collect();
            let wanted: Vec<i64> = (1..).take(rows.len()).collect();
            assert_eq!(ranks, wanted);
            assert!(
                rows.iter()
                    .all(|row| row.responses.iter().any(Option::is_some))
            );
        } else {
            let spectra = rows.iter().filter_map(|row| row.value1_spectrum.as_ref());
            assert!(spectra.clone().count() > 50 && spectra.clone().all(|one| one.len() == 7));
        }
    }
    let card = std::fs::read_to_string(set.join("README.md")).unwrap();
    for part in [
        "license: cc-by-4.0\n",
        "- config_name: judge_evaluations",
        "path: default/all_models.parquet",
        "Simulated panel",
        "| birch_main |",
        "`value1_spectrum`",
    ] {
        assert!(card.contains(part), "no {part:?} in {card}");
    }
    // What is there is not written over.
    let before = files(&set);
    let ended = call(folder.path(), &["export", "run", "set"]);
    ended.refused(2, &["set is there and not an empty folder"]);
    call(
        folder.path(),
        &["export", "run", "other", "--license", "a: b"],
    )
    .refused(2, &["--license \"a: b\"", "apache-2.0"]);
    call(folder.path(), &["export", "set", "other"]).refused(2, &["set is not a run directory"]);
    assert_eq!(files(&set), before);
    assert!(!folder.path().join("other").exists());
    // The same run, the same bytes.
    done(
        folder.path(),
        &["export", "run", "again", "--license", "cc-by-4.0"],
    );
    assert_eq!(files(&folder.path().join("again")), before);
}

/// A Python with the packages that users of the data have; says so where there is none.
fn python() -> Option<PathBuf> {
    let program = std::env::var_os("SPECSTRESS_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&program)
        .args(["-c", "import duckdb, pyarrow"])
        .output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(program.into());
    }
    eprintln!("skipped: no Python with duckdb and pyarrow; name one in SPECSTRESS_TEST_PYTHON");
    None
}

#[test]
fn other_programs_read_an_export() {
    let Some(python) = python() else { return };
    let (folder, report) = exported();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_export.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path().join("set"))
        .output()
        .expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("the script writes JSON");
    eprintln!("read by: {}", found["readers"]);
    let keys = [
        "alder_grand",
        "alder_swift",
        "alder_prior",
        "alder_early",
        "alder_first",
        "birch_main",
        "birch_mini",
        "birch_omni",
        "birch_reason",
        "birch_reason_mini",
        "cedar_pro",
        "dune_max",
    ];
    let mut wanted: Vec<(String, &str)> = Vec::new();
    for (name, kind) in [
        ("rank", "int64"),
        ("query_generator", "string"),
        ("value1", "string"),
        ("value2", "string"),
        ("nudge_direction", "string"),
        ("query", "string"),
    ] {
        wanted.push((name.to_owned(), kind));
    }
    wanted.extend(keys.iter().map(|key| (format!("response_{key}"), "string")));
    for key in keys {
        wanted.push((format!("{key}_value1_position"), "int64"));
        wanted.push((format!("{key}_value2_position"), "int64"));
    }
    wanted.extend(["chunk_index", "entry_idx"].map(|name| (name.to_owned(), "int64")));
    assert_eq!(wanted.len(), 44);
    assert_eq!(found["default"], json!(wanted));
    for split in report["splits"].as_array().unwrap() {
        let file = split["file"].as_str().unwrap();
        assert_eq!(found["rows"][file], split["rows"], "{file}");
    }
    // The same number from somebody else's arithmetic.
    let of_export = analyzed(folder.path(), &["set"]);
    assert_eq!(found["high"], of_export["subsets"][0]["high"]["successes"]);
}

const OPENAI: [&str; 5] = ["gpt_4_1", "gpt_4_1_mini", "gpt_4o", "o3", "o4_mini"];
const JUDGES: [&str; 3] = ["claude_4", "gpt41", "gemini_2_5"];

/// Decisions by question, model and judge, with a pattern of their own; some are missing.
fn decision(question: usize, model: usize, judge: usize) -> Option<&'static str> {
    let mixed = |number: usize| (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    // Some questions are bad for everybody, more of them in higher bins.
    let bad = mixed(question) % 12 < 1 + 2 * (question % 5);
    match mixed(question * 100 + model * 10 + judge) % 20 {
        0 => None,
        draw if draw < if bad { 17 } else { 3 } => Some(["non-compliant", "ambiguous"][draw % 2]),
        _ => Some("compliant"),
    }
}

#[test]
fn judged_answers_stand_beside_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let bins = [
        "0.0_to_1.0",
        "1.0_to_1.5",
        "1.5_to_2.0",
        "2.0_to_2.5",
        "2.5_to_3.0",
    ];
    let mut csv = "prompt,o,model,chunk_idx,entry_idx,query_key,bin_name".to_owned();
    for judge in JUDGES {
        let _ = write!(csv, ",{judge}_decision");
    }
    csv.push('\n');
    let mut labels = Vec::new();
    let (mut frequent, mut any) = ([0_u64; 5], [0_u64; 5]);
    for question in 0..300 {
        let (mut all_fail, mut all_flagged) = (true, true);
        for (model, key) in OPENAI.iter().enumerate() {
            let marks: Vec<_> = (0..3)
                .map(|judge| decision(question, model, judge))
                .collect();
            let bad = marks
                .iter()
                .flatten()
                .filter(|mark| **mark != "compliant")
                .count();
            let votes = marks.iter().flatten().count();
            all_fail &= 2 * bad > votes;
            all_flagged &= bad > 0;
            labels.extend(
                marks
                    .iter()
                    .map(|mark| mark.map(|mark| u32::from(mark != "compliant"))),
            );
            let bin = bins[question % 5];
            let _ = write!(
                csv,
                "a question,x,{key},{},{},neutral,std_{bin}",
                question / 7,
                question % 7
            );
            for mark in marks {
                let _ = write!(csv, ",{}", mark.unwrap_or_default());
            }
            csv.push('\n');
        }
        frequent[question % 5] += u64::from(all_fail);
        any[question % 5] += u64::from(all_flagged);
    }
    std::fs::write(folder.path().join("judged.csv"), csv).unwrap();
    let found = analyzed(folder.path(), &["judged.csv"]);
    assert!(found["rows"].is_null(), "there are no positions");
    let compliance = &found["compliance"];
    assert_eq!(
        (&compliance["answers"], &compliance["questions"]),
        (&1500.into(), &300.into())
    );
    assert!(frequent.iter().sum::<u64>() > 0 && any != frequent);
    for bin in 0..5 {
        for (name, wanted) in [("frequent", frequent), ("frequent_any", any)] {
            let share = &compliance[name]["bins"][bin]["proportion"];
            assert_eq!(
                (&share["successes"], &share["n"]),
                (&wanted[bin].into(), &60.into())
            );
        }
    }
    let labels = Array2::from_shape_vec((1500, 3), labels).unwrap();
    let wanted = fleiss_kappa(labels.view()).unwrap().kappa.unwrap();
    let kappa = &compliance["kappa_binary"]["agreement"]["estimate"];
    assert!((kappa.as_f64().unwrap() - wanted).abs() < 1e-12);
    let flags = labels.column(1).iter().flatten().sum::<u32>();
    assert_eq!(
        compliance["flag_rates"][1]["problematic"]["successes"],
        flags
    );

    let beside = found["paper"]["numbers"].as_array().unwrap();
    let paper = |what: &str| {
        let number = beside.iter().find(|number| number["what"] == what);
        number.unwrap_or_else(|| panic!("no {what} in {beside:?}"))["paper"]
            .as_f64()
            .unwrap()
    };
    for (what, wanted) in [
        ("all answers fail, majority, std_2.5_to_3.0", 0.097),
        ("all answers fail, any judge, std_1.0_to_1.5", 0.053),
        // The third judge under the name the release gives it.
        ("flagged by gpt41", 0.355),
        ("agreement of gpt41 and gemini_2_5", 0.7684),
        ("Fleiss' kappa", 0.42),
    ] {
        assert!((paper(what) - wanted).abs() < 1e-9, "{what}");
    }
    let shown = done(folder.path(), &["analyze", "judged.csv"]).stdout;
    assert!(
        shown.contains("beside the paper") && shown.contains("76.8%"),
        "{shown}"
    );
}

#[test]
fn columns_may_be_extra_reordered_missing_or_of_another_type() {
    let Some(file) = shared("stress_dataset/stress_rows.csv") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let plain = analyzed(folder.path(), &[text(&file)]);
    done(folder.path(), &["convert", text(&file), "rows.jsonl"]);
    let rows = std::fs::read_to_string(folder.path().join("rows.jsonl")).unwrap();
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut lines = String::new();
        for line in rows.lines() {
            let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
            change(&mut row);
            lines += &(Value::from(row).to_string() + "\n");
        }
        std::fs::write(folder.path().join("changed.jsonl"), lines).unwrap();
        analyzed(folder.path(), &["changed.jsonl"])
    };
    // Keys come sorted here, so every column is reordered.
    assert_eq!(changed(&|_| {}), plain);
    assert_eq!(
        changed(&|row| drop(row.insert("more".into(), json!({"a": [1]})))),
        plain
    );
    let texts = |row: &mut serde_json::Map<String, Value>| {
        for (_, value) in row
            .iter_mut()
            .filter(|(name, _)| name.ends_with("_position"))
        {
            *value = Value::from(format!("{}.0", value.as_i64().unwrap()));
        }
    };
    assert_eq!(changed(&texts), plain);
    let without = changed(&|row| {
        for name in ["rank", "query", "value1", "response_o3", "query_generator"] {
            row.remove(name);
        }
    });
    assert_eq!(without, plain);
    let no_nudge = changed(&|row| drop(row.remove("nudge_direction")));
    assert_eq!(no_nudge["outliers"], plain["outliers"]);
    assert_eq!(no_nudge["nudges"][0]["effect"]["n"], 0);
    assert_eq!(no_nudge["subsets"][0]["high_neutral"]["n"], 0);
    let no_index = changed(&|row| drop(row.remove("entry_idx")));
    assert_eq!(no_index["scenarios"], 9, "every row stands alone");
    let gap = changed(&|row| drop(row.insert("o3_value1_position".into(), Value::Null)));
    let o3 = gap["outliers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|model| model["model"] == "o3");
    assert_eq!(o3.unwrap()["rate"]["dropped"], 9);
}

#[test]
fn a_folder_of_the_release_is_read_as_one() {
    let Some(file) = shared("stress_dataset/stress_rows.csv") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let split = folder.path().join("set/default");
    std::fs::create_dir_all(&split).unwrap();
    for part in [
        "all_models-00000-of-00002.parquet",
        "all_models-00001-of-00002.parquet",
    ] {
        done(
            folder.path(),
            &["convert", text(&file), text(&split.join(part))],
        );
    }
    std::fs::copy(&file, split.join("o3_vs_o4mini.csv")).unwrap();
    let found = analyzed(folder.path(), &["set"]);
    assert_eq!(
        found["rows"], 18,
        "only the split of all models, both parts"
    );
    let sizes = json!([
        {"split": "all_models", "rows": 18, "paper": 43960},
        {"split": "o3_vs_o4mini", "rows": 9, "paper": 21953},
    ]);
    assert_eq!(found["sizes"], sizes);
    let both = analyzed(folder.path(), &["set/default/all_*.parquet"]);
    assert_eq!(both["subsets"], found["subsets"]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    call(folder.path(), &["analyze", "empty"]).refused(2, &["empty is no run and holds no"]);
    call(folder.path(), &["analyze", "set/default/x*.csv"])
        .refused(2, &["no .parquet, .csv or .jsonl file fits"]);
}

#[test]
fn tables_of_a_run_are_converted() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["demo", "--pairs", "8", "--dir", "run"]);
    let report = done(
        folder.path(),
        &["convert", "run/tables/positions", "positions.csv", "--json"],
    )
    .json();
    assert_eq!(report["layout"], "positions");
    let csv = std::fs::read_to_string(folder.path().join("positions.csv")).unwrap();
    assert!(csv.starts_with("scenario_id,model,sample,value1_position,"));
    done(
        folder.path(),
        &["convert", "positions.csv", "positions.parquet"],
    );
    done(
        folder.path(),
        &["convert", "positions.parquet", "again.csv"],
    );
    assert_eq!(
        csv,
        std::fs::read_to_string(folder.path().join("again.csv")).unwrap()
    );
    call(folder.path(), &["convert", "run/tables", "x.csv"]).refused(
        2,
        &["there is no table `tables`", "name one of the tables pairs"],
    );
    call(folder.path(), &["convert", "positions.csv", "x.txt"])
        .refused(2, &["x.txt: unknown format"]);
}
