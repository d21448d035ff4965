//! What a call of a stage and model is like.

use std::collections::BTreeMap;

use specstress_llm::{CallMode, Usage};

use super::{ForecastRow, PriceList, whole};
use crate::progress::StageName;
use crate::store::CallTotals;
use crate::survey::MissingCalls;

/// Calls from which a mean is taken for measured. Where a model has fewer, all models of the stage stand for it.
const ENOUGH: u64 = 10;

/// Bytes of text per token where nothing was measured.
const BYTES_PER_TOKEN: f64 = 4.0;

/// Tokens of a call of a stage where nothing was measured and its text is not known: read, and written.
fn assumed(stage: StageName) -> (f64, f64) {
    match stage {
        StageName::Scenarios => (600.0, 1500.0),
        StageName::Embeddings => (80.0, 0.0),
        StageName::Responses => (80.0, 900.0),
        StageName::Spectra => (1200.0, 1500.0),
        // Twelve answers, two spectra.
        StageName::Positions => (14_000.0, 3000.0),
        // The whole spec.
        StageName::Verdicts => (35_000.0, 700.0),
        StageName::Topics => (500.0, 60.0),
        StageName::Refusals => (1600.0, 200.0),
        StageName::ExpressedValues => (12_000.0, 800.0),
        StageName::Pairs
        | StageName::Diversity
        | StageName::Disagreement
        | StageName::Selections => (0.0, 0.0),
    }
}

/// Tokens of a label to embed.
const LABEL: (f64, f64) = (6.0, 0.0);

/// Relative standard error of assumed tokens.
const ASSUMED_ERROR: f64 = 0.5;

/// Means per stage and model.
pub(super) struct Typical<'a> {
    calls: BTreeMap<(&'a str, &'a str), Measured>,
    /// All models of a stage.
    stages: BTreeMap<&'a str, Measured>,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    calls: u64,
    input: f64,
    cached: f64,
    written: f64,
    output: f64,
    reasoning: f64,
    input_squares: f64,
    output_squares: f64,
}

impl Measured {
    fn add(&mut self, part: &CallTotals) {
        self.calls += part.calls;
        self.input += part.input_tokens as f64;
        self.cached += part.cached_tokens as f64;
        self.written += part.cache_write_tokens as f64;
        self.output += part.output_tokens as f64;
        self.reasoning += part.reasoning_tokens as f64;
        self.input_squares += part.input_squares;
        self.output_squares += part.output_squares;
    }
}

/// Tokens of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneCall {
    input: f64,
    /// The share of the input that is read from the provider's cache, or can be: what other requests send too.
    shared: f64,
    /// The share of the input that is written to the cache.
    written: f64,
    output: f64,
    reasoning: f64,
    /// Standard error of the mean of input and output together.
    error: f64,
    measured: bool,
    embeds: bool,
}

impl<'a> Typical<'a> {
    pub(super) fn new(totals: &'a [CallTotals]) -> Self {
        let mut calls: BTreeMap<(&str, &str), Measured> = BTreeMap::new();
        let mut stages: BTreeMap<&str, Measured> = BTreeMap::new();
        for part in totals {
            calls
                .entry((&part.stage, &part.model))
                .or_default()
                .add(part);
            stages.entry(&part.stage).or_default().add(part);
        }
        Self { calls, stages }
    }

    /// A call of a stage and model: measured where there are enough, with the text of the missing ones where that is
    /// known.
    pub(super) fn call(
        &self,
        stage: StageName,
        model: &str,
        missing: Option<&MissingCalls>,
        embeds: bool,
    ) -> OneCall {
        let own = self.calls.get(&(stage.as_str(), model));
        let all = self.stages.get(stage.as_str()).filter(|_| !embeds);
        let known = own
            .filter(|own| own.calls >= ENOUGH)
            .or(all)
            .copied()
            .unwrap_or_default();
        let (assumed_input, assumed_output) = if embeds && stage == StageName::ExpressedValues {
            LABEL
        } else {
            assumed(stage)
        };
        let text = missing.filter(|missing| missing.calls > 0);
        let per_call = |bytes: u64, calls: u64| bytes as f64 / calls as f64;
        if known.calls >= ENOUGH {
            let n = known.calls as f64;
            let (input, output) = (known.input / n, known.output / n);
            let variance = |squares: f64, mean: f64| (squares / n - mean * mean).max(0.0) / n;
            return OneCall {
                input,
                shared: share(known.cached, known.input),
                written: share(known.written, known.input),
                output,
                reasoning: known.reasoning / n,
                error: (variance(known.input_squares, input)
                    + variance(known.output_squares, output))
                .sqrt(),
                measured: true,
                embeds,
            };
        }
        let input = text.map_or(assumed_input, |text| {
            per_call(text.bytes, text.calls) / BYTES_PER_TOKEN
        });
        let output = if embeds { 0.0 } else { assumed_output };
        OneCall {
            input,
            shared: text.map_or(0.0, |text| {
                share(text.shared_bytes as f64, text.bytes as f64)
            }),
            written: 0.0,
            output,
            reasoning: 0.0,
            error: ASSUMED_ERROR * (input + output),
            measured: false,
            embeds,
        }
    }
}

impl OneCall {
    pub(super) fn row(
        &self,
        stage: StageName,
        model: &str,
        stored: u64,
        calls: f64,
        relative_error: f64,
        prices: &dyn PriceList,
    ) -> ForecastRow {
        // Prices have tiers by the length of a prompt, so a mean call is priced, not their sum.
        let uncached = Usage {
            input: whole(self.input),
            output: whole(self.output - self.reasoning),
            reasoning: whole(self.reasoning),
            ..Usage::default()
        };
        let cached = Usage {
            input: whole(self.input * (1.0 - self.shared - self.written)),
            cached_input: whole(self.input * self.shared),
            cache_write: whole(self.input * self.written),
            ..uncached
        };
        // Where it was measured, the first writes are among the mean's.
        let first = Usage {
            cache_write: cached.cached_input + cached.cache_write,
            cached_input: 0,
            ..cached
        };
        let quote = |usage: &Usage, mode| prices.quote(model, usage, mode);
        let live = quote(&uncached, CallMode::Live).map(|usd| usd * calls);
        let usd_cached = quote(&cached, CallMode::Live)
            .zip(quote(&first, CallMode::Live))
            .map(|(usd, first)| first + usd * (calls - 1.0).max(0.0));
        let usd_batch = (!self.embeds)
            .then(|| quote(&uncached, CallMode::Batch))
            .flatten()
            .map(|usd| usd * calls);
        ForecastRow {
            stage,
            model: model.to_owned(),
            stored,
            calls,
            calls_error: calls * relative_error,
            input_tokens: calls * self.input,
            output_tokens: calls * self.output,
            tokens_error: calls * self.error,
            measured: self.measured,
            usd_live: live,
            usd_cached,
            usd_batch,
            usd_expected: if prices.batched(stage, model) {
                usd_batch.or(live)
            } else {
                usd_cached.or(live)
            },
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
