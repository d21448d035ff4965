use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use specstress_llm::LlmErrorKind;

use super::test_support::{KINDS, chat, embedder_with, known, reply, unknown};
use super::*;

fn fail(kind: ProviderKind, status: u16, body: &str) -> LlmError {
    chat(kind)
        .response(&unknown(kind), &reply(status, body))
        .unwrap_err()
}

/// Models write properties in the order of the schema, and a decision before its reasons is a guess.
#[test]
fn schemas_keep_the_order_of_their_properties() {
    let text = json!({"type": "string"});
    let schema = specstress_llm::ResponseSchema {
        name: "verdict".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {"reasoning": text, "citations": text, "decision": text},
            "required": ["reasoning", "citations", "decision"],
            "additionalProperties": false,
        }),
    };
    let request = specstress_llm::ChatRequest::user("q").with_schema(schema);
    for (kind, id) in [
        (ProviderKind::Anthropic, "anthropic/claude-opus-5-5"),
        (ProviderKind::OpenAi, "openai/gpt-4o"),
        (ProviderKind::Gemini, "gemini/gemini-3.8-flash"),
        (ProviderKind::Xai, "xai/grok-4.7"),
    ] {
        let body = chat(kind)
            .request(&known(id), &request)
            .unwrap()
            .body
            .to_string();
        let at = |key: &str| {
            body.find(&format!("\"{key}\":{{\"type\""))
                .unwrap_or_else(|| panic!("{key} in {body}"))
        };
        assert!(
            at("reasoning") < at("citations") && at("citations") < at("decision"),
            "{body}"
        );
    }
}

