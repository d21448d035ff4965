//! A whole study as a library: the simulated panel from value pairs to a report, without the program
//! `specstress`. Give a folder to keep the run; without one it goes to a folder that is removed at the end.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_executor::block_on;
use specstress_judge::Spec;
use specstress_llm::{CallSettings, ChatModel, OutcomeKind};
use specstress_pipeline::{
    Manifest, Observer, PanelModel, Prompts, RunDir, StageName, StandardModels, Study, StudyParts,
    StudySettings, TaskSettings,
};
use specstress_report::{
    CallCounts, PanelEntry, Renderer, StudyInfo, StudyReport, SubsetInfo, Text,
};
use specstress_sim::{SimError, SimOptions, SimWorld};
use specstress_values::{StratifiedByCategory, Taxonomy};

/// Prints a line per finished stage.
#[derive(Default)]
struct Lines {
    items: AtomicU64,
}

impl Observer for Lines {
    fn ended(&self, _: StageName, _: OutcomeKind, items: u64) {
        self.items.fetch_add(items, Ordering::Relaxed);
    }

    fn finished(&self, stage: StageName) {
        println!("  {stage}: {} items", self.items.swap(0, Ordering::Relaxed));
    }
}

/// Everyone who works in the study; any of them may be a model of your own.
fn models(world: &SimWorld) -> Result<StandardModels, SimError> {
    let model = |key: &str| Ok::<Arc<dyn ChatModel>, SimError>(Arc::new(world.model(key)?));
    let named = |keys: [&str; 3]| {
        let models = keys.map(|key| Ok((key.to_owned(), model(key)?)));
        models.into_iter().collect::<Result<Vec<_>, SimError>>()
    };
    let panel = world.panel().into_iter().map(|persona| {
        Ok(PanelModel {
            key: persona.key.to_owned(),
            provider: persona.provider.to_owned(),
            name: persona.display_name.to_owned(),
            model: model(persona.key)?,
            settings: CallSettings::default(),
        })
    });
    Ok(StandardModels {
        authors: named(["author_a", "author_b", "author_c"])?,
        panel: panel.collect::<Result<_, SimError>>()?,
        embedder: Some(Arc::new(world.embedder())),
        rubric: model("rubric")?,
        classifier: model("rubric")?,
        labeler: Some(model("rubric")?),
        judges: named(["judge_alder", "judge_birch", "judge_cedar"])?,
    })
}

/// Runs the study in a folder; the calls it made and those it found there.
fn run(folder: &Path, observer: &dyn Observer) -> Result<(Manifest, u64, u64), Box<dyn Error>> {
    let taxonomy = Arc::new(Taxonomy::builtin());
    let world = SimWorld::new(&taxonomy, SimOptions::default())?;
    let spec = Spec::parse(&world.spec_markdown())?;
    let run = RunDir::open(folder)?;
    let recorder = run.recorder();
    let mut parts = StudyParts::standard(
        &recorder,
        taxonomy,
        Arc::new(StratifiedByCategory::new()),
        &spec,
        models(&world)?,
        &Prompts::default(),
        &TaskSettings::default(),
    )?;
    parts.simulated = true;
    let settings = StudySettings {
        title: "A study from a library".to_owned(),
        pairs: 24,
        ..StudySettings::default()
    };
    // Any executor will do; simulated models never wait for anything.
    let manifest = block_on(Study::new(settings, parts)?.run(&run, observer))?;
    let counts = recorder.counts();
    Ok((manifest, counts.made(), counts.stored()))
}

fn report(folder: &Path, manifest: Manifest, made: u64) -> Result<String, Box<dyn Error>> {
    let subsets = manifest.settings.subsets.into_iter();
    let info = StudyInfo {
        title: manifest.settings.title,
        simulated: manifest.simulated,
        panel: manifest
            .panel
            .into_iter()
            .map(|model| PanelEntry::new(model.key, model.provider, model.name))
            .collect(),
        subsets: subsets
            .map(|subset| SubsetInfo::new(subset.name, subset.models))
            .collect(),
        judges: manifest.judges,
        calls: Some(CallCounts {
            total: made,
            made,
            cost_usd: None,
        }),
        ..StudyInfo::default()
    };
    let report = StudyReport::compute(&RunDir::tables_of(folder), &info)?;
    Ok(Text::default().render(&report)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| scratch.path().join("run"), PathBuf::from);

    println!("Stages:");
    let (manifest, made, found) = run(&folder, &Lines::default())?;
    println!("\n{}", report(&folder, manifest, made + found)?);

    // Every reply is in the folder, so that the same study costs nothing the second time.
    let (_, made, found) = run(&folder, &())?;
    println!("Run again: {made} new calls, {found} found in the call store.");
    Ok(())
}
