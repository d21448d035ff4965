//! How requests and replies lie in the database: JSON and vectors, compressed.

use std::borrow::Cow;

use memchr::memmem;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use specstress_llm::{
    CallReply, CallRequest, ChatRequest, ChatResponse, Effort, FinishReason, Message, Part,
    RequestKey, ResponseSchema, Role, SharedText, Usage,
};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Compressor = zstd::bulk::Compressor<'static>;

/// The request as JSON, with its shared parts stored once under their digests: a spec of 200 kB under 45,000 verdicts
/// is written once.
pub(super) fn store_request(
    transaction: &Transaction<'_>,
    compressor: &mut Compressor,
    request: &CallRequest,
) -> Result<Vec<u8>, BoxError> {
    let (bytes, shared) = encode_request(request)?;
    if shared.is_empty() {
        return Ok(bytes);
    }
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
    Ok(bytes)
}

/// The request as JSON with shared parts named by digest, and those parts.
fn encode_request(request: &CallRequest) -> Result<(Vec<u8>, Vec<&SharedText>), serde_json::Error> {
    let mut shared = Vec::new();
    let bytes = match request {
        CallRequest::Embedding { text, dimensions } => {
            serde_json::to_vec(&json!({"embedding": {"text": text, "dimensions": dimensions}}))?
        }
        CallRequest::Chat(chat) => {
            let ChatRequest {
                system,
                messages,
                max_tokens,
                temperature,
                top_p,
                seed,
                stop,
                effort,
                schema,
                sample,
            } = chat;
            let system = slim_parts(system, &mut shared);
            let messages = messages
                .iter()
                .map(|message| SlimTurn {
                    role: message.role,
                    parts: slim_parts(&message.parts, &mut shared),
                })
                .collect();
            serde_json::to_vec(&Slim {
                chat: SlimChat {
                    system,
                    messages,
                    max_tokens: *max_tokens,
                    temperature: *temperature,
                    top_p: *top_p,
                    seed: *seed,
                    stop,
                    effort: *effort,
                    schema: schema.as_ref(),
                    sample: *sample,
                },
            })?
        }
    };
    Ok((bytes, shared))
}

#[derive(Serialize)]
struct Slim<'a> {
    chat: SlimChat<'a>,
}

/// A [`ChatRequest`] with its shared texts left out.
#[derive(Serialize)]
struct SlimChat<'a> {
    system: Vec<PartRef<'a>>,
    messages: Vec<SlimTurn<'a>>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    seed: Option<u64>,
    stop: &'a [String],
    effort: Option<Effort>,
    schema: Option<&'a ResponseSchema>,
    sample: u32,
}

#[derive(Serialize)]
struct SlimTurn<'a> {
    role: Role,
    parts: Vec<PartRef<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PartRef<'a> {
    Text(&'a str),
    Digest(RequestKey),
}

