use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::{Mutex, Once};

use specstress_llm::{
    BatchModel as _, BatchTag, ChatModel as _, ChatRequest, LlmError, LostBatch, RequestKey,
};
use specstress_providers::{Provider, ProviderKind, SecretString};

use crate::server::{Act, Server, reply};
use crate::{KEY, completion, config};

static LOG: Mutex<String> = Mutex::new(String::new());

/// Keeps everything that any crate logs, at the finest level.
struct Catcher;

impl log::Log for Catcher {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut log = LOG
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = writeln!(log, "{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

fn catch_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Catcher).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        // The tracing crate passes its events on to the logger only where it finds one.
        tracing::trace!("catching");
    });
}

fn story(error: &LlmError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(next) = cause {
        let _ = write!(text, " {next} {next:?}");
        cause = next.source();
    }
    text
}

/// A good reply of a kind, with this text.
fn good(kind: ProviderKind, text: &str) -> String {
    match kind {
        ProviderKind::Anthropic => serde_json::json!({"model": "m", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": text}]}),
        ProviderKind::Gemini => serde_json::json!({"modelVersion": "m", "responseId": text,
            "candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": text}]}}]}),
        _ => return completion(text),
    }
    .to_string()
}

/// A key of its own, so that the logs of other tests in this process do not matter.
#[tokio::test]
async fn no_key_in_logs_errors_debug_or_recordings() {
    catch_logs();
    let dir = tempfile::tempdir().unwrap();
    let mut texts = Vec::new();
    for kind in [
        ProviderKind::Anthropic,
        ProviderKind::OpenAi,
        ProviderKind::Gemini,
        ProviderKind::Xai,
        ProviderKind::Compatible,
    ] {
        // Servers echo what they were sent: in headers, in error texts, in pages that are not JSON.
        let echo = format!(
            r#"{{"error":{{"message":"Incorrect API key provided: {KEY}","code":"invalid_api_key"}}}}"#
        );
        let page = format!("<html>{KEY}</html>");
        for script in [
            vec![reply(401, &[("x-echo", KEY), ("request-id", KEY)], echo)],
            vec![reply(502, &[], page.clone())],
            vec![reply(200, &[], page)],
            vec![Act::HalfReply],
            vec![Act::Drop],
            vec![reply(200, &[("request-id", KEY)], good(kind, KEY))],
        ] {
            let server = Server::start(script).await;
            let mut config = config(kind, &server.url).with_record(dir.path());
            config.retry.max_attempts = 1;
            texts.push(format!(
                "{config:?} {}",
                serde_json::to_string(&config).unwrap()
            ));
            let provider = Provider::with_key(config, Some(&SecretString::from(KEY))).unwrap();
            let model = provider.model("m");
            let answer = model.chat(&ChatRequest::user("x").with_max_tokens(9)).await;
            // An answer goes into the call store as it is.
            texts.push(match &answer {
                Ok(response) => {
                    format!("{response:?} {}", serde_json::to_string(response).unwrap())
                }
                Err(error) => story(error),
            });
            let checked = provider.check_model("m").await;
            texts.push(format!("{checked:?}"));
            texts.push(format!("{provider:?} {model:?} {:?}", provider.limiter()));
            if kind != ProviderKind::Compatible {
                let batch = provider.batch_model("m").unwrap();
                let request = ChatRequest::user("x").with_max_tokens(9);
                let key = RequestKey::chat(batch.id(), &request);
                let line = batch.encode(&key, &request).unwrap();
                let tag = BatchTag::new("leaks", [&key]);
                let lost = LostBatch {
                    tag: &tag,
                    begun_at: 1,
                    requests: 1,
                };
                texts.push(format!("{batch:?} {line:?}"));
                // Whatever comes of it: some servers answer with an object that passes for a batch.
                let told =
                    |done: Result<String, LlmError>| done.unwrap_or_else(|error| story(&error));
                let page = batch.results("b", None).await;
                texts.extend([
                    told(batch.create(&tag, &[line]).await),
                    told(batch.find(&lost).await.map(|found| format!("{found:?}"))),
                    told(batch.status("b").await.map(|status| format!("{status:?}"))),
                    told(page.map(|page| format!("{page:?}"))),
                    told(batch.cancel("b").await.map(|()| String::new())),
                ]);
            }
            let sent = server.seen();
            assert!(
                sent.iter()
                    .all(|seen| seen.headers.values().any(|value| value.contains(KEY)))
            );
            assert!(
                sent.iter()
                    .all(|seen| !seen.path.contains(KEY) && !seen.body.contains(KEY))
            );
        }
    }
    let mut files = 0;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        texts.push(std::fs::read_to_string(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0, "nothing was recorded");
    let log = LOG.lock().unwrap().clone();
    assert!(
        log.contains("reqwest") || log.contains("hyper"),
        "no logs were caught: {log}"
    );
    texts.push(log);
    for text in texts {
        assert!(!text.contains(KEY) && !text.contains("planted"), "{text}");
    }
}

#[test]
fn errors_of_the_configuration_hide_values() {
    for config in [
        config(ProviderKind::OpenAi, &format!("https://h/v1?key={KEY}")),
        config(ProviderKind::OpenAi, &format!("https://u:{KEY}@h/v1")),
        config(ProviderKind::OpenAi, "http://h").with_header("x-goog-api-key", KEY),
        {
            let mut config = config(ProviderKind::OpenAi, "https://h");
            config.http.proxy = Some(format!("http://u:{KEY}@proxy"));
            config
        },
    ] {
        let error = Provider::with_key(config, None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    }
    let broken = SecretString::from(format!("{KEY}\n"));
    let error =
        Provider::with_key(config(ProviderKind::OpenAi, "http://h"), Some(&broken)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
}
