use super::*;
use crate::wire::test_support::{chat, chat_with, known, reply, schema, unknown};
use specstress_llm::LlmErrorKind;

fn ask(name: &str, request: &ChatRequest) -> Result<Value, String> {
    chat(ProviderKind::OpenAi)
        .request(&known(&format!("openai/{name}")), request)
        .map(|request| request.body)
        .map_err(|error| error.to_string())
}

fn read(body: &Value) -> Result<ChatResponse, LlmError> {
    chat(ProviderKind::Compatible).response(
        &unknown(ProviderKind::Compatible),
        &reply(200, &body.to_string()),
    )
}

fn user() -> ChatRequest {
    ChatRequest::user("q")
}

#[test]
fn each_family_gets_the_fields_it_takes() {
    let request = user()
        .with_system("s")
        .with_max_tokens(9)
        .with_temperature(0.0)
        .with_top_p(0.5)
        .with_seed(7)
        .with_stop("X");
    assert_eq!(
        ask("gpt-4o", &request).unwrap(),
        json!({"model": "gpt-4o", "max_completion_tokens": 9, "temperature": 0.0, "top_p": 0.5,
            "seed": 7, "stop": ["X"],
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]})
    );
    let thinker = user()
        .with_system("s")
        .with_max_tokens(9)
        .with_effort(Effort::Xhigh);
    assert_eq!(
        ask("o3-2025-04-16", &thinker).unwrap(),
        json!({"model": "o3-2025-04-16", "max_completion_tokens": 9, "reasoning_effort": "high",
            "messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "q"}]})
    );
    assert_eq!(
        ask("gpt-4o", &user()).unwrap(),
        json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "q"}]})
    );
}

#[test]
fn sampling_depends_on_effort_where_the_model_says_so() {
    let cold = || user().with_temperature(0.0);
    let none = |request: ChatRequest| request.with_effort(Effort::None);
    // The default effort of 5.1 is none, that of 5.5 is not.
    assert!(ask("gpt-5.1", &cold()).is_ok());
    assert!(ask("gpt-5.1", &cold().with_effort(Effort::Low)).is_err());
    assert!(ask("gpt-5.5", &cold()).is_err());
    let body = ask("gpt-5.5", &none(cold())).unwrap();
    assert_eq!(
        (&body["reasoning_effort"], &body["temperature"]),
        (&json!("none"), &json!(0.0))
    );
    for name in ["gpt-6-astra", "gpt-6.1-sol", "gpt-5", "o3-2025-04-16"] {
        assert!(
            ask(name, &cold()).unwrap_err().contains("temperature"),
            "{name}"
        );
        assert!(
            ask(name, &none(user())).unwrap_err().contains("effort"),
            "{name}"
        );
    }
    assert!(
        ask("gpt-4o", &user().with_effort(Effort::Low))
            .unwrap_err()
            .contains("does not reason")
    );
    assert_eq!(
        ask("gpt-4o", &none(user()))
            .unwrap()
            .get("reasoning_effort"),
        None
    );
    assert_eq!(
        ask("gpt-6-sol", &user().with_effort(Effort::Max)).unwrap()["reasoning_effort"],
        "max"
    );
    assert_eq!(
        ask("gpt-5.4", &user().with_effort(Effort::Max)).unwrap()["reasoning_effort"],
        "xhigh"
    );
    assert!(
        ask("o3-2025-04-16", &user().with_stop("X"))
            .unwrap_err()
            .contains("stop")
    );
    let five = (0..5).fold(user(), |request, at| request.with_stop(at.to_string()));
    assert!(ask("gpt-4o", &five).unwrap_err().contains("stop with 5"));
}

#[test]
fn schemas_are_strict() {
    let mut loose = schema();
    loose.schema = json!({"type": "object", "properties": {"score": {"type": "integer"}}});
    assert_eq!(
        ask("gpt-4o", &user().with_schema(loose)).unwrap()["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "rating", "strict": true, "schema": {
            "type": "object", "properties": {"score": {"type": ["integer", "null"]}},
            "required": ["score"], "additionalProperties": false}}})
    );
}

#[test]
fn an_unknown_model_gets_what_the_caller_sets_and_nothing_else() {
    let model = unknown(ProviderKind::Compatible);
    let wire = chat(ProviderKind::Compatible);
    assert_eq!(
        wire.request(&model, &user()).unwrap().body,
        json!({"model": "m", "messages": [{"role": "user", "content": "q"}]})
    );
    let set = user()
        .with_system("s")
        .with_max_tokens(5)
        .with_seed(1)
        .with_effort(Effort::Minimal);
    assert_eq!(
        wire.request(&model, &set).unwrap().body,
        json!({"model": "m", "max_tokens": 5, "seed": 1, "reasoning_effort": "minimal",
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]})
    );
}