#[test]
fn openai_shaped_errors_have_their_class() {
    let body = |fields: Value| json!({"error": fields}).to_string();
    for (status, fields, expected) in [
        (
            400,
            json!({"message": "m", "type": "invalid_request_error", "code": "unsupported_parameter"}),
            LlmErrorKind::BadRequest,
        ),
        (
            400,
            json!({"message": "m", "code": "context_length_exceeded"}),
            LlmErrorKind::BadRequest,
        ),
        (
            401,
            json!({"message": "m", "code": "invalid_api_key"}),
            LlmErrorKind::Unauthorized,
        ),
        (403, json!({"message": "m"}), LlmErrorKind::Unauthorized),
        (
            404,
            json!({"message": "m", "code": "model_not_found"}),
            LlmErrorKind::UnknownModel,
        ),
        (
            400,
            json!({"message": "m", "code": "model_not_found"}),
            LlmErrorKind::UnknownModel,
        ),
        (408, json!({"message": "m"}), LlmErrorKind::Unavailable),
        (422, json!({"message": "m"}), LlmErrorKind::BadRequest),
        (
            429,
            json!({"message": "m", "code": "rate_limit_exceeded"}),
            LlmErrorKind::RateLimited,
        ),
        (
            429,
            json!({"message": "m", "type": "insufficient_quota"}),
            LlmErrorKind::QuotaExhausted,
        ),
        // LiteLLM: codes are strings, and only the text tells the two kinds of 429 apart.
        (
            429,
            json!({"message": "too many", "type": "throttling_error", "code": "429"}),
            LlmErrorKind::RateLimited,
        ),
        (
            429,
            json!({"message": "Error code: insufficient_quota", "type": "throttling_error", "code": "429"}),
            LlmErrorKind::QuotaExhausted,
        ),
        // llama.cpp: codes are numbers, and a text that is too long may be a 500.
        (
            400,
            json!({"code": 400, "message": "m", "type": "exceed_context_size_error"}),
            LlmErrorKind::BadRequest,
        ),
        (
            500,
            json!({"code": 500, "message": "m", "type": "exceed_context_size_error"}),
            LlmErrorKind::BadRequest,
        ),
        (500, json!({"message": "m"}), LlmErrorKind::Unavailable),
        (503, json!({"message": "m"}), LlmErrorKind::Unavailable),
        (529, json!({"message": "m"}), LlmErrorKind::Unavailable),
        // OpenRouter: an error with HTTP 200.
        (
            200,
            json!({"message": "m", "code": 502}),
            LlmErrorKind::Unavailable,
        ),
        (
            200,
            json!({"message": "m", "code": "429"}),
            LlmErrorKind::RateLimited,
        ),
        (
            200,
            json!({"message": "m", "code": "server_error"}),
            LlmErrorKind::Unavailable,
        ),
        (
            200,
            json!({"message": "m", "type": "invalid_request_error"}),
            LlmErrorKind::BadRequest,
        ),
        (200, json!({"message": "m"}), LlmErrorKind::BadReply),
        (200, json!("just text"), LlmErrorKind::BadReply),
    ] {
        let text = body(fields);
        let error = fail(ProviderKind::Compatible, status, &text);
        assert_eq!(error.kind(), expected, "{status} {text}: {error}");
    }
    assert_eq!(
        fail(ProviderKind::Compatible, 404, r#"{"detail":"Not Found"}"#).kind(),
        LlmErrorKind::UnknownModel
    );
}

#[test]
fn declined_content_is_an_outcome_whatever_its_status() {
    for code in [
        "content_policy_violation",
        "invalid_prompt",
        "content_filter",
    ] {
        let body = json!({"error": {"message": "no", "code": code}}).to_string();
        let answer = chat(ProviderKind::OpenAi)
            .response(&unknown(ProviderKind::OpenAi), &reply(400, &body))
            .unwrap();
        let category = code.to_owned();
        assert_eq!(
            answer.finish,
            specstress_llm::FinishReason::Blocked { category }
        );
        assert_eq!(answer.raw, body);
        // A rate limit with such a code is still a rate limit.
        assert_eq!(
            fail(ProviderKind::OpenAi, 429, &body).kind(),
            LlmErrorKind::RateLimited
        );
    }
}

#[test]
fn bodies_that_are_no_json_go_by_the_status() {
    let page = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    for kind in KINDS {
        for (status, body, expected) in [
            (502, page, LlmErrorKind::Unavailable),
            (200, page, LlmErrorKind::BadReply),
            (429, page, LlmErrorKind::RateLimited),
            (404, page, LlmErrorKind::UnknownModel),
            (503, "", LlmErrorKind::Unavailable),
            (301, "moved", LlmErrorKind::BadRequest),
            (200, "", LlmErrorKind::BadReply),
            (200, "{\"choices\": [", LlmErrorKind::BadReply),
            (200, "[1]", LlmErrorKind::BadReply),
            (200, "{}", LlmErrorKind::BadReply),
        ] {
            let error = fail(kind, status, body);
            assert_eq!(error.kind(), expected, "{kind} {status} {body}");
            assert_eq!(error.status(), Some(status));
        }
    }
    assert!(
        fail(ProviderKind::OpenAi, 502, page)
            .to_string()
            .contains("HTML page")
    );
}

#[test]
fn messages_hold_neither_keys_nor_queries() {
    let key = "sk-planted-0123456789abcdef";
    for (status, body) in [
        (
            401,
            json!({"error": {"message": format!("Incorrect API key provided: {key}.")}})
                .to_string(),
        ),
        (400, json!({"error": format!("bad key {key}")}).to_string()),
        (500, format!("failed at https://h/v1?key={key} with {key}")),
        (200, format!("Authorization: Bearer {key}")),
    ] {
        for kind in KINDS {
            let error = fail(kind, status, &body);
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("planted") && !shown.contains("?key"),
                "{shown}"
            );
        }
    }
}

#[test]
fn requests_hold_no_key_and_debug_shows_no_shared_text() {
    for kind in KINDS {
        let request = ChatRequest::user("hi");
        let sent = chat(kind).request(&unknown(kind), &request).unwrap();
        for (name, _) in &sent.headers {
            assert!(name.starts_with("anthropic-"), "{name}");
        }
        assert!(!format!("{:?}", chat(kind)).is_empty());
    }
}

