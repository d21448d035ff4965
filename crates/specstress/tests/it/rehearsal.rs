//! A whole run over HTTP against the simulated panel, with faults.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use specstress_dataset::TableDir;
use specstress_dataset::rows::ResponseRow;

use crate::support::files;

const BINARY: &str = env!("CARGO_BIN_EXE_specstress");

/// Ends the server when the test ends, however it ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the providers were asked adds up, over calls and over stages.
fn traffic_adds_up(traffic: &Value) {
    for provider in ["anthropic", "openai", "gemini", "xai"] {
        let stats = &traffic["providers"][provider];
        let count = |field: &str| stats[field].as_u64().expect("a count");
        assert_eq!(count("sent"), count("calls") + count("retries"), "{stats}");
        assert_eq!(
            (count("failed"), count("usage_mismatches")),
            (0, 0),
            "{stats}"
        );
    }
    let asked = |stage: &Value| {
        stage["calls"]
            .as_object()
            .expect("an object")
            .values()
            .filter_map(Value::as_u64)
            .sum::<u64>()
    };
    let by_stage: u64 = traffic["stages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(asked)
        .sum();
    let stats = traffic["providers"]
        .as_object()
        .expect("an object")
        .values();
    assert_eq!(
        by_stage,
        stats
            .filter_map(|stats| stats["calls"].as_u64())
            .sum::<u64>()
    );
}

/// Two samples of a question are two answers.
fn samples_are_apart(run: &Path) {
    let rows = TableDir::new(run.join("tables"))
        .rows::<ResponseRow>()
        .expect("the table");
    let mut samples: BTreeMap<(String, String), BTreeSet<Option<String>>> = BTreeMap::new();
    for row in rows {
        let row = row.expect("a row");
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
    std::fs::write(
        dir.path().join("server.toml"),
        "[world]\nseed = 5\ngenerator_failures = 0.0\n[server.faults]\noverloaded = 0.05\n\
         truncated = 0.05\nrate_limited = 0.05\nretry_after_ms = 50\n",
    )
    .unwrap();
    let mut server = Server(
        Command::new(BINARY)
            .args(["sim", "serve", "--port", "0", "--config", "server.toml"])
            .args(["--write-config", "run.toml", "--json"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let ready = |line: std::io::Result<String>| line.unwrap().contains("wrote run.toml");
    assert!(lines.any(ready), "the server ended before it was ready");

    let config = std::fs::read_to_string(dir.path().join("run.toml")).unwrap();
    let small = config.replace("pairs = 100", "pairs = 6\nsamples = 2");
    assert_ne!(small, config);
    std::fs::write(dir.path().join("run.toml"), small).unwrap();
    let run = Command::new(BINARY)
        .args(["run", "--config", "run.toml", "--json"])
        .current_dir(dir.path())
        .env("SPECSTRESS_SIM_KEY", "a-planted-key")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{stderr}");
    assert!(!stderr.contains("a-planted-key"));
    let run_dir = dir.path().join("specstress-runs/rehearsal");
    for (name, bytes) in files(&run_dir) {
        let leaks = bytes.windows(13).any(|window| window == b"a-planted-key");
        assert!(!leaks, "the key is in {}", name.display());
    }
    let result: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(result["simulated"], true);
    assert!(result["calls_made"].as_u64().unwrap() > 300, "{result}");
    traffic_adds_up(&result["traffic"]);
    samples_are_apart(&run_dir);
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

    let pid = server.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut stdout = String::new();
    std::io::Read::read_to_string(server.0.stdout.as_mut().unwrap(), &mut stdout).unwrap();
    let stats: Value = serde_json::from_str(&stdout).unwrap();
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
    let list = Command::new(BINARY)
        .args(["models", "--provider", "anthropic"])
        .output()
        .unwrap();
    assert!(list.status.success());
    let text = String::from_utf8(list.stdout).unwrap();
    assert!(text.contains("anthropic/claude-opus-5-5"), "{text}");
    assert!(
        text.contains("US dollars per million tokens; the table is of"),
        "{text}"
    );
    let json = Command::new(BINARY)
        .args(["models", "--json"])
        .output()
        .unwrap();
    let models: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(
        models
            .as_array()
            .unwrap()
            .iter()
            .all(|model| model["name"].is_string())
    );

    let dir = tempfile::tempdir().unwrap();
    let mut server = Server(
        Command::new(BINARY)
            .args(["sim", "serve", "--port", "0", "--write-config", "run.toml"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("wrote run.toml")));
    let check = |models: &[&str]| {
        Command::new(BINARY)
            .args(["models", "check", "--config", "run.toml"])
            .args(models)
            .current_dir(dir.path())
            .env("SPECSTRESS_SIM_KEY", "any")
            .output()
            .unwrap()
    };
    let all = check(&[]);
    assert!(
        all.status.success(),
        "{}",
        String::from_utf8_lossy(&all.stderr)
    );
    let text = String::from_utf8(all.stdout).unwrap();
    assert!(
        text.lines()
            .any(|line| line.starts_with("anthropic/alder_grand")),
        "{text}"
    );
    let missing = check(&["openai/nobody"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stdout).contains("missing"));
    let unknown = check(&["elsewhere/model"]);
    assert_eq!(unknown.status.code(), Some(2));
}
