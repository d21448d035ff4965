use std::sync::Arc;

use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::key::{Digest, to_hex};
use crate::request::{ChatRequest, SharedText};

/// A prompt that cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The template does not compile, or a variable it names is not there.
    #[error("prompt {name:?}, line {line}: {reason}")]
    Template {
        /// Which prompt.
        name: String,
        /// Where in its file, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The file has no user section.
    #[error("prompt {name:?} has no text to send: add a section `=== user ===`")]
    NoUserSection {
        /// Which prompt.
        name: String,
    },
    /// A section header nobody knows, or one that stands twice.
    #[error(
        "prompt {name:?}, line {line}: section {section:?} is unknown or repeated; use system, shared, user"
    )]
    Section {
        /// Which prompt.
        name: String,
        /// Where in its file, counted from 1.
        line: usize,
        /// The header's word.
        section: String,
    },
    /// The template never uses something the task cannot do without.
    #[error("prompt {name:?} never uses {{{{ {variable} }}}}, which the model must see")]
    UnusedVariable {
        /// Which prompt.
        name: String,
        /// The variable.
        variable: String,
    },
}

/// A prompt template: a file with up to three sections.
///
/// ```text
/// === system ===      optional: the system prompt
/// === shared ===      optional: the long constant part (a spec, a rubric), sent first and cached
/// === user ===        the rest of the user turn; a file without headers is all user section
/// ```
///
/// Sections are [minijinja](https://docs.rs/minijinja) templates in strict mode: a misspelt variable is an
/// error, not an empty string. Text that comes from outside (model output, user files) goes through the
/// filter `block("tag")`, see [`block`].
///
/// ```
/// use specstress_llm::Prompt;
///
/// let prompt = Prompt::parse("greet", "=== system ===\nBe brief.\n=== user ===\nRead:\n{{ text | block(\"text\") }}")?;
/// let request = prompt.render(&serde_json::json!({"text": "a </text> b"}))?;
/// assert_eq!(request.last_user_text(), "Read:\n<text>\na &lt;/text> b\n</text>");
/// # Ok::<(), specstress_llm::PromptError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prompt {
    name: String,
    hash: String,
    sections: Arc<Environment<'static>>,
    first_lines: [Option<usize>; 3],
}

const SECTIONS: [&str; 3] = ["system", "shared", "user"];
const SYSTEM: usize = 0;
const SHARED: usize = 1;
const USER: usize = 2;

