//! The one place that speaks HTTP.

mod options;
mod url;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use specstress_llm::{LlmError, LlmErrorKind};

pub use options::HttpOptions;

use crate::catalog::ProviderKind;
use crate::error::ProviderError;
use crate::secret::Scrubber;
use crate::transport::{Call, Place, Transport, Verb};
use crate::wire::WireReply;

const USER_AGENT: &str = concat!(
    env!("CARGO_PKG_NAME"),
    "/",
    env!("CARGO_PKG_VERSION"),
    " (+",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);

/// What an endpoint needs besides [`HttpOptions`].
pub(crate) struct Address<'a> {
    pub(crate) provider: &'a str,
    pub(crate) kind: ProviderKind,
    pub(crate) base_url: &'a str,
    pub(crate) key: Option<&'a SecretString>,
    /// The header of the key; the kind's own by default.
    pub(crate) key_header: Option<&'a str>,
    /// Extra headers; they win over those of the wire format.
    pub(crate) headers: &'a BTreeMap<String, String>,
    /// The same with values that must never be seen.
    pub(crate) secret_headers: &'a BTreeMap<String, SecretString>,
    /// The header that carries the number of the sample.
    pub(crate) sample_header: Option<&'a str>,
}

/// One provider over HTTP: connections are kept and reused, replies are scrubbed of the key.
pub(crate) struct HttpTransport {
    provider: String,
    base: Url,
    clients: Vec<Client>,
    next: AtomicUsize,
    /// The key and the user's own headers; they win over those of the wire format.
    headers: HeaderMap,
    sample_header: Option<HeaderName>,
    scrubber: Scrubber,
    timeout: Duration,
}

