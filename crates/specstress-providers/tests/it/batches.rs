//! The batch clients over HTTP on loopback: a scripted server says what a provider would.

use serde_json::{Value, json};
use specstress_llm::{
    BatchModel, BatchState, BatchTag, ChatRequest, LlmError, LlmErrorKind, LostBatch, RequestKey,
};
use specstress_providers::{ProviderBatch, ProviderConfig, ProviderKind};

use crate::server::{Act, Seen, Server, reply};
use crate::{completion, config, provider};

const NAMES: [(ProviderKind, &str); 4] = [
    (ProviderKind::Anthropic, "claude-opus-4-5"),
    (ProviderKind::OpenAi, "gpt-4o"),
    (ProviderKind::Gemini, "gemini-2.5-pro"),
    (ProviderKind::Xai, "grok-4.7"),
];

fn ok(body: impl std::fmt::Display) -> Act {
    reply(
        200,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}

fn name_of(kind: ProviderKind) -> &'static str {
    NAMES.into_iter().find(|(of, _)| *of == kind).unwrap().1
}

async fn serve(
    kind: ProviderKind,
    script: impl IntoIterator<Item = Act>,
) -> (Server, ProviderBatch) {
    serve_with(kind, script, |_| ()).await
}

async fn serve_with(
    kind: ProviderKind,
    script: impl IntoIterator<Item = Act>,
    change: impl FnOnce(&mut ProviderConfig),
) -> (Server, ProviderBatch) {
    let server = Server::start(script).await;
    let mut config = config(kind, &server.url);
    change(&mut config);
    let batch = provider(config).batch_model(name_of(kind)).unwrap();
    (server, batch)
}

fn tag() -> BatchTag {
    BatchTag::from_recorded("specstress-00112233445566778899aabbccddeeff")
}

fn requests(count: usize) -> Vec<ChatRequest> {
    (0..count)
        .map(|at| ChatRequest::user(format!("question {at}")).with_max_tokens(100))
        .collect()
}

fn keys(model: &ProviderBatch, requests: &[ChatRequest]) -> Vec<RequestKey> {
    requests
        .iter()
        .map(|request| RequestKey::chat(model.id(), request))
        .collect()
}

fn lines(model: &ProviderBatch, requests: &[ChatRequest]) -> Vec<specstress_llm::BatchLine> {
    requests
        .iter()
        .map(|request| {
            model
                .encode(&RequestKey::chat(model.id(), request), request)
                .unwrap()
        })
        .collect()
}

fn created(kind: ProviderKind) -> Value {
    match kind {
        ProviderKind::Gemini => {
            json!({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_PENDING"}})
        }
        ProviderKind::Xai => json!({"batch_id": "b1", "name": tag().as_str()}),
        _ => json!({"id": "b1"}),
    }
}

/// What the calls of a creation before the last one are answered with.
fn uploaded(kind: ProviderKind) -> Vec<Act> {
    match kind {
        ProviderKind::OpenAi | ProviderKind::Xai => vec![ok(json!({"id": "file-1"}))],
        _ => Vec::new(),
    }
}

fn id_of(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Gemini => "batches/b1",
        _ => "b1",
    }
}

fn anthropic_message(text: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1}})
}

fn anthropic_ended() -> Value {
    json!({"id": "b1", "processing_status": "ended", "results_url": "https://elsewhere.example/results"})
}

fn gemini_reply(text: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
        "modelVersion": "gemini-2.5-pro", "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}})
}

fn openai_reply(model: &str, text: &str) -> Value {
    let mut body: Value = serde_json::from_str(&completion(text)).unwrap();
    body["model"] = model.into();
    body
}

/// All pages, by key.
async fn all(model: &ProviderBatch, id: &str) -> Vec<(RequestKey, Result<String, LlmErrorKind>)> {
    let mut items = Vec::new();
    let mut page = None;
    loop {
        let read = model.results(id, page.as_deref()).await.unwrap();
        items.extend(read.items.into_iter().map(|(key, result)| {
            (
                key,
                result
                    .map(|answer| answer.text)
                    .map_err(|error| error.kind()),
            )
        }));
        page = read.next;
        if page.is_none() {
            return items;
        }
    }
}

