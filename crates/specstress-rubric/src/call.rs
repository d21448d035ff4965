//! What the three model-backed tasks share: asking, schemas, and keeping answers in their blocks.

use std::fmt::Display;

use serde_json::{Map, Value, json};
use specstress_llm::{
    CallSettings, ChatModel, ChatModelExt, Prompt, ResponseSchema, Unanswered, shield,
};

use crate::classification::Answer;

/// Renders, asks, and reads the reply with re-asks.
pub(crate) async fn ask<M, T, E, F>(
    model: &M,
    settings: &CallSettings,
    prompt: &Prompt,
    context: &Value,
    schema: ResponseSchema,
    parse: F,
) -> Result<T, Unanswered>
where
    M: ChatModel,
    T: Send,
    E: Display + Send,
    F: Fn(&str) -> Result<T, E> + Send + Sync,
{
    let request = prompt
        .render(context)
        // Overrides are rendered once when they are loaded; this is left for templates that branch on data.
        .map_err(|error| Unanswered::not_run(error.to_string()))?;
    let request = settings.apply(request).with_schema(schema);
    model.decode(&request, settings.reasks, parse).await
}

/// A closed object in which every property is required: what every provider takes.
pub(crate) fn object(properties: impl IntoIterator<Item = (impl Into<String>, Value)>) -> Value {
    let properties: Vec<(String, Value)> = properties
        .into_iter()
        .map(|(name, schema)| (name.into(), schema))
        .collect();
    let required: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
    let required = json!(required);
    json!({
        "type": "object",
        "properties": properties.into_iter().collect::<Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}

pub(crate) fn schema(name: &str, schema: Value) -> ResponseSchema {
    ResponseSchema {
        name: name.to_owned(),
        schema,
    }
}

/// Answers in the form the templates take them.
pub(crate) fn in_blocks(answers: &[Answer<'_>]) -> Value {
    answers
        .iter()
        .map(|answer| json!({"key": answer.model, "text": shielded(answer.text)}))
        .collect()
}

/// The keys of the answers as JSON, to be named in the prompt.
pub(crate) fn key_list(keys: &[&str]) -> String {
    json!(keys).to_string()
}

/// A comparison needs answers, and replies are paired with them by key.
pub(crate) fn check_answers(answers: &[Answer<'_>]) -> Result<(), Unanswered> {
    if answers.is_empty() {
        return Err(Unanswered::not_run("there is no answer to compare"));
    }
    for (at, answer) in answers.iter().enumerate() {
        if answers[..at]
            .iter()
            .any(|other| other.model == answer.model)
        {
            return Err(Unanswered::not_run(format!(
                "two answers have the key {:?}",
                answer.model
            )));
        }
    }
    Ok(())
}

const TAGS: [&str; 9] = [
    "value1",
    "value2",
    "query",
    "query_neutral",
    "query_value1",
    "query_value2",
    "response",
    "spectrum1",
    "spectrum2",
];

/// Escapes the tags of all blocks of this crate's prompts, so that no text can pretend to hold another block;
/// the filter `block` escapes a block's own tag only.
pub(crate) fn shielded(text: &str) -> String {
    shield(text, &TAGS)
}

/// On one line, for headings and numbered lists.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
