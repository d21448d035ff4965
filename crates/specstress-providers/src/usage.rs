//! One usage record out of four ways of counting.

use serde_json::Value;
use specstress_llm::{ChatResponse, Usage};

/// A provider's own total that differs from the sum of the parts it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageMismatch {
    /// Sum of the five parts of [`Usage`].
    pub counted: u64,
    /// What the provider says.
    pub reported: u64,
}

/// Compares the parts of a reply's usage with the total in its raw body.
///
/// `None` when they agree, or when the body has no total (Anthropic never gives one). The parts are kept
/// as the provider gave them either way: nothing is invented to make up the difference, so a caller that
/// bills by the parts can warn.
///
/// ```
/// use specstress_llm::{ChatResponse, Usage};
/// use specstress_providers::{UsageMismatch, usage_mismatch};
///
/// let mut response = ChatResponse::stop("m", "hi");
/// response.usage = Usage { input: 10, output: 5, ..Usage::default() };
/// response.raw = r#"{"usage":{"total_tokens":20}}"#.to_owned();
/// assert_eq!(usage_mismatch(&response), Some(UsageMismatch { counted: 15, reported: 20 }));
/// ```
pub fn usage_mismatch(response: &ChatResponse) -> Option<UsageMismatch> {
    let totals: Totals = serde_json::from_str(&response.raw).ok()?;
    let reported = count(&totals.usage?.total)?;
    let counted = response.usage.total();
    (counted != reported).then_some(UsageMismatch { counted, reported })
}

/// The part of a body with the total; the rest is passed over without a copy.
#[derive(serde::Deserialize)]
struct Totals {
    #[serde(alias = "usageMetadata")]
    usage: Option<Total>,
}

#[derive(serde::Deserialize)]
struct Total {
    #[serde(default, rename = "total_tokens", alias = "totalTokenCount")]
    total: Value,
}

/// A token count, written as an integer, a whole float or a string of digits.
fn count(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        .or_else(|| {
            value
                .as_f64()
                .filter(|number| (0.0..9e15).contains(number))
                .and_then(|number| format!("{number:.0}").parse().ok())
        })
}

fn tokens(value: &Value) -> u64 {
    count(value).unwrap_or(0)
}

/// Cached reads and writes come beside `input_tokens`; thinking is inside `output_tokens`.
pub(crate) fn anthropic(usage: &Value) -> Usage {
    let reasoning = tokens(&usage["output_tokens_details"]["thinking_tokens"]);
    Usage {
        input: tokens(&usage["input_tokens"]),
        cached_input: tokens(&usage["cache_read_input_tokens"]),
        cache_write: tokens(&usage["cache_creation_input_tokens"]),
        output: tokens(&usage["output_tokens"]).saturating_sub(reasoning),
        reasoning,
    }
}

/// Cached tokens are inside `prompt_tokens`. Reasoning is inside `completion_tokens` at `OpenAI` and beside
/// it at xAI; proxies may do either, so the total decides where there is one that fits.
pub(crate) fn openai_chat(usage: &Value, reasoning_inside: bool) -> Usage {
    openai_shaped(
        tokens(&usage["prompt_tokens"]),
        &usage["prompt_tokens_details"],
        tokens(&usage["completion_tokens"]),
        tokens(&usage["completion_tokens_details"]["reasoning_tokens"]),
        count(&usage["total_tokens"]),
        reasoning_inside,
    )
}

/// The same under the names of the Responses API.
pub(crate) fn openai_responses(usage: &Value) -> Usage {
    openai_shaped(
        tokens(&usage["input_tokens"]),
        &usage["input_tokens_details"],
        tokens(&usage["output_tokens"]),
        tokens(&usage["output_tokens_details"]["reasoning_tokens"]),
        count(&usage["total_tokens"]),
        true,
    )
}

fn openai_shaped(
    prompt: u64,
    prompt_details: &Value,
    completion: u64,
    reasoning: u64,
    total: Option<u64>,
    reasoning_inside: bool,
) -> Usage {
    let cached_input = tokens(&prompt_details["cached_tokens"]).min(prompt);
    let cache_write = tokens(&prompt_details["cache_write_tokens"]).min(prompt - cached_input);
    let visible = prompt.saturating_add(completion);
    let inside = match total {
        _ if reasoning > completion => false,
        Some(total) if reasoning > 0 && total == visible => true,
        Some(total) if reasoning > 0 && total == visible.saturating_add(reasoning) => false,
        _ => reasoning_inside,
    };
    Usage {
        input: prompt - cached_input - cache_write,
        cached_input,
        cache_write,
        output: if inside {
            completion - reasoning
        } else {
            completion
        },
        reasoning,
    }
}

