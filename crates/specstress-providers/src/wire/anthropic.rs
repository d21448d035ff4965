//! Anthropic Messages.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use specstress_llm::{ChatRequest, ChatResponse, Effort, FinishReason, LlmError, Message, Part};

use crate::catalog::{AdaptiveOff, EffortControl, ModelInfo, ProviderKind, StructuredOutput};
use crate::usage;
use crate::wire::options::{CacheTtl, WireOptions};
use crate::wire::params::{blank, check, joined, put_sampling, refused, wire_seed};
use crate::wire::reply::{Opened, answering_model, open, request_id};
use crate::wire::schema_clean::{SchemaRules, clean};
use crate::wire::{ChatWire, WireReply, WireRequest, effort, finish_body, json, service_headers};

/// Limits for requests that name none: without streaming, longer answers run into timeouts.
const DEFAULT_LIMIT: u32 = 8_192;
/// Thinking counts as output.
const DEFAULT_THINKING_LIMIT: u32 = 16_384;
/// How many cache marks one request may have.
const MAX_CACHE_MARKS: usize = 4;

#[derive(Debug)]
pub(super) struct Anthropic {
    pub options: Arc<WireOptions>,
}

impl ChatWire for Anthropic {
    fn request(&self, model: &ModelInfo, request: &ChatRequest) -> Result<WireRequest, LlmError> {
        check(model, request)?;
        wire_seed(model, request.seed, model.seed)?;
        let mut body = Map::new();
        body.insert("model".to_owned(), model.name.clone().into());
        let thinks = thinks(model, request.effort);
        let limit = request.max_tokens.unwrap_or_else(|| {
            let limit = if thinks {
                DEFAULT_THINKING_LIMIT
            } else {
                DEFAULT_LIMIT
            };
            limit.min(model.max_output.unwrap_or(limit))
        });
        body.insert("max_tokens".to_owned(), limit.into());

        let marks = CacheMarks::choose(request, self.options.cache_ttl);
        if !blank(&request.system) {
            body.insert("system".to_owned(), content(&request.system, &marks));
        }
        let messages: Vec<Value> = request
            .messages
            .iter()
            .map(|Message { role, parts }| {
                json!({"role": role.as_str(), "content": content(parts, &marks)})
            })
            .collect();
        body.insert("messages".to_owned(), messages.into());

        let budget = put_effort(model, request, limit, &mut body)?;
        if budget {
            check_sampling_with_budget(model, request)?;
        }
        put_sampling(model, request, false, "top_p", &mut body)?;
        if !request.stop.is_empty() {
            body.insert("stop_sequences".to_owned(), json!(request.stop));
        }
        put_schema(model, request, budget, &mut body);

        Ok(WireRequest {
            path: "/messages".to_owned(),
            headers: service_headers(ProviderKind::Anthropic, &self.options),
            body: finish_body(body, &self.options),
        })
    }

    fn response(&self, model: &ModelInfo, reply: &WireReply) -> Result<ChatResponse, LlmError> {
        let body = match open(model, reply)? {
            Opened::Body(body) => body,
            Opened::Blocked(response) => return Ok(*response),
        };
        let blocks = body["content"].as_array().map_or(&[][..], Vec::as_slice);
        if !body["content"].is_array() && json::text(&body, "stop_reason").is_none() {
            return Err(super::reply::bad_reply(
                model,
                reply,
                "not a message: it has neither content nor stop_reason",
            ));
        }
        let named = json::text(&body, "model");
        let answered_by = answering_model(model, named, self.options.allow_other_model)?;
        // The only tool ever sent is the one that stands for the schema: its input is the answer.
        let tool = blocks
            .iter()
            .find(|block| block["type"] == "tool_use")
            .map(|block| block["input"].to_string());
        let emitted = tool.is_some();
        let text = tool.unwrap_or_else(|| {
            blocks
                .iter()
                .filter(|block| block["type"] == "text")
                .filter_map(|block| block["text"].as_str())
                .collect()
        });
        Ok(ChatResponse {
            text,
            finish: finish(&body, emitted),
            usage: usage::anthropic(&body["usage"]),
            model: answered_by,
            request_id: request_id(model, reply, Some(&body)),
            cost_usd: super::header_cost(reply),
            raw: reply.body.clone(),
        })
    }
}

