//! Reading bodies that are nearly JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

/// Reads a JSON body; raw control characters inside strings, which some servers send, are taken as if
/// escaped.
pub(super) fn parse(body: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(body).or_else(|error| match repair(body) {
        Cow::Owned(repaired) => serde_json::from_str(&repaired).map_err(|_| error),
        Cow::Borrowed(_) => Err(error),
    })
}

/// The text with raw control characters inside strings escaped, where there are any.
pub(crate) fn repair(body: &str) -> Cow<'_, str> {
    if body.bytes().any(|byte| byte < 0x20) {
        Cow::Owned(escape_controls(body))
    } else {
        Cow::Borrowed(body)
    }
}

fn escape_controls(body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    let (mut in_string, mut escaped) = (false, false);
    for character in body.chars() {
        if in_string && !escaped && u32::from(character) < 0x20 {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
            continue;
        }
        if escaped {
            escaped = false;
        } else if in_string && character == '\\' {
            escaped = true;
        } else if character == '"' {
            in_string = !in_string;
        }
        out.push(character);
    }
    out
}

/// The text of a field that is a string and not empty.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value
        .get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_strings_are_read() {
        let value = parse("{\n\t\"a\": \"x\ny\\\"\u{1}\",\n\"b\": 1}").unwrap();
        assert_eq!(value["a"], "x\ny\"\u{1}");
        assert_eq!(value["b"], 1);
        assert!(parse("{\"a\": \"x\n").is_err());
        assert!(parse("<html>").is_err());
    }
}
