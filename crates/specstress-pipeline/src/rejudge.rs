//! The verdicts of a finished run once more, against another spec.

use specstress_dataset::rows::VerdictRow;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::fingerprint;
use crate::manifest::{Manifest, StageRecord};
use crate::progress::{Observer, StageName};
use crate::run_dir::RunDir;
use crate::stages::{Tally, verdicts};
use crate::study::Study;

impl Study {
    /// Judges the answers that a finished run has judged once more: with this study's judges and spec, and otherwise
    /// the run's settings. Only judges are called.
    ///
    /// `run` is opened with [`RunOptions::beside`](crate::RunOptions::beside): the tables of the run are read and left as
    /// they are; verdicts, sections and citations go to the tables of the study beside it, and so does a manifest.
    /// Replies are kept in the run's call store, so that doing it again costs nothing.
    ///
    /// # Errors
    /// [`PipelineError::NothingJudged`] for a run without verdicts, and [`PipelineError::Setting`] when it is not opened
    /// beside. Else as [`run`](Self::run).
    pub async fn judge_again(
        &self,
        run: &RunDir,
        observer: &dyn Observer,
    ) -> Result<Manifest, PipelineError> {
        let stage = StageName::Verdicts;
        if run.desk() == run.path() {
            return Err(PipelineError::Setting {
                setting: "beside",
                reason: "verdicts under another spec would replace the run's own".to_owned(),
            });
        }
        let from = RunDir::tables_of(run.path());
        if !from.exists::<VerdictRow>() {
            return Err(PipelineError::NothingJudged {
                path: run.path().to_owned(),
            });
        }
        let books = |source| PipelineError::Books { source };
        run.store().clear_unsent().await.map_err(books)?;
        let outcomes = loop {
            run.store().enter(stage.as_str());
            let mut tally = Tally::new(stage, observer);
            match verdicts::run(self, &from, &run.tables(), &mut tally).await {
                Ok(()) => break tally.into_outcomes(),
                Err(Abort::Deferred) => {
                    observer.deferred(stage);
                    self.work_off(run, observer, stage.as_str()).await?;
                }
                Err(abort) => {
                    if matches!(abort, Abort::Fatal(_)) {
                        run.stop_signal().stop();
                    }
                    return Err(abort.into_error(stage.as_str()));
                }
            }
        };
        observer.finished(stage);
        let tables = run.tables();
        let root = tables.root();
        let mut manifest = self.manifest();
        manifest.stages = vec![StageRecord {
            stage,
            outcomes,
            // It is made from tables that are not its own.
            fingerprint: String::new(),
            content: fingerprint::content(root, stage)?,
            bytes: fingerprint::size(root, stage).unwrap_or(0),
        }];
        manifest.write(&RunDir::manifest_path(run.desk()))?;
        Ok(manifest)
    }
}
