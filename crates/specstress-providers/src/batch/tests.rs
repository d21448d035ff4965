//! The forms of each provider, without IO.

use proptest::prelude::*;
use serde_json::{Value, json};
use specstress_llm::{
    BatchLine, BatchState, BatchStatus, BatchTag, ChatRequest, Effort, LlmErrorKind, ModelId,
    RequestKey, ResponseSchema,
};

use super::form::{BatchForm, Input, Outputs, Results, Source};
use super::item::Item;
use super::{form_of, most};
use crate::catalog::{Catalog, ModelInfo, ProviderKind};
use crate::wire::{WireOptions, chat_wire};

const KINDS: [(ProviderKind, &str, &str); 4] = [
    (ProviderKind::Anthropic, "anthropic", "claude-opus-4-5"),
    (ProviderKind::OpenAi, "openai", "gpt-4o"),
    (ProviderKind::Gemini, "gemini", "gemini-2.5-pro"),
    (ProviderKind::Xai, "xai", "grok-4.7"),
];

fn model(kind: ProviderKind) -> ModelInfo {
    let (_, provider, name) = KINDS.into_iter().find(|(of, ..)| *of == kind).unwrap();
    Catalog::builtin().resolve(kind, provider, name)
}

fn form(kind: ProviderKind) -> std::sync::Arc<dyn BatchForm> {
    form_of(kind, &model(kind), &WireOptions::default()).unwrap()
}

fn key(byte: u8) -> RequestKey {
    RequestKey::from_bytes([byte; 32])
}

fn status(kind: ProviderKind, body: &Value) -> BatchStatus {
    form(kind).status(&model(kind), body, 1_000)
}

fn state(kind: ProviderKind, body: &Value) -> BatchState {
    status(kind, body).state
}

fn lines(form: &dyn BatchForm, bodies: &[&str]) -> Vec<BatchLine> {
    (1..)
        .zip(bodies)
        .map(|(byte, body)| BatchLine {
            key: key(byte),
            json: form.line(&key(byte), body),
        })
        .collect()
}

