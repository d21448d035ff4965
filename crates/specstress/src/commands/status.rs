//! `specstress status`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use specstress_pipeline::{
    BatchRecord, Budget, CallTotals, ModelCalls, RunDir, SqliteStore, StageName, StageRecord,
};

use crate::cli::StatusArgs;
use crate::commands::report::manifest;
use crate::commands::run::database_bytes;
use crate::output;
use crate::progress::Snapshot;

#[derive(Debug, Serialize)]
struct Status {
    run: String,
    title: String,
    simulated: bool,
    /// Whether a process works on it now.
    running: bool,
    stages_done: Vec<StageRecord>,
    next_stage: Option<StageName>,
    /// What the process that works on it says of its stage.
    now: Option<Snapshot>,
    calls: Vec<ModelStatus>,
    outcomes: BTreeMap<String, u64>,
    /// Replies per minute over the last five whole minutes.
    per_minute: f64,
    batches: Vec<BatchStatus>,
    spent_usd: f64,
    in_batches_usd: f64,
    budget: Budget,
    database_bytes: u64,
}

#[derive(Debug, Serialize)]
struct ModelStatus {
    model: String,
    replies: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Option<f64>,
}

#[derive(Debug, Serialize)]
struct BatchStatus {
    model: String,
    id: Option<String>,
    state: String,
    requests: u64,
    succeeded: u64,
    failed: u64,
    age_seconds: u64,
    /// Until the provider gives up.
    left_seconds: Option<u64>,
    detail: Option<String>,
}

