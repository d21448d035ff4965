//! `OpenAI` Chat Completions, and whatever speaks it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use specstress_llm::{ChatRequest, ChatResponse, Effort, FinishReason, LlmError, Message, Usage};

use crate::catalog::{ChatApi, EffortControl, ModelInfo, ProviderKind, StructuredOutput};
use crate::usage;
use crate::wire::openai_responses;
use crate::wire::options::{ResponseFormat, WireOptions};
use crate::wire::params::{blank, check, joined, put_sampling, refused, wire_seed};
use crate::wire::reply::{Opened, answering_model, bad_reply, open, request_id};
use crate::wire::schema_clean::{SchemaRules, clean};
use crate::wire::{ChatWire, WireReply, WireRequest, effort, finish_body, header_cost, json};

/// `OpenAI` itself and compatible servers; chooses between Chat Completions and Responses by model.
#[derive(Debug)]
pub(super) struct OpenAiChat {
    pub options: Arc<WireOptions>,
}

impl ChatWire for OpenAiChat {
    fn request(&self, model: &ModelInfo, request: &ChatRequest) -> Result<WireRequest, LlmError> {
        match model.api {
            ChatApi::ChatCompletions => chat_request(model, request, &self.options),
            ChatApi::Responses => openai_responses::request(model, request, &self.options),
        }
    }

    fn response(&self, model: &ModelInfo, reply: &WireReply) -> Result<ChatResponse, LlmError> {
        match model.api {
            ChatApi::ChatCompletions => {
                chat_response(model, reply, &self.options, &Reading::OPENAI)
            }
            ChatApi::Responses => openai_responses::response(model, reply, &self.options),
        }
    }
}

/// Where servers of this shape differ in their replies.
pub(super) struct Reading {
    pub usage: fn(&Value) -> Usage,
    pub cost: fn(&Value) -> Option<f64>,
}

impl Reading {
    const OPENAI: Self = Self {
        usage: |usage| usage::openai_chat(usage, true),
        // OpenRouter says what it charged.
        cost: |usage| usage["cost"].as_f64(),
    };
}

pub(super) fn chat_request(
    model: &ModelInfo,
    request: &ChatRequest,
    options: &WireOptions,
) -> Result<WireRequest, LlmError> {
    check(model, request)?;
    let compat = &options.compat;
    if model.kind == ProviderKind::OpenAi && request.stop.len() > 4 {
        return Err(refused(
            model,
            &format!("stop with {} texts", request.stop.len()),
            "it takes four at most",
        ));
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.name.clone().into());
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if !blank(&request.system) {
        let developer = compat
            .developer_role
            .unwrap_or(model.kind == ProviderKind::OpenAi && model.known && model.effort.reasons());
        let role = if developer { "developer" } else { "system" };
        messages.push(json!({"role": role, "content": joined(&request.system)}));
    }
    messages.extend(turns(&request.messages));
    body.insert("messages".to_owned(), messages.into());
    if let Some(limit) = request.max_tokens {
        let name = compat.token_limit_name.unwrap_or(model.token_limit);
        body.insert(name.as_str().to_owned(), limit.into());
    }
    let sent = effort_level(model, request.effort, options)?;
    if let Some(level) = sent {
        body.insert("reasoning_effort".to_owned(), level.as_str().into());
    }
    put_sampling(
        model,
        request,
        effort_is_none(model, sent),
        "top_p",
        &mut body,
    )?;
    let seed_allowed = compat.supports_seed.unwrap_or(model.seed);
    if let Some(seed) = wire_seed(model, request.seed, seed_allowed)? {
        body.insert("seed".to_owned(), seed.into());
    }
    if !request.stop.is_empty() {
        body.insert("stop".to_owned(), json!(request.stop));
    }
    if let Some(format) = response_format(model, request, compat.response_format) {
        body.insert("response_format".to_owned(), format);
    }
    Ok(WireRequest {
        path: "/chat/completions".to_owned(),
        headers: Vec::new(),
        body: finish_body(body, options),
    })
}

pub(super) fn turns(messages: &[Message]) -> impl Iterator<Item = Value> + '_ {
    messages
        .iter()
        .map(|Message { role, parts }| json!({"role": role.as_str(), "content": joined(parts)}))
}

/// The effort to send, if any.
pub(super) fn effort_level(
    model: &ModelInfo,
    wanted: Option<Effort>,
    options: &WireOptions,
) -> Result<Option<Effort>, LlmError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let parameter = format!("effort = {:?}", wanted.as_str());
    match (&model.effort, options.compat.reasoning_effort) {
        (_, Some(false)) if wanted == Effort::None => Ok(None),
        (_, Some(false)) => Err(refused(
            model,
            &parameter,
            "reasoning_effort is off for this endpoint",
        )),
        (EffortControl::Levels { levels, .. }, _) => effort::level(model, wanted, levels).map(Some),
        (_, Some(true)) => Ok(Some(wanted)),
        (EffortControl::Fixed { reasons }, None) if *reasons == (wanted != Effort::None) => {
            Ok(None)
        }
        (EffortControl::Fixed { reasons: true }, None) => {
            Err(refused(model, &parameter, "it always reasons"))
        }
        (EffortControl::Fixed { reasons: false }, None) => {
            Err(refused(model, &parameter, "it does not reason"))
        }
        (_, None) => Err(refused(
            model,
            &parameter,
            "its catalog entry has an effort control of another provider",
        )),
    }
}

