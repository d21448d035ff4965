use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use specstress_llm::Effort;

use crate::catalog::info::undated;
use crate::catalog::{Date, EffortControl, ModelEntry, ModelInfo, ProviderKind};

/// Why a row cannot join a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A row names no provider or no model.
    #[error("model row {row} has no {field}; give provider and name")]
    Unnamed {
        /// Which row, from 1.
        row: usize,
        /// `provider` or `name`.
        field: &'static str,
    },
    /// `like` names a model that is not there.
    #[error(
        "model {model}: like = {like:?} is not in the catalog; write provider/name of a model listed before it"
    )]
    UnknownLike {
        /// The row's model.
        model: String,
        /// What it names.
        like: String,
    },
    /// The wire format cannot be told from the provider's name.
    #[error(
        "model {model}: the wire format of provider {provider:?} is not known; add kind = \"anthropic\", \"openai\", \"gemini\", \"xai\" or \"compatible\""
    )]
    UnknownKind {
        /// The row's model.
        model: String,
        /// Its provider.
        provider: String,
    },
    /// A value out of range.
    #[error("model {model}: {reason}")]
    BadValue {
        /// The row's model.
        model: String,
        /// Which value, what it is and what it should be.
        reason: String,
    },
}

/// The models that are known, by provider and name.
///
/// ```
/// use specstress_providers::{Catalog, ProviderKind};
///
/// let catalog = Catalog::builtin();
/// let model = catalog.get("anthropic", "claude-opus-4-20250514").expect("a model of the paper");
/// assert!(model.is_retired(catalog.as_of()));
///
/// // Nothing optional is sent to a model nobody described.
/// let stranger = catalog.resolve(ProviderKind::OpenAi, "openai", "gpt-99");
/// assert!(!stranger.known && stranger.prices.is_none());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    as_of: Date,
    models: BTreeMap<(String, String), ModelInfo>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Builtin {
    as_of: Date,
    models: Vec<ModelEntry>,
}

impl Catalog {
    /// The table that comes with the crate. Look at [`as_of`](Self::as_of) before paying by it.
    pub fn builtin() -> Self {
        static TABLE: OnceLock<Catalog> = OnceLock::new();
        TABLE
            .get_or_init(|| {
                let builtin: Builtin = serde_json::from_str(include_str!("builtin.json"))
                    .expect("the built-in table is read by a test");
                let mut catalog = Self {
                    as_of: builtin.as_of,
                    models: BTreeMap::new(),
                };
                catalog
                    .extend(builtin.models)
                    .expect("the built-in table is read by a test");
                catalog
            })
            .clone()
    }

    /// The day on which the built-in table was put together.
    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// Adds rows, in order; a row for a model that is there corrects it. On an error nothing is changed.
    pub fn extend(
        &mut self,
        entries: impl IntoIterator<Item = ModelEntry>,
    ) -> Result<(), CatalogError> {
        let mut models = self.models.clone();
        for (row, entry) in entries.into_iter().enumerate() {
            let key = (entry.provider.clone(), entry.name.clone());
            for (field, value) in [("provider", &key.0), ("name", &key.1)] {
                if value.is_empty() {
                    return Err(CatalogError::Unnamed {
                        row: row + 1,
                        field,
                    });
                }
            }
            let mut info = start(&models, &entry)?;
            entry.apply(&mut info);
            check(&info)?;
            models.insert(key, info);
        }
        self.models = models;
        Ok(())
    }

    /// The entry of exactly this model, by its name or an alias.
    pub fn get(&self, provider: &str, name: &str) -> Option<&ModelInfo> {
        self.models
            .get(&(provider.to_owned(), name.to_owned()))
            .or_else(|| {
                self.iter().find(|info| {
                    info.provider == provider && info.aliases.iter().any(|alias| alias == name)
                })
            })
    }

