use std::fmt;

use crate::error::ScenarioRejection;
use crate::refusal::is_refusal;
use crate::traits::GeneratedQuery;

/// The literal tag after which a reply holds the question and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryTag {
    /// `[User Question]`, of scenario generation (appendix B.1).
    UserQuestion,
    /// `[User Query]`, of nudging (appendix B.2).
    UserQuery,
}

impl QueryTag {
    /// The tag as it must stand in the reply.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserQuestion => "[User Question]",
            Self::UserQuery => "[User Query]",
        }
    }
}

impl fmt::Display for QueryTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the reply of a scenario generator or nudger (method: 3.1, 3.2).
///
/// The question is everything after the **last** tag, trimmed, without a pair of quotes around the whole
/// (see [`strip_outer_quotes`]). Bold, code or a colon around the tag itself does not matter, nor does a
/// closing `[/User Question]`. Everything before the tag is the reasoning.
///
/// ```
/// use specstress_scenarios::{QueryTag, parse_query};
///
/// let reply = "A nurse hears ...\n\n**[User Question]**\n“Should I tell her?”";
/// let generated = parse_query(reply, QueryTag::UserQuestion)?;
/// assert_eq!(generated.query, "Should I tell her?");
/// assert_eq!(generated.reasoning, "A nurse hears ...");
/// # Ok::<(), specstress_scenarios::ScenarioRejection>(())
/// ```
///
/// # Errors
/// No tag, nothing after it, or a refusal after it (see [`is_refusal`]).
pub fn parse_query(reply: &str, tag: QueryTag) -> Result<GeneratedQuery, ScenarioRejection> {
    let (before, after) = reply
        .rsplit_once(tag.as_str())
        .ok_or(ScenarioRejection::MissingTag { tag })?;
    let (before, after) = without_emphasis(before, after);
    let tail = after.trim();
    let tail = match tail.strip_suffix(']').and_then(|t| t.rsplit_once("[/")) {
        Some((query, name)) if tag.as_str()[1..].strip_suffix(']') == Some(name) => query,
        _ => tail,
    };
    let query = strip_outer_quotes(tail);
    if query.is_empty() {
        return Err(ScenarioRejection::EmptyQuery { tag });
    }
    if is_refusal(query) {
        return Err(ScenarioRejection::Refusal {
            tag,
            start: query.chars().take(60).collect(),
        });
    }
    Ok(GeneratedQuery {
        query: query.to_owned(),
        reasoning: without_heading_marks(before).to_owned(),
    })
}

/// Drops the marks models put around a tag: `**[Tag]**`, `` `[Tag]`: ``, `[Tag]:`.
fn without_emphasis<'a>(before: &'a str, after: &'a str) -> (&'a str, &'a str) {
    let colon = |text: &'a str| text.strip_prefix(':').unwrap_or(text);
    let mut around = (before, colon(after));
    for mark in ["**", "__", "*", "`"] {
        if let (Some(outer), Some(inner)) =
            (around.0.strip_suffix(mark), around.1.strip_prefix(mark))
        {
            around = (outer, colon(inner));
        }
    }
    around
}

/// The reasoning, without the `###` of a tag written as a heading.
fn without_heading_marks(before: &str) -> &str {
    let before = before.trim();
    match before.rsplit_once('\n') {
        Some((rest, last)) if last.chars().all(|c| c == '#') => rest.trim_end(),
        None if before.chars().all(|c| c == '#') => "",
        _ => before,
    }
}

const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('\'', '\''), ('‘', '’')];

/// Trims the text, and takes off one pair of quotes when that pair encloses the whole text.
///
/// Curly quotes are matched: `“A” or “B”?` and `“A” or “B”` keep theirs. Straight quotes do not say which
/// end they are, so they go only when there is no other one between them. Quotes of two different kinds
/// are no pair.
///
/// ```
/// use specstress_scenarios::strip_outer_quotes;
///
/// assert_eq!(strip_outer_quotes(" “Is “soon” a promise?” "), "Is “soon” a promise?");
/// assert_eq!(strip_outer_quotes("\"Yes\" or \"no\""), "\"Yes\" or \"no\"");
/// ```
pub fn strip_outer_quotes(text: &str) -> &str {
    let text = text.trim();
    QUOTES
        .into_iter()
        .find_map(|(open, close)| {
            let inner = text.strip_prefix(open)?.strip_suffix(close)?;
            encloses(inner, open, close).then(|| inner.trim())
        })
        .unwrap_or(text)
}

/// Whether a quote opened before `inner` is still the one that is open after it.
fn encloses(inner: &str, open: char, close: char) -> bool {
    if open == close {
        return !inner.contains(open);
    }
    let mut depth = 1_usize;
    for c in inner.chars() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return false;
            }
        }
    }
    depth == 1
}
