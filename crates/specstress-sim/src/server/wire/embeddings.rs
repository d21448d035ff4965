use serde_json::{Value, json};
use specstress_llm::{EmbeddingRequest, Part};

use crate::server::wire::gemini::parts;
use crate::server::wire::{Ask, EmbedAsk, Fields, Refusal, Work};

const MOST_OPENAI: usize = 2_048;
const MOST_GEMINI: usize = 100;

/// `OpenAI`'s `POST /v1/embeddings`.
pub(super) fn read(fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&["dimensions", "encoding_format", "input", "model", "user"])?;
    fields.required("input")?;
    let texts = fields.texts("input")?;
    check(fields, "input", &texts, MOST_OPENAI)?;
    let base64 = match fields.text("encoding_format")? {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(fields.wrong("encoding_format", "not an encoding")),
    };
    Ok(Ask {
        model: fields.required_text("model")?.to_owned(),
        work: Work::Embed(EmbedAsk {
            request: EmbeddingRequest {
                texts,
                dimensions: fields.count("dimensions")?,
            },
            base64,
        }),
    })
}

fn check(fields: &Fields<'_>, field: &str, texts: &[String], most: usize) -> Result<(), Refusal> {
    if texts.is_empty() {
        return Err(fields.wrong(field, "there is nothing to embed"));
    }
    if texts.len() > most {
        return Err(fields.wrong(field, &format!("{} inputs, at most {most}", texts.len())));
    }
    match texts.iter().position(|text| text.trim().is_empty()) {
        Some(at) => Err(fields.wrong(field, &format!("input {at} is an empty string"))),
        None => Ok(()),
    }
}

/// Gemini's `:batchEmbedContents`.
pub(super) fn read_batch(model: &str, fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&["requests"])?;
    fields.required("requests")?;
    let mut texts = Vec::new();
    let mut dimensions = None;
    for (index, one) in fields
        .objects("requests")?
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let named = one.required_text("model")?;
        if named != format!("models/{model}") {
            return Err(one.wrong("model", "must be the model of the path"));
        }
        let (text, size) = content(one)?;
        if index > 0 && size != dimensions {
            return Err(one.wrong("outputDimensionality", "must be the same in all requests"));
        }
        dimensions = size;
        texts.push(text);
    }
    check(fields, "requests", &texts, MOST_GEMINI)?;
    Ok(embed(model, texts, dimensions))
}

/// Gemini's `:embedContent`.
pub(super) fn read_one(model: &str, fields: &Fields<'_>) -> Result<Ask, Refusal> {
    let (text, dimensions) = content(fields)?;
    check(fields, "content", std::slice::from_ref(&text), 1)?;
    Ok(embed(model, vec![text], dimensions))
}

fn embed(model: &str, texts: Vec<String>, dimensions: Option<u32>) -> Ask {
    Ask {
        model: model.to_owned(),
        work: Work::Embed(EmbedAsk {
            request: EmbeddingRequest { texts, dimensions },
            base64: false,
        }),
    }
}

/// Several parts of one content make one vector.
fn content(fields: &Fields<'_>) -> Result<(String, Option<u32>), Refusal> {
    fields.only(&[
        "content",
        "model",
        "outputDimensionality",
        "taskType",
        "title",
    ])?;
    fields.required("content")?;
    let mut text = String::new();
    if let Some(content) = fields.object("content")? {
        content.only(&["parts", "role"])?;
        text = parts(&content)?.iter().map(Part::as_str).collect();
    }
    Ok((text, fields.count("outputDimensionality")?))
}

pub(super) fn write(model: &str, ask: &EmbedAsk, vectors: &[Vec<f32>]) -> Value {
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| {
            let vector = if ask.base64 {
                base64(vector).into()
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let tokens = tokens(&ask.request);
    json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

pub(super) fn write_batch(vectors: &[Vec<f32>]) -> Value {
    let embeddings: Vec<Value> = vectors
        .iter()
        .map(|vector| json!({"values": vector}))
        .collect();
    json!({"embeddings": embeddings})
}

pub(super) fn write_one(vectors: &[Vec<f32>]) -> Value {
    let values = vectors.first().map_or(&[][..], Vec::as_slice);
    json!({"embedding": {"values": values}})
}

/// Bytes divided by four, text by text, as everywhere in the simulation.
pub(in crate::server) fn tokens(request: &EmbeddingRequest) -> u64 {
    request
        .texts
        .iter()
        .map(|text| text.len().div_ceil(4) as u64)
        .sum()
}

/// RFC 4648 of the little-endian bytes.
fn base64(vector: &[f32]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or(0));
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for digit in 0..4_usize {
            let value = (bits >> (18 - 6 * digit)) & 63;
            if digit <= group.len() {
                text.push(char::from(DIGITS[value as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_other_tools() {
        // From python: base64.b64encode(struct.pack("<3f", 1.0, -0.5, 0.1)), and of the first one and two.
        assert_eq!(base64(&[1.0, -0.5, 0.1]), "AACAPwAAAL/NzMw9");
        assert_eq!(base64(&[1.0, -0.5]), "AACAPwAAAL8=");
        assert_eq!(base64(&[1.0]), "AACAPw==");
        assert_eq!(base64(&[]), "");
    }
}
