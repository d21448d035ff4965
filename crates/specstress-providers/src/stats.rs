use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use specstress_llm::{ChatResponse, Usage};

use crate::catalog::ModelInfo;
use crate::cost::{PriceTier, cost_usd, response_cost_usd};
use crate::usage::usage_mismatch;

/// What a provider was asked since it was set up, and what came of it; from [`Provider::stats`](crate::Provider::stats).
///
/// `calls` is `answered`, `failed` and those still open; `sent` is `calls` and `retries`, less what was never
/// sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProviderStats {
    /// Calls begun.
    pub calls: u64,
    /// Calls that brought an answer, refusals and cut answers included.
    pub answered: u64,
    /// Calls that were given up or ended by a stop.
    pub failed: u64,
    /// Requests sent, each try counted.
    pub sent: u64,
    /// Tries after the first.
    pub retries: u64,
    /// Replies with HTTP 429.
    pub rate_limited: u64,
    /// Answers whose parts of usage do not add up to the provider's own total.
    pub usage_mismatches: u64,
    /// What the answers cost in US dollars: what the provider says, else the list price.
    pub cost_usd: f64,
    /// Answers whose cost is not known: neither told nor in the catalog.
    pub unpriced: u64,
}

/// The live counts behind [`ProviderStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<ProviderStats>);

impl Counters {
    pub(crate) fn read(&self) -> ProviderStats {
        *self.now()
    }

    /// The counts, to add to. Never held over a wait.
    pub(crate) fn now(&self) -> MutexGuard<'_, ProviderStats> {
        // Counts are whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an answer cost, and whether its usage adds up.
    pub(crate) fn charge(&self, model: &ModelInfo, response: &ChatResponse, tier: PriceTier) {
        let cost = response_cost_usd(model, response, tier);
        let mismatch = usage_mismatch(response).is_some();
        let mut now = self.now();
        now.usage_mismatches += u64::from(mismatch);
        now.add_cost(cost);
    }

    /// The same for vectors, which have input only.
    pub(crate) fn charge_input(&self, model: &ModelInfo, tokens: Option<u64>) {
        let cost = tokens.and_then(|input| {
            let usage = Usage {
                input,
                ..Usage::default()
            };
            cost_usd(model, &usage, PriceTier::default())
        });
        self.now().add_cost(cost);
    }
}

impl ProviderStats {
    fn add_cost(&mut self, cost: Option<f64>) {
        match cost {
            Some(cost) => self.cost_usd += cost,
            None => self.unpriced += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, ProviderKind};

    #[test]
    fn costs_add_up_and_unknown_ones_are_counted() {
        let counters = Counters::default();
        let catalog = Catalog::builtin();
        let model = catalog.get("openai", "gpt-4o").unwrap();
        let stranger = ModelInfo::unknown(ProviderKind::Compatible, "p", "m");
        let mut response = ChatResponse::stop("m", "x");
        response.usage.input = 1_000_000;
        response.raw = r#"{"usage":{"total_tokens":1000000}}"#.to_owned();
        counters.charge(model, &response, PriceTier::default());
        counters.charge(&stranger, &response, PriceTier::default());
        response.raw = r#"{"usage":{"total_tokens":7}}"#.to_owned();
        response.cost_usd = Some(0.5);
        counters.charge(&stranger, &response, PriceTier::default());
        let embedder = catalog.get("openai", "text-embedding-3-small").unwrap();
        counters.charge_input(embedder, Some(500_000));
        counters.charge_input(embedder, None);
        let now = counters.read();
        // 2.50 + 0.50 + half of 0.02
        assert!((now.cost_usd - 3.01).abs() < 1e-9, "{now:?}");
        assert_eq!((now.unpriced, now.usage_mismatches), (2, 1));
    }
}
