use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::batch::engine::{Draft, Source};
use crate::server::batch::item::{Asked, Item};
use crate::server::batch::job::{Batch, Given, How, Outcome};
use crate::server::batch::read::{entry, json, unique};
use crate::server::batch::{Limits, quoted};
use crate::server::clock::rfc3339;
use crate::server::wire::{Form, Refusal, Wire, error_body};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create<'a> {
    #[serde(borrow)]
    requests: Vec<Request<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    custom_id: String,
    #[serde(borrow)]
    params: &'a RawValue,
    #[serde(default, rename = "x-specstress-sample")]
    sample: u32,
}

/// Reads `POST /v1/messages/batches`. What is inside `params` shows only in the results.
pub(super) fn draft(bytes: &Bytes, limits: &Limits) -> Result<Draft, Refusal> {
    let create: Create<'_> = json(bytes)?;
    limits.count(create.requests.len())?;
    for (index, request) in create.requests.iter().enumerate() {
        let id = request.custom_id.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(1..=64).contains(&id.len()) || !id.iter().all(plain) {
            let field = format!("requests.{index}.custom_id");
            let message = format!("{field}: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'");
            return Err(Refusal::field(&field, message));
        }
    }
    let ids = create.requests.iter().map(|request| &*request.custom_id);
    unique(ids).map_err(|id| {
        let message = format!("requests: custom_id {id:?} comes twice, it must be unique");
        Refusal::field("requests", message)
    })?;
    let entries = create
        .requests
        .iter()
        .map(|one| entry(bytes, &one.custom_id, one.params, one.sample))
        .collect();
    Ok(Draft {
        asked: Asked {
            wire: Wire::Anthropic,
            form: Form::Messages,
            model: None,
        },
        label: Value::Null,
        given: Given {
            inline: true,
            ..Given::default()
        },
        source: Some(Source::Entries(entries)),
    })
}

/// Whether its results can be had, and are not lost.
pub(super) fn has_results(batch: &Batch) -> bool {
    batch.end().is_some_and(|end| end.how != How::Empty)
}

/// The batch as it is told. Counts stay in `processing` until all of it has ended.
pub(super) fn show(batch: &Batch, now: Instant, origin: &str) -> Value {
    let (end, counts) = (batch.end(), batch.counts(now));
    let status = match (end, batch.cancelled) {
        (Some(_), _) => "ended",
        (None, Some(_)) => "canceling",
        (None, None) => "in_progress",
    };
    let counts = match end {
        Some(_) => {
            json!({"processing": 0, "succeeded": counts.succeeded, "errored": counts.errored,
                   "canceled": counts.cancelled, "expired": counts.expired})
        }
        None => {
            json!({"processing": counts.total, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0})
        }
    };
    let results = format!("{origin}/v1/messages/batches/{}/results", batch.id);
    json!({
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": counts,
        "created_at": rfc3339(batch.created.unix),
        "expires_at": rfc3339(batch.created.unix + 86_400),
        "ended_at": end.map(|end| rfc3339(end.moment.unix)),
        "cancel_initiated_at": batch.cancelled.map(|moment| rfc3339(moment.unix)),
        "archived_at": null,
        "results_url": has_results(batch).then_some(results),
    })
}

/// One line of the results.
pub(super) fn line(item: &Item, outcome: Outcome<'_>) -> Option<String> {
    let request = format!("req_sim_{}", &item.id[..item.id.len().min(12)]);
    let errored = |refusal: &Refusal| {
        let error = error_body(Wire::Anthropic, refusal, &request);
        json!({"type": "errored", "error": error}).to_string()
    };
    let result = match outcome {
        Outcome::Answered(body) => format!("{{\"type\":\"succeeded\",\"message\":{body}}}"),
        Outcome::Refused(refusal) => errored(refusal),
        Outcome::Failed => errored(&Refusal::new(500, "Internal server error (simulated)")),
        Outcome::Expired => r#"{"type":"expired"}"#.to_owned(),
        Outcome::Cancelled => r#"{"type":"canceled"}"#.to_owned(),
        Outcome::Pending => return None,
    };
    Some(format!(
        "{{\"custom_id\":{},\"result\":{result}}}\n",
        quoted(&item.id)
    ))
}
