use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use specstress_judge::{Judge, JudgePrompts, LlmJudge, Spec, SpecSections};
use specstress_llm::json::canonical;
use specstress_llm::{CallSettings, ChatModel, Digest, EmbeddingModel, Recorder};
use specstress_rubric::{
    Classifier, Labeler, LlmClassifier, LlmLabeler, LlmSpectrumBuilder, RubricPrompts,
    SpectrumBuilder,
};
use specstress_scenarios::{
    LlmNudger, LlmScenarioGenerator, Nudger, ScenarioGenerator, ScenarioPrompts,
};
use specstress_values::{PairSampler, Taxonomy};

/// A model of the panel.
#[derive(Clone, Debug)]
pub struct PanelModel {
    /// Key in every table, such as `claude_opus_4`.
    pub key: String,
    /// The family it is grouped by in reports.
    pub provider: String,
    /// The name shown to people.
    pub name: String,
    /// Who is asked; behind the run's [`Recorder`].
    pub model: Arc<dyn ChatModel>,
    /// How it is asked.
    pub settings: CallSettings,
}

/// Who writes the questions: a generator and the nudger that goes with it.
#[derive(Clone, Debug)]
pub struct Author {
    /// Writes the neutral question.
    pub generator: Arc<dyn ScenarioGenerator>,
    /// Rewrites it toward either value.
    pub nudger: Arc<dyn Nudger>,
}

/// Everyone who works in a study, behind the traits of the other crates: replace any of them by your own.
///
/// Models inside must be wrapped by the run's [`Recorder`], else their calls are neither stored nor found
/// again; [`StudyParts::standard`] does that.
#[derive(Clone, Debug)]
pub struct StudyParts {
    /// The values.
    pub taxonomy: Arc<Taxonomy>,
    /// Which pairs to set against each other.
    pub sampler: Arc<dyn PairSampler>,
    /// Who writes questions; each pair is given to one of them by a hash, about evenly.
    pub authors: Vec<Author>,
    /// Who answers, in the order tables list them.
    pub panel: Vec<PanelModel>,
    /// Vectors of questions and labels; `None` leaves out every selection and every category.
    pub embedder: Option<Arc<dyn EmbeddingModel>>,
    /// Who writes the spectra.
    pub spectra: Arc<dyn SpectrumBuilder>,
    /// Who places the answers.
    pub classifier: Arc<dyn Classifier>,
    /// Who labels questions and answers; `None` leaves the labels out.
    pub labeler: Option<Arc<dyn Labeler>>,
    /// Who judges against the spec; none leaves the verdicts out.
    pub judges: Vec<Arc<dyn Judge>>,
    /// The spec they judge against, in which their citations are looked up; `None` leaves the citations out.
    pub spec: Option<Arc<Spec>>,
    /// Hashes and names of what went in, for the manifest: `taxonomy`, `spec`, `prompt/NAME`, `model/ROLE`,
    /// `settings/TASK`, `panel/KEY`, `sampling`, and `any/NAME` for what every stage depends on.
    pub inputs: BTreeMap<String, String>,
    /// Whether `inputs` names everything that the outcome depends on. Then a stage whose inputs are unchanged is left
    /// as it is, instead of being made again from the call store. Say so only when it is true for parts of your own
    /// too.
    pub inputs_complete: bool,
    /// Whether the panel is simulated; said everywhere in the output.
    pub simulated: bool,
}

/// The models of a study in which language models do all the work, as in the paper.
#[derive(Clone, Debug)]
pub struct StandardModels {
    /// Writers of questions, by the name recorded with their scenarios.
    pub authors: Vec<(String, Arc<dyn ChatModel>)>,
    /// Who answers.
    pub panel: Vec<PanelModel>,
    /// Vectors.
    pub embedder: Option<Arc<dyn EmbeddingModel>>,
    /// Writes spectra.
    pub rubric: Arc<dyn ChatModel>,
    /// Places answers.
    pub classifier: Arc<dyn ChatModel>,
    /// Labels.
    pub labeler: Option<Arc<dyn ChatModel>>,
    /// Judges, by name.
    pub judges: Vec<(String, Arc<dyn ChatModel>)>,
}

