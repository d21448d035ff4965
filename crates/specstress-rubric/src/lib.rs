//! Rubrics for answers: two spectra of seven answering strategies per value pair, the place of every answer
//! on both, and labels for queries and answers. Language models write and read; this crate holds the
//! prompts, checks every reply against a strict form, and names what is wrong with it (method: stages 6, 7,
//! 10, 12 and 14 of the paper, appendices B.3 to B.5).
//!
//! ```
//! use specstress_llm::{CallSettings, ScriptedModel};
//! use specstress_rubric::{Answer, Labeler, LlmLabeler, RubricPrompts, parse_classifications};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let prompts = RubricPrompts::default();
//! let model = ScriptedModel::new("demo/rubric").reply(r#"{"o3": ["candor"], "gpt_4o": ["warmth", "tact"]}"#);
//! let labeler = LlmLabeler::new(model, &prompts, CallSettings::default());
//! let answers = [Answer { model: "o3", text: "It is bad." }, Answer { model: "gpt_4o", text: "I am here." }];
//! let values = futures_executor::block_on(labeler.expressed_values("How bad is it?", &answers))?;
//! assert_eq!(values["gpt_4o"], ["warmth", "tact"]);
//!
//! // Stored replies are read again without a call.
//! let reply = r#"{"o3": {"value1_reasoning": "blunt", "value1_position": 6, "value1_confidence": 0.9,
//!                        "value2_reasoning": "cold", "value2_position": 1, "value2_confidence": 0.8}}"#;
//! let placed = parse_classifications(reply, &["o3"])?;
//! assert_eq!(placed["o3"].value2.position.name(), "strong_oppose");
//! # Ok(()) }
//! ```
//!
//! # Traits to implement
//!
//! | trait | required methods | implemented here by |
//! |---|---|---|
//! | [`SpectrumBuilder`] | `build` | [`LlmSpectrumBuilder`] |
//! | [`Classifier`] | `classify` | [`LlmClassifier`] |
//! | [`Labeler`] | `topics`, `refusal`, `expressed_values` | [`LlmLabeler`] |

mod call;
mod classification;
mod error;
mod labels;
mod llm_classifier;
mod llm_labeler;
mod llm_spectrum;
mod parse;
mod position;
mod prompts;
mod rejection;
mod spectrum;

pub use classification::{
    Answer, Classification, ClassificationTask, Classifications, Classifier, Rating,
};
pub use error::RubricError;
pub use labels::{Labeler, RefusalKind, Topic};
pub use llm_classifier::LlmClassifier;
pub use llm_labeler::LlmLabeler;
pub use llm_spectrum::LlmSpectrumBuilder;
pub use parse::{
    parse_classifications, parse_expressed_values, parse_refusal, parse_spectra, parse_topics,
};
pub use position::{Position, PositionError};
pub use prompts::RubricPrompts;
pub use rejection::RubricRejection;
pub use spectrum::{Spectrum, SpectrumBuilder, SpectrumPair, TripleQueries};
