//! `OpenAI` Responses, for the models that have no Chat Completions.

use serde_json::{Map, Value, json};
use specstress_llm::{ChatRequest, ChatResponse, FinishReason, LlmError, LlmErrorKind, Role};

use crate::catalog::{ModelInfo, StructuredOutput};
use crate::usage;
use crate::wire::openai_chat::{effort_is_none, effort_level, turns};
use crate::wire::options::WireOptions;
use crate::wire::params::{blank, check, joined, put_sampling, refused};
use crate::wire::reply::{Opened, answering_model, bad_reply, open, request_id};
use crate::wire::schema_clean::{SchemaRules, clean};
use crate::wire::{WireReply, WireRequest, finish_body, header_cost, json};

pub(super) fn request(
    model: &ModelInfo,
    request: &ChatRequest,
    options: &WireOptions,
) -> Result<WireRequest, LlmError> {
    check(model, request)?;
    for (parameter, set) in [
        ("seed", request.seed.is_some()),
        ("stop", !request.stop.is_empty()),
    ] {
        if set {
            return Err(refused(
                model,
                parameter,
                "the Responses API has no such field",
            ));
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), model.name.clone().into());
    if !blank(&request.system) {
        body.insert("instructions".to_owned(), joined(&request.system).into());
    }
    let input = match request.messages.as_slice() {
        [only] if only.role == Role::User => joined(&only.parts).into(),
        messages => turns(messages).collect(),
    };
    body.insert("input".to_owned(), input);
    // Stored by the provider unless told otherwise.
    body.insert("store".to_owned(), false.into());
    if let Some(limit) = request.max_tokens {
        body.insert("max_output_tokens".to_owned(), limit.into());
    }
    let sent = effort_level(model, request.effort, options)?;
    if let Some(level) = sent {
        body.insert("reasoning".to_owned(), json!({"effort": level.as_str()}));
    }
    put_sampling(
        model,
        request,
        effort_is_none(model, sent),
        "top_p",
        &mut body,
    )?;
    if let Some(wanted) = &request.schema
        && model.structured_output == StructuredOutput::JsonSchema
        && let Some(schema) = clean(&wanted.schema, SchemaRules::OpenAi)
    {
        let format =
            json!({"type": "json_schema", "name": wanted.name, "strict": true, "schema": schema});
        body.insert("text".to_owned(), json!({"format": format}));
    }
    Ok(WireRequest {
        path: "/responses".to_owned(),
        headers: Vec::new(),
        body: finish_body(body, options),
    })
}

pub(super) fn response(
    model: &ModelInfo,
    reply: &WireReply,
    options: &WireOptions,
) -> Result<ChatResponse, LlmError> {
    let body = match open(model, reply)? {
        Opened::Body(body) => body,
        Opened::Blocked(response) => return Ok(*response),
    };
    if !body["output"].is_array() && json::text(&body, "status").is_none() {
        return Err(bad_reply(
            model,
            reply,
            "not a response: it has neither output nor status",
        ));
    }
    match json::text(&body, "status") {
        Some(status @ ("failed" | "cancelled")) => {
            let error = LlmError::new(
                LlmErrorKind::Unavailable,
                format!("{}: the response {status} without a reason", model.id()),
            );
            return Err(error.with_status(reply.status));
        }
        Some("queued" | "in_progress") => {
            return Err(bad_reply(model, reply, "a response that is not finished"));
        }
        _ => {}
    }
    let named = json::text(&body, "model");
    let answered_by = answering_model(model, named, options.allow_other_model)?;
    let contents = body["output"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["type"] == "message")
        .flat_map(|item| item["content"].as_array().into_iter().flatten());
    let (mut text, mut refusal) = (String::new(), None);
    for content in contents {
        if let Some(said) = json::text(content, "refusal") {
            refusal = Some(said);
        } else if content["type"] == "output_text" {
            text.push_str(content["text"].as_str().unwrap_or_default());
        }
    }
    let finish = match refusal {
        Some(_) => FinishReason::Blocked {
            category: "refusal".to_owned(),
        },
        None => finish(&body),
    };
    if let Some(said) = refusal
        && text.is_empty()
    {
        said.clone_into(&mut text);
    }
    Ok(ChatResponse {
        text,
        finish,
        usage: usage::openai_responses(&body["usage"]),
        model: answered_by,
        request_id: request_id(model, reply, Some(&body)),
        cost_usd: header_cost(reply),
        raw: reply.body.clone(),
    })
}

