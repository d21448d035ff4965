use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;
use specstress_llm::{Prompt, PromptError};

use crate::error::ScenarioError;
use crate::parse::QueryTag;

/// The two prompts of this crate: `scenario` and `nudge`.
///
/// | prompt | variables | reply ends with |
/// |---|---|---|
/// | `scenario` | `value1`, `value2` | `[User Question]` and the question |
/// | `nudge` | `value1`, `value2`, `lean_to`, `user_question` | `[User Query]` and the question |
///
/// All variables are text from outside and belong through the filter `block("name")`.
///
/// ```
/// use specstress_scenarios::ScenarioPrompts;
///
/// let prompts = ScenarioPrompts::default();
/// let names: Vec<&str> = prompts.all().iter().map(|prompt| prompt.name()).collect();
/// assert_eq!(names, ["scenario", "nudge"]);
/// ```
#[derive(Clone, Debug)]
pub struct ScenarioPrompts {
    /// Asks for a neutral question about a pair.
    pub scenario: Prompt,
    /// Asks for a question rewritten toward one value.
    pub nudge: Prompt,
}

struct BuiltIn {
    name: &'static str,
    source: &'static str,
    variables: &'static [&'static str],
    tag: QueryTag,
}

const SCENARIO: BuiltIn = BuiltIn {
    name: "scenario",
    source: include_str!("prompts/scenario.txt"),
    variables: &["value1", "value2"],
    tag: QueryTag::UserQuestion,
};

const NUDGE: BuiltIn = BuiltIn {
    name: "nudge",
    source: include_str!("prompts/nudge.txt"),
    variables: &["value1", "value2", "lean_to", "user_question"],
    tag: QueryTag::UserQuery,
};

impl Default for ScenarioPrompts {
    fn default() -> Self {
        Self {
            scenario: SCENARIO.prompt(),
            nudge: NUDGE.prompt(),
        }
    }
}

impl ScenarioPrompts {
    /// Takes `dir/scenario.txt` and `dir/nudge.txt` where they exist, the built-in prompts elsewhere; a
    /// directory that is not there overrides nothing.
    ///
    /// Overrides are checked before any money is spent: the template must compile, use every variable, name
    /// no other, and show the tag.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn load(dir: &Path) -> Result<Self, ScenarioError> {
        Ok(Self {
            scenario: SCENARIO.load(dir)?,
            nudge: NUDGE.load(dir)?,
        })
    }

    /// All prompts in a fixed order, for the hashes in a manifest.
    pub fn all(&self) -> Vec<&Prompt> {
        vec![&self.scenario, &self.nudge]
    }
}

impl BuiltIn {
    fn prompt(&self) -> Prompt {
        self.check(self.source)
            .expect("the built-in prompts are rendered by a test")
    }

    fn load(&self, dir: &Path) -> Result<Prompt, ScenarioError> {
        let path = dir.join(format!("{}.txt", self.name));
        let source = match fs::read_to_string(&path) {
            Ok(source) => source,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self.prompt()),
            Err(source) => return Err(ScenarioError::Read { path, source }),
        };
        if !source.contains(self.tag.as_str()) {
            return Err(ScenarioError::NoTag {
                path,
                tag: self.tag,
            });
        }
        self.check(&source)
            .map_err(|source| ScenarioError::Prompt { path, source })
    }

    fn check(&self, source: &str) -> Result<Prompt, PromptError> {
        let prompt = Prompt::parse(self.name, source)?.require(self.variables)?;
        // A trial run finds misspelt variables now and not in the middle of a study.
        let trial: serde_json::Map<_, _> = self
            .variables
            .iter()
            .map(|name| ((*name).to_owned(), json!("trial")))
            .collect();
        prompt.render(&trial)?;
        Ok(prompt)
    }
}
