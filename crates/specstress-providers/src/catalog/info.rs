use serde::Serialize;
use specstress_llm::{Capabilities, Effort};

use crate::catalog::{
    AdaptiveOff, ChatApi, Date, EffortControl, EmbeddingRule, Prices, ProviderKind, SamplingRule,
    StructuredOutput, TokenLimitName,
};

/// What is known of one model of one provider.
///
/// Made by a [`Catalog`](crate::Catalog); a user states or corrects facts with a
/// [`ModelEntry`](crate::ModelEntry).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The provider's name in the configuration: `anthropic`, `openrouter`.
    pub provider: String,
    /// The name the provider knows the model by.
    pub name: String,
    /// Other names of the same model.
    pub aliases: Vec<String>,
    /// The wire format.
    pub kind: ProviderKind,
    /// Whether the catalog has an entry; otherwise everything else here is a guess that sends nothing
    /// which was not asked for.
    pub known: bool,
    /// The endpoint, for `OpenAI`.
    pub api: ChatApi,
    /// The name of the token limit on OpenAI-shaped wires.
    pub token_limit: TokenLimitName,
    /// When temperature and nucleus sampling may be sent.
    pub sampling: SamplingRule,
    /// Whether a sampling seed may be sent.
    pub seed: bool,
    /// Whether stop texts may be sent.
    pub stop: bool,
    /// How reasoning is controlled.
    pub effort: EffortControl,
    /// How a schema is enforced.
    pub structured_output: StructuredOutput,
    /// Price factor of the provider's batch service: 0.5 is half price; `None` for no batch service.
    pub batch_factor: Option<f64>,
    /// List prices, where they are known.
    pub prices: Option<Prices>,
    /// Most tokens of prompt and answer together (of the prompt alone, for some providers).
    pub context: Option<u32>,
    /// Most tokens of an answer.
    pub max_output: Option<u32>,
    /// The first day on which the model no longer answers, where one is announced.
    pub alive_until: Option<Date>,
    /// The model that answers in its place from then on, without an error.
    pub rerouted_to: Option<String>,
    /// For embedding models.
    pub embedding: Option<EmbeddingRule>,
    /// What a reader should know of the entry: conflicts between sources, guesses.
    pub note: Option<String>,
}

impl ModelInfo {
    /// A model without an entry. Sends what the caller sets and nothing else, in the provider's current
    /// form, and leaves the judgement to the server.
    pub(crate) fn unknown(kind: ProviderKind, provider: &str, name: &str) -> Self {
        let all = vec![
            Effort::None,
            Effort::Minimal,
            Effort::Low,
            Effort::Medium,
            Effort::High,
            Effort::Xhigh,
            Effort::Max,
        ];
        let effort = match kind {
            ProviderKind::Anthropic => EffortControl::AnthropicAdaptive {
                levels: all[2..].to_vec(),
                off: AdaptiveOff::Omit,
            },
            ProviderKind::Gemini => EffortControl::GeminiLevels {
                levels: all[1..6].to_vec(),
            },
            ProviderKind::OpenAi | ProviderKind::Xai | ProviderKind::Compatible => {
                EffortControl::Levels {
                    levels: all,
                    default: None,
                }
            }
        };
        let api = if kind == ProviderKind::OpenAi && is_pro(name) {
            ChatApi::Responses
        } else {
            ChatApi::ChatCompletions
        };
        Self {
            provider: provider.to_owned(),
            name: name.to_owned(),
            aliases: Vec::new(),
            kind,
            known: false,
            api,
            token_limit: if kind == ProviderKind::OpenAi {
                TokenLimitName::MaxCompletionTokens
            } else {
                TokenLimitName::MaxTokens
            },
            sampling: SamplingRule::Allowed,
            // Anthropic has no such field: any model answers 400.
            seed: kind != ProviderKind::Anthropic,
            stop: true,
            effort,
            structured_output: StructuredOutput::JsonSchema,
            batch_factor: None,
            prices: None,
            context: None,
            max_output: None,
            alive_until: None,
            rerouted_to: None,
            embedding: None,
            note: None,
        }
    }

    /// `provider/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    /// What callers choose by. An unknown model claims nothing.
    pub fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        if self.known {
            capabilities.structured_output = matches!(
                self.structured_output,
                StructuredOutput::JsonSchema | StructuredOutput::Tool
            );
            capabilities.reasoning = self.effort.reasons();
            capabilities.sampling = self.sampling == SamplingRule::Allowed
                || self.sampling == SamplingRule::TemperatureXorTopP;
            capabilities.batch = self.batch_factor.is_some();
            capabilities.max_output = self.max_output;
        }
        capabilities
    }

    /// Whether the model is gone on a day, by the announced date.
    pub fn is_retired(&self, today: Date) -> bool {
        self.alive_until.is_some_and(|gone| today >= gone)
    }

    /// How old the prices are on a day; `None` without prices.
    pub fn price_age_days(&self, today: Date) -> Option<i64> {
        self.prices
            .as_ref()
            .map(|prices| today.days_since(prices.as_of))
    }

    /// Whether a reply that names this model comes from the model asked for.
    ///
    /// True for the same name, an alias, and a dated snapshot of an undated name or the reverse
    /// (`gpt-4o`, `gpt-4o-2024-08-06`); two different dates are two models. A leading `models/`, an owner
    /// (`openai/gpt-4o`) on one side only and an `OpenRouter` variant (`:free`) do not count. A name that ends
    /// in `-latest` asks for whatever is newest, so any answer is right.
    pub fn answers_to(&self, reply: &str) -> bool {
        let reply = reply.strip_prefix("models/").unwrap_or(reply);
        // Aliases are whole names: through an undated one, two snapshots would pass for each other.
        same_model(
            self.name.strip_prefix("models/").unwrap_or(&self.name),
            reply,
        ) || self.aliases.iter().any(|alias| alias == reply)
    }
}

