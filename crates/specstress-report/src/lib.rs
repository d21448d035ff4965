//! Tables and figures of a study: first as data, then as one self-contained HTML page, Markdown, JSON or a
//! short summary for the terminal. [`StudyReport::compute`] reads the tables of a run once and keeps counts;
//! every rate in it carries its denominator and a 95 % Wilson interval, every stage its outcomes, and a
//! section whose stage was not run is absent and said to be. A [`Renderer`] turns the data into text: equal
//! data give equal bytes, and text written by models can neither mark up nor script the page it is shown on.
//!
//! ```
//! use specstress_dataset::TableDir;
//! use specstress_report::{Html, Markdown, Renderer, StudyInfo, StudyReport, Text};
//!
//! let run = tempfile::tempdir()?;
//! let info = StudyInfo {
//!     title: "House rules, first draft".to_owned(),
//!     simulated: true,
//!     ..StudyInfo::default()
//! };
//! let report = StudyReport::compute(&TableDir::new(run.path()), &info)?;
//! let page = Html::default().render(&report)?;
//! assert!(page.starts_with("<!doctype html>"));
//! for text in [page, Markdown::default().render(&report)?, Text::default().render(&report)?] {
//!     assert!(text.contains("no real model was asked"));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Traits
//!
//! - [`Renderer`]: a form of the report. [`Html`], [`Markdown`], [`Json`] and [`Text`] ship here; another one
//!   needs nothing but the public fields of [`StudyReport`].

mod data;
mod error;
mod info;
mod render;
mod respec;

pub use data::{
    AbsentSection, Clause, ClauseConflict, Clauses, Compliance, CorrectedRates, Coverage,
    DisagreementBins, Estimate, Fleiss, GradeAccuracy, GranularityGap, GroupRate, HistogramBin,
    JudgeAccuracy, JudgeAgreement, JudgePair, JudgeQuotes, JudgeRate, KeptAtDistance,
    ModelCompliance, ModelOutcomes, ModelOutliers, ModelRefusals, ModelValues, NonComplianceBin,
    OutcomeCount, PeopleLabels, PoolCompliance, ProviderValues, QuadrantRow, Quadrants, Question,
    QuoteCounts, Quotes, Rate, RaterAgreement, RaterCount, SectionRef, SharpAnswer, SharpScenario,
    SpaceRow, Split, StageCounts, StudyReport, SubsetDisagreement, TopicCounts, TopicSpace,
    UnknownSection, ValueCounts, ValueSpace, VerdictSummary,
};
pub use error::ReportError;
pub use info::{CallCounts, ModelRef, PanelEntry, StudyInfo, SubsetInfo};
pub use render::{Html, Json, Markdown, Renderer, Text};
pub use respec::{Change, Flip, Ground, SectionChange, SpecComparison};
