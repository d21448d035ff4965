use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::catalog::ProviderKind;
use crate::error::ProviderError;
use crate::http::HttpOptions;
use crate::limiter::LimiterOptions;
use crate::retry::RetryPolicy;
use crate::wire::WireOptions;

/// One provider as a configuration file states it. It never holds a key: keys and other secret headers are
/// named by their environment variables, so the whole value can be printed and stored.
///
/// ```
/// use specstress_providers::{ProviderConfig, ProviderKind};
///
/// let local: ProviderConfig = serde_json::from_str(
///     r#"{"kind": "compatible", "name": "vllm", "base_url": "http://localhost:8000"}"#,
/// )?;
/// assert_eq!(local.name(), "vllm");
/// let openai = ProviderConfig::new(ProviderKind::OpenAi);
/// assert_eq!((openai.name(), openai.key_variable()), ("openai", Some("OPENAI_API_KEY")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The wire format.
    pub kind: ProviderKind,
    /// The provider's name in model ids (`name/model`); the kind's by default.
    #[serde(default)]
    pub name: Option<String>,
    /// The address, with or without `/v1`; the kind's public one by default, and required for
    /// [`Compatible`](ProviderKind::Compatible).
    #[serde(default)]
    pub base_url: Option<String>,
    /// The environment variable that holds the key. By default the usual one of the kind
    /// (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GEMINI_API_KEY`, `XAI_API_KEY`) at the public address, and
    /// no key at any other address, so that a key never goes where it does not belong.
    #[serde(default)]
    pub key_env: Option<String>,
    /// The header that carries the key; the kind's by default. `authorization` carries it as a bearer token.
    #[serde(default)]
    pub key_header: Option<String>,
    /// Extra headers of every call, such as `anthropic-beta`; they win over the client's own.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Extra headers with secret values: header name to environment variable.
    #[serde(default)]
    pub headers_env: BTreeMap<String, String>,
    /// How to connect.
    #[serde(default)]
    pub http: HttpOptions,
    /// When to try again.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// How many calls at once.
    #[serde(default)]
    pub limits: LimiterOptions,
    /// Most bytes of the requests of one batch; 64 MB by default, and never more than the provider takes. A
    /// batch is held in memory while it is sent.
    #[serde(default = "default_batch_bytes")]
    pub batch_max_bytes: usize,
    /// Most requests of one batch; as many as the provider takes by default.
    #[serde(default)]
    pub batch_max_requests: Option<usize>,
    /// Writes every exchange into this directory, without keys.
    #[serde(default)]
    pub record: Option<PathBuf>,
    /// Answers from a directory written by `record` and never connects; needs no key.
    #[serde(default)]
    pub replay: Option<PathBuf>,
    /// How requests are written and replies read.
    #[serde(default)]
    pub wire: WireOptions,
}

impl ProviderConfig {
    /// A provider at its public address, with every default.
    pub fn new(kind: ProviderKind) -> Self {
        Self {
            kind,
            name: None,
            base_url: None,
            key_env: None,
            key_header: None,
            headers: BTreeMap::new(),
            headers_env: BTreeMap::new(),
            http: HttpOptions::default(),
            retry: RetryPolicy::default(),
            limits: LimiterOptions::default(),
            batch_max_bytes: default_batch_bytes(),
            batch_max_requests: None,
            record: None,
            replay: None,
            wire: WireOptions::default(),
        }
    }

    /// Names the provider.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the address.
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the environment variable that holds the key.
    #[must_use]
    pub fn with_key_env(mut self, variable: impl Into<String>) -> Self {
        self.key_env = Some(variable.into());
        self
    }

    /// Adds a header to every call.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Writes every exchange into a directory.
    #[must_use]
    pub fn with_record(mut self, dir: impl Into<PathBuf>) -> Self {
        self.record = Some(dir.into());
        self
    }

    /// Answers from recorded exchanges.
    #[must_use]
    pub fn with_replay(mut self, dir: impl Into<PathBuf>) -> Self {
        self.replay = Some(dir.into());
        self
    }

