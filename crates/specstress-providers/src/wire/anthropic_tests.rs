use super::*;
use crate::catalog::ProviderKind;
use crate::wire::test_support::{chat, chat_with, known, reply, schema};
use specstress_llm::{LlmErrorKind, SharedText};

fn ask(name: &str, request: &ChatRequest) -> Result<Value, String> {
    chat(ProviderKind::Anthropic)
        .request(&known(&format!("anthropic/{name}")), request)
        .map(|request| request.body)
        .map_err(|error| error.to_string())
}

fn read(body: &Value) -> ChatResponse {
    chat(ProviderKind::Anthropic)
        .response(
            &known("anthropic/claude-opus-5-5"),
            &reply(200, &body.to_string()),
        )
        .unwrap()
}

fn user() -> ChatRequest {
    ChatRequest::user("q")
}

#[test]
fn a_plain_request_sends_what_is_required_and_no_more() {
    let sent = chat_with(ProviderKind::Anthropic, r#"{"anthropic_beta":["a","b"]}"#)
        .request(
            &known("anthropic/claude-haiku-4-5"),
            &user().with_system("s"),
        )
        .unwrap();
    assert_eq!(sent.path, "/messages");
    assert_eq!(
        sent.headers,
        [
            ("anthropic-version", "2023-06-01".to_owned()),
            ("anthropic-beta", "a,b".to_owned())
        ]
    );
    assert_eq!(
        sent.body,
        json!({"model": "claude-haiku-4-5", "max_tokens": 8192, "system": "s",
            "messages": [{"role": "user", "content": "q"}]})
    );
    let all = user()
        .with_max_tokens(5)
        .with_temperature(0.0)
        .with_stop("END")
        .with_assistant("a")
        .with_user("b");
    assert_eq!(
        ask("claude-haiku-4-5", &all).unwrap(),
        json!({"model": "claude-haiku-4-5", "max_tokens": 5, "temperature": 0.0, "stop_sequences": ["END"],
            "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},
                {"role": "user", "content": "b"}]})
    );
}

#[test]
fn the_default_limit_fits_the_model_and_its_thoughts() {
    let limit = |name, request: ChatRequest| ask(name, &request).unwrap()["max_tokens"].clone();
    assert_eq!(limit("claude-3-opus-20240229", user()), 4096);
    assert_eq!(limit("claude-opus-4-7", user()), 8192);
    assert_eq!(
        limit("claude-opus-4-7", user().with_effort(Effort::Low)),
        16384
    );
    assert_eq!(limit("claude-opus-5", user()), 16384);
    assert_eq!(
        limit("claude-opus-5", user().with_effort(Effort::None)),
        8192
    );
}