/// Cached tokens are inside the prompt's, thoughts beside the candidates'; tool prompts are input.
pub(crate) fn gemini(usage: &Value) -> Usage {
    let prompt = tokens(&usage["promptTokenCount"]);
    let cached_input = tokens(&usage["cachedContentTokenCount"]).min(prompt);
    Usage {
        input: (prompt - cached_input).saturating_add(tokens(&usage["toolUsePromptTokenCount"])),
        cached_input,
        cache_write: 0,
        output: tokens(&usage["candidatesTokenCount"]),
        reasoning: tokens(&usage["thoughtsTokenCount"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(usage: Usage) -> [u64; 5] {
        [
            usage.input,
            usage.cached_input,
            usage.cache_write,
            usage.output,
            usage.reasoning,
        ]
    }

    #[test]
    fn each_provider_counts_its_own_way() {
        let claude = json!({"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,
            "output_tokens":20,"output_tokens_details":{"thinking_tokens":12}});
        assert_eq!(parts(anthropic(&claude)), [10, 4, 3, 8, 12]);
        let gpt = json!({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},
            "completion_tokens_details":{"reasoning_tokens":40}});
        assert_eq!(parts(openai_chat(&gpt, true)), [10, 60, 30, 10, 40]);
        let grok = json!({"prompt_tokens":100,"completion_tokens":50,"total_tokens":190,
            "prompt_tokens_details":{"cached_tokens":60},
            "completion_tokens_details":{"reasoning_tokens":40}});
        assert_eq!(parts(openai_chat(&grok, false)), [40, 60, 0, 50, 40]);
        let responses = json!({"input_tokens":7,"input_tokens_details":{"cached_tokens":2},
            "output_tokens":9,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":16});
        assert_eq!(parts(openai_responses(&responses)), [5, 2, 0, 5, 4]);
        let google = json!({"promptTokenCount":30,"cachedContentTokenCount":10,"candidatesTokenCount":5,
            "thoughtsTokenCount":7,"toolUsePromptTokenCount":1,"totalTokenCount":43});
        assert_eq!(parts(gemini(&google)), [21, 10, 0, 5, 7]);
        let truncated = json!({"promptTokenCount":3,"thoughtsTokenCount":7,"totalTokenCount":10});
        assert_eq!(parts(gemini(&truncated)), [3, 0, 0, 0, 7]);
    }

    #[test]
    fn the_total_tells_where_a_proxy_puts_reasoning() {
        let usage = |completion, total| {
            json!({"prompt_tokens":10,"completion_tokens":completion,"total_tokens":total,
                "completion_tokens_details":{"reasoning_tokens":4}})
        };
        assert_eq!(parts(openai_chat(&usage(6, 16), false)), [10, 0, 0, 2, 4]);
        assert_eq!(parts(openai_chat(&usage(6, 20), true)), [10, 0, 0, 6, 4]);
        // A total that fits neither leaves the provider's rule.
        assert_eq!(parts(openai_chat(&usage(6, 99), true)), [10, 0, 0, 2, 4]);
        assert_eq!(parts(openai_chat(&usage(6, 99), false)), [10, 0, 0, 6, 4]);
        // More reasoning than output cannot be inside.
        assert_eq!(parts(openai_chat(&usage(3, 99), true)), [10, 0, 0, 3, 4]);
    }

    #[test]
    fn missing_and_odd_numbers_count_as_zero_or_their_value() {
        assert_eq!(openai_chat(&Value::Null, true), Usage::default());
        let odd =
            json!({"prompt_tokens":"12","completion_tokens":3.0,"prompt_tokens_details":null});
        assert_eq!(parts(openai_chat(&odd, true)), [12, 0, 0, 3, 0]);
        let wild = json!({"prompt_tokens":-4,"completion_tokens":1e300,
            "prompt_tokens_details":{"cached_tokens":9}});
        assert_eq!(openai_chat(&wild, true), Usage::default());
    }

    #[test]
    fn the_total_is_compared_where_there_is_one() {
        let mut response = ChatResponse::stop("m", "x");
        response.usage.input = 3;
        assert_eq!(usage_mismatch(&response), None);
        response.raw = r#"{"usageMetadata":{"totalTokenCount":3}}"#.to_owned();
        assert_eq!(usage_mismatch(&response), None);
        response.raw = r#"{"usageMetadata":{"totalTokenCount":4}}"#.to_owned();
        assert_eq!(
            usage_mismatch(&response),
            Some(UsageMismatch {
                counted: 3,
                reported: 4
            })
        );
    }
}
