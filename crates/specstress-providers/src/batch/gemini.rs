//! Gemini batch mode: small batches inline, large ones as a file.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use specstress_llm::{BatchState, BatchStatus, BatchTag, LlmError, LlmErrorKind, RequestKey};

use super::find::{Entry, Listing};
use super::form::{BatchForm, Input, Outputs, Results, Source, odd_state};
use super::item::{Item, fields, http_status, inner, present, rpc_error, string};
use super::moment::{count, expiry, moment};
use crate::catalog::ModelInfo;
use crate::percent;
use crate::wire::{failure, model_path, text_of};

/// Less than the 20 MB that a call may have.
const MOST_INLINE_BYTES: usize = 18_000_000;
/// What a request has around it inline.
const WRAPPING: usize = 32;

#[derive(Debug)]
pub(super) struct Gemini {
    create_path: String,
    /// Most bytes of a batch that is sent inline.
    pub(super) most_inline: usize,
}

impl Gemini {
    pub(super) fn of(model: &ModelInfo) -> Self {
        Self {
            create_path: model_path(model, "batchGenerateContent"),
            most_inline: MOST_INLINE_BYTES,
        }
    }
}

impl BatchForm for Gemini {
    /// The form of a file; [`create`](BatchForm::create) turns it over for the inline form.
    fn line(&self, key: &RequestKey, body: &str) -> String {
        format!(r#"{{"key":"{key}","request":{body}}}"#)
    }

    fn input(&self, lines: usize, bytes: usize) -> Input {
        if bytes + lines * WRAPPING <= self.most_inline {
            Input::Inline
        } else {
            Input::Resumable
        }
    }

    fn create(&self, tag: &BatchTag, source: Source<'_>) -> Result<(String, String), LlmError> {
        let input = match source {
            Source::File(name) => json!({"fileName": name}).to_string(),
            Source::Lines(lines) => {
                let requests: Vec<String> = lines
                    .iter()
                    .map(|line| inline_request(&line.json))
                    .collect::<Result<_, _>>()?;
                format!(r#"{{"requests":{{"requests":[{}]}}}}"#, requests.join(","))
            }
        };
        let body = format!(r#"{{"batch":{{"displayName":"{tag}","inputConfig":{input}}}}}"#);
        Ok((self.create_path.clone(), body))
    }

    fn id_field(&self) -> &'static str {
        "name"
    }

    fn path(&self, id: &str) -> String {
        let id = id.strip_prefix("batches/").unwrap_or(id);
        format!("/batches/{}", percent::encode(id, b""))
    }

    fn cancel(&self, id: &str) -> (String, &'static str) {
        (format!("{}:cancel", self.path(id)), "{}")
    }

    fn status(&self, model: &ModelInfo, body: &Value) -> BatchStatus {
        let metadata = &body["metadata"];
        let word = text_of(metadata, "state").or_else(|| text_of(body, "state"));
        let plain = word.map(|word| {
            word.trim_start_matches("BATCH_STATE_")
                .trim_start_matches("JOB_STATE_")
        });
        let error = body.get("error").filter(|error| !error.is_null());
        let state = match plain {
            Some("PENDING" | "QUEUED" | "PAUSED" | "UNSPECIFIED") => BatchState::Queued,
            Some("RUNNING" | "UPDATING") => BatchState::Running,
            Some("CANCELLING") => BatchState::Cancelling,
            Some("SUCCEEDED" | "PARTIALLY_SUCCEEDED") => BatchState::Ended,
            Some("CANCELLED") => BatchState::Cancelled,
            Some("EXPIRED") => BatchState::Expired,
            Some("FAILED") => BatchState::Failed,
            // An operation that is done has one of the two.
            None if body["done"] == true && error.is_some() => BatchState::Failed,
            None if body["done"] == true => BatchState::Ended,
            None if body["done"] == false => BatchState::Running,
            _ => odd_state(word),
        };
        let counts = &metadata["batchStats"];
        BatchStatus {
            succeeded: count(&counts["successfulRequestCount"]),
            failed: count(&counts["failedRequestCount"]),
            expires_at: expiry(&metadata["expireTime"], &metadata["createTime"], 48),
            refusal: (state == BatchState::Failed).then(|| refusal(model, error)),
            state,
        }
    }

    fn list_path(&self, page: Option<&str>) -> String {
        let token = page.map_or_else(String::new, |token| {
            format!("&pageToken={}", percent::encode(token, b""))
        });
        format!("/batches?pageSize=100{token}")
    }

    fn list(&self, body: &Value) -> Listing {
        let entries = body["operations"].as_array().into_iter().flatten();
        Listing {
            entries: entries
                .filter_map(|batch| {
                    let metadata = &batch["metadata"];
                    Some(Entry {
                        id: text_of(batch, "name")?.to_owned(),
                        created: moment(&metadata["createTime"]),
                        tag: text_of(metadata, "displayName").map(ToOwned::to_owned),
                        requests: count(&metadata["batchStats"]["requestCount"]),
                    })
                })
                .collect(),
            next: text_of(body, "nextPageToken").map(ToOwned::to_owned),
        }
    }

    fn results(&self, _: &str) -> Results {
        Results::InStatus
    }

    /// In `metadata.output`, or in the `response` of the finished operation.
    fn outputs<'t>(&self, status: &'t str) -> Outputs<'t> {
        let none = || Outputs::Files(Vec::new());
        let Some(status) = fields(status) else {
            return none();
        };
        let output = inner(&status, "metadata")
            .and_then(|metadata| inner(&metadata, "output"))
            .or_else(|| inner(&status, "response"));
        let Some(output) = output else {
            return none();
        };
        if let Some(file) = string(&output, "responsesFile") {
            let id = file.strip_prefix("files/").unwrap_or(&file);
            let path = format!("/files/{}:download?alt=media", percent::encode(id, b""));
            return Outputs::Files(vec![path]);
        }
        let here = inner(&output, "inlinedResponses")
            .and_then(|list| present(&list, "inlinedResponses"))
            .and_then(|list| serde_json::from_str::<Vec<&'t RawValue>>(list.get()).ok());
        here.map_or_else(none, Outputs::Here)
    }

    /// A line of a file has the key at its top, an inline response in its metadata.
    fn item<'t>(&self, line: &'t str) -> Option<(RequestKey, Item<'t>)> {
        let line_fields = fields(line)?;
        let key = inner(&line_fields, "metadata")
            .and_then(|metadata| string(&metadata, "key"))
            .or_else(|| string(&line_fields, "key"))?
            .parse()
            .ok()?;
        let item = match (
            present(&line_fields, "response"),
            present(&line_fields, "error"),
        ) {
            (Some(body), _) => Item::Reply {
                status: 200,
                request_id: None,
                body: body.get().into(),
            },
            (None, Some(error)) => rpc_error(error),
            (None, None) => Item::Odd(line.to_owned()),
        };
        Some((key, item))
    }
}

