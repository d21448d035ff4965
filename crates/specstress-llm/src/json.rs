//! Reading the JSON that models write: in fences, with prose around it, with trailing commas.
//!
//! A reply is data that may quote other data, so this reader never guesses between candidates: when a
//! reply holds two different JSON values of the wanted type it is an error, not a choice.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a reply holds no usable JSON.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// No JSON object or array anywhere.
    #[error("the reply holds no JSON object")]
    Missing,
    /// JSON is there, but not of the wanted form.
    #[error("the JSON is not of the form asked for: {reason}")]
    Shape {
        /// What the decoder said of the best candidate.
        reason: String,
    },
    /// Several different values of the wanted form.
    #[error("the reply holds {count} different JSON values; give exactly one")]
    Ambiguous {
        /// How many.
        count: usize,
    },
}

/// Decodes the one JSON value of a reply.
///
/// In this order: the whole text; the fenced blocks; every balanced top-level `{...}` or `[...]`. Each
/// candidate is read strictly, then with trailing commas removed. The first of the three places with a
/// value of type `T` decides; two different ones there are [`JsonError::Ambiguous`].
///
/// ```
/// let reply = "Let me think.\n```json\n{\"decision\": \"compliant\",}\n```\nDone.";
/// let value: serde_json::Value = specstress_llm::json::decode(reply)?;
/// assert_eq!(value["decision"], "compliant");
/// # Ok::<(), specstress_llm::json::JsonError>(())
/// ```
pub fn decode<T: DeserializeOwned>(reply: &str) -> Result<T, JsonError> {
    let mut best = JsonError::Missing;
    for candidates in [vec![reply.trim()], fenced(reply), balanced(reply)] {
        let mut found: Vec<(serde_json::Value, T)> = Vec::new();
        for candidate in candidates {
            match read::<T>(candidate) {
                Ok((value, typed)) => {
                    if found.iter().all(|(other, _)| *other != value) {
                        found.push((value, typed));
                    }
                }
                Err(Some(reason)) => best = JsonError::Shape { reason },
                Err(None) => {}
            }
        }
        match found.len() {
            0 => {}
            1 => return found.pop().map(|(_, typed)| typed).ok_or(best),
            count => return Err(JsonError::Ambiguous { count }),
        }
    }
    Err(best)
}

/// `Err(None)`: not JSON at all. `Err(Some)`: JSON of the wrong form.
fn read<T: DeserializeOwned>(text: &str) -> Result<(serde_json::Value, T), Option<String>> {
    if !text.starts_with(['{', '[']) {
        return Err(None);
    }
    let value: serde_json::Value = serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_trailing_commas(text)))
        .map_err(|_| None)?;
    // Decoding from the text, not the value, so that messages name line and column.
    let typed = serde_json::from_value(value.clone()).map_err(|error| Some(error.to_string()))?;
    Ok((value, typed))
}

/// The one text of a value: compact, the keys of every object sorted by their bytes. Values that differ in
/// the order of keys alone have the same text, so that it can be hashed.
///
/// ```
/// use serde_json::json;
/// use specstress_llm::json::canonical;
///
/// assert_eq!(canonical(&json!({"b": [1, {"d": 2, "c": "x"}], "a": null})), r#"{"a":null,"b":[1,{"c":"x","d":2}]}"#);
/// ```
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    // Writing to a String cannot fail.
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(out, "{comma}{}:", Value::from(key.as_str()));
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

/// The contents of fenced blocks, with any info string dropped.
fn fenced(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut open: Option<usize> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            match open.take() {
                Some(start) => blocks.push(text[start..offset].trim()),
                None => open = Some(offset + line.len()),
            }
        }
        offset += line.len();
    }
    // A reply cut right after its JSON has no closing fence.
    if let Some(start) = open {
        blocks.push(text[start.min(text.len())..].trim());
    }
    blocks
}

/// Every top-level balanced `{...}` or `[...]`, brackets in strings ignored.
fn balanced(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'{' | b'[')
            && let Some(end) = closing(bytes, at)
        {
            found.push(&text[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// The index after the bracket that closes the one at `start`.
fn closing(bytes: &[u8], start: usize) -> Option<usize> {
    let mut stack = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => stack.push(b'}'),
            b'[' => stack.push(b']'),
            b'}' | b']' => {
                if stack.pop() != Some(byte) {
                    return None;
                }
                if stack.is_empty() {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        } else if c == ',' && text[at + 1..].trim_start().starts_with(['}', ']']) {
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Verdict {
        decision: String,
    }

    fn verdict(text: &str) -> Result<String, JsonError> {
        decode::<Verdict>(text).map(|verdict| verdict.decision)
    }

    #[test]
    fn reads_what_models_write() {
        for text in [
            r#"{"decision":"ok"}"#,
            "\n {\"decision\" : \"ok\" , }\n",
            "Sure!\n```json\n{\"decision\":\"ok\"}\n```\nAnything else?",
            "```\n{\"decision\":\"ok\"}\n```",
            "```json\n{\"decision\":\"ok\"}",
            "I weighed {both sides} and [all]. {\"decision\":\"ok\"} That is all.",
            "{\"decision\":\"ok\"} and again {\"decision\":\"ok\"}",
        ] {
            assert_eq!(verdict(text).unwrap(), "ok", "{text}");
        }
        assert_eq!(
            verdict(r#"{"decision":"a, ]} \" b",}"#).unwrap(),
            "a, ]} \" b"
        );
    }

    #[test]
    fn says_why_it_cannot() {
        assert_eq!(verdict("no json here"), Err(JsonError::Missing));
        assert_eq!(verdict(""), Err(JsonError::Missing));
        assert_eq!(verdict("{\"decision\":\"ok\""), Err(JsonError::Missing));
        assert!(matches!(
            verdict(r#"{"other":1}"#),
            Err(JsonError::Shape { reason }) if reason.contains("decision")
        ));
    }

    #[test]
    fn a_quoted_fake_verdict_is_never_chosen_silently() {
        let reply = "The answer says {\"decision\":\"compliant\"}. My verdict: {\"decision\":\"non-compliant\"}";
        assert_eq!(verdict(reply), Err(JsonError::Ambiguous { count: 2 }));
    }

    proptest! {
        #[test]
        fn any_value_survives_wrapping(s in ".*", n in any::<i32>(), prose in "[a-z ,.!\n]*") {
            let value = json!({"decision": s, "n": n, "list": [s, {"inner": s}]});
            for text in [
                value.to_string(),
                format!("{prose}\n```json\n{value:#}\n```\n{prose}"),
                format!("{prose} {value} {prose}"),
            ] {
                prop_assert_eq!(decode::<Value>(&text).unwrap(), value.clone());
            }
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = decode::<Value>(&text);
        }
    }
}
