//! The call store on real files.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::executor::block_on;
use futures::future::join_all;
use proptest::prelude::*;
use rusqlite::Connection;
use specstress_llm::{
    CallMode, CallReply, CallRequest, CallStore, ChatRequest, ChatResponse, Effort, FinishReason,
    ModelId, OutcomeKind, RequestKey, ResponseSchema, SharedText, StoredCall, Usage,
};
use specstress_pipeline::{PipelineError, SqliteStore};

fn model() -> ModelId {
    ModelId::new("fake", "model")
}

fn chat(request: ChatRequest, response: ChatResponse) -> StoredCall {
    StoredCall {
        key: RequestKey::chat(&model(), &request),
        model: model(),
        request: CallRequest::Chat(request),
        reply: CallReply::Chat(response),
        mode: CallMode::Live,
        cost_usd: None,
    }
}

fn embedding(text: &str, vector: Vec<f32>) -> StoredCall {
    let model = ModelId::new("fake", "embedder");
    StoredCall {
        key: RequestKey::embedding(&model, None, text),
        model,
        request: CallRequest::Embedding {
            text: text.to_owned(),
            dimensions: None,
        },
        reply: CallReply::Embedding(vector),
        mode: CallMode::Live,
        cost_usd: None,
    }
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("calls.sqlite");
    (dir, path)
}

fn get(store: &SqliteStore, call: &StoredCall) -> Option<CallReply> {
    block_on(store.get(&call.key)).unwrap()
}

fn put(store: &SqliteStore, call: &StoredCall) {
    block_on(store.put(call.clone())).unwrap();
}

fn count(path: &Path, table: &str) -> u64 {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get::<_, u32>(0)
        })
        .unwrap()
        .into()
}

#[test]
fn replies_survive_the_store_that_took_them() {
    let (_dir, path) = fresh();
    let request = ChatRequest::user("How?")
        .with_system(SharedText::new("a long spec"))
        .with_assistant("What?")
        .with_user("That.")
        .with_temperature(0.3)
        .with_effort(Effort::High)
        .with_schema(ResponseSchema {
            name: "s".to_owned(),
            schema: serde_json::json!({"type": "object"}),
        });
    let response = ChatResponse {
        finish: FinishReason::Blocked {
            category: "SAFETY".to_owned(),
        },
        usage: Usage {
            input: 10,
            cached_input: 20,
            cache_write: 3,
            output: 4,
            reasoning: 50,
        },
        request_id: Some("req_1".to_owned()),
        cost_usd: Some(0.125),
        raw: "{\"zwölf\": \"\\u0000\u{1f600}\"}".to_owned(),
        ..ChatResponse::stop("model-2026", "")
    };
    let calls = [
        chat(request, response),
        chat(
            ChatRequest::user("").with_sample(3),
            ChatResponse::stop("m", "plain"),
        ),
        embedding("text", vec![0.6, -0.8, f32::MIN_POSITIVE, 0.0]),
        embedding("empty", Vec::new()),
    ];
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.path(), path);
    for call in &calls {
        assert_eq!(get(&store, call), None);
        put(&store, call);
        assert_eq!(get(&store, call).as_ref(), Some(&call.reply));
    }
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    for call in &calls {
        assert_eq!(get(&store, call).as_ref(), Some(&call.reply));
    }
    let summary = SqliteStore::summary(&path).unwrap();
    assert_eq!(summary.len(), 2);
    assert_eq!(
        (
            summary[0].model.as_str(),
            summary[0].calls,
            summary[0].cost_usd
        ),
        ("fake/embedder", 2, None)
    );
    assert_eq!((summary[1].calls, summary[1].cost_usd), (2, Some(0.125)));
    assert_eq!(
        (summary[1].input_tokens, summary[1].output_tokens),
        (33, 54)
    );
}

#[test]
fn the_first_reply_wins() {
    let (_dir, path) = fresh();
    let store = SqliteStore::open(&path).unwrap();
    let request = ChatRequest::user("once");
    let first = chat(request.clone(), ChatResponse::stop("m", "first"));
    let second = chat(request, ChatResponse::stop("m", "second"));
    put(&store, &first);
    put(&store, &second);
    assert_eq!(get(&store, &second), Some(first.reply));
    assert_eq!(count(&path, "calls"), 1);
}

#[test]
fn a_shared_text_is_stored_once() {
    let (_dir, path) = fresh();
    let store = SqliteStore::open(&path).unwrap();
    // Digests do not compress, so that the text's size shows in the file's.
    let spec: String = (0..2000)
        .map(|at| RequestKey::chat(&model(), &ChatRequest::user(at.to_string())).to_string())
        .collect();
    let shared = SharedText::new(spec);
    let puts = (0..200).map(|at| {
        let request = ChatRequest::user(format!("question {at}")).with_system(shared.clone());
        store.put(chat(request, ChatResponse::stop("m", "verdict")))
    });
    for result in block_on(join_all(puts)) {
        result.unwrap();
    }
    drop(store);
    assert_eq!((count(&path, "texts"), count(&path, "calls")), (1, 200));
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 3 * 128_000, "{bytes} bytes for a text of 128,000");
}

