//! The configuration file: what is in it, and errors that name line and remedy.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specstress_judge::SpecSections;
use specstress_llm::{CallSettings, ModelId};
use specstress_pipeline::{BatchSettings, Budget, StudySettings};
use specstress_providers::{ModelEntry, ProviderConfig};
use specstress_sim::SimOptions;
use specstress_values::ValuePair;

/// A `specstress.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The run directory.
    #[serde(default = "default_dir")]
    pub(crate) dir: PathBuf,
    #[serde(default)]
    pub(crate) study: StudySettings,
    #[serde(default)]
    pub(crate) sampling: Sampling,
    #[serde(default)]
    pub(crate) taxonomy: TaxonomyConfig,
    #[serde(default)]
    pub(crate) spec: SpecConfig,
    #[serde(default)]
    pub(crate) prompts: PromptsConfig,
    #[serde(default)]
    pub(crate) tasks: Tasks,
    #[serde(default)]
    pub(crate) panel: PanelConfig,
    #[serde(default)]
    pub(crate) roles: Roles,
    /// Who is asked over HTTP.
    #[serde(default)]
    pub(crate) providers: Vec<ProviderConfig>,
    /// Facts about models that the built-in catalog does not have, or has wrong.
    #[serde(default)]
    pub(crate) catalog: Vec<ModelEntry>,
    /// What the run may spend.
    #[serde(default)]
    pub(crate) budget: Budget,
    /// Which calls go into batches.
    #[serde(default)]
    pub(crate) batch: BatchSettings,
    #[serde(default)]
    pub(crate) simulation: Simulation,
}

fn default_dir() -> PathBuf {
    PathBuf::from("specstress-runs/study")
}

/// Which pairs of values are set against each other.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, tag = "method", rename_all = "lowercase")]
pub(crate) enum Sampling {
    /// Every pair of leaves is equally likely.
    #[default]
    Uniform,
    /// Frequent values more often.
    Frequency {
        /// The frequency of values that have none; without it they are an error.
        missing: Option<f64>,
    },
    /// Every pair of categories as evenly as the number allows.
    Stratified,
    /// These pairs.
    List { pairs: Vec<ValuePair> },
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TaxonomyConfig {
    /// JSON, TOML, or the published tree as CSV; the built-in taxonomy without it.
    pub(crate) file: Option<PathBuf>,
    /// The published frequencies, with a CSV tree.
    pub(crate) frequencies: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SpecConfig {
    /// A Markdown file; with a simulated panel, the simulated spec without it.
    pub(crate) file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PromptsConfig {
    /// Templates that replace built-in ones of the same name.
    pub(crate) dir: Option<PathBuf>,
}

/// How each task calls its model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tasks {
    pub(crate) authors: CallSettings,
    pub(crate) panel: CallSettings,
    pub(crate) rubric: CallSettings,
    pub(crate) classifier: CallSettings,
    pub(crate) labeler: CallSettings,
    pub(crate) judges: CallSettings,
    /// What of the spec the judges are shown.
    pub(crate) sections: SpecSections,
    /// Shuffles the answers shown to the classifier.
    pub(crate) shuffle_seed: Option<u64>,
    /// Hides the panel's names from the classifier.
    pub(crate) blind: bool,
}

/// Who answers. Without any setting: the whole simulated panel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PanelConfig {
    /// Keys of the simulated models to ask, in this process.
    pub(crate) simulated: Option<Vec<String>>,
    /// Models of providers.
    pub(crate) models: Vec<PanelEntry>,
    /// Says that the models are simulated although they are asked over HTTP (`specstress sim serve`).
    pub(crate) is_simulated: bool,
}

impl PanelConfig {
    /// Whether all who answer are simulated, so that the simulated models may fill the other roles.
    pub(crate) fn all_simulated(&self) -> bool {
        self.is_simulated
            || self
                .models
                .iter()
                .all(|entry| entry.model.provider() == SIM)
    }
}

/// The provider of the models that are simulated in this process.
pub(crate) const SIM: &str = "sim";

/// A model of the panel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PanelEntry {
    /// Its key in every table.
    pub(crate) key: String,
    /// `provider/name`.
    pub(crate) model: ModelId,
    /// The name shown to people; the key without it.
    pub(crate) name: Option<String>,
    /// The family it is grouped by in reports; the provider without it.
    pub(crate) family: Option<String>,
    /// How it is asked; `tasks.panel` without it.
    pub(crate) settings: Option<CallSettings>,
}