fn of<'a>(
    items: &'a [(RequestKey, Result<String, LlmErrorKind>)],
    key: &RequestKey,
) -> &'a Result<String, LlmErrorKind> {
    let mut found = items.iter().filter(|(of, _)| of == key);
    let item = &found.next().unwrap().1;
    assert!(found.next().is_none(), "one result per key");
    item
}

fn calls(seen: &[Seen]) -> Vec<String> {
    seen.iter()
        .map(|seen| format!("{} {}", seen.method, seen.path))
        .collect()
}

#[tokio::test]
async fn anthropic_from_creation_to_unordered_partly_failed_results() {
    let asked = requests(4);
    let (server, model) = serve(
        ProviderKind::Anthropic,
        [ok(created(ProviderKind::Anthropic))],
    )
    .await;
    let keys = keys(&model, &asked);
    let id = model.create(&tag(), &lines(&model, &asked)).await.unwrap();
    assert_eq!(id, "b1");
    let seen = server.seen();
    assert_eq!(calls(&seen), ["POST /v1/messages/batches"]);
    assert_eq!(seen[0].headers["anthropic-version"], "2023-06-01");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent["requests"][3]["custom_id"], json!(keys[3]));
    assert_eq!(
        sent["requests"][3]["params"]["messages"][0]["content"],
        "question 3"
    );

    let line =
        |key: &RequestKey, result: Value| json!({"custom_id": key, "result": result}).to_string();
    let overloaded =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    let file = [
        line(
            &keys[2],
            json!({"type": "succeeded", "message": anthropic_message("two")}),
        ),
        line(&keys[3], json!({"type": "expired"})),
        r#"{"custom_id":"of-someone-else","result":{"type":"expired"}}"#.to_owned(),
        line(
            &keys[0],
            json!({"type": "succeeded", "message": anthropic_message("zero")}),
        ),
        "{damaged".to_owned(),
        line(&keys[1], json!({"type": "errored", "error": overloaded})),
    ]
    .join("\n");
    let unavailable = || reply(503, &[], "{}");
    let running = json!({"id": "b1", "processing_status": "in_progress", "created_at": "2026-11-21T09:15:04Z",
        "request_counts": {"processing": 4}});
    let mut ended = running.clone();
    ended["processing_status"] = "ended".into();
    ended["results_url"] = "https://elsewhere.example/results".into();
    ended["request_counts"] = json!({"succeeded": 2, "errored": 1, "expired": 1});
    let (server, model) = serve(
        ProviderKind::Anthropic,
        [
            unavailable(),
            ok(running),
            unavailable(),
            Act::Drop,
            ok(ended.clone()),
            unavailable(),
            ok(ended),
            ok(file),
        ],
    )
    .await;
    assert_eq!(model.status("b1").await.unwrap().state, BatchState::Running);
    let ended = model.status("b1").await.unwrap();
    assert_eq!(
        (ended.state, ended.succeeded, ended.failed),
        (BatchState::Expired, 2, 2)
    );
    let items = all(&model, "b1").await;
    assert_eq!(server.count(), 8);
    assert_eq!(items.len(), 4);
    assert_eq!(of(&items, &keys[0]), &Ok("zero".to_owned()));
    assert_eq!(of(&items, &keys[2]), &Ok("two".to_owned()));
    assert_eq!(of(&items, &keys[1]), &Err(LlmErrorKind::Unavailable));
    assert_eq!(of(&items, &keys[3]), &Err(LlmErrorKind::Expired));
    assert_eq!(
        calls(&server.seen())[7],
        "GET /v1/messages/batches/b1/results"
    );
}