fn finish(body: &Value) -> FinishReason {
    let why = json::text(&body["incomplete_details"], "reason");
    match (json::text(body, "status"), why) {
        (Some("completed"), _) => FinishReason::Stop,
        // An unfinished answer is not scored as one, also when nothing says what ended it.
        (Some("incomplete"), Some("max_output_tokens") | None) => FinishReason::Length,
        (Some("incomplete"), Some("content_filter")) => FinishReason::Blocked {
            category: "content_filter".to_owned(),
        },
        (status, why) => FinishReason::Other {
            reason: why.or(status).unwrap_or("no status").to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, ChatApi, ProviderKind};
    use crate::wire::test_support::{chat, reply, schema};
    use specstress_llm::Effort;

    fn pro() -> ModelInfo {
        let model = Catalog::builtin().resolve(ProviderKind::OpenAi, "openai", "gpt-6-pro");
        assert_eq!(model.api, ChatApi::Responses);
        model
    }

    #[test]
    fn writes_the_flat_format_and_never_stores() {
        let wire = chat(ProviderKind::OpenAi);
        let request = ChatRequest::user("q")
            .with_system("s")
            .with_max_tokens(50)
            .with_effort(Effort::High)
            .with_schema(schema());
        let sent = wire.request(&pro(), &request).unwrap();
        assert_eq!(sent.path, "/responses");
        assert_eq!(
            sent.body,
            json!({"model":"gpt-6-pro","instructions":"s","input":"q","store":false,
                "max_output_tokens":50,"reasoning":{"effort":"high"},
                "text":{"format":{"type":"json_schema","name":"rating","strict":true,"schema":{
                    "type":"object","properties":{"score":{"type":"integer"}},
                    "required":["score"],"additionalProperties":false}}}})
        );
        let long = ChatRequest::user("a").with_assistant("b").with_user("c");
        let input = &wire.request(&pro(), &long).unwrap().body["input"];
        assert_eq!(input[1], json!({"role":"assistant","content":"b"}));
        for bad in [
            ChatRequest::user("q").with_seed(1),
            ChatRequest::user("q").with_stop("x"),
        ] {
            let error = wire.request(&pro(), &bad).unwrap_err();
            assert_eq!(error.kind(), LlmErrorKind::BadRequest);
        }
    }

    #[test]
    fn reads_every_ending() {
        let wire = chat(ProviderKind::OpenAi);
        let blocked = |category: &str| FinishReason::Blocked {
            category: category.to_owned(),
        };
        let message = |content: Value| json!([{"type":"reasoning","summary":[]},{"type":"message","content":[content]}]);
        let text = message(json!({"type":"output_text","text":"hi"}));
        let refused = message(json!({"type":"refusal","refusal":"I cannot"}));
        for (body, finish, said) in [
            (
                json!({"status":"completed","error":null,"output":text}),
                FinishReason::Stop,
                "hi",
            ),
            (
                json!({"status":"completed","output":refused}),
                blocked("refusal"),
                "I cannot",
            ),
            (
                json!({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}),
                FinishReason::Length,
                "",
            ),
            (
                json!({"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":text}),
                blocked("content_filter"),
                "hi",
            ),
            (
                json!({"status":"paused","output":text}),
                FinishReason::Other {
                    reason: "paused".to_owned(),
                },
                "hi",
            ),
        ] {
            let answer = wire
                .response(&pro(), &reply(200, &body.to_string()))
                .unwrap();
            assert_eq!(
                (answer.finish, answer.text.as_str()),
                (finish, said),
                "{body}"
            );
        }
        let failed =
            json!({"status":"failed","error":{"code":"server_error","message":"oops"},"output":[]});
        let error = wire
            .response(&pro(), &reply(200, &failed.to_string()))
            .unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::Unavailable);
        // Text of a response that failed is no answer.
        for (status, kind) in [
            ("failed", LlmErrorKind::Unavailable),
            ("cancelled", LlmErrorKind::Unavailable),
            ("queued", LlmErrorKind::BadReply),
            ("in_progress", LlmErrorKind::BadReply),
        ] {
            let body = json!({"status": status, "error": null, "output": text});
            let error = wire
                .response(&pro(), &reply(200, &body.to_string()))
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{status}");
        }
    }
}
