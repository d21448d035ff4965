//! Servers echo what they were sent; messages must hold neither keys nor query strings.

const KEPT: usize = 400;
/// Shorter words are no keys.
const KEY_LENGTH: usize = 12;
const KEY_STARTS: [&str; 4] = ["sk-", "xai-", "AIza", "gsk_"];

/// A message of at most 400 characters on one line, with everything that looks like a key replaced and every
/// URL cut at its query.
pub(crate) fn scrub(text: &str) -> String {
    let mut out = String::new();
    let mut after_bearer = false;
    for word in text.split_whitespace() {
        if out.chars().count() > KEPT {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let url_query = word.contains("://").then(|| word.find('?')).flatten();
        let word = url_query.map_or(word, |end| &word[..end]);
        if after_bearer {
            out.push_str("[redacted]");
        } else if let Some(at) = key_start(word) {
            out.push_str(&word[..at]);
            out.push_str("[redacted]");
        } else {
            out.push_str(word);
        }
        after_bearer = word.to_ascii_lowercase().ends_with("bearer");
    }
    match out.char_indices().nth(KEPT) {
        Some((end, _)) => format!("{}...", &out[..end]),
        None => out,
    }
}

/// Where a key starts in a word: not in the middle of another (`risk-free`).
fn key_start(word: &str) -> Option<usize> {
    KEY_STARTS
        .iter()
        .flat_map(|start| word.match_indices(start))
        .map(|(at, _)| at)
        .filter(|at| word.len() - at >= KEY_LENGTH)
        .filter(|at| !word[..*at].ends_with(|before: char| before.is_ascii_alphanumeric()))
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_keys_and_queries_and_keeps_the_rest() {
        for (text, clean) in [
            (
                "Incorrect API key provided: sk-proj-abcdefghijklmnop. Find one at https://x.com/keys",
                "Incorrect API key provided: [redacted] Find one at https://x.com/keys",
            ),
            ("key=\"xai-0123456789abcdef\"", "key=\"[redacted]"),
            (
                "got \"Bearer abc123\" there",
                "got \"Bearer [redacted] there",
            ),
            (
                "see https://g.com/v1?key=AIzaSyAbcdefghijk now",
                "see https://g.com/v1 now",
            ),
            (
                "risk-free-of-charge  sk-8\n\ttask",
                "risk-free-of-charge sk-8 task",
            ),
            ("a risk-sk-0123456789ab", "a risk-[redacted]"),
            ("what? why?", "what? why?"),
        ] {
            assert_eq!(scrub(text), clean);
        }
        let long = scrub(&"é".repeat(1_000));
        assert_eq!(long.chars().count(), 403);
    }
}