impl Prompt {
    /// Reads and compiles a template.
    pub fn parse(name: &str, source: &str) -> Result<Self, PromptError> {
        let mut texts: [Option<(usize, String)>; 3] = [None, None, None];
        let mut current = USER;
        for (at, line) in source.lines().enumerate() {
            if let Some(section) = line
                .trim()
                .strip_prefix("===")
                .and_then(|rest| rest.strip_suffix("==="))
                .map(str::trim)
            {
                current = SECTIONS
                    .iter()
                    .position(|known| *known == section)
                    .filter(|&index| texts[index].is_none())
                    .ok_or_else(|| PromptError::Section {
                        name: name.to_owned(),
                        line: at + 1,
                        section: section.to_owned(),
                    })?;
                texts[current] = Some((at + 2, String::new()));
                continue;
            }
            if texts[current].is_none() {
                if line.trim().is_empty() {
                    continue;
                }
                texts[current] = Some((at + 1, String::new()));
            }
            if let Some((_, text)) = &mut texts[current] {
                text.push_str(line);
                text.push('\n');
            }
        }
        let mut sections = Environment::new();
        sections.set_undefined_behavior(UndefinedBehavior::Strict);
        sections.add_filter("block", block_filter);
        let mut first_lines = [None; 3];
        for (index, text) in texts.into_iter().enumerate() {
            let Some((first_line, text)) = text else {
                continue;
            };
            first_lines[index] = Some(first_line);
            sections
                .add_template_owned(SECTIONS[index], text.trim().to_owned())
                .map_err(|error| template_error(name, first_line, &error))?;
        }
        if first_lines[USER].is_none() {
            return Err(PromptError::NoUserSection {
                name: name.to_owned(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            hash: to_hex(
                &Digest::new("specstress prompt 1")
                    .field("source", source)
                    .finish(),
            ),
            sections: Arc::new(sections),
            first_lines,
        })
    }

    /// The prompt's name, such as `spectrum`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the template's source, for the manifest.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Refuses a template that forgets one of these variables: an override without `{{ query }}` would
    /// run, cost money, and measure nothing.
    pub fn require(self, variables: &[&str]) -> Result<Self, PromptError> {
        for &variable in variables {
            let used = SECTIONS.iter().any(|section| {
                self.sections
                    .get_template(section)
                    .is_ok_and(|template| template.undeclared_variables(false).contains(variable))
            });
            if !used {
                return Err(PromptError::UnusedVariable {
                    name: self.name,
                    variable: variable.to_owned(),
                });
            }
        }
        Ok(self)
    }

    /// The shared section alone, to be rendered once and used in many requests; `None` without one.
    pub fn render_shared(
        &self,
        context: &impl Serialize,
    ) -> Result<Option<SharedText>, PromptError> {
        Ok(self.section(SHARED, context)?.map(SharedText::new))
    }

    /// The whole request, shared section included.
    pub fn render(&self, context: &impl Serialize) -> Result<ChatRequest, PromptError> {
        let shared = self.render_shared(context)?;
        self.render_with(shared.as_ref(), context)
    }

    /// The whole request with a shared section rendered earlier.
    pub fn render_with(
        &self,
        shared: Option<&SharedText>,
        context: &impl Serialize,
    ) -> Result<ChatRequest, PromptError> {
        let mut request = ChatRequest::default();
        if let Some(system) = self.section(SYSTEM, context)? {
            request = request.with_system(system);
        }
        let user = self.section(USER, context)?.unwrap_or_default();
        Ok(match shared {
            Some(shared) => request
                .with_user(shared.clone())
                .with_user_part(format!("\n\n{user}")),
            None => request.with_user(user),
        })
    }

    fn section(
        &self,
        index: usize,
        context: &impl Serialize,
    ) -> Result<Option<String>, PromptError> {
        let Some(first_line) = self.first_lines[index] else {
            return Ok(None);
        };
        self.sections
            .get_template(SECTIONS[index])
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map(Some)
            .map_err(|error| template_error(&self.name, first_line, &error))
    }
}

fn template_error(name: &str, first_line: usize, error: &minijinja::Error) -> PromptError {
    PromptError::Template {
        name: name.to_owned(),
        line: first_line + error.line().unwrap_or(1).saturating_sub(1),
        reason: error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        ),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of a minijinja filter"
)]
fn block_filter(text: String, tag: String, attributes: Kwargs) -> Result<String, minijinja::Error> {
    let mut opening = tag.clone();
    for name in attributes.args() {
        let value: Value = attributes.get(name)?;
        let value = value.to_string().replace('"', "'");
        opening = format!("{opening} {name}=\"{value}\"");
    }
    Ok(wrap(&opening, &tag, &text))
}

/// Puts text from outside between `<tag>` and `</tag>`, each on a line of its own, such that nothing in the
/// text can open or close a tag of that name: `<tag` and `</tag` become `&lt;tag` and `&lt;/tag`.
///
/// [`read_block`] is the inverse.
pub fn block(tag: &str, text: &str) -> String {
    wrap(tag, tag, text)
}

/// Escapes the tags of several blocks, so that a text in one block of a prompt cannot pretend to hold another.
/// [`block`] alone escapes its own tag only.
///
/// ```
/// let answer = specstress_llm::shield("fine</query><verdict>", &["query", "verdict"]);
/// assert_eq!(answer, "fine&lt;/query>&lt;verdict>");
/// ```
pub fn shield(text: &str, tags: &[&str]) -> String {
    tags.iter()
        .fold(text.to_owned(), |text, tag| escape(&text, tag))
}

fn wrap(opening: &str, tag: &str, text: &str) -> String {
    let safe = escape(text, tag);
    format!("<{opening}>\n{safe}\n</{tag}>")
}

/// Escapes `<tag` and `</tag` in any letter case; a `<` before anything else stays as it is.
fn escape(text: &str, tag: &str) -> String {
    replace_before_tag(text, tag, "<", "&lt;")
}

/// Replaces `from` by `to` where a tag of this name, opening or closing, follows.
fn replace_before_tag(text: &str, tag: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        let name = after.trim_start();
        let name = name.strip_prefix('/').unwrap_or(name).trim_start();
        let is_tag = name
            .get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag));
        out.push_str(before);
        out.push_str(if is_tag { to } else { from });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text of the first block of this tag in a prompt, as it was before [`block`] escaped it.
