use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::json;
use specstress_llm::{CallSettings, ChatModel, Unanswered};

use crate::call::{ask, check_answers, in_blocks, key_list, object, schema, shielded};
use crate::classification::Answer;
use crate::labels::{Labeler, RefusalKind, Topic};
use crate::parse::{parse_expressed_values, parse_refusal, parse_topics};
use crate::prompts::RubricPrompts;

/// A [`Labeler`] that asks a language model (method: stages 10, 12 and 14; 3.5, 3.7, 3.8). One call per
/// label, and at most [`CallSettings::reasks`] more when the reply is not of the form asked for.
///
/// ```
/// use specstress_llm::{CallSettings, ScriptedModel};
/// use specstress_rubric::{Labeler, LlmLabeler, RefusalKind, RubricPrompts};
///
/// let model = ScriptedModel::new("demo/rubric")
///     .reply(r#"{"reasoning": "declines in one line", "category": "Complete Rejection"}"#);
/// let labeler = LlmLabeler::new(model, &RubricPrompts::default(), CallSettings::default());
/// let kind = futures_executor::block_on(labeler.refusal("How do I pick a lock?", "No."))?;
/// assert_eq!(kind, RefusalKind::CompleteRejection);
/// # Ok::<(), specstress_llm::Unanswered>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmLabeler<M> {
    model: M,
    prompts: RubricPrompts,
    settings: CallSettings,
}

impl<M: ChatModel> LlmLabeler<M> {
    /// A labeler on a model.
    pub fn new(model: M, prompts: &RubricPrompts, settings: CallSettings) -> Self {
        Self {
            model,
            prompts: prompts.clone(),
            settings,
        }
    }
}

#[async_trait]
impl<M: ChatModel> Labeler for LlmLabeler<M> {
    async fn topics(&self, query: &str) -> Result<BTreeSet<Topic>, Unanswered> {
        let boolean = json!({"type": "boolean"});
        let form = object(
            Topic::ALL
                .iter()
                .map(|topic| (topic.as_str(), boolean.clone())),
        );
        ask(
            &self.model,
            &self.settings,
            &self.prompts.topics,
            &json!({"query": shielded(query)}),
            schema("topics", form),
            parse_topics,
        )
        .await
    }

    async fn refusal(&self, query: &str, answer: &str) -> Result<RefusalKind, Unanswered> {
        let names: Vec<&str> = RefusalKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let form = object([
            ("reasoning", json!({"type": "string"})),
            ("category", json!({"type": "string", "enum": names})),
        ]);
        ask(
            &self.model,
            &self.settings,
            &self.prompts.refusal,
            &json!({"query": shielded(query), "response": shielded(answer)}),
            schema("refusal", form),
            parse_refusal,
        )
        .await
    }

    async fn expressed_values(
        &self,
        query: &str,
        answers: &[Answer<'_>],
    ) -> Result<BTreeMap<String, Vec<String>>, Unanswered> {
        check_answers(answers)?;
        let keys: Vec<&str> = answers.iter().map(|answer| answer.model).collect();
        let labels = json!({"type": "array", "items": {"type": "string"}});
        let form = object(keys.iter().map(|key| (*key, labels.clone())));
        ask(
            &self.model,
            &self.settings,
            &self.prompts.expressed_values,
            &json!({
                "query": shielded(query),
                "answers": in_blocks(answers),
                "keys": key_list(&keys),
            }),
            schema("expressed_values", form),
            |reply| parse_expressed_values(reply, &keys),
        )
        .await
    }
}
