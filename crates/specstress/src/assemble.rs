//! From a config to a study: who works in it, and with what.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use specstress_judge::{JudgePrompts, Spec};
use specstress_pipeline::{
    PanelModel, Prompts, RunDir, StandardModels, Study, StudyParts, TaskSettings,
};
use specstress_rubric::RubricPrompts;
use specstress_scenarios::ScenarioPrompts;
use specstress_sim::SimWorld;
use specstress_values::{
    ExplicitPairs, FrequencyWeighted, MissingFrequency, PairSampler, StratifiedByCategory,
    Taxonomy, UniformPairs,
};

use crate::config::{Config, Sampling, TaxonomyConfig};
use crate::exit::UsageExt;
use crate::journal::Journal;

/// Everything read from the files of a config, checked before a run directory is touched.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) taxonomy: Arc<Taxonomy>,
    pub(crate) sampler: Arc<dyn PairSampler>,
    pub(crate) spec: Spec,
    pub(crate) prompts: Prompts,
    pub(crate) world: SimWorld,
    pub(crate) panel: Vec<PanelModel>,
}

impl Inputs {
    pub(crate) fn read(config: &Config) -> anyhow::Result<Self> {
        let taxonomy = Arc::new(taxonomy(&config.taxonomy)?);
        let world = SimWorld::new(&taxonomy, config.simulation.world.clone())
            .context("cannot simulate a panel")
            .usage()?;
        let spec = match &config.spec.file {
            Some(file) => Spec::read(file).usage()?,
            None => Spec::parse(&world.spec_markdown())?,
        };
        Ok(Self {
            sampler: sampler(&config.sampling),
            prompts: prompts(config)?,
            panel: panel(config, &world)?,
            taxonomy,
            spec,
            world,
        })
    }

    /// The study of these inputs, its models behind the run's call store.
    pub(crate) fn study(&self, config: &Config, run: &RunDir) -> anyhow::Result<Study> {
        let journal = Journal::open(config.simulation.journal.as_deref())?;
        let model = |key: &str| anyhow::Ok(journal.wrap(self.world.model(key)?));
        let named = |names: &[(&str, &str)]| {
            names
                .iter()
                .map(|&(name, key)| anyhow::Ok((name.to_owned(), model(key)?)))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let models = StandardModels {
            authors: named(&[
                ("author_a", "author_a"),
                ("author_b", "author_b"),
                ("author_c", "author_c"),
            ])?,
            panel: self
                .panel
                .iter()
                .map(|panel| {
                    anyhow::Ok(PanelModel {
                        model: model(&panel.key)?,
                        ..panel.clone()
                    })
                })
                .collect::<anyhow::Result<_>>()?,
            embedder: Some(Arc::new(self.world.embedder())),
            rubric: model("rubric")?,
            classifier: model("rubric")?,
            labeler: Some(model("rubric")?),
            judges: named(&[
                ("judge_alder", "judge_alder"),
                ("judge_birch", "judge_birch"),
                ("judge_cedar", "judge_cedar"),
            ])?,
        };
        let tasks = &config.tasks;
        let settings = TaskSettings {
            authors: tasks.authors.clone(),
            rubric: tasks.rubric.clone(),
            classifier: tasks.classifier.clone(),
            labeler: tasks.labeler.clone(),
            judges: tasks.judges.clone(),
            shuffle_seed: tasks.shuffle_seed,
            blind: tasks.blind,
        };
        let mut parts = StudyParts::standard(
            &run.recorder(),
            Arc::clone(&self.taxonomy),
            Arc::clone(&self.sampler),
            &self.spec,
            models,
            &self.prompts,
            &settings,
        )?;
        parts.simulated = true;
        if let Some(title) = &self.spec.title {
            parts.inputs.insert("spec_title".to_owned(), title.clone());
        }
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

fn panel(config: &Config, world: &SimWorld) -> anyhow::Result<Vec<PanelModel>> {
    let personas = world.panel();
    let known: Vec<&str> = personas.iter().map(|persona| persona.key).collect();
    let chosen: Vec<&str> = match &config.panel.simulated {
        Some(keys) => keys.iter().map(String::as_str).collect(),
        None => known.clone(),
    };
    chosen
        .into_iter()
        .map(|key| {
            let persona = personas
                .iter()
                .find(|persona| persona.key == key)
                .with_context(|| {
                    format!(
                        "panel.simulated: there is no simulated model {key}; there are {}",
                        known.join(", ")
                    )
                })
                .usage()?;
            Ok(PanelModel {
                key: persona.key.to_owned(),
                provider: persona.provider.to_owned(),
                name: persona.display_name.to_owned(),
                model: Arc::new(world.model(key)?),
                settings: config.tasks.panel.clone(),
            })
        })
        .collect()
}
