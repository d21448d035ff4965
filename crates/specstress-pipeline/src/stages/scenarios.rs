use futures::future::join;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{PairRow, ScenarioRow};
use specstress_scenarios::{Nudge, ScenarioId};
use specstress_values::{Side, ValuePair};

use crate::drive::{Abort, Lost, Settled, columns, ordered, settle};
use crate::parts::Author;
use crate::stages::{Tally, draw};
use crate::study::Study;

/// Writes the neutral question of each pair, then nudges it both ways.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    tally.started(Some(tables.count::<PairRow>()? * 3));
    let mut writer = tables.writer::<ScenarioRow>()?;
    let pairs = tables
        .rows::<PairRow>()?
        .map(|row| row.map_err(Abort::from))
        .filter(|row| {
            row.as_ref()
                .map_or(true, |row| study.wants("", &row.triple_id))
        });
    ordered(
        pairs,
        study.settings.concurrency,
        |row| triple(study, row),
        |rows: [ScenarioRow; 3]| {
            for row in rows {
                tally.ended(row.outcome, 1);
                writer.push(row)?;
            }
            Ok(())
        },
    )
    .await?;
    writer.finish()?;
    Ok(())
}

/// Who writes the questions of a pair: by hash, so that it keeps its author whatever other pairs are sampled.
pub(crate) fn author_of<'a>(study: &'a Study, triple_id: &str) -> &'a Author {
    let authors = &study.parts.authors;
    let choice = draw(study.settings.seed, "specstress author 1", triple_id);
    &authors[usize::try_from(choice % authors.len() as u64).unwrap_or(0)]
}

async fn triple(study: &Study, row: PairRow) -> Result<[ScenarioRow; 3], Abort> {
    let author = author_of(study, &row.triple_id);
    let pair = ValuePair::new(&row.value1, &row.value2);

    let neutral = settle(author.generator.generate(&pair).await)?.map(|made| made.query);
    let (toward1, toward2) = if let Ok(query) = &neutral {
        let (first, second) = join(
            nudge(author, &pair, Side::Value1, query),
            nudge(author, &pair, Side::Value2, query),
        )
        .await;
        (first?, second?)
    } else {
        let lost = || Err(Lost::not_run("the neutral question is missing"));
        (lost(), lost())
    };
    let finish = |nudge: Nudge, settled: Settled<String>| {
        let (outcome, detail) = columns(&settled);
        let query = settled.ok();
        ScenarioRow {
            scenario_id: query
                .as_ref()
                .map(|query| ScenarioId::of(&pair, nudge, query).into()),
            triple_id: row.triple_id.clone(),
            pair: row.pair,
            value1: row.value1.clone(),
            value2: row.value2.clone(),
            nudge,
            generator: author.generator.name().to_owned(),
            query,
            outcome,
            detail,
        }
    };
    Ok([
        finish(Nudge::Neutral, neutral),
        finish(Nudge::Value1, toward1),
        finish(Nudge::Value2, toward2),
    ])
}

async fn nudge(
    author: &Author,
    pair: &ValuePair,
    side: Side,
    neutral: &str,
) -> Result<Settled<String>, Abort> {
    Ok(settle(author.nudger.nudge(pair, side, neutral).await)?.map(|made| made.query))
}
