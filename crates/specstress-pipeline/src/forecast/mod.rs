//! What a run will ask, cost and take.

mod counts;
mod evidence;
mod flow;
mod shape;
mod tokens;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specstress_llm::{CallMode, Usage};

pub use counts::KnownCounts;
pub use evidence::{Evidence, Share};

use crate::progress::StageName;
use crate::store::CallTotals;
use crate::study::Study;
use crate::survey::{StageState, Survey};
use flow::Flow;
use shape::Shape;
use tokens::Typical;

/// What a forecast needs to know of models.
pub trait PriceList {
    /// The price of a usage in US dollars, where it is known.
    fn quote(&self, model: &str, usage: &Usage, mode: CallMode) -> Option<f64>;

    /// Calls and tokens a provider takes per minute, where it is known.
    fn per_minute(&self, provider: &str) -> (Option<f64>, Option<f64>) {
        let _ = provider;
        (None, None)
    }

    /// Whether the calls of a stage and model will go into batches.
    fn batched(&self, stage: StageName, model: &str) -> bool {
        let _ = (stage, model);
        false
    }

    /// Seconds one call of a model takes, about, and how many may be in flight.
    fn pace(&self) -> (f64, usize) {
        (10.0, 64)
    }
}

/// The calls of one stage and model that a run will make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastRow {
    /// The stage.
    pub stage: StageName,
    /// The model id.
    pub model: String,
    /// Replies that are in the store.
    pub stored: u64,
    /// Calls to make; for embeddings, texts.
    pub calls: f64,
    /// Standard error of the calls; 0 where the number is known.
    pub calls_error: f64,
    /// Tokens read.
    pub input_tokens: f64,
    /// Tokens written.
    pub output_tokens: f64,
    /// Standard error of the tokens' sum, apart from that of the calls.
    pub tokens_error: f64,
    /// Whether the tokens of a call were measured (30 calls and more of this stage and model).
    pub measured: bool,
    /// US dollars, live and without prompt caching; `None` without prices.
    pub usd_live: Option<f64>,
    /// US dollars, live, when text that requests share is read from the provider's cache.
    pub usd_cached: Option<f64>,
    /// US dollars in batches; `None` without a batch service.
    pub usd_batch: Option<f64>,
    /// US dollars as the run is set up: in batches where its rules say so, else live with caching.
    pub usd_expected: Option<f64>,
}

/// What a run will ask, cost and take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Where the numbers that are not known come from.
    pub source: String,
    /// One row per stage and model with calls.
    pub rows: Vec<ForecastRow>,
    /// Stages that are left as they are.
    pub kept: Vec<StageName>,
    /// Seconds, all live, at the known rates, one stage after the other.
    pub seconds: f64,
}

/// Sums of a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ForecastSum {
    /// Calls.
    pub calls: f64,
    /// Half of the width of their 95% interval.
    pub calls_margin: f64,
    /// Tokens read.
    pub input_tokens: f64,
    /// Tokens written.
    pub output_tokens: f64,
    /// US dollars, live; rows without prices count nothing.
    pub usd_live: f64,
    /// Half of the width of the 95% interval of what is expected.
    pub usd_margin: f64,
    /// US dollars, live, with prompt caching.
    pub usd_cached: f64,
    /// US dollars with everything in batches that can be.
    pub usd_batch: f64,
    /// US dollars as the run is set up.
    pub usd_expected: f64,
    /// Rows without prices.
    pub unpriced: usize,
}

