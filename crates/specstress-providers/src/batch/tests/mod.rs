//! The forms of each provider, without IO.

mod results;
mod states;

use proptest::prelude::*;
use serde_json::{Value, json};
use specstress_llm::{
    BatchLine, BatchState, BatchStatus, BatchTag, ChatRequest, Effort, LlmErrorKind, ModelId,
    RequestKey, ResponseSchema,
};

use super::form::{BatchForm, Input, Outputs, Results, Source};
use super::item::Item;
use super::{form_of, most};
use crate::catalog::{Catalog, ModelInfo, ProviderKind};
use crate::wire::{WireOptions, chat_wire};

const KINDS: [(ProviderKind, &str, &str); 4] = [
    (ProviderKind::Anthropic, "anthropic", "claude-opus-4-5"),
    (ProviderKind::OpenAi, "openai", "gpt-4o"),
    (ProviderKind::Gemini, "gemini", "gemini-2.5-pro"),
    (ProviderKind::Xai, "xai", "grok-4.7"),
];

fn model(kind: ProviderKind) -> ModelInfo {
    let (_, provider, name) = KINDS.into_iter().find(|(of, ..)| *of == kind).unwrap();
    Catalog::builtin().resolve(kind, provider, name)
}

fn form(kind: ProviderKind) -> std::sync::Arc<dyn BatchForm> {
    form_of(kind, &model(kind), &WireOptions::default()).unwrap()
}

fn key(byte: u8) -> RequestKey {
    RequestKey::from_bytes([byte; 32])
}

fn status(kind: ProviderKind, body: &Value) -> BatchStatus {
    form(kind).status(&model(kind), body)
}

fn state(kind: ProviderKind, body: &Value) -> BatchState {
    status(kind, body).state
}

fn lines(form: &dyn BatchForm, bodies: &[&str]) -> Vec<BatchLine> {
    (1..)
        .zip(bodies)
        .map(|(byte, body)| BatchLine {
            key: key(byte),
            json: form.line(&key(byte), body),
        })
        .collect()
}

