//! Steady refuses what the official SDKs would not send.

use serde_json::Value;
use specstress_llm::{
    ChatModel as _, ChatRequest, Effort, EmbeddingModel as _, EmbeddingRequest, LlmErrorKind,
    ResponseSchema,
};
use specstress_providers::ProviderKind;

use super::{check_docs, servers_are_up, table};
use crate::relay::{Passed, Relay};
use crate::{config, provider};

const OPENAI: u16 = 4151;
const ANTHROPIC: u16 = 4152;
const GEMINI: u16 = 4153;
/// With the rules of the newest Claude models.
const ANTHROPIC_CURRENT: u16 = 4154;

const MODELS: [(ProviderKind, u16, &[&str]); 6] = [
    (
        ProviderKind::Anthropic,
        ANTHROPIC,
        &[
            "claude-3-opus-20240229",
            "claude-opus-4-20250514",
            "claude-haiku-4-5",
            "claude-opus-4-5",
            "claude-opus-4-6",
            "never-heard-of",
        ],
    ),
    (
        ProviderKind::Anthropic,
        ANTHROPIC_CURRENT,
        &[
            "claude-opus-4-8",
            "claude-opus-5",
            "claude-opus-5-5",
            "claude-sonnet-5-5",
            "claude-haiku-5-5",
            "claude-fable-5-2",
        ],
    ),
    (
        ProviderKind::OpenAi,
        OPENAI,
        &[
            "gpt-4o",
            "gpt-4.1-2025-04-14",
            "o3-2025-04-16",
            "gpt-5.1",
            "gpt-6-sol",
            "gpt-6.1-terra",
            "gpt-6-pro",
            "never-heard-of",
        ],
    ),
    (
        ProviderKind::Gemini,
        GEMINI,
        &[
            "gemini-2.5-pro",
            "gemini-3.1-pro-preview",
            "gemini-3.8-flash",
            "never-heard-of",
        ],
    ),
    // No strict server has their types: held against those of `OpenAI`.
    (
        ProviderKind::Xai,
        OPENAI,
        &["grok-4-0709", "grok-4.3", "grok-4.7"],
    ),
    (ProviderKind::Compatible, OPENAI, &["never-heard-of"]),
];

