use std::sync::Arc;
use std::time::{Duration, Instant};

use specstress_llm::{
    ChatModel as _, ChatRequest, EmbeddingModel as _, EmbeddingRequest, LlmErrorKind,
};
use specstress_providers::{ModelState, ProviderKind};

use crate::server::{Act, Server, reply, slow};
use crate::{KEY, completion, config, provider};

fn good() -> Act {
    reply(
        200,
        &[("content-type", "application/json")],
        completion("hi"),
    )
}

async fn compatible(
    script: impl IntoIterator<Item = Act>,
) -> (Server, specstress_providers::Provider) {
    let server = Server::start(script).await;
    let provider = provider(config(ProviderKind::Compatible, &server.url));
    (server, provider)
}

/// Every fault that may pass, then a good answer: one answer, and the exact number of requests.
#[tokio::test]
async fn faults_that_pass_are_survived() {
    let html = "<html><body>502 Bad Gateway</body></html>";
    let rate = r#"{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#;
    for (name, fault) in [
        (
            "429 with retry-after",
            reply(429, &[("retry-after", "0.05")], rate),
        ),
        ("429 without", reply(429, &[], rate)),
        (
            "529",
            reply(
                529,
                &[],
                r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#,
            ),
        ),
        ("reset mid-body", Act::HalfReply),
        ("connection dropped", Act::Drop),
        (
            "HTML 502",
            reply(502, &[("content-type", "text/html")], html),
        ),
        ("truncated JSON", reply(200, &[], r#"{"choices":[{"mess"#)),
        ("HTML 200", reply(200, &[], html)),
        ("408", reply(408, &[], "")),
        ("500", reply(500, &[], "")),
    ] {
        let (server, provider) = compatible([fault.clone(), fault, good()]).await;
        let answer = provider.model("m").chat(&ChatRequest::user("x")).await;
        assert_eq!(
            answer.unwrap_or_else(|e| panic!("{name}: {e}")).text,
            "hi",
            "{name}"
        );
        assert_eq!(server.count(), 3, "{name}");
        assert_eq!(provider.stats().retries, 2, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_pass_is_asked_once() {
    for (status, body, kind) in [
        (
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#,
            LlmErrorKind::BadRequest,
        ),
        (
            401,
            r#"{"error":{"message":"who","code":"invalid_api_key"}}"#,
            LlmErrorKind::Unauthorized,
        ),
        (
            404,
            r#"{"error":{"message":"none","code":"model_not_found"}}"#,
            LlmErrorKind::UnknownModel,
        ),
        (
            429,
            r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            LlmErrorKind::QuotaExhausted,
        ),
    ] {
        let (server, provider) = compatible([reply(status, &[], body)]).await;
        let error = provider
            .model("m")
            .chat(&ChatRequest::user("x"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (kind, Some(status)),
            "{error}"
        );
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_a_refusal_is_not_retried() {
    let filtered = r#"{"id":"1","model":"m","choices":[{"finish_reason":"content_filter","message":{"content":null}}],"usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}}"#;
    let (server, provider) = compatible([reply(200, &[], filtered)]).await;
    let answer = provider
        .model("m")
        .chat(&ChatRequest::user("x"))
        .await
        .unwrap();
    assert!(answer.answer().is_err());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn the_servers_wait_is_kept() {
    let rate = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    let (server, provider) =
        compatible([reply(429, &[("retry-after-ms", "200")], rate), good()]).await;
    provider
        .model("m")
        .chat(&ChatRequest::user("x"))
        .await
        .unwrap();
    let seen = server.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(195));
}

#[tokio::test]
async fn the_limits_that_a_server_tells_can_be_read() {
    let headers = [
        ("anthropic-ratelimit-requests-limit", "600"),
        ("anthropic-ratelimit-input-tokens-limit", "90000"),
        ("anthropic-ratelimit-output-tokens-limit", "6000"),
    ];
    let server = Server::start([reply(401, &headers, "{}")]).await;
    let mut config = config(ProviderKind::Anthropic, &server.url);
    config.limits.requests_per_minute = Some(300);
    let provider = provider(config);
    let told = || {
        let now = provider.limiter().snapshot();
        [
            now.requests_per_minute,
            now.tokens_per_minute,
            now.output_tokens_per_minute,
        ]
    };
    assert_eq!(told(), [Some(300.0), None, None]);
    let model = provider.model("claude-opus-4-5");
    model.chat(&ChatRequest::user("x")).await.unwrap_err();
    // What is configured is a ceiling.
    assert_eq!(told(), [Some(300.0), Some(90_000.0), Some(6_000.0)]);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = Server::start([slow(Duration::from_mins(1), good())]).await;
    let mut config = config(ProviderKind::Compatible, &server.url);
    config.http.timeout = Duration::from_millis(100);
    config.retry.max_attempts = 2;
    let begin = Instant::now();
    let error = provider(config)
        .model("m")
        .chat(&ChatRequest::user("x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::Transport);
    assert!(error.to_string().contains("within 0.1 s"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn no_server_is_a_transport_error_that_names_the_host_only() {
    let mut config = config(ProviderKind::OpenAi, "http://127.0.0.1:9");
    config.retry.max_attempts = 1;
    let error = provider(config)
        .model("gpt-4o")
        .chat(&ChatRequest::user("x"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "openai: cannot connect to 127.0.0.1:9");
}

#[tokio::test]
async fn connections_are_reused_and_headers_are_right() {
    let server = Server::start([good()]).await;
    let config = config(ProviderKind::Compatible, &format!("{}/v1/", server.url))
        .with_header("X-Extra", "1");
    let model = provider(config).model("m");
    for _ in 0..20 {
        model.chat(&ChatRequest::user("x")).await.unwrap();
    }
    assert_eq!((server.count(), server.connections()), (20, 1));
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/v1/chat/completions")
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["accept-encoding"], "gzip");
    assert_eq!(seen.headers["x-extra"], "1");
    assert!(seen.headers["user-agent"].starts_with("specstress-providers/"));
}

#[tokio::test]
async fn each_kind_sends_its_own_key_header() {
    for (kind, header) in [
        (ProviderKind::Anthropic, "x-api-key"),
        (ProviderKind::Gemini, "x-goog-api-key"),
    ] {
        let server = Server::start([reply(401, &[], "{}")]).await;
        let model = provider(config(kind, &server.url)).model("m");
        model.chat(&ChatRequest::user("x")).await.unwrap_err();
        let seen = &server.seen()[0];
        assert_eq!(seen.headers[header], KEY);
        assert!(!seen.headers.contains_key("authorization"));
        assert!(!seen.path.contains("key"), "{}", seen.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_with_faults_are_each_answered_once() {
    let rate = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    let mut script = Vec::new();
    for at in 0..300 {
        script.push(match at % 20 {
            3 => reply(429, &[("retry-after", "0.01")], rate),
            7 => reply(529, &[], "{}"),
            11 => Act::HalfReply,
            15 => reply(200, &[], "{\"cho"),
            _ => slow(Duration::from_millis(2), good()),
        });
    }
    script.push(good());
    let (server, provider) = compatible(script).await;
    let model = Arc::new(provider.model("m"));
    let calls: Vec<_> = (0..300)
        .map(|at| {
            let model = Arc::clone(&model);
            tokio::spawn(async move { model.chat(&ChatRequest::user(format!("{at}"))).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text, "hi");
    }
    assert_eq!(server.count() as u64, 300 + provider.stats().retries);
    let limiter = provider.limiter().snapshot();
    assert_eq!(
        (limiter.completed, limiter.in_flight, limiter.waiting),
        (300, 0, 0)
    );
    assert!(limiter.throttled > 0 && limiter.concurrency >= 1);
}

#[tokio::test]
async fn embeddings_are_split_into_batches_in_order() {
    let vector = |index: usize, x: f32, y: f32| serde_json::json!({"object": "embedding", "index": index, "embedding": [x, y]});
    let body = |data: Vec<serde_json::Value>| {
        serde_json::json!({"object": "list", "data": data, "model": "e", "usage": {"prompt_tokens": 2, "total_tokens": 2}}).to_string()
    };
    let server = Server::start([
        reply(
            200,
            &[],
            body(vec![vector(1, 0.0, 2.0), vector(0, 3.0, 0.0)]),
        ),
        reply(200, &[], body(vec![vector(0, 0.0, -1.0)])),
    ])
    .await;
    let mut config = config(ProviderKind::Compatible, &server.url);
    config.wire.compat.max_embedding_inputs = Some(2);
    let embedder = provider(config).embedder("e").unwrap();
    assert_eq!(embedder.max_batch(), 2);
    let vectors = embedder
        .embed(&EmbeddingRequest::new(["a", "b", "c"]))
        .await
        .unwrap();
    assert_eq!(vectors, [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]);
    assert_eq!(server.count(), 2);
    let error = embedder
        .embed(&EmbeddingRequest::new(["a", " "]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::BadRequest);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn models_are_checked_at_their_provider() {
    let ends = r#"{"id":"o3-2025-04-16","object":"model","shutdown_date":"2020-01-01"}"#;
    let server = Server::start([reply(200, &[], ends)]).await;
    let status = provider(config(ProviderKind::OpenAi, &server.url))
        .check_model("o3-2025-04-16")
        .await
        .unwrap();
    assert_eq!(status.state, ModelState::Retired);
    assert_eq!(server.seen()[0].path, "/v1/models/o3-2025-04-16");
    assert_eq!(server.seen()[0].method, "GET");

    let server = Server::start([reply(
        404,
        &[],
        r#"{"type":"error","error":{"type":"not_found_error","message":"m"}}"#,
    )])
    .await;
    let status = provider(config(ProviderKind::Anthropic, &server.url))
        .check_model("claude-3-opus-20240229")
        .await
        .unwrap();
    assert_eq!(status.state, ModelState::Missing);
    assert_eq!(server.seen()[0].headers["anthropic-version"], "2023-06-01");

    let list = r#"{"object":"list","data":[{"id":"qwen"}]}"#;
    let server = Server::start([reply(404, &[], "no"), reply(200, &[], list)]).await;
    let local = provider(config(ProviderKind::Compatible, &server.url));
    assert_eq!(
        local.check_model("qwen").await.unwrap().state,
        ModelState::Available
    );
    assert_eq!(
        local.check_model("other").await.unwrap().state,
        ModelState::Missing
    );

    let server = Server::start([reply(404, &[], "no")]).await;
    let silent = provider(config(ProviderKind::Compatible, &server.url));
    assert_eq!(
        silent.check_model("qwen").await.unwrap().state,
        ModelState::Unknown
    );
}