fn finish(body: &Value, emitted: bool) -> FinishReason {
    match json::text(body, "stop_reason") {
        Some("end_turn" | "stop_sequence") => FinishReason::Stop,
        Some("tool_use") if emitted => FinishReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("refusal") => FinishReason::Blocked {
            category: json::text(&body["stop_details"], "category")
                .unwrap_or("refusal")
                .to_owned(),
        },
        other => FinishReason::Other {
            reason: other.unwrap_or("no stop_reason").to_owned(),
        },
    }
}

/// Whether the call may think, so that its limit must hold more than the answer.
fn thinks(model: &ModelInfo, wanted: Option<Effort>) -> bool {
    match (&model.effort, wanted) {
        (EffortControl::AnthropicAdaptive { off, .. }, None) => *off != AdaptiveOff::Omit,
        (control, Some(effort)) => effort != Effort::None && control.reasons(),
        (_, None) => false,
    }
}

/// Writes `thinking` and `output_config.effort`; true when thinking has a budget, which forbids other
/// parameters.
fn put_effort(
    model: &ModelInfo,
    request: &ChatRequest,
    limit: u32,
    body: &mut Map<String, Value>,
) -> Result<bool, LlmError> {
    let Some(wanted) = request.effort else {
        return Ok(false);
    };
    let mut thinking = |value: Value| body.insert("thinking".to_owned(), value);
    match &model.effort {
        EffortControl::AnthropicBudget { min, max } => {
            if wanted == Effort::None {
                return Ok(false);
            }
            let tokens = effort::budget(model, wanted, Some(limit), *min, *max)?;
            thinking(json!({"type": "enabled", "budget_tokens": tokens}));
            return Ok(true);
        }
        EffortControl::AnthropicAdaptive { levels, off } => {
            if wanted == Effort::None {
                match off {
                    AdaptiveOff::Omit => {}
                    AdaptiveOff::Disabled => {
                        thinking(json!({"type": "disabled"}));
                    }
                    AdaptiveOff::BetweenTools => {
                        thinking(json!({"type": "between_tools"}));
                    }
                    AdaptiveOff::Never => {
                        return Err(refused(model, "effort = \"none\"", "it always thinks"));
                    }
                }
                return Ok(false);
            }
            let level = effort::level(model, wanted, levels)?;
            if *off != AdaptiveOff::Never {
                thinking(json!({"type": "adaptive"}));
            }
            body.insert(
                "output_config".to_owned(),
                json!({"effort": level.as_str()}),
            );
        }
        EffortControl::Fixed { reasons } if *reasons == (wanted != Effort::None) => {}
        EffortControl::Fixed { reasons } => {
            let rule = if *reasons {
                "it always thinks"
            } else {
                "it does not think"
            };
            let parameter = format!("effort = {:?}", wanted.as_str());
            return Err(refused(model, &parameter, rule));
        }
        _ => {
            return Err(refused(
                model,
                "effort",
                "its catalog entry has an effort control of another provider",
            ));
        }
    }
    Ok(false)
}

fn check_sampling_with_budget(model: &ModelInfo, request: &ChatRequest) -> Result<(), LlmError> {
    if request
        .temperature
        .is_some_and(|value| (value - 1.0).abs() > f64::EPSILON)
    {
        return Err(refused(
            model,
            "temperature with effort",
            "while it thinks, temperature is 1",
        ));
    }
    if request.top_p.is_some_and(|value| value < 0.95) {
        return Err(refused(
            model,
            "top_p with effort",
            "while it thinks, top_p is 0.95 to 1",
        ));
    }
    Ok(())
}