impl HttpTransport {
    pub(crate) fn new(address: &Address<'_>, options: &HttpOptions) -> Result<Self, ProviderError> {
        options.check()?;
        let base = url::base_url(address.provider, address.kind, address.base_url)?;
        let (headers, scrubber) = fixed_headers(address)?;
        let sample_header = address
            .sample_header
            .map(|name| header_name(address, name))
            .transpose()?;
        let count = if base.scheme() == "https" {
            options.connections
        } else {
            1
        };
        let clients = (0..count)
            .map(|_| client(address.provider, &base, options))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            provider: address.provider.to_owned(),
            base,
            clients,
            next: AtomicUsize::new(0),
            headers,
            sample_header,
            scrubber,
            timeout: options.timeout,
        })
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    fn request(&self, call: &Call) -> Result<reqwest::RequestBuilder, LlmError> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len();
        let url = match &call.place {
            Place::Base => url::join(&self.base, &call.path),
            Place::Upload => url::upload(&self.base, &call.path),
            Place::Given(address) => url::same_host(&self.base, address).ok_or_else(|| {
                LlmError::new(
                    LlmErrorKind::BadReply,
                    format!(
                        "{}: the server named an upload address at another host; the key is not sent there",
                        self.provider
                    ),
                )
            })?,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                LlmError::new(
                    LlmErrorKind::BadRequest,
                    format!(
                        "{}: header {name:?} has a value that HTTP does not allow",
                        self.provider
                    ),
                )
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Some(name) = &self.sample_header {
            headers.insert(name, call.sample.into());
        }
        let request = match call.verb {
            Verb::Get => self.clients[at].get(url),
            Verb::Delete => self.clients[at].delete(url),
            Verb::Post => {
                if !call.body.is_empty() {
                    headers
                        .entry(CONTENT_TYPE)
                        .or_insert(HeaderValue::from_static("application/json"));
                }
                self.clients[at].post(url).body(call.body.clone())
            }
        };
        headers.extend(self.headers.clone());
        Ok(request.headers(headers))
    }

    fn failed(&self, error: reqwest::Error) -> LlmError {
        let host = url::host(&self.base);
        let name = &self.provider;
        let message = if error.is_connect() {
            format!("{name}: cannot connect to {host}")
        } else if error.is_timeout() {
            format!(
                "{name}: no complete answer from {host} within {} s",
                self.timeout.as_secs_f64()
            )
        } else {
            format!("{name}: the connection to {host} broke")
        };
        // The cause as text: a foreign type in the contract's error would tie callers to this client, and
        // its text may name the URL.
        let error = error.without_url();
        let mut story = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            story = format!("{story}: {next}");
            cause = next.source();
        }
        LlmError::new(LlmErrorKind::Transport, message)
            .with_source(self.scrubber.scrub(&story).into_owned())
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, call: &Call) -> Result<WireReply, LlmError> {
        let sent = self.request(call)?.send().await;
        let mut response = sent.map_err(|error| self.failed(error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| *name != reqwest::header::SET_COOKIE)
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (
                    name.as_str().to_owned(),
                    self.scrubber.scrub(&value).into_owned(),
                )
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > call.max_reply {
                return Err(LlmError::new(
                    LlmErrorKind::BadReply,
                    format!(
                        "{}: a reply of more than {} bytes",
                        self.provider, call.max_reply
                    ),
                )
                .with_status(status));
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(WireReply {
            status,
            headers,
            body: self.scrubber.scrub_owned(body),
        })
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("provider", &self.provider)
            .field("host", &url::host(&self.base))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn wrong_header(address: &Address<'_>, name: &str) -> ProviderError {
    ProviderError::Header {
        provider: address.provider.to_owned(),
        header: name.to_owned(),
    }
}

fn header_name(address: &Address<'_>, name: &str) -> Result<HeaderName, ProviderError> {
    name.to_ascii_lowercase()
        .parse()
        .map_err(|_| wrong_header(address, name))
}

/// The headers of every call, and what must never be seen of them.
fn fixed_headers(address: &Address<'_>) -> Result<(HeaderMap, Scrubber), ProviderError> {
    let mut headers = HeaderMap::new();
    let mut scrubber = Scrubber::default();
    let mut insert = |name: &str, value: &str| {
        let key = header_name(address, name)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong_header(address, name))?;
        value.set_sensitive(true);
        headers.insert(key, value);
        Ok(())
    };
    if let Some(key) = address.key {
        let key = key.expose_secret();
        scrubber.add(key);
        match (address.key_header, address.kind) {
            (Some(name), _) if !name.eq_ignore_ascii_case("authorization") => insert(name, key)?,
            (None, ProviderKind::Anthropic) => insert("x-api-key", key)?,
            (None, ProviderKind::Gemini) => insert("x-goog-api-key", key)?,
            _ => insert("authorization", &format!("Bearer {key}"))?,
        }
    }
    for (name, value) in address.headers {
        insert(name, value)?;
    }
    for (name, value) in address.secret_headers {
        insert(name, value.expose_secret())?;
        scrubber.add(value.expose_secret());
        // The token of `Bearer TOKEN` may be echoed alone.
        if let Some((_, token)) = value.expose_secret().split_once(' ') {
            scrubber.add(token);
        }
    }
    Ok((headers, scrubber))
}

fn client(provider: &str, base: &Url, options: &HttpOptions) -> Result<Client, ProviderError> {
    let mut builder = Client::builder()
        .user_agent(options.user_agent.as_deref().unwrap_or(USER_AGENT))
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_keepalive(Duration::from_mins(1))
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        // A redirect of a POST would carry the key to wherever it points.
        .redirect(reqwest::redirect::Policy::none())
        // The default would repeat calls behind the one retry layer.
        .retry(reqwest::retry::never())
        .referer(false);
    if url::is_loopback(base) {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &options.proxy {
        let wrong = || ProviderError::Proxy {
            provider: provider.to_owned(),
        };
        let url = Url::parse(proxy).map_err(|_| wrong())?;
        if !url.username().is_empty() || url.password().is_some() || !url.has_host() {
            return Err(wrong());
        }
        builder = builder.proxy(reqwest::Proxy::all(url).map_err(|_| wrong())?);
    }
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    } else if base.scheme() == "http" && options.proxy.is_none() {
        // No TLS, no authorities: machines without any can still reach local servers.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| ProviderError::Client {
        provider: provider.to_owned(),
        reason: {
            let error = error.without_url();
            match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            }
        },
    })
}

fn certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>, ProviderError> {
    let wrong = |reason: String| ProviderError::Certificates {
        path: path.to_owned(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}
