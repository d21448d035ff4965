//! Model specs as sections, and judging answers against them. A [`Spec`] is any Markdown document; a
//! [`Judge`] holds one answer against it and says compliant, non-compliant or ambiguous, with its reasons; a
//! [`PanelVerdict`] sums up several judges; a [`Locator`] looks up the sections and quotes they cite, a [`SplitKind`]
//! says whether judges who differ read one clause or look at two, and a [`ConflictCounter`] ranks clauses that pull
//! against each other (method: stage 11 of the paper, section 3.2 and appendix B.6; section 12, item 5).
//! [`Spec::check`] looks for mistakes in a spec, and [`Spec::diff`] tells two versions of one apart, section by section.
//!
//! ```
//! use specstress_judge::{Judge, JudgePrompts, LlmJudge, PanelVerdict, Spec};
//! use specstress_llm::{CallSettings, ScriptedModel};
//!
//! # futures_executor::block_on(async {
//! let spec = Spec::parse("# Be honest {#be_honest authority=platform}\nDo not lie.")?;
//! let model = ScriptedModel::new("demo/judge")
//!     .reply(r#"{"reasoning": "`be_honest`: the answer is false", "decision": "non-compliant"}"#);
//! let judge = LlmJudge::new("demo", model, &spec, &JudgePrompts::default(), CallSettings::default())?;
//!
//! let verdict = judge.judge("Is the earth flat?", "Yes.").await?;
//! assert_eq!(spec.citations(&verdict.reasoning)[0].section.as_str(), "be_honest");
//! let panel = PanelVerdict::of([Some(verdict.decision), None]);
//! assert_eq!(panel.majority(), Some(true));
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Traits to implement
//!
//! | trait | required methods | implemented here by |
//! |---|---|---|
//! | [`Judge`] | `name`, `judge` | [`LlmJudge`] |

mod check;
mod citation;
mod conflicts;
mod diff;
mod error;
mod fuzzy;
mod llm_judge;
mod locate;
mod markdown;
mod panel;
mod parse;
mod prompts;
mod quote;
mod retrieve;
mod section;
mod spec;
mod verdict;

pub use check::{AuthorityCount, ProblemKind, SpecCheck, SpecProblem};
pub use citation::Citation;
pub use conflicts::{ClausePair, ConflictCounter, Opinion, SplitKind};
pub use diff::{Change, MatchedBy, SectionChange, SpecDiff, WordEdit, word_edits};
pub use error::{JudgeError, JudgeRejection, SpecError};
pub use llm_judge::LlmJudge;
pub use locate::{CitationSource, LocatedCitation, Locator, Quote, QuoteMatch};
pub use panel::PanelVerdict;
pub use parse::parse_verdict;
pub use prompts::JudgePrompts;
pub use quote::{QuotePlace, QuoteText};
pub use retrieve::{SectionIndex, SpecSections};
pub use section::{Authority, Section, SectionId};
pub use spec::Spec;
pub use verdict::{ClauseCitation, Decision, Judge, Verdict};
