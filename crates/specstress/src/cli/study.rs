//! The arguments of the commands that run a study, or say what running it would do.

use std::path::PathBuf;

use clap::Args;
use specstress_llm::OutcomeKind;
use specstress_pipeline::{CallSelector, Shard, StageName};

use super::JsonArg;

/// Which study.
#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "specstress.toml")]
    pub(crate) config: PathBuf,
    /// Where to put the run, instead of the config's `dir`.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Only this part of the study, such as 2/8, in a run directory of its own below DIR/shards. Stages that look at
    /// all questions wait for the other shards: exit code 6 says so. `specstress join` puts them together.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
}

/// How calls are made and paid.
#[derive(Debug, Args)]
pub(crate) struct SpendArgs {
    /// Put these calls into batches: all, a stage (verdicts), a provider (openai) or both (verdicts:openai). May be
    /// given again; adds to the config's.
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "all")]
    pub(crate) batch: Vec<CallSelector>,
    /// Make these calls live, whatever else says otherwise less closely.
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "all")]
    pub(crate) live: Vec<CallSelector>,
    /// Most US dollars the run may spend, over all its sessions, instead of the config's. Reaching it stops the run
    /// with exit code 5.
    #[arg(long, value_name = "USD")]
    pub(crate) budget_usd: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
    /// Stop after this stage, without a report. After diversity, which costs little, `plan` knows how many questions
    /// the panel will be asked.
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    pub(crate) until: Option<StageName>,
}

fn stage(text: &str) -> Result<StageName, String> {
    let known = || StageName::ALL.into_iter();
    known().find(|stage| stage.as_str() == text).ok_or_else(|| {
        let names: Vec<&str> = known().map(StageName::as_str).collect();
        format!("there are {}", names.join(", "))
    })
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
    /// First run the study on this many pairs, and estimate from it. Its calls are stored, so that the run, with
    /// pairs that begin with the same ones, does not make them again.
    #[arg(long, value_name = "PAIRS")]
    pub(crate) pilot: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct CostArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The run directory.
    #[arg(value_name = "RUN", default_value = "specstress-runs/study")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Only the calls about this question or pair, by its id in the tables.
    #[arg(value_name = "ITEM")]
    pub(crate) item: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReparseArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
    /// Which outcomes: truncated, blocked, unparsable (replies without text), failed. Failed calls are never stored,
    /// so every run makes them again.
    #[arg(long, value_name = "OUTCOMES", value_delimiter = ',', required = true)]
    pub(crate) only: Vec<OutcomeKind>,
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "specstress.toml")]
    pub(crate) config: PathBuf,
    /// Where the run is, instead of the config's `dir`.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Into how many shards the study was split.
    #[arg(long, value_name = "N")]
    pub(crate) shards: usize,
}