    /// The provider's name in model ids.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.kind.as_str())
    }

    /// The environment variable the key is read from; `None` when no key is sent.
    pub fn key_variable(&self) -> Option<&str> {
        let usual = match self.kind {
            ProviderKind::Anthropic => Some("ANTHROPIC_API_KEY"),
            ProviderKind::OpenAi => Some("OPENAI_API_KEY"),
            ProviderKind::Gemini => Some("GEMINI_API_KEY"),
            ProviderKind::Xai => Some("XAI_API_KEY"),
            ProviderKind::Compatible => None,
        };
        match &self.key_env {
            Some(variable) => Some(variable),
            None if self.base_url.is_none() => usual,
            None => None,
        }
    }

    /// The address in use.
    pub(crate) fn address(&self) -> Result<&str, ProviderError> {
        self.base_url
            .as_deref()
            .or_else(|| self.kind.default_base_url())
            .ok_or_else(|| ProviderError::BaseUrl {
                provider: self.name().to_owned(),
                reason: "is missing; a compatible server has no public address".to_owned(),
            })
    }

    /// Reads the key from the environment.
    pub(crate) fn key(&self) -> Result<Option<SecretString>, ProviderError> {
        self.key_variable()
            .map(|variable| self.variable(variable))
            .transpose()
    }

    /// Reads the secret headers from the environment.
    pub(crate) fn secret_headers(&self) -> Result<BTreeMap<String, SecretString>, ProviderError> {
        self.headers_env
            .iter()
            .map(|(name, variable)| Ok((name.clone(), self.variable(variable)?)))
            .collect()
    }

    fn variable(&self, variable: &str) -> Result<SecretString, ProviderError> {
        std::env::var(variable)
            .ok()
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .map(SecretString::from)
            .ok_or_else(|| ProviderError::NoKey {
                provider: self.name().to_owned(),
                variable: variable.to_owned(),
            })
    }

    /// Refuses what would put a secret where it can be read, and names that cannot work.
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        if self.name().is_empty() || self.name().contains('/') {
            return Err(ProviderError::Setting {
                setting: "name",
                value: format!("{:?}", self.name()),
                range: "a name without a slash",
            });
        }
        if let Some(header) = self.headers.keys().find(|name| looks_secret(name)) {
            return Err(ProviderError::SecretHeader {
                provider: self.name().to_owned(),
                header: header.clone(),
            });
        }
        if self.record.is_some() && self.replay.is_some() {
            return Err(ProviderError::Setting {
                setting: "replay",
                value: "set together with record".to_owned(),
                range: "alone: a run either records or replays",
            });
        }
        for (setting, value) in [
            ("batch_max_bytes", Some(self.batch_max_bytes)),
            ("batch_max_requests", self.batch_max_requests),
        ] {
            if value == Some(0) {
                return Err(ProviderError::Setting {
                    setting,
                    value: "0".to_owned(),
                    range: "1 and up",
                });
            }
        }
        self.http.check()?;
        self.retry.check()?;
        self.limits.check()
    }
}

fn default_batch_bytes() -> usize {
    64_000_000
}

/// Whether a header by its name carries a secret.
fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "cookie", "password"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_only_to_its_own_address() {
        let config = ProviderConfig::new(ProviderKind::Anthropic);
        assert_eq!(config.key_variable(), Some("ANTHROPIC_API_KEY"));
        let elsewhere = config.with_base_url("http://localhost:1");
        assert_eq!(elsewhere.key_variable(), None);
        assert_eq!(elsewhere.with_key_env("MINE").key_variable(), Some("MINE"));
    }

    #[test]
    fn mistakes_are_named() {
        let text = |config: ProviderConfig| config.check().unwrap_err().to_string();
        let new = || ProviderConfig::new(ProviderKind::OpenAi);
        assert_eq!(
            text(new().with_header("X-Api-Key", "sk-planted")),
            "provider \"openai\": header \"X-Api-Key\" looks secret; name its environment variable under headers_env"
        );
        assert_eq!(
            text(new().with_name("a/b")),
            "name is \"a/b\"; it must be a name without a slash"
        );
        assert!(text(new().with_record("a").with_replay("b")).starts_with("replay is set"));
        assert!(
            ProviderConfig::new(ProviderKind::Compatible)
                .address()
                .is_err()
        );
        let unset = new().with_key_env("SPECSTRESS_TEST_NEVER_SET");
        assert!(
            unset
                .key()
                .unwrap_err()
                .to_string()
                .contains("SPECSTRESS_TEST_NEVER_SET")
        );
    }

    #[test]
    fn a_typo_in_a_file_is_refused_and_defaults_fill_the_rest() {
        let read = serde_json::from_str::<ProviderConfig>;
        assert_eq!(
            read(r#"{"kind": "gemini"}"#).unwrap(),
            ProviderConfig::new(ProviderKind::Gemini)
        );
        assert!(read(r#"{"kind": "gemini", "baseurl": "x"}"#).is_err());
        assert!(read(r#"{"kind": "gemini", "http": {"timeout_s": 1}}"#).is_err());
        let config = read(r#"{"kind": "openai", "http": {"timeout": 30}}"#).unwrap();
        assert_eq!(config.http.timeout.as_secs(), 30);
        let again = serde_json::to_string(&config).unwrap();
        assert_eq!(read(&again).unwrap(), config);
    }
}
