//! From a config to a study: who works in it, and with what.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use specstress_judge::{JudgePrompts, Spec};
use specstress_llm::{ModelId, Recorder};
use specstress_pipeline::{PanelModel, Prompts, StandardModels, Study, StudyParts, TaskSettings};
use specstress_rubric::RubricPrompts;
use specstress_scenarios::ScenarioPrompts;
use specstress_sim::SimWorld;
use specstress_values::{
    ExplicitPairs, FrequencyWeighted, MissingFrequency, PairSampler, StratifiedByCategory,
    Taxonomy, UniformPairs,
};

use crate::config::{Config, SIM, Sampling, TaxonomyConfig};
use crate::exit::UsageExt;
use crate::journal::Journal;
use crate::models::Models;

/// Everything read from the files of a config, checked before a run directory is touched.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) taxonomy: Arc<Taxonomy>,
    pub(crate) sampler: Arc<dyn PairSampler>,
    pub(crate) spec: Spec,
    pub(crate) prompts: Prompts,
    pub(crate) world: SimWorld,
    pub(crate) models: Models,
    pub(crate) simulated: bool,
}

impl Inputs {
    pub(crate) fn read(config: &Config) -> anyhow::Result<Self> {
        let taxonomy = Arc::new(taxonomy(&config.taxonomy)?);
        let world = SimWorld::new(&taxonomy, config.simulation.world.clone())
            .context("cannot simulate a panel")
            .usage()?;
        let simulated = config.panel.all_simulated();
        let spec = match &config.spec.file {
            Some(file) => Spec::read(file).usage()?,
            None if simulated => Spec::parse(&world.spec_markdown())?,
            None => {
                return Err(anyhow!(
                    "spec.file is missing: name the Markdown file that the judges hold answers against"
                ))
                .usage();
            }
        };
        let inputs = Self {
            sampler: sampler(&config.sampling),
            prompts: prompts(config)?,
            models: Models::new(config, world.clone())?,
            taxonomy,
            spec,
            world,
            simulated,
        };
        // A wrong name or a missing key must show before anything is written.
        inputs.standard_models(config, &inputs.models, &Journal::open(None)?)?;
        Ok(inputs)
    }

