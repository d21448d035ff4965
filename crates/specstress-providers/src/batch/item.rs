//! One result of a batch: a reply or an error, read by the rules of live replies.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use specstress_llm::{ChatResponse, LlmError, LlmErrorKind};

use crate::catalog::ModelInfo;
use crate::wire::{ChatWire, WireReply, scrub};

/// What came back for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<'t> {
    /// A reply as a live call would have brought it; the body byte for byte.
    Reply {
        status: u16,
        request_id: Option<String>,
        body: Cow<'t, str>,
    },
    /// The batch ended before the request was answered: this word of the provider.
    Lapsed(&'static str),
    /// Nothing that this crate knows.
    Odd(String),
}

impl Item<'_> {
    /// The answer or the error, as the live wire reads it.
    pub(super) fn settle(
        self,
        model: &ModelInfo,
        wire: &dyn ChatWire,
    ) -> Result<ChatResponse, LlmError> {
        match self {
            Self::Reply {
                status,
                request_id,
                body,
            } => {
                let headers = request_id.map(|id| ("x-request-id".to_owned(), id));
                let reply = WireReply {
                    status,
                    headers: headers.into_iter().collect(),
                    body: body.into_owned(),
                };
                wire.response(model, &reply)
            }
            Self::Lapsed(word) => Err(LlmError::new(
                LlmErrorKind::Expired,
                format!("{}: {word} in its batch before it was answered", model.id()),
            )),
            Self::Odd(text) => Err(LlmError::new(
                LlmErrorKind::BadReply,
                format!(
                    "{}: a result of its batch is neither reply nor error: {:?}",
                    model.id(),
                    scrub(&text)
                ),
            )),
        }
    }
}

/// The fields of a JSON object with their texts as received.
pub(super) type Fields<'t> = BTreeMap<String, &'t RawValue>;

pub(super) fn fields(text: &str) -> Option<Fields<'_>> {
    serde_json::from_str(text).ok()
}

/// The fields of an object inside an object.
pub(super) fn inner<'t>(fields: &Fields<'t>, name: &str) -> Option<Fields<'t>> {
    let raw: &'t RawValue = fields.get(name)?;
    serde_json::from_str(raw.get()).ok()
}

/// A field that is a string.
pub(super) fn string(fields: &Fields<'_>, name: &str) -> Option<String> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

/// A field that is there and not null.
pub(super) fn present<'t>(fields: &Fields<'t>, name: &str) -> Option<&'t RawValue> {
    fields.get(name).copied().filter(|raw| raw.get() != "null")
}

/// An error of the form `{"code": .., "message": ..}`, whose code is that of gRPC or of HTTP.
pub(super) fn rpc_error(error: &RawValue) -> Item<'static> {
    let code = serde_json::from_str::<Value>(error.get())
        .ok()
        .and_then(|value| value["code"].as_u64());
    if code == Some(1) {
        return Item::Lapsed("cancelled");
    }
    Item::Reply {
        // Without a number the words of the error decide.
        status: code.and_then(http_status).unwrap_or(200),
        request_id: None,
        body: format!("{{\"error\":{error}}}").into(),
    }
}

/// The HTTP status of a gRPC code, by Google's table; an HTTP status is its own.
pub(super) fn http_status(code: u64) -> Option<u16> {
    Some(match code {
        3 | 9 | 11 => 400,
        16 => 401,
        7 => 403,
        5 => 404,
        6 | 10 => 409,
        8 => 429,
        2 | 13 | 15 => 500,
        12 => 501,
        14 => 503,
        4 => 504,
        400..600 => u16::try_from(code).ok()?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ProviderKind;
    use crate::wire::{WireOptions, chat_wire};

    #[test]
    fn errors_keep_the_class_of_their_code() {
        let model = ModelInfo::unknown(ProviderKind::Gemini, "gemini", "m");
        let wire = chat_wire(ProviderKind::Gemini, WireOptions::default());
        let kind = |error: &str| {
            let raw: &RawValue = serde_json::from_str(error).unwrap();
            rpc_error(raw).settle(&model, &*wire).unwrap_err().kind()
        };
        for (error, expected) in [
            (r#"{"code":3,"message":"bad"}"#, LlmErrorKind::BadRequest),
            (r#"{"code":8,"message":"slow"}"#, LlmErrorKind::RateLimited),
            (
                r#"{"code":429,"message":"slow"}"#,
                LlmErrorKind::RateLimited,
            ),
            (r#"{"code":13,"message":"x"}"#, LlmErrorKind::Unavailable),
            (r#"{"code":14,"message":"x"}"#, LlmErrorKind::Unavailable),
            (r#"{"code":16,"message":"x"}"#, LlmErrorKind::Unauthorized),
            (r#"{"code":5,"message":"x"}"#, LlmErrorKind::UnknownModel),
            (r#"{"code":1,"message":"x"}"#, LlmErrorKind::Expired),
            (
                r#"{"status":"RESOURCE_EXHAUSTED","message":"x"}"#,
                LlmErrorKind::RateLimited,
            ),
            (r#"{"message":"x"}"#, LlmErrorKind::BadReply),
        ] {
            assert_eq!(kind(error), expected, "{error}");
        }
    }
}