fn put_schema(
    model: &ModelInfo,
    request: &ChatRequest,
    budget: bool,
    body: &mut Map<String, Value>,
) {
    let Some(wanted) = &request.schema else {
        return;
    };
    let Some(schema) = clean(&wanted.schema, SchemaRules::Anthropic) else {
        return;
    };
    match model.structured_output {
        StructuredOutput::JsonSchema => {
            let format = json!({"type": "json_schema", "schema": schema});
            match body.get_mut("output_config") {
                Some(Value::Object(config)) => {
                    config.insert("format".to_owned(), format);
                }
                _ => {
                    body.insert("output_config".to_owned(), json!({"format": format}));
                }
            }
        }
        // A forced tool and thinking exclude each other.
        StructuredOutput::Tool if !budget => {
            let tool = json!({
                "name": wanted.name,
                "description": "Gives the answer in the form asked for.",
                "input_schema": schema,
            });
            body.insert("tools".to_owned(), json!([tool]));
            body.insert(
                "tool_choice".to_owned(),
                json!({"type": "tool", "name": wanted.name}),
            );
        }
        _ => {}
    }
}

/// Which shared texts get a cache mark: the longest ones, the earlier of two equal ones.
struct CacheMarks {
    digests: Vec<[u8; 32]>,
    mark: Value,
}

impl CacheMarks {
    fn choose(request: &ChatRequest, ttl: CacheTtl) -> Self {
        let mut shared: Vec<_> = request
            .messages
            .iter()
            .flat_map(|message| &message.parts)
            .chain(&request.system)
            .filter_map(|part| match part {
                Part::Shared(text) => Some(text),
                Part::Text(_) => None,
            })
            .collect();
        // A text that occurs twice would take two marks; it keeps none of its repeats (see `content`).
        let count = |digest: [u8; 32]| shared.iter().filter(|text| text.digest() == digest).count();
        let repeated: Vec<_> = shared
            .iter()
            .map(|text| text.digest())
            .filter(|digest| count(*digest) > 1)
            .collect();
        shared
            .retain(|text| !repeated.contains(&text.digest()) && !text.as_str().trim().is_empty());
        shared.sort_by_key(|text| std::cmp::Reverse(text.as_str().len()));
        Self {
            digests: shared
                .iter()
                .take(MAX_CACHE_MARKS)
                .map(|text| text.digest())
                .collect(),
            mark: match ttl {
                CacheTtl::FiveMinutes => json!({"type": "ephemeral"}),
                CacheTtl::OneHour => json!({"type": "ephemeral", "ttl": "1h"}),
            },
        }
    }
}

/// A string, or blocks when there is something to cache. White space alone is no block (the API refuses
/// it): it goes with its neighbour.
fn content(parts: &[Part], marks: &CacheMarks) -> Value {
    let marked = |part: &Part| match part {
        Part::Shared(text) => marks.digests.contains(&text.digest()),
        Part::Text(_) => false,
    };
    if !parts.iter().any(marked) {
        return joined(parts).into();
    }
    let mut blocks: Vec<(String, bool)> = Vec::new();
    for part in parts {
        let is_marked = marked(part);
        match blocks.last_mut() {
            // Text goes on in an open block; blank text even in a cached one.
            Some((text, cached)) if (!*cached && !is_marked) || part.as_str().trim().is_empty() => {
                text.push_str(part.as_str());
            }
            Some((text, cached)) if !*cached && text.trim().is_empty() => {
                text.push_str(part.as_str());
                *cached = is_marked;
            }
            _ => blocks.push((part.as_str().to_owned(), is_marked)),
        }
    }
    blocks
        .into_iter()
        .map(|(text, cached)| {
            if cached {
                json!({"type": "text", "text": text, "cache_control": marks.mark})
            } else {
                json!({"type": "text", "text": text})
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "anthropic_tests.rs"]
mod tests;
