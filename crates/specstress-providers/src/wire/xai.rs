//! xAI: Chat Completions with its own way of counting and its own cost.

use std::sync::Arc;

use specstress_llm::{ChatRequest, ChatResponse, LlmError};

use crate::catalog::ModelInfo;
use crate::usage;
use crate::wire::openai_chat::{Reading, chat_request, chat_response};
use crate::wire::options::WireOptions;
use crate::wire::{ChatWire, WireReply, WireRequest};

const USD_PER_TICK: f64 = 1e-10;

#[derive(Debug)]
pub(super) struct Xai {
    pub options: Arc<WireOptions>,
}

impl ChatWire for Xai {
    fn request(&self, model: &ModelInfo, request: &ChatRequest) -> Result<WireRequest, LlmError> {
        chat_request(model, request, &self.options)
    }

    fn response(&self, model: &ModelInfo, reply: &WireReply) -> Result<ChatResponse, LlmError> {
        let reading = Reading {
            usage: |usage| usage::openai_chat(usage, false),
            cost: |usage| {
                usage["cost_in_usd_ticks"]
                    .as_f64()
                    .map(|ticks| ticks * USD_PER_TICK)
            },
        };
        chat_response(model, reply, &self.options, &reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, ProviderKind};
    use crate::wire::test_support::{chat, reply};
    use serde_json::json;
    use specstress_llm::{Effort, FinishReason, LlmErrorKind};

    fn grok(name: &str) -> ModelInfo {
        Catalog::builtin().resolve(ProviderKind::Xai, "xai", name)
    }

    #[test]
    fn counts_reasoning_beside_the_answer_and_takes_the_cost_of_record() {
        let body = json!({"id":"1","model":"grok-4.3","choices":[{"index":0,"finish_reason":"stop",
            "message":{"role":"assistant","content":"four","reasoning_content":"2+2"}}],
            "usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":42,
                "completion_tokens_details":{"reasoning_tokens":30},"cost_in_usd_ticks":123_000_000}});
        let wire = chat(ProviderKind::Xai);
        let answer = wire
            .response(&grok("grok-4.3"), &reply(200, &body.to_string()))
            .unwrap();
        assert_eq!(answer.text, "four");
        assert_eq!((answer.usage.output, answer.usage.reasoning), (2, 30));
        assert!((answer.cost_usd.unwrap() - 0.0123).abs() < 1e-12);
    }

    #[test]
    fn requests_follow_the_rules_of_each_grok() {
        let wire = chat(ProviderKind::Xai);
        let ask = |name: &str, request: ChatRequest| wire.request(&grok(name), &request);
        let body = ask(
            "grok-4.3",
            ChatRequest::user("q")
                .with_max_tokens(9)
                .with_effort(Effort::None)
                .with_seed(5),
        )
        .unwrap()
        .body;
        assert_eq!(
            body,
            json!({"model":"grok-4.3","messages":[{"role":"user","content":"q"}],
                "max_tokens":9,"reasoning_effort":"none","seed":5})
        );
        let high = ChatRequest::user("q").with_effort(Effort::Xhigh);
        let level = |name| ask(name, high.clone()).unwrap().body["reasoning_effort"].clone();
        assert_eq!(level("grok-4.5"), "high");
        assert_eq!(level("grok-4.7"), "xhigh");
        // Always reasons, and refuses to be told how hard.
        assert!(
            ask("grok-4-0709", high.clone())
                .unwrap()
                .body
                .get("reasoning_effort")
                .is_none()
        );
        let off = ask(
            "grok-4-0709",
            ChatRequest::user("q").with_effort(Effort::None),
        );
        assert!(off.unwrap_err().to_string().contains("always reasons"));
        let stop = ask("grok-4.7", ChatRequest::user("q").with_stop("x"));
        assert!(stop.unwrap_err().to_string().contains("stop"));
    }

    #[test]
    fn flat_errors_and_declined_content_are_told_apart() {
        let wire = chat(ProviderKind::Xai);
        let read = |status, body: &str| wire.response(&grok("grok-4.3"), &reply(status, body));
        let flat = read(
            400,
            r#"{"code":"Client specified an invalid argument","error":"bad field"}"#,
        )
        .unwrap_err();
        assert_eq!(flat.kind(), LlmErrorKind::BadRequest);
        assert!(
            flat.to_string().contains("bad field (Client specified"),
            "{flat}"
        );
        let denied = read(
            403,
            r#"{"code":"permission-denied","error":"Access to the chat endpoint is denied"}"#,
        );
        assert_eq!(denied.unwrap_err().kind(), LlmErrorKind::Unauthorized);
        let declined = read(
            403,
            r#"{"code":"permission-denied","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}"#,
        )
        .unwrap();
        assert_eq!(
            declined.finish,
            FinishReason::Blocked {
                category: "SAFETY_CHECK_TYPE_BIO".to_owned()
            }
        );
        assert!(declined.raw.contains("permission-denied") && declined.text.is_empty());
        let plain = read(
            403,
            r#"{"code":"x","error":"Content violates usage guidelines. "}"#,
        )
        .unwrap();
        assert_eq!(
            plain.finish,
            FinishReason::Blocked {
                category: "usage_guidelines".to_owned()
            }
        );
    }
}
