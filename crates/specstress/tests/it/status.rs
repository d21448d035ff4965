//! How far a run is.

use crate::support::{call, done, files};

#[test]
fn a_finished_run_says_so_with_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let demo = ["demo", "--pairs", "4", "--dir", "run", "--json"];
    let summary = done(folder, &demo).json()["summary"].take();
    let before = files(&folder.join("run/tables"));
    let text = done(folder, &["status", "run"]).stdout;
    for part in ["simulated panel", "done", "verdicts", "answered", "all"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let status = done(folder, &["status", "run", "--json"]).json();
    assert_eq!(status["run"], "run");
    assert_eq!(status["running"], false);
    assert_eq!(status["next_stage"], serde_json::Value::Null);
    assert_eq!(status["stages_done"].as_array().unwrap().len(), 13);
    assert_eq!(status["stages_done"][0]["outcomes"]["answered"], 4);
    let replies = status["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["replies"].as_u64().unwrap())
        .sum::<u64>();
    assert_eq!(summary["calls_stored"], replies);
    assert_eq!(files(&folder.join("run/tables")), before);
}

#[test]
fn a_run_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path(), &["status", "nowhere"])
        .refused(2, &["nowhere is not a run directory", "manifest.json"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