/// Every prompt of a standard study.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    /// Questions.
    pub scenarios: ScenarioPrompts,
    /// Spectra, classification and labels.
    pub rubric: RubricPrompts,
    /// Verdicts.
    pub judge: JudgePrompts,
}

/// How the tasks of a standard study call their models.
#[derive(Clone, Debug, Default)]
pub struct TaskSettings {
    /// Questions and nudges.
    pub authors: CallSettings,
    /// Spectra.
    pub rubric: CallSettings,
    /// Classification.
    pub classifier: CallSettings,
    /// Labels.
    pub labeler: CallSettings,
    /// Verdicts.
    pub judges: CallSettings,
    /// What of the spec the judges are shown.
    pub sections: SpecSections,
    /// Shuffles the answers shown to the classifier by this seed; `None` is the paper's fixed order.
    pub shuffle_seed: Option<u64>,
    /// Hides the panel's names from the classifier.
    pub blind: bool,
}

impl StudyParts {
    /// The standard study: every role a language model behind `recorder`, with these prompts.
    ///
    /// `inputs` holds the hashes of spec, taxonomy and prompts and the ids of the models; add what else went in.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use specstress_judge::Spec;
    /// use specstress_llm::{CallSettings, ChatModel, MemoryStore, Recorder, ScriptedModel};
    /// use specstress_pipeline::{
    ///     PanelModel, Prompts, StandardModels, Study, StudyParts, StudySettings, TaskSettings,
    /// };
    /// use specstress_values::{Taxonomy, UniformPairs};
    ///
    /// // Stands for a provider's model.
    /// let model = |id: &str| -> Arc<dyn ChatModel> { Arc::new(ScriptedModel::new(id)) };
    /// let panel = |key: &str| PanelModel {
    ///     key: key.to_owned(),
    ///     provider: "demo".to_owned(),
    ///     name: key.to_owned(),
    ///     model: model(key),
    ///     settings: CallSettings::default(),
    /// };
    /// let models = StandardModels {
    ///     authors: vec![("writer".to_owned(), model("demo/writer"))],
    ///     panel: vec![panel("first"), panel("second")],
    ///     embedder: None,
    ///     rubric: model("demo/rubric"),
    ///     classifier: model("demo/rubric"),
    ///     labeler: None,
    ///     judges: vec![("strict".to_owned(), model("demo/judge"))],
    /// };
    /// let parts = StudyParts::standard(
    ///     &Recorder::new(Arc::new(MemoryStore::default())),
    ///     Arc::new(Taxonomy::builtin()),
    ///     Arc::new(UniformPairs),
    ///     &Spec::parse("# Honesty\nDo not lie.")?,
    ///     models,
    ///     &Prompts::default(),
    ///     &TaskSettings::default(),
    /// )?;
    /// assert_eq!(parts.inputs["model/judge/strict"], "demo/judge");
    /// assert_eq!(parts.judges[0].name(), "strict");
    /// assert!(Study::new(StudySettings::default(), parts).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PipelineError::Judge`](crate::PipelineError::Judge) when the prompt of the judges does not show the spec, or
    /// they are to be shown no section of it.
    pub fn standard(
        recorder: &Recorder,
        taxonomy: Arc<Taxonomy>,
        sampler: Arc<dyn PairSampler>,
        spec: &Spec,
        models: StandardModels,
        prompts: &Prompts,
        settings: &TaskSettings,
    ) -> Result<Self, crate::PipelineError> {
        let mut inputs = inputs(spec, &models, prompts, settings);
        let taxonomy_hash = Digest::new("specstress taxonomy 1")
            .field("json", taxonomy.to_json())
            .hex();
        inputs.insert("taxonomy".to_owned(), taxonomy_hash);
        let authors = models
            .authors
            .into_iter()
            .map(|(name, model)| {
                let model = recorder.wrap(model);
                Author {
                    generator: Arc::new(LlmScenarioGenerator::new(
                        name,
                        model.clone(),
                        &prompts.scenarios,
                        settings.authors.clone(),
                    )),
                    nudger: Arc::new(LlmNudger::new(
                        model,
                        &prompts.scenarios,
                        settings.authors.clone(),
                    )),
                }
            })
            .collect();
        let panel = models
            .panel
            .into_iter()
            .map(|panel| PanelModel {
                model: Arc::new(recorder.wrap(panel.model)),
                ..panel
            })
            .collect();
        let judges = models
            .judges
            .into_iter()
            .map(|(name, model)| {
                LlmJudge::new(
                    name,
                    recorder.wrap(model),
                    spec,
                    &prompts.judge,
                    settings.judges.clone(),
                )
                .and_then(|judge| judge.with_sections(spec, settings.sections))
                .map(|judge| Arc::new(judge) as Arc<dyn Judge>)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            taxonomy,
            sampler,
            authors,
            panel,
            embedder: models
                .embedder
                .map(|model| Arc::new(recorder.wrap(model)) as Arc<dyn EmbeddingModel>),
            spectra: Arc::new(LlmSpectrumBuilder::new(
                recorder.wrap(models.rubric),
                &prompts.rubric,
                settings.rubric.clone(),
            )),
            classifier: Arc::new(
                LlmClassifier::new(
                    recorder.wrap(models.classifier),
                    &prompts.rubric,
                    settings.classifier.clone(),
                )
                .shuffled(settings.shuffle_seed)
                .blinded(settings.blind),
            ),
            labeler: models.labeler.map(|model| {
                Arc::new(LlmLabeler::new(
                    recorder.wrap(model),
                    &prompts.rubric,
                    settings.labeler.clone(),
                )) as Arc<dyn Labeler>
            }),
            judges,
            spec: Some(Arc::new(spec.clone())),
            inputs,
            inputs_complete: false,
            simulated: false,
        })
    }
}

