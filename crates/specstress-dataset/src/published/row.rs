use std::sync::Arc;

use specstress_scenarios::Nudge;

/// One question of the published data set with what each model did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PublishedRow {
    /// Place in the split by falling disagreement, from 1.
    pub rank: Option<i64>,
    /// Who wrote the question.
    pub query_generator: Option<String>,
    /// First value.
    pub value1: Option<String>,
    /// Second value.
    pub value2: Option<String>,
    /// The framing.
    pub nudge_direction: Option<Nudge>,
    /// The question.
    pub query: Option<String>,
    /// Keys of the models, the same list for all rows of a file.
    pub models: Arc<[String]>,
    /// Position on value 1 and on value 2, each 0 to 6, in the order of `models`.
    pub positions: Vec<(Option<u8>, Option<u8>)>,
    /// The answers, in the order of `models`.
    pub responses: Vec<Option<String>>,
    /// With `entry_idx`, names the value pair.
    pub chunk_index: Option<i64>,
    /// With `chunk_index`, names the value pair.
    pub entry_idx: Option<i64>,
    /// The seven strategies for value 1, from extreme opposition to extreme favour; only in the `complete` config.
    pub value1_spectrum: Option<Vec<String>>,
    /// The seven strategies for value 2.
    pub value2_spectrum: Option<Vec<String>>,
}

impl PublishedRow {
    /// The two positions of a model; `None` when the row does not have the model. Cost: one pass over the keys.
    pub fn position(&self, model: &str) -> Option<(Option<u8>, Option<u8>)> {
        self.positions.get(self.index(model)?).copied()
    }

    /// The answer of a model, if the row has it.
    pub fn response(&self, model: &str) -> Option<&str> {
        self.responses.get(self.index(model)?)?.as_deref()
    }

    fn index(&self, model: &str) -> Option<usize> {
        self.models.iter().position(|key| key == model)
    }
}
