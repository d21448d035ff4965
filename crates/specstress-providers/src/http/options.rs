use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ProviderError;

/// How to connect to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpOptions {
    /// Longest time to get a connection, TLS included; 10 s by default. In files: seconds.
    #[serde(with = "crate::time::as_seconds")]
    pub connect_timeout: Duration,
    /// Longest time of one attempt, from sending to the last byte of the reply; 600 s by default, since
    /// models that reason think for minutes. In files: seconds.
    #[serde(with = "crate::time::as_seconds")]
    pub timeout: Duration,
    /// A proxy, such as `http://host:3128`. By default the usual environment variables (`HTTPS_PROXY`,
    /// `HTTP_PROXY`, `NO_PROXY`), where one with a password belongs; never for loopback addresses.
    pub proxy: Option<String>,
    /// A PEM file with certificates of authorities to trust on top of the system's.
    pub ca_file: Option<PathBuf>,
    /// Connections that HTTP/2 spreads its calls over, 1 to 64; 4 by default. Servers allow about a hundred
    /// calls at once on each. HTTP/1.1 opens one per call in flight and reuses it.
    pub connections: usize,
    /// The `User-Agent`; by default the name and version of this crate.
    pub user_agent: Option<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(10),
            proxy: None,
            ca_file: None,
            connections: 4,
            user_agent: None,
        }
    }
}

impl HttpOptions {
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        for (setting, value) in [
            ("http.connect_timeout", self.connect_timeout),
            ("http.timeout", self.timeout),
        ] {
            if value.is_zero() {
                return Err(ProviderError::Setting {
                    setting,
                    value: "0 s".to_owned(),
                    range: "more than 0 s",
                });
            }
        }
        if !(1..=64).contains(&self.connections) {
            return Err(ProviderError::Setting {
                setting: "http.connections",
                value: self.connections.to_string(),
                range: "1 to 64",
            });
        }
        Ok(())
    }
}
