use std::path::PathBuf;

use specstress_dataset::DatasetError;
use specstress_judge::JudgeError;
use specstress_kcenter::KCenterError;
use specstress_llm::{LlmError, StoreError};
use specstress_stats::StatsError;
use specstress_values::ValuesError;

/// What stops a run.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The run was asked to stop; everything in flight is stored.
    #[error("the run was stopped in stage {stage}; run the same command again to go on")]
    Stopped {
        /// Where.
        stage: &'static str,
    },
    /// The budget is used up; everything that was answered is stored.
    #[error(
        "stage {stage}: stopped at the budget; what was answered is stored, so raise the budget and run the same command again to go on"
    )]
    OverBudget {
        /// Where.
        stage: &'static str,
        /// Which budget.
        #[source]
        source: LlmError,
    },
    /// An error that every further call would meet too.
    #[error(
        "stage {stage}: every further call would fail; what was answered is stored, so mend the cause and run the same command again"
    )]
    Fatal {
        /// Where.
        stage: &'static str,
        /// The call's error.
        #[source]
        source: LlmError,
    },
    /// Another process works on this run.
    #[error(
        "{path} is in use by another process{holder}; wait for it, or use another run directory"
    )]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// ` (process 123)` where it is known.
        holder: String,
    },
    /// The run directory was written by a newer build.
    #[error(
        "{path} has run format {found}, and this build reads up to {supported}; use a newer specstress"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest version known here.
        supported: u64,
    },
    /// A run without verdicts.
    #[error("{path} has no verdicts to hold others against; `specstress run` makes them")]
    NothingJudged {
        /// The run.
        path: PathBuf,
    },
    /// A directory that holds something else.
    #[error("{path} is not a run directory and not empty; choose a new or empty directory")]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A file of the run cannot be read or written.
    #[error("{action} {path}")]
    Io {
        /// `cannot read`, `cannot write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is not what this build writes.
    #[error("{path} is not a readable manifest")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The call store failed.
    #[error("call store {path}: {action}")]
    Store {
        /// The database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The call store does not say what was spent, or cannot keep its queue.
    #[error("cannot keep the books of the run")]
    Books {
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// Batches are open that this configuration cannot ask for.
    #[error(
        "batches of {models} are open at their providers and paid for, but the config has no batch service for them; put the providers back and run again, so that the replies are fetched"
    )]
    OrphanBatches {
        /// The models, with commas.
        models: String,
    },
    /// A stage that looks at all questions needs the tables of shards that are not that far.
    #[error(
        "stage {stage} looks at the questions of all shards, and these are not that far with the same config: {shards}; run them, then run this shard again to go on"
    )]
    WaitingForShards {
        /// Where.
        stage: &'static str,
        /// Their numbers, with commas.
        shards: String,
    },
    /// A setting that cannot work.
    #[error("setting {setting}: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A table could not be read or written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Sampling failed.
    #[error("cannot sample value pairs")]
    Values(#[from] ValuesError),
    /// A statistic failed.
    #[error("cannot compute {what}")]
    Stats {
        /// Which.
        what: &'static str,
        /// The cause.
        #[source]
        source: StatsError,
    },
    /// A selection failed.
    #[error("cannot select for {selection}")]
    KCenter {
        /// Which.
        selection: String,
        /// The cause.
        #[source]
        source: KCenterError,
    },
    /// A judge could not be made: its prompt does not fit.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// A vector of another length than the others.
    #[error("embedding of scenario {scenario} has {found} dimensions, the others have {expected}")]
    Dimensions {
        /// Which question.
        scenario: String,
        /// Its length.
        found: usize,
        /// The length of the first.
        expected: usize,
    },
}

impl PipelineError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
