//! The batch clients against the simulated batch services: another reading of the same documents.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use specstress_llm::{
    BatchModel as _, BatchState, BatchTag, ChatModel as _, ChatRequest, ChatResponse, LlmError,
    LlmErrorKind, LostBatch, RequestKey,
};
use specstress_providers::{Catalog, ModelEntry, Provider, ProviderBatch, ProviderKind};
use specstress_sim::{
    BatchFaults, BatchOptions, ServerOptions, SimOptions, SimServer, SimWorld, StatsHandle,
};
use specstress_values::Taxonomy;

use crate::{config, provider};

/// Simulated models, and the real ones whose rules they share.
const MODELS: [(ProviderKind, &str, &str); 4] = [
    (
        ProviderKind::Anthropic,
        "alder_grand",
        "anthropic/claude-opus-4-5",
    ),
    (
        ProviderKind::OpenAi,
        "birch_main",
        "openai/gpt-4.1-2025-04-14",
    ),
    (ProviderKind::Gemini, "cedar_pro", "gemini/gemini-2.5-pro"),
    (ProviderKind::Xai, "dune_max", "xai/grok-4.3"),
];

struct Running {
    address: SocketAddr,
    stats: StatsHandle,
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn start(batch: BatchOptions) -> Running {
    start_with(ServerOptions {
        batch,
        ..ServerOptions::default()
    })
}

fn start_with(options: ServerOptions) -> Running {
    let world = SimWorld::new(&Taxonomy::builtin(), SimOptions::default()).unwrap();
    let server = SimServer::bind(world, options).unwrap();
    let (address, stats) = (server.local_addr(), server.stats());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));
    Running {
        address,
        stats,
        _stop: stop,
    }
}

fn quick(faults: BatchFaults) -> BatchOptions {
    BatchOptions {
        delay_ms: 60,
        cancel_ms: 20,
        faults,
        ..BatchOptions::default()
    }
}

fn provider_at(running: &Running, kind: ProviderKind, name: &str, like: &str) -> Provider {
    let mut catalog = Catalog::builtin();
    catalog
        .extend([ModelEntry {
            provider: kind.to_string(),
            name: name.to_owned(),
            like: Some(like.to_owned()),
            ..ModelEntry::default()
        }])
        .unwrap();
    let mut config = config(kind, &format!("http://{}/{kind}", running.address));
    config.http.timeout = Duration::from_mins(1);
    provider(config).with_catalog(catalog)
}

