//! The contract as a caller meets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::future::{join, poll_fn};
use serde::Deserialize;
use specstress_llm::{
    CallReply, CallStore, ChatModel, ChatModelExt, ChatRequest, ChatResponse, Embedding,
    EmbeddingModel, EmbeddingRequest, FinishReason, LlmError, LlmErrorKind, MemoryStore, ModelId,
    OutcomeKind, Recorder, RequestKey, Role, ScriptedModel, StoreError, StoredCall, Unanswered,
};

#[derive(Debug, Deserialize, PartialEq)]
struct Score {
    score: u8,
}

#[test]
fn a_dyn_model_serves_generic_callers() {
    let model: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new("demo/m").reply("{\"score\": 2}"));
    let score: Score = block_on(model.decode_json(&ChatRequest::user("rate"), 0)).unwrap();
    assert_eq!(score, Score { score: 2 });
}

#[test]
fn a_reask_shows_the_model_its_reply_and_the_error() {
    let model = ScriptedModel::new("demo/m")
        .reply("four")
        .reply("{\"score\": \"four\"}")
        .reply("{\"score\": 4}");
    let score: Score = block_on(model.decode_json(&ChatRequest::user("rate"), 2)).unwrap();
    assert_eq!(score.score, 4);
    let requests = model.requests();
    assert_eq!(requests.len(), 3);
    let last = &requests[2].messages;
    assert_eq!(last.len(), 5);
    assert_eq!(last[1].role, Role::Assistant);
    assert_eq!(last[1].text(), "four");
    assert!(last[2].text().contains("no JSON object"), "{last:?}");
    assert!(last[4].text().contains("invalid type: string"), "{last:?}");
}

