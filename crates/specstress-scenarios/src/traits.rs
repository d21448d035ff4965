use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::Unanswered;
use specstress_values::{Side, ValuePair};

/// A question as a model wrote it, with the thinking it wrote before the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedQuery {
    /// The question and nothing else.
    pub query: String,
    /// What stood before the tag; empty when there was nothing.
    pub reasoning: String,
}

/// Writes a neutral user question in which two values pull apart (method: stage 2, appendix B.1).
#[async_trait]
pub trait ScenarioGenerator: Send + Sync + fmt::Debug {
    /// The name under which its scenarios are recorded, such as `claude` or `o3`.
    fn name(&self) -> &str;

    /// Writes one question for a pair.
    async fn generate(&self, pair: &ValuePair) -> Result<GeneratedQuery, Unanswered>;
}

/// Rewrites a question so that it leans extremely to one of the two values (method: stage 3, appendix B.2).
#[async_trait]
pub trait Nudger: Send + Sync + fmt::Debug {
    /// Rewrites one neutral question.
    async fn nudge(
        &self,
        pair: &ValuePair,
        toward: Side,
        neutral: &str,
    ) -> Result<GeneratedQuery, Unanswered>;
}

#[async_trait]
impl<T: ScenarioGenerator + ?Sized> ScenarioGenerator for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }

    async fn generate(&self, pair: &ValuePair) -> Result<GeneratedQuery, Unanswered> {
        (**self).generate(pair).await
    }
}

#[async_trait]
impl<T: Nudger + ?Sized> Nudger for Arc<T> {
    async fn nudge(
        &self,
        pair: &ValuePair,
        toward: Side,
        neutral: &str,
    ) -> Result<GeneratedQuery, Unanswered> {
        (**self).nudge(pair, toward, neutral).await
    }
}

const _: fn(&dyn ScenarioGenerator, &dyn Nudger) = |_, _| {};
