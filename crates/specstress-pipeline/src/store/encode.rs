//! How requests and replies lie in the database: JSON and vectors, compressed.

use rusqlite::{Transaction, params};
use serde::Deserialize;
use serde_json::{Value, json};
use specstress_llm::{
    CallReply, CallRequest, ChatRequest, ChatResponse, Message, Part, RequestKey, Role, SharedText,
};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Compressor = zstd::bulk::Compressor<'static>;

/// The compressed request, with its shared parts stored once under their digests: a spec of 200 kB under 45,000
/// verdicts is written once.
pub(super) fn store_request(
    transaction: &Transaction<'_>,
    compressor: &mut Compressor,
    request: &CallRequest,
) -> Result<Vec<u8>, BoxError> {
    let (bytes, shared) = encode_request(request)?;
    let mut known = transaction.prepare_cached("SELECT 1 FROM texts WHERE digest = ?1")?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO texts (digest, body) VALUES (?1, ?2)")?;
    for text in shared {
        let digest = text.digest();
        if !known.exists([digest.as_slice()])? {
            let body = compressor.compress(text.as_str().as_bytes())?;
            insert.execute(params![digest.as_slice(), body])?;
        }
    }
    Ok(compressor.compress(&bytes)?)
}

/// The request as JSON with shared parts named by digest, and those parts.
fn encode_request(request: &CallRequest) -> Result<(Vec<u8>, Vec<&SharedText>), serde_json::Error> {
    let mut shared = Vec::new();
    let value = match request {
        CallRequest::Embedding { text, dimensions } => {
            json!({"embedding": {"text": text, "dimensions": dimensions}})
        }
        CallRequest::Chat(chat) => {
            let mut value = serde_json::to_value(ChatRequest {
                system: Vec::new(),
                messages: Vec::new(),
                stop: chat.stop.clone(),
                schema: chat.schema.clone(),
                ..*chat
            })?;
            value["system"] = slim_parts(&chat.system, &mut shared);
            value["messages"] = chat
                .messages
                .iter()
                .map(|message| {
                    json!({
                        "role": message.role,
                        "parts": slim_parts(&message.parts, &mut shared),
                    })
                })
                .collect();
            json!({"chat": value})
        }
    };
    Ok((serde_json::to_vec(&value)?, shared))
}

fn slim_parts<'a>(parts: &'a [Part], shared: &mut Vec<&'a SharedText>) -> Value {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => json!({"text": text}),
            Part::Shared(text) => {
                shared.push(text);
                json!({"digest": RequestKey::from_bytes(text.digest()).to_string()})
            }
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SlimPart {
    Text(String),
    Digest(RequestKey),
}

#[derive(Deserialize)]
struct SlimMessage {
    role: Role,
    parts: Vec<SlimPart>,
}

#[derive(Deserialize)]
struct SlimParts {
    system: Vec<SlimPart>,
    messages: Vec<SlimMessage>,
}

/// A stored chat request as it was; `text` finds shared texts by digest.
pub(super) fn decode_chat_request(
    body: &[u8],
    mut text: impl FnMut(&[u8; 32]) -> Result<SharedText, BoxError>,
) -> Result<ChatRequest, BoxError> {
    let mut value: Value = serde_json::from_slice(&zstd::decode_all(body)?)?;
    let mut chat = value
        .get_mut("chat")
        .map(Value::take)
        .ok_or("the stored request is not one of a chat")?;
    let slim = SlimParts::deserialize(&chat)?;
    chat["system"] = json!([]);
    chat["messages"] = json!([]);
    let mut request: ChatRequest = serde_json::from_value(chat)?;
    let mut whole = |parts: Vec<SlimPart>| -> Result<Vec<Part>, BoxError> {
        parts
            .into_iter()
            .map(|part| match part {
                SlimPart::Text(text) => Ok(Part::Text(text)),
                SlimPart::Digest(digest) => Ok(Part::Shared(text(digest.as_bytes())?)),
            })
            .collect()
    };
    request.system = whole(slim.system)?;
    for message in slim.messages {
        request.messages.push(Message {
            role: message.role,
            parts: whole(message.parts)?,
        });
    }
    Ok(request)
}

/// A stored shared text.
pub(super) fn decode_text(body: &[u8]) -> Result<SharedText, BoxError> {
    Ok(SharedText::new(String::from_utf8(zstd::decode_all(body)?)?))
}

pub(super) fn encode_reply(reply: &CallReply) -> Result<Vec<u8>, serde_json::Error> {
    match reply {
        CallReply::Chat(response) => serde_json::to_vec(response),
        CallReply::Embedding(vector) => Ok(vector.iter().flat_map(|x| x.to_le_bytes()).collect()),
    }
}

pub(super) fn decode_reply(kind: &str, body: &[u8]) -> Result<CallReply, BoxError> {
    let body = zstd::decode_all(body)?;
    if kind == "embedding" {
        if body.len() % 4 != 0 {
            return Err(format!("{} bytes are no vector of f32", body.len()).into());
        }
        let vector = body
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        return Ok(CallReply::Embedding(vector));
    }
    let response: ChatResponse = serde_json::from_slice(&body)?;
    Ok(CallReply::Chat(response))
}
