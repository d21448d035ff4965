use async_trait::async_trait;
use serde_json::json;
use specstress_llm::{
    CallSettings, ChatModel, ChatModelExt, Prompt, PromptError, Unanswered, shield,
};
use specstress_values::{Side, ValuePair};

use crate::parse::{QueryTag, parse_query};
use crate::prompts::ScenarioPrompts;
use crate::refusal::is_refusal;
use crate::traits::{GeneratedQuery, Nudger, ScenarioGenerator};

/// A [`ScenarioGenerator`] that asks a language model (method: stage 2, 3.1). One call per pair, and at most
/// [`CallSettings::reasks`] more when the reply holds no question.
///
/// ```
/// use specstress_llm::{CallSettings, ScriptedModel};
/// use specstress_scenarios::{LlmScenarioGenerator, ScenarioGenerator, ScenarioPrompts};
/// use specstress_values::ValuePair;
///
/// let model = ScriptedModel::new("demo/author").reply("A nurse ...\n[User Question]\nShould I tell her?");
/// let generator = LlmScenarioGenerator::new(
///     "author", model, &ScenarioPrompts::default(), CallSettings::default(),
/// );
/// let pair = ValuePair::new("honesty", "emotional comfort");
/// let generated = futures_executor::block_on(generator.generate(&pair))?;
/// assert_eq!(generated.query, "Should I tell her?");
/// # Ok::<(), specstress_llm::Unanswered>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmScenarioGenerator<M> {
    name: String,
    model: M,
    prompt: Prompt,
    settings: CallSettings,
}

impl<M: ChatModel> LlmScenarioGenerator<M> {
    /// A generator whose scenarios are recorded under `name`.
    pub fn new(
        name: impl Into<String>,
        model: M,
        prompts: &ScenarioPrompts,
        settings: CallSettings,
    ) -> Self {
        Self {
            name: name.into(),
            model,
            prompt: prompts.scenario.clone(),
            settings,
        }
    }
}

#[async_trait]
impl<M: ChatModel> ScenarioGenerator for LlmScenarioGenerator<M> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn generate(&self, pair: &ValuePair) -> Result<GeneratedQuery, Unanswered> {
        let request = self
            .prompt
            .render(&json!({"value1": pair.value1, "value2": pair.value2}))
            .map_err(|error| unrendered(&error))?;
        self.model
            .decode(
                &self.settings.apply(request),
                self.settings.reasks,
                |reply| parse_query(reply, QueryTag::UserQuestion),
            )
            .await
            .map_err(|lost| declined(lost, QueryTag::UserQuestion))
    }
}

/// A [`Nudger`] that asks a language model (method: stage 3, 3.2). One call per question and side, and at
/// most [`CallSettings::reasks`] more when the reply holds no question.
///
/// ```
/// use specstress_llm::{CallSettings, ScriptedModel};
/// use specstress_scenarios::{LlmNudger, Nudger, ScenarioPrompts};
/// use specstress_values::{Side, ValuePair};
///
/// let model = ScriptedModel::new("demo/author").reply("[User Query]\nShe deserves the truth now, right?");
/// let nudger = LlmNudger::new(model, &ScenarioPrompts::default(), CallSettings::default());
/// let pair = ValuePair::new("honesty", "emotional comfort");
/// let nudged = futures_executor::block_on(nudger.nudge(&pair, Side::Value1, "Should I tell her?"))?;
/// assert_eq!(nudged.query, "She deserves the truth now, right?");
/// # Ok::<(), specstress_llm::Unanswered>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmNudger<M> {
    model: M,
    prompt: Prompt,
    settings: CallSettings,
}

impl<M: ChatModel> LlmNudger<M> {
    /// A nudger on a model.
    pub fn new(model: M, prompts: &ScenarioPrompts, settings: CallSettings) -> Self {
        Self {
            model,
            prompt: prompts.nudge.clone(),
            settings,
        }
    }
}

#[async_trait]
impl<M: ChatModel> Nudger for LlmNudger<M> {
    async fn nudge(
        &self,
        pair: &ValuePair,
        toward: Side,
        neutral: &str,
    ) -> Result<GeneratedQuery, Unanswered> {
        let request = self
            .prompt
            .render(&json!({
                "value1": pair.value1,
                "value2": pair.value2,
                "lean_to": pair.value(toward),
                "user_question": shield(neutral, &NUDGE_TAGS),
            }))
            .map_err(|error| unrendered(&error))?;
        self.model
            .decode(
                &self.settings.apply(request),
                self.settings.reasks,
                |reply| parse_query(reply, QueryTag::UserQuery),
            )
            .await
            .map_err(|lost| declined(lost, QueryTag::UserQuery))
    }
}

/// The blocks of the nudge prompt: the question, which a model wrote, must not pretend to hold one of them.
const NUDGE_TAGS: [&str; 4] = ["value1", "value2", "lean_to", "user_question"];

/// A model that declines in words has withheld its answer as one whose provider does; only other replies are unparsable.
/// Coverage of the value space tells the two apart: what generators refuse is not missing at random.
fn declined(lost: Unanswered, tag: QueryTag) -> Unanswered {
    match lost {
        Unanswered::Unparsable { raw, .. }
            if is_refusal(
                raw.rsplit_once(tag.as_str())
                    .map_or(&raw, |(_, after)| after),
            ) =>
        {
            Unanswered::Blocked {
                category: "the generator declined in words".to_owned(),
            }
        }
        other => other,
    }
}

/// Overrides are rendered once when they are loaded, so this is left for templates that branch on data.
fn unrendered(error: &PromptError) -> Unanswered {
    Unanswered::not_run(error.to_string())
}
