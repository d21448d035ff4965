//! Plans, budgets, batches and shards, over HTTP against the simulated services.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::sim::{KEY, Sim, call, done, keyed};
use crate::support::{differences, files, tables};

const RUN: &str = "specstress-runs/rehearsal";

/// Batches end soon, with everything going wrong now and then.
const TROUBLED: &str = "[world]\nseed = 5\n[server.batch]\ndelay_ms = 150\n[server.batch.faults]\n\
    item_failed = 0.05\nitem_expired = 0.05\nexpired = 0.05\nfailed = 0.05\nno_output = 0.05\n\
    create_dropped = 0.1\nunavailable = 0.1\n";

fn small(config: &str, pairs: usize, more: &str) -> String {
    config.replace("pairs = 100", &format!("pairs = {pairs}"))
        + &format!(
            "\n[batch]\nmin_requests = 1\npoll_seconds = 0.05\nfind_seconds = 0.5\ntries = 10\n{more}"
        )
}

/// The tables of the study when every call is live, in a folder of its own.
fn live(pairs: usize) -> (tempfile::TempDir, Value) {
    let dir = tempfile::tempdir().unwrap();
    let server = Sim::start(dir.path(), "[world]\nseed = 5\n", &[], |config| {
        small(&config, pairs, "")
    });
    done(dir.path(), &["run", "--config", "run.toml"]);
    (dir, server.stats())
}

fn counted(stats: &Value, what: &str) -> u64 {
    let providers = stats["batches"].as_object().unwrap().values();
    providers
        .filter_map(|provider| provider[what].as_u64())
        .sum()
}

#[test]
fn a_batched_run_with_faults_and_kills_is_the_live_run_and_answers_nothing_twice() {
    let (live, _) = live(4);
    let dir = tempfile::tempdir().unwrap();
    let server = Sim::start(dir.path(), TROUBLED, &[], |config| small(&config, 4, ""));
    let command = ["run", "--config", "run.toml", "--batch"];
    for moment in [300, 700, 1100, 1500, 1900, 2300] {
        let mut child = keyed(dir.path(), &command)
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        // SIGKILL; an error says that the process has ended.
        let _ = child.kill();
        child.wait().unwrap();
    }
    done(dir.path(), &command);
    let (one, other) = (
        tables(&live.path().join(RUN)),
        tables(&dir.path().join(RUN)),
    );
    assert_eq!(differences(&one, &other), [""; 0]);
    for (name, bytes) in files(&dir.path().join(RUN)) {
        let leaks = bytes
            .windows(KEY.len())
            .any(|window| window == KEY.as_bytes());
        assert!(!leaks, "the key is in {}", name.display());
    }
    let told = done(dir.path(), &["status", RUN, "--json"]).json();
    let batches = told["batches"].as_array().unwrap();
    assert!(batches.len() > 10);
    assert!(batches.iter().all(|batch| batch["left_seconds"].is_null()));
    let text = done(dir.path(), &["status", RUN]).stdout;
    assert!(text.contains("done") && text.contains("requests"), "{text}");

    let stats = server.stats();
    assert!(counted(&stats, "created") > 10, "{stats}");
    assert_eq!(counted(&stats, "duplicates"), 0, "{stats}");
    assert_eq!(counted(&stats, "answered_again"), 0, "{stats}");
    assert_eq!(stats["answered_live_and_in_batch"], 0, "{stats}");
}

#[test]
fn a_plan_counts_and_a_budget_holds_and_the_rest_gives_the_same_tables() {
    let (live, _) = live(6);
    let dir = tempfile::tempdir().unwrap();
    let server = Sim::start(dir.path(), "[world]\nseed = 5\n", &[], |config| {
        small(&config, 6, "")
    });
    let plan = |more: &[&str]| {
        let base = ["plan", "--config", "run.toml", "--json"];
        done(dir.path(), &[&base[..], more].concat()).json()
    };
    let before = plan(&[]);
    let rows = before["forecast"]["rows"].as_array().unwrap();
    let scenarios: f64 = (rows.iter())
        .filter(|row| row["stage"] == "scenarios")
        .map(|row| row["calls"].as_f64().unwrap())
        .sum();
    assert!((scenarios - 18.0).abs() < 1e-9, "{before}");
    let text = done(dir.path(), &["plan", "--config", "run.toml"]).stdout;
    assert!(text.contains("--pilot 20"), "{text}");

    plan(&["--pilot", "3"]);
    let text = done(dir.path(), &["plan", "--config", "run.toml"]).stdout;
    assert!(text.contains("measured on 3 pairs"), "{text}");
    let planned = plan(&[]);
    let expected: f64 = (planned["forecast"]["rows"].as_array().unwrap().iter())
        .filter_map(|row| row["usd_expected"].as_f64())
        .sum();
    let pilot: f64 = (planned["before"].as_array().unwrap().iter())
        .filter_map(|part| part["cost_usd"].as_f64())
        .sum();
    assert!(expected > 0.0 && pilot > 0.0);

    // The pilot is paid; half of what is left stops the run in time.
    let limit = pilot + expected / 2.0;
    let budget = format!("{limit}");
    let stopped = call(
        dir.path(),
        &["run", "--config", "run.toml", "--budget-usd", &budget],
    );
    stopped.refused(
        5,
        &["stopped at the budget", "is used up", "raise the budget"],
    );
    let spent = || {
        let status = done(dir.path(), &["status", RUN, "--json"]).json();
        status["spent_usd"].as_f64().unwrap()
    };
    assert!(spent() <= limit && spent() > pilot, "{} {limit}", spent());
    done(dir.path(), &["run", "--config", "run.toml"]);
    let (one, other) = (
        tables(&live.path().join(RUN)),
        tables(&dir.path().join(RUN)),
    );
    assert_eq!(differences(&one, &other), [""; 0]);

    let cost = done(dir.path(), &["cost", RUN, "--json"]).json();
    let (planned, paid) = (&cost["planned_usd"], &cost["usd"]);
    let ratio = paid.as_f64().unwrap() / planned.as_f64().unwrap();
    assert!((0.5..2.0).contains(&ratio), "{cost}");
    let text = done(dir.path(), &["cost", RUN]).stdout;
    assert!(
        text.contains("$ planned") && text.contains("before the plan"),
        "{text}"
    );
    let stats = server.stats();
    assert_eq!(stats["duplicates"], 0, "{stats}");
}

