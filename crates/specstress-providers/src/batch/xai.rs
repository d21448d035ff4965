//! xAI: a file of requests in, pages of results out, and no word for the state.

use serde_json::{Value, json};
use specstress_llm::{BatchState, BatchStatus, BatchTag, LlmError, LlmErrorKind, RequestKey};

use super::find::{Entry, Listing};
use super::form::{BatchForm, Input, Results, Source};
use super::item::{Item, fields, inner, present, rpc_error, string};
use super::moment::{count, expiry, moment};
use super::openai::request_line;
use crate::catalog::ModelInfo;
use crate::percent;
use crate::wire::{scrub, text_of};

#[derive(Debug)]
pub(super) struct Xai;

impl BatchForm for Xai {
    fn line(&self, key: &RequestKey, body: &str) -> String {
        request_line(key, "/v1/chat/completions", body)
    }

    fn input(&self, _: usize, _: usize) -> Input {
        Input::Multipart(None)
    }

    /// With the file, so that a batch is never there without its requests.
    fn create(&self, tag: &BatchTag, source: Source<'_>) -> Result<(String, String), LlmError> {
        let file = match source {
            Source::File(id) => id,
            Source::Lines(_) => "",
        };
        let body = json!({"name": tag.as_str(), "input_file_id": file});
        Ok(("/batches".to_owned(), body.to_string()))
    }

    fn id_field(&self) -> &'static str {
        "batch_id"
    }

    fn path(&self, id: &str) -> String {
        format!("/batches/{}", percent::encode(id, b""))
    }

    fn cancel(&self, id: &str) -> (String, &'static str) {
        (format!("{}:cancel", self.path(id)), "")
    }

    fn status(&self, model: &ModelInfo, body: &Value) -> BatchStatus {
        let state = &body["state"];
        let named = |name: &str| count(&state[name]);
        let (requests, pending) = (named("num_requests"), named("num_pending"));
        let cancelled = body.get("cancel_time").is_some_and(|time| !time.is_null());
        let message = text_of(body, "cancel_by_xai_message");
        let over = requests > 0 && pending == 0;
        let (state, refusal) = match message {
            // Whatever was answered before is kept.
            Some(_) if named("num_success") > 0 && !over => (BatchState::Cancelling, None),
            Some(_) if named("num_success") > 0 => (BatchState::Cancelled, None),
            Some(message) => {
                let text = format!(
                    "{}: xAI cancelled the batch: {}",
                    model.id(),
                    scrub(message)
                );
                (BatchState::Failed, Some((LlmErrorKind::BadRequest, text)))
            }
            // What is never filled has nothing to wait for.
            None if cancelled && pending > 0 => (BatchState::Cancelling, None),
            None if cancelled && (named("num_cancelled") > 0 || !over) => {
                (BatchState::Cancelled, None)
            }
            None if over => (BatchState::Ended, None),
            None if requests == 0 => (BatchState::Queued, None),
            None => (BatchState::Running, None),
        };
        BatchStatus {
            state,
            succeeded: named("num_success"),
            failed: named("num_error") + named("num_cancelled"),
            expires_at: expiry(&body["expire_time"], &body["create_time"], 24),
            refusal,
        }
    }

    fn list_path(&self, page: Option<&str>) -> String {
        with_token("/batches?limit=100".to_owned(), page)
    }

    fn list(&self, body: &Value) -> Listing {
        let entries = body["batches"]
            .as_array()
            .or_else(|| body["data"].as_array());
        Listing {
            entries: entries
                .into_iter()
                .flatten()
                .filter_map(|batch| {
                    Some(Entry {
                        id: text_of(batch, "batch_id")?.to_owned(),
                        created: moment(&batch["create_time"]),
                        tag: text_of(batch, "name").map(ToOwned::to_owned),
                        requests: count(&batch["state"]["num_requests"]),
                    })
                })
                .collect(),
            next: text_of(body, "pagination_token").map(ToOwned::to_owned),
        }
    }

    fn results(&self, id: &str) -> Results {
        Results::Pages(format!("{}/results?limit=1000", self.path(id)))
    }

    fn item<'t>(&self, line: &'t str) -> Option<(RequestKey, Item<'t>)> {
        let line_fields = fields(line)?;
        let key = string(&line_fields, "batch_request_id")?.parse().ok()?;
        // The proto names the fields without the wrapper of the REST form.
        let result = inner(&line_fields, "batch_result").unwrap_or_else(|| line_fields.clone());
        let reply = inner(&result, "response").and_then(|response| {
            ["chat_get_completion", "completion_response"]
                .iter()
                .find_map(|name| present(&response, name))
        });
        let item = match (reply, present(&result, "error")) {
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

/// A path with the token of a page; tokens hold characters that end a query.
pub(super) fn with_token(path: String, token: Option<&str>) -> String {
    match token {
        Some(token) => format!("{path}&pagination_token={}", percent::encode(token, b"")),
        None => path,
    }
}

/// The results of a page, one text each.
pub(super) fn page_items(page: &str) -> Option<Vec<String>> {
    let page = fields(page)?;
    let Some(results) = present(&page, "results") else {
        return Some(Vec::new());
    };
    let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(results.get()).ok()?;
    Some(
        items
            .into_iter()
            .map(|item| item.get().to_owned())
            .collect(),
    )
}