impl Forecast {
    /// From a survey of the study and, where there is one, a survey of a smaller finished one with every stage read
    /// again. `totals` are the store's.
    pub fn new(
        study: &Study,
        survey: &Survey,
        pilot: Option<&Survey>,
        totals: &[CallTotals],
        prices: &dyn PriceList,
    ) -> Self {
        let shape = Shape::new(study);
        let evidence = match pilot {
            Some(pilot) => Evidence::measured(&shape.of_pilot(pilot), pilot),
            None => Evidence::assumed(),
        };
        let flow = Flow::new(&shape, &evidence, &survey.counts);
        let typical = Typical::new(totals);
        let mut rows = Vec::new();
        let mut kept = Vec::new();
        for stage in &survey.stages {
            if stage.state == StageState::Kept {
                kept.push(stage.stage);
                continue;
            }
            if stage.state == StageState::Stored {
                continue;
            }
            for (model, wanted) in flow.calls(&shape, &evidence, stage.stage) {
                let embeds = shape.embedder.as_ref() == Some(&model);
                let repeat = if embeds {
                    1.0
                } else {
                    evidence.repeat(stage.stage)
                };
                // What a pilot asked is stored, although a stage that cannot be gone through yet does not find it.
                let found = match (stage.state, pilot) {
                    (StageState::Later, Some(pilot)) => found_of(pilot, stage.stage),
                    _ => Some(&stage.found),
                };
                let stored = found
                    .and_then(|found| found.get(&model))
                    .copied()
                    .unwrap_or(0);
                let missing = stage.missing.iter().find(|missing| missing.model == model);
                let known = missing.map_or(0, |missing| missing.calls) as f64;
                let calls = (wanted.value * repeat - stored as f64).max(known);
                if calls <= 0.0 {
                    continue;
                }
                let one = typical.call(stage.stage, &model, missing, embeds);
                rows.push(one.row(stage.stage, &model, stored, calls, wanted.error, prices));
            }
        }
        let seconds = seconds(&rows, prices);
        Self {
            source: evidence.source,
            rows,
            kept,
            seconds,
        }
    }

    /// The sums of some rows.
    ///
    /// Errors of counts are taken to go together, since most counts follow from the same shares; errors of tokens not.
    pub fn sum<'a>(rows: impl IntoIterator<Item = &'a ForecastRow>) -> ForecastSum {
        let mut sum = ForecastSum::default();
        let (mut calls, mut usd, mut usd_tokens) = (0.0, 0.0, 0.0);
        for row in rows {
            sum.calls += row.calls;
            sum.input_tokens += row.input_tokens;
            sum.output_tokens += row.output_tokens;
            calls += row.calls_error;
            let Some(live) = row.usd_live else {
                sum.unpriced += 1;
                continue;
            };
            sum.usd_live += live;
            sum.usd_cached += row.usd_cached.unwrap_or(live);
            sum.usd_batch += row.usd_batch.unwrap_or(live);
            sum.usd_expected += row.usd_expected.unwrap_or(live);
            let expected = row.usd_expected.unwrap_or(live);
            usd += expected * row.calls_error / row.calls;
            let tokens = row.input_tokens + row.output_tokens;
            usd_tokens += (expected * row.tokens_error / tokens.max(1.0)).powi(2);
        }
        sum.calls_margin = 1.96 * calls;
        sum.usd_margin = 1.96 * usd.hypot(usd_tokens.sqrt());
        sum
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of things: not negative, and saturation is what is wanted"
)]
fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

/// What a survey found for a stage, by model.
fn found_of(survey: &Survey, stage: StageName) -> Option<&BTreeMap<String, u64>> {
    let stage = survey.stages.iter().find(|known| known.stage == stage)?;
    Some(&stage.found)
}

/// The time of all stages: providers work side by side, stages one after the other.
fn seconds(rows: &[ForecastRow], prices: &dyn PriceList) -> f64 {
    let (latency, in_flight) = prices.pace();
    let mut stages: BTreeMap<StageName, BTreeMap<&str, (f64, f64)>> = BTreeMap::new();
    for row in rows {
        let provider = row.model.split('/').next().unwrap_or(&row.model);
        let load = stages
            .entry(row.stage)
            .or_default()
            .entry(provider)
            .or_default();
        load.0 += row.calls;
        load.1 += row.input_tokens + row.output_tokens;
    }
    stages
        .values()
        .map(|providers| {
            let all: f64 = providers.values().map(|load| load.0).sum();
            let limited = providers
                .iter()
                .map(|(provider, (calls, tokens))| {
                    let (per_minute, tokens_per_minute) = prices.per_minute(provider);
                    let by_calls = per_minute.map_or(0.0, |rate| calls / rate * 60.0);
                    let by_tokens = tokens_per_minute.map_or(0.0, |rate| tokens / rate * 60.0);
                    by_calls.max(by_tokens)
                })
                .fold(0.0, f64::max);
            limited
                .max(all * latency / in_flight.max(1) as f64)
                .max(latency)
        })
        .sum()
}
