//! What `specstress` asks of a language model, and nothing else: requests, replies, outcomes, content
//! keys, errors, and the traits that providers implement. No HTTP client and no async runtime, so a new
//! provider, a mock or a local model needs only this crate.
//!
//! ```
//! use specstress_llm::{ChatModel, ChatModelExt, ChatRequest, ScriptedModel};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = ScriptedModel::new("demo/echo").reply("Here you are:\n```json\n{\"score\": 4,}\n```");
//! let request = ChatRequest::user("Rate this answer. Reply with JSON.");
//!
//! #[derive(serde::Deserialize)]
//! struct Rating { score: u8 }
//! let rating: Rating = futures_executor::block_on(model.decode_json(&request, 2))?;
//! assert_eq!(rating.score, 4);
//! # Ok(()) }
//! ```
//!
//! # Traits to implement
//!
//! | trait | required methods | who implements it |
//! |---|---|---|
//! | [`ChatModel`] | `id`, `chat` | a provider client, a mock, a simulated model |
//! | [`EmbeddingModel`] | `id`, `embed` | the same for vectors |
//! | [`CallStore`] | `get`, `put` | a durable log of replies |
//! | [`BatchModel`] | seven, from `encode` to `cancel` | a provider's batch service |
//! | [`CallGate`] | `admit`, `ended` | who decides on new calls: budgets, batches, dry runs |
//!
//! [`ChatModelExt`] gives callers typed JSON replies with bounded re-asks on top of any [`ChatModel`];
//! [`Recorder`] puts a [`CallStore`] in front of one, so that no reply is ever paid for twice.

mod batch;
mod error;
mod ext;
mod gate;
mod id;
pub mod json;
mod key;
mod model;
mod outcome;
mod prompt;
mod recorder;
mod request;
mod response;
mod scripted;
mod settings;
mod store;

pub use batch::{
    BatchLimits, BatchLine, BatchModel, BatchPage, BatchState, BatchStatus, BatchTag, LostBatch,
};
pub use error::{LlmError, LlmErrorKind};
pub use ext::ChatModelExt;
pub use gate::{Ask, CallGate, NewCall};
pub use id::ModelId;
pub use key::{Digest, RequestKey};
pub use model::{CallMode, Capabilities, ChatModel, Embedding, EmbeddingModel, EmbeddingRequest};
pub use outcome::{OutcomeKind, Unanswered};
pub use prompt::{Prompt, PromptError, block, read_block, read_blocks, shield};
pub use recorder::{CallCounts, Recorded, Recorder, StopSignal};
pub use request::{ChatRequest, Effort, Message, Part, ResponseSchema, Role, SharedText};
pub use response::{ChatResponse, FinishReason, Usage};
pub use scripted::ScriptedModel;
pub use settings::CallSettings;
pub use store::{CallReply, CallRequest, CallStore, MemoryStore, StoreError, StoredCall};
