use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value, json};
use specstress_llm::{Prompt, PromptError};

use crate::error::RubricError;

/// The five prompts of this crate.
///
/// | prompt | variables | optional |
/// |---|---|---|
/// | `spectrum` | `value1`, `value2`, `query_neutral`, `query_value1`, `query_value2` (none where missing) | |
/// | `classification` | `value1`, `value2`, `query`, `answers` (of `key`, `text`), `spectrum1`, `spectrum2` | `keys`, `name1`, `name2` |
/// | `topics` | `query` | |
/// | `refusal` | `query`, `response` | |
/// | `expressed_values` | `query`, `answers` (of `key`, `text`) | `keys` |
///
/// Variables are text from outside and belong through the filter `block("name")`; an answer goes through
/// `block("response", model=answer.key)`. `keys` is the list of answer keys as JSON, and `name1`, `name2` are
/// the values on one line, for headings.
///
/// ```
/// use specstress_rubric::RubricPrompts;
///
/// let prompts = RubricPrompts::default();
/// let names: Vec<&str> = prompts.all().iter().map(|prompt| prompt.name()).collect();
/// assert_eq!(names, ["spectrum", "classification", "topics", "refusal", "expressed_values"]);
/// ```
#[derive(Clone, Debug)]
pub struct RubricPrompts {
    /// Asks for the two spectra of a pair.
    pub spectrum: Prompt,
    /// Asks where all answers to a query stand on both spectra.
    pub classification: Prompt,
    /// Asks what a query is about.
    pub topics: Prompt,
    /// Asks how far an answer goes along.
    pub refusal: Prompt,
    /// Asks which values each answer distinctively expresses.
    pub expressed_values: Prompt,
}

struct BuiltIn {
    name: &'static str,
    source: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const SPECTRUM: BuiltIn = BuiltIn {
    name: "spectrum",
    source: include_str!("prompts/spectrum.txt"),
    required: &[
        "value1",
        "value2",
        "query_neutral",
        "query_value1",
        "query_value2",
    ],
    optional: &[],
};

const CLASSIFICATION: BuiltIn = BuiltIn {
    name: "classification",
    source: include_str!("prompts/classification.txt"),
    required: &[
        "value1",
        "value2",
        "query",
        "answers",
        "spectrum1",
        "spectrum2",
    ],
    optional: &["keys", "name1", "name2"],
};

const TOPICS: BuiltIn = BuiltIn {
    name: "topics",
    source: include_str!("prompts/topics.txt"),
    required: &["query"],
    optional: &[],
};

const REFUSAL: BuiltIn = BuiltIn {
    name: "refusal",
    source: include_str!("prompts/refusal.txt"),
    required: &["query", "response"],
    optional: &[],
};

const EXPRESSED_VALUES: BuiltIn = BuiltIn {
    name: "expressed_values",
    source: include_str!("prompts/expressed_values.txt"),
    required: &["query", "answers"],
    optional: &["keys"],
};

impl Default for RubricPrompts {
    fn default() -> Self {
        Self {
            spectrum: SPECTRUM.prompt(),
            classification: CLASSIFICATION.prompt(),
            topics: TOPICS.prompt(),
            refusal: REFUSAL.prompt(),
            expressed_values: EXPRESSED_VALUES.prompt(),
        }
    }
}

impl RubricPrompts {
    /// Takes `dir/NAME.txt` where it exists, the built-in prompt elsewhere; a directory that is not there
    /// overrides nothing.
    ///
    /// Overrides are checked before any money is spent: the template must compile, use every variable that
    /// is not optional, and name no other.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn load(dir: &Path) -> Result<Self, RubricError> {
        Ok(Self {
            spectrum: SPECTRUM.load(dir)?,
            classification: CLASSIFICATION.load(dir)?,
            topics: TOPICS.load(dir)?,
            refusal: REFUSAL.load(dir)?,
            expressed_values: EXPRESSED_VALUES.load(dir)?,
        })
    }

    /// All prompts in a fixed order, for the hashes in a manifest.
    pub fn all(&self) -> Vec<&Prompt> {
        vec![
            &self.spectrum,
            &self.classification,
            &self.topics,
            &self.refusal,
            &self.expressed_values,
        ]
    }
}

impl BuiltIn {
    fn prompt(&self) -> Prompt {
        self.check(self.source)
            .expect("the built-in prompts are rendered by a test")
    }

    fn load(&self, dir: &Path) -> Result<Prompt, RubricError> {
        let path = dir.join(format!("{}.txt", self.name));
        match fs::read_to_string(&path) {
            Ok(source) => self
                .check(&source)
                .map_err(|source| RubricError::Prompt { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.prompt()),
            Err(source) => Err(RubricError::Read { path, source }),
        }
    }

    fn check(&self, source: &str) -> Result<Prompt, PromptError> {
        let prompt = Prompt::parse(self.name, source)?.require(self.required)?;
        // A trial run finds misspelt variables now and not in the middle of a study.
        let trial: Map<String, Value> = self
            .required
            .iter()
            .chain(self.optional)
            .map(|&name| {
                let value = match name {
                    "answers" => json!([{"key": "trial", "text": "trial"}]),
                    _ => json!("trial"),
                };
                (name.to_owned(), value)
            })
            .collect();
        prompt.render(&trial)?;
        Ok(prompt)
    }
}
