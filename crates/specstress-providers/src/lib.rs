//! Clients for the providers of language models: Anthropic, `OpenAI`, Gemini, xAI, and every server that
//! speaks Chat Completions. Behind the traits of `specstress-llm` they write each wire format as its
//! provider documents it, send a model nothing it would refuse, and read every ending of a reply as a
//! typed outcome. What is known of each model (what it accepts, costs and when it retires) is a dated table
//! that a user can extend.
//!
//! ```
//! use specstress_llm::Usage;
//! use specstress_providers::{Catalog, PriceTier, ProviderKind, cost_usd};
//!
//! let catalog = Catalog::builtin();
//! let model = catalog.resolve(ProviderKind::Anthropic, "anthropic", "claude-opus-5-5");
//! let usage = Usage { input: 1_000, output: 200, ..Usage::default() };
//! assert_eq!(cost_usd(&model, &usage, PriceTier::default()), Some(0.008));
//! assert!(!model.capabilities().sampling);
//! ```
//!
//! A [`Provider`] is one address with one key. All its models share one pool of connections, one
//! [`Limiter`] that learns how fast calls may go out, and one [`RetryPolicy`], the only place where a call is
//! made again:
//!
//! ```no_run
//! use specstress_llm::{ChatModel as _, ChatRequest};
//! use specstress_providers::{Provider, ProviderConfig, ProviderKind};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Provider::new(ProviderConfig::new(ProviderKind::Anthropic))?; // ANTHROPIC_API_KEY
//! let model = provider.model("claude-opus-5-5");
//! let reply = model.chat(&ChatRequest::user("Hello").with_max_tokens(1024)).await?;
//! println!("{} ({} in flight)", reply.text, provider.limiter().snapshot().in_flight);
//! # Ok(()) }
//! ```
//!
//! # Traits
//!
//! None of its own: the models are [`ChatModel`](specstress_llm::ChatModel),
//! [`EmbeddingModel`](specstress_llm::EmbeddingModel) and [`BatchModel`](specstress_llm::BatchModel) of
//! `specstress-llm`.

mod batch;
mod catalog;
mod client;
mod cost;
mod endpoint;
mod error;
mod http;
mod limiter;
mod percent;
mod preflight;
mod replay;
mod retry;
mod secret;
mod stats;
mod time;
mod transport;
mod usage;
mod wire;

pub use batch::ProviderBatch;
pub use catalog::{
    AdaptiveOff, Catalog, CatalogError, ChatApi, Date, EffortControl, EmbeddingRule, LongContext,
    ModelEntry, ModelInfo, Prices, ProviderKind, SamplingRule, StructuredOutput, TokenLimitName,
};
pub use client::{Provider, ProviderConfig, ProviderEmbedder, ProviderModel};
pub use cost::{PriceTier, cost_usd, response_cost_usd};
pub use error::ProviderError;
pub use http::HttpOptions;
pub use limiter::{Limiter, LimiterOptions, LimiterSnapshot};
pub use preflight::{ModelState, ModelStatus};
pub use retry::RetryPolicy;
pub use secrecy::SecretString;
pub use stats::ProviderStats;
pub use usage::{UsageMismatch, usage_mismatch};
pub use wire::{CacheTtl, CompatOptions, ResponseFormat, WireOptions};
