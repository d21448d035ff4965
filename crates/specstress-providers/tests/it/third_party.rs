//! Against servers of others, on loopback. They run only where `SPECSTRESS_TEST_SERVERS=1` says that the
//! servers are up: Steady on ports 4151 to 4154 and aimock on 4120.

use std::time::Duration;

use specstress_llm::{
    BatchModel as _, BatchState, BatchTag, ChatModel as _, ChatModelExt as _, ChatRequest, Effort,
    EmbeddingModel as _, EmbeddingRequest, LlmErrorKind, LostBatch, OutcomeKind, RequestKey,
    ResponseSchema, Unanswered,
};
use specstress_providers::{Provider, ProviderBatch, ProviderKind};

use crate::relay::Relay;
use crate::{config, provider};

fn servers_are_up(test: &str) -> bool {
    let up = std::env::var("SPECSTRESS_TEST_SERVERS").is_ok_and(|value| value == "1");
    if !up {
        eprintln!("skipped {test}: set SPECSTRESS_TEST_SERVERS=1 with the test servers running");
    }
    up
}

fn schema() -> ResponseSchema {
    ResponseSchema {
        name: "verdict".to_owned(),
        schema: serde_json::json!({
            "type": "object",
            "properties": {
                "verdict": {"type": "string", "enum": ["accept", "reject"]},
                "score": {"type": "integer", "minimum": 0, "maximum": 6}
            },
            "required": ["verdict", "score"],
            "additionalProperties": false
        }),
    }
}

/// What a client can ask of a model, by name.
fn requests() -> Vec<(&'static str, ChatRequest)> {
    let plain = || ChatRequest::user("Say hello.");
    vec![
        ("plain", plain()),
        ("limit", plain().with_max_tokens(2000)),
        ("system", plain().with_system("Be brief.")),
        (
            "turns",
            plain().with_assistant("Hello.").with_user("Again."),
        ),
        ("schema", plain().with_schema(schema())),
        (
            "reasoning",
            plain().with_max_tokens(8000).with_effort(Effort::High),
        ),
        ("temperature", plain().with_temperature(0.5)),
        ("top_p", plain().with_top_p(0.9)),
        ("stop", plain().with_stop("END")),
        (
            "everything",
            plain()
                .with_system("Be brief.")
                .with_max_tokens(8000)
                .with_effort(Effort::Medium)
                .with_schema(schema()),
        ),
    ]
}

