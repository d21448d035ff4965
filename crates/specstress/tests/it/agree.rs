//! Agreement between raters, as a user runs it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{call, done, files};

/// Fifteen subjects, four raters, labels 0 to 6, with gaps: the votes of the golden tests of `specstress-stats`.
const VOTES: &str = "\
subject,a,b,c,d
s0,0,,1,0
s1,1,1,1,2
s2,2,2,2,2
s3,,1,0,0
s4,3,3,2,3
s5,4,3,4,
s6,1,0,1,1
s7,2,2,,2
s8,0,0,0,0
s9,,,4,3
s10,5,6,5,5
s11,6,6,6,5
s12,,,,3
s13,2,5,2,2
s14,1,,1,1
";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the input is written");
}

fn agree(text: &str, options: &[&str]) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "votes.csv", text);
    let mut arguments = vec!["agree", "votes.csv", "--json", "out.json"];
    arguments.extend(options);
    let shown = done(folder.path(), &arguments).stdout;
    let json = std::fs::read_to_string(folder.path().join("out.json")).expect("JSON is written");
    (serde_json::from_str(&json).expect("it is JSON"), shown)
}

/// The estimate of a coefficient.
fn estimate(list: &Value, name: &str) -> f64 {
    let list = list.as_array().expect("a list");
    let found = list.iter().find(|one| one["name"] == name);
    let found = found.expect("the coefficient is there");
    let (agreement, interval) = (&found["agreement"], &found["bootstrap"]["interval"]);
    let estimate = agreement["estimate"].as_f64().expect("an estimate");
    let end = |end: &str| interval[end].as_f64().expect("an interval");
    assert!(end("low") <= estimate && estimate <= end("high"), "{found}");
    estimate
}

#[track_caller]
fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

/// krippendorff 0.9.0 and irrCAC 0.4.4 on the same votes.
#[test]
fn coefficients_are_those_of_public_libraries() {
    let options = [
        "--raters",
        "a,b,c,d",
        "--draws",
        "200",
        "--scale",
        "0,1,2,3,4,5,6",
    ];
    for (level, wanted) in [
        (
            "nominal",
            &[
                ("Krippendorff's alpha (nominal)", 0.515_151_515_151_515_1),
                ("Gwet's AC1", 0.502_458_700_318_385),
            ][..],
        ),
        (
            "ordinal",
            &[
                ("Krippendorff's alpha (ordinal)", 0.912_059_369_202_226_3),
                ("Gwet's AC2 (linear)", 0.791_305_243_992_511),
                ("Gwet's AC2 (quadratic)", 0.919_108_825_593_302),
            ],
        ),
        (
            "interval",
            &[("Krippendorff's alpha (interval)", 0.896_003_851_709_195_9)],
        ),
    ] {
        let mut arguments = options.to_vec();
        arguments.extend(["--level", level]);
        let (found, shown) = agree(VOTES, &arguments);
        assert_eq!(
            (&found["subjects"], &found["level"]),
            (&15.into(), &level.into())
        );
        assert_eq!(found["raters"][1]["missing"], 4);
        assert_eq!(found["pairs"].as_array().unwrap().len(), 6);
        for (name, wanted) in wanted {
            close(estimate(&found["coefficients"], name), *wanted);
            assert!(shown.contains(name), "{shown}");
        }
    }
}

/// The verdicts of three judges on 40 scenarios with five answers each, and people's labels on half of them.
fn verdicts() -> String {
    let mut text = "scenario,one,two,three,people\n".to_owned();
    for subject in 0..200_usize {
        let bad = subject % 5 < 2;
        let vote = |wrong: bool| match (bad != wrong, subject % 2) {
            (false, _) => "compliant",
            (true, 0) => "ambiguous",
            (true, _) => "non-compliant",
        };
        let people = if subject < 100 { vote(false) } else { "NA" };
        let votes = [
            vote(subject % 10 == 0),
            vote(subject % 7 == 0),
            vote(subject % 4 == 0),
        ]
        .join(",");
        let _ = writeln!(text, "s{},{votes},{people}", subject / 5);
    }
    text
}

#[test]
fn verdicts_are_problematic_or_not_and_clusters_and_gold_labels_are_used() {
    let options = [
        "--level",
        "binary",
        "--cluster",
        "scenario",
        "--gold",
        "people",
        "--missing",
        "NA",
    ];
    let (found, shown) = agree(&verdicts(), &options);
    assert_eq!(
        (&found["clusters"], &found["subjects"]),
        (&40.into(), &200.into())
    );
    assert_eq!(found["labels"][1]["name"], "ambiguous or non-compliant");
    let fleiss = estimate(&found["coefficients"], "Fleiss' kappa");
    // Judges that err on 10, 14 and 25 % of subjects, apart from each other.
    assert!((0.4..0.6).contains(&fleiss), "{fleiss}");
    let one = &found["gold"]["raters"][0];
    assert_eq!(
        (&one["accuracy"]["successes"], &one["accuracy"]["n"]),
        (&90.into(), &100.into())
    );
    assert_eq!(one["labels"].as_array().unwrap().len(), 1);
    let corrected = &one["labels"][0]["corrected"];
    assert_eq!(
        corrected["judged"]["n"], 100,
        "the rows without a gold label"
    );
    close(corrected["rate"].as_f64().unwrap(), 0.4);
    assert_eq!(
        (&found["errors"]["truth"], &found["errors"]["n"]),
        (&"gold".into(), &100.into())
    );
    let accuracy = found["dawid_skene"]["raters"][0]["accuracy"]
        .as_f64()
        .unwrap();
    assert!((accuracy - 0.9).abs() < 0.05, "{accuracy}");
    for part in [
        "200 subjects in 40 clusters",
        "positive: ambiguous or non-compliant",
        "against people",
        "worth",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
    }

    // Without gold labels the most probable ones stand in for the truth.
    let (found, _) = agree(
        &verdicts(),
        &["--raters", "one,two,three", "--level", "binary"],
    );
    assert_eq!(
        (&found["errors"]["truth"], &found["gold"]),
        (&"dawid-skene".into(), &Value::Null)
    );
}

