use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use specstress_llm::ModelId;

use crate::progress::StageName;

/// Which calls a rule speaks of: `all`, a stage (`verdicts`), a provider (`openai`), or both (`verdicts:openai`).
///
/// ```
/// use specstress_pipeline::CallSelector;
///
/// let both: CallSelector = "verdicts:openai".parse()?;
/// assert_eq!(both.to_string(), "verdicts:openai");
/// assert!("verdict:openai".parse::<CallSelector>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSelector {
    stage: Option<StageName>,
    provider: Option<String>,
}

impl CallSelector {
    /// All calls.
    pub fn all() -> Self {
        Self {
            stage: None,
            provider: None,
        }
    }

    /// How closely a call is meant: `None` for not at all, else 0 for `all` to 2 for stage and provider.
    fn closeness(&self, stage: &str, provider: &str) -> Option<u8> {
        let fits = self.stage.is_none_or(|own| own.as_str() == stage)
            && self.provider.as_ref().is_none_or(|own| own == provider);
        fits.then(|| u8::from(self.stage.is_some()) + u8::from(self.provider.is_some()))
    }
}

fn stage(name: &str) -> Option<StageName> {
    StageName::ALL
        .into_iter()
        .find(|stage| stage.as_str() == name)
}

impl FromStr for CallSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::all());
        }
        if let Some((first, second)) = text.split_once(':') {
            let Some(stage) = stage(first) else {
                let known: Vec<&str> = StageName::ALL.iter().map(|stage| stage.as_str()).collect();
                return Err(format!(
                    "{text:?}: there is no stage {first:?}; there are {}",
                    known.join(", ")
                ));
            };
            return Ok(Self {
                stage: Some(stage),
                provider: Some(second.to_owned()),
            });
        }
        if text.is_empty() {
            return Err("name a stage, a provider, stage:provider, or all".to_owned());
        }
        // Whatever is no stage is taken for a provider, whose names are the user's own.
        let stage = stage(text);
        Ok(Self {
            provider: stage.is_none().then(|| text.to_owned()),
            stage,
        })
    }
}

impl fmt::Display for CallSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stage, &self.provider) {
            (None, None) => f.write_str("all"),
            (Some(stage), None) => f.write_str(stage.as_str()),
            (None, Some(provider)) => f.write_str(provider),
            (Some(stage), Some(provider)) => write!(f, "{stage}:{provider}"),
        }
    }
}

impl Serialize for CallSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallSelector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Where calls go that failed in a batch, or were not reached before it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchRetry {
    /// Into another batch.
    #[default]
    Batch,
    /// To the live service, at its price.
    Live,
}

/// Which calls go into batches, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSettings {
    /// Calls that go into batches, where their model has a batch service. None by default.
    pub batch: Vec<CallSelector>,
    /// Calls that do not. The closest rule wins, and of two equally close ones this.
    pub live: Vec<CallSelector>,
    /// Fewer calls than this of one model are made live: a batch can take a day.
    pub min_requests: u64,
    /// Most calls in one batch, below what the provider takes.
    pub max_requests: Option<usize>,
    /// Most bytes in one batch, below what the provider takes. They are held in memory while it is sent.
    pub max_bytes: usize,
    /// Most batches of one model that are open at a time.
    pub in_flight: usize,
    /// Where calls go that failed.
    pub retry: BatchRetry,
    /// Most batches one call is put into.
    pub tries: u32,
    /// Seconds between two looks at a batch.
    pub poll_seconds: f64,
    /// How long a batch whose creation got no answer is looked for before it counts as not created, in seconds.
    pub find_seconds: f64,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            batch: Vec::new(),
            live: Vec::new(),
            min_requests: 20,
            max_requests: None,
            max_bytes: 64 << 20,
            in_flight: 4,
            retry: BatchRetry::Batch,
            tries: 3,
            poll_seconds: 60.0,
            find_seconds: 60.0,
        }
    }
}

impl BatchSettings {
    /// Whether a call goes into a batch, if its model has a batch service.
    pub fn takes(&self, stage: &str, model: &ModelId) -> bool {
        let closest = |rules: &[CallSelector]| {
            rules
                .iter()
                .filter_map(|rule| rule.closeness(stage, model.provider()))
                .max()
        };
        match (closest(&self.batch), closest(&self.live)) {
            (Some(batch), Some(live)) => batch > live,
            (batch, None) => batch.is_some(),
            (None, Some(_)) => false,
        }
    }

    /// Says what is wrong with a setting.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err((name, format!("{value} is not above 0")))
            }
        };
        positive("batch.poll_seconds", self.poll_seconds)?;
        positive("batch.find_seconds", self.find_seconds)?;
        for (name, value) in [
            ("batch.max_requests", self.max_requests.unwrap_or(1)),
            ("batch.max_bytes", self.max_bytes),
            ("batch.in_flight", self.in_flight),
            ("batch.tries", self.tries as usize),
        ] {
            if value == 0 {
                return Err((name, "must be 1 or more".to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_rule_wins_and_live_wins_ties() {
        let rules = |batch: &[&str], live: &[&str]| {
            let parse = |rules: &[&str]| rules.iter().map(|rule| rule.parse().unwrap()).collect();
            BatchSettings {
                batch: parse(batch),
                live: parse(live),
                ..BatchSettings::default()
            }
        };
        let takes = |settings: &BatchSettings, stage: &str, provider: &str| {
            settings.takes(stage, &ModelId::new(provider, "m"))
        };
        assert!(!takes(&rules(&[], &[]), "responses", "openai"));
        assert!(takes(&rules(&["all"], &[]), "responses", "openai"));
        assert!(!takes(&rules(&["all"], &["openai"]), "responses", "openai"));
        assert!(takes(&rules(&["all"], &["openai"]), "responses", "xai"));
        let both = rules(&["verdicts:openai"], &["openai", "verdicts"]);
        assert!(takes(&both, "verdicts", "openai"));
        assert!(!takes(&both, "responses", "openai"));
        assert!(!takes(
            &rules(&["verdicts"], &["openai"]),
            "verdicts",
            "openai"
        ));
    }

    #[test]
    fn selectors_read_as_they_are_written() {
        for text in ["all", "responses", "openai", "responses:openai"] {
            assert_eq!(text.parse::<CallSelector>().unwrap().to_string(), text);
        }
        assert!("".parse::<CallSelector>().is_err());
        let error = "verdict:x".parse::<CallSelector>().unwrap_err();
        assert!(error.contains("there is no stage \"verdict\""), "{error}");
        let error = BatchSettings {
            poll_seconds: f64::NAN,
            ..BatchSettings::default()
        };
        assert_eq!(error.check().unwrap_err().0, "batch.poll_seconds");
    }
}
