use serde::{Deserialize, Serialize};

use crate::catalog::{
    ChatApi, Date, EffortControl, EmbeddingRule, ModelInfo, Prices, ProviderKind, SamplingRule,
    StructuredOutput, TokenLimitName,
};

/// One row of a model table: the facts to state or to correct. What is left out stays as it was.
///
/// The built-in table is a list of these, and so is what a user adds in the configuration. A row for a model
/// that the catalog has corrects it; any other row starts from the model named by `like`, or from a guess
/// for its wire format.
///
/// ```
/// use specstress_providers::{Catalog, ModelEntry, ProviderKind};
///
/// let row: ModelEntry = serde_json::from_str(r#"{
///     "provider": "openrouter", "kind": "compatible", "name": "meta-llama/llama-4",
///     "effort": {"kind": "fixed", "reasons": false}, "context": 131072,
///     "prices": {"input": 0.2, "output": 0.6, "as_of": "2026-11-21", "source": "openrouter.ai/models"}
/// }"#)?;
/// let mut catalog = Catalog::builtin();
/// catalog.extend([row])?;
/// let info = catalog.resolve(ProviderKind::Compatible, "openrouter", "meta-llama/llama-4");
/// assert!(info.known);
/// assert_eq!(info.context, Some(131_072));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The model's name at the provider.
    pub name: String,
    /// Other names of the same model.
    #[serde(default)]
    pub aliases: Option<Vec<String>>,
    /// The wire format; needed for providers that the catalog does not have yet.
    #[serde(default)]
    pub kind: Option<ProviderKind>,
    /// `provider/name` of a model listed earlier whose rules, prices and sizes this one shares. Aliases,
    /// dates of retirement and notes are not shared.
    #[serde(default)]
    pub like: Option<String>,
    /// See [`ModelInfo::api`].
    #[serde(default)]
    pub api: Option<ChatApi>,
    /// See [`ModelInfo::token_limit`].
    #[serde(default)]
    pub token_limit: Option<TokenLimitName>,
    /// See [`ModelInfo::sampling`].
    #[serde(default)]
    pub sampling: Option<SamplingRule>,
    /// See [`ModelInfo::seed`].
    #[serde(default)]
    pub seed: Option<bool>,
    /// See [`ModelInfo::stop`].
    #[serde(default)]
    pub stop: Option<bool>,
    /// See [`ModelInfo::effort`].
    #[serde(default)]
    pub effort: Option<EffortControl>,
    /// See [`ModelInfo::structured_output`].
    #[serde(default)]
    pub structured_output: Option<StructuredOutput>,
    /// See [`ModelInfo::batch_factor`].
    #[serde(default)]
    pub batch_factor: Option<f64>,
    /// See [`ModelInfo::prices`]; given whole or not at all.
    #[serde(default)]
    pub prices: Option<Prices>,
    /// See [`ModelInfo::context`].
    #[serde(default)]
    pub context: Option<u32>,
    /// See [`ModelInfo::max_output`].
    #[serde(default)]
    pub max_output: Option<u32>,
    /// See [`ModelInfo::alive_until`].
    #[serde(default)]
    pub alive_until: Option<Date>,
    /// See [`ModelInfo::rerouted_to`].
    #[serde(default)]
    pub rerouted_to: Option<String>,
    /// See [`ModelInfo::embedding`].
    #[serde(default)]
    pub embedding: Option<EmbeddingRule>,
    /// See [`ModelInfo::note`].
    #[serde(default)]
    pub note: Option<String>,
}

impl ModelEntry {
    /// Writes what the row states over what is there.
    pub(super) fn apply(self, info: &mut ModelInfo) {
        fn set<T>(field: &mut T, stated: Option<T>) {
            if let Some(value) = stated {
                *field = value;
            }
        }
        info.provider = self.provider;
        info.name = self.name;
        info.known = true;
        set(&mut info.aliases, self.aliases);
        set(&mut info.kind, self.kind);
        set(&mut info.api, self.api);
        set(&mut info.token_limit, self.token_limit);
        set(&mut info.sampling, self.sampling);
        set(&mut info.seed, self.seed);
        set(&mut info.stop, self.stop);
        set(&mut info.effort, self.effort);
        set(&mut info.structured_output, self.structured_output);
        info.batch_factor = self.batch_factor.or(info.batch_factor);
        info.prices = self.prices.or(info.prices.take());
        info.context = self.context.or(info.context);
        info.max_output = self.max_output.or(info.max_output);
        info.alive_until = self.alive_until.or(info.alive_until);
        info.rerouted_to = self.rerouted_to.or(info.rerouted_to.take());
        info.embedding = self.embedding.or(info.embedding);
        info.note = self.note.or(info.note.take());
    }
}
