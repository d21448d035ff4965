use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use specstress_llm::{LlmError, LlmErrorKind};

use crate::catalog::{Date, ModelInfo, ProviderKind};
use crate::client::ProviderConfig;
use crate::endpoint::Endpoint;
use crate::limiter::Cost;
use crate::percent;
use crate::transport::{Call, Verb};
use crate::wire::WireReply;

/// What a provider says about one of its models; made by [`Provider::check_model`](crate::Provider::check_model).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelStatus {
    /// The name asked for.
    pub name: String,
    /// Whether it can be used.
    pub state: ModelState,
    /// The first day on which it no longer answers, where the provider says so.
    pub ends_on: Option<Date>,
    /// The day since which it is deprecated, where the provider says so.
    pub deprecated_on: Option<Date>,
    /// Most tokens of prompt, where the provider says so.
    pub max_input: Option<u64>,
    /// Most tokens of answer, where the provider says so.
    pub max_output: Option<u64>,
}

/// Whether a model can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelState {
    /// The provider lists it.
    Available,
    /// The provider lists it and advises against it.
    Deprecated,
    /// It no longer answers.
    Retired,
    /// The provider does not know it, or no longer (HTTP 404).
    Missing,
    /// The server cannot be asked about models.
    Unknown,
}

impl ModelState {
    /// Whether calls may succeed.
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Available | Self::Deprecated | Self::Unknown)
    }
}

/// Asks `GET models/NAME`; an OpenAI-shaped server that does not know that is asked for its list.
pub(crate) async fn check(
    endpoint: &Endpoint,
    config: &ProviderConfig,
    model: &ModelInfo,
) -> Result<ModelStatus, LlmError> {
    let name = &model.name;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let today = Date::from_unix_seconds(now.unwrap_or_default().as_secs());
    let path = format!(
        "/models/{}",
        percent::encode(name.strip_prefix("models/").unwrap_or(name), b":/@")
    );
    let (_, reading) = ask(endpoint, config, model, path, today).await?;
    let settled = !matches!(reading.state, ModelState::Missing | ModelState::Unknown);
    if settled || matches!(config.kind, ProviderKind::Anthropic | ProviderKind::Gemini) {
        return Ok(reading);
    }
    // Many servers and proxies have only the list, and answer 404 or 405 for one model.
    let (list, _) = ask(endpoint, config, model, "/models".to_owned(), today).await?;
    Ok(read_list(&list, name).unwrap_or_else(|| match config.kind {
        ProviderKind::Compatible => status(name, ModelState::Unknown),
        _ => reading,
    }))
}

async fn ask(
    endpoint: &Endpoint,
    config: &ProviderConfig,
    model: &ModelInfo,
    path: String,
    today: Date,
) -> Result<(WireReply, ModelStatus), LlmError> {
    let headers = match config.kind {
        ProviderKind::Anthropic => {
            vec![("anthropic-version", config.wire.anthropic_version.clone())]
        }
        _ => Vec::new(),
    };
    let call = Call::new(Verb::Get, path).with_headers(headers);
    let read = |reply: &WireReply| {
        let status = read_status(model, reply, today)?;
        Ok(((reply.clone(), status), None))
    };
    endpoint.call(&call, Cost::default(), read).await
}

fn status(name: &str, state: ModelState) -> ModelStatus {
    ModelStatus {
        name: name.to_owned(),
        state,
        ends_on: None,
        deprecated_on: None,
        max_input: None,
        max_output: None,
    }
}

/// Reads a reply of any status about one model.
///
/// `OpenAI` tells `shutdown_date`; Anthropic `lifecycle`, `deprecated_at`, `retires_at`, `max_input_tokens` and
/// `max_tokens`; Gemini `inputTokenLimit` and `outputTokenLimit`. A model whose last day has come counts as
/// retired even while it is still listed.
fn read_status(model: &ModelInfo, reply: &WireReply, today: Date) -> Result<ModelStatus, LlmError> {
    let (kind, provider, name) = (model.kind, &model.provider, &model.name);
    let failed = |kind, what: &str| {
        Err(LlmError::new(
            kind,
            format!("{provider}: cannot ask about model {name:?}: {what}"),
        )
        .with_status(reply.status))
    };
    match reply.status {
        200..300 => {}
        404 => return Ok(status(name, ModelState::Missing)),
        405 | 501 if kind == ProviderKind::Compatible => {
            return Ok(status(name, ModelState::Unknown));
        }
        401 | 403 => return failed(LlmErrorKind::Unauthorized, "the key is refused"),
        402 => return failed(LlmErrorKind::QuotaExhausted, "the account has no credit"),
        429 => return failed(LlmErrorKind::RateLimited, "too many requests"),
        408 | 409 | 500.. => return failed(LlmErrorKind::Unavailable, "the server failed"),
        _ => return failed(LlmErrorKind::BadRequest, "the server refuses the question"),
    }
    let Ok(body) = serde_json::from_str::<Value>(&reply.body) else {
        return failed(LlmErrorKind::BadReply, "the answer is not JSON");
    };
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    // A server that answers anything to any path has not said that it has the model.
    let named = text(if kind == ProviderKind::Gemini {
        "name"
    } else {
        "id"
    });
    let silent = kind == ProviderKind::Compatible && named.is_none();
    if silent || named.is_some_and(|named| !model.answers_to(named)) {
        return Ok(status(name, ModelState::Unknown));
    }
    // Dates may carry a time of day; the day is what counts.
    let date = |field: &str| text(field)?.get(..10)?.parse::<Date>().ok();
    let number = |field: &str| body.get(field).and_then(Value::as_u64);
    let mut found = status(name, ModelState::Available);
    found.ends_on = date("shutdown_date").or_else(|| date("retires_at"));
    found.deprecated_on = date("deprecated_at");
    found.max_input = number("max_input_tokens").or_else(|| number("inputTokenLimit"));
    found.max_output = number("outputTokenLimit").or_else(|| number("max_tokens"));
    let ended = found.ends_on.is_some_and(|end| end <= today);
    found.state = match text("lifecycle") {
        Some("retired") => ModelState::Retired,
        _ if ended => ModelState::Retired,
        Some("deprecated") => ModelState::Deprecated,
        _ if found.deprecated_on.is_some_and(|day| day <= today) => ModelState::Deprecated,
        _ => ModelState::Available,
    };
    Ok(found)
}