    /// Everyone the config names.
    fn standard_models(
        &self,
        config: &Config,
        models: &Models,
        journal: &Journal,
    ) -> anyhow::Result<StandardModels> {
        let roles = &config.roles;
        // The simulated models fill in only where nothing real is at stake.
        let or_sim = |set: Option<&ModelId>, key: &str, what: &'static str| match set {
            Some(id) => Ok(id.clone()),
            None if self.simulated => Ok(ModelId::new(SIM, key)),
            None => Err(anyhow!(
                "roles.{what} is missing: name a model as provider/name"
            ))
            .usage(),
        };
        let or_sims = |set: &[ModelId], keys: &[&str], what: &'static str| match set {
            [] if self.simulated => Ok(keys.iter().map(|key| ModelId::new(SIM, *key)).collect()),
            [] => Err(anyhow!(
                "roles.{what} is empty: name models as provider/name"
            ))
            .usage(),
            set => Ok(set.to_vec()),
        };
        let named = |ids: Vec<ModelId>| {
            ids.iter()
                .map(|id| anyhow::Ok((id.name().to_owned(), models.chat(id, journal)?)))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let rubric = or_sim(roles.rubric.as_ref(), "rubric", "rubric")?;
        let classifier = roles.classifier.as_ref().unwrap_or(&rubric);
        let labeler = roles.labeler.as_ref().unwrap_or(classifier);
        let embedder = or_sim(roles.embedder.as_ref(), "embedder", "embedder")?;
        Ok(StandardModels {
            authors: named(or_sims(
                &roles.authors,
                &["author_a", "author_b", "author_c"],
                "authors",
            )?)?,
            panel: self.panel(config, models, journal)?,
            embedder: Some(models.embedder(&embedder)?),
            rubric: models.chat(&rubric, journal)?,
            classifier: models.chat(classifier, journal)?,
            labeler: Some(models.chat(labeler, journal)?),
            judges: named(or_sims(
                &roles.judges,
                &["judge_alder", "judge_birch", "judge_cedar"],
                "judges",
            )?)?,
        })
    }

    fn panel(
        &self,
        config: &Config,
        models: &Models,
        journal: &Journal,
    ) -> anyhow::Result<Vec<PanelModel>> {
        let mut panel = Vec::new();
        let simulated = match (&config.panel.simulated, config.panel.models.is_empty()) {
            (Some(keys), _) => keys.clone(),
            (None, true) => {
                let all = self.world.panel();
                all.iter().map(|persona| persona.key.to_owned()).collect()
            }
            (None, false) => Vec::new(),
        };
        for key in simulated {
            let personas = self.world.panel();
            let persona = personas
                .iter()
                .find(|persona| persona.key == key)
                .with_context(|| {
                    let known: Vec<&str> = personas.iter().map(|persona| persona.key).collect();
                    format!(
                        "panel.simulated: there is no simulated model {key}; there are {}",
                        known.join(", ")
                    )
                })
                .usage()?;
            panel.push(PanelModel {
                key: persona.key.to_owned(),
                provider: persona.provider.to_owned(),
                name: persona.display_name.to_owned(),
                model: models.chat(&ModelId::new(SIM, persona.key), journal)?,
                settings: config.tasks.panel.clone(),
            });
        }
        for entry in &config.panel.models {
            let family = entry.family.as_deref().unwrap_or(entry.model.provider());
            panel.push(PanelModel {
                key: entry.key.clone(),
                provider: family.to_owned(),
                name: entry.name.as_ref().unwrap_or(&entry.key).clone(),
                model: models.chat(&entry.model, journal)?,
                settings: entry
                    .settings
                    .as_ref()
                    .unwrap_or(&config.tasks.panel)
                    .clone(),
            });
        }
        Ok(panel)
    }

    /// The study of these inputs, its models behind the run's call store.
    pub(crate) fn study(&self, config: &Config, recorder: &Recorder) -> anyhow::Result<Study> {
        let journal = Journal::open(config.simulation.journal.as_deref())?;
        let models = self.models.with_stop(recorder.stop_signal());
        let models = self.standard_models(config, &models, &journal)?;
        let tasks = &config.tasks;
        let settings = TaskSettings {
            authors: tasks.authors.clone(),
            rubric: tasks.rubric.clone(),
            classifier: tasks.classifier.clone(),
            labeler: tasks.labeler.clone(),
            judges: tasks.judges.clone(),
            sections: tasks.sections,
            shuffle_seed: tasks.shuffle_seed,
            blind: tasks.blind,
        };
        let mut parts = StudyParts::standard(
            recorder,
            Arc::clone(&self.taxonomy),
            Arc::clone(&self.sampler),
            &self.spec,
            models,
            &self.prompts,
            &settings,
        )?;
        parts.simulated = self.simulated;
        if let Some(title) = &self.spec.title {
            parts.inputs.insert("spec_title".to_owned(), title.clone());
        }
        let sampling = serde_json::to_string(&config.sampling)?;
        parts.inputs.insert("sampling".to_owned(), sampling);
        // Simulated models are others in another world, whatever stage asks them.
        let world = serde_json::to_string(&config.simulation.world)?;
        parts.inputs.insert("any/world".to_owned(), world);
        // Every part above is named by its inputs.
        parts.inputs_complete = true;
        Ok(Study::new(config.study.clone(), parts)?)
    }
}

pub(crate) fn taxonomy(config: &TaxonomyConfig) -> anyhow::Result<Taxonomy> {
    let read = match (&config.file, &config.frequencies) {
        (None, None) => return Ok(Taxonomy::builtin()),
        (None, Some(frequencies)) => {
            return Err(anyhow!(
                "frequencies {} are given without a tree; set taxonomy.file too",
                frequencies.display()
            ))
            .usage();
        }
        (Some(tree), None) => Taxonomy::from_path(tree),
        (Some(tree), Some(frequencies)) => Taxonomy::from_csv_path(tree, Some(frequencies)),
    };
    read.usage()
}

fn sampler(sampling: &Sampling) -> Arc<dyn PairSampler> {
    match sampling {
        Sampling::Uniform => Arc::new(UniformPairs),
        Sampling::Frequency { missing } => {
            let missing = missing.map_or(MissingFrequency::Reject, MissingFrequency::Weight);
            Arc::new(FrequencyWeighted::new().missing(missing))
        }
        Sampling::Stratified => Arc::new(StratifiedByCategory::new()),
        Sampling::List { pairs } => Arc::new(ExplicitPairs::new(pairs.clone())),
    }
}

fn prompts(config: &Config) -> anyhow::Result<Prompts> {
    let Some(dir) = &config.prompts.dir else {
        return Ok(Prompts::default());
    };
    if !dir.is_dir() {
        return Err(anyhow!("prompts.dir: {} is not a folder", dir.display())).usage();
    }
    Ok(Prompts {
        scenarios: ScenarioPrompts::load(dir).usage()?,
        rubric: RubricPrompts::load(dir).usage()?,
        judge: JudgePrompts::load(dir).usage()?,
    })
}
