use serde_json::{Value, json};

use crate::persona::PANEL;
use crate::server::wire::{CREATED, Wire};

const MAX_INPUT: u64 = 200_000;
const MAX_OUTPUT: u64 = 64_000;

/// What a provider tells of a model. `retires` is its last day, if there is one, and `today` the present one.
pub(in crate::server) fn model_body(
    wire: Wire,
    key: &str,
    retires: Option<&str>,
    today: &str,
) -> Value {
    match wire {
        Wire::Anthropic => {
            let lifecycle = match retires {
                None => "active",
                Some(day) if day <= today => "retired",
                Some(_) => "deprecated",
            };
            let moment = |day: &str| format!("{day}T00:00:00Z");
            json!({
                "type": "model",
                "id": key,
                "display_name": display_name(key),
                "created_at": "2026-01-01T00:00:00Z",
                "lifecycle": lifecycle,
                "deprecated_at": retires.map(|_| "2026-01-01T00:00:00Z"),
                "retires_at": retires.map(moment),
                "max_input_tokens": MAX_INPUT,
                "max_tokens": MAX_OUTPUT,
                "capabilities": {
                    "batch": {"supported": true},
                    "structured_outputs": {"supported": true},
                },
            })
        }
        Wire::OpenAi | Wire::Xai => json!({
            "id": key,
            "object": "model",
            "created": CREATED,
            "owned_by": "specstress-sim",
            "shutdown_date": retires,
        }),
        Wire::Gemini => json!({
            "name": format!("models/{key}"),
            "version": "001",
            "displayName": display_name(key),
            "description": "Simulated.",
            "inputTokenLimit": MAX_INPUT,
            "outputTokenLimit": MAX_OUTPUT,
            "supportedGenerationMethods": ["generateContent", "batchGenerateContent"],
        }),
    }
}

fn display_name(key: &str) -> &str {
    PANEL
        .iter()
        .find(|(persona, _)| persona.key == key)
        .map_or(key, |(persona, _)| persona.display_name)
}

/// The list of models, in one page.
pub(in crate::server) fn model_list(wire: Wire, models: &[Value]) -> Value {
    match wire {
        Wire::Anthropic => json!({
            "data": models,
            "has_more": false,
            "first_id": models.first().map(|model| &model["id"]),
            "last_id": models.last().map(|model| &model["id"]),
        }),
        Wire::OpenAi | Wire::Xai => json!({"object": "list", "data": models}),
        Wire::Gemini => json!({"models": models}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifecycles_follow_the_day() {
        let lifecycle = |retires| {
            let body = model_body(Wire::Anthropic, "alder_first", retires, "2026-11-21");
            body["lifecycle"].as_str().unwrap().to_owned()
        };
        assert_eq!(lifecycle(None), "active");
        assert_eq!(lifecycle(Some("2026-11-22")), "deprecated");
        assert_eq!(lifecycle(Some("2026-11-21")), "retired");
        let openai = model_body(Wire::OpenAi, "birch_main", Some("2027-01-14"), "2026-11-21");
        assert_eq!(openai["shutdown_date"], "2027-01-14");
        let gemini = model_body(Wire::Gemini, "cedar_pro", None, "2026-11-21");
        assert_eq!(gemini["displayName"], "Cedar Pro");
    }
}
