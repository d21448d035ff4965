//! A study of 300 pairs over HTTP, against the simulated panel of 12 models of 4 providers with tight rate limits
//! and 5 % faults of every kind: how long it takes against the least time that the limits allow.
//!
//! `cargo bench -p specstress --bench rehearsal [-- PAIRS]`

#![expect(
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "a benchmark shows what it finds, and its own speed does not matter"
)]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BINARY: &str = env!("CARGO_BIN_EXE_specstress");

/// Requests per minute that the server allows each provider, with one second's worth at once.
const LIMITS: [(&str, u32); 4] = [
    ("anthropic", 3_000),
    ("openai", 3_000),
    ("gemini", 1_800),
    ("xai", 900),
];

/// 5 % of all attempts, in equal shares.
const FAULTS: [&str; 11] = [
    "rate_limited",
    "rate_limited_silent",
    "overloaded",
    "reset_before",
    "reset_mid_body",
    "stalled",
    "truncated",
    "bad_gateway",
    "error_body",
    "rerouted",
    "empty",
];

/// As long as the goal allows, against the least time.
const GOAL: f64 = 1.3;

fn main() -> Result<()> {
    let pairs = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let pairs: u32 = pairs.unwrap_or(300);
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path())?;
    let config = std::fs::read_to_string(folder.path().join("run.toml"))?;
    let config = config.replace("pairs = 100", &format!("pairs = {pairs}"));
    std::fs::write(folder.path().join("run.toml"), config)?;

    let first = run(folder.path())?;
    let (least, table) = least_time(&first);
    let took = first["seconds"].as_f64().ok_or("no seconds")?;
    println!("{pairs} pairs, limits per minute {LIMITS:?}, latency 200 ms +- 50 %, 5 % faults\n");
    println!("{table}");
    print_traffic(&first);
    println!(
        "\nwall time {took:.1} s, least time by the limits {least:.1} s, ratio {:.2} (goal {GOAL}), \
         peak memory {} MB",
        took / least,
        first["traffic"]["peak_memory_bytes"].as_u64().unwrap_or(0) / 1_000_000
    );
    println!("lost {}", lost(&first));

    // What failed for good (replies of another model) is asked again; what was answered is not.
    let second = run(folder.path())?;
    println!(
        "\nrun again: {} new calls in {:.1} s; lost {}",
        second["calls_made"],
        second["seconds"].as_f64().unwrap_or(0.0),
        lost(&second)
    );
    let stats = server.stop()?;
    let count = |name: &str| stats[name].as_u64().unwrap_or(0);
    let fault = |name: &str| stats["faults"][name].as_u64().unwrap_or(0);
    let faults: u64 = stats["faults"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, n)| n.as_u64())
        .sum();
    println!(
        "server: {} requests of {} logical ones, {} refused by a limit, {faults} faults; {} answered, {} of them \
         twice",
        count("requests"),
        count("logical"),
        count("rate_limited"),
        count("logical_answered"),
        count("duplicates"),
    );
    assert_eq!(count("duplicates"), 0, "{stats}");
    // An empty reply is an outcome, which is kept like any other, and one of another model ends its item for this run;
    // the second run has some of its own. Everything else is tried until it is answered.
    let ended = fault("empty") + fault("rerouted");
    assert!(
        count("logical_answered") + ended >= count("logical"),
        "{stats}"
    );
    Ok(())
}

/// `specstress sim serve`, ended when dropped.
struct Server(Child);

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let mut config =
            "[world]\nseed = 1\ngenerator_failures = 0.0\n[server.latency]\nbase_ms = 200\n\
                          jitter = 0.5\n"
                .to_owned();
        for (provider, limit) in LIMITS {
            config += &format!(
                "[server.limits.{provider}]\nrequests_per_minute = {limit}\nburst_seconds = 1\n"
            );
        }
        config += "[server.faults]\n";
        for fault in FAULTS {
            config += &format!("{fault} = {}\n", 0.05 / FAULTS.len() as f64);
        }
        std::fs::write(folder.join("server.toml"), config)?;
        let mut process = Command::new(BINARY)
            .args(["sim", "serve", "--port", "0", "--config", "server.toml"])
            .args(["--write-config", "run.toml", "--json"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = process.stderr.take().ok_or("the server has no output")?;
        let server = Self(process);
        for line in BufReader::new(stderr).lines() {
            if line?.contains("wrote run.toml") {
                return Ok(server);
            }
        }
        Err("the server ended before it was ready".into())
    }

    /// Ends it in order and reads its counters.
    fn stop(mut self) -> Result<Value> {
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status()?;
        let mut text = String::new();
        let mut stdout = self.0.stdout.take().ok_or("the server has no output")?;
        stdout.read_to_string(&mut text)?;
        Ok(serde_json::from_str(&text)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(folder: &Path) -> Result<Value> {
    let output = Command::new(BINARY)
        .args(["run", "--config", "run.toml", "--json"])
        .current_dir(folder)
        .env("SPECSTRESS_SIM_KEY", "any")
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The least time: stages come one after the other, and each takes as long as its busiest provider needs for
/// its calls, each made once.
fn least_time(run: &Value) -> (f64, String) {
    let mut table = format!("{:<18} {:>8} {:>8}  calls\n", "stage", "s", "least s");
    let mut least = 0.0;
    for stage in run["traffic"]["stages"].as_array().into_iter().flatten() {
        let calls = |provider: &str| stage["calls"][provider].as_f64().unwrap_or(0.0);
        let seconds = LIMITS
            .iter()
            .map(|(provider, limit)| calls(provider) * 60.0 / f64::from(*limit))
            .fold(0.0, f64::max);
        least += seconds;
        if seconds > 0.0 {
            table += &format!(
                "{:<18} {:>8.1} {seconds:>8.1}  {}\n",
                stage["stage"].as_str().unwrap_or_default(),
                stage["seconds"].as_f64().unwrap_or(0.0),
                stage["calls"]
            );
        }
    }
    (least, table)
}

fn print_traffic(run: &Value) {
    println!(
        "{:<10} {:>7} {:>9} {:>8} {:>6} {:>7}",
        "provider", "calls", "requests", "retries", "429s", "failed"
    );
    for (name, stats) in run["traffic"]["providers"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let count = |field: &str| stats[field].as_u64().unwrap_or(0);
        println!(
            "{name:<10} {:>7} {:>9} {:>8} {:>6} {:>7}",
            count("calls"),
            count("sent"),
            count("retries"),
            count("rate_limited"),
            count("failed")
        );
    }
}

/// Items without an answer, by outcome, over all stages.
fn lost(run: &Value) -> String {
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for stage in run["report"]["stages"].as_array().into_iter().flatten() {
        for outcome in stage["outcomes"].as_array().into_iter().flatten() {
            let name = outcome["outcome"].as_str().unwrap_or_default();
            if name != "answered" {
                *counts.entry(name.to_owned()).or_default() +=
                    outcome["count"].as_u64().unwrap_or(0);
            }
        }
    }
    format!("{counts:?}")
}
