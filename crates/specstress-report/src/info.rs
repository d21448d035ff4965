use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::ReportError;

/// What a report says of a study and cannot find in its tables: who took part, and under which settings.
///
/// The caller fills it in from the run's manifest. Two equal infos over equal tables give equal bytes:
/// nothing is taken from the clock or the machine.
///
/// ```
/// use specstress_report::{PanelEntry, StudyInfo, SubsetInfo};
///
/// let info = StudyInfo {
///     title: "House rules, first draft".to_owned(),
///     panel: vec![
///         PanelEntry::new("ada_1", "Ada", "Ada 1"),
///         PanelEntry::new("bly_2", "Bly", "Bly 2"),
///     ],
///     subsets: vec![SubsetInfo::new("all_models", ["ada_1", "bly_2"])],
///     threshold: 1.5,
///     ..StudyInfo::default()
/// };
/// assert!(info.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyInfo {
    /// Heading of the report.
    pub title: String,
    /// Whether the panel is a simulation. Every rendering then says so before anything else.
    pub simulated: bool,
    /// The models that answered, in the order tables list them.
    pub panel: Vec<PanelEntry>,
    /// Groups of models whose disagreement was computed; the first picks the sharpest scenarios.
    pub subsets: Vec<SubsetInfo>,
    /// Names of the judges, in the order tables list them.
    pub judges: Vec<String>,
    /// Keys of the models whose answers were judged against the spec. Frequent non-compliance means that
    /// the answers of *all* of these are problematic; empty takes every model that has verdicts.
    pub judged_models: Vec<String>,
    /// The spec the judges read.
    pub spec_title: Option<String>,
    /// Which standard deviation measures disagreement, such as `population`.
    pub std_kind: String,
    /// Disagreement from which a scenario counts as high, in points of the 0 to 6 scale.
    pub threshold: f64,
    /// Whether judges that could no longer change the majority were left out.
    #[serde(default)]
    pub early_stop: bool,
    /// Seed of the run.
    pub seed: u64,
    /// When the study was made, in the caller's words.
    pub created: Option<String>,
    /// What the run cost in calls.
    pub calls: Option<CallCounts>,
}

/// The paper's settings and nobody in the panel.
impl Default for StudyInfo {
    fn default() -> Self {
        Self {
            title: "Untitled study".to_owned(),
            simulated: false,
            panel: Vec::new(),
            subsets: Vec::new(),
            judges: Vec::new(),
            judged_models: Vec::new(),
            spec_title: None,
            std_kind: "population".to_owned(),
            threshold: 1.5,
            early_stop: false,
            seed: 0,
            created: None,
            calls: None,
        }
    }
}

impl StudyInfo {
    /// Checks that no key is listed twice and that the threshold is a finite number above 0.
    ///
    /// Models of a subset need not be in the panel: they are then shown by their key.
    pub fn check(&self) -> Result<(), ReportError> {
        if !(self.threshold.is_finite() && self.threshold > 0.0) {
            return Err(ReportError::Info {
                field: "threshold",
                value: self.threshold.to_string(),
                reason: "is not a finite number above 0; the paper uses 1.5",
            });
        }
        distinct("panel", self.panel.iter().map(|entry| &entry.key))?;
        distinct("subsets", self.subsets.iter().map(|subset| &subset.name))?;
        distinct("judges", &self.judges)?;
        distinct("judged_models", &self.judged_models)?;
        for subset in &self.subsets {
            distinct("subsets.models", &subset.models)?;
        }
        Ok(())
    }

    /// How a model is shown: its entry in the panel, or its bare key.
    pub(crate) fn model(&self, key: &str) -> ModelRef {
        let entry = self.panel.iter().find(|entry| entry.key == key);
        ModelRef {
            key: key.to_owned(),
            name: entry.map_or_else(|| key.to_owned(), |entry| entry.name.clone()),
            provider: entry.map(|entry| entry.provider.clone()),
        }
    }

    /// Providers in order of first appearance in the panel.
    pub(crate) fn providers(&self) -> Vec<&str> {
        let mut providers: Vec<&str> = Vec::new();
        for entry in &self.panel {
            if !providers.contains(&entry.provider.as_str()) {
                providers.push(&entry.provider);
            }
        }
        providers
    }
}

fn distinct<'a>(
    field: &'static str,
    keys: impl IntoIterator<Item = &'a String>,
) -> Result<(), ReportError> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(ReportError::Info {
                field,
                value: format!("{key:?}"),
                reason: "is listed twice; list it once",
            });
        }
    }
    Ok(())
}

/// One model of the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelEntry {
    /// Its key in the tables.
    pub key: String,
    /// Who makes it; models of one provider share a colour.
    pub provider: String,
    /// Its name for readers.
    pub name: String,
}

impl PanelEntry {
    /// An entry from its three parts.
    pub fn new(
        key: impl Into<String>,
        provider: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            provider: provider.into(),
            name: name.into(),
        }
    }
}

/// A named group of models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubsetInfo {
    /// Its name in the tables.
    pub name: String,
    /// The keys of its models.
    pub models: Vec<String>,
}

impl SubsetInfo {
    /// A subset from its name and keys.
    pub fn new<K: Into<String>>(
        name: impl Into<String>,
        models: impl IntoIterator<Item = K>,
    ) -> Self {
        Self {
            name: name.into(),
            models: models.into_iter().map(Into::into).collect(),
        }
    }
}

/// Calls of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallCounts {
    /// Calls that the study rests on.
    pub total: u64,
    /// How many of them were made by the last run; the rest were found in the call store.
    pub made: u64,
    /// What the providers say they cost, in US dollars; `None` where one of them does not say.
    pub cost_usd: Option<f64>,
}

/// How a model is shown in a table of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Its key in the tables.
    pub key: String,
    /// Its name for readers; the key where the panel does not list it.
    pub name: String,
    /// Who makes it; `None` where the panel does not list it.
    pub provider: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> StudyInfo {
        StudyInfo {
            panel: vec![
                PanelEntry::new("a", "P", "A"),
                PanelEntry::new("b", "Q", "B"),
                PanelEntry::new("c", "P", "C"),
            ],
            ..StudyInfo::default()
        }
    }

    #[test]
    fn providers_keep_the_order_of_the_panel() {
        assert_eq!(info().providers(), ["P", "Q"]);
    }

    #[test]
    fn a_model_outside_the_panel_is_shown_by_its_key() {
        let model = info().model("zed");
        assert_eq!((model.name.as_str(), model.provider), ("zed", None));
        assert_eq!(info().model("c").provider.as_deref(), Some("P"));
    }

    #[test]
    fn contradictions_are_named() {
        let mut twice = info();
        twice.panel.push(PanelEntry::new("a", "P", "A again"));
        assert_eq!(
            twice.check().unwrap_err().to_string(),
            "study info, panel: \"a\" is listed twice; list it once"
        );
        let mut zero = info();
        zero.threshold = f64::NAN;
        assert_eq!(
            zero.check().unwrap_err().to_string(),
            "study info, threshold: NaN is not a finite number above 0; the paper uses 1.5"
        );
    }
}