#[test]
fn retry_info_is_read_and_nothing_else() {
    let body = |kind: &str, delay: Value| {
        json!({"error": {"details": [{"@type": "x"}, {"@type": kind, "retryDelay": delay}]}})
            .to_string()
    };
    let info = "type.googleapis.com/google.rpc.RetryInfo";
    assert_eq!(
        body_retry_after(&body(info, json!("37s"))),
        Some(Duration::from_secs(37))
    );
    assert_eq!(
        body_retry_after(&format!("[{}]", body(info, json!("0.25s")))),
        Some(Duration::from_millis(250))
    );
    for bad in [
        json!("37"),
        json!("-1s"),
        json!("NaNs"),
        json!("infs"),
        json!(37),
        json!(null),
    ] {
        assert_eq!(body_retry_after(&body(info, bad.clone())), None, "{bad}");
    }
    assert_eq!(body_retry_after(&body("QuotaFailure", json!("37s"))), None);
    assert_eq!(body_retry_after("RetryInfo, but no JSON"), None);
}

#[test]
fn only_some_kinds_embed() {
    for kind in KINDS {
        let embeds = embedding_wire(kind, WireOptions::default()).is_some();
        let expected = !matches!(kind, ProviderKind::Anthropic | ProviderKind::Xai);
        assert_eq!(embeds, expected, "{kind}");
    }
}

/// JSON that often has the fields the parsers look for, with values of any type.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_A-Z0-9 ?.-]{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "text",
            "message",
            "stop",
            "STOP",
            "refusal",
            "tool_use",
            "completed",
            "m",
            "error",
            "37s",
            "output_text",
            "type.googleapis.com/google.rpc.RetryInfo",
            "incomplete",
        ])
        .prop_map(Value::from),
    ];
    let field = prop::sample::select(vec![
        "choices",
        "message",
        "content",
        "error",
        "candidates",
        "parts",
        "text",
        "usage",
        "model",
        "finish_reason",
        "stop_reason",
        "finishReason",
        "promptFeedback",
        "blockReason",
        "type",
        "code",
        "details",
        "violations",
        "quotaId",
        "output",
        "status",
        "data",
        "embedding",
        "embeddings",
        "values",
        "index",
        "usageMetadata",
        "prompt_tokens",
        "completion_tokens",
        "completion_tokens_details",
        "reasoning_tokens",
        "prompt_tokens_details",
        "cached_tokens",
        "total_tokens",
        "refusal",
        "cost_in_usd_ticks",
        "promptTokenCount",
        "@type",
        "retryDelay",
        "stop_details",
        "input",
        "thought",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field.clone(), inner), 0..6).prop_map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    })
}

fn read_everything(status: u16, body: &str) {
    let reply = reply(status, body);
    for kind in KINDS {
        if let Ok(answer) = chat(kind).response(&unknown(kind), &reply) {
            assert_eq!(answer.raw, body);
            assert!(
                answer
                    .cost_usd
                    .is_none_or(|cost| cost.is_finite() && cost >= 0.0)
            );
        }
        let mut pro = unknown(kind);
        pro.api = crate::catalog::ChatApi::Responses;
        let _ = chat(kind).response(&pro, &reply);
    }
    for kind in [ProviderKind::OpenAi, ProviderKind::Gemini] {
        if let Ok(embedded) = embedder_with(kind, "{}").response(&unknown(kind), 1, &reply) {
            let vectors = embedded.vectors;
            assert_eq!(vectors.len(), 1);
            let norm: f32 = vectors[0].iter().map(|value| value * value).sum();
            assert!((norm - 1.0).abs() < 1e-3);
        }
    }
    let _ = body_retry_after(body);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_panics_a_parser(body in json_value(), status in prop::sample::select(vec![200_u16, 204, 301, 400, 403, 429, 500, 529])) {
        read_everything(status, &body.to_string());
    }

    #[test]
    fn no_text_panics_a_parser(body in any::<String>(), status in any::<u16>()) {
        read_everything(status, &body);
    }

    #[test]
    fn a_cleaned_schema_is_clean_and_stays_so(schema in json_value()) {
        use super::schema_clean::{SchemaRules, clean};
        for rules in [SchemaRules::OpenAi, SchemaRules::Gemini, SchemaRules::Anthropic] {
            if let Some(once) = clean(&schema, rules) {
                prop_assert_eq!(clean(&once, rules), Some(once));
            }
        }
    }
}