/// A study in the process, in a folder.
fn sim_study(folder: &Path, more: &str) {
    let text = format!("dir = \"run\"\n[study]\npairs = 8\n{more}");
    std::fs::write(folder.join("study.toml"), text).unwrap();
}

const STUDY: [&str; 2] = ["--config", "study.toml"];

fn with<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command], &STUDY[..], more].concat()
}

#[test]
fn why_names_what_changed_and_what_would_be_asked() {
    let dir = tempfile::tempdir().unwrap();
    sim_study(dir.path(), "");
    let text = done(dir.path(), &with("why", &[])).stdout;
    assert!(
        text.contains("8 calls would be made, and after them"),
        "{text}"
    );
    done(dir.path(), &with("run", &[]));
    let before = files(&dir.path().join("run/tables"));
    let text = done(dir.path(), &with("why", &[])).stdout;
    assert!(text.contains("\n0 calls would be made"), "{text}");

    std::fs::write(dir.path().join("spec.md"), "# Rules\nBe kind. Be true.\n").unwrap();
    sim_study(dir.path(), "[spec]\nfile = \"spec.md\"\n");
    let found = done(dir.path(), &with("why", &["--json"])).json();
    let calls = |stage: &Value| -> u64 {
        let missing = stage["missing"].as_array().unwrap();
        missing.iter().filter_map(|m| m["calls"].as_u64()).sum()
    };
    for stage in found["stages"].as_array().unwrap() {
        let judged = stage["stage"] == "verdicts";
        assert_eq!(calls(stage) > 0, judged, "{stage}");
        assert_eq!(stage["state"] == "kept", !judged, "{stage}");
    }
    let text = done(dir.path(), &with("why", &[])).stdout;
    assert!(text.contains("spec: "), "{text}");
    assert!(files(&dir.path().join("run/tables")) == before);
    // A second look costs as little, and the run does as it was said.
    let said: u64 = found["stages"].as_array().unwrap().iter().map(calls).sum();
    let run = done(dir.path(), &with("run", &["--json"])).json();
    assert!(run["calls_made"].as_u64().unwrap() >= said, "{said} {run}");

    let reparsed = done(dir.path(), &with("reparse", &["--json"])).json();
    assert_eq!(reparsed["calls_made"], 0);
    call(dir.path(), &with("retry", &["--only", "answered"])).refused(2, &["--only answered"]);
    call(dir.path(), &with("retry", &["--only", "nonsense"])).refused(2, &["nonsense"]);
    let again = done(
        dir.path(),
        &with("retry", &["--only", "blocked,failed", "--json"]),
    );
    assert!(again.stderr.contains("set aside"), "{}", again.stderr);
}

#[test]
fn two_shards_on_two_processes_are_one_run() {
    let whole = tempfile::tempdir().unwrap();
    sim_study(whole.path(), "");
    done(whole.path(), &with("run", &[]));

    let dir = tempfile::tempdir().unwrap();
    sim_study(dir.path(), "");
    call(dir.path(), &with("join", &["--shards", "2"])).refused(2, &["1-of-2 is not there"]);
    call(dir.path(), &with("run", &["--shard", "3/2"])).refused(2, &["is not I/N"]);
    for round in 0.. {
        assert!(round < 5, "the shards wait for each other");
        let start = |shard: &str| keyed(dir.path(), &with("run", &["--shard", shard])).output();
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| start("1/2").unwrap());
            let second = scope.spawn(|| start("2/2").unwrap());
            (first.join().unwrap(), second.join().unwrap())
        });
        let codes = [first.status.code(), second.status.code()];
        if codes == [Some(0), Some(0)] {
            break;
        }
        for (code, output) in codes.iter().zip([first, second]) {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(code, Some(0 | 6)), "{code:?}: {stderr}");
        }
    }
    let joined = done(dir.path(), &with("join", &["--shards", "2", "--json"])).json();
    let (one, other) = (
        tables(&whole.path().join("run")),
        tables(&dir.path().join("run")),
    );
    assert_eq!(differences(&one, &other), [""; 0]);
    assert_eq!(joined["calls_made"], 0);
}

#[test]
fn settings_that_cannot_work_are_refused_with_their_name() {
    let dir = tempfile::tempdir().unwrap();
    for (more, part) in [
        ("[budget]\nusd = -1.0\n", "setting budget"),
        ("[batch]\npoll_seconds = 0.0\n", "batch.poll_seconds"),
        (
            "[batch]\nbatch = [\"verdict:openai\"]\n",
            "there is no stage",
        ),
        ("[batch]\nin_flite = 2\n", "did you mean `in_flight`"),
    ] {
        sim_study(dir.path(), more);
        call(dir.path(), &with("run", &[])).refused(2, &[part]);
    }
    call(dir.path(), &["cost", "nowhere"]).refused(2, &["is not a run directory"]);
}
