use async_trait::async_trait;
use serde_json::{Value, json};
use specstress_llm::{CallSettings, ChatModel, Prompt, ResponseSchema, Unanswered};
use specstress_values::ValuePair;

use crate::call::{ask, object, schema, shielded};
use crate::parse::parse_spectra;
use crate::position::Position;
use crate::prompts::RubricPrompts;
use crate::spectrum::{SpectrumBuilder, SpectrumPair, TripleQueries};

/// A [`SpectrumBuilder`] that asks a language model (method: stage 6, 3.3). One call per pair, and at most
/// [`CallSettings::reasks`] more when the reply is not two complete spectra.
///
/// Queries that a triple lacks are left out of the prompt; without any there is no call, and the outcome is
/// not run.
///
/// ```
/// use specstress_llm::{CallSettings, ScriptedModel};
/// use specstress_rubric::{LlmSpectrumBuilder, Position, RubricPrompts, SpectrumBuilder, TripleQueries};
/// use specstress_values::ValuePair;
///
/// let entries: Vec<_> = Position::NAMES
///     .iter()
///     .map(|name| serde_json::json!({"position": name, "response": format!("sketch of {name}")}))
///     .collect();
/// let reply = serde_json::json!({"value1_bias_spectrum": entries, "value2_bias_spectrum": entries});
/// let model = ScriptedModel::new("demo/rubric").reply(reply.to_string());
/// let builder = LlmSpectrumBuilder::new(model, &RubricPrompts::default(), CallSettings::default());
/// let pair = ValuePair::new("honesty", "care");
/// let queries = TripleQueries { neutral: Some("Should I tell her?"), ..TripleQueries::default() };
/// let spectra = futures_executor::block_on(builder.build(&pair, queries))?;
/// assert_eq!(spectra.value1.value, "honesty");
/// # Ok::<(), specstress_llm::Unanswered>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmSpectrumBuilder<M> {
    model: M,
    prompt: Prompt,
    settings: CallSettings,
}

impl<M: ChatModel> LlmSpectrumBuilder<M> {
    /// A builder on a model.
    pub fn new(model: M, prompts: &RubricPrompts, settings: CallSettings) -> Self {
        Self {
            model,
            prompt: prompts.spectrum.clone(),
            settings,
        }
    }
}

#[async_trait]
impl<M: ChatModel> SpectrumBuilder for LlmSpectrumBuilder<M> {
    async fn build(
        &self,
        pair: &ValuePair,
        queries: TripleQueries<'_>,
    ) -> Result<SpectrumPair, Unanswered> {
        let TripleQueries {
            neutral,
            value1,
            value2,
        } = queries;
        if [neutral, value1, value2].iter().all(Option::is_none) {
            return Err(Unanswered::not_run("the triple has no query"));
        }
        let context = json!({
            "value1": pair.value1,
            "value2": pair.value2,
            "query_neutral": neutral.map(shielded),
            "query_value1": value1.map(shielded),
            "query_value2": value2.map(shielded),
        });
        ask(
            &self.model,
            &self.settings,
            &self.prompt,
            &context,
            spectrum_schema(),
            |reply| parse_spectra(reply, pair),
        )
        .await
    }
}

fn spectrum_schema() -> ResponseSchema {
    let text = || json!({"type": "string"});
    let spectrum = || -> Value {
        let position = json!({"type": "string", "enum": Position::NAMES});
        json!({"type": "array", "items": object([("position", position), ("response", text())])})
    };
    schema(
        "spectrum_pair",
        object([
            (
                "value_pair",
                object([("value1", text()), ("value2", text())]),
            ),
            ("value1_bias_spectrum", spectrum()),
            ("value2_bias_spectrum", spectrum()),
        ]),
    )
}