impl From<ModelCalls> for ModelStatus {
    fn from(calls: ModelCalls) -> Self {
        Self {
            model: calls.model,
            replies: calls.calls,
            input_tokens: calls.input_tokens,
            output_tokens: calls.output_tokens,
            cost_usd: calls.cost_usd,
        }
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let manifest = manifest(&args.run)?;
    let calls = RunDir::calls_path(&args.run);
    let totals = SqliteStore::totals(&calls)?;
    let batches = SqliteStore::batches(&calls)?;
    let minute = now() / 60;
    let recent: u64 = SqliteStore::recent(&calls, 6)?
        .into_iter()
        .filter(|(at, _)| *at < minute && minute - at <= 5)
        .map(|(_, calls)| calls)
        .sum();
    let running = RunDir::is_locked(&args.run);
    let done: Vec<StageName> = manifest.stages.iter().map(|record| record.stage).collect();
    let status = Status {
        run: args.run.display().to_string(),
        title: manifest.settings.title.clone(),
        simulated: manifest.simulated,
        running,
        next_stage: StageName::ALL
            .into_iter()
            .find(|stage| !done.contains(stage)),
        now: running.then(|| Snapshot::read(&args.run)).flatten(),
        stages_done: manifest.stages,
        outcomes: outcomes(&totals),
        calls: SqliteStore::summary(&calls)?
            .into_iter()
            .map(ModelStatus::from)
            .collect(),
        per_minute: recent as f64 / 5.0,
        spent_usd: totals.iter().map(|part| part.cost_usd).sum(),
        in_batches_usd: batches
            .iter()
            .filter(|batch| batch.open)
            .map(|batch| batch.reserved_usd)
            .sum(),
        batches: batches.into_iter().map(batch_status).collect(),
        budget: manifest.budget,
        database_bytes: database_bytes(&args.run),
    };
    output::give(&args.json, &status, || text(&status))
}

fn outcomes(totals: &[CallTotals]) -> BTreeMap<String, u64> {
    let mut outcomes = BTreeMap::new();
    for part in totals {
        *outcomes.entry(part.outcome.to_string()).or_default() += part.calls;
    }
    outcomes
}

fn batch_status(batch: BatchRecord) -> BatchStatus {
    let until = batch.ended_at.unwrap_or_else(now);
    BatchStatus {
        model: batch.model,
        id: batch.id,
        state: batch.state,
        requests: batch.requests,
        succeeded: batch.succeeded,
        failed: batch.failed,
        age_seconds: until.saturating_sub(batch.begun_at),
        left_seconds: batch
            .expires_at
            .filter(|_| batch.open)
            .map(|at| at.saturating_sub(now())),
        detail: batch.detail,
    }
}

/// Most batches listed that are over.
const OVER_LISTED: usize = 5;

fn text(status: &Status) -> String {
    let mut text = format!("{}  {}\n", status.run, status.title);
    if status.simulated {
        text += "simulated panel: no real model was asked\n";
    }
    let state = match (status.running, status.next_stage) {
        (true, Some(stage)) => format!("running, in stage {stage}"),
        (true, None) => "running, writing the report".to_owned(),
        (false, Some(stage)) => {
            format!("stopped in stage {stage}; run the same command again to go on")
        }
        (false, None) => "done".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{state}");
    if let Some(now) = &status.now {
        let _ = writeln!(text, "{}", now.line());
    }
    text += "\nstage              items  outcomes\n";
    for record in &status.stages_done {
        let _ = writeln!(
            text,
            "{:<17} {:>6}  {}",
            record.stage.as_str().replace('_', " "),
            record.items(),
            listed(&record.outcomes)
        );
    }
    let _ = writeln!(
        text,
        "\nmodel                          calls    tokens in   tokens out     US dollars"
    );
    for calls in &status.calls {
        let _ = writeln!(
            text,
            "{:<28} {:>7} {:>12} {:>12} {:>14}",
            calls.model,
            calls.replies,
            calls.input_tokens,
            calls.output_tokens,
            calls
                .cost_usd
                .map_or_else(|| "-".to_owned(), |usd| format!("{usd:.4}"))
        );
    }
    let total: u64 = status.calls.iter().map(|calls| calls.replies).sum();
    let _ = writeln!(
        text,
        "{:<28} {total:>7}   {:.1} MB on disk; {}",
        "all",
        status.database_bytes as f64 / 1e6,
        listed(&status.outcomes)
    );
    if status.running {
        let _ = writeln!(text, "{:.0} replies a minute", status.per_minute);
    }
    batches(&mut text, status);
    money(&mut text, status);
    text
}

fn listed(outcomes: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = outcomes
        .iter()
        .map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")))
        .collect();
    parts.join(", ")
}

fn batches(text: &mut String, status: &Status) {
    if status.batches.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\nbatch                                    state        requests     done   failed      age     left"
    );
    let open = status.batches.iter().filter(|batch| is_open(batch));
    let over: Vec<&BatchStatus> = status
        .batches
        .iter()
        .filter(|batch| !is_open(batch))
        .collect();
    let hidden = over.len().saturating_sub(OVER_LISTED);
    for batch in over.iter().skip(hidden).copied().chain(open) {
        let name = batch.id.as_deref().unwrap_or("not known yet");
        let _ = writeln!(
            text,
            "{:<40} {:<12} {:>8} {:>8} {:>8} {:>8} {:>8}{}",
            format!("{} {name}", batch.model),
            batch.state,
            batch.requests,
            batch.succeeded,
            batch.failed,
            span(batch.age_seconds),
            batch.left_seconds.map_or_else(|| "-".to_owned(), span),
            batch
                .detail
                .as_ref()
                .map_or_else(String::new, |detail| format!("  {detail}"))
        );
    }
    if hidden > 0 {
        let _ = writeln!(text, "and {hidden} older ones that are over");
    }
}

fn is_open(batch: &BatchStatus) -> bool {
    batch.left_seconds.is_some()
        || matches!(
            batch.state.as_str(),
            "creating" | "queued" | "running" | "cancelling"
        )
}

/// Seconds as 45s, 12m or 3h05.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        _ => format!("{}h{:02}", seconds / 3600, seconds % 3600 / 60),
    }
}

fn money(text: &mut String, status: &Status) {
    if status.spent_usd > 0.0 || status.budget.is_limited() {
        let _ = write!(text, "\nspent {:.4} US dollars", status.spent_usd);
        if status.in_batches_usd > 0.0 {
            let _ = write!(text, ", up to {:.4} more in batches", status.in_batches_usd);
        }
        match status.budget.usd {
            Some(limit) => {
                let _ = writeln!(text, ", of a budget of {limit}");
            }
            None => *text += "\n",
        }
    }
}
