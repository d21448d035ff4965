//! Requests of batches, cut out of what was sent.

use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::server::batch::item::Entry;
use crate::server::batch::job::Flaw;
use crate::server::wire::Refusal;

/// Reads a JSON body into its form.
pub(super) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(400, format!("the body is not as it must be: {error}")))
}

/// The same for a body that may be empty.
pub(super) fn json_or_default<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    json(bytes)
}

/// An entry whose body shares the memory of what was sent.
pub(super) fn entry(all: &Bytes, id: &str, body: &RawValue, sample: u32) -> Entry {
    Entry {
        id: id.into(),
        body: all.slice_ref(body.get().as_bytes()),
        sample,
    }
}

/// Refuses ids that come twice.
pub(super) fn unique<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<(), &'a str> {
    let mut seen = std::collections::HashSet::new();
    match ids.into_iter().find(|id| !seen.insert(*id)) {
        Some(id) => Err(id),
        None => Ok(()),
    }
}

/// Reads a file line by line. Blank lines are passed over; every bad line is told, up to a hundred.
pub(super) fn lines<'a, L: Deserialize<'a>>(
    file: &'a [u8],
    mut take: impl FnMut(usize, L) -> Result<(), Flaw>,
) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (index, line) in file.split(|&byte| byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = index + 1;
        let taken = serde_json::from_slice::<L>(line)
            .map_err(|error| bad_line(line, number, &error))
            .and_then(|line| take(number, line));
        if let Err(flaw) = taken {
            flaws.push(flaw);
        }
        if flaws.len() == 100 {
            break;
        }
    }
    flaws
}

fn bad_line(line: &[u8], number: usize, error: &serde_json::Error) -> Flaw {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    Flaw {
        code: if is_json {
            "missing_required_parameter"
        } else {
            "invalid_json_line"
        },
        message: if is_json {
            format!("This line is not a request: {error}")
        } else {
            "This line is not parseable as valid JSON.".to_owned()
        },
        param: None,
        line: Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Line {
        id: String,
    }

    #[test]
    fn every_bad_line_is_named() {
        let mut ids = Vec::new();
        let flaws = lines(
            b"{\"id\":\"a\"}\n\n{\"id\":\n{\"no\":1}\r\n{\"id\":\"b\"}",
            |_, line: Line| {
                ids.push(line.id);
                Ok(())
            },
        );
        assert_eq!(ids, ["a", "b"]);
        let told: Vec<_> = flaws.iter().map(|flaw| (flaw.code, flaw.line)).collect();
        assert_eq!(
            told,
            [
                ("invalid_json_line", Some(3)),
                ("missing_required_parameter", Some(4))
            ]
        );
    }
}
