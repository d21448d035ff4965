//! What all formats share in reading a reply: is it an error, and did the right model answer.

use std::time::Duration;

use serde_json::Value;
use specstress_llm::{ChatResponse, FinishReason, LlmError, LlmErrorKind, Usage};

use crate::catalog::{ModelInfo, ProviderKind};
use crate::wire::WireReply;
use crate::wire::error_body::{self, Verdict};
use crate::wire::json;
use crate::wire::scrub::scrub;

/// A reply that is not an error.
pub(super) enum Opened {
    /// The JSON object to read.
    Body(Value),
    /// The provider declined with an error status; that is an answer of a kind.
    Blocked(Box<ChatResponse>),
}

/// Sorts a reply of any status.
pub(super) fn open(model: &ModelInfo, reply: &WireReply) -> Result<Opened, LlmError> {
    let parsed = json::parse(&reply.body);
    let success = (200..300).contains(&reply.status);
    let verdict = match &parsed {
        Ok(body) => error_body::read(model, reply.status, body),
        Err(_) if success => None,
        Err(_) => Some(error_body::read_text(reply.status, &reply.body)),
    };
    match (verdict, parsed) {
        (Some(Verdict::Blocked { category }), parsed) => {
            let id = request_id(model, reply, parsed.as_ref().ok());
            Ok(Opened::Blocked(Box::new(ChatResponse {
                text: String::new(),
                finish: FinishReason::Blocked { category },
                usage: Usage::default(),
                model: model.name.clone(),
                request_id: id,
                cost_usd: None,
                raw: reply.body.clone(),
            })))
        }
        (
            Some(Verdict::Failed {
                kind,
                status,
                message,
            }),
            parsed,
        ) => {
            let text = format!("{}: {}", model.id(), with_advice(model, kind, &message));
            let mut error = LlmError::new(kind, text);
            if let Some(status) = status {
                error = error.with_status(status);
            }
            if let Some(wait) = body_retry_after(&reply.body) {
                error = error.with_retry_after(wait);
            }
            if let Some(id) = request_id(model, reply, parsed.as_ref().ok()) {
                error = error.with_request_id(id);
            }
            Err(error)
        }
        (None, Ok(body @ Value::Object(_))) if success => Ok(Opened::Body(body)),
        (None, parsed) => {
            let what = match &parsed {
                Ok(_) => "JSON, but not an object".to_owned(),
                Err(_) if error_body::is_html(&reply.body) => {
                    "an HTML page instead of JSON; check the base URL and any proxy".to_owned()
                }
                Err(error) => format!("no JSON ({error})"),
            };
            Err(bad_reply(model, reply, &what))
        }
    }
}

/// A reply that is not what the format promises.
pub(super) fn bad_reply(model: &ModelInfo, reply: &WireReply, what: &str) -> LlmError {
    let error = LlmError::new(
        LlmErrorKind::BadReply,
        format!(
            "{}: the reply is {what}: {:?}",
            model.id(),
            scrub(&reply.body)
        ),
    )
    .with_status(reply.status);
    match request_id(model, reply, None) {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

fn with_advice(model: &ModelInfo, kind: LlmErrorKind, message: &str) -> String {
    let message = scrub(message);
    match kind {
        LlmErrorKind::Unauthorized => format!("{message}; check the key and what it may do"),
        LlmErrorKind::QuotaExhausted => {
            format!("{message}; no call will succeed before credit or quota is added")
        }
        LlmErrorKind::UnknownModel => match model.alive_until {
            Some(gone) => format!("{message}; the model was announced to end on {gone}"),
            None => format!("{message}; check the model's name and the base URL"),
        },
        _ => message,
    }
}

/// The provider's id of a request: a header, else what the body has.
pub(super) fn request_id(
    model: &ModelInfo,
    reply: &WireReply,
    body: Option<&Value>,
) -> Option<String> {
    let headers = match model.kind {
        ProviderKind::Anthropic => ["request-id", "x-request-id"],
        _ => ["x-request-id", "request-id"],
    };
    headers
        .iter()
        .find_map(|name| reply.headers.get(*name).cloned())
        .or_else(|| {
            let body = body?;
            ["request_id", "responseId"]
                .iter()
                .find_map(|field| json::text(body, field))
                .map(ToOwned::to_owned)
        })
}

/// The model that answered; an error when it is another than the one asked for.
///
/// A reply that names no model is taken at its word.
pub(super) fn answering_model(
    model: &ModelInfo,
    named: Option<&str>,
    allow_other: bool,
) -> Result<String, LlmError> {
    let Some(named) = named else {
        return Ok(model.name.clone());
    };
    if allow_other || model.answers_to(named) {
        return Ok(named.strip_prefix("models/").unwrap_or(named).to_owned());
    }
    let ended = match model.alive_until {
        Some(gone) => format!(" (the model was announced to end on {gone})"),
        None => String::new(),
    };
    Err(LlmError::new(
        LlmErrorKind::WrongModel,
        format!(
            "{}: {named:?} answered instead{ended}; name that model, or set allow_other_model",
            model.id()
        ),
    ))
}

/// Also used by retry: what the body of an error says about waiting.
///
/// Gemini sends no header but a `google.rpc.RetryInfo` with `retryDelay: "37s"`.
pub(crate) fn body_retry_after(body: &str) -> Option<Duration> {
    if !body.contains("RetryInfo") {
        return None;
    }
    let body = json::parse(body).ok()?;
    let error = &error_body::unwrapped(&body)["error"];
    error["details"].as_array()?.iter().find_map(|detail| {
        if !json::text(detail, "@type")?.ends_with("google.rpc.RetryInfo") {
            return None;
        }
        let seconds: f64 = json::text(detail, "retryDelay")?
            .strip_suffix('s')?
            .parse()
            .ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    })
}
