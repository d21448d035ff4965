use serde::{Deserialize, Serialize};

use crate::error::SimError;

/// What can be set about a simulated world. Every rate is a probability per call, from 0 to 1.
///
/// ```
/// use specstress_sim::SimOptions;
///
/// let calm = SimOptions { seed: 7, blocked: 0.0, truncated: 0.0, ..SimOptions::default() };
/// assert!(calm.check().is_ok());
/// assert!(SimOptions { blocked: 1.5, ..calm }.check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimOptions {
    /// Decides everything: utilities, planted conflicts, the spec, every reply. Default 0.
    pub seed: u64,
    /// Share of unordered pairs of different categories that are planted conflicts, 0 to 0.5; default 0.22.
    pub planted_share: f64,
    /// Scales the personas' own sampling noise (about 0.35 positions), 0 to 3; default 1.
    pub noise_scale: f64,
    /// Scales the personas' own refusal tendency, 0 to 3; default 1.
    pub refusal_scale: f64,
    /// How often a generator or nudger refuses or forgets the tag on the first ask; default 0.01.
    pub generator_failures: f64,
    /// How often a JSON reply is cut in the middle on the first ask; default 0.005.
    pub malformed_json: f64,
    /// How often a JSON reply stands in a code fence; default 0.15.
    pub fenced_json: f64,
    /// How often the panel's provider blocks an answer; default 0.003.
    pub blocked: f64,
    /// How often a panel answer is cut at the token limit; default 0.002.
    pub truncated: f64,
    /// How often the classifier reads a position one step off; default 0.08.
    pub reading_noise: f64,
    /// How often the labeler names the refusal kind one step off; default 0.03.
    pub label_noise: f64,
    /// Share of value names whose embedding lies nearest to a wrong category; default 0.05.
    pub label_blur: f64,
    /// How often a judge makes up a quote, of the spec or of the answer; default 0.06.
    pub fabricated_quotes: f64,
    /// How often a judge cites a section too many, names one wrongly, or cites nothing; default 0.08.
    pub loose_citations: f64,
    /// Length of the embedder's vectors, 16 to 4096; default 256.
    pub dimensions: u32,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            planted_share: 0.22,
            noise_scale: 1.0,
            refusal_scale: 1.0,
            generator_failures: 0.01,
            malformed_json: 0.005,
            fenced_json: 0.15,
            blocked: 0.003,
            truncated: 0.002,
            reading_noise: 0.08,
            label_noise: 0.03,
            label_blur: 0.05,
            fabricated_quotes: 0.06,
            loose_citations: 0.08,
            dimensions: 256,
        }
    }
}

impl SimOptions {
    /// Refuses the first option that lies outside its range.
    pub fn check(&self) -> Result<(), SimError> {
        let ranges = [
            ("planted_share", self.planted_share, 0.0, 0.5),
            ("noise_scale", self.noise_scale, 0.0, 3.0),
            ("refusal_scale", self.refusal_scale, 0.0, 3.0),
            ("generator_failures", self.generator_failures, 0.0, 1.0),
            ("malformed_json", self.malformed_json, 0.0, 1.0),
            ("fenced_json", self.fenced_json, 0.0, 1.0),
            ("blocked", self.blocked, 0.0, 1.0),
            ("truncated", self.truncated, 0.0, 1.0),
            ("reading_noise", self.reading_noise, 0.0, 1.0),
            ("label_noise", self.label_noise, 0.0, 1.0),
            ("label_blur", self.label_blur, 0.0, 1.0),
            ("fabricated_quotes", self.fabricated_quotes, 0.0, 1.0),
            ("loose_citations", self.loose_citations, 0.0, 1.0),
            ("dimensions", f64::from(self.dimensions), 16.0, 4096.0),
        ];
        for (option, value, low, high) in ranges {
            // NaN is in no range.
            if !(low..=high).contains(&value) {
                return Err(SimError::OptionOutOfRange {
                    option,
                    value,
                    low,
                    high,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_option_is_named() {
        let bad = SimOptions {
            reading_noise: f64::NAN,
            ..SimOptions::default()
        };
        assert_eq!(
            bad.check().unwrap_err().to_string(),
            "option reading_noise is NaN, outside 0 to 1: choose a value inside"
        );
        let bad = SimOptions {
            dimensions: 3,
            ..SimOptions::default()
        };
        assert!(
            bad.check()
                .unwrap_err()
                .to_string()
                .contains("dimensions is 3")
        );
    }
}