#[test]
fn a_newer_store_is_refused_and_not_touched() {
    let (_dir, path) = fresh();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE future (x); PRAGMA user_version = 4;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(
        error,
        PipelineError::NewerFormat {
            found: 4,
            supported: 3,
            ..
        }
    ));
    let summary = SqliteStore::summary(&path).unwrap_err();
    assert!(matches!(summary, PipelineError::NewerFormat { .. }));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn what_is_no_database_is_named() {
    let (_dir, path) = fresh();
    std::fs::write(
        &path,
        "this is text, and more of it than a header has".repeat(10),
    )
    .unwrap();
    for error in [
        SqliteStore::open(&path).unwrap_err(),
        SqliteStore::summary(&path).unwrap_err(),
    ] {
        assert!(matches!(error, PipelineError::Store { .. }));
        let message = error.to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(
            error
                .source()
                .unwrap()
                .to_string()
                .contains("not a database")
        );
    }
    let missing = path.with_file_name("missing.sqlite");
    assert!(SqliteStore::summary(&missing).is_err());
    assert!(!missing.exists(), "a reader makes no file");
}

#[test]
fn a_damaged_reply_is_an_error_with_its_key() {
    let (_dir, path) = fresh();
    let spoilt = [
        chat(ChatRequest::user("a"), ChatResponse::stop("m", "answer")),
        chat(ChatRequest::user("b"), ChatResponse::stop("m", "answer")),
        embedding("c", vec![1.0, 0.0]),
    ];
    let whole = embedding("d", vec![1.0, 0.0]);
    let store = SqliteStore::open(&path).unwrap();
    spoilt
        .iter()
        .chain([&whole])
        .for_each(|call| put(&store, call));
    drop(store);
    let connection = Connection::open(&path).unwrap();
    let bodies = [
        vec![0; 7],
        zstd::encode_all(&b"{\"text\": 7}"[..], 3).unwrap(),
        zstd::encode_all(&[1_u8, 2, 3][..], 3).unwrap(),
    ];
    for (call, body) in spoilt.iter().zip(bodies) {
        let key = call.key.as_bytes().as_slice();
        let changed = connection
            .execute("UPDATE calls SET reply = ?1 WHERE key = ?2", (body, key))
            .unwrap();
        assert_eq!(changed, 1);
    }
    drop(connection);
    let store = SqliteStore::open(&path).unwrap();
    for call in &spoilt {
        let error = block_on(store.get(&call.key)).unwrap_err();
        let message = format!("call store: reply of {} is damaged", call.key);
        assert_eq!(error.to_string(), message);
        assert!(error.source().is_some());
    }
    assert_eq!(get(&store, &whole), Some(whole.reply));
}

#[test]
fn ten_thousand_puts_of_eight_threads_are_all_there() {
    const THREADS: u32 = 8;
    const EACH: u32 = 1250;
    let (_dir, path) = fresh();
    let store = SqliteStore::open(&path).unwrap();
    let call = |at: u32| {
        let request = ChatRequest::user(format!("question {at}"));
        chat(request, ChatResponse::stop("m", format!("answer {at}")))
    };
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // Somebody else looks on meanwhile, by a connection of its own.
        let onlooker = scope.spawn(|| {
            let mut seen = 0;
            let mut looks = 0;
            while writing.load(Ordering::SeqCst) {
                let now = SqliteStore::summary(&path)
                    .unwrap()
                    .iter()
                    .map(|m| m.calls)
                    .sum();
                assert!(now >= seen, "{now} after {seen}");
                (seen, looks) = (now, looks + 1);
            }
            looks
        });
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (store, call) = (&store, &call);
                scope.spawn(move || {
                    let puts = (0..EACH).map(|at| store.put(call(thread * EACH + at)));
                    for result in block_on(join_all(puts)) {
                        result.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::SeqCst);
        assert!(onlooker.join().unwrap() > 0);
    });
    for at in 0..THREADS * EACH {
        let call = call(at);
        assert_eq!(get(&store, &call), Some(call.reply));
    }
    drop(store);
    assert_eq!(SqliteStore::summary(&path).unwrap()[0].calls, 10_000);
}

