use serde::{Deserialize, Serialize};

use crate::catalog::Date;

/// List prices of a model, in US dollars per million tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Input tokens billed in full.
    pub input: f64,
    /// Output tokens, reasoning included.
    pub output: f64,
    /// Input tokens read from the prompt cache; billed as input where there is no such price.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Input tokens written to the cache for five minutes (or for as long as the provider's only cache
    /// keeps them); billed as input where there is no such price.
    #[serde(default)]
    pub cache_write_5m: Option<f64>,
    /// Input tokens written to the cache for one hour; billed as the other kind where there is no such price.
    #[serde(default)]
    pub cache_write_1h: Option<f64>,
    /// The dearer tier for long prompts.
    #[serde(default)]
    pub long_context: Option<LongContext>,
    /// The day of the source, or the day it was read where it has none.
    pub as_of: Date,
    /// Where the prices come from.
    pub source: String,
}

/// Factors on all prices of a call whose prompt is long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// The tier holds for prompts of more input tokens than this, cached ones included.
    pub above: u64,
    /// Factor on every input price.
    pub input_factor: f64,
    /// Factor on the output price.
    pub output_factor: f64,
}

impl Prices {
    /// Every number a finite non-negative one.
    pub(super) fn check(&self) -> Result<(), String> {
        let named = [
            ("input", Some(self.input)),
            ("output", Some(self.output)),
            ("cached_input", self.cached_input),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            (
                "long_context.input_factor",
                self.long_context.map(|tier| tier.input_factor),
            ),
            (
                "long_context.output_factor",
                self.long_context.map(|tier| tier.output_factor),
            ),
        ];
        for (name, value) in named {
            if let Some(value) = value
                && !(value.is_finite() && value >= 0.0)
            {
                return Err(format!(
                    "prices.{name} is {value}; give US dollars per million tokens, 0 or more"
                ));
            }
        }
        Ok(())
    }
}
