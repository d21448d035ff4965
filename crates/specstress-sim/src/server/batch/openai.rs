use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use specstress_llm::Usage;
use tokio::time::Instant;

use crate::server::batch::engine::{Draft, Source};
use crate::server::batch::item::{Asked, Item};
use crate::server::batch::job::{Batch, Flaw, Given, How, Outcome};
use crate::server::batch::names::results_file;
use crate::server::batch::read::{entry, json, lines};
use crate::server::batch::store::{Content, File, Which};
use crate::server::batch::{Limits, quoted};
use crate::server::wire::{Form, Refusal, Wire, error_body};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    input_file_id: String,
    endpoint: String,
    completion_window: String,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    output_expires_after: Option<Value>,
}

#[derive(Deserialize)]
struct Line<'a> {
    custom_id: String,
    method: String,
    url: String,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(default, rename = "x-specstress-sample")]
    sample: u32,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    model: Option<String>,
}

/// What `POST /v1/batches` asks for, before its file is looked at.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) file: String,
    endpoint: (&'static str, Form),
    metadata: Value,
}

const ENDPOINTS: [(&str, Form); 3] = [
    ("/v1/chat/completions", Form::Completions),
    ("/v1/responses", Form::Responses),
    ("/v1/embeddings", Form::Embeddings),
];

pub(super) fn plan(bytes: &[u8]) -> Result<Plan, Refusal> {
    let create: Create = json(bytes)?;
    let endpoint = ENDPOINTS
        .into_iter()
        .find(|(endpoint, _)| *endpoint == create.endpoint)
        .ok_or_else(|| {
            let message = format!(
                "Invalid value: {:?} is no endpoint of batches",
                create.endpoint
            );
            Refusal::field("endpoint", message)
        })?;
    if create.completion_window != "24h" {
        return Err(Refusal::field(
            "completion_window",
            "Invalid value: the completion_window must be '24h'",
        ));
    }
    let metadata = create.metadata.unwrap_or(Value::Null);
    check_metadata(&metadata)?;
    if let Some(after) = create.output_expires_after {
        let seconds = after["seconds"].as_u64().unwrap_or_default();
        if after["anchor"] != "created_at" || !(3_600..=2_592_000).contains(&seconds) {
            return Err(Refusal::field(
                "output_expires_after",
                "Invalid value: anchor must be 'created_at' and seconds from 3600 to 2592000",
            ));
        }
    }
    Ok(Plan {
        file: create.input_file_id,
        endpoint,
        metadata,
    })
}

fn check_metadata(metadata: &Value) -> Result<(), Refusal> {
    let wrong = |message: &str| Err(Refusal::field("metadata", format!("metadata: {message}")));
    let Value::Object(map) = metadata else {
        return match metadata {
            Value::Null => Ok(()),
            _ => wrong("must be an object"),
        };
    };
    if map.len() > 16 {
        return wrong("at most 16 pairs");
    }
    for (key, value) in map {
        let Some(value) = value.as_str() else {
            return wrong("values must be strings");
        };
        if key.chars().count() > 64 || value.chars().count() > 512 {
            return wrong("keys of at most 64 and values of at most 512 characters");
        }
    }
    Ok(())
}

/// Makes the batch of a file. What is wrong in the file shows while it is validated.
pub(super) fn draft(plan: Plan, file: &File, limits: &Limits) -> Result<Draft, Refusal> {
    if file.purpose != "batch" {
        let message = format!("the file {} was not uploaded for batches", plan.file);
        return Err(Refusal::field("input_file_id", message));
    }
    let (endpoint, form) = plan.endpoint;
    let mut given = Given {
        file: Some(plan.file),
        endpoint,
        ..Given::default()
    };
    let source = match &file.content {
        Content::Raw(bytes) => {
            let (source, model) = source(bytes, endpoint, true, limits);
            given.model = model;
            source
        }
        Content::Read(read) if read.asked.form == form => {
            given.model.clone_from(&read.model);
            Source::Items(read.items.clone())
        }
        _ => Source::Flawed(vec![flaw(
            "mismatched_endpoint",
            "The file has been read for another endpoint, and its text dropped.",
            None,
        )]),
    };
    Ok(Draft {
        asked: Asked {
            wire: file.wire,
            form,
            model: None,
        },
        label: plan.metadata,
        given,
        source: Some(source),
    })
}

fn flaw(code: &'static str, message: impl Into<String>, line: Option<usize>) -> Flaw {
    Flaw {
        code,
        message: message.into(),
        param: None,
        line,
    }
}

/// The requests of a file, with the model of the first.
pub(super) fn source(
    bytes: &Bytes,
    endpoint: &str,
    one_model: bool,
    limits: &Limits,
) -> (Source, Option<String>) {
    let (mut entries, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut model: Option<String> = None;
    let mut flaws = lines(bytes, |number, line: Line<'_>| {
        let at = |code, message: String| Flaw {
            line: Some(number),
            ..flaw(code, message, None)
        };
        if line.method != "POST" {
            let message = format!("The method {:?} is not POST.", line.method);
            return Err(at("invalid_method", message));
        }
        if line.url != endpoint {
            let message = format!(
                "The URL {:?} is not the batch's endpoint {endpoint}.",
                line.url
            );
            return Err(at("mismatched_endpoint", message));
        }
        let named: Named = serde_json::from_str(line.body.get())
            .map_err(|error| at("invalid_request", format!("The body is wrong: {error}")))?;
        let Some(named) = named.model else {
            let message = "The body names no model.".to_owned();
            return Err(at("missing_required_parameter", message));
        };
        let first = model.get_or_insert_with(|| named.clone());
        if one_model && *first != named {
            let message = format!("The model {named:?} is not {first:?}: a file is for one model.");
            return Err(at("mismatched_model", message));
        }
        if !seen.insert(line.custom_id.clone()) {
            let message = format!("The custom_id {:?} comes twice.", line.custom_id);
            return Err(at("duplicate_custom_id", message));
        }
        entries.push(entry(bytes, &line.custom_id, line.body, line.sample));
        Ok(())
    });
    if entries.is_empty() && flaws.is_empty() {
        flaws.push(flaw("empty_file", "The file has no requests.", None));
    }
    if limits.count(entries.len().max(1)).is_err() {
        let message = format!("The file has more than {} requests.", limits.requests);
        flaws.push(flaw("too_many_tasks", message, None));
    }
    let source = if flaws.is_empty() {
        Source::Entries(entries)
    } else {
        Source::Flawed(flaws)
    };
    (source, model)
}

