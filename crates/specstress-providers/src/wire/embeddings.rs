//! Vectors of `OpenAI`, compatible servers and Gemini.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use specstress_llm::{Embedding, EmbeddingRequest, LlmError, LlmErrorKind};

use crate::catalog::ModelInfo;
use crate::wire::gemini::model_path;
use crate::wire::options::WireOptions;
use crate::wire::params::refused;
use crate::wire::reply::{Opened, answering_model, bad_reply, open};
use crate::wire::{Embedded, EmbeddingWire, WireReply, WireRequest, finish_body, json};

/// `POST /embeddings`.
#[derive(Debug)]
pub(super) struct OpenAiEmbeddings {
    pub options: Arc<WireOptions>,
}

impl EmbeddingWire for OpenAiEmbeddings {
    fn request(
        &self,
        model: &ModelInfo,
        request: &EmbeddingRequest,
    ) -> Result<WireRequest, LlmError> {
        check(model, request, &self.options)?;
        let mut body = Map::new();
        body.insert("model".to_owned(), model.name.clone().into());
        body.insert("input".to_owned(), json!(request.texts));
        // Some servers answer base64 unless told.
        body.insert("encoding_format".to_owned(), "float".into());
        if let Some(dimensions) = request.dimensions {
            body.insert("dimensions".to_owned(), dimensions.into());
        }
        Ok(WireRequest {
            path: "/embeddings".to_owned(),
            headers: Vec::new(),
            body: finish_body(body, &self.options),
        })
    }

    fn response(
        &self,
        model: &ModelInfo,
        asked: usize,
        reply: &WireReply,
    ) -> Result<Embedded, LlmError> {
        let body = body(model, reply)?;
        let named = json::text(&body, "model");
        answering_model(model, named, self.options.allow_other_model)?;
        let rows = body["data"].as_array().map_or(&[][..], Vec::as_slice);
        let mut placed: Vec<Option<&Value>> = vec![None; asked];
        for (position, row) in rows.iter().enumerate() {
            let index = match &row["index"] {
                Value::Null => Some(position),
                index => index.as_u64().and_then(|index| usize::try_from(index).ok()),
            };
            let place = index
                .and_then(|index| placed.get_mut(index))
                .ok_or_else(|| {
                    let what = format!("embeddings with index {} of {asked}", row["index"]);
                    bad_reply(model, reply, &what)
                })?;
            if place.replace(&row["embedding"]).is_some() {
                let what = format!("embeddings with index {} twice", row["index"]);
                return Err(bad_reply(model, reply, &what));
            }
        }
        if rows.len() != asked {
            let what = format!("{} embeddings for {asked} texts", rows.len());
            return Err(bad_reply(model, reply, &what));
        }
        Ok(Embedded {
            vectors: unit_vectors(model, reply, placed.into_iter().flatten())?,
            tokens: body["usage"]["prompt_tokens"].as_u64(),
        })
    }
}

/// `POST /models/NAME:batchEmbedContents`.
#[derive(Debug)]
pub(super) struct GeminiEmbeddings {
    pub options: Arc<WireOptions>,
}

impl EmbeddingWire for GeminiEmbeddings {
    fn request(
        &self,
        model: &ModelInfo,
        request: &EmbeddingRequest,
    ) -> Result<WireRequest, LlmError> {
        check(model, request, &self.options)?;
        let name = model.name.strip_prefix("models/").unwrap_or(&model.name);
        let task = self.options.embedding_task.as_deref();
        let task_type = model.embedding.is_some_and(|rule| rule.task_type);
        let requests: Vec<Value> = request
            .texts
            .iter()
            .map(|text| {
                // Models without `taskType` read the task from the text.
                let text = match task {
                    Some(task) if !task_type => {
                        let task = task.to_ascii_lowercase().replace('_', " ");
                        format!("task: {task} | query: {text}")
                    }
                    _ => text.clone(),
                };
                // One text per request: several parts would share one vector.
                let mut one = json!({
                    "model": format!("models/{name}"),
                    "content": {"parts": [{"text": text}]},
                });
                if let Some(task) = task.filter(|_| task_type) {
                    one["taskType"] = task.into();
                }
                if let Some(dimensions) = request.dimensions {
                    one["outputDimensionality"] = dimensions.into();
                }
                one
            })
            .collect();
        let mut body = Map::new();
        body.insert("requests".to_owned(), requests.into());
        Ok(WireRequest {
            path: model_path(model, "batchEmbedContents"),
            headers: Vec::new(),
            body: finish_body(body, &self.options),
        })
    }

