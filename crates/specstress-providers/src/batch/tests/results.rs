use super::*;

fn item(kind: ProviderKind, line: &str) -> Result<String, LlmErrorKind> {
    let (found, item) = form(kind).item(line).expect("a result");
    assert_eq!(found, key(1));
    let wire = chat_wire(kind, WireOptions::default());
    match item.settle(&model(kind), &*wire) {
        Ok(answer) => {
            assert!(
                line.contains(&answer.raw),
                "the raw body is a piece of the line"
            );
            Ok(answer.text)
        }
        Err(error) => Err(error.kind()),
    }
}

#[test]
fn anthropic_results() {
    let line = |result: Value| json!({"custom_id": key(1), "result": result}).to_string();
    let read = |result| item(ProviderKind::Anthropic, &line(result));
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
        "content": [{"type": "text", "text": "yes"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1}});
    assert_eq!(
        read(json!({"type": "succeeded", "message": message})),
        Ok("yes".to_owned())
    );
    let errored = |word: &str| {
        json!({"type": "errored", "error": {"type": "error", "request_id": "req_1",
            "error": {"type": word, "message": "m"}}})
    };
    for (word, expected) in [
        ("invalid_request_error", LlmErrorKind::BadRequest),
        ("overloaded_error", LlmErrorKind::Unavailable),
        ("api_error", LlmErrorKind::Unavailable),
        ("not_found_error", LlmErrorKind::UnknownModel),
        ("billing_error", LlmErrorKind::QuotaExhausted),
    ] {
        assert_eq!(read(errored(word)), Err(expected), "{word}");
    }
    assert_eq!(
        read(json!({"type": "canceled"})),
        Err(LlmErrorKind::Expired)
    );
    assert_eq!(read(json!({"type": "expired"})), Err(LlmErrorKind::Expired));
    assert_eq!(
        read(json!({"type": "invented"})),
        Err(LlmErrorKind::BadReply)
    );
    assert_eq!(read(json!(null)), Err(LlmErrorKind::BadReply));
}

#[test]
fn openai_results() {
    let line = |response: Value, error: Value| {
        json!({"id": "batch_req_1", "custom_id": key(1), "response": response, "error": error})
            .to_string()
    };
    let read = |response, error| item(ProviderKind::OpenAi, &line(response, error));
    let body = json!({"model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "yes"}}]});
    let reply =
        |code: u16, body: Value| json!({"status_code": code, "request_id": "req_1", "body": body});
    assert_eq!(read(reply(200, body), json!(null)), Ok("yes".to_owned()));
    let refused = |code: &str| json!({"error": {"message": "m", "code": code}});
    assert_eq!(
        read(reply(400, refused("unsupported_value")), json!(null)),
        Err(LlmErrorKind::BadRequest)
    );
    assert_eq!(
        read(reply(429, refused("rate_limit_exceeded")), json!(null)),
        Err(LlmErrorKind::RateLimited)
    );
    for (code, expected) in [
        ("batch_expired", LlmErrorKind::Expired),
        ("batch_cancelled", LlmErrorKind::Expired),
        ("server_error", LlmErrorKind::Unavailable),
        ("mock_failure", LlmErrorKind::BadReply),
    ] {
        let error = json!({"code": code, "message": "m"});
        assert_eq!(read(json!(null), error), Err(expected), "{code}");
    }
    assert_eq!(read(json!(null), json!(null)), Err(LlmErrorKind::BadReply));
}

#[test]
fn gemini_results_inline_and_in_files() {
    let body = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "yes"}]},
        "finishReason": "STOP", "index": 0}], "modelVersion": "gemini-2.5-pro"});
    let read = |line: Value| item(ProviderKind::Gemini, &line.to_string());
    let inline = json!({"response": body, "metadata": {"key": key(1)}});
    assert_eq!(read(inline), Ok("yes".to_owned()));
    assert_eq!(
        read(json!({"key": key(1), "response": body})),
        Ok("yes".to_owned())
    );
    let failed = json!({"metadata": {"key": key(1)}, "error": {"code": 13, "message": "m"}});
    assert_eq!(read(failed), Err(LlmErrorKind::Unavailable));
    let odd = json!({"key": key(1), "status": "?"});
    assert_eq!(read(odd), Err(LlmErrorKind::BadReply));
    let blocked = json!({"key": key(1), "response": {"promptFeedback": {"blockReason": "SAFETY"}}});
    assert_eq!(read(blocked), Ok(String::new()));
}

