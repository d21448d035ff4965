//! Going through the stages: in order, each once what it needs is there.

use std::collections::BTreeMap;

use specstress_dataset::TableDir;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::fingerprint;
use crate::manifest::{Manifest, StageRecord};
use crate::progress::{Observer, StageName};
use crate::run_dir::RunDir;
use crate::stages::Tally;
use crate::study::Study;

/// The state of going through a study's stages.
pub(crate) struct Sweep<'a> {
    study: &'a Study,
    run: &'a RunDir,
    tables: TableDir,
    observer: &'a dyn Observer,
    before: BTreeMap<StageName, StageRecord>,
    /// The stages that are done.
    pub(crate) done: BTreeMap<StageName, StageRecord>,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(
        study: &'a Study,
        run: &'a RunDir,
        tables: TableDir,
        observer: &'a dyn Observer,
        before: Option<&Manifest>,
    ) -> Self {
        let records = before.map_or(&[][..], |manifest| &manifest.stages);
        Self {
            study,
            run,
            tables,
            observer,
            before: records
                .iter()
                .map(|record| (record.stage, record.clone()))
                .collect(),
            done: BTreeMap::new(),
        }
    }

    /// Goes through all stages that are not done and whose needs are; `saved` hears of every one that is now.
    ///
    /// Answers with the first stage whose calls were put off, if any were. Independent stages are gone through all the
    /// same, so that their calls wait for the same batches.
    pub(crate) async fn once(
        &mut self,
        mut saved: impl FnMut(&BTreeMap<StageName, StageRecord>) -> Result<(), PipelineError>,
    ) -> Result<Option<&'static str>, PipelineError> {
        let mut deferred = None;
        let mut late = None;
        for stage in StageName::ALL {
            let beyond = self.study.until.is_some_and(|last| stage > last);
            if beyond || self.done.contains_key(&stage) {
                continue;
            }
            let inputs = &self.study.parts.inputs;
            if stage
                .needs()
                .iter()
                .any(|need| !self.done.contains_key(need))
            {
                continue;
            }
            let settings = &self.study.settings;
            let others = match &self.study.shards {
                Some(shards) => match shards.content(stage, settings, inputs) {
                    Ok(others) => others,
                    // The others may be waiting for what this one can still do.
                    Err(error @ PipelineError::WaitingForShards { .. }) => {
                        late.get_or_insert(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                None => Vec::new(),
            };
            let fingerprint =
                fingerprint::fingerprint(stage, settings, inputs, &self.done, &others);
            if let Some(record) = self.unchanged(stage, &fingerprint) {
                self.observer.kept(stage, record.items());
                self.done.insert(stage, record);
                saved(&self.done)?;
                continue;
            }
            let left_out = self.run.gate().left_out();
            self.run.store().enter(stage.as_str());
            let mut tally = Tally::new(stage, self.observer);
            let result = self.study.stage(stage, &self.tables, &mut tally).await;
            match result {
                // A stage of one item is no stage.
                Ok(()) if self.study.only.is_some() => {
                    self.observer.deferred(stage);
                    deferred.get_or_insert(stage.as_str());
                    continue;
                }
                Ok(()) => {}
                Err(Abort::Deferred) => {
                    self.observer.deferred(stage);
                    deferred.get_or_insert(stage.as_str());
                    continue;
                }
                Err(abort) => return Err(abort.into_error(stage.as_str())),
            }
            self.observer.finished(stage);
            let outcomes = tally.into_outcomes();
            // Failed calls are made again by the next run, and so are calls that were left out.
            let complete = !outcomes.contains_key("failed")
                && self.run.gate().left_out() == left_out
                && self.study.parts.inputs_complete;
            let root = self.tables.root();
            let record = StageRecord {
                stage,
                outcomes,
                fingerprint: if complete { fingerprint } else { String::new() },
                content: fingerprint::content(root, stage)?,
                bytes: fingerprint::size(root, stage).unwrap_or(0),
            };
            self.done.insert(stage, record);
            saved(&self.done)?;
        }
        match late {
            Some(late) if deferred.is_none() => Err(late),
            _ => Ok(deferred),
        }
    }

    /// The earlier record of a stage that would come out the same.
    fn unchanged(&self, stage: StageName, fingerprint: &str) -> Option<StageRecord> {
        let record = self.before.get(&stage)?;
        if record.fingerprint != fingerprint
            || self.study.read_again
            || self.run.gate().reads_again()
        {
            return None;
        }
        let root = self.run.tables().root().to_owned();
        let size = fingerprint::size(&root, stage)?;
        // The selections stage adds to the table of the diversity stage.
        if size != record.bytes && stage != StageName::Diversity {
            return None;
        }
        if *self.tables.root() != root {
            link_tables(&root, self.tables.root(), stage).ok()?;
        }
        Some(record.clone())
    }
}

/// Makes a stage's tables readable under another root.
fn link_tables(
    from: &std::path::Path,
    to: &std::path::Path,
    stage: StageName,
) -> std::io::Result<()> {
    for table in fingerprint::tables_of(stage) {
        let (source, target) = (from.join(table), to.join(table));
        if target.exists() {
            continue;
        }
        std::fs::create_dir_all(&target)?;
        for entry in std::fs::read_dir(&source)? {
            let entry = entry?;
            let place = target.join(entry.file_name());
            // A hard link costs nothing; across file systems there is none.
            if std::fs::hard_link(entry.path(), &place).is_err() {
                std::fs::copy(entry.path(), &place)?;
            }
        }
    }
    Ok(())
}
