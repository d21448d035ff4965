use serde::Deserialize;
use serde_json::Value;
use specstress_llm::json;

use crate::error::JudgeRejection;
use crate::verdict::{Decision, Verdict};

#[derive(Deserialize)]
struct Reply {
    reasoning: Value,
    decision: Value,
}

/// Reads a judge's reply (method: 3.6): one JSON object with a `reasoning` and a `decision`; other keys are
/// ignored.
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
        }),
        _ => Err(JudgeRejection::Reasoning {
            given: brief(&reasoning),
        }),
    }
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
