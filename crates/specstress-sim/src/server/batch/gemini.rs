use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::batch::engine::{Draft, Source};
use crate::server::batch::item::{Asked, Item};
use crate::server::batch::job::{Batch, Counts, Flaw, Given, How, Outcome};
use crate::server::batch::names::results_file;
use crate::server::batch::read::{entry, json, lines, unique};
use crate::server::batch::store::{Content, File, Which};
use crate::server::batch::{Limits, quoted};
use crate::server::clock::rfc3339;
use crate::server::wire::{Form, Refusal, Wire};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create<'a> {
    #[serde(borrow)]
    batch: Job<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Job<'a> {
    #[serde(default, rename = "model")]
    _model: Option<String>,
    #[serde(default, rename = "priority")]
    _priority: Option<Value>,
    #[serde(alias = "display_name", rename = "displayName")]
    display_name: String,
    #[serde(borrow, alias = "input_config", rename = "inputConfig")]
    input_config: Input<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input<'a> {
    #[serde(default, borrow)]
    requests: Option<Inline<'a>>,
    #[serde(default, alias = "file_name", rename = "fileName")]
    file_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inline<'a> {
    #[serde(borrow)]
    requests: Vec<Request<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    request: &'a RawValue,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    key: String,
    #[serde(default, rename = "x-specstress-sample")]
    sample: u32,
}

#[derive(Deserialize)]
struct Line<'a> {
    key: String,
    #[serde(borrow)]
    request: &'a RawValue,
    #[serde(default, rename = "x-specstress-sample")]
    sample: u32,
}

/// Reads `POST models/{model}:batchGenerateContent`, with its file where it names one.
pub(super) fn draft(
    model: &str,
    bytes: &Bytes,
    file: impl FnOnce(&str) -> Result<File, Refusal>,
    limits: &Limits,
) -> Result<Draft, Refusal> {
    if !Wire::Gemini.knows(model) {
        return Err(Refusal::unknown_model(model));
    }
    let Create { batch } = json(bytes)?;
    let mut given = Given::default();
    let source = match (batch.input_config.requests, batch.input_config.file_name) {
        (Some(inline), None) => {
            given.inline = true;
            limits.bytes(bytes.len())?;
            inline_source(bytes, &inline, limits)?
        }
        (None, Some(name)) => {
            let file = file(&name)?;
            let source = match &file.content {
                Content::Raw(bytes) => file_source(bytes, limits),
                Content::Read(read) if read.asked.model.as_deref() == Some(model) => {
                    Source::Items(read.items.clone())
                }
                _ => {
                    let message =
                        format!("{name} has been read for another model, and its text dropped");
                    return Err(Refusal::field("batch.input_config.file_name", message));
                }
            };
            given.file = Some(name);
            source
        }
        _ => {
            let message = "batch.input_config takes either requests or file_name";
            return Err(Refusal::field("batch.input_config", message));
        }
    };
    Ok(Draft {
        asked: Asked {
            wire: Wire::Gemini,
            form: Form::Generate,
            model: Some(model.to_owned()),
        },
        label: batch.display_name.into(),
        given,
        source: Some(source),
    })
}

fn inline_source(bytes: &Bytes, inline: &Inline<'_>, limits: &Limits) -> Result<Source, Refusal> {
    limits.count(inline.requests.len())?;
    let keys = inline.requests.iter().map(|request| &*request.metadata.key);
    unique(keys.filter(|key| !key.is_empty())).map_err(|key| {
        let field = "batch.input_config.requests";
        Refusal::field(field, format!("{field}: the key {key:?} comes twice"))
    })?;
    let entries = inline
        .requests
        .iter()
        .map(|one| entry(bytes, &one.metadata.key, one.request, one.metadata.sample));
    Ok(Source::Entries(entries.collect()))
}

fn file_source(bytes: &Bytes, limits: &Limits) -> Source {
    let (mut entries, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut flaws = lines(bytes, |number, line: Line<'_>| {
        if !seen.insert(line.key.clone()) {
            return Err(Flaw {
                code: "duplicate_key",
                message: format!("the key {:?} comes twice", line.key),
                param: None,
                line: Some(number),
            });
        }
        entries.push(entry(bytes, &line.key, line.request, line.sample));
        Ok(())
    });
    if flaws.is_empty()
        && let Err(refusal) = limits.count(entries.len())
    {
        flaws.push(Flaw {
            code: "count",
            message: refusal.message().to_owned(),
            param: None,
            line: None,
        });
    }
    if flaws.is_empty() {
        Source::Entries(entries)
    } else {
        Source::Flawed(flaws)
    }
}

