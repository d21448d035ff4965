//! `specstress status`

use std::fmt::Write as _;

use serde::Serialize;
use specstress_pipeline::{ModelCalls, RunDir, StageName, StageRecord};

use crate::cli::StatusArgs;
use crate::commands::report::manifest;
use crate::commands::run::{calls_of, database_bytes};
use crate::output;

#[derive(Debug, Serialize)]
struct Status {
    run: String,
    title: String,
    simulated: bool,
    /// Whether a process works on it now.
    running: bool,
    stages_done: Vec<StageRecord>,
    next_stage: Option<StageName>,
    calls: Vec<StoredCalls>,
    database_bytes: u64,
}

#[derive(Debug, Serialize)]
struct StoredCalls {
    model: String,
    replies: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: Option<f64>,
}

impl From<ModelCalls> for StoredCalls {
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

pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let manifest = manifest(&args.run)?;
    let status = Status {
        run: args.run.display().to_string(),
        title: manifest.settings.title.clone(),
        simulated: manifest.simulated,
        running: RunDir::is_locked(&args.run),
        next_stage: StageName::ALL.get(manifest.stages.len()).copied(),
        stages_done: manifest.stages,
        calls: calls_of(&args.run)?
            .into_iter()
            .map(StoredCalls::from)
            .collect(),
        database_bytes: database_bytes(&args.run),
    };
    output::give(&args.json, &status, || text(&status))
}

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
    let _ = writeln!(text, "{state}\n\nstage              items  outcomes");
    for record in &status.stages_done {
        let total: u64 = record.outcomes.values().sum();
        let outcomes: Vec<String> = record
            .outcomes
            .iter()
            .map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")))
            .collect();
        let _ = writeln!(
            text,
            "{:<17} {total:>6}  {}",
            record.stage.as_str().replace('_', " "),
            outcomes.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "\nmodel                          calls    tokens in   tokens out"
    );
    for calls in &status.calls {
        let _ = writeln!(
            text,
            "{:<28} {:>7} {:>12} {:>12}",
            calls.model, calls.replies, calls.input_tokens, calls.output_tokens
        );
    }
    let total: u64 = status.calls.iter().map(|calls| calls.replies).sum();
    let _ = writeln!(
        text,
        "{:<28} {total:>7}   {:.1} MB on disk",
        "all",
        status.database_bytes as f64 / 1e6
    );
    text
}
