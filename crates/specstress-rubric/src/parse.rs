//! Reading replies. Each function is of the reply and the question alone, so stored replies can be read
//! again by a newer version without a call.

mod answers;
mod labels;
mod spectra;

use serde_json::{Map, Value};

use crate::rejection::RubricRejection;

pub use answers::{parse_classifications, parse_expressed_values};
pub(crate) use labels::refusal_names;
pub use labels::{parse_refusal, parse_topics};
pub use spectra::parse_spectra;

/// The most labels [`parse_expressed_values`] takes for one answer.
pub(crate) const MAX_LABELS: usize = 20;

/// A JSON value for a message, cut where it is long.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Takes the entry of every expected key out of an object; what is left over was not asked for.
fn entries<'k>(
    mut object: Map<String, Value>,
    keys: &[&'k str],
) -> Result<Vec<(&'k str, Value)>, RubricRejection> {
    let mut found = Vec::with_capacity(keys.len());
    for &key in keys {
        let entry = object
            .remove(key)
            .ok_or_else(|| RubricRejection::MissingKey {
                key: key.to_owned(),
            })?;
        found.push((key, entry));
    }
    match object.into_iter().next() {
        Some((key, _)) => Err(RubricRejection::UnknownKey { key }),
        None => Ok(found),
    }
}
