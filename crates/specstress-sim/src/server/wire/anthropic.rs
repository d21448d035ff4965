use serde_json::{Value, json};
use specstress_llm::{FinishReason, ResponseSchema, json as lenient};

use crate::server::wire::{Ask, ChatAsk, Fields, Refusal, Said, Work, effort_named};

const KNOWN: [&str; 20] = [
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

pub(super) fn read(fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&KNOWN)?;
    fields.no_stream()?;
    let mut ask = ChatAsk::default();
    let request = &mut ask.request;
    fields.required("max_tokens")?;
    request.max_tokens = fields.count("max_tokens")?;
    if fields.get("system").is_some() {
        request.system = fields.content("system", &["text"])?;
    }
    let (system, messages) = fields.conversation("messages", &["text"])?;
    request.system.extend(system);
    request.messages = messages;
    request.temperature = fields.number("temperature", 1.0)?;
    request.top_p = fields.number("top_p", 1.0)?;
    if request.temperature.is_some() && request.top_p.is_some() {
        return Err(Refusal::new(
            400,
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        ));
    }
    request.stop = fields.texts("stop_sequences")?;
    if let Some(config) = fields.object("output_config")? {
        config.only(&["effort", "format"])?;
        if let Some(effort) = config.text("effort")? {
            // The least that others have is unknown here.
            let known = effort_named(effort).filter(|_| !matches!(effort, "none" | "minimal"));
            request.effort = Some(known.ok_or_else(|| {
                config.wrong(
                    "effort",
                    "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
                )
            })?);
        }
        if let Some(format) = config.object("format")? {
            format.only(&["type", "schema"])?;
            if format.required_text("type")? != "json_schema" {
                return Err(format.wrong("type", "Input should be 'json_schema'"));
            }
            request.schema = Some(ResponseSchema {
                name: "reply".to_owned(),
                schema: format.required("schema")?.clone(),
            });
        }
    }
    ask.thinks = thinks(fields, ask.request.max_tokens)?;
    forced_tool(fields, &mut ask)?;
    Ok(Ask {
        model: fields.required_text("model")?.to_owned(),
        work: Work::Chat(Box::new(ask)),
    })
}

fn thinks(fields: &Fields<'_>, limit: Option<u32>) -> Result<bool, Refusal> {
    let Some(thinking) = fields.object("thinking")? else {
        return Ok(false);
    };
    match thinking.required_text("type")? {
        "enabled" => {
            thinking.required("budget_tokens")?;
            let budget = thinking.count("budget_tokens")?;
            if budget < Some(1024) {
                return Err(thinking.wrong("budget_tokens", "Input should be at least 1024"));
            }
            if budget >= limit {
                return Err(thinking.wrong("budget_tokens", "Input should be less than max_tokens"));
            }
            Ok(true)
        }
        "adaptive" => Ok(true),
        "disabled" | "between_tools" => Ok(false),
        _ => Err(thinking.wrong(
            "type",
            "Input should be 'enabled', 'adaptive' or 'disabled'",
        )),
    }
}

/// Takes a forced tool for the schema of the answer.
fn forced_tool(fields: &Fields<'_>, ask: &mut ChatAsk) -> Result<(), Refusal> {
    let Some(choice) = fields.object("tool_choice")? else {
        return Ok(());
    };
    if choice.required_text("type")? != "tool" {
        return Ok(());
    }
    let name = choice.required_text("name")?;
    for tool in fields.objects("tools")?.unwrap_or_default() {
        if tool.text("name")? == Some(name) {
            ask.request.schema = Some(ResponseSchema {
                name: name.to_owned(),
                schema: tool.required("input_schema")?.clone(),
            });
            ask.tool = Some(name.to_owned());
            return Ok(());
        }
    }
    Err(choice.wrong("name", "there is no tool of that name"))
}

pub(super) fn write(said: &Said<'_>) -> Value {
    let text = || match said.text {
        "" => json!([]),
        text => json!([{"type": "text", "text": text}]),
    };
    let (mut stop, mut details, mut content) = match said.finish {
        FinishReason::Length => ("max_tokens", Value::Null, text()),
        FinishReason::Blocked { category } => (
            "refusal",
            json!({"type": "refusal", "category": category, "explanation": null}),
            json!([]),
        ),
        FinishReason::Stop | FinishReason::Other { .. } => ("end_turn", Value::Null, text()),
    };
    if let (Some(tool), "end_turn", false) = (said.tool, stop, said.text.is_empty())
        && let Ok(input @ Value::Object(_)) = lenient::decode::<Value>(said.text)
    {
        (stop, details) = ("tool_use", Value::Null);
        let id = format!("toolu_{}", said.id);
        content = json!([{"type": "tool_use", "id": id, "name": tool, "input": input}]);
    }
    let usage = said.usage;
    let output = usage.output + usage.reasoning;
    json!({
        "id": format!("msg_{}", said.id),
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "stop_details": details,
        "usage": {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write,
            "cache_read_input_tokens": usage.cached_input,
            "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": usage.reasoning},
            "service_tier": "standard",
        },
    })
}
