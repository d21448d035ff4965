use std::path::PathBuf;

use crate::catalog::ProviderKind;

/// Why a provider cannot be set up. Calls fail with [`LlmError`](specstress_llm::LlmError) instead.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A setting out of its range.
    #[error("{setting} is {value}; it must be {range}")]
    Setting {
        /// The setting, as the configuration names it.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// A base URL that is missing or cannot be used. The URL is not repeated: it may hold a password.
    #[error("provider {provider:?}: base_url {reason}")]
    BaseUrl {
        /// The provider's name in the configuration.
        provider: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The environment variable that should hold the key is not set, empty or not text.
    #[error(
        "provider {provider:?}: environment variable {variable} holds no key; set it, or set key_env to another name"
    )]
    NoKey {
        /// The provider's name in the configuration.
        provider: String,
        /// The variable.
        variable: String,
    },
    /// A key or extra header that HTTP cannot carry. The value is not repeated.
    #[error(
        "provider {provider:?}: header {header:?} has a name or value that HTTP does not allow; check for line breaks and spaces"
    )]
    Header {
        /// The provider's name in the configuration.
        provider: String,
        /// The header.
        header: String,
    },
    /// A header with a secret value written into the configuration. The value is not repeated.
    #[error(
        "provider {provider:?}: header {header:?} looks secret; name its environment variable under headers_env"
    )]
    SecretHeader {
        /// The provider's name in the configuration.
        provider: String,
        /// The header.
        header: String,
    },
    /// A certificate file that cannot be read or holds no certificate.
    #[error("cannot use the certificates of {path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A proxy address that cannot be used. It is not repeated: it may hold a password.
    #[error(
        "provider {provider:?}: http.proxy is not a proxy URL such as http://host:3128; one with a password belongs in HTTPS_PROXY"
    )]
    Proxy {
        /// The provider's name in the configuration.
        provider: String,
    },
    /// The HTTP client could not be made.
    #[error("provider {provider:?}: cannot set up the HTTP client: {reason}")]
    Client {
        /// The provider's name in the configuration.
        provider: String,
        /// What went wrong.
        reason: String,
    },
    /// A kind of provider that has no embeddings.
    #[error(
        "provider {provider:?} of kind {kind} has no embedding models; use openai, gemini or compatible"
    )]
    NoEmbeddings {
        /// The provider's name in the configuration.
        provider: String,
        /// Its wire format.
        kind: ProviderKind,
    },
    /// A model that cannot be asked in batches.
    #[error("model {model:?} cannot be asked in batches: {reason}; ask it live")]
    NoBatch {
        /// `provider/name`.
        model: String,
        /// Why not.
        reason: &'static str,
    },
    /// A directory of recorded exchanges that cannot be used.
    #[error("cannot use the directory {path} for recorded exchanges")]
    Exchanges {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
