//! Replies of a provider's services beside its models: batches and files.

use serde_json::Value;
use specstress_llm::{LlmError, LlmErrorKind};

use crate::catalog::ModelInfo;
use crate::wire::error_body::{self, Verdict};
use crate::wire::reply::{Opened, bad_reply, open};
use crate::wire::scrub::scrub;
use crate::wire::{WireReply, json};

/// A JSON object with one of these fields, or the error that the reply is. An object that has one is no error,
/// whatever else is in it: a failed batch has an `error` of its own.
pub(crate) fn document(
    model: &ModelInfo,
    reply: &WireReply,
    fields: &[&str],
) -> Result<Value, LlmError> {
    if (200..300).contains(&reply.status)
        && let Ok(body) = json::parse(&reply.body)
        && fields.iter().any(|field| body.get(*field).is_some())
    {
        return Ok(body);
    }
    accepted(model, reply)?;
    Err(unreadable(
        model,
        reply,
        &format!("without any of {}", fields.join(", ")),
    ))
}

/// Whether the provider did what it was asked; what it says of it does not matter.
pub(crate) fn accepted(model: &ModelInfo, reply: &WireReply) -> Result<(), LlmError> {
    match open(model, reply) {
        Ok(Opened::Body(_)) => Ok(()),
        Ok(Opened::Blocked(response)) => Err(LlmError::new(
            LlmErrorKind::BadRequest,
            format!("{}: {}", model.id(), scrub(&response.raw)),
        )
        .with_status(reply.status)),
        // A success without a body, or with a page for people.
        Err(error) if error.kind() == LlmErrorKind::BadReply && reply.status < 300 => Ok(()),
        Err(error) => Err(error),
    }
}

/// A reply that is not what the service promises.
pub(crate) fn unreadable(model: &ModelInfo, reply: &WireReply, what: &str) -> LlmError {
    bad_reply(model, reply, what)
}

/// The class and message of an error object that came without a reply of its own.
pub(crate) fn failure(model: &ModelInfo, status: u16, error: &Value) -> (LlmErrorKind, String) {
    let body = serde_json::json!({ "error": error });
    match error_body::read(model, status, &body) {
        Some(Verdict::Failed { kind, message, .. }) => (kind, scrub(&message)),
        Some(Verdict::Blocked { category }) => (LlmErrorKind::BadRequest, category),
        None => (LlmErrorKind::BadReply, "no reason was given".to_owned()),
    }
}
