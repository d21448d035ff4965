use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use specstress_llm::{Digest, LlmError, LlmErrorKind};

use crate::error::ProviderError;
use crate::secret::Scrubber;
use crate::transport::{Call, Transport};
use crate::wire::WireReply;

const VERSION: u32 = 1;

/// Where a server says to upload to. Kept without its query, which is a permission.
const UPLOAD_URL: &str = "x-goog-upload-url";

/// Headers worth keeping: those that the client reads. Others may name an account.
fn is_kept(header: &str) -> bool {
    matches!(
        header,
        "content-type"
            | "request-id"
            | "x-request-id"
            | "retry-after"
            | "retry-after-ms"
            | "x-should-retry"
            | "llm_provider-retry-after"
            | "x-litellm-response-cost"
            | UPLOAD_URL
    ) || header.starts_with("x-ratelimit-")
        || header.starts_with("anthropic-ratelimit-")
}

/// A request and its reply on disk; no key, no host and no request header is in it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    version: u32,
    method: String,
    path: String,
    sample: u32,
    /// As JSON where it is JSON, for people who read the file.
    request: serde_json::Value,
    status: u16,
    headers: BTreeMap<String, String>,
    /// Byte for byte.
    body: String,
}

/// The file of a call: a hash of what is asked, so that a changed request never gets an old answer.
fn file_of(dir: &Path, call: &Call) -> PathBuf {
    let name = Digest::new("specstress exchange 1")
        .field("method", call.verb.as_str())
        .field("path", &call.path)
        .field("body", &call.body)
        .field("sample", call.sample.to_le_bytes())
        .hex();
    dir.join(format!("{name}.json"))
}

/// Passes calls on and keeps what came back, the last reply per call.
#[derive(Debug)]
pub(crate) struct Recording<T> {
    inner: T,
    dir: PathBuf,
    scrubber: Scrubber,
    written: AtomicU64,
}

impl<T> Recording<T> {
    pub(crate) fn new(inner: T, dir: &Path, scrubber: Scrubber) -> Result<Self, ProviderError> {
        fs::create_dir_all(dir).map_err(|source| ProviderError::Exchanges {
            path: dir.to_owned(),
            source,
        })?;
        Ok(Self {
            inner,
            dir: dir.to_owned(),
            scrubber,
            written: AtomicU64::new(0),
        })
    }

    fn keep(&self, call: &Call, reply: &WireReply) -> io::Result<()> {
        let body = String::from_utf8_lossy(&call.body);
        let request = self.scrubber.scrub(&body);
        let exchange = Exchange {
            version: VERSION,
            method: call.verb.as_str().to_owned(),
            path: call.path.clone(),
            sample: call.sample,
            request: serde_json::from_str(&request)
                .unwrap_or_else(|_| serde_json::Value::String(request.into_owned())),
            status: reply.status,
            headers: reply
                .headers
                .iter()
                .filter(|(name, _)| is_kept(name))
                .map(|(name, value)| {
                    let value = match name.as_str() {
                        UPLOAD_URL => value.split('?').next().unwrap_or_default(),
                        _ => value,
                    };
                    (name.clone(), self.scrubber.scrub(value).into_owned())
                })
                .collect(),
            body: self.scrubber.scrub(&reply.body).into_owned(),
        };
        let mut text = serde_json::to_string_pretty(&exchange)?;
        text.push('\n');
        let path = file_of(&self.dir, call);
        // Under a name of its own first: a reader never sees half a file.
        let draft = path.with_extension(format!(
            "{}-{}.tmp",
            std::process::id(),
            self.written.fetch_add(1, Ordering::Relaxed)
        ));
        fs::write(&draft, text)?;
        fs::rename(&draft, &path)
    }
}

#[async_trait]
impl<T: Transport> Transport for Recording<T> {
    async fn send(&self, call: &Call) -> Result<WireReply, LlmError> {
        let reply = self.inner.send(call).await?;
        self.keep(call, &reply).map_err(|error| {
            LlmError::new(
                LlmErrorKind::Store,
                format!(
                    "cannot write a recorded exchange to {}; check the directory and its free space",
                    self.dir.display()
                ),
            )
            .with_source(error)
        })?;
        Ok(reply)
    }
}