/// Who does everything but answering, as `provider/name`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Roles {
    /// Write and nudge the questions.
    pub(crate) authors: Vec<ModelId>,
    /// Writes the spectra.
    pub(crate) rubric: Option<ModelId>,
    /// Places the answers; the writer of the spectra without it.
    pub(crate) classifier: Option<ModelId>,
    /// Labels questions and answers; the classifier without it.
    pub(crate) labeler: Option<ModelId>,
    /// Judge the answers.
    pub(crate) judges: Vec<ModelId>,
    /// Embeds questions and labels.
    pub(crate) embedder: Option<ModelId>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Simulation {
    /// The simulated world.
    pub(crate) world: SimOptions,
    /// Appends the key of every request a simulated model gets to this file.
    pub(crate) journal: Option<PathBuf>,
}

/// What is wrong with a config file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}; `specstress init` writes a config to start from")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path}, line {line}: {message}{remedy}")]
    Parse {
        path: PathBuf,
        line: usize,
        message: String,
        remedy: String,
    },
}

impl Config {
    /// Every model the config names, each once, in order.
    pub(crate) fn models(&self) -> Vec<ModelId> {
        let roles = &self.roles;
        let mut ids: Vec<ModelId> = Vec::new();
        let all = self
            .panel
            .models
            .iter()
            .map(|entry| &entry.model)
            .chain(&roles.authors)
            .chain(&roles.rubric)
            .chain(&roles.classifier)
            .chain(&roles.labeler)
            .chain(&roles.judges)
            .chain(&roles.embedder);
        for id in all {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids
    }

    /// Reads a config. Paths in it are relative to the folder it stands in.
    pub(crate) fn read(path: &Path) -> Result<(Self, String), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config = Self::parse(&text, path)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let paths = [
            Some(&mut config.dir),
            config.taxonomy.file.as_mut(),
            config.taxonomy.frequencies.as_mut(),
            config.spec.file.as_mut(),
            config.prompts.dir.as_mut(),
            config.simulation.journal.as_mut(),
        ];
        let recordings = config
            .providers
            .iter_mut()
            .flat_map(|provider| [provider.record.as_mut(), provider.replay.as_mut()]);
        for relative in paths.into_iter().chain(recordings).flatten() {
            *relative = base.join(&*relative);
        }
        Ok((config, text))
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            let message = error.message().to_owned();
            ConfigError::Parse {
                path: path.to_owned(),
                line,
                remedy: suggestion(&message).unwrap_or_default(),
                message,
            }
        })
    }
}

/// "; did you mean `seed`?" for serde's "unknown field `sed`, expected one of `seed`, `pairs`".
fn suggestion(message: &str) -> Option<String> {
    let (unknown, expected) = message
        .strip_prefix("unknown ")
        .and_then(|rest| rest.split_once(", expected"))?;
    let unknown = unknown.split('`').nth(1)?;
    let nearest = expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()?;
    (nearest.0 <= 1 + unknown.len() / 3).then(|| format!("; did you mean `{}`?", nearest.1))
}

/// What `specstress init` writes.
pub(crate) const TEMPLATE: &str = include_str!("template.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_config_with_every_default() {
        let config = Config::parse(TEMPLATE, Path::new("t")).unwrap();
        assert_eq!(
            config.study,
            StudySettings {
                judged_subset: Some("birch_models".to_owned()),
                subsets: config.study.subsets.clone(),
                ..StudySettings::default()
            }
        );
        assert_eq!(config.simulation.world, SimOptions::default());
        assert_eq!(config.batch, BatchSettings::default());
        assert_eq!(config.budget, Budget::default());
    }

    /// `key = value` or `[table]`; sentences that speak of a setting are none.
    fn is_setting(text: &str) -> bool {
        let key = text.split_once(" = ").map(|(key, _)| key);
        text.starts_with('[')
            || key.is_some_and(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    }

    #[test]
    fn commented_settings_of_the_template_are_settings() {
        let live: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if is_setting(setting) => setting,
                _ => line,
            })
            .fold(String::new(), |all, line| all + line + "\n");
        assert!(live != TEMPLATE);
        Config::parse(&live, Path::new("t")).unwrap();
    }

    #[test]
    fn misspelt_keys_are_named_with_line_and_remedy() {
        let error = |text: &str| {
            Config::parse(text, Path::new("my.toml"))
                .unwrap_err()
                .to_string()
        };
        let message = error("dir = \"x\"\n\n[study]\nsede = 4\n");
        assert!(
            message.starts_with("my.toml, line 4: unknown field `sede`"),
            "{message}"
        );
        assert!(message.ends_with("; did you mean `seed`?"), "{message}");
        let message = error("[studdy]\npairs = 4\n");
        assert!(message.contains("did you mean `study`?"), "{message}");
        let message = error("[study]\npairs = \"many\"\n");
        assert!(
            message.starts_with("my.toml, line 2: invalid type: string"),
            "{message}"
        );
        let message = error("[study\n");
        assert!(message.starts_with("my.toml, line 1:"), "{message}");
    }
}
