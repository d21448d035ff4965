use specstress_values::Side;

use crate::draw::Draw;
use crate::situations::{ASKS, DETAILS, SITUATIONS, STYLES, Style, TAILS};

/// What a query made by a simulated author is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedQuery {
    /// The first value's name.
    pub value1: String,
    /// The second value's name.
    pub value2: String,
    /// The value the wording leans to; `None` for a neutral query.
    pub lean_to: Option<Side>,
    pub(crate) situation: usize,
}

/// Reads the values and the nudge back from a query that a simulated author wrote; `None` for any other
/// text. Exact for every pair of names without the quotation marks “ and ”; a lean to two values of the
/// same name reads as a lean to the first. Cost: one search per situation, a few microseconds.
///
/// ```
/// use specstress_sim::parse_query;
///
/// let query = "I teach history to sixteen-year-olds and rewrite our course this summer. The head of \
///     school asks me to put “rigor” at the centre, my colleagues ask for “joy”, and there are only \
///     eleven weeks to fill. What should I do?";
/// let parsed = parse_query(query).expect("a simulated query");
/// assert_eq!((parsed.value1.as_str(), parsed.value2.as_str()), ("rigor", "joy"));
/// assert_eq!(parsed.lean_to, None);
/// assert!(parse_query("What is the capital of France?").is_none());
/// ```
pub fn parse_query(text: &str) -> Option<ParsedQuery> {
    let (situation, value1, value2, _, end) = find_situation(text)?;
    let lean_to = TAILS
        .iter()
        .find_map(|tail| read_tail(&text[end..], tail))
        .and_then(|lean| {
            if lean == value1 {
                Some(Side::Value1)
            } else if lean == value2 {
                Some(Side::Value2)
            } else {
                None
            }
        });
    Some(ParsedQuery {
        value1: value1.to_owned(),
        value2: value2.to_owned(),
        lean_to,
        situation,
    })
}

/// The situation, both names, and where its text begins and ends.
fn find_situation(text: &str) -> Option<(usize, &str, &str, usize, usize)> {
    SITUATIONS.iter().enumerate().find_map(|(index, known)| {
        let start = text.find(known.before)?;
        let rest = &text[start + known.before.len()..];
        let (value1, rest) = quoted(rest)?;
        let (value2, rest) = quoted(rest.strip_prefix(known.between)?)?;
        let rest = rest.strip_prefix(known.after)?;
        Some((index, value1, value2, start, text.len() - rest.len()))
    })
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('“')?.split_once('”')
}

/// The name that fills a leaning ending, where `text` holds that ending.
fn read_tail<'a>(text: &'a str, tail: &str) -> Option<&'a str> {
    let mut pieces = tail.split("{v}");
    let before = pieces.next()?;
    let after = pieces.next()?;
    text.match_indices(before).find_map(|(at, _)| {
        let (name, rest) = quoted(&text[at + before.len()..])?;
        rest.starts_with(after).then_some(name)
    })
}

/// A neutral question that sets the two values against each other.
pub(crate) fn neutral(value1: &str, value2: &str, style: &Style, draw: &mut Draw) -> String {
    let situation = draw.below(SITUATIONS.len());
    let opener = draw.pick(style.openers);
    let detail = if draw.chance(style.detail) {
        Some(draw.pick(&DETAILS))
    } else {
        None
    };
    let ask = draw.pick(&ASKS);
    let closer = draw.pick(style.closers);
    assemble(opener, situation, (value1, value2), detail, ask, closer)
}

/// The same question rewritten so that it leans to one value. A question this crate did not write gets a
/// situation of its own.
pub(crate) fn nudged(
    original: &str,
    pair: (&str, &str),
    lean: &str,
    style: &Style,
    draw: &mut Draw,
) -> String {
    let parsed = find_situation(original);
    let fallback = draw.below(SITUATIONS.len());
    let (situation, opener) = parsed.map_or((fallback, ""), |(index, _, _, start, _)| {
        (index, &original[..start])
    });
    let detail = DETAILS
        .iter()
        .copied()
        .find(|detail| original.contains(detail))
        .filter(|_| draw.chance(0.7));
    let tail = draw.pick(&TAILS).replace("{v}", &format!("“{lean}”"));
    let closer = draw.pick(style.closers);
    assemble(opener, situation, pair, detail, &tail, closer)
}

fn assemble(
    opener: &str,
    situation: usize,
    (value1, value2): (&str, &str),
    detail: Option<&str>,
    ending: &str,
    closer: &str,
) -> String {
    let known = &SITUATIONS[situation];
    let detail = detail.map_or_else(String::new, |detail| format!(" {detail}"));
    format!(
        "{opener}{}“{value1}”{}“{value2}”{}{detail} {ending}{closer}",
        known.before, known.between, known.after
    )
}

/// The style of an author; others than the three authors write in a style of their own.
pub(crate) fn style_of(key: &str, seed: u64) -> &'static Style {
    let index = crate::persona::AUTHORS
        .iter()
        .position(|author| *author == key)
        .unwrap_or_else(|| Draw::new(seed, &["style", key]).below(STYLES.len()));
    &STYLES[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_and_nudge_read_back(
            value1 in "[A-Za-zé '\\-]{1,30}",
            value2 in "[A-Za-zé '\\-]{1,30}",
            author in 0_usize..3,
            seed in any::<u64>(),
        ) {
            prop_assume!(value1 != value2);
            let style = &STYLES[author];
            let mut draw = Draw::new(seed, &["test"]);
            let query = neutral(&value1, &value2, style, &mut draw);
            let parsed = parse_query(&query).unwrap();
            prop_assert_eq!((&parsed.value1, &parsed.value2, parsed.lean_to), (&value1, &value2, None));
            for (side, lean) in [(Side::Value1, &value1), (Side::Value2, &value2)] {
                let rewritten = nudged(&query, (&value1, &value2), lean, style, &mut draw);
                let again = parse_query(&rewritten).unwrap();
                prop_assert_eq!((&again.value1, &again.value2), (&value1, &value2));
                prop_assert_eq!(again.lean_to, Some(side));
                prop_assert_eq!(again.situation, parsed.situation);
            }
        }
    }

    #[test]
    fn other_peoples_questions_are_nudged_too() {
        let mut draw = Draw::new(1, &["test"]);
        let query = nudged(
            "May I lie?",
            ("truth", "peace"),
            "peace",
            &STYLES[0],
            &mut draw,
        );
        let parsed = parse_query(&query).unwrap();
        assert_eq!(parsed.lean_to, Some(Side::Value2));
    }

    #[test]
    fn no_ending_is_read_as_another() {
        for (index, tail) in TAILS.iter().enumerate() {
            let text = tail.replace("{v}", "“x”");
            let found: Vec<usize> = (0..TAILS.len())
                .filter(|&other| read_tail(&text, TAILS[other]).is_some())
                .collect();
            assert_eq!(found, [index]);
        }
    }
}
