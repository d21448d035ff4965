use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use specstress_llm::{
    CallMode, Capabilities, ChatModel, ChatRequest, ChatResponse, LlmError, LlmErrorKind, ModelId,
    Usage,
};

use super::Provider;
use crate::batch;
use crate::catalog::{ModelInfo, ProviderKind};
use crate::cost::{PriceTier, cost_usd};
use crate::endpoint::Endpoint;
use crate::http::HttpOptions;
use crate::limiter::Cost;
use crate::transport::Call;
use crate::wire::{CacheTtl, ChatWire, WireOptions, chat_wire};

/// Output tokens expected of a model that has not answered yet.
const FIRST_GUESS: u64 = 1024;

/// A chat model of a [`Provider`]; made by [`Provider::model`].
///
/// Retries by its provider's [`RetryPolicy`](crate::RetryPolicy), and only there. A request that the model
/// is known to refuse is an error before anything is sent.
#[derive(Clone, Debug)]
pub struct ProviderModel {
    id: ModelId,
    info: Arc<ModelInfo>,
    wire: Arc<dyn ChatWire>,
    capabilities: Capabilities,
    cache_ttl: CacheTtl,
    endpoint: Arc<Endpoint>,
    typical: Arc<Typical>,
    tier: PriceTier,
    timeout: Duration,
}

impl ProviderModel {
    pub(super) fn new(provider: &Provider, info: ModelInfo) -> Self {
        let config = &provider.config;
        let mut capabilities = info.capabilities();
        capabilities.batch = batch_is_known(config.kind, &info, &config.wire);
        Self {
            id: ModelId::new(config.name(), &info.name),
            wire: chat_wire(config.kind, config.wire.clone()).into(),
            capabilities,
            cache_ttl: config.wire.cache_ttl,
            info: Arc::new(info),
            endpoint: Arc::clone(&provider.endpoint),
            typical: Arc::default(),
            tier: PriceTier {
                batch: false,
                cache_ttl: config.wire.cache_ttl,
            },
            timeout: config.http.timeout,
        }
    }

    /// What is known of the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Anthropic writes 128,000 tokens in an hour at worst, and a reply that is longer in coming than ten
    /// minutes or the timeout is paid for and lost. Its own SDK refuses such calls by the same rule.
    fn check_time(&self, request: &ChatRequest) -> Result<(), LlmError> {
        let limit = request.max_tokens.unwrap_or(0);
        let worst = Duration::from_hours(1).mul_f64(f64::from(limit) / 128_000.0);
        let allowed = self.timeout.max(HttpOptions::default().timeout);
        if self.info.kind != ProviderKind::Anthropic || worst <= allowed {
            return Ok(());
        }
        Err(LlmError::new(
            LlmErrorKind::BadRequest,
            format!(
                "{}: an answer of max_tokens = {limit} may take {:.0} s, longer than http.timeout = {} s, and \
                 would be lost; lower max_tokens or raise the timeout",
                self.id,
                worst.as_secs_f64(),
                allowed.as_secs_f64()
            ),
        ))
    }
}

#[async_trait]
impl ChatModel for ProviderModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.check_time(request)?;
        let call = Call::post(self.wire.request(&self.info, request)?, request.sample)?;
        let cost = Cost {
            input: call.input_tokens(),
            output: self.typical.output(request.max_tokens),
        };
        let read = |reply: &_| {
            let response = self.wire.response(&self.info, reply)?;
            let spent = spent(&response.usage);
            Ok((response, spent))
        };
        let response = self.endpoint.call(&call, cost, read).await?;
        if let Some(spent) = spent(&response.usage) {
            self.typical.learn(spent.output);
        }
        self.endpoint
            .counters
            .charge(&self.info, &response, self.tier);
        Ok(response)
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        let tier = PriceTier {
            batch: mode == CallMode::Batch,
            cache_ttl: self.cache_ttl,
        };
        cost_usd(&self.info, usage, tier)
    }
}

/// Whether a model surely has a batch service: by the catalog, or by the switch for a compatible server.
fn batch_is_known(kind: ProviderKind, info: &ModelInfo, options: &WireOptions) -> bool {
    (info.known || kind == ProviderKind::Compatible) && batch::offered(kind, info, options).is_ok()
}

/// Tokens that count against a rate: cached ones mostly do not. `None` where the server reported nothing.
fn spent(usage: &Usage) -> Option<Cost> {
    (usage.total() > 0).then(|| Cost {
        input: usage.input + usage.cache_write,
        output: usage.output + usage.reasoning,
    })
}

/// A running mean of the tokens a model writes, to guess what the next call will cost.
#[derive(Debug, Default)]
struct Typical(AtomicU64);