/// Hashes and names for the manifest.
fn inputs(
    spec: &Spec,
    models: &StandardModels,
    prompts: &Prompts,
    settings: &TaskSettings,
) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::new();
    let tasks = [
        ("authors", json!(settings.authors)),
        ("rubric", json!(settings.rubric)),
        (
            "classifier",
            json!({
                "call": settings.classifier,
                "shuffle_seed": settings.shuffle_seed,
                "blind": settings.blind,
            }),
        ),
        ("labeler", json!(settings.labeler)),
        (
            "judges",
            json!({"call": settings.judges, "sections": settings.sections}),
        ),
    ];
    for (task, how) in tasks {
        inputs.insert(format!("settings/{task}"), canonical(&how));
    }
    for (at, panel) in models.panel.iter().enumerate() {
        let who = json!({
            "at": at,
            "model": panel.model.id().to_string(),
            "name": panel.name,
            "family": panel.provider,
            "call": panel.settings,
        });
        inputs.insert(format!("panel/{}", panel.key), canonical(&who));
    }
    inputs.insert("spec".to_owned(), spec.hash());
    let all = prompts
        .scenarios
        .all()
        .into_iter()
        .chain(prompts.rubric.all())
        .chain(prompts.judge.all());
    for prompt in all {
        inputs.insert(
            format!("prompt/{}", prompt.name()),
            prompt.hash().to_owned(),
        );
    }
    let mut role = |role: String, model: &dyn ChatModel| {
        inputs.insert(format!("model/{role}"), model.id().to_string());
    };
    for (name, model) in &models.authors {
        role(format!("author/{name}"), model);
    }
    role("rubric".to_owned(), &models.rubric);
    role("classifier".to_owned(), &models.classifier);
    if let Some(labeler) = &models.labeler {
        role("labeler".to_owned(), labeler);
    }
    for (name, model) in &models.judges {
        role(format!("judge/{name}"), model);
    }
    if let Some(embedder) = &models.embedder {
        inputs.insert("model/embedder".to_owned(), embedder.id().to_string());
    }
    inputs
}