fn requests(count: usize) -> Vec<ChatRequest> {
    (0..count)
        .map(|at| {
            ChatRequest::user(format!(
                "I prize “candour” and “tact”. What would you do, {at}?"
            ))
            .with_system("Be brief.")
            .with_max_tokens(400)
        })
        .collect()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn leaves_open(error: &LlmError) -> bool {
    matches!(
        error.kind(),
        LlmErrorKind::Transport | LlmErrorKind::Unavailable | LlmErrorKind::BadReply
    )
}

/// Creates a batch, or finds the one that was created unseen.
async fn create(
    model: &ProviderBatch,
    salt: &str,
    asked: &BTreeMap<RequestKey, ChatRequest>,
) -> String {
    let lines: Vec<_> = asked
        .iter()
        .map(|(key, request)| model.encode(key, request).unwrap())
        .collect();
    let tag = BatchTag::new(salt, asked.keys());
    let begun_at = now();
    for _ in 0..5 {
        let error = match model.create(&tag, &lines).await {
            Ok(id) => return id,
            Err(error) => error,
        };
        assert!(leaves_open(&error), "{error}");
        let lost = LostBatch {
            tag: &tag,
            begun_at,
            requests: lines.len() as u64,
        };
        if let Some(id) = model.find(&lost).await.unwrap().pop() {
            return id;
        }
    }
    panic_with("no batch after five creations")
}

#[expect(clippy::panic, reason = "a test that cannot go on")]
fn panic_with(text: &str) -> ! {
    panic!("{text}")
}

async fn wait(model: &ProviderBatch, id: &str) -> BatchState {
    for _ in 0..2_000 {
        let status = model.status(id).await.unwrap();
        assert!(
            !matches!(status.state, BatchState::Unknown(_)),
            "{status:?}"
        );
        let expires = status.expires_at.unwrap();
        assert!((now()..now() + 3 * 86_400).contains(&expires), "{status:?}");
        if status.state.is_over() {
            assert_eq!(status.refusal.is_some(), status.state == BatchState::Failed);
            return status.state;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic_with("the batch does not end")
}

type Results = BTreeMap<RequestKey, Result<ChatResponse, LlmError>>;

async fn fetch(model: &ProviderBatch, id: &str) -> Results {
    let mut results = Results::new();
    let mut page = None;
    loop {
        let read = model.results(id, page.as_deref()).await.unwrap();
        for (key, result) in read.items {
            assert!(results.insert(key, result).is_none(), "one result per key");
        }
        page = read.next;
        if page.is_none() {
            return results;
        }
    }
}

fn by_key(model: &ProviderBatch, asked: Vec<ChatRequest>) -> BTreeMap<RequestKey, ChatRequest> {
    asked
        .into_iter()
        .map(|request| (RequestKey::chat(model.id(), &request), request))
        .collect()
}

#[tokio::test]
async fn a_batch_answers_what_live_calls_answer() {
    let running = start(quick(BatchFaults::default()));
    for (kind, name, like) in MODELS {
        let provider = provider_at(&running, kind, name, like);
        let (live, model) = (provider.model(name), provider.batch_model(name).unwrap());
        assert!(live.capabilities().batch);
        let asked = by_key(&model, requests(12));
        let id = create(&model, "clean", &asked).await;
        assert_eq!(wait(&model, &id).await, BatchState::Ended, "{kind}");
        let results = fetch(&model, &id).await;
        assert_eq!(results.len(), asked.len(), "{kind}");
        for (key, request) in &asked {
            let mut answer = results[key].as_ref().unwrap().clone();
            let mut expected = live.chat(request).await.unwrap();
            assert!(!answer.text.is_empty());
            // Ids of requests differ, and prices may.
            for response in [&mut answer, &mut expected] {
                response.request_id = None;
                response.cost_usd = None;
                response.raw.clear();
            }
            assert_eq!(answer, expected, "{kind}");
        }
        model.cancel(&id).await.unwrap();
        let stats = &running.stats.read().batches[kind.as_str()];
        assert_eq!(
            (stats.created, stats.answered, stats.rejected),
            (1, 12, stats.rejected)
        );
    }
}

/// A batch whose creation is lost is found; whatever failed is sent again; nothing is answered twice.
#[tokio::test]
async fn every_fault_of_the_services_is_survived() {
    let mut faults = BTreeMap::new();
    for seed in 0..3 {
        let running = start_with(ServerOptions {
            seed,
            batch: quick(BatchFaults::even(0.3)),
            ..ServerOptions::default()
        });
        for (kind, name, like) in MODELS {
            let provider = provider_at(&running, kind, name, like);
            let model = provider.batch_model(name).unwrap();
            let mut left = by_key(
                &model,
                (0..10)
                    .map(|at| {
                        ChatRequest::user(format!("question {seed} {at}")).with_max_tokens(300)
                    })
                    .collect(),
            );
            let mut rounds = 0;
            while !left.is_empty() {
                rounds += 1;
                assert!(rounds < 30, "{kind}: {} are left", left.len());
                let id = create(&model, &format!("round {rounds}"), &left).await;
                if !wait(&model, &id).await.has_results() {
                    continue;
                }
                for (key, result) in fetch(&model, &id).await {
                    match result {
                        Ok(answer) => {
                            assert!(!answer.text.is_empty());
                            assert!(
                                left.remove(&key).is_some(),
                                "{kind}: a result nobody asked for"
                            );
                        }
                        Err(error) => assert!(error.is_retryable(), "{kind} {error}"),
                    }
                }
            }
            let read = running.stats.read();
            let stats = &read.batches[kind.as_str()];
            assert_eq!(
                (stats.answered_again, stats.duplicates),
                (0, 0),
                "{kind} {stats:?}"
            );
            assert_eq!(stats.answered, 10, "{kind} {stats:?}");
            for (fault, count) in &stats.faults {
                *faults.entry(*fault).or_insert(0) += count;
            }
        }
    }
    // Every kind of fault was met.
    assert_eq!(faults.len(), 8, "{faults:?}");
    assert!(faults.values().all(|&count| count > 0), "{faults:?}");
}

#[tokio::test]
async fn a_batch_can_be_cancelled_and_keeps_what_it_had() {
    let running = start(BatchOptions {
        delay_ms: 60_000,
        ..quick(BatchFaults::default())
    });
    for (kind, name, like) in MODELS {
        let model = provider_at(&running, kind, name, like)
            .batch_model(name)
            .unwrap();
        let asked = by_key(&model, requests(3));
        let id = create(&model, "cancelled", &asked).await;
        assert!(!model.status(&id).await.unwrap().state.is_over());
        model.cancel(&id).await.unwrap();
        assert_eq!(wait(&model, &id).await, BatchState::Cancelled, "{kind}");
        for (key, result) in fetch(&model, &id).await {
            assert!(asked.contains_key(&key));
            assert_eq!(result.unwrap_err().kind(), LlmErrorKind::Expired, "{kind}");
        }
    }
}

/// A queue that is full is a refusal to come back to, wherever it is told.
#[tokio::test]
async fn a_full_queue_is_a_rate_limit() {
    let running = start(BatchOptions {
        enqueued_tokens: Some(1),
        ..quick(BatchFaults::default())
    });
    for (kind, name, like) in [MODELS[1], MODELS[2]] {
        let model = provider_at(&running, kind, name, like)
            .batch_model(name)
            .unwrap();
        let asked = by_key(&model, requests(3));
        let lines: Vec<_> = asked
            .iter()
            .map(|(key, request)| model.encode(key, request).unwrap())
            .collect();
        let kind_of = match model
            .create(&BatchTag::new("full", asked.keys()), &lines)
            .await
        {
            Err(error) => error.kind(),
            Ok(id) => {
                assert_eq!(wait(&model, &id).await, BatchState::Failed);
                model.status(&id).await.unwrap().refusal.unwrap().0
            }
        };
        assert_eq!(kind_of, LlmErrorKind::RateLimited, "{kind}");
    }
}
