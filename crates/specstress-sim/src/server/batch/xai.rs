use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::batch::engine::{Draft, Source};
use crate::server::batch::item::{Asked, Item};
use crate::server::batch::job::{Batch, End, Flaw, Given, How, Outcome};
use crate::server::batch::openai;
use crate::server::batch::read::{entry, json, unique};
use crate::server::batch::store::{Content, File};
use crate::server::batch::time::Moment;
use crate::server::batch::{Limits, quoted};
use crate::server::clock::day_of;
use crate::server::wire::{Form, Refusal, Wire};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    #[serde(default)]
    input_file_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add<'a> {
    #[serde(borrow)]
    batch_requests: Vec<Request<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(rename = "batch_request_id")]
    id: String,
    #[serde(borrow, rename = "batch_request")]
    body: Body<'a>,
    #[serde(default, rename = "x-specstress-sample")]
    sample: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    chat_get_completion: &'a RawValue,
}

/// Reads `POST /v1/batches`: a batch to be filled, or one of a file.
pub(super) fn draft(
    bytes: &Bytes,
    file: impl FnOnce(&str) -> Result<File, Refusal>,
    limits: &Limits,
) -> Result<Draft, Refusal> {
    let create: Create = json(bytes)?;
    if create.name.is_empty() {
        return Err(Refusal::field("name", "name: a batch needs a name"));
    }
    let mut given = Given::default();
    let mut source = None;
    if let Some(id) = create.input_file_id {
        source = Some(match &file(&id)?.content {
            Content::Raw(bytes) => openai::source(bytes, "/v1/chat/completions", false, limits).0,
            Content::Read(read) => Source::Items(read.items.clone()),
            Content::Partial(_) | Content::Results { .. } => {
                return Err(Refusal::field("input_file_id", "not a file of requests"));
            }
        });
        given.file = Some(id);
    }
    Ok(Draft {
        asked: Asked {
            wire: Wire::Xai,
            form: Form::Completions,
            model: None,
        },
        label: create.name.into(),
        given,
        source,
    })
}

/// Reads `POST /v1/batches/{id}/requests`.
pub(super) fn addition(bytes: &Bytes, batch: &Batch, limits: &Limits) -> Result<Source, Refusal> {
    let add: Add<'_> = json(bytes)?;
    limits.count(
        add.batch_requests.len() + batch.parts.iter().map(|part| part.count).sum::<usize>(),
    )?;
    if batch.cancelled.is_some() || rejected(batch).is_some() {
        return Err(Refusal::new(400, "the batch has been cancelled"));
    }
    let had = batch
        .parts
        .iter()
        .flat_map(|part| part.ids.iter().map(|id| &**id));
    let new = add.batch_requests.iter().map(|one| &*one.id);
    unique(had.chain(new)).map_err(|id| {
        let message = format!("batch_request_id {id:?} comes twice, it must be unique in a batch");
        Refusal::field("batch_request_id", message)
    })?;
    let entries = add
        .batch_requests
        .iter()
        .map(|one| entry(bytes, &one.id, one.body.chat_get_completion, one.sample));
    Ok(Source::Entries(entries.collect()))
}

/// When and why a batch was rejected.
fn rejected(batch: &Batch) -> Option<(Moment, &[Flaw])> {
    batch.parts.iter().find_map(|part| match part.end.as_ref() {
        Some(End {
            moment,
            how: How::Failed(flaws),
        }) => Some((*moment, flaws.as_slice())),
        _ => None,
    })
}