#[tokio::test]
async fn openai_uploads_a_form_and_reads_both_files() {
    let asked = requests(3);
    let kind = ProviderKind::OpenAi;
    let (server, model) = serve(
        kind,
        [
            reply(503, &[], "{}"),
            ok(json!({"id": "file-1"})),
            ok(created(kind)),
        ],
    )
    .await;
    let keys = keys(&model, &asked);
    model.create(&tag(), &lines(&model, &asked)).await.unwrap();
    let seen = server.seen();
    // The upload is tried again.
    assert_eq!(
        calls(&seen),
        ["POST /v1/files", "POST /v1/files", "POST /v1/batches"]
    );
    let boundary = seen[1].headers["content-type"]
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let parts: Vec<&str> = seen[1].body.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4);
    assert!(parts[1].contains("name=\"purpose\"\r\n\r\nbatch\r\n"));
    let (_, file) = parts[2].split_once("\r\n\r\n").unwrap();
    assert_eq!(file.lines().filter(|line| line.starts_with('{')).count(), 3);
    assert_eq!(parts[3], "--\r\n");
    let sent: Value = serde_json::from_str(&seen[2].body).unwrap();
    assert_eq!(sent["metadata"]["specstress_tag"], tag().as_str());

    let line = |key: &RequestKey, code: u16, body: Value| {
        json!({"id": "batch_req", "custom_id": key, "error": null,
            "response": {"status_code": code, "request_id": "req_9", "body": body}})
        .to_string()
    };
    let output = [
        line(&keys[1], 200, openai_reply("gpt-4o", "one")),
        line(&keys[0], 200, openai_reply("gpt-4o", "zero")),
    ]
    .join("\n");
    let lapsed = json!({"custom_id": keys[2], "response": null,
        "error": {"code": "batch_expired", "message": "too late"}});
    let expired = json!({"id": "b1", "status": "expired", "output_file_id": "f-out", "error_file_id": "f-err"});
    let (server, model) = serve(
        kind,
        [
            ok(expired),
            ok(output),
            reply(502, &[], "<html>"),
            ok(lapsed),
        ],
    )
    .await;
    let items = all(&model, "b1").await;
    assert_eq!(of(&items, &keys[0]), &Ok("zero".to_owned()));
    assert_eq!(of(&items, &keys[1]), &Ok("one".to_owned()));
    assert_eq!(of(&items, &keys[2]), &Err(LlmErrorKind::Expired));
    assert_eq!(
        calls(&server.seen()),
        [
            "GET /v1/batches/b1",
            "GET /v1/files/f-out/content",
            "GET /v1/files/f-err/content",
            "GET /v1/files/f-err/content"
        ]
    );
}

