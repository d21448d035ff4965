use std::time::Duration;

use serde_json::{Value, json};

use crate::server::clock::proto_duration;
use crate::server::limiter::Unit;
use crate::server::wire::Wire;

/// A request that is not served, in no provider's words yet.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::server) struct Refusal {
    pub(in crate::server) status: u16,
    message: String,
    /// The field that is wrong.
    param: Option<String>,
    /// A code that `OpenAI` gives beyond the status.
    code: Option<&'static str>,
    /// How long to wait, and for what.
    pub(in crate::server) wait: Option<Duration>,
    unit: Unit,
}

impl Refusal {
    pub(in crate::server) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            code: None,
            wait: None,
            unit: Unit::Requests,
        }
    }

    pub(in crate::server) fn message(&self) -> &str {
        &self.message
    }

    /// A request that is wrong in one field.
    pub(in crate::server) fn field(field: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(field.to_owned()),
            ..Self::new(400, message)
        }
    }

    pub(in crate::server) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// A 429 for lack of something.
    pub(in crate::server) fn short_of(unit: Unit, wait: Option<Duration>) -> Self {
        let what = match unit {
            Unit::Requests => "requests per minute",
            Unit::Tokens => "tokens per minute",
            Unit::Concurrent => "concurrent requests",
        };
        Self {
            wait,
            unit,
            ..Self::new(429, format!("rate limit of {what} reached (simulated)"))
        }
    }

    pub(in crate::server) fn unknown_model(model: &str) -> Self {
        Self {
            param: Some("model".to_owned()),
            ..Self::new(404, format!("there is no model {model:?} here"))
        }
        .code("model_not_found")
    }
}

/// The refusal in a provider's words. `request` is the id in the headers.
pub(in crate::server) fn error_body(wire: Wire, refusal: &Refusal, request: &str) -> Value {
    match wire {
        Wire::Anthropic => anthropic(refusal, request),
        Wire::OpenAi => openai(refusal),
        Wire::Gemini => gemini(refusal),
        Wire::Xai => xai(refusal),
    }
}

fn anthropic(refusal: &Refusal, request: &str) -> Value {
    let kind = match refusal.status {
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({
        "type": "error",
        "error": {"type": kind, "message": refusal.message},
        "request_id": request,
    })
}

fn openai(refusal: &Refusal) -> Value {
    let (kind, code) = match refusal.status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        429 if refusal.unit == Unit::Tokens => ("tokens", Some("rate_limit_exceeded")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {
        "message": refusal.message,
        "type": kind,
        "param": refusal.param,
        "code": refusal.code.or(code),
    }})
}

fn gemini(refusal: &Refusal) -> Value {
    let status = match refusal.status {
        401 => "UNAUTHENTICATED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    let mut error = json!({
        "code": refusal.status,
        "message": refusal.message,
        "status": status,
    });
    if refusal.status == 429 {
        let quota = match refusal.unit {
            Unit::Tokens => "GenerateContentInputTokensPerModelPerMinute",
            Unit::Requests | Unit::Concurrent => "GenerateRequestsPerMinutePerProjectPerModel",
        };
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota}],
        })];
        if let Some(wait) = refusal.wait {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": proto_duration(wait),
            }));
        }
        error["details"] = details.into();
    }
    json!({"error": error})
}

fn xai(refusal: &Refusal) -> Value {
    let code = match refusal.status {
        401 => "Unauthenticated",
        404 => "Some requested entity was not found",
        429 => "Some resource has been exhausted",
        500.. => "The service is currently unavailable",
        _ => "Client specified an invalid argument",
    };
    json!({"code": code, "error": refusal.message})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_says_it_in_its_own_words() {
        let wait = Some(Duration::from_millis(2_500));
        let short = Refusal::short_of(Unit::Tokens, wait);
        let body = |wire| error_body(wire, &short, "req_1");
        let message = "rate limit of tokens per minute reached (simulated)";
        assert_eq!(
            body(Wire::Anthropic),
            json!({"type":"error","error":{"type":"rate_limit_error","message":message},"request_id":"req_1"})
        );
        assert_eq!(
            body(Wire::OpenAi),
            json!({"error":{"message":message,"type":"tokens","param":null,"code":"rate_limit_exceeded"}})
        );
        assert_eq!(
            body(Wire::Gemini)["error"]["details"][1]["retryDelay"],
            "2.5s"
        );
        assert_eq!(
            body(Wire::Xai),
            json!({"code":"Some resource has been exhausted","error":message})
        );
        let wrong = error_body(Wire::OpenAi, &Refusal::field("n", "no"), "");
        assert_eq!(wrong["error"]["param"], "n");
    }
}
