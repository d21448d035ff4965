//! Checks that every format shares: what a model refuses is an error before it is sent.

use serde_json::{Map, Value};
use specstress_llm::{ChatRequest, LlmError, LlmErrorKind, Part, Role};

use crate::catalog::{ModelInfo, SamplingRule};

/// A parameter that the caller set and the model does not take.
pub(super) fn refused(model: &ModelInfo, parameter: &str, rule: &str) -> LlmError {
    LlmError::new(
        LlmErrorKind::BadRequest,
        format!(
            "{}: {parameter} is not accepted by this model: {rule}; leave it unset or choose another",
            model.id()
        ),
    )
}

fn bad(model: &ModelInfo, reason: &str) -> LlmError {
    LlmError::new(
        LlmErrorKind::BadRequest,
        format!("{}: {reason}", model.id()),
    )
}

/// The conversation has turns, ends with the user, has text in each, and its numbers are in range.
pub(super) fn check(model: &ModelInfo, request: &ChatRequest) -> Result<(), LlmError> {
    match request.messages.last() {
        None => return Err(bad(model, "the conversation is empty; add a user turn")),
        Some(last) if last.role != Role::User => {
            return Err(bad(
                model,
                "the conversation ends with the model's turn; end it with the user's",
            ));
        }
        Some(_) => {}
    }
    for (turn, message) in request.messages.iter().enumerate() {
        if blank(&message.parts) {
            return Err(bad(
                model,
                &format!("turn {} has no text; leave it out", turn + 1),
            ));
        }
    }
    if request.max_tokens == Some(0) {
        return Err(bad(model, "max_tokens is 0; give 1 or more"));
    }
    if let Some(temperature) = request.temperature
        && !(temperature.is_finite() && temperature >= 0.0)
    {
        return Err(bad(
            model,
            &format!("temperature is {temperature}; give a number of 0 or more"),
        ));
    }
    if let Some(top_p) = request.top_p
        && !(0.0..=1.0).contains(&top_p)
    {
        return Err(bad(
            model,
            &format!("top_p is {top_p}; give a number from 0 to 1"),
        ));
    }
    if !model.stop && !request.stop.is_empty() {
        return Err(refused(model, "stop", "it takes no stop texts"));
    }
    if let Some(schema) = &request.schema {
        let name = &schema.name;
        let good = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !good {
            return Err(bad(
                model,
                &format!(
                    "schema name {name:?} is not 1 to 64 letters, digits, underscores and hyphens"
                ),
            ));
        }
    }
    Ok(())
}

/// Writes temperature and `top_p` under these names, as far as the model takes them.
pub(super) fn put_sampling(
    model: &ModelInfo,
    request: &ChatRequest,
    effort_is_none: bool,
    top_p_name: &str,
    into: &mut Map<String, Value>,
) -> Result<(), LlmError> {
    let set = match (request.temperature, request.top_p) {
        (None, None) => return Ok(()),
        (Some(_), _) => "temperature",
        (None, Some(_)) => "top_p",
    };
    match model.sampling {
        SamplingRule::Refused => {
            return Err(refused(model, set, "it takes no sampling parameters"));
        }
        SamplingRule::WithoutReasoning if !effort_is_none => {
            return Err(refused(
                model,
                set,
                "it takes sampling parameters only with effort = \"none\"",
            ));
        }
        SamplingRule::TemperatureXorTopP
            if request.temperature.is_some() && request.top_p.is_some() =>
        {
            return Err(refused(
                model,
                "temperature with top_p",
                "it takes one of the two",
            ));
        }
        _ => {}
    }
    if let Some(temperature) = request.temperature {
        into.insert("temperature".to_owned(), temperature.into());
    }
    if let Some(top_p) = request.top_p {
        into.insert(top_p_name.to_owned(), top_p.into());
    }
    Ok(())
}