    /// What is known of a model, under the name asked for; never fails.
    ///
    /// The first of these decides: the entry of this name or alias; the entry of the name without its
    /// snapshot date; the newest dated entry of an undated name; the same three in the table of the wire
    /// format's own provider (`anthropic` for an endpoint called `anthropic-eu`); a guess with
    /// [`known`](ModelInfo::known) `false`.
    pub fn resolve(&self, kind: ProviderKind, provider: &str, name: &str) -> ModelInfo {
        let found = [provider, kind.as_str()]
            .into_iter()
            .find_map(|provider| self.near(provider, name))
            .filter(|info| info.kind == kind || (openai_shaped(info.kind) && openai_shaped(kind)));
        match found {
            Some(info) => {
                let mut info = info.clone();
                if info.name != name {
                    let entry_name = std::mem::replace(&mut info.name, name.to_owned());
                    // An alias answers under the entry's name; the entry's other names are other snapshots.
                    if info.aliases.iter().any(|alias| alias == name) {
                        info.aliases = vec![entry_name];
                    } else {
                        info.aliases.clear();
                    }
                }
                provider.clone_into(&mut info.provider);
                info.kind = kind;
                info
            }
            None => ModelInfo::unknown(kind, provider, name),
        }
    }

    /// All models, by provider and name.
    pub fn iter(&self) -> impl Iterator<Item = &ModelInfo> {
        self.models.values()
    }

    fn near(&self, provider: &str, name: &str) -> Option<&ModelInfo> {
        self.get(provider, name)
            // By the entry's own name only: an alias without a date belongs to one snapshot.
            .or_else(|| {
                let stem = undated(name)?;
                self.models.get(&(provider.to_owned(), stem.to_owned()))
            })
            .or_else(|| {
                self.iter()
                    .filter(|info| info.provider == provider && undated(&info.name) == Some(name))
                    .last()
            })
    }
}

fn openai_shaped(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::OpenAi | ProviderKind::Xai | ProviderKind::Compatible
    )
}

/// What a row is written over.
fn start(
    models: &BTreeMap<(String, String), ModelInfo>,
    entry: &ModelEntry,
) -> Result<ModelInfo, CatalogError> {
    let model = || format!("{}/{}", entry.provider, entry.name);
    let own = models.get(&(entry.provider.clone(), entry.name.clone()));
    if let Some(like) = &entry.like {
        let found = like
            .split_once('/')
            .and_then(|(provider, name)| models.get(&(provider.to_owned(), name.to_owned())))
            .ok_or_else(|| CatalogError::UnknownLike {
                model: model(),
                like: like.clone(),
            })?;
        let mut info = found.clone();
        info.aliases.clear();
        info.alive_until = None;
        info.rerouted_to = None;
        info.note = None;
        return Ok(info);
    }
    if let Some(own) = own {
        return Ok(own.clone());
    }
    let kind = entry
        .kind
        .or_else(|| {
            models
                .values()
                .find(|info| info.provider == entry.provider)
                .map(|info| info.kind)
        })
        .or_else(|| {
            [
                ProviderKind::Anthropic,
                ProviderKind::OpenAi,
                ProviderKind::Gemini,
                ProviderKind::Xai,
                ProviderKind::Compatible,
            ]
            .into_iter()
            .find(|kind| kind.as_str() == entry.provider)
        })
        .ok_or_else(|| CatalogError::UnknownKind {
            model: model(),
            provider: entry.provider.clone(),
        })?;
    Ok(ModelInfo::unknown(kind, &entry.provider, &entry.name))
}

fn check(info: &ModelInfo) -> Result<(), CatalogError> {
    let bad = |reason: String| CatalogError::BadValue {
        model: info.id(),
        reason,
    };
    if let Some(prices) = &info.prices {
        prices.check().map_err(bad)?;
    }
    if let Some(factor) = info.batch_factor
        && !(factor > 0.0 && factor <= 1.0)
    {
        return Err(bad(format!(
            "batch_factor is {factor}; give the share of the list price, above 0 and up to 1"
        )));
    }
    match &info.effort {
        EffortControl::AnthropicBudget { min, max }
        | EffortControl::GeminiBudget { min, max, .. }
            if min > max || *max == 0 =>
        {
            Err(bad(format!("effort budget {min} to {max} is empty")))
        }
        EffortControl::Levels { levels, .. }
        | EffortControl::AnthropicAdaptive { levels, .. }
        | EffortControl::GeminiLevels { levels }
            if !levels.iter().any(|level| *level != Effort::None) =>
        {
            Err(bad(
                "effort levels hold nothing but \"none\"; use kind = \"fixed\" with reasons = false"
                    .to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