fn slim_parts<'a>(parts: &'a [Part], shared: &mut Vec<&'a SharedText>) -> Vec<PartRef<'a>> {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => PartRef::Text(text),
            Part::Shared(text) => {
                shared.push(text);
                PartRef::Digest(RequestKey::from_bytes(text.digest()))
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

/// Begins a reply in parts: the head on a line, the body, the request. Without it the whole is the JSON of an older
/// build. Question and answer share words, and one short text costs as much to compress as two.
const HEADED: u8 = b'2';

/// A chat reply without its body. The text is mostly part of the body and then not written a second time.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    text: TextOf<'a>,
    finish: Cow<'a, FinishReason>,
    usage: Usage,
    model: Cow<'a, str>,
    request_id: Cow<'a, Option<String>>,
    cost_usd: Option<f64>,
    /// Bytes of the body; what follows is the request, where it is kept here.
    body: usize,
}

/// Where the text of a reply is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TextOf<'a> {
    /// It is the body.
    Body,
    /// It is the JSON string that begins at this byte of the body.
    At(usize),
    /// Here, because the body writes it in another way.
    Own(Cow<'a, str>),
}

impl<'a> TextOf<'a> {
    fn find(response: &'a ChatResponse) -> Result<Self, serde_json::Error> {
        if response.text == response.raw {
            return Ok(Self::Body);
        }
        let literal = serde_json::to_vec(&response.text)?;
        let body = response.raw.as_bytes();
        // Preparing a search for all of a long text takes longer than looking for its start.
        let start = &literal[..literal.len().min(24)];
        Ok(memmem::find_iter(body, start)
            .find(|&at| body[at..].starts_with(&literal))
            .map_or(Self::Own(Cow::Borrowed(&response.text)), Self::At))
    }

    fn read(self, body: &str) -> Result<String, BoxError> {
        Ok(match self {
            Self::Body => body.to_owned(),
            Self::At(start) => {
                let rest = body
                    .get(start..)
                    .ok_or("its text is said to begin beyond its end")?;
                String::deserialize(&mut serde_json::Deserializer::from_str(rest))?
            }
            Self::Own(text) => text.into_owned(),
        })
    }
}

/// A vector as bytes.
pub(super) fn encode_vector(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A chat reply, with its request behind it or none.
pub(super) fn encode_chat(
    response: &ChatResponse,
    request: &[u8],
) -> Result<Vec<u8>, serde_json::Error> {
    let ChatResponse {
        text: _,
        finish,
        usage,
        model,
        request_id,
        cost_usd,
        raw,
    } = response;
    let mut bytes = Vec::with_capacity(raw.len() + request.len() + 256);
    bytes.push(HEADED);
    serde_json::to_writer(
        &mut bytes,
        &Head {
            text: TextOf::find(response)?,
            finish: Cow::Borrowed(finish),
            usage: *usage,
            model: Cow::Borrowed(model),
            request_id: Cow::Borrowed(request_id),
            cost_usd: *cost_usd,
            body: raw.len(),
        },
    )?;
    bytes.push(b'\n');
    bytes.extend_from_slice(raw.as_bytes());
    bytes.extend_from_slice(request);
    Ok(bytes)
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
    let Some(headed) = body.strip_prefix(&[HEADED]) else {
        return Ok(CallReply::Chat(serde_json::from_slice(&body)?));
    };
    let (head, rest) = std::str::from_utf8(headed)?
        .split_once('\n')
        .ok_or("its head has no end")?;
    let head: Head<'_> = serde_json::from_str(head)?;
    let raw = rest.get(..head.body).ok_or("its body is cut")?;
    Ok(CallReply::Chat(ChatResponse {
        text: head.text.read(raw)?,
        finish: head.finish.into_owned(),
        usage: head.usage,
        model: head.model.into_owned(),
        request_id: head.request_id.into_owned(),
        cost_usd: head.cost_usd,
        raw: raw.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str, raw: &str) -> (usize, ChatResponse) {
        let response = ChatResponse {
            text: text.to_owned(),
            raw: raw.to_owned(),
            request_id: Some("line\nbreak".to_owned()),
            cost_usd: Some(0.25),
            finish: FinishReason::Blocked {
                category: "SAFETY".to_owned(),
            },
            ..ChatResponse::stop("m", "")
        };
        let bytes = encode_chat(&response, b"{\"the\": \"request\"}").unwrap();
        let stored = zstd::encode_all(bytes.as_slice(), 1).unwrap();
        assert_eq!(
            decode_reply("chat", &stored).unwrap(),
            CallReply::Chat(response.clone())
        );
        (bytes.len() - raw.len(), response)
    }

    #[test]
    fn a_text_that_the_body_holds_is_written_once() {
        let text = "one \"two\"\nthree \u{2019} \\ ".repeat(50);
        let body = json!({"id": "x", "content": text, "n": 1}).to_string();
        assert!(there_and_back(&text, &body).0 < 300);
        assert!(there_and_back(&text, &text).0 < 300);
        // Written in another way, cut, or not there at all.
        let ascii = body.replace('\u{2019}', "\\u2019");
        assert!(there_and_back(&text, &ascii).0 > text.len());
        there_and_back(&text, "");
        there_and_back("", &body);
        there_and_back("", "");
        there_and_back("a\nb", "2{}\n\"a\\nb\"");
    }

    #[test]
    fn replies_of_older_builds_are_read() {
        let (_, response) = there_and_back("hello", "{\"content\": \"hello\"}");
        let old = zstd::encode_all(serde_json::to_vec(&response).unwrap().as_slice(), 3).unwrap();
        assert_eq!(
            decode_reply("chat", &old).unwrap(),
            CallReply::Chat(response)
        );
    }

    #[test]
    fn damage_is_an_error() {
        for body in [
            "2",
            "2{}",
            "2{}\nx",
            r#"2{"text":{"at":9},"finish":{"kind":"stop"},"usage":{},"model":"m","request_id":null,"cost_usd":null,"body":1}
x"#,
            r#"2{"text":"body","finish":{"kind":"stop"},"usage":{},"model":"m","request_id":null,"cost_usd":null,"body":2}
x"#,
        ] {
            let stored = zstd::encode_all(body.as_bytes(), 1).unwrap();
            assert!(decode_reply("chat", &stored).is_err(), "{body}");
        }
    }
}
