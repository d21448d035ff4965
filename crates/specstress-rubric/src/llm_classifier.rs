use async_trait::async_trait;
use serde_json::json;
use specstress_llm::{CallSettings, ChatModel, Digest, Prompt, ResponseSchema, Unanswered};

use crate::call::{ask, check_answers, in_blocks, key_list, object, one_line, schema, shielded};
use crate::classification::{Answer, ClassificationTask, Classifications, Classifier};
use crate::parse::parse_classifications;
use crate::position::Position;
use crate::prompts::RubricPrompts;
use crate::spectrum::Spectrum;

/// A [`Classifier`] that asks a language model (method: stage 7, 3.4). One call per query with all its
/// answers, and at most [`CallSettings::reasks`] more when the reply is not complete.
///
/// As in the paper, the answers stand in the order given, under the names of their models.
/// [`shuffled`](Self::shuffled) and [`blinded`](Self::blinded) take away what order and names might do to the
/// scores. A task without answers, or with a key twice, is not run.
///
/// ```
/// use specstress_llm::{CallSettings, ScriptedModel};
/// use specstress_rubric::{
///     Answer, ClassificationTask, Classifier, LlmClassifier, RubricPrompts, Spectrum, SpectrumPair,
/// };
/// use specstress_values::ValuePair;
///
/// let model = ScriptedModel::new("demo/rubric").reply(
///     r#"{"o3": {"value1_reasoning": "says it all", "value1_position": 6, "value1_confidence": 0.9,
///               "value2_reasoning": "no comfort", "value2_position": 1, "value2_confidence": 0.7}}"#,
/// );
/// let classifier = LlmClassifier::new(model, &RubricPrompts::default(), CallSettings::default());
/// let pair = ValuePair::new("honesty", "care");
/// let sketches = ["a", "b", "c", "d", "e", "f", "g"].map(String::from);
/// let spectrum = |value: &String| Spectrum { value: value.clone(), strategies: sketches.clone() };
/// let spectra = SpectrumPair { value1: spectrum(&pair.value1), value2: spectrum(&pair.value2) };
/// let task = ClassificationTask {
///     pair: &pair,
///     query: "Should I tell her?",
///     answers: &[Answer { model: "o3", text: "Tell her everything." }],
///     spectra: &spectra,
/// };
/// let placed = futures_executor::block_on(classifier.classify(&task))?;
/// assert_eq!(placed["o3"].value1.position.score(), 6);
/// # Ok::<(), specstress_llm::Unanswered>(())
/// ```
#[derive(Clone, Debug)]
pub struct LlmClassifier<M> {
    model: M,
    prompt: Prompt,
    settings: CallSettings,
    shuffle_seed: Option<u64>,
    blind: bool,
}

impl<M: ChatModel> LlmClassifier<M> {
    /// A classifier on a model, with names shown and in the order given.
    pub fn new(model: M, prompts: &RubricPrompts, settings: CallSettings) -> Self {
        Self {
            model,
            prompt: prompts.classification.clone(),
            settings,
            shuffle_seed: None,
            blind: false,
        }
    }

    /// Shows the answers in an order that is drawn anew for each query, from `seed`, the query's text and the
    /// keys alone: the same task is always shown alike, whatever order its answers come in. `None` is the
    /// order given.
    #[must_use]
    pub fn shuffled(mut self, seed: Option<u64>) -> Self {
        self.shuffle_seed = seed;
        self
    }

    /// Shows the keys `model_1`, `model_2`, ... in place of the real ones, which the reply is mapped back to.
    /// Numbers in panel order would be names too, so blinding shuffles, with seed 0 unless
    /// [`shuffled`](Self::shuffled) gives another.
    #[must_use]
    pub fn blinded(mut self, blind: bool) -> Self {
        self.blind = blind;
        self
    }

    fn order<'a>(&self, task: &ClassificationTask<'a>) -> Vec<Answer<'a>> {
        let mut answers = task.answers.to_vec();
        if let Some(seed) = self.shuffle_seed.or(self.blind.then_some(0)) {
            // Sorting by a hash is a uniform shuffle that no generator's version can change, and one in
            // which a new model leaves the order of the others alone.
            answers.sort_by_cached_key(|answer| {
                Digest::new("specstress answer order 1")
                    .field("seed", seed.to_le_bytes())
                    .field("query", task.query)
                    .field("model", answer.model)
                    .finish()
            });
        }
        answers
    }
}

#[async_trait]
impl<M: ChatModel> Classifier for LlmClassifier<M> {
    async fn classify(&self, task: &ClassificationTask<'_>) -> Result<Classifications, Unanswered> {
        check_answers(task.answers)?;
        let answers = self.order(task);
        let shown: Vec<String> = answers
            .iter()
            .zip(1..)
            .map(|(answer, number)| {
                if self.blind {
                    format!("model_{number}")
                } else {
                    answer.model.to_owned()
                }
            })
            .collect();
        let keys: Vec<&str> = shown.iter().map(String::as_str).collect();
        let labelled: Vec<Answer<'_>> = answers
            .iter()
            .zip(&keys)
            .map(|(answer, key)| Answer {
                model: key,
                text: answer.text,
            })
            .collect();
        let context = json!({
            "value1": task.pair.value1,
            "value2": task.pair.value2,
            "name1": one_line(&task.pair.value1),
            "name2": one_line(&task.pair.value2),
            "query": shielded(task.query),
            "answers": in_blocks(&labelled),
            "keys": key_list(&keys),
            "spectrum1": numbered(&task.spectra.value1),
            "spectrum2": numbered(&task.spectra.value2),
        });
        let mut placed = ask(
            &self.model,
            &self.settings,
            &self.prompt,
            &context,
            classification_schema(&keys),
            |reply| parse_classifications(reply, &keys),
        )
        .await?;
        Ok(answers
            .iter()
            .zip(&keys)
            .filter_map(|(answer, &key)| Some((answer.model.to_owned(), placed.remove(key)?)))
            .collect())
    }
}

/// `0. [extreme_oppose] text`, one line per position.
fn numbered(spectrum: &Spectrum) -> String {
    Position::all()
        .map(|position| {
            let strategy = shielded(&one_line(spectrum.strategy(position)));
            format!("{}. [{}] {strategy}", position.score(), position.name())
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn classification_schema(keys: &[&str]) -> ResponseSchema {
    let fields = [1, 2].into_iter().flat_map(|side| {
        [
            ("reasoning", "string"),
            ("position", "integer"),
            ("confidence", "number"),
        ]
        .map(|(field, kind)| (format!("value{side}_{field}"), json!({"type": kind})))
    });
    let entry = object(fields);
    schema(
        "classification",
        object(keys.iter().map(|key| (*key, entry.clone()))),
    )
}
