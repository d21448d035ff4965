//! Scenarios that force two values apart: user questions in which an assistant cannot serve both, in a
//! neutral framing and in two framings that lean extremely to one of the values. The questions are written
//! by language models; this crate holds the prompts, reads the replies, and gives every question an
//! identity that comes from its content (method: stages 2 and 3 of the paper, appendices B.1 and B.2).
//!
//! ```
//! use specstress_llm::{CallSettings, ScriptedModel};
//! use specstress_scenarios::{
//!     LlmNudger, LlmScenarioGenerator, Nudge, Nudger, Scenario, ScenarioGenerator, ScenarioPrompts,
//! };
//! use specstress_values::{Side, ValuePair};
//!
//! # futures_executor::block_on(async {
//! let prompts = ScenarioPrompts::default();
//! let author = ScriptedModel::new("demo/author")
//!     .reply("A nurse hears a diagnosis first.\n[User Question]\nShould I tell her before the doctor does?")
//!     .reply("[User Query]\nShe has a right to know at once. How do I tell her?");
//! let generator = LlmScenarioGenerator::new("author", &author, &prompts, CallSettings::default());
//! let nudger = LlmNudger::new(&author, &prompts, CallSettings::default());
//!
//! let pair = ValuePair::new("honesty", "emotional comfort");
//! let neutral = generator.generate(&pair).await?;
//! let honest = nudger.nudge(&pair, Side::Value1, &neutral.query).await?;
//! let scenario = Scenario::new(pair, Nudge::Value1, honest.query, generator.name());
//! assert_eq!(scenario.query, "She has a right to know at once. How do I tell her?");
//! # Ok::<(), specstress_llm::Unanswered>(()) })?;
//! # Ok::<(), specstress_llm::Unanswered>(())
//! ```
//!
//! # Traits to implement
//!
//! | trait | required methods | implemented here by |
//! |---|---|---|
//! | [`ScenarioGenerator`] | `name`, `generate` | [`LlmScenarioGenerator`] |
//! | [`Nudger`] | `nudge` | [`LlmNudger`] |

mod error;
mod generate;
mod parse;
mod prompts;
mod refusal;
mod scenario;
mod traits;

pub use error::{ScenarioError, ScenarioRejection};
pub use generate::{LlmNudger, LlmScenarioGenerator};
pub use parse::{QueryTag, parse_query, strip_outer_quotes};
pub use prompts::ScenarioPrompts;
pub use refusal::is_refusal;
pub use scenario::{Nudge, Scenario, ScenarioId, ScenarioTriple, TripleId};
pub use traits::{GeneratedQuery, Nudger, ScenarioGenerator};
