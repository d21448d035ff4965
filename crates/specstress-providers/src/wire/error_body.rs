//! Error bodies of all providers and proxies, sorted into classes.

use serde_json::Value;
use specstress_llm::LlmErrorKind;

use crate::catalog::{ModelInfo, ProviderKind};
use crate::wire::json;

/// What an error reply means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The provider declined the content.
    Blocked { category: String },
    /// The call failed.
    Failed {
        kind: LlmErrorKind,
        /// The HTTP status, or the one the body gives when the reply had 200.
        status: Option<u16>,
        message: String,
    },
}

/// What the bodies have in common.
struct Parts<'a> {
    message: String,
    /// Types, codes, statuses, reasons and quota ids: the words to branch on.
    words: Vec<&'a str>,
    /// A status given in the body.
    status: Option<u16>,
}

/// Gemini sometimes wraps its error in an array of one.
pub(super) fn unwrapped(body: &Value) -> &Value {
    match body {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    }
}

/// The error in a JSON body; `None` when there is none and the status is a success.
pub(super) fn read(model: &ModelInfo, status: u16, body: &Value) -> Option<Verdict> {
    let success = (200..300).contains(&status);
    let body = unwrapped(body);
    let error = body.get("error").filter(|error| !error.is_null());
    // The Responses API has a failed status of its own beside the error.
    let parts = match error {
        Some(error) => parts(body, error),
        None if success => return None,
        None => Parts {
            message: ["message", "detail"]
                .iter()
                .find_map(|field| json::text(body, field))
                .map_or_else(|| body.to_string(), ToOwned::to_owned),
            words: ["type", "code"]
                .iter()
                .filter_map(|field| json::text(body, field))
                .collect(),
            status: None,
        },
    };
    Some(judge(model, status, &parts))
}

/// A body that is not JSON, of a failed request.
pub(super) fn read_text(status: u16, body: &str) -> Verdict {
    let message = if body.trim().is_empty() {
        "the server failed without a word".to_owned()
    } else if is_html(body) {
        "the server sent an HTML page instead of JSON".to_owned()
    } else {
        body.to_owned()
    };
    Verdict::Failed {
        kind: by_status(status),
        status: Some(status),
        message,
    }
}

pub(super) fn is_html(body: &str) -> bool {
    let start = body.trim_start();
    start.starts_with('<')
}

fn parts<'a>(body: &'a Value, error: &'a Value) -> Parts<'a> {
    let mut words = Vec::new();
    let mut push = |value: Option<&'a str>| words.extend(value);
    if let Some(message) = error.as_str() {
        // xAI: {"code": "text", "error": "text"}.
        push(json::text(body, "code"));
        return Parts {
            message: message.to_owned(),
            words,
            status: None,
        };
    }
    for field in ["type", "code", "status", "reason"] {
        push(json::text(error, field));
    }
    match &error["details"] {
        Value::Object(_) => push(json::text(&error["details"], "error_code")),
        Value::Array(details) => {
            for detail in details {
                push(json::text(detail, "reason"));
                for violation in detail["violations"].as_array().into_iter().flatten() {
                    push(json::text(violation, "quotaId"));
                }
            }
        }
        _ => {}
    }
    let code = &error["code"];
    let status = code
        .as_u64()
        .or_else(|| code.as_str().and_then(|text| text.parse().ok()))
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let message = json::text(error, "message").map_or_else(
        || format!("the server gave no message: {error}"),
        ToOwned::to_owned,
    );
    Parts {
        message,
        words,
        status,
    }
}