fn status(batch: &Batch, now: Instant) -> &'static str {
    let Some(part) = batch.parts.first() else {
        return "validating";
    };
    match part.end.as_ref().map(|end| &end.how) {
        Some(How::Failed(_)) => "failed",
        Some(How::Expired(_)) => "expired",
        Some(How::Cancelled(_)) => "cancelled",
        Some(How::Ended | How::Empty) => {
            // A batch in which something expired has expired.
            let expired = batch.counts(now).expired > 0;
            if expired { "expired" } else { "completed" }
        }
        None if batch.cancelled.is_some() => "cancelling",
        None => match part.passed(now) {
            _ if part.items.is_none() => "validating",
            passed if passed < 0.1 => "validating",
            passed if passed < 0.9 => "in_progress",
            _ => "finalizing",
        },
    }
}

pub(super) fn show(batch: &Batch, now: Instant, has_file: impl Fn(&str) -> bool) -> Value {
    let status = status(batch, now);
    let end = batch.end();
    let ended_as = |wanted: &str| end.filter(|_| status == wanted).map(|end| end.moment.unix);
    let validated = !matches!(status, "validating" | "failed");
    let counts = batch.counts(now);
    let counted = if validated {
        json!({"total": counts.total, "completed": counts.succeeded,
               "failed": counts.errored + counts.expired})
    } else {
        json!({"total": 0, "completed": 0, "failed": 0})
    };
    let errors = match end.map(|end| &end.how) {
        Some(How::Failed(flaws)) => {
            let data: Vec<Value> = flaws
                .iter()
                .map(|flaw| {
                    json!({"code": flaw.code, "message": flaw.message, "param": flaw.param,
                           "line": flaw.line})
                })
                .collect();
            json!({"object": "list", "data": data})
        }
        _ => Value::Null,
    };
    let file = |which| Some(results_file(Wire::OpenAi, &batch.id, which)).filter(|id| has_file(id));
    json!({
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.given.endpoint,
        "model": batch.given.model,
        "errors": errors,
        "input_file_id": batch.given.file,
        "completion_window": "24h",
        "status": status,
        "output_file_id": file(Which::Answered),
        "error_file_id": file(Which::Errors),
        "created_at": batch.created.unix,
        "in_progress_at": validated.then(|| batch.moment_at(0.1)),
        "expires_at": batch.created.unix + 86_400,
        "finalizing_at": matches!(status, "finalizing" | "completed").then(|| batch.moment_at(0.9)),
        "completed_at": ended_as("completed"),
        "failed_at": ended_as("failed"),
        "expired_at": ended_as("expired"),
        "cancelling_at": batch.cancelled.map(|moment| moment.unix),
        "cancelled_at": ended_as("cancelled"),
        "request_counts": counted,
        "usage": end.map(|_| usage(batch, now)),
        "metadata": batch.label,
    })
}

fn usage(batch: &Batch, now: Instant) -> Value {
    let mut sum = Usage::default();
    for (item, outcome) in batch.outcomes(now) {
        if matches!(outcome, Outcome::Answered(_)) {
            sum.input += item.usage.input + item.usage.cache_write;
            sum.cached_input += item.usage.cached_input;
            sum.output += item.usage.output;
            sum.reasoning += item.usage.reasoning;
        }
    }
    let (input, output) = (sum.input + sum.cached_input, sum.output + sum.reasoning);
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": sum.cached_input},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": sum.reasoning},
        "total_tokens": input + output,
    })
}

/// One line of the output or the error file; `None` where it does not belong there.
pub(super) fn line(which: Which, item: &Item, outcome: Outcome<'_>) -> Option<String> {
    let request = format!("req_sim_{:x}", u128::from_le_bytes(item.content) >> 64);
    let responded = |status: u16, body: &str| {
        format!(
            "{{\"status_code\":{status},\"request_id\":\"{request}\",\"body\":{body}}},\"error\":null"
        )
    };
    let refused = |refusal: &Refusal| {
        let body = error_body(Wire::OpenAi, refusal, &request).to_string();
        responded(refusal.status, &body)
    };
    let (goes_to, rest) = match outcome {
        Outcome::Answered(body) => (Which::Answered, responded(200, body)),
        Outcome::Refused(refusal) => (Which::Errors, refused(refusal)),
        Outcome::Failed => (
            Which::Errors,
            refused(&Refusal::new(500, "Internal server error (simulated)")),
        ),
        Outcome::Expired => (
            Which::Errors,
            r#"null,"error":{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}"#
                .to_owned(),
        ),
        Outcome::Cancelled | Outcome::Pending => return None,
    };
    (goes_to == which).then(|| {
        format!(
            "{{\"id\":\"batch_{request}\",\"custom_id\":{},\"response\":{rest}}}\n",
            quoted(&item.id)
        )
    })
}