/// Whatever the client is willing to send, the strict server takes; whatever the model is known to refuse
/// never leaves the client.
#[tokio::test]
async fn steady_accepts_every_request() {
    if !servers_are_up("steady_accepts_every_request") {
        return;
    }
    let models: [(ProviderKind, u16, &[&str]); 5] = [
        (
            ProviderKind::OpenAi,
            4151,
            &[
                "gpt-4o",
                "gpt-4.1-2025-04-14",
                "o3-2025-04-16",
                "gpt-6-sol",
                "gpt-6-pro",
                "never-heard-of",
            ],
        ),
        (
            ProviderKind::Anthropic,
            4152,
            &[
                "claude-opus-4-20250514",
                "claude-3-opus-20240229",
                "claude-opus-4-5",
                "never-heard-of",
            ],
        ),
        (
            ProviderKind::Gemini,
            4153,
            &["gemini-2.5-pro", "gemini-3.8-flash", "never-heard-of"],
        ),
        (
            ProviderKind::Anthropic,
            4154,
            &[
                "claude-opus-5-5",
                "claude-sonnet-5-5",
                "claude-haiku-5-5",
                "claude-fable-5-2",
            ],
        ),
        // Not official: an OpenAI-shaped server, asked without reasoning.
        (ProviderKind::Xai, 4151, &["grok-4.7", "grok-4-0709"]),
    ];
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (kind, port, names) in models {
        for name in names {
            let relay = Relay::to(port).await;
            let mut config = config(kind, &relay.url);
            config.retry.max_attempts = 1;
            config.wire.allow_other_model = true;
            let model = provider(config).model(name);
            for (what, request) in requests() {
                let result = model.chat(&request).await;
                // Refused before sending: no status.
                if let Err(error) = &result
                    && error.kind() == LlmErrorKind::BadRequest
                    && error.status().is_none()
                {
                    table.push_str(&format!("{kind} {name} {what}: not sent: {error}\n"));
                    assert!(
                        !matches!(what, "plain" | "limit" | "system" | "turns"),
                        "{error}"
                    );
                    continue;
                }
                let passed = relay.last();
                let errors = passed.header("x-steady-error-count").unwrap_or("none");
                let good = (200..300).contains(&passed.status) && errors == "0";
                table.push_str(&format!(
                    "{kind} {name} {what}: {} errors {errors}\n",
                    passed.status
                ));
                if !good {
                    wrong.push(format!(
                        "{kind} {name} {what}: {} {} {}",
                        passed.path, passed.sent, passed.reply
                    ));
                }
            }
        }
    }
    eprintln!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The strict servers are strict: without this the tests around it could not fail.
#[tokio::test]
async fn steady_refuses_a_field_that_does_not_exist() {
    if !servers_are_up("steady_refuses_a_field_that_does_not_exist") {
        return;
    }
    for (kind, port, name) in [
        (ProviderKind::OpenAi, 4151, "gpt-4o"),
        (ProviderKind::Anthropic, 4152, "claude-opus-4-5"),
        (ProviderKind::Gemini, 4153, "gemini-2.5-pro"),
        (ProviderKind::Anthropic, 4154, "claude-opus-5-5"),
    ] {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        config.wire.compat.extra_body = serde_json::Map::from_iter([("bogus".into(), 1.into())]);
        let _ = provider(config)
            .model(name)
            .chat(&ChatRequest::user("x"))
            .await;
        let errors = relay
            .last()
            .header("x-steady-error-count")
            .map(str::to_owned);
        assert!(
            errors.as_deref().is_some_and(|errors| errors != "0"),
            "{kind} {errors:?}"
        );
    }
}

#[tokio::test]
async fn steady_accepts_embeddings() {
    if !servers_are_up("steady_accepts_embeddings") {
        return;
    }
    for (kind, port, name, dimensions) in [
        (
            ProviderKind::OpenAi,
            4151,
            "text-embedding-3-large",
            Some(256),
        ),
        (ProviderKind::OpenAi, 4151, "text-embedding-3-small", None),
        (ProviderKind::Compatible, 4151, "bge", None),
        (
            ProviderKind::Gemini,
            4153,
            "gemini-embedding-001",
            Some(768),
        ),
        (ProviderKind::Gemini, 4153, "gemini-embedding-2", None),
    ] {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        let embedder = provider(config).embedder(name).unwrap();
        let mut request = EmbeddingRequest::new(["one", "two"]);
        request.dimensions = dimensions;
        let _ = embedder.embed(&request).await;
        let passed = relay.last();
        assert!(
            (200..300).contains(&passed.status)
                && passed.header("x-steady-error-count") == Some("0"),
            "{name}: {} {} {}",
            passed.path,
            passed.sent,
            passed.reply
        );
    }
}

const FORMATS: [(ProviderKind, &str); 5] = [
    (ProviderKind::OpenAi, "gpt-4o"),
    (ProviderKind::Anthropic, "claude-opus-4-5"),
    (ProviderKind::Gemini, "gemini-2.5-pro"),
    (ProviderKind::Xai, "grok-4.7"),
    (ProviderKind::Compatible, "local"),
];

fn aimock(kind: ProviderKind, test: &str) -> Provider {
    let id = format!("{kind}-{test}-{}", std::process::id());
    let mut config = config(kind, "http://127.0.0.1:4120").with_header("x-test-id", id);
    config.retry.max_attempts = 3;
    config.http.timeout = Duration::from_secs(2);
    provider(config)
}

#[derive(Debug, PartialEq)]
enum End {
    Answer(&'static str),
    Outcome(OutcomeKind),
    Error(LlmErrorKind),
}

/// The end of each marker, and how many retries it takes to get there.
fn markers() -> Vec<(&'static str, End, u64)> {
    use End::{Answer, Error, Outcome};
    vec![
        ("no marker", Answer("Hello from aimock."), 0),
        ("[[429]]", Error(LlmErrorKind::RateLimited), 2),
        ("[[429-once]]", Answer("recovered after one 429"), 1),
        ("[[quota]]", Error(LlmErrorKind::QuotaExhausted), 0),
        ("[[529]]", Error(LlmErrorKind::Unavailable), 2),
        ("[[529-twice]]", Answer("recovered after two 529"), 2),
        ("[[500]]", Error(LlmErrorKind::Unavailable), 2),
        ("[[503]]", Error(LlmErrorKind::Unavailable), 2),
        ("[[408]]", Error(LlmErrorKind::Unavailable), 2),
        ("[[400]]", Error(LlmErrorKind::BadRequest), 0),
        ("[[401]]", Error(LlmErrorKind::Unauthorized), 0),
        ("[[refusal]]", Outcome(OutcomeKind::Blocked), 0),
        ("[[content_filter]]", Outcome(OutcomeKind::Blocked), 0),
        ("[[recitation]]", Outcome(OutcomeKind::Blocked), 0),
        ("[[empty]]", Outcome(OutcomeKind::Unparsable), 0),
        ("[[length]]", Outcome(OutcomeKind::Truncated), 0),
        ("[[unknown-finish]]", Answer("x"), 0),
        ("[[reasoning]]", Answer("42"), 0),
        ("[[badjson]]", Answer("{\"verdict\": \"acc"), 0),
        ("[[slow]]", Error(LlmErrorKind::Transport), 2),
        ("[[drop]]", Error(LlmErrorKind::Transport), 2),
        ("[[malformed]]", Error(LlmErrorKind::BadReply), 2),
    ]
}

#[tokio::test]
async fn every_aimock_marker_ends_right() {
    if !servers_are_up("every_aimock_marker_ends_right") {
        return;
    }
    let mut wrong = Vec::new();
    for (kind, name) in FORMATS {
        for (marker, expected, retries) in markers() {
            // A word of one provider in the format of another is a reason like any unknown one; there is no
            // text with it.
            let foreign = match marker {
                "[[recitation]]" => kind != ProviderKind::Gemini,
                "[[refusal]]" => kind != ProviderKind::Anthropic,
                "[[content_filter]]" => kind == ProviderKind::Anthropic,
                _ => false,
            };
            let expected = if foreign {
                End::Outcome(OutcomeKind::Unparsable)
            } else {
                expected
            };
            let provider = aimock(kind, marker.trim_matches(['[', ']']));
            let answer = provider
                .model(name)
                .answer(&ChatRequest::user(marker))
                .await;
            let right = match (&answer, &expected) {
                (Ok(text), End::Answer(expected)) => text == expected,
                (Err(Unanswered::Failed(error)), End::Error(kind)) => error.kind() == *kind,
                (Err(unanswered), End::Outcome(expected)) => unanswered.kind() == *expected,
                _ => false,
            };
            if !right || provider.retries() != retries {
                wrong.push(format!(
                    "{kind} {marker}: {answer:?} after {} retries, not {expected:?} after {retries}",
                    provider.retries()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn aimock_json_is_decoded() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Verdict {
        verdict: String,
        score: u8,
    }
    if !servers_are_up("aimock_json_is_decoded") {
        return;
    }
    for (kind, name) in FORMATS {
        for marker in ["[[json]]", "[[fenced]]"] {
            let model = aimock(kind, "json").model(name);
            let verdict: Verdict = model
                .decode_json(&ChatRequest::user(marker), 0)
                .await
                .unwrap();
            assert_eq!(
                (verdict.verdict.as_str(), verdict.score),
                ("accept", 3),
                "{kind} {marker}"
            );
        }
    }
}

#[tokio::test]
async fn aimock_vectors_come_back_with_unit_norm() {
    if !servers_are_up("aimock_vectors_come_back_with_unit_norm") {
        return;
    }
    for (kind, name) in [
        (ProviderKind::OpenAi, "text-embedding-3-small"),
        (ProviderKind::Compatible, "bge"),
    ] {
        let embedder = aimock(kind, "embeddings").embedder(name).unwrap();
        let vectors = embedder
            .embed(&EmbeddingRequest::new(["one", "two", "three"]))
            .await
            .unwrap();
        assert_eq!(vectors.len(), 3);
        assert_ne!(vectors[0], vectors[1]);
        for vector in vectors {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((norm - 1.0).abs() < 1e-4, "{norm}");
        }
    }
}

/// A batch of each provider, as far as the strict servers know them: not the queries of lists.
#[tokio::test]
async fn steady_accepts_batches() {
    if !servers_are_up("steady_accepts_batches") {
        return;
    }
    let tag = BatchTag::from_recorded("specstress-00112233445566778899aabbccddeeff");
    for (kind, port, name) in [
        (ProviderKind::Anthropic, 4152, "claude-opus-4-5"),
        (ProviderKind::Anthropic, 4154, "claude-opus-5-5"),
        (ProviderKind::OpenAi, 4151, "gpt-4o"),
        (ProviderKind::OpenAi, 4151, "gpt-6-pro"),
        (ProviderKind::Gemini, 4153, "gemini-2.5-pro"),
    ] {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        let model = provider(config).batch_model(name).unwrap();
        let lines: Vec<_> = requests()
            .into_iter()
            .filter_map(|(_, request)| {
                let key = RequestKey::chat(model.id(), &request);
                model.encode(&key, &request).ok()
            })
            .collect();
        assert!(lines.len() > 4);
        // What comes back is made up by the server; how it took what was sent is what counts.
        let _ = model.create(&tag, &lines).await;
        let _ = model.status("batches/b1").await;
        let _ = model.cancel("b1").await;
        let passed = relay.all();
        assert!(passed.len() >= 3, "{name}");
        for passed in passed {
            assert!(
                (200..300).contains(&passed.status)
                    && passed.header("x-steady-error-count") == Some("0"),
                "{name}: {} {} {}",
                passed.path,
                passed.sent,
                passed.reply
            );
        }
    }
}

/// Runs a batch to its end; the states on the way and what became of each request.
async fn run_batch(model: &ProviderBatch, asked: &[ChatRequest]) -> (Vec<BatchState>, Vec<String>) {
    let keys: Vec<_> = asked
        .iter()
        .map(|request| RequestKey::chat(model.id(), request))
        .collect();
    let lines: Vec<_> = asked
        .iter()
        .zip(&keys)
        .map(|(request, key)| model.encode(key, request).unwrap())
        .collect();
    let tag = BatchTag::new(
        &format!("{:?} {}", std::time::Instant::now(), std::process::id()),
        &keys,
    );
    let begun_at = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let id = model.create(&tag, &lines).await.unwrap();
    let lost = LostBatch {
        tag: &tag,
        begun_at,
        requests: asked.len() as u64,
    };
    assert_eq!(model.find(&lost).await.unwrap(), std::slice::from_ref(&id));
    let mut states = Vec::new();
    loop {
        let state = model.status(&id).await.unwrap().state;
        let over = state.is_over();
        states.push(state);
        if over {
            break;
        }
        assert!(states.len() < 10, "{states:?}");
    }
    let page = model.results(&id, None).await.unwrap();
    assert_eq!(page.next, None);
    let became = keys.iter().map(|key| {
        let mut found = page.items.iter().filter(|(of, _)| of == key);
        match found.next() {
            Some((_, Ok(answer))) => answer.text.clone(),
            Some((_, Err(error))) => error.kind().as_str().to_owned(),
            None => "nothing".to_owned(),
        }
    });
    (states, became.collect())
}

#[tokio::test]
async fn aimock_batches_come_to_every_end() {
    if !servers_are_up("aimock_batches_come_to_every_end") {
        return;
    }
    let asked = [ChatRequest::user("one"), ChatRequest::user("two")];
    for (outcome, end, became) in [
        ("completed", BatchState::Ended, "Mock batch completion"),
        ("expired", BatchState::Expired, "nothing"),
        ("cancelled", BatchState::Cancelled, "nothing"),
        ("failed", BatchState::Failed, "bad_reply"),
    ] {
        for (kind, name) in [
            (ProviderKind::OpenAi, "gpt-4o"),
            (ProviderKind::Compatible, "local"),
        ] {
            let mut config = config(kind, "http://127.0.0.1:4120")
                .with_header("x-aimock-batch-outcome", outcome);
            config.wire.compat.batch = true;
            let model = provider(config).batch_model(name).unwrap();
            let (states, found) = run_batch(&model, &asked).await;
            assert_eq!(states, [BatchState::Running, end.clone()], "{outcome}");
            assert_eq!(found, [became, became], "{outcome}");
        }
    }
    let model = provider(config(ProviderKind::OpenAi, "http://127.0.0.1:4120"))
        .batch_model("gpt-4o")
        .unwrap();
    let key = RequestKey::chat(model.id(), &asked[0]);
    let lines = [model.encode(&key, &asked[0]).unwrap()];
    let id = model
        .create(&BatchTag::from_recorded("specstress-c"), &lines)
        .await
        .unwrap();
    model.cancel(&id).await.unwrap();
    assert_eq!(
        model.status(&id).await.unwrap().state,
        BatchState::Cancelled
    );
    model.cancel(&id).await.unwrap();
}
