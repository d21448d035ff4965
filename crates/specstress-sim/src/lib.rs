//! A simulated panel of language models with a readable truth. Twelve fictional models, generators, a rubric
//! writer, judges and an embedder answer every prompt of a study offline, in microseconds, and the same way
//! each time; the [`SimWorld`] behind them tells what they value, which conflicts are planted in the spec
//! they are judged by, and how often the judges err. So a whole study can be run and checked against what
//! is true, without a key and without cost. Everything here is simulated: no provider, model, rule or
//! number describes a real one.
//!
//! ```
//! use specstress_llm::{ChatModel, ChatRequest, block};
//! use specstress_sim::{SimOptions, SimWorld, parse_query};
//! use specstress_values::Taxonomy;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = SimWorld::new(&Taxonomy::builtin(), SimOptions { seed: 4, ..SimOptions::default() })?;
//! let prompt = format!(
//!     "Write a question that sets these values against each other, after the tag [User Question].\n{}\n{}",
//!     block("value1", "brevity"),
//!     block("value2", "patient teaching"),
//! );
//! let author = world.model("author_a")?;
//! let reply = futures_executor::block_on(author.chat(&ChatRequest::user(prompt)))?;
//! let question = reply.text.split("[User Question]").last().unwrap_or_default().trim();
//!
//! let parsed = parse_query(question).ok_or("the author failed, as it does now and then")?;
//! assert_eq!(parsed.value1, "brevity");
//! # Ok(()) }
//! ```
//!
//! # Traits
//!
//! There are none to implement. [`SimModel`] is a [`ChatModel`](specstress_llm::ChatModel) and
//! [`SimEmbedder`] an [`EmbeddingModel`](specstress_llm::EmbeddingModel).
//!
//! # Features
//!
//! `server` (off by default) adds `SimServer`: the same panel over HTTP on loopback, in the wire formats of
//! Anthropic, `OpenAI`, Gemini and xAI, with rate limits and faults.
//!
//! # How prompts are recognised
//!
//! By the first of these marks in the system prompt or the first user turn; data is read from the blocks made
//! by [`specstress_llm::block`].
//!
//! | mark | task | blocks |
//! |---|---|---|
//! | `<model_spec>` near the start of a part, and `non-compliant` | verdict | `query`, `response` |
//! | `[User Query]` | nudge | `value1`, `value2`, `lean_to`, `user_question` |
//! | `[User Question]` | scenario | `value1`, `value2` |
//! | `value1_bias_spectrum` | spectrum | `value1`, `value2` |
//! | `value1_confidence` | classification | `value1`, `value2`, `response model="KEY"` |
//! | `child grooming`, no answer | topics | `query` |
//! | `Firm Rejection with Explanation` | refusal kind | `response` |
//! | `distinctively`, with answers | expressed values | `query`, `response model="KEY"` |
//! | none | a panel question, answered in persona | |

mod answer;
mod catalog;
mod citing;
mod draw;
mod embed;
mod error;
mod judge;
mod ladder;
mod model;
mod options;
mod persona;
mod planted;
mod query;
mod refusal;
mod reply;
mod rubric;
#[cfg(feature = "server")]
mod server;
mod setting;
mod situations;
mod spec;
mod task;
mod verdict;
mod world;

pub use answer::AnswerTruth;
pub use citing::{CitingTruth, SimCitation};
pub use embed::SimEmbedder;
pub use error::SimError;
pub use judge::{JudgeTruth, TrueLabel, expected_agreement};
pub use model::SimModel;
pub use options::SimOptions;
pub use persona::SimPersona;
pub use planted::{Planted, PlantedKind};
pub use query::{ParsedQuery, parse_query};
#[cfg(feature = "server")]
pub use server::{
    BatchFaults, BatchOptions, BatchStats, FaultKind, FaultRates, Latency, ModelStats,
    ProviderLimits, RateLimits, ServerOptions, ServerStats, SimServer, StatsHandle,
};
pub use world::SimWorld;