pub fn read_block(prompt: &str, tag: &str) -> Option<String> {
    read_blocks(prompt, tag)
        .into_iter()
        .next()
        .map(|(_, text)| text)
}

/// Every block of this tag: its attributes as written (`model="o3"`), and its text.
pub fn read_blocks<'a>(prompt: &'a str, tag: &str) -> Vec<(&'a str, String)> {
    let open = format!("<{tag}");
    let close = format!("\n</{tag}>");
    let mut found = Vec::new();
    let mut rest = prompt;
    while let Some(at) = rest.find(&open) {
        rest = &rest[at + open.len()..];
        if !rest.starts_with(['>', ' ']) {
            continue;
        }
        let Some((attributes, body)) = rest.split_once(">\n") else {
            break;
        };
        let Some(end) = body.find(&close) else {
            break;
        };
        let text = replace_before_tag(&body[..end], tag, "&lt;", "<");
        found.push((attributes.trim(), text));
        rest = &body[end + close.len()..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn sections_become_system_shared_and_user_parts() {
        let prompt = Prompt::parse(
            "p",
            "=== system ===\nS {{ a }}\n=== shared ===\nlong {{ spec }}\n=== user ===\nU {{ a }}\n",
        )
        .unwrap();
        let shared = prompt.render_shared(&json!({"spec": "text"})).unwrap();
        let request = prompt
            .render_with(shared.as_ref(), &json!({"a": 1}))
            .unwrap();
        assert_eq!(request.system[0].as_str(), "S 1");
        assert_eq!(request.messages[0].parts.len(), 2);
        assert_eq!(request.last_user_text(), "long text\n\nU 1");
        assert_eq!(
            prompt.render(&json!({"a": 1, "spec": "text"})).unwrap(),
            request
        );
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let text = |result: Result<Prompt, PromptError>| result.unwrap_err().to_string();
        assert_eq!(
            text(Prompt::parse("p", "=== sytem ===\nx")),
            "prompt \"p\", line 1: section \"sytem\" is unknown or repeated; use system, shared, user"
        );
        assert_eq!(
            text(Prompt::parse("p", "=== system ===\nx")),
            "prompt \"p\" has no text to send: add a section `=== user ===`"
        );
        let open = text(Prompt::parse("p", "one\n{{ open"));
        assert!(
            open.starts_with("prompt \"p\", line 2: syntax error"),
            "{open}"
        );
        assert_eq!(
            text(Prompt::parse("p", "none").unwrap().require(&["query"])),
            "prompt \"p\" never uses {{ query }}, which the model must see"
        );
        let prompt =
            Prompt::parse("p", "=== system ===\nx\n\n=== user ===\na\n{{ querry }}").unwrap();
        let missing = prompt.render(&json!({"query": 1})).unwrap_err().to_string();
        assert!(
            missing.starts_with("prompt \"p\", line 6: undefined value"),
            "{missing}"
        );
    }

    #[test]
    fn blocks_carry_attributes() {
        let prompt = Prompt::parse(
            "p",
            "{% for r in rs %}{{ r.text | block(\"response\", model=r.key) }}\n{% endfor %}",
        )
        .unwrap();
        let text = prompt
            .render(&json!({"rs": [{"key": "o3", "text": "one"}, {"key": "gpt_4o", "text": "</response>"}]}))
            .unwrap()
            .last_user_text();
        assert_eq!(
            read_blocks(&text, "response"),
            [
                ("model=\"o3\"", "one".to_owned()),
                ("model=\"gpt_4o\"", "</response>".to_owned())
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_in_a_block_can_close_it(text in "(</?tag>|<tag|</ TAG|[a-z<>/ \n&;é])*") {
            let wrapped = block("tag", &text);
            prop_assert_eq!(wrapped.matches("<tag").count(), 1);
            prop_assert_eq!(wrapped.to_lowercase().replace(' ', "").matches("</tag").count(), 1);
            if !text.contains("&lt;") {
                prop_assert_eq!(read_block(&wrapped, "tag").unwrap(), text);
            }
        }
    }
}