fn is_pro(name: &str) -> bool {
    undated(name).unwrap_or(name).ends_with("-pro")
}

fn same_model(asked: &str, reply: &str) -> bool {
    if asked.ends_with("-latest") {
        return true;
    }
    let plain = |name: &str| {
        name.split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let (mut asked, mut reply) = (plain(asked), plain(reply));
    if asked.contains('/') != reply.contains('/') {
        for name in [&mut asked, &mut reply] {
            if let Some((_, last)) = name.rsplit_once('/') {
                *name = last.to_owned();
            }
        }
    }
    asked == reply
        || undated(&asked) == Some(reply.as_str())
        || undated(&reply) == Some(asked.as_str())
}

/// The name without the date or serial number of its snapshot: `-2024-08-06`, `-20250514`, `-0709`,
/// `-05-06`, `-001`.
pub(super) fn undated(name: &str) -> Option<&str> {
    const SHAPES: [&str; 5] = ["-####-##-##", "-########", "-##-##", "-####", "-###"];
    SHAPES.iter().find_map(|shape| {
        let start = name.len().checked_sub(shape.len())?;
        let tail = name.get(start..)?;
        let fits = tail.bytes().zip(shape.bytes()).all(|(byte, shape)| {
            if shape == b'#' {
                byte.is_ascii_digit()
            } else {
                byte == shape
            }
        });
        (fits && start > 0).then(|| &name[..start])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(asked: &str, reply: &str) -> bool {
        ModelInfo::unknown(ProviderKind::Compatible, "p", asked).answers_to(reply)
    }

    #[test]
    fn snapshots_are_the_same_model_and_neighbours_are_not() {
        for (asked, reply) in [
            ("gpt-4o", "gpt-4o-2024-08-06"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("claude-opus-4-5", "claude-opus-4-5-20251101"),
            ("gemini-2.5-pro", "models/gemini-2.5-pro"),
            ("gemini-2.5-pro-preview", "gemini-2.5-pro-preview-05-06"),
            ("grok-4", "grok-4-0709"),
            ("gemini-flash-latest", "gemini-3.8-flash"),
            ("openai/gpt-4o", "gpt-4o-2024-08-06"),
            ("meta-llama/llama-4:free", "meta-llama/llama-4"),
            ("Qwen/Qwen3", "qwen/qwen3"),
        ] {
            assert!(answers(asked, reply), "{asked} {reply}");
        }
        for (asked, reply) in [
            ("gemini-2.5-pro", "gemini-3.8-flash"),
            ("gpt-4.1", "gpt-4.1-mini"),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),
            ("claude-opus-4", "claude-opus-4-5"),
            ("gemini-embedding-001", "gemini-embedding-2"),
            ("a/llama", "b/llama"),
            ("gpt-4o", ""),
        ] {
            assert!(!answers(asked, reply), "{asked} {reply}");
        }
    }

    #[test]
    fn an_alias_counts_as_it_is_written() {
        let mut info = ModelInfo::unknown(ProviderKind::Anthropic, "anthropic", "claude-opus-4-0");
        assert!(!info.answers_to("claude-opus-4-20250514"));
        info.aliases.push("claude-opus-4-20250514".to_owned());
        assert!(info.answers_to("claude-opus-4-20250514"));
        let mut dated = ModelInfo::unknown(ProviderKind::OpenAi, "openai", "o3-2025-04-16");
        dated.aliases.push("o3".to_owned());
        assert!(dated.answers_to("o3"));
        assert!(!dated.answers_to("o3-2026-01-01"));
    }

    #[test]
    fn pro_models_need_responses_and_only_at_openai() {
        let api = |kind, name| ModelInfo::unknown(kind, "p", name).api;
        assert_eq!(api(ProviderKind::OpenAi, "gpt-6-pro"), ChatApi::Responses);
        assert_eq!(
            api(ProviderKind::OpenAi, "o3-pro-2025-06-10"),
            ChatApi::Responses
        );
        assert_eq!(
            api(ProviderKind::OpenAi, "gpt-6-sol"),
            ChatApi::ChatCompletions
        );
        assert_eq!(
            api(ProviderKind::Compatible, "x-pro"),
            ChatApi::ChatCompletions
        );
    }

    #[test]
    fn unknown_models_claim_nothing() {
        let info = ModelInfo::unknown(ProviderKind::OpenAi, "openai", "x");
        assert_eq!(info.capabilities(), Capabilities::default());
        assert!(!info.is_retired("2999-01-01".parse().unwrap()));
    }
}