#[tokio::test]
async fn gemini_inline_and_as_a_file() {
    let asked = requests(3);
    let kind = ProviderKind::Gemini;
    let (server, model) = serve(kind, [ok(created(kind))]).await;
    let keys = keys(&model, &asked);
    assert_eq!(
        model.create(&tag(), &lines(&model, &asked)).await.unwrap(),
        "batches/b1"
    );
    let seen = server.seen();
    assert_eq!(
        calls(&seen),
        ["POST /v1beta/models/gemini-2.5-pro:batchGenerateContent"]
    );
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(sent["batch"]["displayName"], tag().as_str());

    let done = json!({"name": "batches/b1", "done": true, "metadata": {"state": "BATCH_STATE_SUCCEEDED", "output": {
        "inlinedResponses": {"inlinedResponses": [
            {"metadata": {"key": keys[1]}, "response": gemini_reply("one")},
            {"metadata": {"key": keys[2]}, "error": {"code": 14, "message": "busy"}},
            {"metadata": {"key": keys[0]}, "response": gemini_reply("zero")},
            {"response": gemini_reply("whose?")}]}}}});
    let (_server, model) = serve(kind, [ok(done)]).await;
    assert_eq!(
        model.status("batches/b1").await.unwrap().state,
        BatchState::Ended
    );
    let items = all(&model, "batches/b1").await;
    assert_eq!(items.len(), 3);
    assert_eq!(of(&items, &keys[0]), &Ok("zero".to_owned()));
    assert_eq!(of(&items, &keys[1]), &Ok("one".to_owned()));
    assert_eq!(of(&items, &keys[2]), &Err(LlmErrorKind::Unavailable));

    // Nineteen requests of a megabyte are too much for one call.
    let long: Vec<ChatRequest> = (0..19)
        .map(|at| ChatRequest::user(format!("{at} {}", "long ".repeat(200_000))))
        .collect();
    let server = Server::start([]).await;
    let given = format!(
        "{}/upload/v1beta/files?upload_id=u1&upload_protocol=resumable",
        server.url
    );
    let start = || reply(200, &[("x-goog-upload-url", given.as_str())], "");
    server.script([
        start(),
        reply(503, &[], "{}"),
        start(),
        ok(json!({"file": {"name": "files/in"}})),
        ok(created(kind)),
        ok(
            json!({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_SUCCEEDED",
            "output": {"responsesFile": "files/out"}}}),
        ),
        ok(json!({"key": keys[0], "response": gemini_reply("zero")})),
    ]);
    let model = provider(config(kind, &server.url))
        .batch_model("gemini-2.5-pro")
        .unwrap();
    model.create(&tag(), &lines(&model, &long)).await.unwrap();
    let seen = server.seen();
    let upload = "POST /upload/v1beta/files";
    let bytes = "POST /upload/v1beta/files?upload_id=u1&upload_protocol=resumable";
    assert_eq!(
        calls(&seen),
        [
            upload,
            bytes,
            upload,
            bytes,
            "POST /v1beta/models/gemini-2.5-pro:batchGenerateContent"
        ]
    );
    assert_eq!(seen[2].headers["x-goog-upload-command"], "start");
    assert_eq!(
        seen[2].headers["x-goog-upload-header-content-length"],
        seen[3].headers["content-length"]
    );
    assert_eq!(seen[3].headers["x-goog-upload-command"], "upload, finalize");
    assert_eq!(seen[3].body.lines().count(), 19);
    let sent: Value = serde_json::from_str(&seen[4].body).unwrap();
    assert_eq!(sent["batch"]["inputConfig"]["fileName"], "files/in");
    let items = all(&model, "batches/b1").await;
    assert_eq!(of(&items, &keys[0]), &Ok("zero".to_owned()));
    assert_eq!(
        calls(&server.seen()).last().unwrap(),
        "GET /v1beta/files/out:download?alt=media"
    );
}

