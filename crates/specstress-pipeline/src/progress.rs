use std::fmt;

use serde::{Deserialize, Serialize};
use specstress_llm::OutcomeKind;

use crate::store::BatchRecord;

/// The stages of a study, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// Sampling of value pairs.
    Pairs,
    /// Neutral and nudged questions.
    Scenarios,
    /// Vectors of the questions.
    Embeddings,
    /// Unweighted k-center over the questions.
    Diversity,
    /// The panel's answers.
    Responses,
    /// The two spectra of each pair.
    Spectra,
    /// The answers' places on the spectra.
    Positions,
    /// Disagreement per question and subset, and outliers.
    Disagreement,
    /// Disagreement-weighted k-center per subset.
    Selections,
    /// The judges' verdicts.
    Verdicts,
    /// Topics of the selected questions.
    Topics,
    /// Refusal kinds of the answers to them.
    Refusals,
    /// Values the answers to them express.
    ExpressedValues,
}

impl StageName {
    /// All stages, in order.
    pub const ALL: [Self; 13] = [
        Self::Pairs,
        Self::Scenarios,
        Self::Embeddings,
        Self::Diversity,
        Self::Responses,
        Self::Spectra,
        Self::Positions,
        Self::Disagreement,
        Self::Selections,
        Self::Verdicts,
        Self::Topics,
        Self::Refusals,
        Self::ExpressedValues,
    ];

    /// The stages whose tables this one reads.
    pub fn needs(self) -> &'static [Self] {
        use StageName as S;
        match self {
            S::Pairs => &[],
            S::Scenarios => &[S::Pairs],
            S::Embeddings => &[S::Scenarios],
            S::Diversity => &[S::Scenarios, S::Embeddings],
            S::Responses | S::Spectra => &[S::Scenarios, S::Diversity],
            S::Positions => &[S::Scenarios, S::Diversity, S::Responses, S::Spectra],
            S::Disagreement => &[S::Scenarios, S::Diversity, S::Positions],
            S::Selections => &[S::Embeddings, S::Diversity, S::Disagreement],
            S::Verdicts => &[S::Scenarios, S::Diversity, S::Responses, S::Disagreement],
            S::Topics => &[S::Scenarios, S::Selections],
            S::Refusals | S::ExpressedValues => {
                &[S::Scenarios, S::Diversity, S::Responses, S::Selections]
            }
        }
    }

    /// The name in manifests and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Scenarios => "scenarios",
            Self::Embeddings => "embeddings",
            Self::Diversity => "diversity",
            Self::Responses => "responses",
            Self::Spectra => "spectra",
            Self::Positions => "positions",
            Self::Disagreement => "disagreement",
            Self::Selections => "selections",
            Self::Verdicts => "verdicts",
            Self::Topics => "topics",
            Self::Refusals => "refusals",
            Self::ExpressedValues => "expressed_values",
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Hears how a run goes, for a progress line. Every method does nothing by default; none may block.
pub trait Observer: Send + Sync {
    /// A stage begins; the number of items where it is known.
    fn started(&self, stage: StageName, items: Option<u64>) {
        let _ = (stage, items);
    }

    /// Items ended.
    fn ended(&self, stage: StageName, outcome: OutcomeKind, items: u64) {
        let _ = (stage, outcome, items);
    }

    /// A stage is to be gone through again once calls that were put off have come back.
    fn deferred(&self, stage: StageName) {
        let _ = stage;
    }

    /// A stage is left as it is: nothing it is made from has changed.
    fn kept(&self, stage: StageName, items: u64) {
        let _ = (stage, items);
    }

    /// A batch was created, was looked at, or has ended.
    fn batch(&self, batch: &BatchRecord) {
        let _ = batch;
    }

    /// Something that a person should know and nobody need act on.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// A stage is done and its table written.
    fn finished(&self, stage: StageName) {
        let _ = stage;
    }
}

/// Hears nothing.
impl Observer for () {}

const _: fn(&dyn Observer) = |_| {};
