//! What a run asked its providers, in all and stage by stage.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use specstress_pipeline::StageName;
use specstress_providers::{Provider, ProviderStats};

/// The providers of a run and what its stages asked of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Traffic {
    pub(crate) providers: BTreeMap<String, ProviderStats>,
    pub(crate) stages: Vec<StageTraffic>,
    /// The most memory this process ever held; `None` where the system does not tell.
    pub(crate) peak_memory_bytes: Option<u64>,
}

/// One finished stage.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StageTraffic {
    pub(crate) stage: StageName,
    pub(crate) seconds: f64,
    /// Calls per provider; repeated tries are not counted.
    pub(crate) calls: BTreeMap<String, u64>,
}

/// Calls so far, per provider.
pub(crate) fn calls(providers: &[Provider]) -> BTreeMap<String, u64> {
    let count = |provider: &Provider| (provider.name().to_owned(), provider.stats().calls);
    providers.iter().map(count).collect()
}

/// `anthropic 12/16, 40 wait, pause 2 s; xai 3/8`: calls in flight of those allowed now.
pub(crate) fn live(providers: &[Provider]) -> String {
    let mut text = String::new();
    for provider in providers {
        let now = provider.limiter().snapshot();
        if now.in_flight == 0 && now.waiting == 0 {
            continue;
        }
        let separator = if text.is_empty() { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{separator}{} {}/{}",
            provider.name(),
            now.in_flight,
            now.concurrency
        );
        if now.waiting > 0 {
            let _ = write!(text, ", {} wait", now.waiting);
        }
        if let Some(pause) = now.pause {
            let _ = write!(text, ", pause {:.0} s", pause.as_secs_f64().ceil());
        }
    }
    text
}

impl Traffic {
    pub(crate) fn new(providers: &[Provider], stages: Vec<StageTraffic>) -> Self {
        let stats = |provider: &Provider| (provider.name().to_owned(), provider.stats());
        Self {
            providers: providers.iter().map(stats).collect(),
            stages,
            peak_memory_bytes: peak_memory_bytes(),
        }
    }

    /// A table of the providers that were asked; empty when none was.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let asked = || self.providers.iter().filter(|(_, stats)| stats.calls > 0);
        if asked().next().is_some() {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<14} {:>8} {:>9} {:>8} {:>7} {:>7}  cost",
                "provider", "calls", "requests", "retries", "429s", "failed"
            );
        }
        for (name, stats) in asked() {
            let cost = match (stats.answered, stats.unpriced) {
                (all, unpriced) if all == unpriced => "unknown".to_owned(),
                (_, 0) => format!("${:.4}", stats.cost_usd),
                (_, unpriced) => format!("${:.4} and {unpriced} of unknown cost", stats.cost_usd),
            };
            let _ = writeln!(
                text,
                "{name:<14} {:>8} {:>9} {:>8} {:>7} {:>7}  {cost}",
                stats.calls, stats.sent, stats.retries, stats.rate_limited, stats.failed
            );
        }
        let odd: u64 = asked().map(|(_, stats)| stats.usage_mismatches).sum();
        if odd > 0 {
            let _ = writeln!(
                text,
                "{odd} replies count tokens that do not add up to their provider's own total"
            );
        }
        text
    }
}

fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
