use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;
use specstress_llm::{Prompt, SharedText};

use crate::error::JudgeError;

const NAME: &str = "verdict";
const BUILT_IN: &str = include_str!("prompts/verdict.txt");

/// The prompt of this crate: `verdict`.
///
/// | prompt | section | variables |
/// |---|---|---|
/// | `verdict` | shared | `spec`, the model spec; `excerpt`, whether it is a choice of sections (need not be used) |
/// | | user | `query`, `response` |
///
/// All variables are text from outside and belong through the filter `block("name")`; the spec's block is
/// called `model_spec`.
///
/// ```
/// use specstress_judge::JudgePrompts;
///
/// assert_eq!(JudgePrompts::default().all()[0].name(), "verdict");
/// ```
#[derive(Clone, Debug)]
pub struct JudgePrompts {
    /// Asks for a verdict on one answer.
    pub verdict: Prompt,
}

impl Default for JudgePrompts {
    fn default() -> Self {
        Self {
            verdict: check(BUILT_IN).expect("the built-in prompt is rendered by a test"),
        }
    }
}

impl JudgePrompts {
    /// Takes `dir/verdict.txt` where it exists, the built-in prompt elsewhere; a directory that is not there
    /// overrides nothing.
    ///
    /// An override is checked before any money is spent: it must compile, use every variable, name no
    /// other, and have the spec in its shared section.
    ///
    /// # Errors
    /// A file that cannot be read or used.
    pub fn load(dir: &Path) -> Result<Self, JudgeError> {
        let path = dir.join(format!("{NAME}.txt"));
        match fs::read_to_string(&path) {
            Ok(source) => match check(&source) {
                Ok(verdict) => Ok(Self { verdict }),
                Err(error) => Err(JudgeError::File {
                    path,
                    source: Box::new(error),
                }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(JudgeError::Read { path, source }),
        }
    }

    /// All prompts in a fixed order, for the hashes in a manifest.
    pub fn all(&self) -> Vec<&Prompt> {
        vec![&self.verdict]
    }
}

fn check(source: &str) -> Result<Prompt, JudgeError> {
    let prompt = Prompt::parse(NAME, source)?.require(&["spec", "query", "response"])?;
    // A trial run finds misspelt variables now and not in the middle of a study.
    let shared = render_spec(&prompt, "trial of the spec")?;
    render_excerpt(&prompt, "trial of a section")?;
    prompt.render_with(
        Some(&shared),
        &json!({"query": "trial", "response": "trial"}),
    )?;
    Ok(prompt)
}

/// The part that all requests of one judge share: the whole spec.
pub(crate) fn render_spec(prompt: &Prompt, spec: &str) -> Result<SharedText, JudgeError> {
    let shared = render(prompt, spec, false)?;
    // A section that does not depend on the spec does not show it.
    if render(prompt, "", false).is_ok_and(|without| without == shared) {
        return Err(JudgeError::SpecNotShared);
    }
    Ok(shared)
}

/// The same with a choice of sections.
pub(crate) fn render_excerpt(prompt: &Prompt, sections: &str) -> Result<SharedText, JudgeError> {
    render(prompt, sections, true)
}

fn render(prompt: &Prompt, spec: &str, excerpt: bool) -> Result<SharedText, JudgeError> {
    prompt
        .render_shared(&json!({"spec": spec, "excerpt": excerpt}))?
        .ok_or(JudgeError::SpecNotShared)
}
