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

mod drive;
mod error;
mod manifest;
mod parts;
mod progress;
mod run_dir;
mod settings;
mod stages;
mod store;
mod study;

pub use error::PipelineError;
pub use manifest::{Manifest, PanelInfo, StageRecord};
pub use parts::{Author, PanelModel, Prompts, StandardModels, StudyParts, TaskSettings};
pub use progress::{Observer, StageName};
pub use run_dir::RunDir;
pub use settings::{OutlierReading, StdKind, StudySettings, Subset};
pub use store::{ModelCalls, SqliteStore};
pub use study::Study;