fn judge(model: &ModelInfo, status: u16, parts: &Parts<'_>) -> Verdict {
    let status = if (200..300).contains(&status) {
        parts.status
    } else {
        Some(status)
    };
    if matches!(status, None | Some(400 | 403 | 422))
        && let Some(category) = blocked(model.kind, parts)
    {
        return Verdict::Blocked { category };
    }
    let kind = by_words(model.kind, parts)
        .or_else(|| status.map(by_status))
        .unwrap_or_else(|| without_status(parts));
    // Codes that only repeat the status say nothing.
    let words: Vec<&str> = parts
        .words
        .iter()
        .copied()
        .filter(|word| word.parse::<u16>().is_err())
        .collect();
    let message = if words.is_empty() {
        parts.message.clone()
    } else {
        format!("{} ({})", parts.message, words.join(", "))
    };
    Verdict::Failed {
        kind,
        status,
        message,
    }
}

fn blocked(kind: ProviderKind, parts: &Parts<'_>) -> Option<String> {
    let policy = [
        "content_policy_violation",
        "invalid_prompt",
        "content_filter",
    ];
    if let Some(word) = parts.words.iter().find(|word| policy.contains(word)) {
        return Some((*word).to_owned());
    }
    // xAI answers 403 both to a key without rights and to content it declines; only the text differs.
    let text = &parts.message;
    let declined = kind == ProviderKind::Xai
        && (text.contains("violates usage guidelines") || text.contains("SAFETY_CHECK_TYPE"));
    declined.then(|| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .find(|word| word.starts_with("SAFETY_CHECK_TYPE"))
            .unwrap_or("usage_guidelines")
            .to_owned()
    })
}

fn by_words(kind: ProviderKind, parts: &Parts<'_>) -> Option<LlmErrorKind> {
    let any = |test: &dyn Fn(&str) -> bool| parts.words.iter().any(|word| test(word));
    let message = parts.message.to_ascii_lowercase();
    let out_of_money = any(&|word| {
        word.contains("insufficient_quota")
            || word.contains("spend_limit")
            || word == "billing_error"
            || word.contains("PerDay")
    }) || message.contains("credit balance is too low")
        // LiteLLM keeps the upstream's word in the text only.
        || (kind == ProviderKind::Compatible && message.contains("insufficient_quota"));
    if out_of_money {
        return Some(LlmErrorKind::QuotaExhausted);
    }
    if any(&|word| matches!(word, "invalid_api_key" | "API_KEY_INVALID"))
        || message.starts_with("incorrect api key")
    {
        return Some(LlmErrorKind::Unauthorized);
    }
    if any(&|word| {
        matches!(
            word,
            "context_length_exceeded" | "exceed_context_size_error"
        )
    }) {
        // llama.cpp reports a text that is too long as its own failure.
        return Some(LlmErrorKind::BadRequest);
    }
    any(&|word| word == "model_not_found").then_some(LlmErrorKind::UnknownModel)
}

fn by_status(status: u16) -> LlmErrorKind {
    match status {
        401 | 403 => LlmErrorKind::Unauthorized,
        402 => LlmErrorKind::QuotaExhausted,
        404 => LlmErrorKind::UnknownModel,
        429 => LlmErrorKind::RateLimited,
        408 | 409 | 500.. => LlmErrorKind::Unavailable,
        // A redirect is not followed with a body; a success that is no JSON never comes here.
        _ => LlmErrorKind::BadRequest,
    }
}

/// An error in a 200 reply that gives no number.
fn without_status(parts: &Parts<'_>) -> LlmErrorKind {
    let named = |needles: &[&str]| {
        parts.words.iter().any(|word| {
            let word = word.to_ascii_lowercase();
            needles.iter().any(|needle| word.contains(needle))
        })
    };
    if named(&["rate_limit", "resource_exhausted"]) {
        LlmErrorKind::RateLimited
    } else if named(&["authentication", "permission"]) {
        LlmErrorKind::Unauthorized
    } else if named(&["not_found"]) {
        LlmErrorKind::UnknownModel
    } else if named(&["invalid_request", "invalid_argument", "too_large"]) {
        LlmErrorKind::BadRequest
    } else if named(&[
        "overloaded",
        "api_error",
        "server_error",
        "timeout",
        "unavailable",
        "internal",
    ]) {
        LlmErrorKind::Unavailable
    } else {
        LlmErrorKind::BadReply
    }
}
