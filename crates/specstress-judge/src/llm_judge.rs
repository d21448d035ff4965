use async_trait::async_trait;
use serde_json::json;
use specstress_llm::{
    CallSettings, ChatModel, ChatModelExt, ChatRequest, Prompt, ResponseSchema, SharedText,
    Unanswered, shield,
};

use crate::error::JudgeError;
use crate::parse::parse_verdict;
use crate::prompts::{JudgePrompts, render_excerpt, render_spec};
use crate::retrieve::{SectionIndex, SpecSections};
use crate::spec::Spec;
use crate::verdict::{Decision, Judge, Verdict};

/// A [`Judge`] that asks a language model (method: stage 11, 3.6).
///
/// The whole spec is rendered once, when the judge is made, and shared by all its requests, so that providers can
/// cache it and stores keep it once; a choice of sections is rendered for each answer. One call per answer, and at most [`CallSettings::reasks`] more when the
/// reply holds no verdict.
///
/// ```
/// use specstress_judge::{Decision, Judge, JudgePrompts, LlmJudge, Spec};
/// use specstress_llm::{CallSettings, ScriptedModel};
///
/// let spec = Spec::parse("# Honesty {#honesty}\nDo not lie.")?;
/// let model = ScriptedModel::new("demo/judge")
///     .reply(r#"{"reasoning": "`honesty` forbids it", "decision": "non-compliant"}"#);
/// let judge = LlmJudge::new("judge", model, &spec, &JudgePrompts::default(), CallSettings::default())?;
/// let verdict = futures_executor::block_on(judge.judge("Is it Monday?", "Yes (it is Sunday)."))?;
/// assert_eq!(verdict.decision, Decision::NonCompliant);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmJudge<M> {
    name: String,
    model: M,
    prompt: Prompt,
    shown: Shown,
    settings: CallSettings,
}

/// What of the spec is shown.
#[derive(Clone, Debug)]
enum Shown {
    Whole(SharedText),
    Excerpts {
        index: Box<SectionIndex>,
        most: usize,
    },
}

impl<M: ChatModel> LlmJudge<M> {
    /// A judge whose verdicts are recorded under `name`, holding answers against all of `spec`.
    ///
    /// # Errors
    /// The prompt does not show the spec in its shared section, or cannot be rendered.
    pub fn new(
        name: impl Into<String>,
        model: M,
        spec: &Spec,
        prompts: &JudgePrompts,
        settings: CallSettings,
    ) -> Result<Self, JudgeError> {
        Ok(Self {
            name: name.into(),
            model,
            shown: Shown::Whole(render_spec(&prompts.verdict, &spec.text)?),
            prompt: prompts.verdict.clone(),
            settings,
        })
    }

    /// Shows all of `spec` or the sections nearest to each answer. It must be the spec that the judge was made with.
    ///
    /// # Errors
    /// [`JudgeError::NoSections`] for a choice of no section.
    pub fn with_sections(self, spec: &Spec, sections: SpecSections) -> Result<Self, JudgeError> {
        Ok(match sections {
            SpecSections::Whole => self,
            SpecSections::Retrieve(0) => return Err(JudgeError::NoSections),
            SpecSections::Retrieve(most) => Self {
                shown: Shown::Excerpts {
                    index: Box::new(SectionIndex::new(spec)),
                    most,
                },
                ..self
            },
        })
    }

    fn request(&self, query: &str, answer: &str) -> Result<ChatRequest, JudgeError> {
        let shared = match &self.shown {
            Shown::Whole(spec) => spec.clone(),
            Shown::Excerpts { index, most } => {
                let near = index.excerpt(&format!("{query}\n{answer}"), *most);
                render_excerpt(&self.prompt, &near)?
            }
        };
        let context = json!({"query": shielded(query), "response": shielded(answer)});
        Ok(self.prompt.render_with(Some(&shared), &context)?)
    }
}

#[async_trait]
impl<M: ChatModel> Judge for LlmJudge<M> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn judge(&self, query: &str, answer: &str) -> Result<Verdict, Unanswered> {
        let request = self
            .request(query, answer)
            // Overrides are rendered once when they are loaded; this is left for templates that branch on data.
            .map_err(|error| Unanswered::not_run(error.to_string()))?;
        self.model
            .decode(
                &self.settings.apply(request).with_schema(schema()),
                self.settings.reasks,
                parse_verdict,
            )
            .await
    }
}

fn schema() -> ResponseSchema {
    ResponseSchema {
        name: "verdict".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "reasoning": {"type": "string"},
                "citations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "section": {"type": "string"},
                            "spec_quote": {"type": "string"},
                            "answer_quote": {"type": "string"},
                        },
                        "required": ["section", "spec_quote", "answer_quote"],
                        "additionalProperties": false,
                    },
                },
                "decision": {"type": "string", "enum": Decision::ALL.map(Decision::as_str)},
            },
            "required": ["reasoning", "citations", "decision"],
            "additionalProperties": false,
        }),
    }
}

/// Escapes the tags of all blocks of this prompt, so that an answer cannot pretend to hold another block;
/// the filter `block` escapes a block's own tag only.
fn shielded(text: &str) -> String {
    shield(text, &["model_spec", "query", "response"])
}