impl Typical {
    fn output(&self, limit: Option<u32>) -> u64 {
        let typical = match self.0.load(Ordering::Relaxed) {
            0 => FIRST_GUESS,
            typical => typical,
        };
        limit.map_or(typical, |limit| typical.min(u64::from(limit)))
    }

    /// Moves an eighth of the way. Concurrent updates may lose one another: it is a guess.
    fn learn(&self, output: u64) {
        let old = match self.0.load(Ordering::Relaxed) {
            0 => output,
            old => old,
        };
        self.0
            .store((old * 7 + output).div_ceil(8).max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guess_follows_the_answers_and_the_limit() {
        let typical = Typical::default();
        assert_eq!(typical.output(None), 1024);
        assert_eq!(typical.output(Some(100)), 100);
        typical.learn(400);
        assert_eq!(typical.output(None), 400);
        for _ in 0..100 {
            typical.learn(80);
        }
        assert!((80..=88).contains(&typical.output(None)));
    }

    #[tokio::test]
    async fn answers_too_long_to_wait_for_are_refused_at_anthropic_only() {
        use crate::client::ProviderConfig;
        let ask = |kind, limit, seconds| {
            let mut config = ProviderConfig::new(kind).with_base_url("http://127.0.0.1:9");
            config.retry.max_attempts = 1;
            config.http.timeout = Duration::from_secs(seconds);
            let model = Provider::with_key(config, None).unwrap().model("m");
            async move {
                let request = ChatRequest::user("x").with_max_tokens(limit);
                model.chat(&request).await.unwrap_err()
            }
        };
        let long = ask(ProviderKind::Anthropic, 32_000, 600).await;
        assert_eq!(long.kind(), LlmErrorKind::BadRequest);
        assert!(long.to_string().contains("900 s"), "{long}");
        // Sent, and nobody is there.
        for (kind, limit, seconds) in [
            (ProviderKind::Anthropic, 21_333, 30),
            (ProviderKind::Anthropic, 32_000, 1_200),
            (ProviderKind::OpenAi, 100_000, 600),
        ] {
            let error = ask(kind, limit, seconds).await;
            assert_eq!(error.kind(), LlmErrorKind::Transport, "{error}");
        }
    }

    #[test]
    fn quotes_are_list_prices_under_the_providers_terms() {
        let mut config = crate::ProviderConfig::new(ProviderKind::Anthropic);
        config.wire.cache_ttl = CacheTtl::OneHour;
        let provider = Provider::with_key(config, None).unwrap();
        let model = provider.model("claude-opus-5-5");
        let usage = Usage {
            input: 1_000,
            cache_write: 1_000,
            output: 100,
            ..Usage::default()
        };
        // 4 x 1,000 + 8 x 1,000 (for an hour) + 20 x 100 dollars per million, and half of it.
        let close = |price: Option<f64>, expected: f64| (price.unwrap() - expected).abs() < 1e-12;
        assert!(close(model.quote(&usage, CallMode::Live), 0.014));
        assert!(close(model.quote(&usage, CallMode::Batch), 0.007));
        let unknown = provider.model("never-heard-of");
        assert_eq!(unknown.quote(&usage, CallMode::Live), None);
        assert_eq!(unknown.capabilities().max_output, None);
        let haiku = provider.model("claude-3-opus-20240229");
        assert_eq!(haiku.capabilities().max_output, Some(4_096));
    }

    #[test]
    fn batches_are_claimed_where_they_are_sure() {
        let batch = |kind, name: &str, switch| {
            let mut config = crate::ProviderConfig::new(kind).with_base_url("http://localhost:1");
            config.wire.compat.batch = switch;
            let provider = Provider::with_key(config, None).unwrap();
            let claimed = provider.model(name).capabilities().batch;
            (claimed, provider.batch_model(name).is_ok())
        };
        assert_eq!(batch(ProviderKind::OpenAi, "gpt-4o", false), (true, true));
        assert_eq!(
            batch(ProviderKind::OpenAi, "never-heard-of", false),
            (false, true)
        );
        assert_eq!(
            batch(ProviderKind::Xai, "grok-4-0709", false),
            (false, false)
        );
        assert_eq!(
            batch(ProviderKind::Compatible, "qwen3", false),
            (false, false)
        );
        assert_eq!(batch(ProviderKind::Compatible, "qwen3", true), (true, true));
    }

    #[test]
    fn unreported_usage_is_not_zero_cost() {
        assert_eq!(spent(&Usage::default()), None);
        let usage = Usage {
            input: 1,
            cached_input: 10,
            cache_write: 2,
            output: 3,
            reasoning: 4,
        };
        let expected = Cost {
            input: 3,
            output: 7,
        };
        assert_eq!(spent(&usage), Some(expected));
    }
}
