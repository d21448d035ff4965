use specstress_dataset::TableDir;
use specstress_dataset::rows::{ScenarioRow, SelectionRow};
use specstress_kcenter::{FarthestFirst, Selector, Start, Stop};
use specstress_llm::OutcomeKind;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::stages::{DIVERSITY, Question, Tally, own_ids, vectors};
use crate::study::Study;

/// Keeps one of every group of questions that say the same: unweighted k-center, stopping at a distance.
pub(crate) fn run(study: &Study, tables: &TableDir, tally: &mut Tally<'_>) -> Result<(), Abort> {
    let mut writer = tables.writer::<SelectionRow>()?;
    let ids = match study.settings.diversity_radius {
        Some(radius) if study.parts.embedder.is_some() => thinned(study, tables, radius)?,
        _ => all(study, tables)?,
    };
    let own = own_ids(study, tables)?;
    let ranked: Vec<(u32, (String, Option<f64>))> = (0..)
        .zip(ids)
        .filter(|(_, (id, _))| own.as_ref().is_none_or(|own| own.contains(id)))
        .collect();
    tally.started(Some(ranked.len() as u64));
    tally.ended(OutcomeKind::Answered, ranked.len() as u64);
    for (rank, (scenario_id, radius)) in ranked {
        writer.push(SelectionRow {
            selection: DIVERSITY.to_owned(),
            rank,
            scenario_id,
            weight: None,
            radius,
        })?;
    }
    writer.finish()?;
    Ok(())
}

/// What is kept, with the radius after each pick where there is one.
type Kept = Vec<(String, Option<f64>)>;

fn thinned(study: &Study, tables: &TableDir, radius: f64) -> Result<Kept, Abort> {
    let (ids, points) = vectors::read(study, tables, |_| true)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let selection = FarthestFirst::new(Stop::Radius(radius))
        .start(Start::Seed(study.settings.seed))
        .select(points.view(), None)
        .map_err(|source| PipelineError::KCenter {
            selection: DIVERSITY.to_owned(),
            source,
        })?;
    let radii = selection.radii.unwrap_or_default();
    let centers = selection.centers.into_iter().enumerate();
    Ok(centers
        .map(|(rank, at)| (ids[at].clone(), radii.get(rank).copied()))
        .collect())
}

fn all(study: &Study, tables: &TableDir) -> Result<Kept, Abort> {
    let mut ids = Vec::new();
    for row in study.all_rows::<ScenarioRow>(tables)? {
        ids.extend(Question::of(row?).map(|question| (question.scenario_id, None)));
    }
    Ok(ids)
}
