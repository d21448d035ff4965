use serde_json::{Value, json};
use specstress_llm::{FinishReason, ResponseSchema, Usage};

use crate::server::wire::{Ask, CREATED, ChatAsk, Fields, Refusal, Said, Wire, Work, effort_named};

const KNOWN: [&str; 37] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// xAI's prices in ticks of 1e-10 dollars: 2 dollars per million tokens in, half of it when cached, 10 out.
/// As fictional as the model.
const TICKS_IN: u64 = 20_000;
const TICKS_OUT: u64 = 100_000;

pub(super) fn read(wire: Wire, fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&KNOWN)?;
    fields.no_stream()?;
    let mut ask = ChatAsk::default();
    let request = &mut ask.request;
    (request.system, request.messages) = fields.conversation("messages", &["text"])?;
    let limit = fields.count("max_completion_tokens")?;
    request.max_tokens = limit.or(fields.count("max_tokens")?);
    request.temperature = fields.number("temperature", 2.0)?;
    request.top_p = fields.number("top_p", 1.0)?;
    request.seed = fields.seed("seed")?;
    request.stop = fields.texts("stop")?;
    if wire == Wire::Xai && !request.stop.is_empty() {
        return Err(fields.wrong("stop", "Argument not supported on this model: stop"));
    }
    if request.stop.len() > 4 {
        return Err(fields.wrong("stop", "array too long, at most 4 texts"));
    }
    if fields.count("n")?.is_some_and(|n| n != 1) {
        return Err(fields.wrong("n", "the sim server gives one answer per request"));
    }
    if let Some(name) = fields.text("reasoning_effort")? {
        request.effort = Some(effort_named(name).ok_or_else(|| {
            fields
                .wrong("reasoning_effort", "not an effort")
                .code("unsupported_value")
        })?);
    }
    if let Some(format) = fields.object("response_format")? {
        request.schema = match format.required_text("type")? {
            "json_schema" => {
                format.required("json_schema")?;
                match format.object("json_schema")? {
                    Some(schema) => Some(named_schema(&schema)?),
                    None => None,
                }
            }
            "json_object" | "text" => None,
            _ => return Err(format.wrong("type", "not a response format")),
        };
    }
    Ok(Ask {
        model: fields.required_text("model")?.to_owned(),
        work: Work::Chat(Box::new(ask)),
    })
}

/// A schema with the name that has to come with it.
pub(super) fn named_schema(fields: &Fields<'_>) -> Result<ResponseSchema, Refusal> {
    let name = fields.required_text("name")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(fields.wrong("name", "does not match '^[a-zA-Z0-9_-]{1,64}$'"));
    }
    Ok(ResponseSchema {
        name: name.to_owned(),
        schema: fields.required("schema")?.clone(),
    })
}

pub(super) fn write(wire: Wire, said: &Said<'_>) -> Value {
    let (finish, content) = match said.finish {
        FinishReason::Length => ("length", json!(said.text)),
        FinishReason::Blocked { .. } => ("content_filter", Value::Null),
        FinishReason::Stop | FinishReason::Other { .. } => ("stop", json!(said.text)),
    };
    json!({
        "id": format!("chatcmpl-{}", said.id),
        "object": "chat.completion",
        "created": CREATED,
        "model": said.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": null, "annotations": []},
            "logprobs": null,
            "finish_reason": finish,
        }],
        "usage": usage(wire, said.usage),
        "service_tier": "default",
        "system_fingerprint": "fp_sim",
    })
}

/// At `OpenAI` reasoning is part of the completion; at xAI it stands beside it and the cost is told.
fn usage(wire: Wire, usage: Usage) -> Value {
    let prompt = usage.input + usage.cached_input + usage.cache_write;
    let completion = match wire {
        Wire::Xai => usage.output,
        _ => usage.output + usage.reasoning,
    };
    let mut told = json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cached_input, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    });
    if wire == Wire::Xai {
        let input = (usage.input + usage.cache_write) * TICKS_IN;
        let cached = usage.cached_input * (TICKS_IN / 2);
        let output = (usage.output + usage.reasoning) * TICKS_OUT;
        told["cost_in_usd_ticks"] = (input + cached + output).into();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_counts_inside_at_openai_and_beside_at_xai() {
        let spent = Usage {
            input: 10,
            cached_input: 4,
            cache_write: 0,
            output: 20,
            reasoning: 7,
        };
        let (openai, xai) = (usage(Wire::OpenAi, spent), usage(Wire::Xai, spent));
        for told in [&openai, &xai] {
            assert_eq!(told["prompt_tokens"], 14);
            assert_eq!(told["total_tokens"], 41);
            assert_eq!(told["completion_tokens_details"]["reasoning_tokens"], 7);
        }
        assert_eq!(openai["completion_tokens"], 27);
        assert_eq!(xai["completion_tokens"], 20);
        assert!(openai.get("cost_in_usd_ticks").is_none());
        // 10 x 2 + 4 x 1 + 27 x 10 millionths of a dollar.
        assert_eq!(xai["cost_in_usd_ticks"], 2_940_000);
    }
}
