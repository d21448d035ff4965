use specstress_dataset::TableDir;
use specstress_dataset::rows::EmbeddingRow;
use specstress_kcenter::ndarray::Array2;
use specstress_llm::{Embedding, EmbeddingModel, EmbeddingRequest, OutcomeKind};

use crate::drive::{Abort, Lost, Settled, settle};
use crate::error::PipelineError;
use crate::study::Study;

/// Embeds texts and holds the model to one vector per text, so that no vector is given to another text.
pub(crate) async fn embed(
    embedder: &dyn EmbeddingModel,
    request: EmbeddingRequest,
) -> Result<Settled<Vec<Embedding>>, Abort> {
    let settled = settle(embedder.embed(&request).await.map_err(Into::into))?;
    Ok(settled.and_then(|vectors| {
        if vectors.len() == request.texts.len() {
            return Ok(vectors);
        }
        Err(Lost {
            outcome: OutcomeKind::Failed,
            detail: format!(
                "{} returned {} vectors for {} texts",
                embedder.id(),
                vectors.len(),
                request.texts.len()
            ),
        })
    }))
}

/// The vectors of some questions, those of other shards included, as one matrix, rows in table order, with the
/// questions' ids.
pub(crate) fn read(
    study: &Study,
    tables: &TableDir,
    wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, Array2<f32>), Abort> {
    let mut ids = Vec::new();
    let mut values: Vec<f32> = Vec::new();
    let mut dimensions = 0;
    for row in study.all_rows::<EmbeddingRow>(tables)? {
        let row = row?;
        let Some(vector) = row.vector else { continue };
        if !wanted(&row.scenario_id) {
            continue;
        }
        if ids.is_empty() {
            dimensions = vector.len();
        }
        if vector.len() != dimensions {
            return Err(PipelineError::Dimensions {
                scenario: row.scenario_id,
                found: vector.len(),
                expected: dimensions,
            }
            .into());
        }
        values.extend(vector);
        ids.push(row.scenario_id);
    }
    let matrix = Array2::from_shape_vec((ids.len(), dimensions), values)
        .expect("every vector has the length of the first");
    Ok((ids, matrix))
}
