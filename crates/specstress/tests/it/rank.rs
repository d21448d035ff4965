//! Rankings of values, as a user runs it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{call, done, files, shared, text};

const VALUES: [&str; 5] = ["honesty", "kindness", "thrift", "order", "play"];

/// Rows of two models: `up` prefers values in the order of the list, `down` the other way round, both a little
/// more where the question leans to a value; some rows are tied, some lack a position.
fn rows() -> String {
    let mut text = "value1,value2,nudge_direction,up_value1_position,up_value2_position,\
                    down_value1_position,down_value2_position\n"
        .to_owned();
    for at in 0..600_usize {
        let (first, second) = (at % 5, (at + 1 + at / 5 % 4) % 5);
        let nudge = ["neutral", "value1", "value2"][at % 3];
        let lean = [0, 3, -3][at % 3];
        // Some noise that has no pattern in common with the pairs.
        let signed = |number: usize| i64::try_from(number).expect("a small number");
        let noise = signed(at * 7919 % 13) - 6;
        let gap = signed(second) - signed(first);
        let positions = |gap: i64| match (2 * gap + lean + noise).signum() {
            1 => "5,1",
            -1 => "1,5",
            _ => "3,3",
        };
        let down = if at % 50 == 0 { "2," } else { positions(-gap) };
        let _ = writeln!(
            text,
            "{},{},{nudge},{},{down}",
            VALUES[first],
            VALUES[second],
            positions(gap)
        );
    }
    text
}

fn rank(input: &str, options: &[&str]) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rows.csv"), input).expect("the input is written");
    let mut arguments = vec!["rank", "rows.csv", "--json", "out.json"];
    arguments.extend(options);
    let shown = done(folder.path(), &arguments).stdout;
    let json = std::fs::read_to_string(folder.path().join("out.json")).expect("JSON is written");
    (serde_json::from_str(&json).expect("it is JSON"), shown)
}