/// Whether a call with this effort runs without reasoning, by the model's default where none is sent.
pub(super) fn effort_is_none(model: &ModelInfo, sent: Option<Effort>) -> bool {
    let default = match &model.effort {
        EffortControl::Levels { default, .. } => *default,
        EffortControl::Fixed { reasons: false } => Some(Effort::None),
        _ => None,
    };
    sent.or(default) == Some(Effort::None)
}

fn response_format(
    model: &ModelInfo,
    request: &ChatRequest,
    switch: Option<ResponseFormat>,
) -> Option<Value> {
    let wanted = request.schema.as_ref()?;
    let format = switch.unwrap_or(match model.structured_output {
        StructuredOutput::JsonSchema => ResponseFormat::JsonSchema,
        StructuredOutput::JsonObject => ResponseFormat::JsonObject,
        StructuredOutput::Tool | StructuredOutput::None => ResponseFormat::None,
    });
    match format {
        ResponseFormat::JsonSchema => {
            let schema = clean(&wanted.schema, SchemaRules::OpenAi)?;
            Some(json!({
                "type": "json_schema",
                "json_schema": {"name": wanted.name, "strict": true, "schema": schema},
            }))
        }
        // Refused in a conversation that nowhere says JSON.
        ResponseFormat::JsonObject => says_json(request).then(|| json!({"type": "json_object"})),
        ResponseFormat::None => None,
    }
}

fn says_json(request: &ChatRequest) -> bool {
    let turns = request.messages.iter().flat_map(|message| &message.parts);
    request.system.iter().chain(turns).any(|part| {
        let text = part.as_str().as_bytes();
        text.windows(4)
            .any(|word| word.eq_ignore_ascii_case(b"json"))
    })
}

pub(super) fn chat_response(
    model: &ModelInfo,
    reply: &WireReply,
    options: &WireOptions,
    reading: &Reading,
) -> Result<ChatResponse, LlmError> {
    let body = match open(model, reply)? {
        Opened::Body(body) => body,
        Opened::Blocked(response) => return Ok(*response),
    };
    let Some(choice) = body["choices"].get(0).filter(|choice| choice.is_object()) else {
        return Err(bad_reply(
            model,
            reply,
            "not a completion: it has no choices",
        ));
    };
    if choice.get("error").is_some_and(|error| !error.is_null()) {
        // OpenRouter puts an upstream failure into the choice of a 200 reply.
        let nested = WireReply {
            body: json!({"error": choice["error"]}).to_string(),
            ..reply.clone()
        };
        return match open(model, &nested)? {
            Opened::Blocked(mut response) => {
                response.raw.clone_from(&reply.body);
                Ok(*response)
            }
            Opened::Body(_) => Err(bad_reply(model, reply, "a choice with an unreadable error")),
        };
    }
    let named = json::text(&body, "model");
    let answered_by = answering_model(model, named, options.allow_other_model)?;
    let message = &choice["message"];
    let refusal = json::text(message, "refusal");
    let content = content(&message["content"]);
    let finish = match refusal {
        Some(_) => FinishReason::Blocked {
            category: "refusal".to_owned(),
        },
        None => finish(choice),
    };
    let usage = &body["usage"];
    Ok(ChatResponse {
        text: match refusal {
            Some(refusal) if content.is_empty() => refusal.to_owned(),
            _ => content,
        },
        finish,
        usage: (reading.usage)(usage),
        model: answered_by,
        request_id: request_id(model, reply, Some(&body)),
        cost_usd: (reading.cost)(usage)
            .filter(|cost| cost.is_finite() && *cost >= 0.0)
            .or_else(|| header_cost(reply)),
        raw: reply.body.clone(),
    })
}

/// A string, null, or on some servers a list of text parts.
fn content(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter(|part| part["type"] == "text" || part["type"] == "output_text")
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

fn finish(choice: &Value) -> FinishReason {
    // Proxies translate; what the model's own provider said is kept beside.
    let native = json::text(choice, "native_finish_reason");
    match json::text(choice, "finish_reason") {
        Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        Some("content_filter") => FinishReason::Blocked {
            category: native.unwrap_or("content_filter").to_owned(),
        },
        other => FinishReason::Other {
            reason: other.or(native).unwrap_or("no finish_reason").to_owned(),
        },
    }
}

#[cfg(test)]
#[path = "openai_chat_tests.rs"]
mod tests;
