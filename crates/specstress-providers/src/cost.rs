//! What a call costs.

use specstress_llm::{ChatResponse, Usage};

use crate::catalog::ModelInfo;
use crate::wire::CacheTtl;

/// Under which terms a call was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceTier {
    /// Through the provider's batch service.
    pub batch: bool,
    /// How long cache writes are kept.
    pub cache_ttl: CacheTtl,
}

impl PriceTier {
    /// The batch service, with five-minute caching.
    pub fn batch() -> Self {
        Self {
            batch: true,
            ..Self::default()
        }
    }
}

/// The list price of a call, in US dollars.
///
/// `(input * p_in + cached * p_cached + written * p_write + (output + reasoning) * p_out) * batch / 10^6`,
/// with the factors of the long-context tier when input, cached and written tokens together are above its
/// threshold. A missing price for cached or written tokens is that of input.
///
/// `None` when the model has no prices, or the call is a batch call and the model has no batch service.
///
/// ```
/// use specstress_llm::Usage;
/// use specstress_providers::{Catalog, PriceTier, cost_usd};
///
/// let catalog = Catalog::builtin();
/// let model = catalog.get("openai", "gpt-4o").expect("listed");
/// let usage = Usage { input: 1_000, cached_input: 2_000, output: 100, ..Usage::default() };
/// // 1,000 x 2.50 + 2,000 x 1.25 + 100 x 10.00 dollars per million
/// assert_eq!(cost_usd(model, &usage, PriceTier::default()), Some(0.006));
/// assert_eq!(cost_usd(model, &usage, PriceTier::batch()), Some(0.003));
/// ```
pub fn cost_usd(model: &ModelInfo, usage: &Usage, tier: PriceTier) -> Option<f64> {
    let prices = model.prices.as_ref()?;
    let batch = if tier.batch { model.batch_factor? } else { 1.0 };
    let prompt = usage
        .input
        .saturating_add(usage.cached_input)
        .saturating_add(usage.cache_write);
    let (input_factor, output_factor) = prices
        .long_context
        .filter(|long| prompt > long.above)
        .map_or((1.0, 1.0), |long| (long.input_factor, long.output_factor));
    let short = prices.cache_write_5m.or(prices.cache_write_1h);
    let long = prices.cache_write_1h.or(prices.cache_write_5m);
    let write = match tier.cache_ttl {
        CacheTtl::FiveMinutes => short,
        CacheTtl::OneHour => long,
    };
    let per_million = |tokens: u64, price: f64| tokens as f64 * price;
    let input = per_million(usage.input, prices.input)
        + per_million(
            usage.cached_input,
            prices.cached_input.unwrap_or(prices.input),
        )
        + per_million(usage.cache_write, write.unwrap_or(prices.input));
    let output = per_million(usage.output.saturating_add(usage.reasoning), prices.output);
    Some((input * input_factor + output * output_factor) * batch / 1e6)
}

/// The cost of a reply: what the provider says it cost, else its list price.
///
/// Providers that say: xAI, `OpenRouter` and the `LiteLLM` proxy.
pub fn response_cost_usd(
    model: &ModelInfo,
    response: &ChatResponse,
    tier: PriceTier,
) -> Option<f64> {
    response
        .cost_usd
        .or_else(|| cost_usd(model, &response.usage, tier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn close(cost: Option<f64>, expected: f64) {
        let cost = cost.expect("a price");
        assert!((cost - expected).abs() < 1e-12, "{cost} {expected}");
    }

    fn usage(
        input: u64,
        cached_input: u64,
        cache_write: u64,
        output: u64,
        reasoning: u64,
    ) -> Usage {
        Usage {
            input,
            cached_input,
            cache_write,
            output,
            reasoning,
        }
    }

    #[test]
    fn cache_writes_cost_by_how_long_they_last() {
        let catalog = Catalog::builtin();
        let model = catalog.get("anthropic", "claude-opus-5-5").unwrap();
        let call = usage(1_000, 2_000, 4_000, 100, 300);
        // 4 x 1,000 + 0.2 x 2,000 + 5 x 4,000 + 20 x 400 = 32,400 per million.
        close(cost_usd(model, &call, PriceTier::default()), 0.0324);
        // Writes at 8 instead of 5, then half of it all.
        let hour = PriceTier {
            batch: true,
            cache_ttl: CacheTtl::OneHour,
        };
        close(cost_usd(model, &call, hour), 0.0222);
    }

    #[test]
    fn long_prompts_cost_more_from_one_token_above_the_threshold() {
        let catalog = Catalog::builtin();
        let model = catalog.get("gemini", "gemini-2.5-pro").unwrap();
        let at = usage(150_000, 50_000, 0, 10, 10);
        // 1.25 x 150,000 + 0.125 x 50,000 + 10 x 20
        close(cost_usd(model, &at, PriceTier::default()), 0.193_95);
        let above = usage(150_001, 50_000, 0, 10, 10);
        // 2.5 x 150,001 + 0.25 x 50,000 + 15 x 20
        close(cost_usd(model, &above, PriceTier::default()), 0.387_802_5);
    }

    #[test]
    fn unknown_prices_are_unknown_and_the_provider_wins() {
        let catalog = Catalog::builtin();
        let model = catalog.get("openai", "gpt-5").unwrap();
        assert_eq!(
            cost_usd(model, &usage(1, 0, 0, 1, 0), PriceTier::default()),
            None
        );
        let retired = catalog.get("xai", "grok-4-0709").unwrap();
        assert_eq!(
            cost_usd(retired, &Usage::default(), PriceTier::batch()),
            None
        );
        let mut response = ChatResponse::stop("m", "x");
        response.usage.input = 1_000_000;
        let model = catalog.get("openai", "gpt-4o").unwrap();
        close(
            response_cost_usd(model, &response, PriceTier::default()),
            2.5,
        );
        response.cost_usd = Some(0.5);
        close(
            response_cost_usd(model, &response, PriceTier::default()),
            0.5,
        );
    }

    #[test]
    fn missing_cache_prices_are_those_of_input() {
        let catalog = Catalog::builtin();
        let model = catalog.get("gemini", "gemini-3.8-flash").unwrap();
        close(
            cost_usd(model, &usage(0, 0, 1_000_000, 0, 0), PriceTier::default()),
            0.75,
        );
    }
}
