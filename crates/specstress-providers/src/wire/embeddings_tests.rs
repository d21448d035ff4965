use super::*;
use crate::catalog::ProviderKind;
use crate::wire::test_support::{embedder_with, known, reply, unknown};

fn large() -> ModelInfo {
    known("openai/text-embedding-3-large")
}

fn read(asked: usize, body: &Value) -> Result<Vec<Embedding>, LlmError> {
    embedder_with(ProviderKind::OpenAi, "{}")
        .response(&large(), asked, &reply(200, &body.to_string()))
        .map(|embedded| embedded.vectors)
}

#[test]
fn openai_asks_for_floats() {
    let wire = embedder_with(ProviderKind::OpenAi, "{}");
    let mut request = EmbeddingRequest::new(["a", "b"]);
    let sent = wire.request(&large(), &request).unwrap();
    assert_eq!(sent.path, "/embeddings");
    assert_eq!(
        sent.body,
        json!({"model": "text-embedding-3-large", "input": ["a", "b"], "encoding_format": "float"})
    );
    request.dimensions = Some(256);
    assert_eq!(
        wire.request(&large(), &request).unwrap().body["dimensions"],
        256
    );
    request.dimensions = Some(4_000);
    let error = wire.request(&large(), &request).unwrap_err().to_string();
    assert!(error.contains("4000") && error.contains("3072"), "{error}");
}

#[test]
fn wrong_requests_are_named() {
    let wire = embedder_with(
        ProviderKind::OpenAi,
        r#"{"compat": {"max_embedding_inputs": 2}}"#,
    );
    let texts = |texts: &[&str]| EmbeddingRequest::new(texts.iter().copied());
    for (request, says) in [
        (texts(&[]), "no text"),
        (texts(&["a", ""]), "text 2 is empty"),
        (texts(&["a", "b", "c"]), "it takes 2"),
    ] {
        let error = wire.request(&large(), &request).unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::BadRequest);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn gemini_repeats_the_model_and_puts_the_task_where_it_belongs() {
    let wire = embedder_with(
        ProviderKind::Gemini,
        r#"{"embedding_task": "CODE_RETRIEVAL_QUERY"}"#,
    );
    let mut request = EmbeddingRequest::new(["a", "b"]);
    request.dimensions = Some(768);
    let sent = wire
        .request(&known("gemini/gemini-embedding-001"), &request)
        .unwrap();
    assert_eq!(sent.path, "/models/gemini-embedding-001:batchEmbedContents");
    let one = |text: &str| {
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
            "taskType": "CODE_RETRIEVAL_QUERY", "outputDimensionality": 768})
    };
    assert_eq!(sent.body, json!({"requests": [one("a"), one("b")]}));
    let second = wire
        .request(
            &known("gemini/gemini-embedding-2"),
            &EmbeddingRequest::new(["a"]),
        )
        .unwrap();
    assert_eq!(
        second.body["requests"][0],
        json!({"model": "models/gemini-embedding-2",
            "content": {"parts": [{"text": "task: code retrieval query | query: a"}]}})
    );
}

#[test]
fn vectors_come_back_in_order_and_of_unit_norm() {
    let body = json!({"model": "text-embedding-3-large", "data": [
        {"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [3.0, 4.0]}]});
    assert_eq!(read(2, &body).unwrap(), [vec![0.6, 0.8], vec![0.0, 1.0]]);
    let unnumbered = json!({"data": [{"embedding": [1, 0]}, {"embedding": [0, 1]}]});
    assert_eq!(
        read(2, &unnumbered).unwrap(),
        [vec![1.0, 0.0], vec![0.0, 1.0]]
    );
    let gemini = embedder_with(ProviderKind::Gemini, "{}")
        .response(
            &known("gemini/gemini-embedding-001"),
            1,
            &reply(200, r#"{"embeddings":[{"values":[0,-5]}]}"#),
        )
        .unwrap();
    assert_eq!(gemini.vectors, [vec![0.0, -1.0]]);
    assert_eq!(gemini.tokens, None);
    let counted =
        json!({"data": [{"embedding": [1, 0]}], "usage": {"prompt_tokens": 7, "total_tokens": 7}});
    let counted = embedder_with(ProviderKind::OpenAi, "{}")
        .response(&large(), 1, &reply(200, &counted.to_string()))
        .unwrap();
    assert_eq!(counted.tokens, Some(7));
}

#[test]
fn requests_are_no_larger_than_their_replies_may_be() {
    let batch = |id: &str, options: &str| {
        let options = serde_json::from_str(options).unwrap();
        embedding_batch(&known(id), &options)
    };
    // 2,048 vectors of 3,072 numbers would be a hundred megabytes of JSON.
    assert_eq!(batch("openai/text-embedding-3-large", "{}"), 341);
    assert_eq!(batch("gemini/gemini-embedding-001", "{}"), 100);
    let switch = r#"{"compat": {"max_embedding_inputs": 16}}"#;
    assert_eq!(batch("openai/text-embedding-3-small", switch), 16);
}

#[test]
fn wrong_counts_indices_and_vectors_are_bad_replies() {
    let row = |index: i64, embedding: Value| json!({"index": index, "embedding": embedding});
    let ok = || json!([1.0, 0.0]);
    for data in [
        json!([row(0, ok())]),
        json!([row(0, ok()), row(1, ok()), row(2, ok())]),
        json!([row(0, ok()), row(0, ok())]),
        json!([row(0, ok()), row(5, ok())]),
        json!([row(0, ok()), row(-1, ok())]),
        json!([row(0, ok()), row(1, json!([0.0, 0.0]))]),
        json!([row(0, ok()), row(1, json!([1.0]))]),
        json!([row(0, ok()), row(1, json!([]))]),
        json!([row(0, ok()), row(1, json!(["1", 2]))]),
        json!([row(0, ok()), row(1, json!("AAAA"))]),
        json!([row(0, ok()), row(1, json!([1e308, 1e308]))]),
        Value::Null,
    ] {
        let error = read(2, &json!({"data": data})).unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::BadReply, "{data}");
    }
    let other = json!({"model": "text-embedding-3-small", "data": [row(0, ok())]});
    assert_eq!(
        read(1, &other).unwrap_err().kind(),
        LlmErrorKind::WrongModel
    );
    let short = embedder_with(ProviderKind::Gemini, "{}").response(
        &unknown(ProviderKind::Gemini),
        2,
        &reply(200, r#"{"embeddings":[{"values":[1]}]}"#),
    );
    assert_eq!(short.unwrap_err().kind(), LlmErrorKind::BadReply);
}

#[test]
fn errors_are_those_of_chat() {
    let body =
        r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let error = embedder_with(ProviderKind::OpenAi, "{}")
        .response(&large(), 1, &reply(429, body))
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::QuotaExhausted);
}
