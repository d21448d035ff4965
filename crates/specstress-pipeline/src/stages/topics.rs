use specstress_dataset::TableDir;
use specstress_dataset::rows::TopicRow;
use specstress_rubric::Labeler;

use crate::drive::{Abort, columns, ordered, settle};
use crate::stages::{Question, Tally, questions, selected};
use crate::study::Study;

/// Labels what the selected questions of the whole panel are about.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut writer = tables.writer::<TopicRow>()?;
    let Some(labeler) = &study.parts.labeler else {
        tally.started(Some(0));
        writer.finish()?;
        return Ok(());
    };
    let ids = selected(tables, &study.settings.subsets[0].name)?;
    tally.started(Some(ids.len() as u64));
    ordered(
        questions(study, tables, &ids)?,
        study.settings.concurrency,
        |question| label(labeler, question),
        |row: TopicRow| {
            tally.ended(row.outcome, 1);
            writer.push(row)?;
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

async fn label(labeler: &dyn Labeler, question: Question) -> Result<TopicRow, Abort> {
    let settled = settle(labeler.topics(&question.query).await)?;
    let (outcome, detail) = columns(&settled);
    Ok(TopicRow {
        scenario_id: question.scenario_id,
        topics: settled.map_or_else(|_| Vec::new(), |topics| topics.into_iter().collect()),
        outcome,
        detail,
    })
}