    fn response(
        &self,
        model: &ModelInfo,
        asked: usize,
        reply: &WireReply,
    ) -> Result<Embedded, LlmError> {
        let body = body(model, reply)?;
        let rows = body["embeddings"].as_array().map_or(&[][..], Vec::as_slice);
        if rows.len() != asked {
            let what = format!("{} embeddings for {asked} texts", rows.len());
            return Err(bad_reply(model, reply, &what));
        }
        Ok(Embedded {
            vectors: unit_vectors(model, reply, rows.iter().map(|row| &row["values"]))?,
            tokens: body["usageMetadata"]["promptTokenCount"].as_u64(),
        })
    }
}

/// Most numbers asked for at once: some 20 MB as JSON.
const MOST_NUMBERS: u32 = 1 << 20;

/// Most texts in one request: the switch of the endpoint, else the catalog's figure, else 64; fewer where
/// that many vectors would make a reply of a hundred megabytes.
pub(crate) fn embedding_batch(model: &ModelInfo, options: &WireOptions) -> usize {
    let limit = options
        .compat
        .max_embedding_inputs
        .or(model.embedding.map(|rule| rule.max_inputs))
        .filter(|most| *most > 0)
        .unwrap_or(64);
    let by_size = model
        .embedding
        .map_or(limit, |rule| (MOST_NUMBERS / rule.dimensions.max(1)).max(1));
    usize::try_from(limit.min(by_size)).unwrap_or(usize::MAX)
}

fn check(
    model: &ModelInfo,
    request: &EmbeddingRequest,
    options: &WireOptions,
) -> Result<(), LlmError> {
    let bad = |reason: String| {
        LlmError::new(
            LlmErrorKind::BadRequest,
            format!("{}: {reason}", model.id()),
        )
    };
    let most = embedding_batch(model, options);
    if request.texts.is_empty() {
        return Err(bad(
            "there is no text to embed; give at least one".to_owned()
        ));
    }
    if request.texts.len() > most {
        return Err(bad(format!(
            "{} texts in one request; it takes {most}",
            request.texts.len()
        )));
    }
    if let Some(at) = request.texts.iter().position(String::is_empty) {
        return Err(bad(format!("text {} is empty; leave it out", at + 1)));
    }
    match (request.dimensions, model.embedding) {
        (Some(0), _) => Err(bad("dimensions is 0; give 1 or more".to_owned())),
        (Some(wanted), Some(rule)) if wanted > rule.dimensions => Err(refused(
            model,
            &format!("dimensions = {wanted}"),
            &format!("its vectors have {}", rule.dimensions),
        )),
        (Some(wanted), Some(rule)) if wanted != rule.dimensions && !rule.shortens => Err(refused(
            model,
            &format!("dimensions = {wanted}"),
            &format!("its vectors always have {}", rule.dimensions),
        )),
        _ => Ok(()),
    }
}

fn body(model: &ModelInfo, reply: &WireReply) -> Result<Value, LlmError> {
    match open(model, reply)? {
        Opened::Body(body) => Ok(body),
        Opened::Blocked(response) => Err(LlmError::new(
            LlmErrorKind::BadRequest,
            format!(
                "{}: the provider declined the texts ({:?})",
                model.id(),
                response.finish
            ),
        )
        .with_status(reply.status)),
    }
}

/// Vectors of one length and unit norm. The norm is taken in double precision.
fn unit_vectors<'a>(
    model: &ModelInfo,
    reply: &WireReply,
    rows: impl Iterator<Item = &'a Value>,
) -> Result<Vec<Embedding>, LlmError> {
    let mut vectors: Vec<Embedding> = Vec::new();
    for (position, row) in rows.enumerate() {
        let number = position + 1;
        let values: Option<Vec<f64>> = row
            .as_array()
            .filter(|values| !values.is_empty())
            .map(|values| values.iter().map(Value::as_f64).collect())
            .unwrap_or_default();
        let Some(values) = values else {
            let what = format!("an embedding {number} that is not a list of numbers");
            return Err(bad_reply(model, reply, &what));
        };
        if let Some(first) = vectors.first()
            && first.len() != values.len()
        {
            let what = format!("embeddings of {} and {} numbers", first.len(), values.len());
            return Err(bad_reply(model, reply, &what));
        }
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            let what = format!("an embedding {number} of length {norm}");
            return Err(bad_reply(model, reply, &what));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "components of a unit vector, which the contract has in single precision"
        )]
        vectors.push(values.iter().map(|value| (value / norm) as f32).collect());
    }
    Ok(vectors)
}

#[cfg(test)]
#[path = "embeddings_tests.rs"]
mod tests;
