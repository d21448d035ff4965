use super::*;
use crate::catalog::ProviderKind;
use crate::wire::test_support::{chat, chat_with, known, reply, schema};
use specstress_llm::LlmErrorKind;

fn ask(name: &str, request: &ChatRequest) -> Result<Value, String> {
    chat(ProviderKind::Gemini)
        .request(&known(&format!("gemini/{name}")), request)
        .map(|request| request.body)
        .map_err(|error| error.to_string())
}

fn read(body: &Value) -> Result<ChatResponse, LlmError> {
    chat(ProviderKind::Gemini).response(
        &known("gemini/gemini-3.8-flash"),
        &reply(200, &body.to_string()),
    )
}

#[test]
fn writes_contents_and_a_config_only_when_there_is_one() {
    let wire = chat_with(
        ProviderKind::Gemini,
        r#"{"gemini_safety": {"HARM_CATEGORY_HARASSMENT": "OFF"}}"#,
    );
    let request = ChatRequest::user("a")
        .with_assistant("b")
        .with_user("c")
        .with_system("s");
    let sent = wire
        .request(&known("gemini/gemini-3.8-flash"), &request)
        .unwrap();
    assert_eq!(sent.path, "/models/gemini-3.8-flash:generateContent");
    assert_eq!(
        sent.body,
        json!({"systemInstruction": {"parts": [{"text": "s"}]},
            "contents": [{"role": "user", "parts": [{"text": "a"}]},
                {"role": "model", "parts": [{"text": "b"}]}, {"role": "user", "parts": [{"text": "c"}]}],
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]})
    );
    let full = ChatRequest::user("q")
        .with_max_tokens(10_000)
        .with_temperature(0.0)
        .with_top_p(0.9)
        .with_seed(1 << 40 | 3)
        .with_stop("X")
        .with_effort(Effort::Low)
        .with_schema(schema());
    assert_eq!(
        ask("gemini-2.5-pro", &full).unwrap()["generationConfig"],
        json!({"maxOutputTokens": 10_000, "temperature": 0.0, "topP": 0.9, "seed": 3,
            "stopSequences": ["X"], "thinkingConfig": {"thinkingBudget": 2_000},
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object", "properties": {"score": {"type": "integer"}},
                "required": ["score"], "additionalProperties": false}})
    );
}

#[test]
fn a_name_cannot_leave_its_path_segment() {
    let mut model = known("gemini/gemini-3.8-flash");
    model.name = "models/../x?key=1".to_owned();
    assert_eq!(
        model_path(&model, "generateContent"),
        "/models/..%2Fx%3Fkey%3D1:generateContent"
    );
}

#[test]
fn thinking_is_a_budget_or_a_level() {
    let thinking = |name, effort| {
        ask(name, &ChatRequest::user("q").with_effort(effort))
            .map(|body| body["generationConfig"]["thinkingConfig"].clone())
    };
    assert_eq!(
        thinking("gemini-2.5-pro", Effort::Minimal).unwrap(),
        json!({"thinkingBudget": 128})
    );
    assert_eq!(
        thinking("gemini-2.5-pro", Effort::Max).unwrap(),
        json!({"thinkingBudget": 31_129})
    );
    assert!(
        thinking("gemini-2.5-pro", Effort::None)
            .unwrap_err()
            .contains("always thinks")
    );
    assert_eq!(
        thinking("gemini-3.8-flash", Effort::Minimal).unwrap(),
        json!({"thinkingLevel": "MINIMAL"})
    );
    assert_eq!(
        thinking("gemini-3.1-pro-preview", Effort::Minimal).unwrap(),
        json!({"thinkingLevel": "LOW"})
    );
    assert_eq!(
        thinking("gemini-3.8-flash", Effort::Max).unwrap(),
        json!({"thinkingLevel": "XHIGH"})
    );
    let cold = ask(
        "gemini-3.8-flash",
        &ChatRequest::user("q").with_temperature(0.0),
    );
    assert!(cold.unwrap_err().contains("temperature"));
}

