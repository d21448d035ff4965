//! What a stage is made from, so that one that would come out the same is left as it is.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use specstress_dataset::Table;
use specstress_dataset::rows::{
    CitationRow, DisagreementRow, EmbeddingRow, ExpressedValuesRow, OutlierRow, PairRow,
    PositionRow, RefusalRow, ResponseRow, ScenarioRow, SectionRow, SelectionRow, SpectrumRow,
    TopicRow, VerdictRow,
};
use specstress_llm::Digest;
use specstress_llm::json::canonical;

use crate::error::PipelineError;
use crate::manifest::StageRecord;
use crate::progress::StageName;
use crate::settings::StudySettings;

/// The tables a stage writes.
pub(crate) fn tables_of(stage: StageName) -> &'static [&'static str] {
    match stage {
        StageName::Pairs => &[PairRow::NAME],
        StageName::Scenarios => &[ScenarioRow::NAME],
        StageName::Embeddings => &[EmbeddingRow::NAME],
        StageName::Diversity | StageName::Selections => &[SelectionRow::NAME],
        StageName::Responses => &[ResponseRow::NAME],
        StageName::Spectra => &[SpectrumRow::NAME],
        StageName::Positions => &[PositionRow::NAME],
        StageName::Disagreement => &[DisagreementRow::NAME, OutlierRow::NAME],
        StageName::Verdicts => &[VerdictRow::NAME, SectionRow::NAME, CitationRow::NAME],
        StageName::Topics => &[TopicRow::NAME],
        StageName::Refusals => &[RefusalRow::NAME],
        StageName::ExpressedValues => &[ExpressedValuesRow::NAME],
    }
}

/// The settings a stage depends on, apart from what it gets through tables.
pub(crate) fn settings_of(
    stage: StageName,
    settings: &StudySettings,
) -> BTreeMap<&'static str, Value> {
    let all = |names: &[&'static str]| -> BTreeMap<&'static str, Value> {
        let whole = json!(settings);
        names
            .iter()
            .map(|&name| (name, whole.get(name).cloned().unwrap_or(Value::Null)))
            .collect()
    };
    match stage {
        StageName::Pairs => all(&["seed", "pairs"]),
        StageName::Scenarios => all(&["seed"]),
        StageName::Embeddings | StageName::Spectra => BTreeMap::new(),
        StageName::Diversity => all(&["seed", "diversity_radius"]),
        StageName::Responses | StageName::Positions => all(&["samples"]),
        StageName::Disagreement => all(&[
            "samples",
            "std",
            "threshold",
            "subsets",
            "outliers",
            "outlier_gap",
            "outlier_count",
        ]),
        StageName::Selections => all(&["subsets", "weighted_radius"]),
        StageName::Verdicts => all(&[
            "seed",
            "samples",
            "judged_subset",
            "subsets",
            "judged_per_bin",
            "early_stop",
        ]),
        StageName::Topics => all(&["subsets"]),
        StageName::Refusals | StageName::ExpressedValues => all(&["subsets", "samples"]),
    }
}

/// Whether a stage depends on an input of the manifest.
pub(crate) fn uses(stage: StageName, input: &str) -> bool {
    // What every stage depends on, as far as the caller knows.
    if input.starts_with("any/") {
        return true;
    }
    let any = |names: &[&str]| {
        names.iter().any(|name| {
            // A name that ends in a slash stands for all below it.
            input == *name || (name.ends_with('/') && input.starts_with(name))
        })
    };
    match stage {
        StageName::Pairs => any(&["taxonomy", "sampling"]),
        StageName::Scenarios => any(&[
            "prompt/scenario",
            "prompt/nudge",
            "model/author/",
            "settings/authors",
        ]),
        StageName::Embeddings | StageName::Diversity | StageName::Selections => {
            any(&["model/embedder"])
        }
        StageName::Responses | StageName::Disagreement => any(&["panel/"]),
        StageName::Spectra => any(&["prompt/spectrum", "model/rubric", "settings/rubric"]),
        StageName::Positions => any(&[
            "prompt/classification",
            "model/classifier",
            "settings/classifier",
            "panel/",
        ]),
        StageName::Verdicts => any(&[
            "spec",
            "prompt/verdict",
            "model/judge/",
            "settings/judges",
            "panel/",
        ]),
        StageName::Topics => any(&["prompt/topics", "model/labeler", "settings/labeler"]),
        StageName::Refusals => any(&[
            "prompt/refusal",
            "model/labeler",
            "settings/labeler",
            "panel/",
        ]),
        StageName::ExpressedValues => any(&[
            "prompt/expressed_values",
            "model/labeler",
            "settings/labeler",
            "model/embedder",
            "taxonomy",
            "panel/",
        ]),
    }
}

