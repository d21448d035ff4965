use serde::Deserialize;
use serde_json::Value;
use specstress_llm::json;
use specstress_values::ValuePair;

use super::brief;
use crate::position::Position;
use crate::rejection::RubricRejection;
use crate::spectrum::{Spectrum, SpectrumPair};

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    value_pair: Value,
    value1_bias_spectrum: Vec<Value>,
    value2_bias_spectrum: Vec<Value>,
}

#[derive(Deserialize)]
struct Entry {
    position: String,
    response: String,
}

/// Reads the reply of a spectrum writer (method: 3.3).
///
/// Both arrays must have each of the seven position names exactly once, in any order, with a strategy that is
/// not empty. `value_pair` may be missing; where it is there, it must name the two values in their order,
/// letter case and punctuation aside, since spectra of swapped values would invert every score.
///
/// ```
/// use specstress_rubric::{Position, parse_spectra};
/// use specstress_values::ValuePair;
///
/// let entries: Vec<_> = Position::NAMES
///     .iter()
///     .map(|name| serde_json::json!({"position": name, "response": format!("sketch of {name}")}))
///     .collect();
/// let reply = serde_json::json!({"value1_bias_spectrum": entries, "value2_bias_spectrum": entries});
/// let spectra = parse_spectra(&reply.to_string(), &ValuePair::new("honesty", "care"))?;
/// assert_eq!(spectra.value2.strategies[6], "sketch of extreme_favor");
/// # Ok::<(), specstress_rubric::RubricRejection>(())
/// ```
///
/// # Errors
/// No or several such objects, other values, an unknown, repeated or missing position, an empty strategy.
pub fn parse_spectra(reply: &str, pair: &ValuePair) -> Result<SpectrumPair, RubricRejection> {
    let reply: Reply = json::decode(reply)?;
    check_pair(&reply.value_pair, pair)?;
    Ok(SpectrumPair {
        value1: spectrum(
            "value1_bias_spectrum",
            &pair.value1,
            reply.value1_bias_spectrum,
        )?,
        value2: spectrum(
            "value2_bias_spectrum",
            &pair.value2,
            reply.value2_bias_spectrum,
        )?,
    })
}

fn check_pair(given: &Value, pair: &ValuePair) -> Result<(), RubricRejection> {
    let (Some(value1), Some(value2)) = (given["value1"].as_str(), given["value2"].as_str()) else {
        return Ok(());
    };
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    if plain(value1) == plain(&pair.value1) && plain(value2) == plain(&pair.value2) {
        return Ok(());
    }
    Err(RubricRejection::ValuePair {
        given: (value1.to_owned(), value2.to_owned()),
        expected: (pair.value1.clone(), pair.value2.clone()),
    })
}

fn spectrum(
    name: &'static str,
    value: &str,
    entries: Vec<Value>,
) -> Result<Spectrum, RubricRejection> {
    let mut strategies: [Option<String>; 7] = Default::default();
    for (at, entry) in entries.into_iter().enumerate() {
        let wrong = |reason: String| RubricRejection::Entry {
            spectrum: name,
            entry: at + 1,
            reason,
        };
        let Ok(Entry { position, response }) = Entry::deserialize(&entry) else {
            return Err(wrong(format!(
                "must be an object with the texts position and response, not {}",
                brief(&entry)
            )));
        };
        let index = Position::NAMES
            .iter()
            .position(|known| *known == position.trim())
            .ok_or_else(|| {
                wrong(format!(
                    "position {position:?} is unknown; use {}",
                    Position::NAMES.join(", ")
                ))
            })?;
        let position = Position::NAMES[index];
        let response = response.trim();
        if response.is_empty() {
            return Err(wrong(format!("the response of {position} is empty")));
        }
        if strategies[index].replace(response.to_owned()).is_some() {
            return Err(RubricRejection::RepeatedPosition {
                spectrum: name,
                position,
            });
        }
    }
    let missing: Vec<&str> = strategies
        .iter()
        .zip(Position::NAMES)
        .filter(|(strategy, _)| strategy.is_none())
        .map(|(_, position)| position)
        .collect();
    if !missing.is_empty() {
        return Err(RubricRejection::MissingPositions {
            spectrum: name,
            missing: missing.join(", "),
        });
    }
    Ok(Spectrum {
        value: value.to_owned(),
        strategies: strategies.map(Option::unwrap_or_default),
    })
}