#[test]
fn effort_takes_the_form_of_each_generation() {
    for (name, effort, thinking, level) in [
        ("claude-haiku-4-5", Effort::None, None, None),
        (
            "claude-haiku-4-5",
            Effort::Medium,
            Some(json!({"type": "enabled", "budget_tokens": 8192})),
            None,
        ),
        (
            "claude-3-7-sonnet-20250219",
            Effort::Minimal,
            Some(json!({"type": "enabled", "budget_tokens": 1024})),
            None,
        ),
        (
            "claude-opus-4-6",
            Effort::Xhigh,
            Some(json!({"type": "adaptive"})),
            Some("high"),
        ),
        (
            "claude-opus-4-7",
            Effort::Xhigh,
            Some(json!({"type": "adaptive"})),
            Some("xhigh"),
        ),
        ("claude-opus-4-7", Effort::None, None, None),
        (
            "claude-opus-5",
            Effort::None,
            Some(json!({"type": "disabled"})),
            None,
        ),
        (
            "claude-sonnet-5-5",
            Effort::None,
            Some(json!({"type": "between_tools"})),
            None,
        ),
        (
            "claude-sonnet-5-5",
            Effort::Minimal,
            Some(json!({"type": "adaptive"})),
            Some("low"),
        ),
        ("claude-opus-5-5", Effort::Max, None, Some("max")),
        ("claude-fable-5-1", Effort::High, None, Some("high")),
        ("claude-3-opus-20240229", Effort::None, None, None),
    ] {
        let body = ask(name, &user().with_effort(effort)).unwrap();
        assert_eq!(body.get("thinking"), thinking.as_ref(), "{name} {effort:?}");
        assert_eq!(
            body["output_config"]["effort"].as_str(),
            level,
            "{name} {effort:?}"
        );
    }
    for (name, effort, says) in [
        ("claude-opus-5-5", Effort::None, "always thinks"),
        ("claude-3-opus-20240229", Effort::Low, "does not think"),
    ] {
        let error = ask(name, &user().with_effort(effort)).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    let tight = user().with_effort(Effort::High).with_max_tokens(1000);
    let error = ask("claude-haiku-4-5", &tight).unwrap_err();
    assert!(error.contains("max_tokens = 1000"), "{error}");
}

#[test]
fn what_a_model_refuses_is_an_error_before_it_is_sent() {
    for (name, request, says) in [
        (
            "claude-opus-4-7",
            user().with_temperature(0.0),
            "temperature",
        ),
        ("claude-opus-5-5", user().with_top_p(0.9), "top_p"),
        (
            "claude-haiku-4-5",
            user().with_temperature(1.0).with_top_p(0.9),
            "one of the two",
        ),
        ("claude-haiku-4-5", user().with_seed(1), "seed"),
        (
            "claude-haiku-4-5",
            user().with_temperature(0.5).with_effort(Effort::Low),
            "temperature is 1",
        ),
        (
            "claude-haiku-4-5",
            user().with_top_p(0.5).with_effort(Effort::Low),
            "0.95 to 1",
        ),
    ] {
        let error = ask(name, &request).unwrap_err();
        assert!(error.contains(says) && error.contains(name), "{error}");
    }
    let fine = user().with_temperature(1.0).with_effort(Effort::Low);
    assert!(ask("claude-haiku-4-5", &fine).is_ok());
}

#[test]
fn schemas_are_sent_natively_or_as_a_forced_tool_or_not_at_all() {
    let request = user().with_schema(schema());
    let form = json!({"type": "object", "properties": {"score": {"type": "integer"}},
        "required": ["score"], "additionalProperties": false});
    let native = ask("claude-opus-5-5", &request.clone().with_effort(Effort::Low)).unwrap();
    assert_eq!(
        native["output_config"],
        json!({"effort": "low", "format": {"type": "json_schema", "schema": form}})
    );
    assert!(native.get("tools").is_none());
    let plain = ask("claude-opus-4-5", &request).unwrap();
    assert_eq!(plain["output_config"]["format"]["schema"], form);
    let tool = ask("claude-opus-4-20250514", &request).unwrap();
    assert_eq!(tool["tools"][0]["input_schema"], form);
    assert_eq!(
        tool["tool_choice"],
        json!({"type": "tool", "name": "rating"})
    );
    assert!(tool.get("output_config").is_none());
    // Not together with thinking.
    let thinking = request.with_effort(Effort::Low);
    let body = ask("claude-opus-4-20250514", &thinking).unwrap();
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
}

#[test]
fn shared_text_is_marked_for_caching() {
    let spec = SharedText::new("the whole spec");
    let request = ChatRequest::user(spec.clone())
        .with_user_part("\n\n")
        .with_user_part("is this ")
        .with_user_part("fine?")
        .with_system(" ")
        .with_system(SharedText::new("be strict"))
        .with_system("and brief");
    let body = ask("claude-opus-5-5", &request).unwrap();
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "text", "text": "the whole spec\n\n", "cache_control": mark},
            {"type": "text", "text": "is this fine?"}])
    );
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": " be strict", "cache_control": mark},
            {"type": "text", "text": "and brief"}])
    );
    let hour = chat_with(ProviderKind::Anthropic, r#"{"cache_ttl": "1h"}"#)
        .request(
            &known("anthropic/claude-opus-5-5"),
            &ChatRequest::user(spec),
        )
        .unwrap();
    assert_eq!(
        hour.body["messages"][0]["content"][0]["cache_control"],
        json!({"type": "ephemeral", "ttl": "1h"})
    );
}

#[test]
fn at_most_four_marks_go_to_the_longest_texts() {
    let mut request = ChatRequest::default();
    for (turn, length) in [5, 9, 3, 8, 7, 3].into_iter().enumerate() {
        let text = char::from(b'a' + u8::try_from(turn).unwrap()).to_string();
        request = request.with_user_part(SharedText::new(text.repeat(length)));
    }
    let body = ask("claude-opus-5-5", &request).unwrap();
    let marked: Vec<usize> = body["messages"][0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block.get("cache_control").is_some())
        .map(|block| block["text"].as_str().unwrap().len())
        .collect();
    assert_eq!(marked, [5, 9, 8, 7]);
    // A text that comes twice is not marked twice.
    let twice = SharedText::new("again");
    let body = ask(
        "claude-opus-5-5",
        &ChatRequest::user(twice.clone())
            .with_assistant(twice)
            .with_user("b"),
    )
    .unwrap();
    assert_eq!(body["messages"][0]["content"], "again");
    assert_eq!(body["messages"][1]["content"], "again");
}

