use std::collections::BTreeMap;
use std::path::Path;

use specstress_dataset::{Rows, Table, TableDir};

use specstress_llm::LlmErrorKind;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::manifest::{Manifest, PanelInfo, StageRecord};
use crate::parts::StudyParts;
use crate::progress::{Observer, StageName};
use crate::run_dir::RunDir;
use crate::settings::StudySettings;
use crate::shards::Shards;
use crate::stages::{self, Tally};
use crate::survey::{self, Survey};
use crate::sweep::Sweep;

/// A study: checked settings and everyone who works in it. Running it is [`run`](Self::run).
#[derive(Clone, Debug)]
pub struct Study {
    pub(crate) settings: StudySettings,
    pub(crate) parts: StudyParts,
    pub(crate) shards: Option<Shards>,
    pub(crate) only: Option<String>,
    pub(crate) read_again: bool,
    pub(crate) until: Option<StageName>,
}

impl Study {
    /// Checks the settings against the panel, before anything is asked.
    ///
    /// # Errors
    /// [`PipelineError::Setting`], which names the setting, for: fewer than two models, no author, a key or a
    /// judge's name that stands twice; no pairs, samples or concurrency; a threshold or radius that is not
    /// above 0; an outlier gap outside 1 to 6 or an outlier count of 0; a subset with a model outside the panel,
    /// one model twice or fewer than two, a name that stands twice or is `diversity`; an unknown judged subset.
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
        for (at, judge) in parts.judges.iter().enumerate() {
            if parts.judges[..at].iter().any(|j| j.name() == judge.name()) {
                return refuse("judges", format!("the name {} stands twice", judge.name()));
            }
        }
        let settings = settings.checked(&keys)?;
        Ok(Self {
            settings,
            parts,
            shards: None,
            only: None,
            read_again: false,
            until: None,
        })
    }

    /// For a [shard](StudySettings::shard): the run directory of the whole study, below which the shards have
    /// [theirs](RunDir::shard_path). A shard reads the others' tables where it must look at all questions.
    #[must_use]
    pub fn with_shards_at(mut self, base: &Path) -> Self {
        self.shards = self.settings.shard.map(|own| Shards::new(own, base));
        self
    }

    /// For a survey: only the calls about one question or pair, by its id. Stages that look at all questions are not
    /// gone through then, unless nothing they are made from has changed.
    #[must_use]
    pub fn only(mut self, item: &str) -> Self {
        self.only = Some(item.to_owned());
        self
    }

    /// Ends a run after this stage, so that the later ones can be planned exactly.
    #[must_use]
    pub fn until(mut self, stage: StageName) -> Self {
        self.until = Some(stage);
        self
    }

    /// Makes every stage again from the call store, even when nothing has changed.
    #[must_use]
    pub fn read_again(mut self) -> Self {
        self.parts.inputs_complete = false;
        self.read_again = true;
        self
    }

    /// Whether a question of a pair is among those that are looked at.
    pub(crate) fn wants(&self, scenario_id: &str, triple_id: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|item| item == scenario_id || item == triple_id)
    }

    /// All rows of a table: over all shards, where this is one.
    pub(crate) fn all_rows<T: Table>(&self, tables: &TableDir) -> Result<Rows<T>, PipelineError> {
        match &self.shards {
            Some(shards) => shards.rows(tables),
            None => Ok(tables.rows::<T>()?),
        }
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
    /// A single item that goes wrong does not end the run: it gets its outcome in its table and is counted in
    /// the manifest. Failed calls are not stored, so that the next run makes them again.
    ///
    /// Time is that of the calls: at most [`concurrency`](StudySettings::concurrency) are in flight, one stage
    /// after the other. Any executor will do.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use specstress_judge::Spec;
    /// # use specstress_llm::{CallSettings, ChatModel, ChatRequest, ChatResponse, ScriptedModel};
    /// use specstress_dataset::rows::DisagreementRow;
    /// # use specstress_pipeline::{PanelModel, Prompts, StandardModels, StudyParts, TaskSettings};
    /// use specstress_pipeline::{RunDir, Study, StudySettings};
    /// # use specstress_rubric::Position;
    /// # use specstress_values::{Taxonomy, UniformPairs};
    /// # fn scripted(id: &str, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Arc<dyn ChatModel> {
    /// #     let name = id.to_owned();
    /// #     let reply = move |r: &ChatRequest| Ok(ChatResponse::stop(&name, answer(&r.last_user_text())));
    /// #     Arc::new(ScriptedModel::new(id).otherwise(reply))
    /// # }
    /// # let author = scripted("demo/author", |ask| {
    /// #     let tag = if ask.contains("[User Query]") { "[User Query]" } else { "[User Question]" };
    /// #     format!("{tag}\nShould I?")
    /// # });
    /// # let entries: Vec<_> = Position::NAMES
    /// #     .map(|name| serde_json::json!({"position": name, "response": name}))
    /// #     .into();
    /// # let spectra = serde_json::json!({"value1_bias_spectrum": entries, "value2_bias_spectrum": entries});
    /// # let place = |p: u8| serde_json::json!({
    /// #     "value1_reasoning": "r", "value1_position": p, "value1_confidence": 1.0,
    /// #     "value2_reasoning": "r", "value2_position": 3, "value2_confidence": 1.0});
    /// # let places = serde_json::json!({"yes": place(6), "no": place(0)}).to_string();
    /// # let panel = ["yes", "no"].map(|key| PanelModel {
    /// #     key: key.to_owned(), provider: "demo".to_owned(), name: key.to_owned(),
    /// #     model: scripted(&format!("demo/{key}"), move |_| key.to_owned()),
    /// #     settings: CallSettings::default(),
    /// # });
    /// # let models = StandardModels {
    /// #     authors: vec![("author".to_owned(), author)],
    /// #     panel: panel.into(),
    /// #     embedder: None,
    /// #     rubric: scripted("demo/rubric", move |_| spectra.to_string()),
    /// #     classifier: scripted("demo/classifier", move |_| places.clone()),
    /// #     labeler: None,
    /// #     judges: Vec::new(),
    /// # };
    /// # let dir = tempfile::tempdir()?;
    /// let run = RunDir::open(dir.path())?;
    /// let recorder = run.recorder();
    /// // Two models that always say yes and no; see `StudyParts::standard` for the people of a study.
    /// # let parts = StudyParts::standard(&recorder, Arc::new(Taxonomy::builtin()), Arc::new(UniformPairs),
    /// #     &Spec::parse("# Honesty\nDo not lie.")?, models, &Prompts::default(), &TaskSettings::default())?;
    /// let settings = StudySettings { pairs: 2, ..StudySettings::default() };
    /// let study = Study::new(settings, parts)?;
    /// let manifest = futures::executor::block_on(study.run(&run, &()))?;
    /// assert_eq!(manifest.stages.len(), 13);
    /// for row in run.tables().rows::<DisagreementRow>()? {
    ///     assert_eq!(row?.disagreement, Some(3.0));
    /// }
    ///
    /// // Again: every reply is in the call store.
    /// let made = recorder.counts().made();
    /// futures::executor::block_on(study.run(&run, &()))?;
    /// assert_eq!(recorder.counts().made(), made);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`PipelineError::Stopped`] after [`RunDir::stop_signal`], once everything in flight is stored;
    /// - [`PipelineError::Fatal`] when every further call would fail (wrong key, no credit, call store broken): no
    ///   new item starts and the run's stop signal is set;
    /// - [`PipelineError::Values`] when the pairs cannot be sampled, [`PipelineError::Dimensions`] and
    ///   [`PipelineError::KCenter`] for vectors that cannot be compared, [`PipelineError::Setting`] when the
    ///   categories cannot be embedded, [`PipelineError::Dataset`] and [`PipelineError::Io`] for files.
    ///
    /// In every case what was answered is stored, and running again goes on from there.
    pub async fn run(
        &self,
        run: &RunDir,
        observer: &dyn Observer,
    ) -> Result<Manifest, PipelineError> {
        let path = RunDir::manifest_path(run.desk());
        let before = Manifest::read(&path)?;
        let mut manifest = self.manifest();
        manifest.budget = run.gate().purse.budget().clone();
        let mut sweep = Sweep::new(self, run, run.tables(), observer, before.as_ref());
        let books = |source| PipelineError::Books { source };
        run.store().clear_unsent().await.map_err(books)?;
        // What the last run of the same study finished stays said until it is said anew: other shards read it.
        let earlier: BTreeMap<StageName, StageRecord> = before
            .filter(|before| {
                before.settings == manifest.settings && before.inputs == manifest.inputs
            })
            .into_iter()
            .flat_map(|before| before.stages)
            .map(|record| (record.stage, record))
            .collect();
        manifest.stages = earlier.values().cloned().collect();
        manifest.write(&path)?;
        loop {
            let deferred = sweep
                .once(|done| {
                    let mut stages = earlier.clone();
                    stages.extend(done.iter().map(|(stage, record)| (*stage, record.clone())));
                    manifest.stages = stages.into_values().collect();
                    manifest.write(&path)
                })
                .await;
            match deferred {
                Ok(None) => break,
                Ok(Some(stage)) => self.work_off(run, observer, stage).await?,
                // Batches may turn out cheaper than what is held for them.
                Err(error @ PipelineError::OverBudget { stage, .. }) => {
                    if run.store().open_batches().map_err(books)?.is_empty() {
                        run.stop_signal().stop();
                        return Err(error);
                    }
                    self.work_off(run, observer, stage).await?;
                }
                Err(error) => {
                    if matches!(error, PipelineError::Fatal { .. }) {
                        run.stop_signal().stop();
                    }
                    return Err(error);
                }
            }
        }
        // What is no longer needed is paid for all the same.
        let last = StageName::ALL[StageName::ALL.len() - 1].as_str();
        self.work_off(run, observer, last).await?;
        Ok(manifest)
    }

    /// Counts the calls a run would make now, without making any and without touching the run's tables.
    ///
    /// A stage that needs the table of another one which is not complete is not counted: what it would ask depends on
    /// answers that are not there. Cost: a pass over what is stored for stages that are not left as they are.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for what only calls can meet. The run must be opened with [`CallPolicy::Count`](crate::CallPolicy::Count).
    pub async fn survey(&self, run: &RunDir) -> Result<Survey, PipelineError> {
        let before = Manifest::read(&RunDir::manifest_path(run.desk()))?;
        survey::survey(self, run, before.as_ref()).await
    }

    /// What a run of this study says of itself.
    pub(crate) fn manifest(&self) -> Manifest {
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
        manifest
    }

    /// Sends what waits for batches and takes in what they bring.
    pub(crate) async fn work_off(
        &self,
        run: &RunDir,
        observer: &dyn Observer,
        stage: &'static str,
    ) -> Result<(), PipelineError> {
        let gate = run.gate();
        let open = run
            .store()
            .open_batches()
            .map_err(|source| PipelineError::Books { source })?;
        let orphans = gate.batches.as_ref().map_or_else(
            || open.iter().map(|batch| batch.model.clone()).collect(),
            |batches| batches.orphans(&open),
        );
        if !orphans.is_empty() {
            return Err(PipelineError::OrphanBatches {
                models: orphans.join(", "),
            });
        }
        let Some(batches) = &gate.batches else {
            return Ok(());
        };
        batches
            .work_off(run.store(), &gate.purse, run.stop_signal(), observer)
            .await
            .map_err(|error| {
                let abort = if error.kind() == LlmErrorKind::Stopped {
                    Abort::Stopped
                } else {
                    Abort::Fatal(error)
                };
                abort.into_error(stage)
            })
    }

    pub(crate) async fn stage(
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
            StageName::Verdicts => stages::verdicts::run(self, tables, tables, tally).await,
            StageName::Topics => stages::topics::run(self, tables, tally).await,
            StageName::Refusals => stages::refusals::run(self, tables, tally).await,
            StageName::ExpressedValues => stages::expressed::run(self, tables, tally).await,
        }
    }
}
