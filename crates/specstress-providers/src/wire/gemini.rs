//! Gemini `generateContent`, Developer API.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use specstress_llm::{ChatRequest, ChatResponse, Effort, FinishReason, LlmError, Message, Role};

use crate::catalog::{EffortControl, ModelInfo, StructuredOutput};
use crate::percent;
use crate::usage;
use crate::wire::options::WireOptions;
use crate::wire::params::{blank, check, joined, put_sampling, refused, wire_seed};
use crate::wire::reply::{Opened, answering_model, bad_reply, open, request_id};
use crate::wire::schema_clean::{SchemaRules, clean};
use crate::wire::{ChatWire, WireReply, WireRequest, effort, finish_body, header_cost, json};

#[derive(Debug)]
pub(super) struct Gemini {
    pub options: Arc<WireOptions>,
}

impl ChatWire for Gemini {
    fn request(&self, model: &ModelInfo, request: &ChatRequest) -> Result<WireRequest, LlmError> {
        check(model, request)?;
        let mut body = Map::new();
        if !blank(&request.system) {
            body.insert(
                "systemInstruction".to_owned(),
                json!({"parts": [{"text": joined(&request.system)}]}),
            );
        }
        let contents: Vec<Value> = request
            .messages
            .iter()
            .map(|Message { role, parts }| {
                let role = match role {
                    Role::User => "user",
                    Role::Assistant => "model",
                };
                json!({"role": role, "parts": [{"text": joined(parts)}]})
            })
            .collect();
        body.insert("contents".to_owned(), contents.into());

        let mut config = Map::new();
        if let Some(limit) = request.max_tokens {
            config.insert("maxOutputTokens".to_owned(), limit.into());
        }
        let thinking = thinking(model, request)?;
        let off = thinking.as_ref().map_or(!model.effort.reasons(), |config| {
            config["thinkingBudget"] == 0
        });
        put_sampling(model, request, off, "topP", &mut config)?;
        if let Some(seed) = wire_seed(model, request.seed, model.seed)? {
            config.insert("seed".to_owned(), seed.into());
        }
        if !request.stop.is_empty() {
            config.insert("stopSequences".to_owned(), json!(request.stop));
        }
        if let Some(thinking) = thinking {
            config.insert("thinkingConfig".to_owned(), thinking);
        }
        if let Some(wanted) = &request.schema {
            put_schema(model, &wanted.schema, &mut config);
        }
        if !config.is_empty() {
            body.insert("generationConfig".to_owned(), config.into());
        }
        if !self.options.gemini_safety.is_empty() {
            let settings: Vec<Value> = self
                .options
                .gemini_safety
                .iter()
                .map(|(category, threshold)| json!({"category": category, "threshold": threshold}))
                .collect();
            body.insert("safetySettings".to_owned(), settings.into());
        }
        Ok(WireRequest {
            path: model_path(model, "generateContent"),
            headers: Vec::new(),
            body: finish_body(body, &self.options),
        })
    }

    fn response(&self, model: &ModelInfo, reply: &WireReply) -> Result<ChatResponse, LlmError> {
        let body = match open(model, reply)? {
            Opened::Body(body) => body,
            Opened::Blocked(response) => return Ok(*response),
        };
        let candidate = body["candidates"]
            .get(0)
            .filter(|candidate| candidate.is_object());
        let block = json::text(&body["promptFeedback"], "blockReason");
        let finish = match (candidate, block) {
            (Some(candidate), _) => finish(candidate),
            (None, Some(reason)) => FinishReason::Blocked {
                category: reason.to_owned(),
            },
            (None, None) => {
                return Err(bad_reply(
                    model,
                    reply,
                    "neither a candidate nor the reason why there is none",
                ));
            }
        };
        let named = json::text(&body, "modelVersion");
        let answered_by = answering_model(model, named, self.options.allow_other_model)?;
        let text = candidate
            .and_then(|candidate| candidate["content"]["parts"].as_array())
            .into_iter()
            .flatten()
            .filter(|part| part["thought"] != true)
            .filter_map(|part| part["text"].as_str())
            .collect();
        Ok(ChatResponse {
            text,
            finish,
            usage: usage::gemini(&body["usageMetadata"]),
            model: answered_by,
            request_id: request_id(model, reply, Some(&body)),
            cost_usd: header_cost(reply),
            raw: reply.body.clone(),
        })
    }
}

/// `/models/NAME:METHOD`, with the name fit for a path.
pub(crate) fn model_path(model: &ModelInfo, method: &str) -> String {
    let name = model.name.strip_prefix("models/").unwrap_or(&model.name);
    format!("/models/{}:{method}", percent::encode(name, b""))
}

fn thinking(model: &ModelInfo, request: &ChatRequest) -> Result<Option<Value>, LlmError> {
    let Some(wanted) = request.effort else {
        return Ok(None);
    };
    let parameter = format!("effort = {:?}", wanted.as_str());
    match &model.effort {
        EffortControl::GeminiBudget {
            min,
            max,
            can_be_off,
        } => match (wanted, can_be_off) {
            (Effort::None, true) => Ok(Some(json!({"thinkingBudget": 0}))),
            (Effort::None, false) => Err(refused(model, &parameter, "it always thinks")),
            _ => {
                let tokens = effort::budget(model, wanted, request.max_tokens, *min, *max)?;
                Ok(Some(json!({"thinkingBudget": tokens})))
            }
        },
        EffortControl::GeminiLevels { levels } => {
            let level = effort::level(model, wanted, levels)?;
            Ok(Some(
                json!({"thinkingLevel": level.as_str().to_ascii_uppercase()}),
            ))
        }
        EffortControl::Fixed { reasons } if *reasons == (wanted != Effort::None) => Ok(None),
        EffortControl::Fixed { reasons: true } => {
            Err(refused(model, &parameter, "it always thinks"))
        }
        EffortControl::Fixed { reasons: false } => {
            Err(refused(model, &parameter, "it does not think"))
        }
        _ => Err(refused(
            model,
            &parameter,
            "its catalog entry has an effort control of another provider",
        )),
    }
}

fn put_schema(model: &ModelInfo, schema: &Value, config: &mut Map<String, Value>) {
    let native = match model.structured_output {
        StructuredOutput::JsonSchema => clean(schema, SchemaRules::Gemini),
        StructuredOutput::JsonObject => None,
        StructuredOutput::Tool | StructuredOutput::None => return,
    };
    config.insert("responseMimeType".to_owned(), "application/json".into());
    if let Some(schema) = native {
        config.insert("responseJsonSchema".to_owned(), schema);
    }
}

fn finish(candidate: &Value) -> FinishReason {
    match json::text(candidate, "finishReason") {
        Some("STOP") => FinishReason::Stop,
        // An answer to be continued is half an answer.
        Some("MAX_TOKENS" | "CONTINUATION") => FinishReason::Length,
        Some(
            reason @ ("SAFETY"
            | "RECITATION"
            | "LANGUAGE"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "MODEL_ARMOR"
            | "PUP_LIMITED_DISABLED"),
        ) => FinishReason::Blocked {
            category: reason.to_owned(),
        },
        Some(reason) if reason.starts_with("IMAGE_") => FinishReason::Blocked {
            category: reason.to_owned(),
        },
        other => FinishReason::Other {
            reason: other.unwrap_or("no finishReason").to_owned(),
        },
    }
}

#[cfg(test)]
#[path = "gemini_tests.rs"]
mod tests;