#[tokio::test]
async fn the_key_goes_to_no_upload_address_of_another_host() {
    let other = Server::start([ok(json!({"file": {"name": "files/in"}}))]).await;
    let address = format!("{}/upload?upload_id=u1", other.url);
    let kind = ProviderKind::Gemini;
    let (_server, model) = serve_with(
        kind,
        [reply(200, &[("x-goog-upload-url", &address)], "")],
        |config| config.retry.max_attempts = 2,
    )
    .await;
    let long: Vec<ChatRequest> = (0..19)
        .map(|at| ChatRequest::user(format!("{at} {}", "long ".repeat(200_000))))
        .collect();
    let error = model
        .create(&tag(), &lines(&model, &long))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn xai_pages_its_results_with_tokens_that_need_encoding() {
    let asked = requests(3);
    let kind = ProviderKind::Xai;
    let (server, model) = serve(kind, [ok(json!({"id": "file_1"})), ok(created(kind))]).await;
    let keys = keys(&model, &asked);
    assert_eq!(
        model.create(&tag(), &lines(&model, &asked)).await.unwrap(),
        "b1"
    );
    let seen = server.seen();
    assert_eq!(calls(&seen), ["POST /v1/files", "POST /v1/batches"]);
    assert!(!seen[0].body.contains("purpose"));
    let sent: Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(
        sent,
        json!({"name": tag().as_str(), "input_file_id": "file_1"})
    );

    let item =
        |key: &RequestKey, result: Value| json!({"batch_request_id": key, "batch_result": result});
    let answer =
        |text: &str| json!({"response": {"chat_get_completion": openai_reply("grok-4.7", text)}});
    let first = json!({"pagination_token": "a+b/c=", "results": [item(&keys[2], answer("two"))]});
    let last = json!({"pagination_token": null, "results": [
        item(&keys[0], json!({"error": {"code": 3, "message": "bad"}})), item(&keys[1], answer("one"))]});
    let counts = json!({"batch_id": "b1", "create_time": "2026-11-21", "state": {"num_requests": 3,
        "num_pending": 0, "num_success": 2, "num_error": 1, "num_cancelled": 0}});
    let (server, model) = serve(kind, [ok(counts), ok(first), reply(503, &[], ""), ok(last)]).await;
    let status = model.status("b1").await.unwrap();
    assert_eq!(
        (status.state, status.succeeded, status.failed),
        (BatchState::Ended, 2, 1)
    );
    let items = all(&model, "b1").await;
    assert_eq!(of(&items, &keys[0]), &Err(LlmErrorKind::BadRequest));
    assert_eq!(of(&items, &keys[1]), &Ok("one".to_owned()));
    assert_eq!(of(&items, &keys[2]), &Ok("two".to_owned()));
    assert_eq!(
        calls(&server.seen())[1..],
        [
            "GET /v1/batches/b1/results?limit=1000",
            "GET /v1/batches/b1/results?limit=1000&pagination_token=a%2Bb%2Fc%3D",
            "GET /v1/batches/b1/results?limit=1000&pagination_token=a%2Bb%2Fc%3D"
        ]
    );
}

#[tokio::test]
async fn batches_that_ended_without_output_have_no_results() {
    for (kind, script) in [
        (
            ProviderKind::OpenAi,
            vec![ok(
                json!({"id": "b1", "status": "completed", "output_file_id": null, "error_file_id": null}),
            )],
        ),
        (
            ProviderKind::Gemini,
            vec![ok(
                json!({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_SUCCEEDED"}}),
            )],
        ),
        (
            ProviderKind::Anthropic,
            vec![ok(
                json!({"id": "b1", "processing_status": "ended", "results_url": null}),
            )],
        ),
        (ProviderKind::Anthropic, vec![ok(anthropic_ended()), ok("")]),
        (
            ProviderKind::Xai,
            vec![ok(json!({"results": [], "pagination_token": ""}))],
        ),
    ] {
        let (_server, model) = serve(kind, script).await;
        assert!(all(&model, id_of(kind)).await.is_empty(), "{kind}");
    }
}

/// An answer of something else must not look like a batch without results: all of it would be paid again.
#[tokio::test]
async fn a_page_instead_of_results_is_an_error() {
    for (kind, before) in [
        (ProviderKind::Anthropic, Some(ok(anthropic_ended()))),
        (
            ProviderKind::OpenAi,
            Some(ok(
                json!({"id": "b1", "status": "completed", "output_file_id": "f"}),
            )),
        ),
        (ProviderKind::Xai, None),
    ] {
        let page = ok("<html>Please sign in</html>");
        let script: Vec<Act> = before.into_iter().chain([page]).collect();
        let (_server, model) =
            serve_with(kind, script, |config| config.retry.max_attempts = 2).await;
        let error = model.results("b1", None).await.unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::BadReply, "{kind} {error}");
    }
}

/// The answer to a creation may get lost; the batch is then found, and never created a second time.
#[tokio::test]
async fn a_lost_creation_is_not_repeated_and_is_found() {
    for (kind, _) in NAMES {
        for lost in [
            Act::Drop,
            Act::HalfReply,
            reply(500, &[], "{}"),
            reply(200, &[], "<html>"),
        ] {
            let mut script = uploaded(kind);
            let before = script.len();
            script.push(lost);
            let (server, model) = serve(kind, script).await;
            let asked = requests(2);
            let error = model
                .create(&tag(), &lines(&model, &asked))
                .await
                .unwrap_err();
            assert!(leaves_open(&error), "{kind} {error}");
            assert_eq!(
                server.count(),
                before + 1,
                "{kind}: one attempt, and the file stays"
            );
        }
        let begun_at = 1_795_252_504;
        let (server, model) = serve(kind, [reply(503, &[], "{}"), ok(list(kind))]).await;
        let tag = tag();
        let lost = LostBatch {
            tag: &tag,
            begun_at,
            requests: 2,
        };
        let found = model.find(&lost).await.unwrap();
        if model.finds_by_tag() {
            assert_eq!(
                found,
                [if kind == ProviderKind::Gemini {
                    "batches/ours"
                } else {
                    "ours"
                }]
            );
        } else {
            // Neither the one of another size nor the one of the day before.
            assert_eq!(found, ["ours", "alike"]);
        }
        assert_eq!(server.count(), 2);
        assert_eq!(server.seen()[1].method, "GET");
    }
}

fn leaves_open(error: &LlmError) -> bool {
    matches!(
        error.kind(),
        LlmErrorKind::Transport | LlmErrorKind::Unavailable | LlmErrorKind::BadReply
    )
}

/// Newest first: one as large, one of another size, ours, one of the day before.
fn list(kind: ProviderKind) -> Value {
    let rows = [
        ("alike", "2026-11-21T09:16:04Z", "x", 2),
        ("larger", "2026-11-21T09:15:34Z", "x", 3),
        ("ours", "2026-11-21T09:14:04Z", tag().as_str(), 2),
        ("earlier", "2026-11-20T09:15:04Z", "x", 2),
    ]
    .map(|(id, time, name, count)| match kind {
        ProviderKind::Anthropic => json!({"id": id, "created_at": time, "processing_status": "in_progress",
            "request_counts": {"processing": count, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}}),
        ProviderKind::OpenAi => json!({"id": id, "created_at": 1_795_252_444, "metadata": {"specstress_tag": name},
            "request_counts": {"total": count}}),
        ProviderKind::Gemini => json!({"name": format!("batches/{id}"),
            "metadata": {"displayName": name, "createTime": time}}),
        _ => json!({"batch_id": id, "name": name, "create_time": "2026-11-21"}),
    });
    match kind {
        ProviderKind::Gemini => json!({"operations": rows}),
        ProviderKind::Xai => json!({"batches": rows, "pagination_token": ""}),
        _ => json!({"data": rows, "has_more": false, "last_id": "earlier"}),
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let tag = tag();
    let lost = LostBatch {
        tag: &tag,
        begun_at: 1_795_252_504,
        requests: 2,
    };
    for (kind, first, last, next) in [
        (
            ProviderKind::Anthropic,
            json!({"data": [{"id": "x+1", "created_at": "2026-11-21T10:00:00Z"}], "has_more": true, "last_id": "x+1"}),
            list(ProviderKind::Anthropic),
            "/v1/messages/batches?limit=100&after_id=x%2B1",
        ),
        (
            ProviderKind::OpenAi,
            json!({"data": [{"id": "x+1", "created_at": 1_795_259_000}], "has_more": true}),
            list(ProviderKind::OpenAi),
            "/v1/batches?limit=100&after=x%2B1",
        ),
        (
            ProviderKind::Gemini,
            json!({"operations": [], "nextPageToken": "x+1"}),
            list(ProviderKind::Gemini),
            "/v1beta/batches?pageSize=100&pageToken=x%2B1",
        ),
        (
            ProviderKind::Xai,
            json!({"batches": [], "pagination_token": "x+1"}),
            list(ProviderKind::Xai),
            "/v1/batches?limit=100&pagination_token=x%2B1",
        ),
    ] {
        let (server, model) = serve(kind, [ok(first), ok(last)]).await;
        assert!(!model.find(&lost).await.unwrap().is_empty(), "{kind}");
        assert_eq!(server.seen()[1].path, next);
    }
    let (_server, model) = serve(ProviderKind::Gemini, [ok("{}")]).await;
    assert!(model.find(&lost).await.unwrap().is_empty());
}

#[tokio::test]
async fn refusals_of_a_creation_are_errors_of_their_kind_and_leave_no_file() {
    for (kind, _) in NAMES {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"message":"m","type":"invalid_request_error"}}"#,
                LlmErrorKind::BadRequest,
            ),
            (
                401,
                r#"{"error":{"message":"m"}}"#,
                LlmErrorKind::Unauthorized,
            ),
            (
                413,
                r#"{"error":{"message":"m"}}"#,
                LlmErrorKind::BadRequest,
            ),
            (
                429,
                r#"{"error":{"message":"m"}}"#,
                LlmErrorKind::RateLimited,
            ),
            (
                404,
                r#"{"error":{"message":"m"}}"#,
                LlmErrorKind::UnknownModel,
            ),
        ] {
            let mut script = uploaded(kind);
            let files = script.len();
            script.push(reply(status, &[("retry-after", "0.01")], body));
            script.push(ok("{}"));
            let (server, model) = serve(kind, script).await;
            let asked = requests(1);
            let error = model
                .create(&tag(), &lines(&model, &asked))
                .await
                .unwrap_err();
            assert_eq!(
                (error.kind(), error.status()),
                (expected, Some(status)),
                "{kind} {error}"
            );
            let mut expected_calls = 1 + files;
            if files > 0 {
                expected_calls += 1;
                assert_eq!(calls(&server.seen())[2], "DELETE /v1/files/file-1");
            }
            assert_eq!(server.count(), expected_calls, "{kind} {status}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let (server, model) = serve_with(ProviderKind::OpenAi, [ok("{}")], |config| {
        config.batch_max_bytes = 2_000;
        config.batch_max_requests = Some(5);
    })
    .await;
    assert_eq!((model.limits().bytes, model.limits().requests), (2_000, 5));
    let some = lines(&model, &requests(2));
    let twice = [some[0].clone(), some[0].clone()];
    let long = lines(&model, &[ChatRequest::user("x".repeat(3_000))]);
    for (bad, reason) in [
        (&[][..], "no requests"),
        (&lines(&model, &requests(6)), "6 requests"),
        (&long, "bytes are more than 2000"),
        (&twice, "one key"),
    ] {
        let error = model.create(&tag(), bad).await.unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::BadRequest);
        assert!(error.to_string().contains(reason), "{error}");
    }
    // What the live model would refuse, its batch refuses too.
    let (_server, strict) = serve(ProviderKind::Anthropic, [ok("{}")]).await;
    let bad = ChatRequest::user("x").with_seed(1);
    let error = strict
        .encode(&RequestKey::chat(strict.id(), &bad), &bad)
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::BadRequest);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn cancelling_is_repeated_and_too_late_is_no_error() {
    let running = |kind| match kind {
        ProviderKind::Anthropic => json!({"id": "b1", "processing_status": "in_progress"}),
        ProviderKind::OpenAi => json!({"id": "b1", "status": "in_progress"}),
        ProviderKind::Gemini => {
            json!({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_RUNNING"}})
        }
        _ => json!({"batch_id": "b1", "state": {"num_requests": 2, "num_pending": 2}}),
    };
    let over = |kind| match kind {
        ProviderKind::Anthropic => json!({"id": "b1", "processing_status": "ended"}),
        ProviderKind::OpenAi => json!({"id": "b1", "status": "completed"}),
        ProviderKind::Gemini => {
            json!({"name": "batches/b1", "metadata": {"state": "JOB_STATE_SUCCEEDED"}})
        }
        _ => {
            json!({"batch_id": "b1", "state": {"num_requests": 2, "num_pending": 0, "num_success": 2}})
        }
    };
    for (kind, path) in [
        (ProviderKind::Anthropic, "/v1/messages/batches/b1/cancel"),
        (ProviderKind::OpenAi, "/v1/batches/b1/cancel"),
        (ProviderKind::Gemini, "/v1beta/batches/b1:cancel"),
        (ProviderKind::Xai, "/v1/batches/b1:cancel"),
    ] {
        let id = id_of(kind);
        let (server, model) = serve(kind, [Act::Drop, reply(503, &[], ""), ok("{}")]).await;
        model.cancel(id).await.unwrap();
        assert_eq!(server.count(), 3);
        assert_eq!(calls(&server.seen())[2], format!("POST {path}"));
        for status in [400, 409] {
            let refusal = || reply(status, &[], r#"{"error":{"message":"already over"}}"#);
            let (_server, model) = serve(kind, [refusal(), ok(over(kind))]).await;
            model.cancel(id).await.unwrap();
            let (_server, model) = serve(kind, [refusal(), ok(running(kind))]).await;
            assert!(model.cancel(id).await.is_err(), "{kind}");
        }
    }
}

#[tokio::test]
async fn a_batch_that_is_not_there_is_named() {
    for (kind, _) in NAMES {
        let (_server, model) = serve(
            kind,
            [reply(404, &[], r#"{"error":{"message":"not found"}}"#)],
        )
        .await;
        for error in [
            model.status("b77").await.unwrap_err(),
            model.results("b77", None).await.unwrap_err(),
            model.cancel("b77").await.unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.status()),
                (LlmErrorKind::BadRequest, Some(404)),
                "{kind}"
            );
            assert!(error.to_string().contains("no batch \"b77\""), "{error}");
        }
    }
}

/// What is read twice may come in another order; every result comes at least once.
#[tokio::test]
async fn large_results_come_in_pages_from_one_download() {
    let asked = requests(2_500);
    let kind = ProviderKind::Anthropic;
    let (_, model) = serve(kind, [ok("")]).await;
    let keys = keys(&model, &asked);
    let file: String = keys
        .iter()
        .rev()
        .map(|key| {
            let result = json!({"type": "succeeded", "message": anthropic_message("x")});
            format!("{}\n", json!({"custom_id": key, "result": result}))
        })
        .collect();
    let ended = || ok(anthropic_ended());
    let (server, model) = serve(kind, [ended(), ok(&file), ended(), ok(&file)]).await;
    let first = model.results("b1", None).await.unwrap();
    assert_eq!(first.items.len(), 1_000);
    let items = all(&model, "b1").await;
    assert_eq!(items.len(), 2_500);
    assert_eq!(
        server.count(),
        4,
        "one question and one download per reading"
    );
    let mut found: Vec<_> = items.iter().map(|(key, _)| *key).collect();
    found.sort_unstable();
    let mut expected = keys.clone();
    expected.sort_unstable();
    assert_eq!(found, expected);
    // A place of an earlier process: everything comes again rather than too little.
    let (_server, fresh) = serve(kind, [ended(), ok(&file)]).await;
    let again = fresh.results("b1", first.next.as_deref()).await.unwrap();
    assert_eq!(again.items[0].0, keys[2_499]);
}

/// Batches have rates of their own: a full queue must not slow the live calls down.
#[tokio::test]
async fn batch_calls_teach_the_limiter_nothing() {
    let server = Server::start([reply(
        429,
        &[("retry-after", "60"), ("x-ratelimit-limit-requests", "1")],
        r#"{"error":{"message":"queue full"}}"#,
    )])
    .await;
    let mut config = config(ProviderKind::Gemini, &server.url);
    config.retry.max_attempts = 1;
    let provider = provider(config);
    let model = provider.batch_model("gemini-2.5-pro").unwrap();
    let before = provider.limiter().snapshot();
    let error = model
        .create(&tag(), &lines(&model, &requests(1)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_mins(1)));
    model.status("batches/b1").await.unwrap_err();
    assert_eq!(provider.limiter().snapshot(), before);
}
