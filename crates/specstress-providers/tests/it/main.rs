//! Integration tests of the provider clients, over real HTTP on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test that cannot go on must fail loudly, and its speed does not matter"
)]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod batches;
mod embeddings;
mod faults;
mod leaks;
mod recordings;
mod relay;
mod server;
mod simulated;
mod third_party;
mod transport;

use std::time::Duration;

use specstress_providers::{Provider, ProviderConfig, ProviderKind, RetryPolicy, SecretString};

pub(crate) const KEY: &str = "sk-planted-0123456789abcdef";

/// Waits of milliseconds, so that tests do not take minutes.
pub(crate) fn hasty() -> RetryPolicy {
    RetryPolicy {
        first_wait: Duration::from_millis(5),
        max_wait: Duration::from_millis(300),
        jitter_seed: Some(3),
        ..RetryPolicy::default()
    }
}

pub(crate) fn config(kind: ProviderKind, url: &str) -> ProviderConfig {
    let mut config = ProviderConfig::new(kind).with_base_url(url);
    config.retry = hasty();
    config.limits.max_pause = Duration::from_millis(300);
    config.http.timeout = Duration::from_secs(5);
    config
}

pub(crate) fn provider(config: ProviderConfig) -> Provider {
    Provider::with_key(config, Some(&SecretString::from(KEY))).unwrap()
}

/// An `OpenAI` chat completion with this text.
pub(crate) fn completion(text: &str) -> String {
    serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": text, "refusal": null}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    })
    .to_string()
}
