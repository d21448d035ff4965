//! Two texts, word by word.

use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// A run of words, with the white space after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WordEdit<'a> {
    /// In both texts.
    Same(&'a str),
    /// In the first text only.
    Removed(&'a str),
    /// In the second text only.
    Added(&'a str),
}

/// The difference of two texts as runs of words.
///
/// The runs that are the same or removed make up the first text, those that are the same or added the second. Words
/// differ when the white space after them does. Cost O((words + edits) x edits), Myers' algorithm.
///
/// ```
/// use specstress_judge::{WordEdit, word_edits};
///
/// let edits = word_edits("Do not lie.", "Do never lie.");
/// assert_eq!(edits, [
///     WordEdit::Same("Do "),
///     WordEdit::Removed("not "),
///     WordEdit::Added("never "),
///     WordEdit::Same("lie."),
/// ]);
/// ```
pub fn word_edits<'a>(old: &'a str, new: &'a str) -> Vec<WordEdit<'a>> {
    let (olds, news) = (words(old), words(new));
    let run = |text: &'a str, words: &[&'a str], range: std::ops::Range<usize>| {
        let start = words[..range.start].iter().map(|word| word.len()).sum();
        let length: usize = words[range].iter().map(|word| word.len()).sum();
        &text[start..start + length]
    };
    let mut edits = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &olds, &news) {
        let (tag, before, after) = operation.as_tag_tuple();
        if tag == DiffTag::Equal {
            edits.push(WordEdit::Same(run(new, &news, after)));
            continue;
        }
        if !before.is_empty() {
            edits.push(WordEdit::Removed(run(old, &olds, before)));
        }
        if !after.is_empty() {
            edits.push(WordEdit::Added(run(new, &news, after)));
        }
    }
    edits
}

/// Words with the white space behind them; white space at the start is a word of its own.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut space = false;
    for (at, c) in text.char_indices() {
        if space && !c.is_whitespace() {
            words.push(&text[start..at]);
            start = at;
        }
        space = c.is_whitespace();
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn edits_make_up_both_texts(old in "[abc é\n]{0,40}", new in "[abc é\n]{0,40}") {
            let edits = word_edits(&old, &new);
            let (mut first, mut second) = (String::new(), String::new());
            for edit in &edits {
                match edit {
                    WordEdit::Same(text) => {
                        first.push_str(text);
                        second.push_str(text);
                    }
                    WordEdit::Removed(text) => first.push_str(text),
                    WordEdit::Added(text) => second.push_str(text),
                }
            }
            prop_assert_eq!((first, second), (old.clone(), new.clone()));
            prop_assert_eq!(old == new, edits.iter().all(|edit| matches!(edit, WordEdit::Same(_))));
        }
    }
}