#[test]
fn every_stop_reason_has_its_ending() {
    let blocked = |category: &str| FinishReason::Blocked {
        category: category.to_owned(),
    };
    let other = |reason: &str| FinishReason::Other {
        reason: reason.to_owned(),
    };
    for (reason, finish) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("refusal", blocked("refusal")),
        ("tool_use", other("tool_use")),
        ("pause_turn", other("pause_turn")),
        ("brand_new", other("brand_new")),
    ] {
        let body = json!({"type": "message", "model": "claude-opus-5-5", "stop_reason": reason,
            "content": [{"type": "thinking", "thinking": "", "signature": "s"},
                {"type": "text", "text": "a"}, {"type": "novelty", "text": "x"},
                {"type": "text", "text": "b"}]});
        let answer = read(&body);
        assert_eq!(
            (answer.text.as_str(), answer.finish),
            ("ab", finish),
            "{reason}"
        );
        assert_eq!(answer.raw, body.to_string());
    }
    let refused = read(
        &json!({"model": "claude-opus-5-5", "content": [], "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "frontier_llm", "explanation": "no"}}),
    );
    assert_eq!(
        (refused.text.as_str(), refused.finish),
        ("", blocked("frontier_llm"))
    );
    let unnamed = read(
        &json!({"model": "claude-opus-5-5", "content": [], "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": null}}),
    );
    assert_eq!(unnamed.finish, blocked("refusal"));
    let none = read(&json!({"content": [{"type": "text", "text": "x"}], "stop_reason": null}));
    assert_eq!(none.finish, other("no stop_reason"));
    assert_eq!(none.model, "claude-opus-5-5");
}

#[test]
fn a_forced_tool_gives_its_input_as_the_answer() {
    let answer = read(
        &json!({"model": "claude-opus-5-5", "stop_reason": "tool_use", "content": [
        {"type": "text", "text": "I will."},
        {"type": "tool_use", "id": "t", "name": "rating", "input": {"score": 3}}]}),
    );
    assert_eq!(answer.text, r#"{"score":3}"#);
    assert_eq!(answer.finish, FinishReason::Stop);
}

#[test]
fn errors_keep_their_class_and_id() {
    let wire = chat(ProviderKind::Anthropic);
    let model = known("anthropic/claude-opus-5-5");
    let body = |kind: &str, details: Value| {
        json!({"type": "error", "error": {"type": kind, "message": "why", "details": details},
            "request_id": "req_7"})
        .to_string()
    };
    let spend = json!({"error_code": "enforced_spend_limit_reached"});
    for (status, kind, details, expected) in [
        (
            400,
            "invalid_request_error",
            Value::Null,
            LlmErrorKind::BadRequest,
        ),
        (
            401,
            "authentication_error",
            Value::Null,
            LlmErrorKind::Unauthorized,
        ),
        (
            402,
            "billing_error",
            Value::Null,
            LlmErrorKind::QuotaExhausted,
        ),
        (
            403,
            "permission_error",
            Value::Null,
            LlmErrorKind::Unauthorized,
        ),
        (
            404,
            "not_found_error",
            Value::Null,
            LlmErrorKind::UnknownModel,
        ),
        (
            409,
            "conflict_error",
            Value::Null,
            LlmErrorKind::Unavailable,
        ),
        (
            413,
            "request_too_large",
            Value::Null,
            LlmErrorKind::BadRequest,
        ),
        (
            429,
            "rate_limit_error",
            json!({"error_code": "ramp_limit_exceeded"}),
            LlmErrorKind::RateLimited,
        ),
        (
            429,
            "rate_limit_error",
            spend.clone(),
            LlmErrorKind::QuotaExhausted,
        ),
        (
            400,
            "invalid_request_error",
            spend,
            LlmErrorKind::QuotaExhausted,
        ),
        (500, "api_error", Value::Null, LlmErrorKind::Unavailable),
        (504, "timeout_error", Value::Null, LlmErrorKind::Unavailable),
        (
            529,
            "overloaded_error",
            Value::Null,
            LlmErrorKind::Unavailable,
        ),
        (
            200,
            "overloaded_error",
            Value::Null,
            LlmErrorKind::Unavailable,
        ),
        (
            200,
            "rate_limit_error",
            Value::Null,
            LlmErrorKind::RateLimited,
        ),
    ] {
        let error = wire
            .response(&model, &reply(status, &body(kind, details)))
            .unwrap_err();
        assert_eq!(error.kind(), expected, "{status} {kind}");
        assert_eq!(error.request_id(), Some("req_7"));
        assert_eq!(error.status(), (status != 200).then_some(status));
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn an_empty_account_stops_the_run() {
    let wire = chat(ProviderKind::Anthropic);
    let model = known("anthropic/claude-opus-5-5");
    let poor = json!({"type": "error", "error": {"type": "invalid_request_error",
        "message": "Your credit balance is too low to access the Anthropic API."}});
    let error = wire
        .response(&model, &reply(400, &poor.to_string()))
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::QuotaExhausted);
}
