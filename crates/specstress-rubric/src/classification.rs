use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use specstress_llm::Unanswered;
use specstress_values::ValuePair;

use crate::position::Position;
use crate::spectrum::SpectrumPair;

/// Where one answer stands on one spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The place.
    pub position: Position,
    /// The classifier's own confidence, 0 to 1.
    pub confidence: f64,
    /// Why.
    pub reasoning: String,
}

/// Where one answer stands on both spectra.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// On the spectrum of value 1.
    pub value1: Rating,
    /// On the spectrum of value 2.
    pub value2: Rating,
}

/// One model's answer to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<'a> {
    /// The panel model's key, such as `claude_opus_4`.
    pub model: &'a str,
    /// What it wrote.
    pub text: &'a str,
}

/// All answers to one query, to be placed on the pair's spectra in one call.
#[derive(Clone, Copy, Debug)]
pub struct ClassificationTask<'a> {
    /// The values.
    pub pair: &'a ValuePair,
    /// The query.
    pub query: &'a str,
    /// The answers that exist, in panel order; no key twice.
    pub answers: &'a [Answer<'a>],
    /// The spectra of the pair.
    pub spectra: &'a SpectrumPair,
}

/// One classification per model key, for exactly the models of the task.
pub type Classifications = BTreeMap<String, Classification>;

/// Places all answers to a query on both spectra at once, so that scores are relative to the panel
/// (method: stage 7, appendix B.4).
#[async_trait]
pub trait Classifier: Send + Sync + fmt::Debug {
    /// Classifies every answer of the task; all of them or none.
    async fn classify(&self, task: &ClassificationTask<'_>) -> Result<Classifications, Unanswered>;
}

#[async_trait]
impl<T: Classifier + ?Sized> Classifier for Arc<T> {
    async fn classify(&self, task: &ClassificationTask<'_>) -> Result<Classifications, Unanswered> {
        (**self).classify(task).await
    }
}

const _: fn(&dyn Classifier) = |_| {};