fn state(batch: &Batch, now: Instant) -> &'static str {
    let part = batch.parts.first();
    match batch.end().map(|end| &end.how) {
        Some(How::Ended | How::Empty) => "BATCH_STATE_SUCCEEDED",
        Some(How::Failed(_)) => "BATCH_STATE_FAILED",
        Some(How::Expired(_)) => "BATCH_STATE_EXPIRED",
        Some(How::Cancelled(_)) => "BATCH_STATE_CANCELLED",
        None if part.is_some_and(|part| part.items.is_some() && part.passed(now) >= 0.1) => {
            "BATCH_STATE_RUNNING"
        }
        None => "BATCH_STATE_PENDING",
    }
}

/// The batch as an operation; lists leave inline results out.
pub(super) fn show(batch: &Batch, now: Instant, with_results: bool) -> Value {
    let end = batch.end();
    let counts = batch.counts(now);
    let mut metadata = json!({
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": format!("models/{}", batch.asked.model.as_deref().unwrap_or_default()),
        "displayName": batch.label,
        "createTime": rfc3339(batch.created.unix),
        "updateTime": rfc3339(end.map_or(batch.created.unix, |end| end.moment.unix)),
        "batchStats": stats(counts),
        "state": state(batch, now),
        "name": batch.id,
    });
    if let Some(file) = &batch.given.file {
        metadata["inputConfig"] = json!({"fileName": file});
    }
    let mut operation = json!({"name": batch.id});
    if let Some(end) = end {
        metadata["endTime"] = rfc3339(end.moment.unix).into();
        operation["done"] = true.into();
        match &end.how {
            How::Ended => {
                let output = output(batch, now, with_results);
                operation["response"] = output.clone();
                operation["response"]["@type"] =
                    "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatchOutput"
                        .into();
                metadata["output"] = output;
            }
            How::Failed(flaws) => {
                let told: Vec<String> = flaws.iter().map(told).collect();
                // What is wrong in a file is the sender's; all else is the server's.
                let code = if flaws.iter().any(|flaw| flaw.code == "internal_error") {
                    13
                } else {
                    3
                };
                operation["error"] = json!({"code": code, "message": told.join("; ")});
            }
            How::Expired(_) => {
                operation["error"] = json!({"code": 4, "message": "the batch expired (simulated)"});
            }
            How::Cancelled(_) => {
                operation["error"] = json!({"code": 1, "message": "the batch was cancelled"});
            }
            How::Empty => {}
        }
    }
    operation["metadata"] = metadata;
    operation
}

fn told(flaw: &Flaw) -> String {
    match flaw.line {
        Some(line) => format!("line {line}: {}", flaw.message),
        None => flaw.message.clone(),
    }
}

/// Counts as texts; those of zero are left out, as everywhere in this format.
fn stats(counts: Counts) -> Value {
    let mut stats = json!({"requestCount": counts.total.to_string()});
    for (name, count) in [
        ("successfulRequestCount", counts.succeeded),
        (
            "failedRequestCount",
            counts.errored + counts.expired + counts.cancelled,
        ),
        ("pendingRequestCount", counts.pending),
    ] {
        if count > 0 {
            stats[name] = count.to_string().into();
        }
    }
    stats
}

fn output(batch: &Batch, now: Instant, with_results: bool) -> Value {
    if !batch.given.inline {
        return json!({"responsesFile": results_file(Wire::Gemini, &batch.id, Which::All)});
    }
    if !with_results {
        return json!({});
    }
    let Some(part) = batch.parts.first() else {
        return json!({});
    };
    // Inline results alone come in the order of their requests.
    let mut ranked: Vec<_> = part.order.iter().zip(part.outcomes(now)).collect();
    ranked.sort_by_key(|(index, _)| **index);
    let responses: Vec<Value> = ranked
        .into_iter()
        .map(|(_, (item, outcome))| {
            let mut one = match outcome {
                Outcome::Answered(body) => {
                    json!({"response": serde_json::from_str::<Value>(body).unwrap_or_default()})
                }
                other => json!({"error": error(other)}),
            };
            if !item.id.is_empty() {
                one["metadata"] = json!({"key": item.id});
            }
            one
        })
        .collect();
    json!({"inlinedResponses": {"inlinedResponses": responses}})
}

/// A `google.rpc.Status`.
fn error(outcome: Outcome<'_>) -> Value {
    let (code, message) = match outcome {
        Outcome::Refused(refusal) if refusal.status == 404 => (5, refusal.message()),
        Outcome::Refused(refusal) => (3, refusal.message()),
        Outcome::Expired => (4, "the request expired (simulated)"),
        Outcome::Cancelled => (1, "the request was cancelled"),
        Outcome::Answered(_) | Outcome::Failed | Outcome::Pending => {
            (13, "an internal error has occurred (simulated)")
        }
    };
    json!({"code": code, "message": message})
}

/// One line of a file of results.
pub(super) fn line(item: &Item, outcome: Outcome<'_>) -> String {
    let rest = match outcome {
        Outcome::Answered(body) => format!("\"response\":{body}"),
        other => format!("\"error\":{}", error(other)),
    };
    format!("{{\"key\":{},{rest}}}\n", quoted(&item.id))
}