#[test]
fn puts_into_a_store_that_cannot_be_written_fail_cleanly() {
    let (_dir, path) = fresh();
    let store = SqliteStore::open(&path).unwrap();
    let before = chat(ChatRequest::user("before"), ChatResponse::stop("m", "kept"));
    put(&store, &before);
    // A schema that refuses rows stands for a disk that does: permissions do not bind every user.
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON calls
             BEGIN SELECT RAISE(ABORT, 'no room'); END;",
        )
        .unwrap();
    let lost = chat(ChatRequest::user("lost"), ChatResponse::stop("m", "gone"));
    let error = block_on(store.put(lost.clone())).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("call store: cannot write a reply")
    );
    assert!(error.source().unwrap().to_string().contains("no room"));
    assert_eq!(get(&store, &before), Some(before.reply.clone()));
    assert_eq!(get(&store, &lost), None);
    // The writer lives on and takes replies again once there is room.
    Connection::open(&path)
        .unwrap()
        .execute_batch("DROP TRIGGER full")
        .unwrap();
    put(&store, &lost);
    assert_eq!(get(&store, &lost), Some(lost.reply));
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nowhere/calls.sqlite");
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("call store {}: cannot open", path.display())
    );
}

fn finish() -> impl Strategy<Value = FinishReason> {
    prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        ".{0,8}".prop_map(|category| FinishReason::Blocked { category }),
        ".{0,8}".prop_map(|reason| FinishReason::Other { reason }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_reply_comes_back_as_it_was(
        texts in proptest::collection::vec((".{0,40}", "(?s).{0,200}", finish(), any::<[u64; 5]>()), 1..8),
        cost in proptest::option::of(0.0..1e6_f64),
        vector in proptest::collection::vec(-1.0e3..1.0e3_f32, 0..40),
    ) {
        let (_dir, path) = fresh();
        let calls: Vec<StoredCall> = (0_u32..)
            .zip(texts)
            .map(|(at, (text, raw, finish, usage))| {
                let [input, cached_input, cache_write, output, reasoning] = usage;
                let usage = Usage { input, cached_input, cache_write, output, reasoning };
                let response = ChatResponse {
                    raw, finish, usage, cost_usd: cost, ..ChatResponse::stop("m", text.clone())
                };
                chat(ChatRequest::user(text).with_sample(at), response)
            })
            .chain([embedding("e", vector)])
            .collect();
        let store = SqliteStore::open(&path).unwrap();
        for result in block_on(join_all(calls.iter().map(|call| store.put(call.clone())))) {
            result.unwrap();
        }
        drop(store);
        let store = SqliteStore::open(&path).unwrap();
        for call in &calls {
            prop_assert_eq!(get(&store, call), Some(call.reply.clone()));
        }
    }
}

/// One step in the life of a store.
#[derive(Clone, Debug)]
enum Step {
    /// Replies to these questions, all at once; the last number tells how each ends.
    Put(Vec<(u32, bool)>),
    /// Setting truncated replies aside.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = prop::collection::vec((0..12_u32, any::<bool>()), 1..8).prop_map(Step::Put);
    prop::collection::vec(prop_oneof![4 => put, 1 => Just(Step::Forget)], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Totals are kept up by whole groups; every reply that was ever stored is in them, once.
    #[test]
    fn totals_count_every_stored_reply_once(steps in steps()) {
        let (_dir, path) = fresh();
        let store = SqliteStore::open(&path).unwrap();
        let mut held = std::collections::BTreeMap::new();
        let mut expected = [(0_u64, 0_u64, 0.0); 2];
        for step in steps {
            match step {
                Step::Put(replies) => {
                    let calls = replies.iter().map(|&(at, whole)| {
                        let finish = if whole { FinishReason::Stop } else { FinishReason::Length };
                        let usage = Usage { output: u64::from(at) + 1, ..Usage::default() };
                        let reply = ChatResponse { finish, usage, ..ChatResponse::stop("m", "x") };
                        StoredCall {
                            cost_usd: Some(f64::from(at)),
                            ..chat(ChatRequest::user(at.to_string()), reply)
                        }
                    });
                    for result in block_on(join_all(calls.map(|call| store.put(call)))) {
                        result.unwrap();
                    }
                    for (at, whole) in replies {
                        // The first reply of a key stays.
                        held.entry(at).or_insert_with(|| {
                            let (calls, tokens, cost) = &mut expected[usize::from(whole)];
                            *calls += 1;
                            *tokens += u64::from(at) + 1;
                            *cost += f64::from(at);
                            whole
                        });
                    }
                }
                Step::Forget => {
                    let truncated = held.values().filter(|whole| !**whole).count() as u64;
                    let forgotten = block_on(store.forget(&[OutcomeKind::Truncated])).unwrap();
                    prop_assert_eq!(forgotten, truncated);
                    held.retain(|_, whole| *whole);
                }
            }
            let totals = SqliteStore::totals(&path).unwrap();
            for (whole, outcome) in [OutcomeKind::Truncated, OutcomeKind::Answered].iter().enumerate() {
                let found = totals.iter().find(|part| part.outcome == *outcome);
                let found = found.map_or((0, 0, 0.0), |part| (part.calls, part.output_tokens, part.cost_usd));
                prop_assert_eq!(found, expected[whole]);
            }
            let stored: u64 = expected.iter().map(|part| part.0).sum();
            let ticked: u64 = SqliteStore::recent(&path, 60).unwrap().iter().map(|part| part.1).sum();
            prop_assert_eq!(ticked, stored);
        }
    }
}