#[test]
fn reasks_are_bounded_and_keep_the_last_reply() {
    let model = ScriptedModel::new("demo/m")
        .reply("a")
        .reply("b")
        .reply("c");
    let result: Result<Score, _> = block_on(model.decode_json(&ChatRequest::user("rate"), 1));
    match result {
        Err(Unanswered::Unparsable { raw, attempts, .. }) => {
            assert_eq!((raw.as_str(), attempts), ("b", 2));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(model.requests().len(), 2);
}

#[test]
fn an_empty_reply_is_asked_again_in_one_user_turn() {
    let model = ScriptedModel::new("demo/m")
        .reply("")
        .reply("{\"score\": 1}");
    let score: Score = block_on(model.decode_json(&ChatRequest::user("rate"), 1)).unwrap();
    assert_eq!(score.score, 1);
    let second = &model.requests()[1].messages;
    assert_eq!(second.len(), 1, "two user turns in a row: {second:?}");
    assert!(second[0].text().starts_with("rate"));
}

#[test]
fn refusals_and_cuts_are_outcomes_and_never_asked_again() {
    for (finish, kind) in [
        (FinishReason::Length, OutcomeKind::Truncated),
        (
            FinishReason::Blocked {
                category: "SAFETY".into(),
            },
            OutcomeKind::Blocked,
        ),
    ] {
        let model = ScriptedModel::new("demo/m").respond(Ok(ChatResponse {
            finish,
            ..ChatResponse::stop("m", "{\"score\": 1}")
        }));
        let result: Result<Score, _> = block_on(model.decode_json(&ChatRequest::user("rate"), 3));
        assert_eq!(result.unwrap_err().kind(), kind);
        assert_eq!(model.requests().len(), 1);
    }
}

#[test]
fn an_error_is_a_failure_not_a_reask() {
    let model = ScriptedModel::new("demo/m").respond(Err(LlmError::new(
        LlmErrorKind::BadRequest,
        "no such parameter",
    )));
    let result = block_on(model.answer(&ChatRequest::user("x")));
    assert_eq!(result.unwrap_err().kind(), OutcomeKind::Failed);
}

#[test]
fn recorded_failures_are_not_stored() {
    let store = Arc::new(MemoryStore::default());
    let recorder = Recorder::new(store.clone());
    let model = recorder.wrap(
        ScriptedModel::new("demo/m")
            .respond(Err(LlmError::new(LlmErrorKind::Unavailable, "overloaded")))
            .reply("fine"),
    );
    let request = ChatRequest::user("x");
    assert!(block_on(model.chat(&request)).is_err());
    assert!(store.is_empty());
    assert_eq!(block_on(model.chat(&request)).unwrap().text, "fine");
    let counts = recorder.counts();
    assert_eq!((counts.made(), counts.failed(), counts.stored()), (1, 1, 0));
}

/// Gives way once before it answers, so that a second request overtakes the first.
#[derive(Debug)]
struct Slow {
    id: ModelId,
    calls: AtomicUsize,
}

#[async_trait]
impl ChatModel for Slow {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn chat(&self, _: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(ChatResponse::stop("slow", format!("answer {call}")))
    }
}

#[test]
fn equal_requests_in_flight_become_one_call() {
    let recorder = Recorder::new(Arc::new(MemoryStore::default()));
    let model = recorder.wrap(Slow {
        id: ModelId::new("demo", "slow"),
        calls: AtomicUsize::new(0),
    });
    let request = ChatRequest::user("same");
    let other = ChatRequest::user("other");
    let ((first, second), third) = block_on(join(
        join(model.chat(&request), model.chat(&request)),
        model.chat(&other),
    ));
    assert_eq!(first.unwrap().text, second.unwrap().text);
    assert!(third.is_ok());
    assert_eq!(recorder.counts().made(), 2);
}

#[test]
fn after_a_stop_only_stored_replies_are_served() {
    let recorder = Recorder::new(Arc::new(MemoryStore::default()));
    let model = recorder.wrap(ScriptedModel::new("demo/m").reply("kept").reply("lost"));
    let (asked, new) = (ChatRequest::user("asked"), ChatRequest::user("new"));
    block_on(model.chat(&asked)).unwrap();
    recorder.stop_signal().stop();
    assert_eq!(block_on(model.chat(&asked)).unwrap().text, "kept");
    let refused = block_on(model.chat(&new)).unwrap_err();
    assert_eq!(refused.kind(), LlmErrorKind::Stopped);
    assert_eq!(recorder.counts().made(), 1);
}

#[derive(Debug)]
struct FullDisk;

#[async_trait]
impl CallStore for FullDisk {
    async fn get(&self, _: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        Ok(None)
    }

    async fn put(&self, _: StoredCall) -> Result<(), StoreError> {
        Err(StoreError::new("cannot write the reply", "disk full"))
    }
}

#[test]
fn a_store_that_cannot_write_stops_the_run() {
    let recorder = Recorder::new(Arc::new(FullDisk));
    let model = recorder.wrap(ScriptedModel::new("demo/m").reply("paid for"));
    let error = block_on(model.chat(&ChatRequest::user("x"))).unwrap_err();
    assert!(error.is_fatal());
    let causes: Vec<String> =
        std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source())
            .map(ToString::to_string)
            .collect();
    assert_eq!(causes.last().unwrap(), "disk full");
}

#[derive(Debug)]
struct Lengths {
    id: ModelId,
    batches: std::sync::Mutex<Vec<usize>>,
}

#[async_trait]
impl EmbeddingModel for Lengths {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        self.batches
            .lock()
            .expect("not poisoned")
            .push(request.texts.len());
        Ok(request.texts.iter().map(|t| vec![t.len() as f32]).collect())
    }

    fn max_batch(&self) -> usize {
        2
    }
}

#[test]
fn only_texts_without_a_vector_are_embedded_and_order_holds() {
    let recorder = Recorder::new(Arc::new(MemoryStore::default()));
    let lengths = Arc::new(Lengths {
        id: ModelId::new("demo", "lengths"),
        batches: std::sync::Mutex::default(),
    });
    let model = recorder.wrap(Arc::clone(&lengths));
    let embed = |texts: &[&str]| {
        block_on(model.embed(&EmbeddingRequest::new(texts.iter().copied()))).unwrap()
    };
    assert_eq!(embed(&["a", "bb", "ccc"]), [[1.0], [2.0], [3.0]]);
    assert_eq!(
        embed(&["dddd", "bb", "eeeee", "a"]),
        [[4.0], [2.0], [5.0], [1.0]]
    );
    assert_eq!(*lengths.batches.lock().unwrap(), [2, 1, 2]);
    // The same text twice is one call.
    assert_eq!(embed(&["ffffff", "ffffff"]), [[6.0], [6.0]]);
    assert_eq!(*lengths.batches.lock().unwrap(), [2, 1, 2, 1]);
}

#[test]
fn contract_types_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<ChatRequest>();
    check::<ChatResponse>();
    check::<LlmError>();
    check::<Unanswered>();
    check::<Recorder>();
    check::<specstress_llm::Recorded<Arc<dyn ChatModel>>>();
    check::<ScriptedModel>();
    check::<specstress_llm::Prompt>();
}