#[test]
fn clusters_widen_the_intervals_and_the_seed_decides_the_draws() {
    // Five copies of each row.
    let mut text = "item,a,b\n".to_owned();
    for item in 0..30 {
        for _ in 0..5 {
            let _ = writeln!(text, "{item},{},{}", item % 2, u8::from(item % 3 == 0));
        }
    }
    let width = |options: &[&str]| {
        let mut arguments = vec!["--raters", "a,b", "--level", "binary"];
        arguments.extend(options);
        let (found, _) = agree(&text, &arguments);
        let interval = found["coefficients"][0]["bootstrap"]["interval"].clone();
        (
            interval["high"].as_f64().unwrap() - interval["low"].as_f64().unwrap(),
            found,
        )
    };
    let (plain, _) = width(&[]);
    let (clustered, one) = width(&["--cluster", "item"]);
    assert!(clustered > 2.0 * plain, "{clustered} {plain}");
    assert_eq!(one, width(&["--cluster", "item"]).1);
    assert_ne!(one, width(&["--cluster", "item", "--seed", "2"]).1);
    assert!(width(&["--confidence", "0.5"]).0 < plain);
}

#[track_caller]
fn refused(text: &str, options: &[&str], parts: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "votes.csv", text);
    write(folder.path(), "out.json", "older");
    let before = files(folder.path());
    let mut arguments = vec!["agree", "votes.csv", "--json", "out.json"];
    arguments.extend(options);
    let ended = call(folder.path(), &arguments);
    ended.refused(2, parts);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert_eq!(files(folder.path()), before, "something was written");
}

#[test]
fn files_and_options_that_cannot_be_used() {
    refused("a,b\n", &[], &["votes.csv has no rows"]);
    refused("a,b\n,\n", &[], &["votes.csv has no vote"]);
    refused(
        "a\n1\n",
        &[],
        &["1 rater", "two or more columns", "its columns are a"],
    );
    refused("a,b\n1\n", &[], &["votes.csv: row 1 (line 2)"]);
    refused("a,a\n1,2\n", &[], &["column `a` is there more than once"]);
    refused(
        "a,b\n1,2\n",
        &["--cluster", "c"],
        &["no column `c`", "the file has a, b"],
    );
    refused(
        "a,b\n1,2\n",
        &["--raters", "a,a"],
        &["--raters names a twice"],
    );
    refused(
        "a,b,c\n1,2,3\n",
        &["--raters", "a,b", "--gold", "b"],
        &["b cannot be a rater and"],
    );
    refused(
        "a,b,c\n1,2,x\n1,2,\n",
        &["--cluster", "c"],
        &[
            "row 2 (line 3), column `c`",
            "the name of the row's cluster",
        ],
    );
    refused(
        "a,b\n1,2\n3,high\n",
        &["--level", "interval"],
        &[
            "row 2 (line 3), column `b`",
            "bad value \"high\"",
            "a whole number from 0",
        ],
    );
    refused(
        "a,b\nlow,high\n",
        &["--level", "ordinal"],
        &["the labels are high, low", "--scale"],
    );
    refused(
        "a,b\nlow,hihg\n",
        &["--level", "ordinal", "--scale", "low,high"],
        &[
            "row 1 (line 2), column `b`",
            "bad value \"hihg\"",
            "one of low, high",
        ],
    );
    refused(
        "a,b\nx,y\n",
        &["--level", "binary"],
        &["the labels are x, y", "--positive"],
    );
    refused(
        "a,b\nx,y\n",
        &["--level", "binary", "--positive", "z"],
        &["--positive z", "nobody gave that label"],
    );
    refused(
        "a,b\n1,2\n",
        &["--scale", "1,1"],
        &["--scale", "list every label once"],
    );
    refused(
        "a,b\n1,2\n",
        &["--confidence", "95"],
        &["confidence level 95", "0.95"],
    );
    refused("a,b\n1,2\n", &["--draws", "0"], &["number of draws is 0"]);
    let many: Vec<String> = (0..101).map(|label| format!("x{label},x{label}")).collect();
    let many = many.join("\n");
    refused(
        &format!("a,b\n{many}"),
        &[],
        &["101 different labels", "--raters"],
    );
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), &["agree", "absent.csv"]).refused(2, &["no file at absent.csv"]);
    write(folder.path(), "votes.jsonl", "{}");
    call(folder.path(), &["agree", "votes.jsonl"]).refused(2, &["votes.jsonl", "CSV only"]);
}
