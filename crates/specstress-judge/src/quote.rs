//! Finding a quote in the text it is said to be from.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::fuzzy;

/// Where a quote stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotePlace {
    /// Bytes of the text, from the first quoted character to the last.
    pub range: Range<usize>,
    /// Whether the words are the same, one by one; else they differ in punctuation or in a few words.
    pub exact: bool,
}

/// A text made ready for quotes to be found in it.
///
/// A quote is **exact** when it is part of the text, from the start of a word to the end of one, after these steps on
/// both:
///
/// 1. `&lt;` is `<`, as prompts write tags inside blocks;
/// 2. marks of Markdown go: `*`, `_`, backticks, brackets, backslashes before punctuation, the targets of links, and
///    `#`, `>`, `-` and `+` at the start of a line;
/// 3. quotation marks, apostrophes, dashes and ellipses have one form each; soft hyphens and zero-width characters go;
/// 4. letters are lowercase;
/// 5. runs of white space are one space;
/// 6. of the quote alone, quotation marks, punctuation and space at both ends go.
///
/// A quote that leaves something out by an ellipsis is found when its parts are, in order; each has three words or
/// more.
///
/// Else it is **fuzzy** when its words, in order, are those of some part of the text up to one change per seven words:
/// one more, one less, or another. Punctuation does not count then. Quotes of fewer than four words are never fuzzy;
/// those of four to six must have the same words. No change may touch a word that can turn the meaning (`not`,
/// `never`, `unless`, `must`, `may`, ...) or one with a digit, so that a quote that was turned round is not found.
///
/// ```
/// use specstress_judge::QuoteText;
///
/// let text = QuoteText::new("The assistant **never** lies, and it says\nwhat it leaves out.");
/// let place = text.find("“The assistant never lies”").unwrap();
/// assert!(place.exact);
/// assert_eq!(place.range, 0..28);
/// assert!(!text.find("assistant never lies and says what it leaves out").unwrap().exact);
/// assert_eq!(text.find("The assistant lies, and it says what it leaves out."), None);
/// ```
#[derive(Clone, Debug)]
pub struct QuoteText {
    plain: Plain,
    words: Vec<Word>,
    /// All words once: most quotes that are not there have words that are not.
    known: BTreeSet<String>,
}

/// Fewest words of a part of a quote with ellipses, and of a quote that proves anything.
pub(crate) const FEWEST_WORDS: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    turns: bool,
    /// Bytes of the plain text.
    pub(crate) range: Range<usize>,
}

impl Word {
    fn marked(&self) -> (&str, bool) {
        (&self.text, self.turns)
    }
}

impl QuoteText {
    /// Prepares a text. Cost: linear in its length.
    pub fn new(text: &str) -> Self {
        let plain = Plain::of(text);
        let words = words(&plain.text);
        let known = words.iter().map(|word| word.text.clone()).collect();
        Self {
            plain,
            words,
            known,
        }
    }

    /// The first exact place of a quote, else its best fuzzy one; `None` when there is neither, and for a quote
    /// without a word.
    ///
    /// Cost: linear for exact ones, else words of the text times words of the quote.
    pub fn find(&self, quote: &str) -> Option<QuotePlace> {
        let needle = Plain::of(quote).text;
        let whole = trimmed(&needle);
        if words(whole).is_empty() {
            return None;
        }
        let part = |range: Range<usize>, exact| QuotePlace {
            range: self.plain.source(&range),
            exact,
        };
        if let Some(range) = self.exact(whole, 0) {
            return Some(part(range, true));
        }
        let parts: Vec<&str> = whole.split("...").map(trimmed).collect();
        let enough = |part: &&str| words(part).len() >= FEWEST_WORDS;
        if parts.len() > 1 && !parts.iter().all(enough) {
            return None;
        }
        let (mut start, mut end, mut exact) = (None, 0, true);
        for part in parts {
            let range = if let Some(range) = self.exact(part, end) {
                range
            } else {
                exact = false;
                self.fuzzy(part, end)?
            };
            start.get_or_insert(range.start);
            end = range.end;
        }
        Some(part(start?..end, exact))
    }

    /// Words of a quote after the steps above.
    pub(crate) fn words_of(quote: &str) -> usize {
        words(&Plain::of(quote).text).len()
    }

    /// Whether a quote is all of the text.
    pub(crate) fn is_whole(&self, quote: &str) -> bool {
        trimmed(&Plain::of(quote).text) == trimmed(&self.plain.text)
    }