const EMBEDDERS: [(ProviderKind, u16, &str, Option<u32>); 5] = [
    (
        ProviderKind::OpenAi,
        OPENAI,
        "text-embedding-3-large",
        Some(256),
    ),
    (ProviderKind::OpenAi, OPENAI, "text-embedding-3-small", None),
    (
        ProviderKind::Gemini,
        GEMINI,
        "gemini-embedding-001",
        Some(768),
    ),
    (ProviderKind::Gemini, GEMINI, "gemini-embedding-2", None),
    (ProviderKind::Compatible, OPENAI, "never-heard-of", None),
];

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
pub(super) fn requests() -> [(&'static str, ChatRequest); 9] {
    let plain = || ChatRequest::user("Say hello.");
    [
        ("plain", plain().with_max_tokens(2000)),
        (
            "system",
            plain()
                .with_system("Be brief.")
                .with_assistant("Hello.")
                .with_user("Again."),
        ),
        ("schema", plain().with_schema(schema())),
        (
            "reasoning",
            plain().with_max_tokens(8000).with_effort(Effort::High),
        ),
        ("temperature", plain().with_temperature(0.5)),
        ("top_p", plain().with_top_p(0.9)),
        ("seed", plain().with_seed(7)),
        ("stop", plain().with_stop("END")),
        (
            "all",
            plain()
                .with_system("Be brief.")
                .with_max_tokens(8000)
                .with_effort(Effort::Medium)
                .with_schema(schema()),
        ),
    ]
}

/// How a schema or an effort went out, by the first of these fields that is in the body.
fn sent_as(passed: &Passed, forms: &[(&str, &'static str)]) -> &'static str {
    let body: Value = serde_json::from_str(&passed.sent).unwrap();
    let found = forms.iter().find(|(at, _)| body.pointer(at).is_some());
    found.map_or("ok", |(_, form)| form)
}

fn form(what: &str, passed: &Passed) -> &'static str {
    match what {
        "schema" => sent_as(
            passed,
            &[
                ("/output_config/format", "native"),
                ("/response_format/json_schema", "native"),
                ("/text/format", "native"),
                ("/generationConfig/responseJsonSchema", "native"),
                ("/tools", "tool"),
            ],
        ),
        "reasoning" => sent_as(
            passed,
            &[
                ("/thinking/budget_tokens", "budget"),
                ("/output_config/effort", "effort"),
                ("/reasoning_effort", "effort"),
                ("/reasoning/effort", "effort"),
                ("/generationConfig/thinkingConfig/thinkingBudget", "budget"),
                ("/generationConfig/thinkingConfig/thinkingLevel", "level"),
            ],
        ),
        _ => "ok",
    }
}

fn accepted(passed: &Passed) -> bool {
    (200..300).contains(&passed.status) && passed.header("x-steady-error-count") == Some("0")
}

/// Whatever the client is willing to send, the strict server takes; whatever the model is known to refuse
/// never leaves the client.
#[tokio::test]
async fn steady_accepts_every_request() {
    if !servers_are_up("steady_accepts_every_request") {
        return;
    }
    let names = requests().map(|(what, _)| what.to_owned());
    let mut rows = vec![
        ["provider".to_owned(), "model".to_owned()]
            .into_iter()
            .chain(names)
            .collect(),
    ];
    let mut wrong = Vec::new();
    for (kind, port, models) in MODELS {
        for name in models {
            let relay = Relay::to(port).await;
            let mut config = config(kind, &relay.url);
            config.retry.max_attempts = 1;
            config.wire.allow_other_model = true;
            let model = provider(config).model(name);
            let mut row = vec![kind.to_string(), (*name).to_owned()];
            for (what, request) in requests() {
                let before = relay.count();
                let result = model.chat(&request).await;
                if relay.count() == before {
                    let error = result.unwrap_err();
                    assert_eq!(error.kind(), LlmErrorKind::BadRequest, "{error}");
                    assert!(!matches!(what, "plain" | "system"), "{error}");
                    row.push("not sent".to_owned());
                    continue;
                }
                let passed = relay.last();
                if !accepted(&passed) {
                    wrong.push(format!(
                        "{kind} {name} {what}: {} {} {}",
                        passed.path, passed.sent, passed.reply
                    ));
                }
                row.push(form(what, &passed).to_owned());
            }
            rows.push(row);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    check_docs("requests", &table(&rows));
}

/// The strict servers are strict: without this the tests around it could not fail.
#[tokio::test]
async fn steady_refuses_a_field_that_does_not_exist() {
    if !servers_are_up("steady_refuses_a_field_that_does_not_exist") {
        return;
    }
    for (kind, port, name) in [
        (ProviderKind::OpenAi, OPENAI, "gpt-4o"),
        (ProviderKind::Anthropic, ANTHROPIC, "claude-opus-4-5"),
        (ProviderKind::Gemini, GEMINI, "gemini-2.5-pro"),
        (
            ProviderKind::Anthropic,
            ANTHROPIC_CURRENT,
            "claude-opus-5-5",
        ),
    ] {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        config.wire.compat.extra_body = serde_json::Map::from_iter([("bogus".into(), 1.into())]);
        let _ = provider(config)
            .model(name)
            .chat(&ChatRequest::user("x"))
            .await;
        assert!(!accepted(&relay.last()), "{kind} {name}");
    }
}

/// The rules of the newest Claude models are those of the server for them: what the client refuses to send to
/// such a model, the server refuses too.
#[tokio::test]
async fn steady_refuses_what_the_newest_models_do_not_take() {
    if !servers_are_up("steady_refuses_what_the_newest_models_do_not_take") {
        return;
    }
    for (field, value) in [
        ("temperature", serde_json::json!(0.5)),
        ("top_p", serde_json::json!(0.9)),
        (
            "thinking",
            serde_json::json!({"type": "enabled", "budget_tokens": 1024}),
        ),
        (
            "tool_choice",
            serde_json::json!({"type": "tool", "name": "emit"}),
        ),
    ] {
        let relay = Relay::to(ANTHROPIC_CURRENT).await;
        let mut config = config(ProviderKind::Anthropic, &relay.url);
        config.retry.max_attempts = 1;
        config.wire.compat.extra_body = serde_json::Map::from_iter([(field.to_owned(), value)]);
        let model = provider(config).model("claude-opus-5-5");
        let _ = model.chat(&ChatRequest::user("x")).await;
        assert!(!accepted(&relay.last()), "{field}");
    }
}

#[tokio::test]
async fn steady_accepts_embeddings() {
    if !servers_are_up("steady_accepts_embeddings") {
        return;
    }
    let mut rows = vec![
        ["provider", "model", "two texts", "shortened"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (kind, port, name, shortened) in EMBEDDERS {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        let embedder = provider(config).embedder(name).unwrap();
        let mut row = vec![kind.to_string(), name.to_owned()];
        for dimensions in [Some(None), shortened.map(Some)] {
            let Some(dimensions) = dimensions else {
                row.push(String::new());
                continue;
            };
            let mut request = EmbeddingRequest::new(["one", "two"]);
            request.dimensions = dimensions;
            // The vectors are random.
            let _ = embedder.embed(&request).await;
            let passed = relay.last();
            assert!(
                accepted(&passed),
                "{name}: {} {} {}",
                passed.path,
                passed.sent,
                passed.reply
            );
            row.push("ok".to_owned());
        }
        rows.push(row);
    }
    check_docs("embeddings", &table(&rows));
}