/// The identity of a stage's outcome: its settings and inputs, and the content of every table it reads, those of
/// other shards included.
pub(crate) fn fingerprint(
    stage: StageName,
    settings: &StudySettings,
    inputs: &BTreeMap<String, String>,
    done: &BTreeMap<StageName, StageRecord>,
    others: &[String],
) -> String {
    let mut digest = Digest::new("specstress stage 1")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("stage", stage.as_str())
        .field("shard", canonical(&json!(settings.shard)));
    for (name, value) in settings_of(stage, settings) {
        digest = digest.field(name, canonical(&value));
    }
    for (name, value) in inputs.iter().filter(|(name, _)| uses(stage, name)) {
        digest = digest.field(name, value);
    }
    for need in stage.needs() {
        digest = digest.optional(need.as_str(), done.get(need).map(|record| &record.content));
    }
    for content in others {
        digest = digest.field("other", content);
    }
    digest.hex()
}

/// SHA-256 of the files of a stage's tables.
pub(crate) fn content(root: &Path, stage: StageName) -> Result<String, PipelineError> {
    let mut digest = Digest::new("specstress table content 1");
    for part in parts(root, stage)? {
        let bytes = fs::read(&part).map_err(PipelineError::io("cannot read", &part))?;
        digest = digest.field("part", bytes);
    }
    Ok(digest.hex())
}

/// Bytes of the files of a stage's tables; `None` when one is missing.
pub(crate) fn size(root: &Path, stage: StageName) -> Option<u64> {
    let parts = parts(root, stage).ok()?;
    parts
        .iter()
        .map(|part| fs::metadata(part).ok().map(|file| file.len()))
        .sum()
}

fn parts(root: &Path, stage: StageName) -> Result<Vec<PathBuf>, PipelineError> {
    let mut all = Vec::new();
    for table in tables_of(stage) {
        let folder = root.join(table);
        let list = || -> io::Result<Vec<PathBuf>> {
            fs::read_dir(&folder)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        };
        let mut parts = list().map_err(PipelineError::io("cannot list", &folder))?;
        parts.sort();
        all.append(&mut parts);
    }
    Ok(all)
}

/// Something a stage depends on that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `spec`, `prompt/verdict`, `model/judge/strict`, `setting seed`.
    pub what: String,
    /// What it was; `None` when it was not there.
    pub before: Option<String>,
    /// What it is; `None` when it is gone.
    pub now: Option<String>,
}

/// What differs between two sets of inputs and settings, as far as a stage depends on it.
pub(crate) fn changes(
    stage: StageName,
    before: (&StudySettings, &BTreeMap<String, String>),
    now: (&StudySettings, &BTreeMap<String, String>),
) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old, new) = (settings_of(stage, before.0), settings_of(stage, now.0));
    for (name, value) in &new {
        let was = old.get(name);
        if was != Some(value) {
            changes.push(Change {
                what: format!("setting {name}"),
                before: was.map(canonical),
                now: Some(canonical(value)),
            });
        }
    }
    let names: std::collections::BTreeSet<&String> = before.1.keys().chain(now.1.keys()).collect();
    for name in names.into_iter().filter(|name| uses(stage, name)) {
        let (was, is) = (before.1.get(name), now.1.get(name));
        if was != is {
            changes.push(Change {
                what: name.clone(),
                before: was.cloned(),
                now: is.cloned(),
            });
        }
    }
    changes
}
