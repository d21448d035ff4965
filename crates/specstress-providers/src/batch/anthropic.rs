//! Anthropic Message Batches.

use serde_json::Value;
use specstress_llm::{BatchState, BatchStatus, BatchTag, LlmError, RequestKey};

use super::find::{Entry, Listing};
use super::form::{BatchForm, Input, Outputs, Results, Source, odd_state};
use super::item::{Item, fields, inner, present, string};
use super::moment::{count, expiry, moment};
use crate::catalog::ModelInfo;
use crate::percent;
use crate::wire::text_of;

#[derive(Debug)]
pub(super) struct Anthropic;

impl BatchForm for Anthropic {
    fn line(&self, key: &RequestKey, body: &str) -> String {
        format!(r#"{{"custom_id":"{key}","params":{body}}}"#)
    }

    fn input(&self, _: usize, _: usize) -> Input {
        Input::Inline
    }

    fn create(&self, _: &BatchTag, source: Source<'_>) -> Result<(String, String), LlmError> {
        let mut body = r#"{"requests":["#.to_owned();
        if let Source::Lines(lines) = source {
            body.reserve(lines.iter().map(|line| line.json.len() + 1).sum());
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    body.push(',');
                }
                body.push_str(&line.json);
            }
        }
        body.push_str("]}");
        Ok(("/messages/batches".to_owned(), body))
    }

    fn id_field(&self) -> &'static str {
        "id"
    }

    fn path(&self, id: &str) -> String {
        format!("/messages/batches/{}", percent::encode(id, b""))
    }

    fn cancel(&self, id: &str) -> (String, &'static str) {
        (format!("{}/cancel", self.path(id)), "")
    }

    /// The counts stay 0 until the whole batch has ended.
    fn status(&self, _: &ModelInfo, body: &Value) -> BatchStatus {
        let counts = &body["request_counts"];
        let expired = count(&counts["expired"]);
        let canceled = count(&counts["canceled"]);
        let state = match text_of(body, "processing_status") {
            Some("in_progress") => BatchState::Running,
            Some("canceling") => BatchState::Cancelling,
            Some("ended") if canceled > 0 => BatchState::Cancelled,
            Some("ended") if expired > 0 => BatchState::Expired,
            Some("ended") => BatchState::Ended,
            word => odd_state(word),
        };
        BatchStatus {
            succeeded: count(&counts["succeeded"]),
            failed: count(&counts["errored"]) + canceled + expired,
            expires_at: expiry(&body["expires_at"], &body["created_at"], 24),
            ..BatchStatus::new(state)
        }
    }

    fn list_path(&self, page: Option<&str>) -> String {
        let after = page.map_or_else(String::new, |id| {
            format!("&after_id={}", percent::encode(id, b""))
        });
        format!("/messages/batches?limit=100{after}")
    }

    fn list(&self, body: &Value) -> Listing {
        let entries = body["data"].as_array().into_iter().flatten();
        let counted = ["processing", "succeeded", "errored", "canceled", "expired"];
        Listing {
            entries: entries
                .filter_map(|batch| {
                    Some(Entry {
                        id: text_of(batch, "id")?.to_owned(),
                        created: moment(&batch["created_at"]),
                        tag: None,
                        requests: counted
                            .iter()
                            .map(|name| count(&batch["request_counts"][name]))
                            .sum(),
                    })
                })
                .collect(),
            next: (body["has_more"] == true)
                .then(|| text_of(body, "last_id").map(ToOwned::to_owned))
                .flatten(),
        }
    }

    fn keeps_tag(&self) -> bool {
        false
    }

    fn results(&self, _: &str) -> Results {
        Results::InStatus
    }

    /// Whether there is an address tells whether there are results; the key goes to no address of a reply.
    fn outputs<'t>(&self, status: &'t str) -> Outputs<'t> {
        let status: Value = serde_json::from_str(status).unwrap_or_default();
        let id = text_of(&status, "id").filter(|_| text_of(&status, "results_url").is_some());
        Outputs::Files(
            id.map(|id| format!("{}/results", self.path(id)))
                .into_iter()
                .collect(),
        )
    }

    fn item<'t>(&self, line: &'t str) -> Option<(RequestKey, Item<'t>)> {
        let line = fields(line)?;
        let key = string(&line, "custom_id")?.parse().ok()?;
        let result = inner(&line, "result").unwrap_or_default();
        let reply = |name| {
            present(&result, name).map(|raw| Item::Reply {
                // An error has no status of its own; its type decides.
                status: 200,
                request_id: None,
                body: raw.get().into(),
            })
        };
        let item = match string(&result, "type").as_deref() {
            Some("succeeded") => reply("message"),
            Some("errored") => reply("error"),
            Some("canceled") => Some(Item::Lapsed("cancelled")),
            Some("expired") => Some(Item::Lapsed("expired")),
            _ => None,
        };
        let odd = || Item::Odd(line.get("result").map_or("", |raw| raw.get()).to_owned());
        Some((key, item.unwrap_or_else(odd)))
    }
}
