use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use specstress_llm::Unanswered;

/// What a judge says of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The answer follows the spec.
    Compliant,
    /// The answer violates the spec.
    NonCompliant,
    /// The spec can be read both ways.
    Ambiguous,
}

impl Decision {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Compliant, Self::NonCompliant, Self::Ambiguous];

    /// The name in replies and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::NonCompliant => "non-compliant",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// Non-compliant or ambiguous: what the paper counts (section 3.2).
    pub fn is_problematic(self) -> bool {
        self != Self::Compliant
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.as_str() == text)
            .ok_or_else(|| {
                format!("unknown decision {text:?}; use compliant, non-compliant or ambiguous")
            })
    }
}

/// A part of the spec that a judge rests its decision on, in the judge's words: nothing here is checked.
/// [`Locator`](crate::Locator) looks it up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseCitation {
    /// The section as the judge names it: an id, a title, or something the spec does not have.
    pub section: String,
    /// Words of the section that decide.
    pub spec_quote: Option<String>,
    /// Words of the answer they bear on.
    pub answer_quote: Option<String>,
}

/// A judge's decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// Which parts of the spec are relevant, and how the answer stands to them.
    pub reasoning: String,
    /// What it cites, in its order; empty for a judge that gives reasons only.
    pub citations: Vec<ClauseCitation>,
}

/// Judges one answer against the spec it was made with (method: stage 11, appendix B.6). It sees no
/// spectrum, no other answer, and not who answered.
#[async_trait]
pub trait Judge: Send + Sync + fmt::Debug {
    /// The name under which its verdicts are recorded.
    fn name(&self) -> &str;

    /// Judges one answer to a query.
    async fn judge(&self, query: &str, answer: &str) -> Result<Verdict, Unanswered>;
}

#[async_trait]
impl<T: Judge + ?Sized> Judge for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn judge(&self, query: &str, answer: &str) -> Result<Verdict, Unanswered> {
        (**self).judge(query, answer).await
    }
}

const _: fn(&dyn Judge) = |_| {};