#[test]
fn xai_results_in_both_wordings() {
    let body = json!({"model": "grok-4.7", "choices": [{"finish_reason": "stop", "message": {"content": "yes"}}]});
    let read = |line: Value| item(ProviderKind::Xai, &line.to_string());
    let rest = json!({"batch_request_id": key(1), "batch_result": {"response": {"chat_get_completion": body}}});
    assert_eq!(read(rest), Ok("yes".to_owned()));
    let proto = json!({"batch_request_id": key(1), "response": {"completion_response": body}});
    assert_eq!(read(proto), Ok("yes".to_owned()));
    let failed =
        json!({"batch_request_id": key(1), "batch_result": {"error": {"code": 8, "message": "m"}}});
    assert_eq!(read(failed), Err(LlmErrorKind::RateLimited));
    let odd = json!({"batch_request_id": key(1), "batch_result": {}});
    assert_eq!(read(odd), Err(LlmErrorKind::BadReply));
}

#[test]
fn what_is_not_ours_is_no_result() {
    for (kind, ..) in KINDS {
        for line in [
            "",
            "{",
            "[]",
            "<html>",
            "{}",
            r#"{"custom_id":"row-1","key":"row-1","batch_request_id":"row-1"}"#,
        ] {
            assert!(form(kind).item(line).is_none(), "{kind} {line}");
        }
    }
}

#[test]
fn outputs_are_found_where_they_are() {
    let files = |kind, status: Value| match form(kind).outputs(&status.to_string()) {
        Outputs::Files(files) => files,
        Outputs::Here(items) => vec![format!("{} here", items.len())],
    };
    let openai = |output: Value, error: Value| {
        files(
            ProviderKind::OpenAi,
            json!({"id": "b", "output_file_id": output, "error_file_id": error}),
        )
    };
    assert_eq!(
        openai(json!("file-1"), json!("file-2")),
        ["/files/file-1/content", "/files/file-2/content"]
    );
    assert_eq!(
        openai(json!(null), json!("file-2")),
        ["/files/file-2/content"]
    );
    assert!(openai(json!(null), json!(null)).is_empty());
    let inlined = json!({"inlinedResponses": {"inlinedResponses": [{}, {}]}});
    for output in [
        json!({"metadata": {"output": inlined}}),
        json!({"metadata": {}, "response": inlined}),
    ] {
        assert_eq!(files(ProviderKind::Gemini, output), ["2 here"]);
    }
    assert_eq!(
        files(
            ProviderKind::Gemini,
            json!({"metadata": {"output": {"responsesFile": "files/r"}}})
        ),
        ["/files/r:download?alt=media"]
    );
    for nothing in [
        json!({}),
        json!({"metadata": {"output": null}}),
        json!({"metadata": {"output": {}}}),
    ] {
        assert!(files(ProviderKind::Gemini, nothing).is_empty());
    }
    assert_eq!(
        form(ProviderKind::Xai).results("b"),
        Results::Pages("/batches/b/results?limit=1000".to_owned())
    );
    let anthropic = |url: Value| {
        files(
            ProviderKind::Anthropic,
            json!({"id": "b", "results_url": url}),
        )
    };
    // The address only tells that there is one.
    assert_eq!(
        anthropic(json!("https://elsewhere.example/x")),
        ["/messages/batches/b/results"]
    );
    assert!(anthropic(json!(null)).is_empty());
}