#[test]
fn switches_say_what_the_server_accepts() {
    let wire = chat_with(
        ProviderKind::Compatible,
        r#"{"compat": {"token_limit_name": "max_completion_tokens", "supports_seed": false,
            "response_format": "json_object", "reasoning_effort": false, "developer_role": true,
            "extra_body": {"num_ctx": 4096, "model": "other"}}}"#,
    );
    let model = unknown(ProviderKind::Compatible);
    let request = user()
        .with_system("Write Json")
        .with_max_tokens(5)
        .with_schema(schema());
    assert_eq!(
        wire.request(&model, &request).unwrap().body,
        json!({"model": "other", "num_ctx": 4096, "max_completion_tokens": 5,
            "response_format": {"type": "json_object"},
            "messages": [{"role": "developer", "content": "Write Json"},
                {"role": "user", "content": "q"}]})
    );
    // Servers refuse that format when no message says what is wanted.
    let silent = user().with_schema(schema());
    let body = wire.request(&model, &silent).unwrap().body;
    assert!(body.get("response_format").is_none());
    for (bad, says) in [
        (user().with_seed(1), "seed"),
        (user().with_effort(Effort::Low), "reasoning_effort is off"),
    ] {
        let error = wire.request(&model, &bad).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(
        wire.request(&model, &user().with_effort(Effort::None))
            .is_ok()
    );
    let none = chat_with(
        ProviderKind::Compatible,
        r#"{"compat": {"response_format": "none"}}"#,
    );
    let body = none
        .request(&model, &user().with_schema(schema()))
        .unwrap()
        .body;
    assert!(body.get("response_format").is_none());
    // A server that takes efforts for a model the catalog calls fixed.
    let on = chat_with(
        ProviderKind::Compatible,
        r#"{"compat": {"reasoning_effort": true}}"#,
    );
    let body = on
        .request(&known("openai/gpt-4o"), &user().with_effort(Effort::Low))
        .unwrap()
        .body;
    assert_eq!(body["reasoning_effort"], "low");
}

#[test]
fn every_finish_reason_has_its_ending() {
    let blocked = |category: &str| FinishReason::Blocked {
        category: category.to_owned(),
    };
    let other = |reason: &str| FinishReason::Other {
        reason: reason.to_owned(),
    };
    for (finish_reason, native, expected) in [
        (json!("stop"), Value::Null, FinishReason::Stop),
        (json!("length"), Value::Null, FinishReason::Length),
        (
            json!("content_filter"),
            Value::Null,
            blocked("content_filter"),
        ),
        (
            json!("content_filter"),
            json!("refusal"),
            blocked("refusal"),
        ),
        (json!("tool_calls"), Value::Null, other("tool_calls")),
        (json!("function_call"), Value::Null, other("function_call")),
        (json!("novel"), json!("x"), other("novel")),
        (json!(""), json!("x"), other("x")),
        (Value::Null, Value::Null, other("no finish_reason")),
    ] {
        let answer = read(&json!({"choices": [{"finish_reason": finish_reason,
            "native_finish_reason": native, "message": {"content": "a"}}]}))
        .unwrap();
        assert_eq!(
            (answer.finish, answer.text.as_str()),
            (expected, "a"),
            "{finish_reason}"
        );
    }
}

#[test]
fn refusals_and_eaten_budgets_are_not_answers() {
    let refused = read(&json!({"choices": [{"finish_reason": "stop",
        "message": {"content": null, "refusal": "I cannot"}}]}))
    .unwrap();
    assert_eq!(
        (refused.text.as_str(), refused.finish),
        (
            "I cannot",
            FinishReason::Blocked {
                category: "refusal".to_owned()
            }
        )
    );
    let eaten = read(
        &json!({"choices": [{"finish_reason": "length", "message": {"content": ""}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 64, "total_tokens": 69,
            "completion_tokens_details": {"reasoning_tokens": 64}}}),
    )
    .unwrap();
    assert_eq!(
        (eaten.text.as_str(), &eaten.finish),
        ("", &FinishReason::Length)
    );
    assert_eq!((eaten.usage.output, eaten.usage.reasoning), (0, 64));
    let parts = read(
        &json!({"choices": [{"finish_reason": "stop", "message": {"content": [
        {"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]}}]}),
    )
    .unwrap();
    assert_eq!(parts.text, "ab");
}

#[test]
fn providers_that_say_what_a_call_cost_are_believed() {
    let body = |usage: Value| json!({"choices": [{"finish_reason": "stop", "message": {"content": "a"}}], "usage": usage});
    let cost = |usage| read(&body(usage)).unwrap().cost_usd;
    assert_eq!(cost(json!({"cost": 0.25})), Some(0.25));
    assert_eq!(cost(json!({"cost": -1.0})), None);
    assert_eq!(cost(json!({})), None);
    let mut proxied = reply(200, &body(json!({})).to_string());
    let header = |value: &str| ("x-litellm-response-cost".to_owned(), value.to_owned());
    for (value, expected) in [("1e-3", Some(0.001)), ("NaN", None), ("None", None)] {
        proxied.headers = [header(value), ("x-request-id".to_owned(), "r".to_owned())].into();
        let answer = chat(ProviderKind::Compatible)
            .response(&unknown(ProviderKind::Compatible), &proxied)
            .unwrap();
        assert_eq!(answer.cost_usd, expected, "{value}");
        assert_eq!(answer.request_id.as_deref(), Some("r"));
    }
}

#[test]
fn a_choice_with_an_error_is_an_error() {
    let failed = read(
        &json!({"choices": [{"finish_reason": "error", "message": {"content": ""},
        "error": {"code": 502, "message": "upstream"}}]}),
    )
    .unwrap_err();
    assert_eq!(
        (failed.kind(), failed.status()),
        (LlmErrorKind::Unavailable, Some(502))
    );
    assert_eq!(
        read(&json!({"choices": []})).unwrap_err().kind(),
        LlmErrorKind::BadReply
    );
}

#[test]
fn a_dated_snapshot_is_the_model_and_another_model_is_not() {
    let answer = |asked: &str, model: &str| {
        let body = json!({"model": model, "choices": [{"finish_reason": "stop", "message": {"content": "a"}}]});
        chat(ProviderKind::OpenAi)
            .response(&known(asked), &reply(200, &body.to_string()))
            .map(|answer| answer.model)
            .map_err(|error| error.kind())
    };
    assert_eq!(
        answer("openai/gpt-4o", "gpt-4o-2024-08-06").unwrap(),
        "gpt-4o-2024-08-06"
    );
    assert_eq!(
        answer("openai/gpt-4o", "gpt-4o-mini"),
        Err(LlmErrorKind::WrongModel)
    );
}