/// The seed as every wire takes it: the low 31 bits, since some fields are 32-bit and signed.
pub(super) fn wire_seed(
    model: &ModelInfo,
    seed: Option<u64>,
    allowed: bool,
) -> Result<Option<u64>, LlmError> {
    match seed {
        Some(_) if !allowed => Err(refused(model, "seed", "it takes no sampling seed")),
        seed => Ok(seed.map(|seed| seed & 0x7fff_ffff)),
    }
}

/// Whether there is nothing but white space.
pub(super) fn blank(parts: &[Part]) -> bool {
    parts.iter().all(|part| part.as_str().trim().is_empty())
}

/// The parts joined, without a copy of what is not needed.
pub(super) fn joined(parts: &[Part]) -> String {
    parts.iter().map(Part::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, ProviderKind};
    use specstress_llm::ResponseSchema;

    fn model() -> ModelInfo {
        ModelInfo::unknown(ProviderKind::OpenAi, "openai", "m")
    }

    #[test]
    fn wrong_requests_are_named_before_they_are_sent() {
        let user = || ChatRequest::user("hi");
        let schema = |name: &str| ResponseSchema {
            name: name.to_owned(),
            schema: Value::Null,
        };
        for (request, says) in [
            (ChatRequest::default(), "conversation is empty"),
            (user().with_assistant("yes"), "ends with the model's turn"),
            (
                user().with_assistant("  ").with_user("x"),
                "turn 2 has no text",
            ),
            (user().with_max_tokens(0), "max_tokens is 0"),
            (user().with_temperature(f64::NAN), "temperature is NaN"),
            (user().with_temperature(-0.5), "temperature is -0.5"),
            (user().with_top_p(1.5), "top_p is 1.5"),
            (user().with_schema(schema("a b")), "\"a b\""),
            (user().with_schema(schema("")), "\"\""),
        ] {
            let error = check(&model(), &request).unwrap_err();
            assert_eq!(error.kind(), LlmErrorKind::BadRequest);
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(check(&model(), &user().with_schema(schema("a-b_1"))).is_ok());
    }

    #[test]
    fn sampling_follows_the_rule_of_the_model() {
        let catalog = Catalog::builtin();
        let put = |id: &str, request: ChatRequest, none| {
            let (provider, name) = id.split_once('/').unwrap();
            let mut body = Map::new();
            put_sampling(
                catalog.get(provider, name).expect(id),
                &request,
                none,
                "top_p",
                &mut body,
            )
            .map(|()| body.len())
            .map_err(|error| error.to_string())
        };
        let user = || ChatRequest::user("hi");
        let both = || user().with_temperature(0.5).with_top_p(0.9);
        assert_eq!(put("openai/gpt-4o", both(), false), Ok(2));
        assert_eq!(put("openai/o3-2025-04-16", user(), false), Ok(0));
        let o3 = put("openai/o3-2025-04-16", user().with_top_p(0.9), false).unwrap_err();
        assert!(o3.contains("openai/o3-2025-04-16: top_p"), "{o3}");
        let one = user().with_temperature(0.5);
        assert_eq!(put("anthropic/claude-haiku-4-5", one.clone(), false), Ok(1));
        let xor = put("anthropic/claude-haiku-4-5", both(), false).unwrap_err();
        assert!(xor.contains("one of the two"), "{xor}");
        assert_eq!(put("openai/gpt-5.1", one.clone(), true), Ok(1));
        assert!(
            put("openai/gpt-5.1", one, false)
                .unwrap_err()
                .contains("none")
        );
    }

    #[test]
    fn seeds_fit_the_narrowest_field() {
        assert_eq!(
            wire_seed(&model(), Some(u64::MAX), true).unwrap(),
            Some(0x7fff_ffff)
        );
        assert_eq!(wire_seed(&model(), Some(7), true).unwrap(), Some(7));
        assert_eq!(wire_seed(&model(), None, false).unwrap(), None);
        assert!(wire_seed(&model(), Some(7), false).is_err());
    }
}
