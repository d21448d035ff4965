use std::collections::BTreeMap;

use serde_json::{Map, Value};
use specstress_llm::json;

use super::{MAX_LABELS, brief, entries};
use crate::classification::{Classification, Classifications, Rating};
use crate::position::Position;
use crate::rejection::RubricRejection;

/// Reads a classifier's reply (method: 3.4): an object with one entry per key, each with
/// `value1_reasoning`, `value1_position`, `value1_confidence` and the same for value 2.
///
/// Positions are whole numbers from 0 to 6; `4.0` is one, `3.5` and `"4"` are not. Confidences are numbers
/// from 0 to 1. Other fields of an entry are ignored; keys must be exactly those asked for.
///
/// ```
/// use specstress_rubric::parse_classifications;
///
/// let reply = r#"{"o3": {"value1_reasoning": "a", "value1_position": 5, "value1_confidence": 0.9,
///                        "value2_reasoning": "b", "value2_position": 7, "value2_confidence": 0.8}}"#;
/// let error = parse_classifications(reply, &["o3"]).unwrap_err();
/// assert_eq!(error.to_string(), "o3: value2_position must be a whole number from 0 to 6, not 7");
/// ```
///
/// # Errors
/// No or several JSON objects, a missing or unknown key, a missing or impossible field.
pub fn parse_classifications(
    reply: &str,
    keys: &[&str],
) -> Result<Classifications, RubricRejection> {
    let object: Map<String, Value> = json::decode(reply)?;
    entries(object, keys)?
        .into_iter()
        .map(|(key, entry)| {
            let Value::Object(fields) = entry else {
                return Err(RubricRejection::Form {
                    key: key.to_owned(),
                    wanted: "an object with the six fields",
                    given: brief(&entry),
                });
            };
            let classification = Classification {
                value1: rating(key, &fields, "value1")?,
                value2: rating(key, &fields, "value2")?,
            };
            Ok((key.to_owned(), classification))
        })
        .collect()
}

fn rating(model: &str, fields: &Map<String, Value>, side: &str) -> Result<Rating, RubricRejection> {
    Ok(Rating {
        position: field(
            model,
            fields,
            side,
            "position",
            "a whole number from 0 to 6",
            position,
        )?,
        confidence: field(
            model,
            fields,
            side,
            "confidence",
            "a number from 0.0 to 1.0",
            |value| value.as_f64().filter(|number| (0.0..=1.0).contains(number)),
        )?,
        reasoning: field(model, fields, side, "reasoning", "a text", |value| {
            let text = value.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        })?,
    })
}

fn field<T>(
    model: &str,
    fields: &Map<String, Value>,
    side: &str,
    name: &str,
    wanted: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<T, RubricRejection> {
    let field = format!("{side}_{name}");
    let Some(value) = fields.get(&field) else {
        return Err(RubricRejection::MissingField {
            model: model.to_owned(),
            field,
        });
    };
    read(value).ok_or_else(|| RubricRejection::Field {
        model: model.to_owned(),
        field,
        wanted,
        given: brief(value),
    })
}

fn position(value: &Value) -> Option<Position> {
    let number = value.as_f64()?;
    // Adding zero makes one zero of the two.
    Position::all().find(|position| {
        f64::from(position.score())
            .total_cmp(&(number + 0.0))
            .is_eq()
    })
}

/// Reads the values each answer distinctively expresses (method: 3.8): an object with one array of labels
/// per key.
///
/// Labels are trimmed; a label that an answer has twice, letter case aside, counts once, where it first
/// stands. An empty array is an answer with nothing distinctive. More than 20 labels are refused.
///
/// ```
/// use specstress_rubric::parse_expressed_values;
///
/// let values = parse_expressed_values(r#"{"o3": ["candor", " Candor", "rigor"], "grok_4": []}"#, &["o3", "grok_4"])?;
/// assert_eq!(values["o3"], ["candor", "rigor"]);
/// # Ok::<(), specstress_rubric::RubricRejection>(())
/// ```
///
/// # Errors
/// No or several JSON objects, a missing or unknown key, an entry that is no array of texts, an empty label.
pub fn parse_expressed_values(
    reply: &str,
    keys: &[&str],
) -> Result<BTreeMap<String, Vec<String>>, RubricRejection> {
    let object: Map<String, Value> = json::decode(reply)?;
    entries(object, keys)?
        .into_iter()
        .map(|(key, entry)| Ok((key.to_owned(), labels(key, &entry)?)))
        .collect()
}

fn labels(key: &str, entry: &Value) -> Result<Vec<String>, RubricRejection> {
    let form = |given: &Value| RubricRejection::Form {
        key: key.to_owned(),
        wanted: "an array of short labels",
        given: brief(given),
    };
    let mut labels: Vec<String> = Vec::new();
    for item in entry.as_array().ok_or_else(|| form(entry))? {
        let label = item
            .as_str()
            .map(str::trim)
            .filter(|label| !label.is_empty())
            .ok_or_else(|| form(item))?;
        let known = labels
            .iter()
            .any(|other| other.to_lowercase() == label.to_lowercase());
        if !known {
            labels.push(label.to_owned());
        }
    }
    if labels.len() > MAX_LABELS {
        return Err(RubricRejection::TooManyLabels {
            model: key.to_owned(),
            count: labels.len(),
            limit: MAX_LABELS,
        });
    }
    Ok(labels)
}
