//! The batch clients over HTTP on loopback: a scripted server says what a provider would.

mod creation;
mod providers;
mod results;

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

#[test]
fn a_model_without_batches_is_named() {
    let local = provider(config(ProviderKind::Compatible, "http://127.0.0.1:9"));
    let error = local.batch_model("qwen3").unwrap_err().to_string();
    assert_eq!(
        error,
        "model \"compatible/qwen3\" cannot be asked in batches: wire.compat.batch does not say that the server has \
         batches; ask it live"
    );
    let mut config = config(ProviderKind::OpenAi, "http://127.0.0.1:9");
    config.batch_max_requests = Some(0);
    let error = specstress_providers::Provider::with_key(config, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "batch_max_requests is 0; it must be 1 and up"
    );
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