#[test]
fn creations_are_what_each_provider_documents() {
    let tag = BatchTag::from_recorded("specstress-t");
    let [one, two] = [1, 2].map(|byte| key(byte).to_string());
    let create = |kind, inline: bool| {
        let form = form(kind);
        let lines = lines(&*form, &[r#"{"a":1}"#, r#"{"a":2}"#]);
        let source = if inline {
            Source::Lines(&lines)
        } else {
            Source::File("files/abc")
        };
        let (path, body) = form.create(&tag, source).unwrap();
        (path, serde_json::from_str::<Value>(&body).unwrap())
    };
    assert_eq!(
        create(ProviderKind::Anthropic, true),
        (
            "/messages/batches".to_owned(),
            json!({"requests": [{"custom_id": one, "params": {"a": 1}},
                                {"custom_id": two, "params": {"a": 2}}]})
        )
    );
    assert_eq!(
        create(ProviderKind::Gemini, true),
        (
            "/models/gemini-2.5-pro:batchGenerateContent".to_owned(),
            json!({"batch": {"displayName": "specstress-t", "inputConfig": {"requests": {"requests": [
                {"request": {"a": 1}, "metadata": {"key": one}},
                {"request": {"a": 2}, "metadata": {"key": two}}]}}}})
        )
    );
    assert_eq!(
        create(ProviderKind::Gemini, false).1,
        json!({"batch": {"displayName": "specstress-t", "inputConfig": {"fileName": "files/abc"}}})
    );
    assert_eq!(
        create(ProviderKind::OpenAi, false),
        (
            "/batches".to_owned(),
            json!({"input_file_id": "files/abc", "endpoint": "/v1/chat/completions",
                "completion_window": "24h", "metadata": {"specstress_tag": "specstress-t"}})
        )
    );
    assert_eq!(
        create(ProviderKind::Xai, false),
        (
            "/batches".to_owned(),
            json!({"name": "specstress-t", "input_file_id": "files/abc"})
        )
    );
    let line: Value =
        serde_json::from_str(&form(ProviderKind::OpenAi).line(&key(1), r#"{"a":1}"#)).unwrap();
    assert_eq!(
        line,
        json!({"custom_id": one, "method": "POST", "url": "/v1/chat/completions", "body": {"a": 1}})
    );
}

#[test]
fn large_gemini_batches_go_as_files() {
    let form = form(ProviderKind::Gemini);
    assert_eq!(form.input(10, 1_000), Input::Inline);
    assert_eq!(form.input(10, 19_000_000), Input::Resumable);
    assert_eq!(form.input(1_000_000, 1_000), Input::Resumable);
    for (kind, input) in [
        (ProviderKind::Anthropic, Input::Inline),
        (ProviderKind::OpenAi, Input::Multipart(Some("batch"))),
        (ProviderKind::Xai, Input::Multipart(None)),
    ] {
        assert_eq!(super::tests::form(kind).input(1, most(kind).bytes), input);
    }
}

#[test]
fn anthropic_states() {
    let kind = ProviderKind::Anthropic;
    let body = |word: &str, counts: [u64; 5]| {
        json!({"id": "msgbatch_1", "type": "message_batch", "processing_status": word,
            "created_at": "2026-11-21T09:15:04Z", "expires_at": "2026-11-22T09:15:04.5+00:00",
            "request_counts": {"processing": counts[0], "succeeded": counts[1], "errored": counts[2],
                "canceled": counts[3], "expired": counts[4]}})
    };
    for (word, counts, expected) in [
        ("in_progress", [3, 0, 0, 0, 0], BatchState::Running),
        ("canceling", [3, 0, 0, 0, 0], BatchState::Cancelling),
        ("ended", [0, 2, 1, 0, 0], BatchState::Ended),
        ("ended", [0, 2, 0, 0, 1], BatchState::Expired),
        ("ended", [0, 2, 0, 1, 0], BatchState::Cancelled),
        (
            "napping",
            [3, 0, 0, 0, 0],
            BatchState::Unknown("napping".to_owned()),
        ),
    ] {
        assert_eq!(state(kind, &body(word, counts)), expected, "{word}");
    }
    let ended = status(kind, &body("ended", [0, 2, 1, 0, 4]));
    assert_eq!((ended.succeeded, ended.failed), (2, 5));
    assert_eq!(ended.expires_at, Some(1_795_252_504 + 86_400));
}

#[test]
fn openai_states() {
    let kind = ProviderKind::OpenAi;
    for (word, expected) in [
        ("validating", BatchState::Queued),
        ("in_progress", BatchState::Running),
        ("finalizing", BatchState::Running),
        ("completed", BatchState::Ended),
        ("COMPLETED", BatchState::Ended),
        ("expired", BatchState::Expired),
        ("cancelling", BatchState::Cancelling),
        ("cancelled", BatchState::Cancelled),
        ("failed", BatchState::Failed),
        ("Brewing", BatchState::Unknown("Brewing".to_owned())),
    ] {
        let body = json!({"id": "b", "status": word, "created_at": 100,
            "request_counts": {"total": 9, "completed": 5, "failed": 2}});
        let read = status(kind, &body);
        assert_eq!(read.state, expected, "{word}");
        assert_eq!((read.succeeded, read.failed), (5, 2));
        assert_eq!(read.expires_at, Some(86_500));
        assert_eq!(read.refusal.is_some(), expected == BatchState::Failed);
    }
    let refused = |code: &str, message: &str| {
        let body = json!({"id": "b", "status": "failed", "errors": {"object": "list", "data": [
            {"code": code, "message": message, "line": 7, "param": null}, {"code": "x"}]}});
        status(kind, &body).refusal.unwrap()
    };
    let (kind_of, text) = refused("token_limit_exceeded", "Enqueued token limit reached");
    assert_eq!(kind_of, LlmErrorKind::RateLimited);
    assert!(
        text.contains("Enqueued token limit") && text.contains("line 7; 1 more"),
        "{text}"
    );
    for (code, expected) in [
        ("invalid_json_line", LlmErrorKind::BadRequest),
        ("model_not_found", LlmErrorKind::UnknownModel),
        ("insufficient_quota", LlmErrorKind::QuotaExhausted),
        ("internal_error", LlmErrorKind::Unavailable),
        ("something_new", LlmErrorKind::BadRequest),
    ] {
        assert_eq!(refused(code, "m").0, expected, "{code}");
    }
    let silent = status(
        kind,
        &json!({"id": "b", "status": "failed", "errors": null}),
    );
    assert_eq!(silent.refusal.unwrap().0, LlmErrorKind::BadRequest);
}

#[test]
fn gemini_states() {
    let kind = ProviderKind::Gemini;
    for (word, expected) in [
        ("PENDING", BatchState::Queued),
        ("QUEUED", BatchState::Queued),
        ("PAUSED", BatchState::Queued),
        ("RUNNING", BatchState::Running),
        ("CANCELLING", BatchState::Cancelling),
        ("SUCCEEDED", BatchState::Ended),
        ("PARTIALLY_SUCCEEDED", BatchState::Ended),
        ("CANCELLED", BatchState::Cancelled),
        ("EXPIRED", BatchState::Expired),
        ("FAILED", BatchState::Failed),
    ] {
        for prefix in ["BATCH_STATE_", "JOB_STATE_"] {
            let body = json!({"name": "batches/b", "metadata": {"state": format!("{prefix}{word}"),
                "createTime": "2026-11-21T09:15:04Z",
                "batchStats": {"requestCount": "4", "successfulRequestCount": "2", "failedRequestCount": "1"}}});
            let read = status(kind, &body);
            assert_eq!(read.state, expected, "{word}");
            assert_eq!((read.succeeded, read.failed), (2, 1));
            assert_eq!(read.expires_at, Some(1_795_252_504 + 172_800));
        }
    }
    let odd = json!({"name": "batches/b", "metadata": {"state": "BATCH_STATE_DREAMING"}});
    assert_eq!(
        state(kind, &odd),
        BatchState::Unknown("BATCH_STATE_DREAMING".to_owned())
    );
    // Without a word the operation itself tells.
    let failed =
        json!({"name": "batches/b", "done": true, "error": {"code": 8, "message": "quota"}});
    let failed = status(kind, &failed);
    assert_eq!(failed.state, BatchState::Failed);
    assert_eq!(failed.refusal.unwrap().0, LlmErrorKind::RateLimited);
    let done = json!({"name": "batches/b", "done": true, "response": {}});
    assert_eq!(state(kind, &done), BatchState::Ended);
    let bad = json!({"name": "b", "metadata": {"state": "BATCH_STATE_FAILED"}, "error": {"code": 3, "message": "no"}});
    assert_eq!(
        status(kind, &bad).refusal.unwrap().0,
        LlmErrorKind::BadRequest
    );
}

#[test]
fn xai_states_follow_from_counts() {
    let kind = ProviderKind::Xai;
    let body = |counts: [u64; 5], more: Value| {
        let mut body = json!({"batch_id": "b", "create_time": "1970-01-01T00:10:00Z", "state": {
            "num_requests": counts[0], "num_pending": counts[1], "num_success": counts[2],
            "num_error": counts[3], "num_cancelled": counts[4]}});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let cancelled = json!({"cancel_time": "1970-01-01T00:12:00Z"});
    let refused =
        json!({"cancel_time": "1970-01-01T00:12:00Z", "cancel_by_xai_message": "over quota"});
    // The moment is 1,000 s.
    let late = json!({"expire_time": "1970-01-01T00:16:39Z"});
    let none = json!({"cancel_time": null, "cancel_by_xai_message": null});
    for (counts, more, expected) in [
        ([0, 0, 0, 0, 0], &none, BatchState::Queued),
        ([4, 4, 0, 0, 0], &none, BatchState::Running),
        ([4, 0, 3, 1, 0], &none, BatchState::Ended),
        ([4, 2, 2, 0, 0], &cancelled, BatchState::Cancelling),
        ([4, 0, 2, 0, 2], &cancelled, BatchState::Cancelled),
        ([4, 0, 4, 0, 0], &cancelled, BatchState::Ended),
        ([0, 0, 0, 0, 0], &cancelled, BatchState::Cancelled),
        ([4, 4, 0, 0, 0], &refused, BatchState::Failed),
        ([4, 0, 1, 0, 3], &refused, BatchState::Cancelled),
        ([4, 2, 2, 0, 0], &late, BatchState::Expired),
        ([4, 0, 4, 0, 0], &late, BatchState::Ended),
    ] {
        assert_eq!(
            state(kind, &body(counts, more.clone())),
            expected,
            "{counts:?} {more}"
        );
    }
    let read = status(kind, &body([4, 0, 1, 1, 2], json!({})));
    assert_eq!((read.succeeded, read.failed), (1, 3));
    assert_eq!(read.expires_at, Some(600 + 86_400));
    let (kind_of, text) = status(kind, &body([4, 4, 0, 0, 0], refused))
        .refusal
        .unwrap();
    assert_eq!(kind_of, LlmErrorKind::BadRequest);
    assert!(text.contains("over quota"), "{text}");
}

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

#[test]
fn ids_and_tokens_cannot_leave_their_place() {
    for (kind, ..) in KINDS {
        let path = form(kind).path("a/../b?key=c#d");
        assert!(path.ends_with("a%2F..%2Fb%3Fkey%3Dc%23d"), "{path}");
        let list = form(kind).list_path(Some("x+/=&y"));
        assert!(list.ends_with("=x%2B%2F%3D%26y"), "{list}");
    }
    assert_eq!(form(ProviderKind::Gemini).path("batches/b1"), "/batches/b1");
    assert_eq!(
        super::xai::with_token("/r?limit=1".to_owned(), Some("a=b+c")),
        "/r?limit=1&pagination_token=a%3Db%2Bc"
    );
}

#[test]
fn batches_are_offered_where_there_are_any() {
    let offers = |kind, provider: &str, name: &str, batch| {
        let mut options = WireOptions::default();
        options.compat.batch = batch;
        form_of(
            kind,
            &Catalog::builtin().resolve(kind, provider, name),
            &options,
        )
    };
    assert!(
        offers(
            ProviderKind::Anthropic,
            "anthropic",
            "claude-opus-5-5",
            false
        )
        .is_ok()
    );
    assert!(
        offers(
            ProviderKind::Anthropic,
            "anthropic",
            "never-heard-of",
            false
        )
        .is_ok()
    );
    for (kind, provider, name) in [
        (ProviderKind::Xai, "xai", "grok-4-0709"),
        (ProviderKind::OpenAi, "openai", "text-embedding-3-small"),
        (ProviderKind::Compatible, "vllm", "qwen3"),
    ] {
        assert!(offers(kind, provider, name, false).is_err(), "{name}");
    }
    assert!(offers(ProviderKind::Compatible, "together", "qwen3", true).is_ok());
}

fn any_request() -> impl Strategy<Value = ChatRequest> {
    let text = "\\PC{1,40}".prop_filter("not blank", |text: &String| !text.trim().is_empty());
    (
        prop::collection::vec(text.clone(), 1..3),
        prop::option::of(text),
        prop::option::of(1_u32..9_000),
        any::<bool>(),
        any::<bool>(),
        0_u32..3,
    )
        .prop_map(|(turns, system, limit, effort, schema, sample)| {
            let mut request = ChatRequest::default().with_sample(sample);
            for (at, turn) in turns.iter().enumerate() {
                if at > 0 {
                    request = request.with_assistant("ok");
                }
                request = request.with_user(turn.as_str());
            }
            if let Some(system) = system {
                request = request.with_system(system);
            }
            if let Some(limit) = limit {
                request = request.with_max_tokens(limit);
            }
            if effort {
                request = request.with_max_tokens(9_000).with_effort(Effort::High);
            }
            if schema {
                request = request.with_schema(ResponseSchema {
                    name: "r".to_owned(),
                    schema: json!({"type": "object", "properties": {"a": {"type": "integer"}},
                        "required": ["a"], "additionalProperties": false}),
                });
            }
            request
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_holds_exactly_the_live_body(request in any_request()) {
        for (kind, provider, name) in KINDS {
            let model = model(kind);
            let form = form(kind);
            let wire = chat_wire(kind, WireOptions::default());
            let Ok(live) = wire.request(&model, &request) else { continue };
            let key = RequestKey::chat(&ModelId::new(provider, name), &request);
            let text = form.line(&key, &live.body.to_string());
            prop_assert!(!text.contains('\n'));
            let line: Value = serde_json::from_str(&text).unwrap();
            let id = [&line["custom_id"], &line["key"]].into_iter().find_map(Value::as_str);
            let wanted = key.to_string();
            prop_assert_eq!(id, Some(wanted.as_str()));
            prop_assert_eq!(id.map(str::len), Some(64));
            let body = ["params", "body", "request"].into_iter().find_map(|field| line.get(field));
            prop_assert_eq!(body, Some(&live.body));
            // Inline, Gemini turns the line over.
            let tag = BatchTag::new("salt", [&key]);
            let lines = [BatchLine { key, json: text }];
            if form.input(1, 1) == Input::Inline {
                let (_, sent) = form.create(&tag, Source::Lines(&lines)).unwrap();
                let sent: Value = serde_json::from_str(&sent).unwrap();
                let found = match kind {
                    ProviderKind::Gemini => {
                        let inline = &sent["batch"]["inputConfig"]["requests"]["requests"][0];
                        prop_assert_eq!(&inline["metadata"]["key"], &json!(key));
                        &inline["request"]
                    }
                    _ => &sent["requests"][0]["params"],
                };
                prop_assert_eq!(found, &live.body);
            }
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,80}", word in "[a-zA-Z_]{0,12}") {
        for (kind, ..) in KINDS {
            let form = form(kind);
            let _ = form.item(&text);
            let _ = form.outputs(&text);
            for body in [json!({"status": word, "processing_status": word, "metadata": {"state": word}}), json!(text)] {
                let _ = form.status(&model(kind), &body, 0);
                let _ = form.list(&body);
            }
            let odd = Item::Odd(text.clone());
            prop_assert!(odd.settle(&model(kind), &*chat_wire(kind, WireOptions::default())).is_err());
        }
    }
}

/// The two calls of a file, which only batches of 20 MB need otherwise, against the simulated service.
#[tokio::test]
async fn gemini_takes_a_batch_as_a_file() {
    use specstress_llm::BatchModel as _;
    use specstress_sim::{BatchOptions, ServerOptions, SimOptions, SimServer, SimWorld};

    let world = SimWorld::new(
        &specstress_values::Taxonomy::builtin(),
        SimOptions::default(),
    );
    let options = ServerOptions {
        batch: BatchOptions {
            delay_ms: 20,
            ..BatchOptions::default()
        },
        ..ServerOptions::default()
    };
    let server = SimServer::bind(world.unwrap(), options).unwrap();
    let (address, stats) = (server.local_addr(), server.stats());
    tokio::spawn(server.serve(std::future::pending()));
    let config = crate::ProviderConfig::new(ProviderKind::Gemini)
        .with_base_url(format!("http://{address}/gemini"));
    let key = crate::SecretString::from("any");
    let provider = crate::Provider::with_key(config, Some(&key)).unwrap();
    let mut model = provider.batch_model("cedar_pro").unwrap();
    let mut form = super::gemini::Gemini::of(model.info());
    form.most_inline = 0;
    model.service.form = std::sync::Arc::new(form);

    let asked: Vec<_> = (0..5)
        .map(|at| ChatRequest::user(format!("question {at}")).with_max_tokens(300))
        .map(|request| (RequestKey::chat(model.id(), &request), request))
        .collect();
    let lines: Vec<_> = asked
        .iter()
        .map(|(key, request)| model.encode(key, request).unwrap())
        .collect();
    let tag = BatchTag::new("file", asked.iter().map(|(key, _)| key));
    let id = model.create(&tag, &lines).await.unwrap();
    while !model.status(&id).await.unwrap().state.is_over() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let page = model.results(&id, None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (5, None));
    for (key, _) in &asked {
        let (_, answer) = page.items.iter().find(|(of, _)| of == key).unwrap();
        assert!(!answer.as_ref().unwrap().text.is_empty());
    }
    assert_eq!(stats.read().batches["gemini"].uploads, 1);
}
