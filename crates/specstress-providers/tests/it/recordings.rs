use specstress_llm::{
    BatchModel as _, BatchState, BatchTag, ChatModel as _, ChatRequest, LlmErrorKind, RequestKey,
};
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

#[tokio::test]
async fn a_recorded_batch_is_replayed_from_creation_to_results() {
    let dir = tempfile::tempdir().unwrap();
    let json = |body: serde_json::Value| reply(200, &[], body.to_string());
    let request = ChatRequest::user("a");
    let tag = BatchTag::from_recorded("specstress-1");
    let server = Server::start([]).await;
    let record = config(ProviderKind::OpenAi, &server.url).with_record(dir.path());
    let recorder = provider(record).batch_model("gpt-4o").unwrap();
    let key = RequestKey::chat(recorder.id(), &request);
    let mut body: serde_json::Value = serde_json::from_str(&completion("one")).unwrap();
    body["model"] = "gpt-4o".into();
    let ended = serde_json::json!({"id": "b1", "status": "completed", "output_file_id": "f2"});
    server.script([
        json(serde_json::json!({"id": "f1"})),
        json(serde_json::json!({"id": "b1"})),
        json(serde_json::json!({"id": "b1", "status": "in_progress"})),
        json(ended.clone()),
        json(ended),
        json(serde_json::json!({"custom_id": key, "response": {"status_code": 200, "body": body}})),
    ]);
    let lines = [recorder.encode(&key, &request).unwrap()];
    assert_eq!(recorder.create(&tag, &lines).await.unwrap(), "b1");
    assert_eq!(
        recorder.status("b1").await.unwrap().state,
        BatchState::Running
    );
    assert_eq!(
        recorder.status("b1").await.unwrap().state,
        BatchState::Ended
    );
    let first = recorder
        .results("b1", None)
        .await
        .unwrap()
        .items
        .remove(0)
        .1
        .unwrap();

    let offline = config(ProviderKind::OpenAi, "http://127.0.0.1:9").with_replay(dir.path());
    let replayer = Provider::new(offline)
        .unwrap()
        .batch_model("gpt-4o")
        .unwrap();
    assert_eq!(replayer.create(&tag, &lines).await.unwrap(), "b1");
    assert_eq!(
        replayer.status("b1").await.unwrap().state,
        BatchState::Ended
    );
    let again = replayer
        .results("b1", None)
        .await
        .unwrap()
        .items
        .remove(0)
        .1
        .unwrap();
    assert_eq!(again, first);
    // Another tag is another batch.
    let other = BatchTag::from_recorded("specstress-2");
    assert!(replayer.create(&other, &lines).await.is_err());
}
