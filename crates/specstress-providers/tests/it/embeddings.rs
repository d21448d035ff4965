use specstress_llm::{EmbeddingModel as _, EmbeddingRequest, LlmErrorKind};
use specstress_providers::ProviderKind;

use crate::server::{Act, Server, reply};
use crate::{config, provider};

/// Vectors of this length, one per text.
fn vectors(texts: usize, length: usize) -> Act {
    let data: Vec<_> = (0..texts)
        .map(|index| serde_json::json!({"index": index, "embedding": vec![1.0; length]}))
        .collect();
    let usage = serde_json::json!({"prompt_tokens": 500_000, "total_tokens": 500_000});
    reply(
        200,
        &[],
        serde_json::json!({"data": data, "usage": usage}).to_string(),
    )
}

#[tokio::test]
async fn a_server_that_ignores_dimensions_is_caught_after_one_request() {
    let server = Server::start([vectors(1, 8)]).await;
    let mut config = config(ProviderKind::Compatible, &server.url);
    config.wire.compat.max_embedding_inputs = Some(1);
    let embedder = provider(config).embedder("bge").unwrap();
    let mut request = EmbeddingRequest::new(["a", "b", "c"]);
    request.dimensions = Some(4);
    let error = embedder.embed(&request).await.unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::BadReply);
    assert!(error.to_string().contains("ignores dimensions"), "{error}");
    assert_eq!(server.count(), 1);
    request.dimensions = Some(8);
    assert_eq!(embedder.embed(&request).await.unwrap().len(), 3);
    request.dimensions = None;
    assert_eq!(embedder.embed(&request).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_has_no_more_tokens_than_the_model_takes_at_once() {
    let server = Server::start([vectors(2, 4), vectors(1, 4)]).await;
    let provider = provider(config(ProviderKind::OpenAi, &server.url));
    let embedder = provider.embedder("text-embedding-3-small").unwrap();
    // 400,000 bytes are 100,000 tokens at least; three of them may be more than 300,000.
    let long = "tokens! ".repeat(50_000);
    let request = EmbeddingRequest::new([long.clone(), long.clone(), long]);
    assert_eq!(embedder.embed(&request).await.unwrap().len(), 3);
    let texts: Vec<usize> = server
        .seen()
        .iter()
        .map(|seen| serde_json::from_str::<serde_json::Value>(&seen.body).unwrap())
        .map(|body| body["input"].as_array().unwrap().len())
        .collect();
    assert_eq!(texts, [2, 1]);
    // Twice 500,000 tokens at 0.02 dollars a million.
    let stats = provider.stats();
    assert!((stats.cost_usd - 0.02).abs() < 1e-9, "{stats:?}");
    assert_eq!((stats.calls, stats.unpriced), (2, 0));
}

#[tokio::test]
async fn gemini_is_not_given_texts_that_it_would_cut() {
    let server = Server::start([reply(500, &[], "not to be asked")]).await;
    let provider = provider(config(ProviderKind::Gemini, &server.url));
    let embedder = provider.embedder("gemini-embedding-001").unwrap();
    let request = EmbeddingRequest::new(["short".to_owned(), "long text ".repeat(1_000)]);
    let error = embedder.embed(&request).await.unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::BadRequest);
    assert!(
        error
            .to_string()
            .contains("text 1 (from 0) has about 2500 tokens"),
        "{error}"
    );
    assert_eq!(server.count(), 0);
}
