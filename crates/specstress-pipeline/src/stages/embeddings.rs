use specstress_dataset::TableDir;
use specstress_dataset::rows::{EmbeddingRow, ScenarioRow};
use specstress_llm::{EmbeddingModel, EmbeddingRequest};

use crate::drive::{Abort, Settled, columns, ordered};
use crate::stages::{Question, Tally, vectors};
use crate::study::Study;

/// Embeds every question, in batches.
pub(crate) async fn run(
    study: &Study,
    tables: &TableDir,
    tally: &mut Tally<'_>,
) -> Result<(), Abort> {
    let mut writer = tables.writer::<EmbeddingRow>()?;
    let Some(embedder) = &study.parts.embedder else {
        tally.started(Some(0));
        writer.finish()?;
        return Ok(());
    };
    tally.started(Some(tables.count::<ScenarioRow>()?));
    let batches = Batches {
        study,
        rows: tables.rows::<ScenarioRow>()?,
        size: embedder.max_batch().max(1),
    };
    // A batch is many items, so fewer of them are in flight.
    let concurrency = study.settings.concurrency.div_ceil(8);
    ordered(
        batches,
        concurrency,
        |batch: Vec<Question>| embed(embedder, batch),
        |rows: Vec<EmbeddingRow>| {
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

struct Batches<'a, R> {
    study: &'a Study,
    rows: R,
    size: usize,
}

impl<R, E> Iterator for Batches<'_, R>
where
    R: Iterator<Item = Result<ScenarioRow, E>>,
    Abort: From<E>,
{
    type Item = Result<Vec<Question>, Abort>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Vec::new();
        while batch.len() < self.size {
            match self.rows.next() {
                Some(Ok(row)) => batch.extend(Question::of(row).filter(|question| {
                    self.study
                        .wants(&question.scenario_id, &question.row.triple_id)
                })),
                Some(Err(error)) => return Some(Err(error.into())),
                None => break,
            }
        }
        (!batch.is_empty()).then_some(Ok(batch))
    }
}

async fn embed(
    embedder: &dyn EmbeddingModel,
    batch: Vec<Question>,
) -> Result<Vec<EmbeddingRow>, Abort> {
    let texts = batch.iter().map(|question| question.query.as_str());
    let settled = vectors::embed(embedder, EmbeddingRequest::new(texts)).await?;
    let (outcome, detail) = columns(&settled);
    let mut vectors = Settled::ok(settled).unwrap_or_default().into_iter();
    Ok(batch
        .into_iter()
        .map(|question| EmbeddingRow {
            scenario_id: question.scenario_id,
            model: embedder.id().to_string(),
            vector: vectors.next(),
            outcome,
            detail: detail.clone(),
        })
        .collect())
}