/// Looks a model up in an OpenAI-shaped list; `None` when the reply is no list.
fn read_list(reply: &WireReply, name: &str) -> Option<ModelStatus> {
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    let models = body.get("data")?.as_array()?;
    let listed = models
        .iter()
        .any(|model| model.get("id").and_then(Value::as_str) == Some(name));
    Some(status(
        name,
        if listed {
            ModelState::Available
        } else {
            ModelState::Missing
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> WireReply {
        WireReply {
            status,
            headers: std::collections::BTreeMap::new(),
            body: body.to_owned(),
        }
    }

    fn read(kind: ProviderKind, code: u16, body: &str) -> Result<ModelStatus, LlmError> {
        let today = "2026-11-21".parse().unwrap();
        read_status(
            &ModelInfo::unknown(kind, "p", "m"),
            &reply(code, body),
            today,
        )
    }

    #[test]
    fn each_provider_tells_in_its_own_words() {
        let openai = |date: &str| {
            let body = format!(r#"{{"id":"m","object":"model","shutdown_date":{date}}}"#);
            read(ProviderKind::OpenAi, 200, &body).unwrap()
        };
        assert_eq!(openai("null").state, ModelState::Available);
        assert_eq!(openai("null").ends_on, None);
        assert_eq!(openai("\"2026-12-11\"").state, ModelState::Available);
        assert_eq!(
            openai("\"2026-12-11\"").ends_on,
            Some("2026-12-11".parse().unwrap())
        );
        assert_eq!(openai("\"2026-11-21\"").state, ModelState::Retired);
        let anthropic = |lifecycle: &str| {
            let body = format!(
                r#"{{"id":"m","type":"model","lifecycle":"{lifecycle}","deprecated_at":"2026-06-01T00:00:00Z","retires_at":"2026-11-30T00:00:00Z","max_input_tokens":200000,"max_tokens":32000}}"#
            );
            read(ProviderKind::Anthropic, 200, &body).unwrap()
        };
        let found = anthropic("deprecated");
        assert_eq!(found.state, ModelState::Deprecated);
        assert_eq!(found.ends_on, Some("2026-11-30".parse().unwrap()));
        assert_eq!(
            (found.max_input, found.max_output),
            (Some(200_000), Some(32_000))
        );
        assert_eq!(anthropic("retired").state, ModelState::Retired);
        assert_eq!(anthropic("some_new_word").state, ModelState::Deprecated);
        let gemini = read(
            ProviderKind::Gemini,
            200,
            r#"{"name":"models/m","inputTokenLimit":1048576,"outputTokenLimit":65536}"#,
        )
        .unwrap();
        assert_eq!(
            (gemini.max_input, gemini.max_output),
            (Some(1_048_576), Some(65_536))
        );
        assert_eq!(gemini.state, ModelState::Available);
        for kind in [
            ProviderKind::Anthropic,
            ProviderKind::OpenAi,
            ProviderKind::Compatible,
        ] {
            let other = read(kind, 200, r#"{"id":"quite-another","lifecycle":"active"}"#).unwrap();
            assert_eq!(other.state, ModelState::Unknown, "{kind}");
            let dated = read(kind, 200, r#"{"id":"m-20260101","lifecycle":"active"}"#).unwrap();
            assert_eq!(dated.state, ModelState::Available, "{kind}");
        }
    }

    #[test]
    fn a_missing_model_is_a_status_and_a_refused_key_an_error() {
        for kind in [
            ProviderKind::Anthropic,
            ProviderKind::OpenAi,
            ProviderKind::Gemini,
        ] {
            let missing = read(kind, 404, "<html>").unwrap();
            assert_eq!(missing.state, ModelState::Missing);
            assert!(!missing.state.is_usable());
        }
        for (code, kind) in [
            (401, LlmErrorKind::Unauthorized),
            (402, LlmErrorKind::QuotaExhausted),
            (429, LlmErrorKind::RateLimited),
            (529, LlmErrorKind::Unavailable),
            (400, LlmErrorKind::BadRequest),
            (200, LlmErrorKind::BadReply),
        ] {
            let error = read(ProviderKind::Xai, code, "<html>").unwrap_err();
            assert_eq!((error.kind(), error.status()), (kind, Some(code)));
        }
    }

    #[test]
    fn lists_are_searched() {
        let list = reply(200, r#"{"object":"list","data":[{"id":"a"},{"id":"b/c"}]}"#);
        assert_eq!(
            read_list(&list, "b/c").unwrap().state,
            ModelState::Available
        );
        assert_eq!(read_list(&list, "c").unwrap().state, ModelState::Missing);
        assert_eq!(read_list(&reply(200, "[]"), "c"), None);
    }
}
