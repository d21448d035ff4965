use specstress_dataset::TableDir;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::manifest::{Manifest, PanelInfo, StageRecord};
use crate::parts::StudyParts;
use crate::progress::{Observer, StageName};
use crate::run_dir::RunDir;
use crate::settings::StudySettings;
use crate::stages::{self, Tally};

/// A study: checked settings and everyone who works in it.
#[derive(Clone, Debug)]
pub struct Study {
    pub(crate) settings: StudySettings,
    pub(crate) parts: StudyParts,
}

impl Study {
    /// Checks the settings against the panel.
    pub fn new(settings: StudySettings, parts: StudyParts) -> Result<Self, PipelineError> {
        let refuse = |setting, reason: String| Err(PipelineError::Setting { setting, reason });
        if parts.panel.len() < 2 {
            return refuse("panel", "needs two models or more to disagree".to_owned());
        }
        if parts.authors.is_empty() {
            return refuse("authors", "nobody writes the questions".to_owned());
        }
        let keys: Vec<&str> = parts.panel.iter().map(|model| model.key.as_str()).collect();
        for (at, key) in keys.iter().enumerate() {
            if keys[..at].contains(key) {
                return refuse("panel", format!("the key {key} stands twice"));
            }
        }
        let settings = settings.checked(&keys)?;
        Ok(Self { settings, parts })
    }

    /// The settings as checked.
    pub fn settings(&self) -> &StudySettings {
        &self.settings
    }

    /// Runs every stage in order. Whatever was asked before is found in the run's call store, so running
    /// again pays only for what is new; the same settings give the same bytes in every table.
    ///
    /// Stages stream: memory does not grow with the number of questions, but for the ids of the kept ones
    /// and, in the two selections, the vectors.
    ///
    /// Ends early with [`PipelineError::Stopped`] after [`RunDir::stop_signal`], once everything in flight is
    /// stored.
    pub async fn run(
        &self,
        run: &RunDir,
        observer: &dyn Observer,
    ) -> Result<Manifest, PipelineError> {
        let mut manifest = Manifest::new(self.settings.clone());
        manifest.simulated = self.parts.simulated;
        manifest.panel = self
            .parts
            .panel
            .iter()
            .map(|panel| PanelInfo {
                key: panel.key.clone(),
                provider: panel.provider.clone(),
                name: panel.name.clone(),
                model: panel.model.id().to_string(),
            })
            .collect();
        manifest.judges = self
            .parts
            .judges
            .iter()
            .map(|j| j.name().to_owned())
            .collect();
        manifest.inputs.clone_from(&self.parts.inputs);
        let manifest_path = RunDir::manifest_path(run.path());
        manifest.write(&manifest_path)?;

        let tables = run.tables();
        for name in StageName::ALL {
            let mut tally = Tally::new(name, observer);
            match self.stage(name, &tables, &mut tally).await {
                Ok(()) => {}
                Err(abort) => {
                    if matches!(abort, Abort::Fatal(_)) {
                        run.stop_signal().stop();
                    }
                    return Err(abort.into_error(name));
                }
            }
            observer.finished(name);
            manifest.stages.push(StageRecord {
                stage: name,
                outcomes: tally.into_outcomes(),
            });
            manifest.write(&manifest_path)?;
        }
        Ok(manifest)
    }

    async fn stage(
        &self,
        name: StageName,
        tables: &TableDir,
        tally: &mut Tally<'_>,
    ) -> Result<(), Abort> {
        match name {
            StageName::Pairs => stages::pairs::run(self, tables, tally),
            StageName::Scenarios => stages::scenarios::run(self, tables, tally).await,
            StageName::Embeddings => stages::embeddings::run(self, tables, tally).await,
            StageName::Diversity => stages::diversity::run(self, tables, tally),
            StageName::Responses => stages::responses::run(self, tables, tally).await,
            StageName::Spectra => stages::spectra::run(self, tables, tally).await,
            StageName::Positions => stages::positions::run(self, tables, tally).await,
            StageName::Disagreement => stages::disagreement::run(self, tables, tally),
            StageName::Selections => stages::selections::run(self, tables, tally),
            StageName::Verdicts => stages::verdicts::run(self, tables, tally).await,
            StageName::Topics => stages::topics::run(self, tables, tally).await,
            StageName::Refusals => stages::refusals::run(self, tables, tally).await,
            StageName::ExpressedValues => stages::expressed::run(self, tables, tally).await,
        }
    }
}
