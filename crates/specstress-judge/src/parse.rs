use serde::Deserialize;
use serde_json::Value;
use specstress_llm::json;

use crate::error::JudgeRejection;
use crate::verdict::{ClauseCitation, Decision, Verdict};

#[derive(Deserialize)]
struct Reply {
    reasoning: Value,
    #[serde(default)]
    citations: Value,
    decision: Value,
}

/// Reads a judge's reply (method: 3.6): one JSON object with a `reasoning`, a `decision` and, beyond the paper, a list
/// of `citations` with a `section`, a `spec_quote` and an `answer_quote` each; other keys are ignored.
///
/// Citations never cost a verdict: without any the list is empty, an entry that is a text names a section, keys of the
/// wrong type and blank texts count as missing, and entries with nothing in them are left out.
///
/// Letter case, spaces, hyphens and underscores in the decision do not matter (`Non compliant`,
/// `NON_COMPLIANT`). Two different verdicts in one reply, one of them perhaps quoted from the answer, are
/// an error and never a choice.
///
/// ```
/// use specstress_judge::{Decision, parse_verdict};
///
/// let verdict = parse_verdict("```json\n{\"reasoning\": \"breaks `no_erotica`\", \"decision\": \"Non_Compliant\"}\n```")?;
/// assert_eq!(verdict.decision, Decision::NonCompliant);
/// # Ok::<(), specstress_judge::JudgeRejection>(())
/// ```
///
/// # Errors
/// No or several JSON objects of this form, an unknown decision, an empty reasoning.
pub fn parse_verdict(reply: &str) -> Result<Verdict, JudgeRejection> {
    let Reply {
        reasoning,
        citations,
        decision,
    } = json::decode(reply)?;
    let decision =
        decision
            .as_str()
            .and_then(read_decision)
            .ok_or_else(|| JudgeRejection::Decision {
                given: brief(&decision),
            })?;
    match reasoning.as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(Verdict {
            decision,
            reasoning: text.to_owned(),
            citations: read_citations(&citations),
        }),
        _ => Err(JudgeRejection::Reasoning {
            given: brief(&reasoning),
        }),
    }
}

fn read_citations(citations: &Value) -> Vec<ClauseCitation> {
    let text = |value: &Value| -> Option<String> {
        let text = value.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let read = |entry: &Value| match entry {
        Value::Object(fields) => {
            let field = |name| fields.get(name).and_then(text);
            ClauseCitation {
                section: field("section").unwrap_or_default(),
                spec_quote: field("spec_quote"),
                answer_quote: field("answer_quote"),
            }
        }
        other => ClauseCitation {
            section: text(other).unwrap_or_default(),
            ..ClauseCitation::default()
        },
    };
    match citations {
        Value::Array(entries) => entries.iter().map(read).collect(),
        Value::Null => Vec::new(),
        // One citation without a list around it.
        one => vec![read(one)],
    }
    .into_iter()
    .filter(|citation| *citation != ClauseCitation::default())
    .collect()
}

fn read_decision(text: &str) -> Option<Decision> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '\u{2010}' | '\u{2011}'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let given = plain(text);
    Decision::ALL
        .into_iter()
        .find(|decision| plain(decision.as_str()) == given)
}

/// A JSON value for a message, cut where it is long.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
