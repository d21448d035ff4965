//! The first command a newcomer types.

use crate::support::{differences, done, tables};

/// Attributes and rules that make a browser fetch something.
const LOADS: [&str; 9] = [
    "<script src",
    "<link",
    "<iframe",
    "<object",
    "@import",
    "url(",
    "src=\"http",
    "src=\"//",
    "href=\"http",
];

#[test]
fn the_demo_runs_offline_and_a_second_time_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let demo = ["demo", "--pairs", "20", "--dir", "run"];
    let first = done(folder.path(), &demo);
    assert!(
        first.stdout.to_lowercase().contains("simulated"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("Was the simulated truth found?"),
        "{}",
        first.stdout
    );
    assert!(
        first
            .stdout
            .contains("new calls, 0 found in the call store"),
        "{}",
        first.stdout
    );

    let run = folder.path().join("run");
    let html = std::fs::read_to_string(run.join("report/report.html")).unwrap();
    for load in LOADS {
        assert!(!html.contains(load), "the report loads something: {load}");
    }
    assert!(html.trim_end().ends_with("</html>"));
    let markdown = std::fs::read_to_string(run.join("report/report.md")).unwrap();
    let json = std::fs::read_to_string(run.join("report/report.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
    for report in [&html, &markdown, &json] {
        assert!(report.to_lowercase().contains("simulated"));
    }
    assert!(
        first.stdout.contains("run/report/report.html"),
        "{}",
        first.stdout
    );

    let before = tables(&run);
    assert_eq!(before.len(), 15, "{:?}", before.keys());
    let second = done(folder.path(), &demo);
    assert!(
        second.stdout.contains("0 new calls: all"),
        "{}",
        second.stdout
    );
    assert_eq!(differences(&before, &tables(&run)), Vec::<&str>::new());
}

#[test]
fn the_seed_decides_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: &str| {
        done(
            folder.path(),
            &["demo", "--pairs", "8", "--seed", seed, "--dir", name],
        );
        tables(&folder.path().join(name))
    };
    let one = run("one", "1");
    assert_eq!(
        differences(&one, &run("one-again", "1")),
        Vec::<&str>::new()
    );
    assert_eq!(differences(&one, &run("two", "2")).len(), one.len());
}

#[test]
fn the_demo_leaves_a_config_that_runs_it_again() {
    let folder = tempfile::tempdir().unwrap();
    done(
        folder.path(),
        &["demo", "--pairs", "8", "--seed", "5", "--dir", "run"],
    );
    let before = tables(&folder.path().join("run"));
    let again = done(
        folder.path(),
        &["run", "--config", "run/specstress.toml", "--json"],
    );
    assert_eq!(again.json()["calls_made"], 0);
    assert_eq!(
        differences(&before, &tables(&folder.path().join("run"))),
        Vec::<&str>::new()
    );
}