/// Answers from recorded exchanges and never connects to anything.
#[derive(Debug)]
pub(crate) struct Replay {
    dir: PathBuf,
}

impl Replay {
    pub(crate) fn new(dir: &Path) -> Result<Self, ProviderError> {
        fs::read_dir(dir).map_err(|source| ProviderError::Exchanges {
            path: dir.to_owned(),
            source,
        })?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(&self, call: &Call) -> Result<WireReply, LlmError> {
        let path = file_of(&self.dir, call);
        let wrong = |reason: &str| {
            LlmError::new(
                LlmErrorKind::BadRequest,
                format!(
                    "{reason} for {} {} (sample {}): {}; record it first",
                    call.verb.as_str(),
                    call.path,
                    call.sample,
                    path.display()
                ),
            )
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            let reason = if error.kind() == io::ErrorKind::NotFound {
                "no recorded exchange"
            } else {
                "unreadable recorded exchange"
            };
            wrong(reason).with_source(error)
        })?;
        let exchange: Exchange = serde_json::from_str(&text)
            .map_err(|error| wrong("damaged recorded exchange").with_source(error))?;
        if exchange.version != VERSION {
            return Err(wrong("recorded exchange of another version"));
        }
        Ok(WireReply {
            status: exchange.status,
            headers: exchange.headers,
            body: exchange.body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Verb;

    #[derive(Debug)]
    struct Fixed(WireReply);

    #[async_trait]
    impl Transport for Fixed {
        async fn send(&self, _: &Call) -> Result<WireReply, LlmError> {
            Ok(self.0.clone())
        }
    }

    fn call(body: &str, sample: u32) -> Call {
        Call {
            headers: vec![("x-test", "sk-planted-key".to_owned())],
            body: body.to_owned().into(),
            sample,
            ..Call::new(Verb::Post, "/chat/completions")
        }
    }

    #[tokio::test]
    async fn replays_byte_for_byte_what_was_recorded_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut scrubber = Scrubber::default();
        scrubber.add("sk-planted-key");
        let reply = WireReply {
            status: 200,
            headers: [
                ("request-id", "req_1"),
                ("openai-organization", "org-secret"),
                ("x-goog-upload-url", "http://h/upload?upload_id=org-secret"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            body: "{\"odd\":  \"\\u00e9\u{fffd}\u{1}\" ,\r\n}".to_owned(),
        };
        let recording = Recording::new(Fixed(reply.clone()), dir.path(), scrubber).unwrap();
        let asked = call(r#"{"model":"m","note":"sk-planted-key"}"#, 0);
        recording.send(&asked).await.unwrap();

        let player = Replay::new(dir.path()).unwrap();
        let again = player.send(&asked).await.unwrap();
        assert_eq!((again.status, &again.body), (200, &reply.body));
        assert_eq!(again.headers.len(), 2);
        assert_eq!(again.headers["x-goog-upload-url"], "http://h/upload");
        assert_eq!(again.headers["request-id"], "req_1");

        for other in [
            call("{}", 0),
            call(r#"{"model":"m","note":"sk-planted-key"}"#, 1),
        ] {
            let miss = player.send(&other).await.unwrap_err();
            assert!(
                miss.to_string()
                    .starts_with("no recorded exchange for POST /chat"),
                "{miss}"
            );
            assert!(!miss.is_retryable() && !miss.is_fatal());
        }
        for file in fs::read_dir(dir.path()).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(
                !text.contains("sk-planted") && !text.contains("org-secret"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn damaged_and_missing_recordings_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let asked = call("{}", 0);
        fs::write(file_of(dir.path(), &asked), "{").unwrap();
        let player = Replay::new(dir.path()).unwrap();
        let error = player.send(&asked).await.unwrap_err();
        assert!(
            error.to_string().starts_with("damaged recorded exchange"),
            "{error}"
        );
        assert!(matches!(
            Replay::new(&dir.path().join("nowhere")),
            Err(ProviderError::Exchanges { .. })
        ));
    }
}
