use std::collections::HashSet;

use specstress_dataset::TableDir;
use specstress_dataset::rows::{ScenarioRow, SpectrumRow};
use specstress_rubric::TripleQueries;
use specstress_scenarios::Nudge;
use specstress_values::ValuePair;

use crate::drive::{Abort, Groups, columns, ordered, settle};
use crate::stages::{DIVERSITY, Tally, selected};
use crate::study::Study;

/// Writes the two spectra of every pair of which a question is kept, from all its questions.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let kept = selected(tables, DIVERSITY)?;
    tally.started(None);
    let mut writer = tables.writer::<SpectrumRow>()?;
    ordered(
        triples(study, tables, kept)?,
        study.settings.concurrency,
        |triple| build(study, triple),
        |row: SpectrumRow| {
            tally.ended(row.outcome, 1);
            writer.push(row)?;
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

/// The rows of each triple with a kept question.
fn triples<'a>(
    study: &'a Study,
    tables: &TableDir,
    kept: HashSet<String>,
) -> Result<impl Iterator<Item = Result<Vec<ScenarioRow>, Abort>> + use<'a>, Abort> {
    let mut last = String::new();
    let mut groups = Groups::new(tables.rows::<ScenarioRow>()?, |row: &ScenarioRow| {
        row.triple_id.as_str()
    });
    let ids = tables.rows::<ScenarioRow>()?;
    Ok(ids.filter_map(move |row| {
        let row = match row {
            Ok(row) => row,
            Err(error) => return Some(Err(error.into())),
        };
        if row.triple_id == last {
            return None;
        }
        last.clone_from(&row.triple_id);
        match groups.take(&last) {
            Ok(group) => group
                .iter()
                .filter_map(|row| row.scenario_id.as_ref().map(|id| (id, &row.triple_id)))
                .any(|(id, triple)| kept.contains(id) && study.wants(id, triple))
                .then_some(Ok(group)),
            Err(error) => Some(Err(error.into())),
        }
    }))
}

async fn build(study: &Study, triple: Vec<ScenarioRow>) -> Result<SpectrumRow, Abort> {
    let query = |nudge: Nudge| {
        triple
            .iter()
            .find(|row| row.nudge == nudge)
            .and_then(|row| row.query.as_deref())
    };
    let first = &triple[0];
    let pair = ValuePair::new(&first.value1, &first.value2);
    let queries = TripleQueries {
        neutral: query(Nudge::Neutral),
        value1: query(Nudge::Value1),
        value2: query(Nudge::Value2),
    };
    let settled = settle(study.parts.spectra.build(&pair, queries).await)?;
    let (outcome, detail) = columns(&settled);
    let (strategies1, strategies2) = settled.map_or_else(
        |_| (Vec::new(), Vec::new()),
        |spectra| {
            (
                spectra.value1.strategies.to_vec(),
                spectra.value2.strategies.to_vec(),
            )
        },
    );
    Ok(SpectrumRow {
        triple_id: first.triple_id.clone(),
        value1: pair.value1,
        value2: pair.value2,
        strategies1,
        strategies2,
        outcome,
        detail,
    })
}
