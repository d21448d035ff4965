use std::collections::HashMap;

use specstress_dataset::TableDir;
use specstress_dataset::rows::{DisagreementRow, SelectionRow};
use specstress_kcenter::{Cover, Selector};
use specstress_llm::OutcomeKind;

use crate::drive::Abort;
use crate::error::PipelineError;
use crate::stages::{DIVERSITY, Tally, own_ids, vectors};
use crate::study::Study;

/// Thins out the hard questions of every subset: each is dropped when a kept one of at least its weight
/// lies within the weighted radius. Without an embedder all hard questions are kept, by descending weight; with
/// one, a question whose vector is missing is left out.
pub(crate) fn run(study: &Study, tables: &TableDir, tally: &mut Tally<'_>) -> Result<(), Abort> {
    let subsets = &study.settings.subsets;
    tally.started(None);
    let own = own_ids(study, tables)?;
    let mut rows: Vec<SelectionRow> = Vec::new();
    for row in tables.rows::<SelectionRow>()? {
        let row = row?;
        if row.selection == DIVERSITY {
            rows.push(row);
        }
    }
    for subset in subsets {
        let mut weights: HashMap<String, f64> = HashMap::new();
        for row in study.all_rows::<DisagreementRow>(tables)? {
            let row = row?;
            if let Some(weight) = row.disagreement
                && row.high
                && row.subset == subset.name
            {
                weights.insert(row.scenario_id, weight);
            }
        }
        let picked = pick(study, tables, &subset.name, &weights)?;
        let ranked = (0_u32..)
            .zip(picked)
            .filter(|(_, id)| own.as_ref().is_none_or(|own| own.contains(id)));
        for (rank, scenario_id) in ranked {
            tally.ended(OutcomeKind::Answered, 1);
            rows.push(SelectionRow {
                selection: subset.name.clone(),
                rank,
                weight: weights.get(&scenario_id).copied(),
                radius: None,
                scenario_id,
            });
        }
    }
    let mut writer = tables.writer::<SelectionRow>()?;
    for row in rows {
        writer.push(row)?;
    }
    writer.finish()?;
    Ok(())
}

fn pick(
    study: &Study,
    tables: &TableDir,
    subset: &str,
    weights: &HashMap<String, f64>,
) -> Result<Vec<String>, Abort> {
    if weights.is_empty() {
        return Ok(Vec::new());
    }
    if study.parts.embedder.is_none() {
        let mut ids: Vec<(&String, f64)> =
            weights.iter().map(|(id, &weight)| (id, weight)).collect();
        ids.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        return Ok(ids.into_iter().map(|(id, _)| id.clone()).collect());
    }
    let (ids, points) = vectors::read(study, tables, |id| weights.contains_key(id))?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ordered: Vec<f64> = ids.iter().map(|id| weights[id]).collect();
    let selection = Cover::new(study.settings.weighted_radius)
        .and_then(|cover| cover.select(points.view(), Some(&ordered)))
        .map_err(|source| PipelineError::KCenter {
            selection: subset.to_owned(),
            source,
        })?;
    Ok(selection
        .centers
        .into_iter()
        .map(|at| ids[at].clone())
        .collect())
}
