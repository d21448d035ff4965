//! A study split into parts that run on their own.
//!
//! Most stages look at one question at a time. Three look at all of them: the two selections and the draw of what is
//! judged. There a shard reads the tables of all shards, so that each decides for itself what the whole study would
//! have decided, and waits for shards that are not that far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use specstress_dataset::{Rows, Table, TableDir};

use crate::error::PipelineError;
use crate::manifest::Manifest;
use crate::progress::StageName;
use crate::run_dir::RunDir;
use crate::settings::{Shard, StudySettings};

/// Where the shards of a study are.
#[derive(Clone, Debug)]
pub(crate) struct Shards {
    own: Shard,
    /// The run directories of all shards, in order.
    dirs: Vec<PathBuf>,
}

/// The tables of other shards that a stage reads beside its own.
fn shared_needs(stage: StageName) -> &'static [StageName] {
    match stage {
        StageName::Diversity => &[StageName::Scenarios, StageName::Embeddings],
        StageName::Selections => &[StageName::Embeddings, StageName::Disagreement],
        StageName::Verdicts => &[StageName::Disagreement],
        _ => &[],
    }
}

impl Shards {
    pub(crate) fn new(own: Shard, base: &Path) -> Self {
        let dirs = (1..=own.count)
            .map(|index| RunDir::shard_path(base, Shard { index, ..own }))
            .collect();
        Self { own, dirs }
    }

    /// All rows of a table over all shards, in order; the own ones from `tables`.
    pub(crate) fn rows<T: Table>(&self, tables: &TableDir) -> Result<Rows<T>, PipelineError> {
        let mut all: Vec<Rows<T>> = Vec::with_capacity(self.dirs.len());
        for (index, dir) in (1..).zip(&self.dirs) {
            all.push(if index == self.own.index {
                tables.rows::<T>()?
            } else {
                RunDir::tables_of(dir).rows::<T>()?
            });
        }
        Ok(Box::new(all.into_iter().flatten()))
    }

    /// The content of what other shards have that a stage reads, or the error that they are not that far.
    pub(crate) fn content(
        &self,
        stage: StageName,
        settings: &StudySettings,
        inputs: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, PipelineError> {
        let needs = shared_needs(stage);
        if needs.is_empty() {
            return Ok(Vec::new());
        }
        let mut contents = Vec::new();
        let mut late = Vec::new();
        for (index, dir) in (1..).zip(&self.dirs) {
            if index == self.own.index {
                continue;
            }
            let manifest = Manifest::read(&RunDir::manifest_path(dir))?;
            let same = manifest.filter(|manifest| {
                let unsharded = |settings: &StudySettings| StudySettings {
                    shard: None,
                    concurrency: 1,
                    ..settings.clone()
                };
                unsharded(&manifest.settings) == unsharded(settings) && manifest.inputs == *inputs
            });
            let found: Option<Vec<String>> = same.and_then(|manifest| {
                needs
                    .iter()
                    .map(|need| {
                        let record = manifest.stages.iter().find(|record| record.stage == *need);
                        record.map(|record| record.content.clone())
                    })
                    .collect()
            });
            match found {
                Some(found) => contents.extend(found),
                None => late.push(index.to_string()),
            }
        }
        if late.is_empty() {
            return Ok(contents);
        }
        Err(PipelineError::WaitingForShards {
            stage: stage.as_str(),
            shards: late.join(", "),
        })
    }
}
