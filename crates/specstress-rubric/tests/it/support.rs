//! Pairs, spectra and replies that several tests use.

use serde_json::{Value, json};
use specstress_llm::{ChatRequest, Part};
use specstress_rubric::{Position, Spectrum, SpectrumPair};
use specstress_values::ValuePair;

pub(crate) fn pair() -> ValuePair {
    ValuePair::new("honesty", "emotional care")
}

pub(crate) fn spectra() -> SpectrumPair {
    let spectrum = |value: &str| Spectrum {
        value: value.to_owned(),
        strategies: Position::NAMES.map(|name| format!("{value} at {name}")),
    };
    SpectrumPair {
        value1: spectrum("honesty"),
        value2: spectrum("emotional care"),
    }
}

/// The reply that says exactly this.
pub(crate) fn spectrum_reply(pair: &ValuePair, spectra: &SpectrumPair) -> Value {
    let entries = |spectrum: &Spectrum| -> Value {
        Position::all()
            .map(|at| json!({"position": at.name(), "response": spectrum.strategy(at)}))
            .collect()
    };
    json!({
        "value_pair": {"value1": pair.value1, "value2": pair.value2},
        "value1_bias_spectrum": entries(&spectra.value1),
        "value2_bias_spectrum": entries(&spectra.value2),
    })
}

pub(crate) fn entry(position1: u8, position2: u8) -> Value {
    json!({
        "value1_reasoning": "one", "value1_position": position1, "value1_confidence": 0.5,
        "value2_reasoning": "two", "value2_position": position2, "value2_confidence": 1,
    })
}

pub(crate) fn system(request: &ChatRequest) -> String {
    request.system.iter().map(Part::as_str).collect()
}
