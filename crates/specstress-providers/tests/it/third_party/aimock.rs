//! aimock answers in every format and misbehaves by a mark in the question.

use std::collections::BTreeMap;
use std::time::Duration;

use specstress_llm::{
    ChatModel, ChatModelExt as _, ChatRequest, EmbeddingModel as _, EmbeddingRequest, FinishReason,
    LlmErrorKind, OutcomeKind, Unanswered,
};
use specstress_providers::{Provider, ProviderKind};
use tokio::task::JoinSet;

use super::{check_docs, servers_are_up, table};
use crate::{config, provider};

const FORMATS: [(ProviderKind, &str); 5] = [
    (ProviderKind::Anthropic, "claude-opus-4-5"),
    (ProviderKind::OpenAi, "gpt-4o"),
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

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answer(&'static str),
    Outcome(OutcomeKind),
    Error(LlmErrorKind),
}

/// The end of each marker, and how many retries it takes to get there.
fn markers() -> [(&'static str, End, u64); 22] {
    use End::{Answer, Error, Outcome};
    [
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

/// A word of one provider in the format of another is a reason like any unknown one; there is no text with
/// it, so there is no answer.
fn expected(kind: ProviderKind, marker: &str, end: End) -> End {
    let foreign = match marker {
        "[[recitation]]" => kind != ProviderKind::Gemini,
        "[[refusal]]" => kind != ProviderKind::Anthropic,
        "[[content_filter]]" => kind == ProviderKind::Anthropic,
        _ => false,
    };
    if foreign {
        End::Outcome(OutcomeKind::Unparsable)
    } else {
        end
    }
}

/// How a call ended, as the table says it.
fn ending(answer: &Result<String, Unanswered>, retries: u64) -> String {
    let end = match answer {
        Ok(_) => "answered".to_owned(),
        Err(Unanswered::Failed(error)) => {
            let stops = if error.is_fatal() { ", run stops" } else { "" };
            // `RateLimited` reads "rate limited".
            let name = format!("{:?}", error.kind());
            let words = name.chars().fold(String::new(), |mut words, letter| {
                if letter.is_uppercase() && !words.is_empty() {
                    words.push(' ');
                }
                words.push(letter.to_ascii_lowercase());
                words
            });
            format!("{words}{stops}")
        }
        Err(unanswered) => unanswered.kind().to_string(),
    };
    match retries {
        0 => end,
        1 => format!("{end}, 1 retry"),
        retries => format!("{end}, {retries} retries"),
    }
}

#[tokio::test]
async fn every_aimock_marker_ends_right() {
    if !servers_are_up("every_aimock_marker_ends_right") {
        return;
    }
    let mut calls = JoinSet::new();
    for (at, (marker, end, retries)) in markers().into_iter().enumerate() {
        for (column, (kind, name)) in FORMATS.into_iter().enumerate() {
            calls.spawn(async move {
                let provider = aimock(kind, marker.trim_matches(['[', ']']));
                let request = ChatRequest::user(marker);
                let answer = provider.model(name).answer(&request).await;
                let made = provider.stats().retries;
                let right = match (&answer, expected(kind, marker, end)) {
                    (Ok(text), End::Answer(expected)) => text == expected,
                    (Err(Unanswered::Failed(error)), End::Error(kind)) => error.kind() == kind,
                    (Err(unanswered), End::Outcome(expected)) => unanswered.kind() == expected,
                    _ => false,
                };
                let wrong = (!right || made != retries).then(|| {
                    format!("{kind} {marker}: {answer:?} after {made} retries, not {end:?} after {retries}")
                });
                ((at, column), ending(&answer, made), wrong)
            });
        }
    }
    let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
    for (place, cell, mistake) in calls.join_all().await {
        found.insert(place, cell);
        wrong.extend(mistake);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Formats that end the same way share a row.
    let mut rows = vec![["reply", "formats", "ends as"].map(str::to_owned).to_vec()];
    for (at, (marker, ..)) in markers().into_iter().enumerate() {
        let mut endings: Vec<(&String, Vec<&str>)> = Vec::new();
        for (column, (kind, _)) in FORMATS.iter().enumerate() {
            let cell = &found[&(at, column)];
            match endings.iter_mut().find(|(ending, _)| *ending == cell) {
                Some((_, kinds)) => kinds.push(kind.as_str()),
                None => endings.push((cell, vec![kind.as_str()])),
            }
        }
        for (ending, kinds) in endings {
            let formats = if kinds.len() == FORMATS.len() {
                "all".to_owned()
            } else {
                kinds.join(", ")
            };
            let marker = marker.trim_matches(['[', ']']).to_owned();
            rows.push(vec![marker, formats, ending.clone()]);
        }
    }
    check_docs("endings", &table(&rows));
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

/// An unknown reason is kept as the provider wrote it, and the tokens of thinking are told apart.
#[tokio::test]
async fn aimock_reasons_and_usage_are_kept() {
    if !servers_are_up("aimock_reasons_and_usage_are_kept") {
        return;
    }
    for (kind, name) in FORMATS {
        let model = aimock(kind, "kept").model(name);
        let ask = |marker: &'static str| {
            let model = model.clone();
            async move { model.chat(&ChatRequest::user(marker)).await.unwrap() }
        };
        let reason = "some_future_reason".to_owned();
        let unknown = ask("[[unknown-finish]]").await;
        assert_eq!(unknown.finish, FinishReason::Other { reason }, "{kind}");
        let thought = ask("[[reasoning]]").await;
        assert_eq!(thought.text, "42", "{kind}");
        assert!(
            thought.usage.total() > 0 && thought.raw.contains("42"),
            "{kind}"
        );
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
