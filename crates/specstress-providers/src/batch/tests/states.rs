use super::*;

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
    // Whether it still works on what is left when its time is up, nobody says.
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
        ([4, 2, 2, 0, 0], &late, BatchState::Running),
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