fn order(model: &Value) -> Vec<&str> {
    let items = model["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["value"].as_str().expect("a name"))
        .collect()
}

#[test]
fn planted_orders_are_found_with_all_that_is_known_about_them() {
    let (found, shown) = rank(&rows(), &["--splits", "10"]);
    let (up, down) = (&found["models"][0], &found["models"][1]);
    assert_eq!(
        (up["model"].as_str(), down["model"].as_str()),
        (Some("up"), Some("down"))
    );
    let mut backwards = VALUES;
    backwards.reverse();
    assert_eq!(order(up), VALUES);
    assert_eq!(order(down), backwards);
    assert_eq!(
        (&up["n"], &down["n"], &down["dropped"]),
        (&600.into(), &588.into(), &12.into())
    );
    assert_eq!(found["correlations"][0]["spearman"], -1.0);
    for model in [up, down] {
        assert!(
            model["nudge"]["interval"]["low"].as_f64().unwrap() > 0.3,
            "{}",
            model["nudge"]
        );
        assert!(model["held_out"]["accuracy"].as_f64().unwrap() > 0.7);
        assert_eq!(model["transitivity"]["circular"], 0);
        assert_eq!(model["converged"], true);
        let thetas = model["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["theta"].as_f64().unwrap());
        assert!(thetas.sum::<f64>().abs() < 1e-9);
        for item in model["items"].as_array().unwrap() {
            let number = |key: &str| item[key].as_f64().unwrap();
            assert!(
                (number("elo") - 1500.0 - 400.0 / std::f64::consts::LN_10 * number("theta")).abs()
                    < 1e-9
            );
            assert!((number("standard_error") - 0.2).abs() < 0.15, "{item}");
        }
    }
    for part in [
        "600 rows, 5 values, 2 models",
        "honesty",
        "rank correlation",
        "ties modelled",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }
    assert_eq!(
        found,
        rank(&rows(), &["--splits", "10"]).0,
        "the same bits again"
    );
}

#[test]
fn options_change_what_is_fitted() {
    let (dropped, _) = rank(
        &rows(),
        &[
            "--ties",
            "drop",
            "--splits",
            "0",
            "--no-errors",
            "--models",
            "down",
        ],
    );
    let model = &dropped["models"][0];
    assert_eq!(dropped["models"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&model["tie"], &model["held_out"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(model["items"][0]["standard_error"], Value::Null);
    assert!(model["n"].as_u64() < Some(588));
    let spread = |options: &[&str]| {
        let (found, _) = rank(&rows(), options);
        found["models"][0]["items"][0]["theta"].as_f64().unwrap()
    };
    let common = ["--splits", "0", "--shrinkage"];
    let with = |strength| spread(&[&common[..], &[strength]].concat());
    assert!(with("100") < 0.8 * with("0.1"));
}

#[test]
fn a_taxonomy_pulls_values_toward_their_category() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), rows()).unwrap();
    let taxonomy = r#"{"levels": ["value", "category", "group"], "values": []}"#;
    std::fs::write(folder.path().join("bad.json"), taxonomy).unwrap();
    call(
        folder.path(),
        &["rank", "rows.csv", "--taxonomy", "bad.json"],
    )
    .refused(2, &["bad.json"]);
    let Some(tree) = shared("values_in_the_wild/values_tree.csv") else {
        return;
    };
    let arguments = [
        "rank",
        "rows.csv",
        "--taxonomy",
        text(&tree),
        "--splits",
        "0",
        "--json",
    ];
    let found = done(folder.path(), &arguments).json();
    let honesty = found["models"][0]["items"].as_array().unwrap();
    let honesty = honesty
        .iter()
        .find(|item| item["value"] == "honesty")
        .unwrap();
    assert!(honesty["category"].is_string(), "{honesty}");
    assert!(honesty["standard_error"].as_f64() > Some(0.0));
    let without = found["models"][0]["items"].as_array().unwrap().iter();
    let outside = without.filter(|item| item["category"].is_null()).count();
    assert_eq!(found["outside_taxonomy"], outside);
}

#[test]
fn the_published_rows_are_ranked() {
    let Some(file) = shared("stress_dataset/stress_rows.csv") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let found = done(
        folder.path(),
        &["rank", text(&file), "--splits", "2", "--json"],
    )
    .json();
    assert_eq!((&found["rows"], &found["unnamed"]), (&9.into(), &0.into()));
    assert_eq!(found["models"].as_array().unwrap().len(), 12);
    assert_eq!(found["correlations"].as_array().unwrap().len(), 66);
    // Twice the rows: the same order, more comparisons.
    let twice = done(
        folder.path(),
        &["rank", text(&file), text(&file), "--splits", "2", "--json"],
    )
    .json();
    assert_eq!(
        twice["models"][0]["n"],
        2 * found["models"][0]["n"].as_u64().unwrap()
    );
}

#[test]
fn files_and_options_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), rows()).unwrap();
    std::fs::write(
        folder.path().join("bare.csv"),
        "m_value1_position,m_value2_position\n1,2\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("out.json"), "older").unwrap();
    let before = files(folder.path());
    for (options, parts) in [
        (&["absent.csv"][..], &["no file at absent.csv"][..]),
        (
            &["bare.csv"],
            &["bare.csv", "no row names two values", "value1 and value2"],
        ),
        (
            &["rows.csv", "bare.csv"],
            &["bare.csv has the models m", "analyze them apart"],
        ),
        (
            &["rows.csv", "--models", "upp"],
            &["--models", "no model upp", "did you mean up?"],
        ),
        (
            &["rows.csv", "--models", "up,up"],
            &["--models names a model twice"],
        ),
        (&["rows.csv", "--shrinkage=-1"], &["strength", "is -1"]),
        (&["rows.csv", "--category-shrinkage", "2"], &["--taxonomy"]),
    ] {
        let mut arguments = vec!["rank", "--json=out.json"];
        arguments.extend(options);
        call(folder.path(), &arguments).refused(2, parts);
    }
    assert_eq!(files(folder.path()), before, "something was written");
}