#[test]
fn the_four_empty_shapes_are_endings_and_not_answers() {
    let blocked = |category: &str| FinishReason::Blocked {
        category: category.to_owned(),
    };
    for (body, finish) in [
        (
            json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
            blocked("PROHIBITED_CONTENT"),
        ),
        (
            json!({"candidates": [], "promptFeedback": {"blockReason": "JAILBREAK"}}),
            blocked("JAILBREAK"),
        ),
        (
            json!({"candidates": [{"finishReason": "SAFETY"}]}),
            blocked("SAFETY"),
        ),
        (
            json!({"candidates": [{"finishReason": "MAX_TOKENS", "content": {"role": "model"}}]}),
            FinishReason::Length,
        ),
        (
            json!({"candidates": [{"finishReason": "STOP",
                "content": {"parts": [{"text": "hm", "thought": true}]}}]}),
            FinishReason::Stop,
        ),
    ] {
        let answer = read(&body).unwrap();
        assert_eq!(
            (answer.text.as_str(), &answer.finish),
            ("", &finish),
            "{body}"
        );
        assert!(answer.answer().is_err());
    }
    for nothing in [
        json!({}),
        json!({"candidates": []}),
        json!({"promptFeedback": {}}),
    ] {
        assert_eq!(read(&nothing).unwrap_err().kind(), LlmErrorKind::BadReply);
    }
}

#[test]
fn every_finish_reason_has_its_ending() {
    for (reason, class) in [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "blocked"),
        ("RECITATION", "blocked"),
        ("LANGUAGE", "blocked"),
        ("BLOCKLIST", "blocked"),
        ("PROHIBITED_CONTENT", "blocked"),
        ("SPII", "blocked"),
        ("MODEL_ARMOR", "blocked"),
        ("PUP_LIMITED_DISABLED", "blocked"),
        ("IMAGE_SAFETY", "blocked"),
        ("OTHER", "other"),
        ("ESCALATION", "other"),
        ("MALFORMED_RESPONSE", "other"),
        ("MALFORMED_FUNCTION_CALL", "other"),
        ("UNEXPECTED_TOOL_CALL", "other"),
        ("TOO_MANY_TOOL_CALLS", "other"),
        ("MISSING_THOUGHT_SIGNATURE", "other"),
        ("FROM_THE_FUTURE", "other"),
    ] {
        let answer = read(&json!({"candidates": [{"finishReason": reason,
            "content": {"parts": [{"text": "thinking", "thought": true}, {"text": "a"}, {"text": "b"}]}}],
            "modelVersion": "gemini-3.8-flash", "responseId": "r1"}))
        .unwrap();
        assert_eq!(answer.text, "ab");
        assert_eq!(answer.request_id.as_deref(), Some("r1"));
        let (found, word) = match answer.finish {
            FinishReason::Stop => ("stop", reason.to_owned()),
            FinishReason::Length => ("length", reason.to_owned()),
            FinishReason::Blocked { category } => ("blocked", category),
            FinishReason::Other { reason } => ("other", reason),
        };
        assert_eq!((found, word.as_str()), (class, reason));
    }
}

#[test]
fn a_silent_change_of_model_is_an_error_unless_allowed() {
    let body =
        json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": "a"}]}}],
        "modelVersion": "gemini-3.8-flash"})
        .to_string();
    let asked = known("gemini/gemini-2.5-pro");
    let error = chat(ProviderKind::Gemini)
        .response(&asked, &reply(200, &body))
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::WrongModel);
    let text = error.to_string();
    assert!(
        text.contains("gemini-3.8-flash") && text.contains("2026-12-01"),
        "{text}"
    );
    let lax = chat_with(ProviderKind::Gemini, r#"{"allow_other_model": true}"#);
    let answer = lax.response(&asked, &reply(200, &body)).unwrap();
    assert_eq!(answer.model, "gemini-3.8-flash");
}

#[test]
fn quotas_per_day_stop_the_run_and_per_minute_do_not() {
    let error = |quota: &str| {
        let body = json!([{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37.5s"}]}}]);
        chat(ProviderKind::Gemini)
            .response(
                &known("gemini/gemini-3.8-flash"),
                &reply(429, &body.to_string()),
            )
            .unwrap_err()
    };
    let minute = error("GenerateRequestsPerMinutePerProject");
    assert_eq!(minute.kind(), LlmErrorKind::RateLimited);
    assert_eq!(
        minute.retry_after(),
        Some(std::time::Duration::from_millis(37_500))
    );
    assert_eq!(
        error("GenerateRequestsPerDayPerProject").kind(),
        LlmErrorKind::QuotaExhausted
    );
    let key = json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}});
    let error = chat(ProviderKind::Gemini)
        .response(
            &known("gemini/gemini-3.8-flash"),
            &reply(400, &key.to_string()),
        )
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::Unauthorized);
}
