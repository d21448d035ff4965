use specstress_llm::{ChatModel as _, ChatRequest, LlmErrorKind};
use specstress_providers::{Provider, ProviderKind};

use crate::server::{Server, reply};
use crate::{completion, config, provider};

#[tokio::test]
async fn what_was_recorded_is_answered_without_a_server_or_key() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start([
        reply(529, &[], "{}"),
        reply(200, &[("x-request-id", "req_7")], completion("one")),
        reply(200, &[], completion("two")),
    ])
    .await;
    let requests = [
        ChatRequest::user("a"),
        ChatRequest::user("a").with_sample(1),
    ];
    let recorder = provider(config(ProviderKind::Compatible, &server.url).with_record(dir.path()));
    let mut originals = Vec::new();
    for request in &requests {
        originals.push(recorder.model("m").chat(request).await.unwrap());
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);

    let offline = config(ProviderKind::Compatible, "http://127.0.0.1:9").with_replay(dir.path());
    let replayer = Provider::new(offline.with_key_env("SPECSTRESS_TEST_NEVER_SET")).unwrap();
    for (request, original) in requests.iter().zip(&originals) {
        assert_eq!(&replayer.model("m").chat(request).await.unwrap(), original);
    }
    assert_eq!(originals[0].request_id.as_deref(), Some("req_7"));
    let miss = replayer
        .model("m")
        .chat(&ChatRequest::user("b"))
        .await
        .unwrap_err();
    assert_eq!(miss.kind(), LlmErrorKind::BadRequest);
    assert!(miss.to_string().contains("record it first"), "{miss}");
    assert_eq!(server.count(), 3);
}
