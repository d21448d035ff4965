use specstress_dataset::TableDir;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::manifest::{Manifest, PanelInfo, StageRecord};
use crate::parts::StudyParts;
use crate::progress::{Observer, StageName};
use crate::run_dir::RunDir;
use crate::settings::StudySettings;
use crate::stages::{self, Tally};

/// A study: checked settings and everyone who works in it. Running it is [`run`](Self::run).
#[derive(Clone, Debug)]
pub struct Study {
    pub(crate) settings: StudySettings,
    pub(crate) parts: StudyParts,
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