/// The batch as it is told: without a status.
pub(super) fn show(batch: &Batch, now: Instant) -> Value {
    let rejected = rejected(batch);
    let counts = batch.counts(now);
    // A batch that is rejected at once has no requests at all.
    let state = if rejected.is_some() && counts.succeeded == 0 {
        json!({"num_requests": 0, "num_pending": 0, "num_success": 0, "num_error": 0, "num_cancelled": 0})
    } else {
        json!({"num_requests": counts.total, "num_pending": counts.pending,
               "num_success": counts.succeeded, "num_error": counts.errored + counts.expired,
               "num_cancelled": counts.cancelled})
    };
    let message = rejected.map(|(_, flaws)| {
        let told = flaws.first().map_or("", |flaw| &flaw.message);
        match flaws.first().and_then(|flaw| flaw.line) {
            Some(line) => format!("JSONL file validation failed: line {line}: {told}"),
            None => told.to_owned(),
        }
    });
    let cancelled = rejected.map(|(moment, _)| moment).or(batch.cancelled);
    let (mut cost, mut processed) = (0, 0_u64);
    for (item, outcome) in batch.outcomes(now) {
        if matches!(outcome, Outcome::Answered(_)) {
            cost += item.ticks;
            processed += 1;
        }
    }
    json!({
        "batch_id": batch.id,
        "name": batch.label,
        "create_time": day_of(batch.created.unix),
        "expire_time": day_of(batch.created.unix + 86_400),
        "create_api_key_id": "key_sim",
        "cancel_time": cancelled.map(|moment| day_of(moment.unix)),
        "cancel_by_xai_message": message,
        "input_file_id": batch.given.file,
        "state": state,
        "cost_breakdown": {
            "total_cost_usd_ticks": cost,
            "endpoint_costs": [{"endpoint": "/v1/chat/completions", "cost_usd_ticks": cost,
                                "request_count": processed}],
        },
    })
}

/// The results so far, in an order that later pages keep.
pub(super) fn results(batch: &Batch, now: Instant) -> impl Iterator<Item = String> {
    let parts = batch.parts.iter().filter(|part| {
        let how = part.end.as_ref().map(|end| &end.how);
        !matches!(how, Some(How::Empty | How::Failed(_)))
    });
    parts
        .flat_map(move |part| part.outcomes(now))
        .filter_map(|(item, outcome)| line(item, outcome))
}

fn line(item: &Item, outcome: Outcome<'_>) -> Option<String> {
    let error = |code: u32, message: &str| json!({"error": {"code": code, "message": message}});
    let result = match outcome {
        Outcome::Answered(body) => {
            format!("{{\"response\":{{\"chat_get_completion\":{body}}}}}")
        }
        Outcome::Refused(refusal) if refusal.status == 404 => {
            error(5, refusal.message()).to_string()
        }
        Outcome::Refused(refusal) => error(3, refusal.message()).to_string(),
        Outcome::Failed => error(13, "internal error (simulated)").to_string(),
        Outcome::Expired => error(4, "the request expired (simulated)").to_string(),
        Outcome::Cancelled | Outcome::Pending => return None,
    };
    Some(format!(
        "{{\"batch_request_id\":{},\"batch_result\":{result}}}",
        quoted(&item.id)
    ))
}

/// What is known of each request, done or not.
pub(super) fn requests(batch: &Batch, now: Instant) -> impl Iterator<Item = String> {
    let day = day_of(batch.created.unix);
    batch.parts.iter().flat_map(move |part| {
        let day = day.clone();
        let known: std::collections::HashMap<&str, (&str, &str)> = part
            .outcomes(now)
            .map(|(item, outcome)| (&*item.id, (&*item.model, request_state(outcome))))
            .collect();
        part.ids.iter().map(move |id| {
            let (model, state) = known.get(&**id).copied().unwrap_or(("", "pending"));
            json!({"batch_request_id": id, "endpoint": "/v1/chat/completions", "model": model,
                   "state": state, "create_time": day, "finish_time": null})
            .to_string()
        })
    })
}

fn request_state(outcome: Outcome<'_>) -> &'static str {
    match outcome {
        Outcome::Answered(_) => "succeeded",
        Outcome::Pending => "pending",
        Outcome::Cancelled => "cancelled",
        Outcome::Refused(_) | Outcome::Failed | Outcome::Expired => "failed",
    }
}
