//! The whole study: stages from value pairs to verdicts, the run directory, and the durable call store.
//!
//! A run is a directory. A stage is a function from tables and the call store to a table. Every request is
//! looked up by its content key first, so resuming, retrying failures, adding a model and changing a prompt
//! are one operation: run again.
//!
//! Nothing here needs a particular async runtime; [`Study::run`] is a plain future.
//!
//! ```
//! use specstress_llm::{ChatModel, ChatRequest, ScriptedModel};
//! use specstress_pipeline::RunDir;
//!
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! # futures::executor::block_on(async {
//! let run = RunDir::open(dir)?;
//! let model = run.recorder().wrap(ScriptedModel::new("demo/echo").reply("paid for once"));
//! model.chat(&ChatRequest::user("hello")).await?;
//! drop(run);
//!
//! // Another day: this model has no reply left, and none is needed.
//! let run = RunDir::open(dir)?;
//! let model = run.recorder().wrap(ScriptedModel::new("demo/echo"));
//! assert_eq!(model.chat(&ChatRequest::user("hello")).await?.text, "paid for once");
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A whole study is in the example of [`Study::run`].
//!
//! # Traits to implement
//!
//! | trait | what it is for |
//! |---|---|
//! | [`Observer`] | hears how a run goes |
//!
//! The people of a study are the traits of the other crates, gathered in [`StudyParts`]. The package
//! `examples` of the repository runs a whole study as a library.

mod batches;
mod budget;
mod drive;
mod error;
mod fingerprint;
mod forecast;
mod gate;
mod labels;
mod manifest;
mod parts;
mod progress;
mod rejudge;
mod run_dir;
mod settings;
mod shards;
mod stages;
mod store;
mod study;
mod survey;
mod sweep;
mod waves;

pub use batches::{BatchLane, BatchRetry, BatchSettings, Batches, CallSelector};
pub use budget::{Budget, Cap};
pub use error::PipelineError;
pub use fingerprint::Change;
pub use forecast::{Evidence, Forecast, ForecastRow, ForecastSum, KnownCounts, PriceList, Share};
pub use gate::CallPolicy;
pub use labels::{LabelSample, LabelStratum, draw_label_sample, label_item};
pub use manifest::{Manifest, PanelInfo, StageRecord};
pub use parts::{Author, PanelModel, Prompts, StandardModels, StudyParts, TaskSettings};
pub use progress::{Observer, StageName};
pub use run_dir::{RunDir, RunOptions};
pub use settings::{OutlierReading, Shard, StdKind, StudySettings, Subset};
pub use store::{BatchRecord, CallTotals, ModelCalls, SqliteStore};
pub use study::Study;
pub use survey::{MissingCalls, StageState, StageSurvey, Survey};
