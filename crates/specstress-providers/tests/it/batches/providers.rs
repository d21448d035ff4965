//! Each provider from creation to results.

use super::*;

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
