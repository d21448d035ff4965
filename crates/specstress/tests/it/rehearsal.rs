//! A whole run over HTTP against the simulated panel, with faults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use specstress_dataset::TableDir;
use specstress_dataset::rows::ResponseRow;

use crate::sim::{KEY, Sim, call, done};
use crate::support::files;

/// Calls of a stage over all providers.
fn asked(stage: &Value) -> u64 {
    let calls = stage["calls"].as_object().unwrap();
    calls.values().filter_map(Value::as_u64).sum()
}

/// Two samples of a question are two answers.
fn samples_differ(tables: &TableDir) {
    let mut samples: BTreeMap<(String, String), BTreeSet<Option<String>>> = BTreeMap::new();
    for row in tables.rows::<ResponseRow>().unwrap() {
        let row = row.unwrap();
        let texts = samples.entry((row.scenario_id, row.model)).or_default();
        texts.insert(row.text);
    }
    let apart = samples.values().filter(|texts| texts.len() == 2).count();
    assert!(
        10 * apart > 9 * samples.len(),
        "{apart} of {}",
        samples.len()
    );
}

#[test]
fn a_run_over_http_with_faults_answers_every_request_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Sim::start(
        dir.path(),
        "[world]\nseed = 5\ngenerator_failures = 0.0\n[server.faults]\noverloaded = 0.05\n\
         truncated = 0.05\nrate_limited = 0.05\nretry_after_ms = 50\n",
        &[],
        |config| config.replace("pairs = 100", "pairs = 6\nsamples = 2"),
    );
    let result = done(dir.path(), &["run", "--config", "run.toml", "--json"]).json();
    let run_dir = dir.path().join("specstress-runs/rehearsal");
    for (name, bytes) in files(&run_dir) {
        let leaks = bytes
            .windows(KEY.len())
            .any(|window| window == KEY.as_bytes());
        assert!(!leaks, "the key is in {}", name.display());
    }
    assert_eq!(result["simulated"], true);
    assert!(result["calls_made"].as_u64().unwrap() > 300, "{result}");
    let traffic = &result["traffic"];
    for provider in ["anthropic", "openai", "gemini", "xai"] {
        let stats = &traffic["providers"][provider];
        let count = |field: &str| stats[field].as_u64().unwrap();
        assert_eq!(count("sent"), count("calls") + count("retries"), "{stats}");
        assert_eq!(
            (count("failed"), count("usage_mismatches")),
            (0, 0),
            "{stats}"
        );
    }
    let by_stage: u64 = traffic["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(asked)
        .sum();
    let stats = traffic["providers"].as_object().unwrap().values();
    assert_eq!(
        by_stage,
        stats
            .filter_map(|stats| stats["calls"].as_u64())
            .sum::<u64>()
    );

    samples_differ(&TableDir::new(run_dir.join("tables")));
    let stages = result["report"]["stages"].as_array().unwrap();
    assert!(stages.iter().any(|stage| stage["stage"] == "verdicts"));
    for stage in stages {
        let outcomes = stage["outcomes"].as_array().unwrap();
        let failed = outcomes
            .iter()
            .find(|outcome| outcome["outcome"] == "failed")
            .unwrap();
        assert_eq!(failed["count"], 0, "{stage}");
    }

    let stats = server.stats();
    assert_eq!(stats["duplicates"], 0, "{stats}");
    assert_eq!(stats["logical"], stats["logical_answered"], "{stats}");
    let faults: u64 = stats["faults"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert!(faults > 10, "{stats}");
}

#[test]
fn models_are_listed_with_prices_and_checked_at_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let text = done(dir.path(), &["models", "--provider", "anthropic"]).stdout;
    assert!(text.contains("anthropic/claude-opus-5-5"), "{text}");
    assert!(
        text.contains("US dollars per million tokens; the table is of"),
        "{text}"
    );
    let models = done(dir.path(), &["models", "--json"]).json();
    let all = models.as_array().unwrap();
    assert!(all.iter().all(|model| model["name"].is_string()));

    let _server = Sim::start(
        dir.path(),
        "",
        &["--batch-delay", "0", "--batch-faults", "0.1"],
        |config| config.replace("pairs = 100", "pairs = 1"),
    );
    let check = ["models", "check", "--config", "run.toml"];
    let text = done(dir.path(), &check).stdout;
    assert!(
        text.lines()
            .any(|line| line.starts_with("anthropic/alder_grand")),
        "{text}"
    );
    // Prices are made up, and there, so that costs and budgets can be rehearsed.
    let priced = done(dir.path(), &["models", "--config", "run.toml", "--json"]).json();
    for (name, factor) in [
        ("alder_grand", 0.5),
        ("dune_max", 0.8),
        ("judge_cedar", 0.5),
    ] {
        let models = priced.as_array().unwrap();
        let model = models.iter().find(|model| model["name"] == name).unwrap();
        assert_eq!(model["batch_factor"], factor, "{name}");
        assert!(model["prices"]["input"].as_f64().unwrap() > 0.0, "{name}");
        assert_eq!(model["prices"]["source"], "made up for a rehearsal");
    }
    let missing = call(dir.path(), &[&check[..], &["openai/nobody"]].concat());
    assert_eq!(missing.code, Some(1));
    assert!(missing.stdout.contains("missing"));
    let unknown = call(dir.path(), &[&check[..], &["elsewhere/model"]].concat());
    assert_eq!(unknown.code, Some(2));
}
