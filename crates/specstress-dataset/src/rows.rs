//! One row type per table of a study. A row names everything by content ids, never by position.
//!
//! Every table that holds the end of an item has `outcome` and `detail`: the outcome is
//! [`OutcomeKind::Answered`] exactly when the payload columns are filled, and `detail` then is `None`.

use serde::{Deserialize, Serialize};
use specstress_judge::{CitationSource, Decision, QuoteMatch};
use specstress_llm::OutcomeKind;
use specstress_rubric::{RefusalKind, Topic};
use specstress_scenarios::Nudge;

/// `pairs`: the sampled value pairs, in sampling order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRow {
    /// Place in the sample, from 0; orders all later tables.
    pub pair: u32,
    /// Id of the pair.
    pub triple_id: String,
    /// First value.
    pub value1: String,
    /// Second value.
    pub value2: String,
    /// Second-level category of value 1, where the taxonomy knows it.
    pub category1: Option<String>,
    /// Second-level category of value 2, where the taxonomy knows it.
    pub category2: Option<String>,
}

/// `scenarios`: three rows per pair (neutral, value1, value2), kept or lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioRow {
    /// Id of the question; `None` where there is none.
    pub scenario_id: Option<String>,
    /// Id of the pair.
    pub triple_id: String,
    /// Place of the pair in the sample.
    pub pair: u32,
    /// First value.
    pub value1: String,
    /// Second value.
    pub value2: String,
    /// The framing.
    pub nudge: Nudge,
    /// Who wrote it.
    pub generator: String,
    /// The question.
    pub query: Option<String>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `embeddings`: one unit vector per question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingRow {
    /// The question.
    pub scenario_id: String,
    /// The embedding model.
    pub model: String,
    /// The vector; `None` when it could not be had.
    pub vector: Option<Vec<f32>>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `selections`: what each k-center selection kept, in the order it was picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectionRow {
    /// Which selection: `diversity`, or the name of a model subset.
    pub selection: String,
    /// Order of picking, from 0.
    pub rank: u32,
    /// The question.
    pub scenario_id: String,
    /// Its weight (the subset's disagreement); `None` for an unweighted selection.
    pub weight: Option<f64>,
    /// The distance within which every question had a kept one once this one was kept; `None` where the selection
    /// does not keep track.
    pub radius: Option<f64>,
}

/// `responses`: one row per question, panel model and sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseRow {
    /// The question.
    pub scenario_id: String,
    /// The panel model's key.
    pub model: String,
    /// Which sample, from 0.
    pub sample: u32,
    /// The answer.
    pub text: Option<String>,
    /// The model that really answered, as the provider names it.
    pub answered_by: Option<String>,
    /// Tokens read.
    pub input_tokens: Option<u64>,
    /// Tokens written, reasoning included.
    pub output_tokens: Option<u64>,
    /// Its list price as a live call, in US dollars. What was paid is in the call store.
    pub cost_usd: Option<f64>,
    /// Key of the call in the call store.
    pub request_key: String,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `spectra`: one row per pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpectrumRow {
    /// The pair.
    pub triple_id: String,
    /// First value.
    pub value1: String,
    /// Second value.
    pub value2: String,
    /// Seven strategies for value 1, in order of score; empty when there are none.
    pub strategies1: Vec<String>,
    /// Seven strategies for value 2, in order of score; empty when there are none.
    pub strategies2: Vec<String>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `positions`: one row per question, panel model and sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionRow {
    /// The question.
    pub scenario_id: String,
    /// The panel model's key.
    pub model: String,
    /// Which sample, from 0.
    pub sample: u32,
    /// Position on the spectrum of value 1, 0 to 6.
    pub value1_position: Option<u8>,
    /// The classifier's confidence, 0 to 1.
    pub value1_confidence: Option<f64>,
    /// The classifier's reasons.
    pub value1_reasoning: Option<String>,
    /// Position on the spectrum of value 2, 0 to 6.
    pub value2_position: Option<u8>,
    /// The classifier's confidence, 0 to 1.
    pub value2_confidence: Option<f64>,
    /// The classifier's reasons.
    pub value2_reasoning: Option<String>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `disagreement`: one row per question and model subset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisagreementRow {
    /// The question.
    pub scenario_id: String,
    /// The subset's name.
    pub subset: String,
    /// Models of the subset with both positions.
    pub n: u32,
    /// Models of the subset without.
    pub missing: u32,
    /// Standard deviation of the positions on value 1.
    pub std_value1: Option<f64>,
    /// Standard deviation of the positions on value 2.
    pub std_value2: Option<f64>,
    /// The larger of the two.
    pub disagreement: Option<f64>,
    /// Whether it reaches the threshold, decided in integers.
    pub high: bool,
}

/// `outliers`: one row per flagged model and question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutlierRow {
    /// The question.
    pub scenario_id: String,
    /// The flagged model.
    pub model: String,
    /// How many of the other models it significantly disagrees with.
    pub disagrees_with: u32,
    /// How many other models there are.
    pub others: u32,
}

/// `verdicts`: one row per question, answer and judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The question.
    pub scenario_id: String,
    /// Whose answer was judged.
    pub model: String,
    /// Which sample of the answer, from 0.
    pub sample: u32,
    /// The judge.
    pub judge: String,
    /// The decision.
    pub decision: Option<Decision>,
    /// The judge's reasons.
    pub reasoning: Option<String>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `sections`: the sections of the spec that the verdicts were made with, in its order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionRow {
    /// Place in the spec, from 0.
    pub place: u32,
    /// Its id.
    pub section: String,
    /// The heading.
    pub title: String,
    /// 1 to 6 as in Markdown; 0 for text outside headings.
    pub level: u8,
    /// Who may override it, where the heading says so.
    pub authority: Option<String>,
    /// Id of the section it stands under.
    pub parent: Option<String>,
    /// The text below the heading, without that of its subsections. Byte ranges of quotes count from its start.
    pub text: String,
}

/// `citations`: one row per verdict and section it cites, in the order of the verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CitationRow {
    /// The question.
    pub scenario_id: String,
    /// Whose answer was judged.
    pub model: String,
    /// Which sample of the answer, from 0.
    pub sample: u32,
    /// The judge.
    pub judge: String,
    /// Place among the verdict's citations, from 0.
    pub place: u32,
    /// The decision of the verdict.
    pub decision: Decision,
    /// Id of the section, or what the judge wrote where the spec has no such section.
    pub section: String,
    /// Whether the spec has it.
    pub known: bool,
    /// Whether the judge cites it, or only its reasoning names it.
    pub source: CitationSource,
    /// Words of the spec, as the judge gives them.
    pub spec_quote: Option<String>,
    /// What became of looking them up in the section.
    pub spec_match: Option<QuoteMatch>,
    /// The section they stand in, when that is another one.
    pub spec_elsewhere: Option<String>,
    /// Where they start, in bytes of the section's text.
    pub spec_start: Option<u64>,
    /// Where they end.
    pub spec_end: Option<u64>,
    /// Words of the answer, as the judge gives them.
    pub answer_quote: Option<String>,
    /// What became of looking them up in the answer.
    pub answer_match: Option<QuoteMatch>,
    /// Where they start, in bytes of the answer.
    pub answer_start: Option<u64>,
    /// Where they end.
    pub answer_end: Option<u64>,
}

/// `topics`: one row per labelled question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicRow {
    /// The question.
    pub scenario_id: String,
    /// Its topics; none of the eight may hold.
    pub topics: Vec<Topic>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `refusals`: one row per labelled answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The question.
    pub scenario_id: String,
    /// Whose answer.
    pub model: String,
    /// Which sample of the answer, from 0.
    pub sample: u32,
    /// How far it goes along.
    pub kind: Option<RefusalKind>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `expressed_values`: one row per question and answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpressedValuesRow {
    /// The question.
    pub scenario_id: String,
    /// Whose answer.
    pub model: String,
    /// Which sample of the answer, from 0.
    pub sample: u32,
    /// Free-form labels, as the labeler wrote them.
    pub labels: Vec<String>,
    /// The nearest category of each label, in the same order.
    pub categories: Vec<String>,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why it did not end well.
    pub detail: Option<String>,
}

/// `label_sample`: the answers drawn for people to label, in the order of the sheet, with what makes them stand for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSampleRow {
    /// Opaque id of the answer in the sheet: a hash of what follows and of its text.
    pub item: String,
    /// The question.
    pub scenario_id: String,
    /// Whose answer.
    pub model: String,
    /// Which sample of the answer, from 0.
    pub sample: u32,
    /// The stratum it was drawn from.
    pub stratum: String,
    /// Answers in that stratum.
    pub population: u64,
}

/// `people_labels`: what one person said of one answer. At least one of the four labels is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleLabelRow {
    /// The item of the sheet.
    pub item: String,
    /// The person, by whatever name the sheet gives.
    pub rater: String,
    /// Whether the answer follows the spec.
    pub decision: Option<Decision>,
    /// Position on the spectrum of value 1, 0 to 6.
    pub value1_position: Option<u8>,
    /// Position on the spectrum of value 2, 0 to 6.
    pub value2_position: Option<u8>,
    /// How far the answer goes along.
    pub refusal_kind: Option<RefusalKind>,
    /// Remarks.
    pub notes: Option<String>,
}
