use specstress_dataset::TableDir;
use specstress_dataset::rows::{RefusalRow, ResponseRow};
use specstress_rubric::Labeler;

use crate::drive::{Abort, Lost, columns, ordered, settle};
use crate::stages::{Tally, answered_questions, selected};
use crate::study::Study;

/// Labels how far each answer to the selected questions goes along.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut writer = tables.writer::<RefusalRow>()?;
    let Some(labeler) = &study.parts.labeler else {
        tally.started(Some(0));
        writer.finish()?;
        return Ok(());
    };
    let ids = selected(tables, &study.settings.subsets[0].name)?;
    let answers = study.parts.panel.len() as u64 * u64::from(study.settings.samples);
    tally.started(Some(ids.len() as u64 * answers));
    let items = answered_questions(study, tables, &ids)?.flat_map(|item| match item {
        Ok((question, responses)) => responses
            .into_iter()
            .map(|response| Ok((question.query.clone(), response)))
            .collect(),
        Err(error) => vec![Err(error)],
    });
    ordered(
        items,
        study.settings.concurrency,
        |(query, response)| label(labeler, query, response),
        |row: RefusalRow| {
            tally.ended(row.outcome, 1);
            writer.push(row)?;
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

async fn label(
    labeler: &dyn Labeler,
    query: String,
    response: ResponseRow,
) -> Result<RefusalRow, Abort> {
    let settled = match &response.text {
        Some(text) => settle(labeler.refusal(&query, text).await)?,
        None => Err(Lost::not_run("the model did not answer")),
    };
    let (outcome, detail) = columns(&settled);
    Ok(RefusalRow {
        scenario_id: response.scenario_id,
        model: response.model,
        sample: response.sample,
        kind: settled.ok(),
        outcome,
        detail,
    })
}
