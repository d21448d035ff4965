use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use specstress_llm::Unanswered;
use specstress_values::{Side, ValuePair};

use crate::position::Position;

/// Seven answering strategies for one value, from extreme opposition to extreme favour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spectrum {
    /// The value.
    pub value: String,
    /// One strategy per position, in order of score.
    pub strategies: [String; 7],
}

impl Spectrum {
    /// The strategy at a position.
    pub fn strategy(&self, position: Position) -> &str {
        &self.strategies[usize::from(position.score())]
    }
}

/// The two spectra of a value pair, shared by its three framings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpectrumPair {
    /// Varies value 1 only.
    pub value1: Spectrum,
    /// Varies value 2 only.
    pub value2: Spectrum,
}

impl SpectrumPair {
    /// The spectrum of one side.
    pub fn side(&self, side: Side) -> &Spectrum {
        match side {
            Side::Value1 => &self.value1,
            Side::Value2 => &self.value2,
        }
    }
}

/// The questions of a triple that exist; at least one must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TripleQueries<'a> {
    /// The neutral one.
    pub neutral: Option<&'a str>,
    /// The one nudged toward value 1.
    pub value1: Option<&'a str>,
    /// The one nudged toward value 2.
    pub value2: Option<&'a str>,
}

/// Writes the two spectra of a pair from all its questions (method: stage 6, appendix B.3).
#[async_trait]
pub trait SpectrumBuilder: Send + Sync + fmt::Debug {
    /// Writes both spectra.
    async fn build(
        &self,
        pair: &ValuePair,
        queries: TripleQueries<'_>,
    ) -> Result<SpectrumPair, Unanswered>;
}

#[async_trait]
impl<T: SpectrumBuilder + ?Sized> SpectrumBuilder for Arc<T> {
    async fn build(
        &self,
        pair: &ValuePair,
        queries: TripleQueries<'_>,
    ) -> Result<SpectrumPair, Unanswered> {
        (**self).build(pair, queries).await
    }
}

const _: fn(&dyn SpectrumBuilder) = |_| {};