    fn exact(&self, needle: &str, from: usize) -> Option<Range<usize>> {
        let text = &self.plain.text;
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (first, last) = (needle.chars().next(), needle.chars().next_back());
        let mut at = from;
        while let Some(found) = text.get(at..)?.find(needle) {
            let range = at + found..at + found + needle.len();
            let before = text[..range.start].chars().next_back();
            let after = text[range.end..].chars().next();
            if !(inside(first) && inside(before) || inside(last) && inside(after)) {
                return Some(range);
            }
            at = range.start + text[range.start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    fn fuzzy(&self, needle: &str, from: usize) -> Option<Range<usize>> {
        let wanted = words(needle);
        let strange = wanted
            .iter()
            .filter(|word| !self.known.contains(&word.text));
        if strange.count() > fuzzy::most_changes(wanted.len()) {
            return None;
        }
        let skipped = self.words.partition_point(|word| word.range.start < from);
        let rest = &self.words[skipped..];
        let wanted: Vec<(&str, bool)> = wanted.iter().map(Word::marked).collect();
        let given: Vec<(&str, bool)> = rest.iter().map(Word::marked).collect();
        let found = fuzzy::best(&wanted, &given)?;
        Some(rest[found.start].range.start..rest[found.end - 1].range.end)
    }
}

/// A text after the steps, with the way back.
#[derive(Clone, Debug)]
struct Plain {
    text: String,
    /// Per character: where it starts here, and its bytes in the source.
    origins: Vec<(usize, Range<usize>)>,
}

impl Plain {
    fn of(source: &str) -> Self {
        let mut plain = Self {
            text: String::with_capacity(source.len()),
            origins: Vec::with_capacity(source.len()),
        };
        let mut at = 0;
        let mut line_start = true;
        while let Some(c) = source[at..].chars().next() {
            let rest = &source[at..];
            let next = at + c.len_utf8();
            if let Some(tail) = rest.strip_prefix("&lt;") {
                at = source.len() - tail.len();
                plain.push("<", next - c.len_utf8()..at);
                line_start = false;
                continue;
            }
            if rest.starts_with("](")
                && let Some(close) = rest
                    .find([')', '\n'])
                    .filter(|&end| rest[end..].starts_with(')'))
            {
                at += close + 1;
                continue;
            }
            let range = at..next;
            at = next;
            match c {
                '\n' | '\r' => {
                    line_start = true;
                    plain.space(range);
                    continue;
                }
                _ if c.is_whitespace() => {
                    plain.space(range);
                    continue;
                }
                '#' | '>' | '-' | '+' if line_start => continue,
                '*'
                | '_'
                | '`'
                | '['
                | ']'
                | '\u{ad}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2060}'
                | '\u{feff}' => {}
                '\\' if source[at..].starts_with(|c: char| c.is_ascii_punctuation()) => {}
                '‘' | '’' | '‚' | '‛' | '′' => plain.push("'", range),
                '“' | '”' | '„' | '‟' | '″' | '«' | '»' => plain.push("\"", range),
                '\u{2010}'..='\u{2015}' | '−' => plain.push("-", range),
                '…' => plain.push("...", range),
                _ => {
                    for lower in c.to_lowercase() {
                        plain.push(lower.encode_utf8(&mut [0; 4]), range.clone());
                    }
                }
            }
            line_start = false;
        }
        plain
    }

    fn push(&mut self, text: &str, range: Range<usize>) {
        for (offset, _) in text.char_indices() {
            self.origins.push((self.text.len() + offset, range.clone()));
        }
        self.text.push_str(text);
    }

    fn space(&mut self, range: Range<usize>) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.push(" ", range);
        }
    }

    /// Bytes of the source for bytes of the plain text.
    fn source(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.origins.partition_point(|(at, _)| *at < range.start);
        let after = self.origins.partition_point(|(at, _)| *at < range.end);
        let start = self
            .origins
            .get(first)
            .map_or(0, |(_, source)| source.start);
        let last = after.checked_sub(1).and_then(|last| self.origins.get(last));
        start..last.map_or(start, |(_, source)| source.end.max(start))
    }
}

/// Without quotation marks, punctuation and space at both ends.
fn trimmed(plain: &str) -> &str {
    plain.trim_matches(|c: char| c.is_whitespace() || "\"'.,;:!?".contains(c))
}

/// Runs of letters, digits and apostrophes between them.
fn words(plain: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut joined = false;
    for (at, c) in plain.char_indices() {
        let end = at + c.len_utf8();
        if c.is_alphanumeric() {
            match words.last_mut() {
                Some(word) if word.range.end == at || (joined && word.range.end + 1 == at) => {
                    if joined && word.range.end + 1 == at {
                        word.text.push('\'');
                    }
                    word.text.push(c);
                    word.range.end = end;
                }
                _ => words.push(Word {
                    text: c.to_string(),
                    turns: false,
                    range: at..end,
                }),
            }
        }
        joined = c == '\'';
    }
    for word in &mut words {
        word.turns = fuzzy::turns(&word.text);
    }
    words
}
