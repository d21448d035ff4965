use super::*;

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