#[test]
fn creations_are_what_each_provider_documents() {
    let tag = BatchTag::from_recorded("specstress-t");
    let [one, two] = [1, 2].map(|byte| key(byte).to_string());
    let create = |kind, inline: bool| {
        let form = form(kind);
        let lines = lines(&*form, &[r#"{"a":1}"#, r#"{"a":2}"#]);
        let source = if inline {
            Source::Lines(&lines)
        } else {
            Source::File("files/abc")
        };
        let (path, body) = form.create(&tag, source).unwrap();
        (path, serde_json::from_str::<Value>(&body).unwrap())
    };
    assert_eq!(
        create(ProviderKind::Anthropic, true),
        (
            "/messages/batches".to_owned(),
            json!({"requests": [{"custom_id": one, "params": {"a": 1}},
                                {"custom_id": two, "params": {"a": 2}}]})
        )
    );
    assert_eq!(
        create(ProviderKind::Gemini, true),
        (
            "/models/gemini-2.5-pro:batchGenerateContent".to_owned(),
            json!({"batch": {"displayName": "specstress-t", "inputConfig": {"requests": {"requests": [
                {"request": {"a": 1}, "metadata": {"key": one}},
                {"request": {"a": 2}, "metadata": {"key": two}}]}}}})
        )
    );
    assert_eq!(
        create(ProviderKind::Gemini, false).1,
        json!({"batch": {"displayName": "specstress-t", "inputConfig": {"fileName": "files/abc"}}})
    );
    assert_eq!(
        create(ProviderKind::OpenAi, false),
        (
            "/batches".to_owned(),
            json!({"input_file_id": "files/abc", "endpoint": "/v1/chat/completions",
                "completion_window": "24h", "metadata": {"specstress_tag": "specstress-t"}})
        )
    );
    assert_eq!(
        create(ProviderKind::Xai, false),
        (
            "/batches".to_owned(),
            json!({"name": "specstress-t", "input_file_id": "files/abc"})
        )
    );
    let line: Value =
        serde_json::from_str(&form(ProviderKind::OpenAi).line(&key(1), r#"{"a":1}"#)).unwrap();
    assert_eq!(
        line,
        json!({"custom_id": one, "method": "POST", "url": "/v1/chat/completions", "body": {"a": 1}})
    );
}

#[test]
fn large_gemini_batches_go_as_files() {
    let form = form(ProviderKind::Gemini);
    assert_eq!(form.input(10, 1_000), Input::Inline);
    assert_eq!(form.input(10, 19_000_000), Input::Resumable);
    assert_eq!(form.input(1_000_000, 1_000), Input::Resumable);
    for (kind, input) in [
        (ProviderKind::Anthropic, Input::Inline),
        (ProviderKind::OpenAi, Input::Multipart(Some("batch"))),
        (ProviderKind::Xai, Input::Multipart(None)),
    ] {
        assert_eq!(super::tests::form(kind).input(1, most(kind).bytes), input);
    }
}

#[test]
fn ids_and_tokens_cannot_leave_their_place() {
    for (kind, ..) in KINDS {
        let path = form(kind).path("a/../b?key=c#d");
        assert!(path.ends_with("a%2F..%2Fb%3Fkey%3Dc%23d"), "{path}");
        let list = form(kind).list_path(Some("x+/=&y"));
        assert!(list.ends_with("=x%2B%2F%3D%26y"), "{list}");
    }
    assert_eq!(form(ProviderKind::Gemini).path("batches/b1"), "/batches/b1");
    assert_eq!(
        super::xai::with_token("/r?limit=1".to_owned(), Some("a=b+c")),
        "/r?limit=1&pagination_token=a%3Db%2Bc"
    );
}

#[test]
fn batches_are_offered_where_there_are_any() {
    let offers = |kind, provider: &str, name: &str, batch| {
        let mut options = WireOptions::default();
        options.compat.batch = batch;
        form_of(
            kind,
            &Catalog::builtin().resolve(kind, provider, name),
            &options,
        )
    };
    assert!(
        offers(
            ProviderKind::Anthropic,
            "anthropic",
            "claude-opus-5-5",
            false
        )
        .is_ok()
    );
    assert!(
        offers(
            ProviderKind::Anthropic,
            "anthropic",
            "never-heard-of",
            false
        )
        .is_ok()
    );
    for (kind, provider, name) in [
        (ProviderKind::Xai, "xai", "grok-4-0709"),
        (ProviderKind::OpenAi, "openai", "text-embedding-3-small"),
        (ProviderKind::Compatible, "vllm", "qwen3"),
    ] {
        assert!(offers(kind, provider, name, false).is_err(), "{name}");
    }
    assert!(offers(ProviderKind::Compatible, "together", "qwen3", true).is_ok());
}

fn any_request() -> impl Strategy<Value = ChatRequest> {
    let text = "\\PC{1,40}".prop_filter("not blank", |text: &String| !text.trim().is_empty());
    (
        prop::collection::vec(text.clone(), 1..3),
        prop::option::of(text),
        prop::option::of(1_u32..9_000),
        any::<bool>(),
        any::<bool>(),
        0_u32..3,
    )
        .prop_map(|(turns, system, limit, effort, schema, sample)| {
            let mut request = ChatRequest::default().with_sample(sample);
            for (at, turn) in turns.iter().enumerate() {
                if at > 0 {
                    request = request.with_assistant("ok");
                }
                request = request.with_user(turn.as_str());
            }
            if let Some(system) = system {
                request = request.with_system(system);
            }
            if let Some(limit) = limit {
                request = request.with_max_tokens(limit);
            }
            if effort {
                request = request.with_max_tokens(9_000).with_effort(Effort::High);
            }
            if schema {
                request = request.with_schema(ResponseSchema {
                    name: "r".to_owned(),
                    schema: json!({"type": "object", "properties": {"a": {"type": "integer"}},
                        "required": ["a"], "additionalProperties": false}),
                });
            }
            request
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_holds_exactly_the_live_body(request in any_request()) {
        for (kind, provider, name) in KINDS {
            let model = model(kind);
            let form = form(kind);
            let wire = chat_wire(kind, WireOptions::default());
            let Ok(live) = wire.request(&model, &request) else { continue };
            let key = RequestKey::chat(&ModelId::new(provider, name), &request);
            let text = form.line(&key, &live.body.to_string());
            prop_assert!(!text.contains('\n'));
            let line: Value = serde_json::from_str(&text).unwrap();
            let id = [&line["custom_id"], &line["key"]].into_iter().find_map(Value::as_str);
            let wanted = key.to_string();
            prop_assert_eq!(id, Some(wanted.as_str()));
            prop_assert_eq!(id.map(str::len), Some(64));
            let body = ["params", "body", "request"].into_iter().find_map(|field| line.get(field));
            prop_assert_eq!(body, Some(&live.body));
            // Inline, Gemini turns the line over.
            let tag = BatchTag::new("salt", [&key]);
            let lines = [BatchLine { key, json: text }];
            if form.input(1, 1) == Input::Inline {
                let (_, sent) = form.create(&tag, Source::Lines(&lines)).unwrap();
                let sent: Value = serde_json::from_str(&sent).unwrap();
                let found = match kind {
                    ProviderKind::Gemini => {
                        let inline = &sent["batch"]["inputConfig"]["requests"]["requests"][0];
                        prop_assert_eq!(&inline["metadata"]["key"], &json!(key));
                        &inline["request"]
                    }
                    _ => &sent["requests"][0]["params"],
                };
                prop_assert_eq!(found, &live.body);
            }
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,80}", word in "[a-zA-Z_]{0,12}") {
        for (kind, ..) in KINDS {
            let form = form(kind);
            let _ = form.item(&text);
            let _ = form.outputs(&text);
            for body in [json!({"status": word, "processing_status": word, "metadata": {"state": word}}), json!(text)] {
                let _ = form.status(&model(kind), &body);
                let _ = form.list(&body);
            }
            let odd = Item::Odd(text.clone());
            prop_assert!(odd.settle(&model(kind), &*chat_wire(kind, WireOptions::default())).is_err());
        }
    }
}

/// The two calls of a file, which only batches of 20 MB need otherwise, against the simulated service.
#[tokio::test]
async fn gemini_takes_a_batch_as_a_file() {
    use specstress_llm::BatchModel as _;
    use specstress_sim::{BatchOptions, ServerOptions, SimOptions, SimServer, SimWorld};

    let world = SimWorld::new(
        &specstress_values::Taxonomy::builtin(),
        SimOptions::default(),
    );
    let options = ServerOptions {
        batch: BatchOptions {
            delay_ms: 20,
            ..BatchOptions::default()
        },
        ..ServerOptions::default()
    };
    let server = SimServer::bind(world.unwrap(), options).unwrap();
    let (address, stats) = (server.local_addr(), server.stats());
    tokio::spawn(server.serve(std::future::pending()));
    let config = crate::ProviderConfig::new(ProviderKind::Gemini)
        .with_base_url(format!("http://{address}/gemini"));
    let key = crate::SecretString::from("any");
    let provider = crate::Provider::with_key(config, Some(&key)).unwrap();
    let mut model = provider.batch_model("cedar_pro").unwrap();
    let mut form = super::gemini::Gemini::of(model.info());
    form.most_inline = 0;
    model.service.form = std::sync::Arc::new(form);

    let asked: Vec<_> = (0..5)
        .map(|at| ChatRequest::user(format!("question {at}")).with_max_tokens(300))
        .map(|request| (RequestKey::chat(model.id(), &request), request))
        .collect();
    let lines: Vec<_> = asked
        .iter()
        .map(|(key, request)| model.encode(key, request).unwrap())
        .collect();
    let tag = BatchTag::new("file", asked.iter().map(|(key, _)| key));
    let id = model.create(&tag, &lines).await.unwrap();
    while !model.status(&id).await.unwrap().state.is_over() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let page = model.results(&id, None).await.unwrap();
    assert_eq!((page.items.len(), page.next), (5, None));
    for (key, _) in &asked {
        let (_, answer) = page.items.iter().find(|(of, _)| of == key).unwrap();
        assert!(!answer.as_ref().unwrap().text.is_empty());
    }
    assert_eq!(stats.read().batches["gemini"].uploads, 1);
}
