//! What calls have been like, to bound what the next ones may cost.

use specstress_llm::Usage;

use crate::store::CallTotals;

/// What calls of one stage and model have been like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    calls: f64,
    bytes: f64,
    input: f64,
    output: f64,
    output_squares: f64,
}

/// Calls from which a mean and a spread are worth something.
const ENOUGH: f64 = 30.0;

impl Habit {
    pub(super) fn add(&mut self, bytes: u64, usage: &Usage) {
        let output = (usage.output + usage.reasoning) as f64;
        self.calls += 1.0;
        self.bytes += bytes as f64;
        self.input += (usage.input + usage.cached_input + usage.cache_write) as f64;
        self.output += output;
        self.output_squares += output * output;
    }

    pub(super) fn add_totals(&mut self, totals: &CallTotals) {
        self.calls += totals.calls as f64;
        self.bytes += totals.bytes as f64;
        self.input += totals.input_tokens as f64;
        self.output += totals.output_tokens as f64;
        self.output_squares += totals.output_squares;
    }

    pub(super) fn known(&self) -> bool {
        self.calls >= ENOUGH && self.bytes > 0.0
    }

    pub(super) fn mean(&self) -> f64 {
        self.output / self.calls
    }

    pub(super) fn variance(&self) -> f64 {
        (self.output_squares / self.calls - self.mean().powi(2)).max(0.0)
    }

    /// Tokens that this much text can have at most.
    pub(super) fn input_tokens(&self, bytes: u64) -> u64 {
        if self.known() {
            ceil(bytes as f64 * self.input / self.bytes * 1.1) + 16
        } else {
            bytes.div_ceil(2)
        }
    }

    /// Tokens that one answer can have at most.
    pub(super) fn output_tokens(&self, limit: Option<u32>, most: Option<u32>) -> u64 {
        match limit {
            Some(limit) => u64::from(limit),
            None if self.known() => ceil(self.mean() + 4.0 * self.variance().sqrt()),
            None => u64::from(most.unwrap_or(UNKNOWN_OUTPUT).min(UNKNOWN_OUTPUT)),
        }
    }
}

/// Output tokens taken for the most where nothing limits them and nothing was measured.
const UNKNOWN_OUTPUT: u32 = 8192;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "token counts: not negative, and saturation is what is wanted"
)]
pub(super) fn ceil(tokens: f64) -> u64 {
    tokens.ceil().max(0.0) as u64
}
