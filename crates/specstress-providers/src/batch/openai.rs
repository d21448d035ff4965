//! `OpenAI` Batch, and servers with the same service: a file of requests in, two files of results out.

use serde_json::{Value, json};
use specstress_llm::{BatchState, BatchStatus, BatchTag, LlmError, LlmErrorKind, RequestKey};

use super::find::{Entry, Listing};
use super::form::{BatchForm, Input, Outputs, Results, Source, odd_state};
use super::item::{Item, fields, inner, present, string};
use super::moment::{count, expiry, moment};
use crate::catalog::{ChatApi, ModelInfo};
use crate::percent;
use crate::wire::{failure, text_of};

/// The name of the tag among a batch's metadata.
const TAG: &str = "specstress_tag";

/// `OpenAI` and compatible servers.
#[derive(Debug)]
pub(super) struct OpenAi {
    /// The live path of every request, from the version segment on.
    pub(super) endpoint: &'static str,
}

impl OpenAi {
    pub(super) fn of(model: &ModelInfo) -> Self {
        let endpoint = match model.api {
            ChatApi::ChatCompletions => "/v1/chat/completions",
            ChatApi::Responses => "/v1/responses",
        };
        Self { endpoint }
    }
}

/// A line of an input file; xAI takes the same.
pub(super) fn request_line(key: &RequestKey, endpoint: &str, body: &str) -> String {
    format!(r#"{{"custom_id":"{key}","method":"POST","url":"{endpoint}","body":{body}}}"#)
}

impl BatchForm for OpenAi {
    fn line(&self, key: &RequestKey, body: &str) -> String {
        request_line(key, self.endpoint, body)
    }

    fn input(&self, _: usize, _: usize) -> Input {
        Input::Multipart(Some("batch"))
    }

    fn create(&self, tag: &BatchTag, source: Source<'_>) -> Result<(String, String), LlmError> {
        let file = match source {
            Source::File(id) => id,
            Source::Lines(_) => "",
        };
        let body = json!({
            "input_file_id": file,
            "endpoint": self.endpoint,
            "completion_window": "24h",
            "metadata": {TAG: tag.as_str()},
        });
        Ok(("/batches".to_owned(), body.to_string()))
    }

    fn id_field(&self) -> &'static str {
        "id"
    }

    fn path(&self, id: &str) -> String {
        format!("/batches/{}", percent::encode(id, b""))
    }

    fn cancel(&self, id: &str) -> (String, &'static str) {
        (format!("{}/cancel", self.path(id)), "")
    }

    fn status(&self, model: &ModelInfo, body: &Value) -> BatchStatus {
        let word = text_of(body, "status").map(str::to_ascii_lowercase);
        let state = match word.as_deref() {
            Some("validating") => BatchState::Queued,
            Some("in_progress" | "finalizing") => BatchState::Running,
            Some("cancelling") => BatchState::Cancelling,
            Some("completed") => BatchState::Ended,
            Some("expired") => BatchState::Expired,
            Some("cancelled") => BatchState::Cancelled,
            Some("failed") => BatchState::Failed,
            _ => odd_state(text_of(body, "status")),
        };
        let counts = &body["request_counts"];
        BatchStatus {
            succeeded: count(&counts["completed"]),
            failed: count(&counts["failed"]),
            expires_at: expiry(&body["expires_at"], &body["created_at"], 24),
            refusal: (state == BatchState::Failed).then(|| refusal(model, body)),
            state,
        }
    }

    fn list_path(&self, page: Option<&str>) -> String {
        let after = page.map_or_else(String::new, |id| {
            format!("&after={}", percent::encode(id, b""))
        });
        format!("/batches?limit=100{after}")
    }

    fn list(&self, body: &Value) -> Listing {
        let data = body["data"].as_array().map_or(&[][..], Vec::as_slice);
        let last = || {
            text_of(body, "last_id").or_else(|| data.last().and_then(|batch| text_of(batch, "id")))
        };
        Listing {
            entries: data
                .iter()
                .filter_map(|batch| {
                    Some(Entry {
                        id: text_of(batch, "id")?.to_owned(),
                        created: moment(&batch["created_at"]),
                        tag: text_of(&batch["metadata"], TAG).map(ToOwned::to_owned),
                        requests: count(&batch["request_counts"]["total"]),
                    })
                })
                .collect(),
            next: (body["has_more"] == true)
                .then(last)
                .flatten()
                .map(ToOwned::to_owned),
        }
    }

    fn results(&self, _: &str) -> Results {
        Results::InStatus
    }

    /// Successes are in one file and failures in another; either may be missing.
    fn outputs<'t>(&self, status: &'t str) -> Outputs<'t> {
        let body: Value = serde_json::from_str(status).unwrap_or_default();
        let files = ["output_file_id", "error_file_id"]
            .iter()
            .filter_map(|field| text_of(&body, field))
            .map(|id| format!("/files/{}/content", percent::encode(id, b"")))
            .collect();
        Outputs::Files(files)
    }

    fn item<'t>(&self, line: &'t str) -> Option<(RequestKey, Item<'t>)> {
        let line_fields = fields(line)?;
        let key = string(&line_fields, "custom_id")?.parse().ok()?;
        if let Some(response) = inner(&line_fields, "response")
            && let Some(body) = present(&response, "body")
        {
            let status = present(&response, "status_code")
                .and_then(|code| code.get().parse().ok())
                .unwrap_or(200);
            let item = Item::Reply {
                status,
                request_id: string(&response, "request_id").filter(|id| !id.is_empty()),
                body: body.get().into(),
            };
            return Some((key, item));
        }
        let Some(error) = present(&line_fields, "error") else {
            return Some((key, Item::Odd(line.to_owned())));
        };
        let code = fields(error.get()).and_then(|error| string(&error, "code"));
        let item = match code.as_deref() {
            Some("batch_expired") => Item::Lapsed("expired"),
            Some("batch_cancelled" | "batch_canceled") => Item::Lapsed("cancelled"),
            _ => Item::Reply {
                status: 200,
                request_id: None,
                body: format!("{{\"error\":{error}}}").into(),
            },
        };
        Some((key, item))
    }
}

/// Why a batch failed as a whole, by the first of its errors.
fn refusal(model: &ModelInfo, body: &Value) -> (LlmErrorKind, String) {
    let errors = body["errors"]["data"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let Some(first) = errors.first() else {
        let text = format!("{}: the batch was refused without a reason", model.id());
        return (LlmErrorKind::BadRequest, text);
    };
    let code = text_of(first, "code").unwrap_or_default();
    let (kind, message) = failure(model, 200, first);
    let kind = match kind {
        // The queue of the model is full; it empties as other batches end.
        _ if code == "token_limit_exceeded" => LlmErrorKind::RateLimited,
        // What is wrong with the file will be wrong again.
        LlmErrorKind::BadReply => LlmErrorKind::BadRequest,
        kind => kind,
    };
    let line = first["line"]
        .as_u64()
        .map_or_else(String::new, |line| format!(", line {line}"));
    let more = match errors.len() - 1 {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    (
        kind,
        format!(
            "{}: the batch was refused: {message}{line}{more}",
            model.id()
        ),
    )
}
