//! Who does what in a study, as far as it decides the number of calls.

use std::collections::BTreeMap;

use crate::study::Study;
use crate::survey::Survey;

/// The roles of a study by model id.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Model ids by author's name.
    pub(super) authors: BTreeMap<String, String>,
    pub(super) panel: Vec<String>,
    pub(super) rubric: Option<String>,
    pub(super) classifier: Option<String>,
    pub(super) labeler: Option<String>,
    pub(super) embedder: Option<String>,
    pub(super) judges: Vec<String>,
    /// Models of the judged subset.
    pub(super) judged_models: usize,
    pub(super) judged_per_bin: Option<usize>,
    pub(super) samples: u32,
    pub(super) pairs: u64,
    /// Texts that stand for the categories.
    pub(super) categories: u64,
}

impl Shape {
    pub(super) fn new(study: &Study) -> Self {
        let (settings, parts) = (&study.settings, &study.parts);
        let role = |name: &str| parts.inputs.get(&format!("model/{name}")).cloned();
        let roles = |prefix: &str| -> BTreeMap<String, String> {
            let prefix = format!("model/{prefix}/");
            let named = |(key, model): (&String, &String)| {
                let name = key.strip_prefix(&prefix)?;
                Some((name.to_owned(), model.clone()))
            };
            parts.inputs.iter().filter_map(named).collect()
        };
        let level = parts.taxonomy.category_level();
        let range = settings
            .shard
            .map_or(0..settings.pairs, |shard| shard.range(settings.pairs));
        Self {
            authors: roles("author"),
            panel: parts
                .panel
                .iter()
                .map(|panel| panel.model.id().to_string())
                .collect(),
            rubric: role("rubric"),
            classifier: role("classifier"),
            labeler: role("labeler"),
            embedder: role("embedder"),
            judges: roles("judge").into_values().collect(),
            judged_models: settings.judged().map_or(0, |subset| subset.models.len()),
            judged_per_bin: settings.judged_per_bin,
            samples: settings.samples,
            pairs: range.len() as u64,
            categories: level
                .into_iter()
                .flat_map(|level| parts.taxonomy.at_level(level))
                .count() as u64,
        }
    }

    /// The same people with the pairs of a pilot.
    pub(super) fn of_pilot(&self, pilot: &Survey) -> Self {
        let pairs = pilot.counts.pairs.iter().flat_map(BTreeMap::values).sum();
        Self {
            pairs,
            ..self.clone()
        }
    }

    /// Answers to one question.
    pub(super) fn answers(&self) -> f64 {
        self.panel.len() as f64 * f64::from(self.samples)
    }
}
