use serde::{Deserialize, Serialize};
use specstress_llm::Effort;

/// Which `OpenAI` endpoint answers for a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatApi {
    /// `POST /chat/completions`; the only one of other providers.
    #[default]
    ChatCompletions,
    /// `POST /responses`; required by the `*-pro` models.
    Responses,
}

/// What the token limit is called on OpenAI-shaped wires. Anthropic and Gemini have one name each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenLimitName {
    /// `max_tokens`: most compatible servers and xAI.
    MaxTokens,
    /// `max_completion_tokens`: every current `OpenAI` model.
    MaxCompletionTokens,
}

impl TokenLimitName {
    /// The field's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// When temperature and nucleus sampling may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingRule {
    /// Both, always.
    Allowed,
    /// One of the two, never both.
    TemperatureXorTopP,
    /// Only in a call whose effort, set or default, is `none`.
    WithoutReasoning,
    /// Neither.
    Refused,
}

/// How the one [`Effort`] setting reaches a model.
///
/// Levels map to a list of allowed levels by this rule: `none` needs `none` in the list (or a way to switch
/// thinking off) and is an error otherwise; `minimal` is the lowest allowed level, `max` the highest;
/// any other level is the highest allowed one that is not above it, or the lowest of all.
/// Where a budget of tokens is wanted, it is a share of the token limit (32,768 where none is set): low
/// 20 %, medium 50 %, high 80 %, xhigh 90 %, max 95 %, minimal the least the model takes; clamped to what
/// the model takes, and an error when it leaves no token for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[non_exhaustive]
pub enum EffortControl {
    /// There is nothing to set.
    Fixed {
        /// Whether the model reasons all the same: then effort `none` is refused, else every other one.
        reasons: bool,
    },
    /// Anthropic `thinking: {type: "enabled", budget_tokens}`; off unless sent.
    AnthropicBudget {
        /// Smallest budget, in tokens.
        min: u32,
        /// Largest budget used, in tokens.
        max: u32,
    },
    /// Anthropic `thinking: {type: "adaptive"}` with `output_config.effort`.
    AnthropicAdaptive {
        /// Allowed levels.
        levels: Vec<Effort>,
        /// How thinking is switched off.
        off: AdaptiveOff,
    },
    /// `reasoning_effort` (or `reasoning.effort`) of `OpenAI`, xAI and compatible servers.
    Levels {
        /// Allowed levels.
        levels: Vec<Effort>,
        /// The level of a request that names none, where it is known.
        #[serde(default)]
        default: Option<Effort>,
    },
    /// Gemini `thinkingConfig.thinkingBudget`.
    GeminiBudget {
        /// Smallest budget, in tokens.
        min: u32,
        /// Largest budget, in tokens.
        max: u32,
        /// Whether 0 switches thinking off.
        can_be_off: bool,
    },
    /// Gemini `thinkingConfig.thinkingLevel`.
    GeminiLevels {
        /// Allowed levels.
        levels: Vec<Effort>,
    },
}

impl EffortControl {
    /// Whether the model can reason before it answers.
    pub fn reasons(&self) -> bool {
        !matches!(self, Self::Fixed { reasons: false })
    }
}

/// How adaptive thinking is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdaptiveOff {
    /// It is off unless asked for.
    Omit,
    /// `thinking: {type: "disabled"}`.
    Disabled,
    /// `thinking: {type: "between_tools"}`.
    BetweenTools,
    /// It is always on.
    Never,
}

/// How a reply is held to [`ResponseSchema`](specstress_llm::ResponseSchema).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StructuredOutput {
    /// The provider's own JSON schema field.
    JsonSchema,
    /// A forced call of a tool with the schema as input (older Claude models); not together with thinking,
    /// where the schema is left out and the reply is decoded leniently.
    Tool,
    /// `response_format: {type: "json_object"}`: JSON, but of any form.
    JsonObject,
    /// Nothing is sent; the reply is decoded leniently.
    None,
}

/// What an embedding model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingRule {
    /// Length of the vectors.
    pub dimensions: u32,
    /// Whether a shorter length may be asked for.
    #[serde(default)]
    pub shortens: bool,
    /// Most texts in one request.
    pub max_inputs: u32,
    /// Most tokens in one text.
    pub max_tokens: u32,
    /// Most tokens in all texts of one request; no limit where it is not given.
    #[serde(default)]
    pub max_request_tokens: Option<u32>,
    /// Whether Gemini's `taskType` may be sent; where not, the task is written before the text.
    #[serde(default)]
    pub task_type: bool,
}
