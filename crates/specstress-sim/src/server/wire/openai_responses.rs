use serde_json::{Value, json};
use specstress_llm::{FinishReason, Message, Part, Role};

use crate::server::wire::openai_chat::named_schema;
use crate::server::wire::{Ask, CREATED, ChatAsk, Fields, Refusal, Said, Work, effort_named};

const KNOWN: [&str; 29] = [
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "verbosity",
];

pub(super) fn read(fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&KNOWN)?;
    fields.no_stream()?;
    let mut ask = ChatAsk::default();
    let request = &mut ask.request;
    if let Some(text) = fields.text("instructions")? {
        request.system.push(Part::Text(text.to_owned()));
    }
    if let Some(Value::String(text)) = fields.get("input") {
        request.messages.push(Message {
            role: Role::User,
            parts: vec![Part::Text(text.clone())],
        });
    } else {
        let types = ["input_text", "output_text", "text"];
        let (system, messages) = fields.conversation("input", &types)?;
        request.system.extend(system);
        request.messages = messages;
    }
    request.max_tokens = fields.count("max_output_tokens")?;
    request.temperature = fields.number("temperature", 2.0)?;
    request.top_p = fields.number("top_p", 1.0)?;
    if let Some(reasoning) = fields.object("reasoning")?
        && let Some(name) = reasoning.text("effort")?
    {
        request.effort = Some(effort_named(name).ok_or_else(|| {
            reasoning
                .wrong("effort", "not an effort")
                .code("unsupported_value")
        })?);
    }
    if let Some(text) = fields.object("text")?
        && let Some(format) = text.object("format")?
        && format.required_text("type")? == "json_schema"
    {
        request.schema = Some(named_schema(&format)?);
    }
    Ok(Ask {
        model: fields.required_text("model")?.to_owned(),
        work: Work::Chat(Box::new(ask)),
    })
}

pub(super) fn write(said: &Said<'_>) -> Value {
    let (status, reason) = match said.finish {
        FinishReason::Length => ("incomplete", Some("max_output_tokens")),
        FinishReason::Blocked { .. } => ("incomplete", Some("content_filter")),
        FinishReason::Stop | FinishReason::Other { .. } => ("completed", None),
    };
    let mut output = Vec::new();
    if said.usage.reasoning > 0 {
        output.push(json!({"type": "reasoning", "id": format!("rs_{}", said.id), "summary": []}));
    }
    if !said.text.is_empty() {
        output.push(json!({
            "type": "message",
            "id": format!("msg_{}", said.id),
            "role": "assistant",
            "status": status,
            "content": [{"type": "output_text", "text": said.text, "annotations": []}],
        }));
    }
    let usage = said.usage;
    json!({
        "id": format!("resp_{}", said.id),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": null,
        "incomplete_details": reason.map(|reason| json!({"reason": reason})),
        "model": said.model,
        "output": output,
        "usage": {
            "input_tokens": usage.input + usage.cached_input + usage.cache_write,
            "input_tokens_details": {"cached_tokens": usage.cached_input},
            "output_tokens": usage.output + usage.reasoning,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.total(),
        },
    })
}
