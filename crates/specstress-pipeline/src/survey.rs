//! Which calls a run would make, and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use specstress_dataset::TableDir;

use crate::error::PipelineError;
use crate::fingerprint::{self, Change};
use crate::forecast::KnownCounts;
use crate::gate::Missing;
use crate::manifest::{Manifest, StageRecord};
use crate::progress::StageName;
use crate::run_dir::RunDir;
use crate::study::Study;
use crate::sweep::Sweep;

/// Calls of one model in one stage that a run would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingCalls {
    /// The model id.
    pub model: String,
    /// Calls; for embeddings, texts.
    pub calls: u64,
    /// Bytes of text they would send.
    pub bytes: u64,
    /// Those of them that other requests send too.
    pub shared_bytes: u64,
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Nothing it is made from has changed: it is left as it is.
    Kept,
    /// It is made again, all from stored replies.
    Stored,
    /// Some of its calls are not stored. Calls that follow from these are not counted.
    Incomplete,
    /// It needs a stage that is incomplete, so that its calls cannot be known yet.
    Later,
}

/// How a stage of a study stands against the call store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageSurvey {
    /// Which.
    pub stage: StageName,
    /// How it stands.
    pub state: StageState,
    /// Items, of a stage that is complete.
    pub items: Option<u64>,
    /// Replies found in the store by model; not counted for stages that are kept.
    pub found: BTreeMap<String, u64>,
    /// Calls that would be made, by model.
    pub missing: Vec<MissingCalls>,
    /// What it is made from and is not what it was in the last run.
    pub changes: Vec<Change>,
}

impl StageSurvey {
    /// Calls that would be made.
    pub fn calls(&self) -> u64 {
        self.missing.iter().map(|missing| missing.calls).sum()
    }
}

/// How all stages of a study stand against the call store of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// The stages, in order.
    pub stages: Vec<StageSurvey>,
    /// What the complete ones came to.
    pub counts: KnownCounts,
}

/// A folder that goes when it is no longer needed.
struct Scratch(PathBuf);

impl Scratch {
    fn new(run: &Path) -> Result<Self, PipelineError> {
        let path = run.join(format!(".survey-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(PipelineError::io("cannot create", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is a hidden folder of links.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn survey(
    study: &Study,
    run: &RunDir,
    before: Option<&Manifest>,
) -> Result<Survey, PipelineError> {
    let scratch = Scratch::new(run.desk())?;
    let watch = Watch::default();
    run.store().count_found();
    let mut sweep = Sweep::new(study, run, TableDir::new(&scratch.0), &watch, before);
    sweep.once(|_| Ok(())).await?;
    let missing = run.gate().missing();
    let found = run.store().found();
    let by_stage = watch.heard();
    let stages = StageName::ALL
        .into_iter()
        .map(|stage| {
            let record = sweep.done.get(&stage);
            let seen = by_stage.get(&stage).copied().unwrap_or_default();
            let state = match (record, seen.kept) {
                (Some(_), true) => StageState::Kept,
                (Some(_), false) => StageState::Stored,
                (None, _) if seen.deferred => StageState::Incomplete,
                (None, _) => StageState::Later,
            };
            StageSurvey {
                stage,
                state,
                items: record.map(StageRecord::items),
                found: found
                    .iter()
                    .filter(|((name, _), _)| *name == stage.as_str())
                    .map(|((_, model), calls)| (model.clone(), *calls))
                    .collect(),
                missing: missing_of(&missing, stage),
                changes: before.map_or_else(Vec::new, |before| {
                    fingerprint::changes(
                        stage,
                        (&before.settings, &before.inputs),
                        (&study.settings, &study.parts.inputs),
                    )
                }),
            }
        })
        .collect();
    let tables = TableDir::new(&scratch.0);
    let counts = KnownCounts::read(study, &tables, |stage| sweep.done.contains_key(&stage))
        .map_err(|abort| abort.into_error("survey"))?;
    Ok(Survey { stages, counts })
}

fn missing_of(
    missing: &BTreeMap<(&'static str, String), Missing>,
    stage: StageName,
) -> Vec<MissingCalls> {
    missing
        .iter()
        .filter(|((name, _), _)| *name == stage.as_str())
        .map(|((_, model), missing)| MissingCalls {
            model: model.clone(),
            calls: missing.calls,
            bytes: missing.bytes,
            shared_bytes: missing.shared_bytes,
        })
        .collect()
}

/// What was heard of a stage.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    kept: bool,
    deferred: bool,
}

#[derive(Debug, Default)]
struct Watch(std::sync::Mutex<BTreeMap<StageName, Seen>>);

impl Watch {
    fn with(&self, stage: StageName, change: impl FnOnce(&mut Seen)) {
        let mut seen = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        change(seen.entry(stage).or_default());
    }

    fn heard(&self) -> BTreeMap<StageName, Seen> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

impl crate::progress::Observer for Watch {
    fn kept(&self, stage: StageName, _items: u64) {
        self.with(stage, |seen| seen.kept = true);
    }

    fn deferred(&self, stage: StageName) {
        self.with(stage, |seen| seen.deferred = true);
    }
}