/// A line of a file as an inline request.
fn inline_request(line: &str) -> Result<String, LlmError> {
    let parts = fields(line);
    let part = |name| parts.as_ref().and_then(|parts| present(parts, name));
    match (part("request"), part("key")) {
        (Some(request), Some(key)) => {
            // What else stands beside the request goes with its key.
            let others = parts.iter().flatten().filter_map(|(name, value)| {
                let own = name == "request" || name == "key";
                (!own).then(|| format!(",{}:{value}", serde_json::json!(name)))
            });
            let others: String = others.collect();
            Ok(format!(
                r#"{{"request":{request},"metadata":{{"key":{key}{others}}}}}"#
            ))
        }
        _ => Err(LlmError::new(
            LlmErrorKind::BadRequest,
            "a line of a Gemini batch needs a key and a request; encode it anew",
        )),
    }
}

fn refusal(model: &ModelInfo, error: Option<&Value>) -> (LlmErrorKind, String) {
    let Some(error) = error else {
        let text = format!("{}: the batch failed without a reason", model.id());
        return (LlmErrorKind::BadRequest, text);
    };
    let status = error["code"].as_u64().and_then(http_status).unwrap_or(200);
    let (kind, message) = failure(model, status, error);
    let kind = match kind {
        LlmErrorKind::BadReply => LlmErrorKind::BadRequest,
        kind => kind,
    };
    (kind, format!("{}: the batch failed: {message}", model.id()))
}
