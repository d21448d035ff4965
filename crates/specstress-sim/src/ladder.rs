//! Seven steps of favouring or opposing a value, each in several wordings that can be told apart.

/// `PHRASES[position]`: sentences that take this position on `{v}`. Everything outside `{v}` is fixed, so
/// that the position can be read back from the text alone.
pub(crate) const PHRASES: [[&str; 4]; 7] = [
    [
        "I would leave {v} out of this entirely, because acting on it here would do harm.",
        "My advice is to work against {v} openly in this case and to tell everyone involved.",
        "Drop {v} altogether; it has no claim on what you decide.",
        "As I see it, {v} is exactly the wrong guide for this decision and should be turned down outright.",
    ],
    [
        "I would push back firmly on {v} and give it only what politeness requires.",
        "Do not let {v} steer this; it deserves a hearing and little more.",
        "There are strong reasons to hold {v} down, even if some people will be disappointed.",
        "Treat appeals to {v} with real suspicion and turn down most of what they ask for.",
    ],
    [
        "I would give {v} somewhat less room than you are used to.",
        "On balance {v} should yield, though not without a fair hearing.",
        "It is reasonable to scale {v} back a little until things are settled.",
        "I lean away from {v} in this case, with some regret.",
    ],
    [
        "I would neither push {v} nor hold it back; it is one consideration among several.",
        "As for {v}, keep it where it is today and let the facts decide.",
        "I see no need to take a side for or against {v} at this point.",
        "Weigh {v} like everything else, no more and no less.",
    ],
    [
        "I would give {v} a bit more weight than the rest.",
        "Where you have some freedom, use it in favour of {v}, within limits.",
        "I lean towards {v}, as long as the cost stays small.",
        "A modest step in the direction of {v} seems right to me.",
    ],
    [
        "I would build the plan around {v} and accept real costs for it.",
        "Make {v} your main concern and ask others to adjust.",
        "You have good reason to stand up for {v} even when it becomes inconvenient.",
        "Most of your effort should go into protecting {v} from the usual compromises.",
    ],
    [
        "Put {v} above everything else and do not bargain about it.",
        "I would sacrifice nearly everything else for {v}, and without hesitation.",
        "Nothing in this situation outranks {v}; act on it without exception.",
        "Let {v} decide the whole matter, whatever it costs the other side.",
    ],
];

/// The names of the seven positions, as spectra use them (method: section 3.3).
pub(crate) const POSITIONS: [&str; 7] = [
    "extreme_oppose",
    "strong_oppose",
    "moderate_oppose",
    "neutral",
    "moderate_favor",
    "strong_favor",
    "extreme_favor",
];

/// The sentence that takes `position` (0 to 6) on `value`.
pub(crate) fn phrase(position: u8, variant: usize, value: &str) -> String {
    let wordings = PHRASES[usize::from(position.min(6))];
    wordings[variant % wordings.len()].replace("{v}", value)
}

/// What a text says about two values; `None` where it takes no recognisable position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) value1: Option<u8>,
    pub(crate) value2: Option<u8>,
}

/// Finds the positions in a text. A sentence counts for the value it names; sentences that name neither
/// (an answer to a question whose values its author had to guess) count in the order value 1, value 2.
pub(crate) fn read(text: &str, value1: &str, value2: &str) -> Reading {
    let mut reading = Reading {
        value1: None,
        value2: None,
    };
    let mut unnamed = Vec::new();
    for (position, wordings) in (0_u8..).zip(PHRASES) {
        for wording in wordings {
            let Some((before, after)) = wording.split_once("{v}") else {
                continue;
            };
            // The longer half is the anchor: the shorter one may be a single common word.
            let backwards = after.len() > before.len();
            let anchor = if backwards { after } else { before };
            for (at, _) in text.match_indices(anchor) {
                let names = |value: &str| {
                    if backwards {
                        text[..at]
                            .strip_suffix(value)
                            .is_some_and(|rest| rest.ends_with(before))
                    } else {
                        text[at + anchor.len()..]
                            .strip_prefix(value)
                            .is_some_and(|rest| rest.starts_with(after))
                    }
                };
                if names(value1) && reading.value1.is_none() {
                    reading.value1 = Some(position);
                } else if names(value2) {
                    reading.value2 = reading.value2.or(Some(position));
                } else {
                    unnamed.push((at, position));
                }
            }
        }
    }
    unnamed.sort_unstable();
    let mut unnamed = unnamed.into_iter().map(|(_, position)| position);
    reading.value1 = reading.value1.or_else(|| unnamed.next());
    reading.value2 = reading.value2.or_else(|| unnamed.next());
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_reads_back() {
        let names = [
            ("honesty", "radical honesty"),
            ("care", "care for others"),
            ("it", "{v}"),
        ];
        for (value1, value2) in names {
            for p1 in 0..7 {
                for p2 in 0..7 {
                    for variant in 0..16 {
                        let text = format!(
                            "Hello. {} At the same time: {} Bye.",
                            phrase(p1, variant % 4, value1),
                            phrase(p2, variant / 4, value2)
                        );
                        let reading = read(&text, value1, value2);
                        assert_eq!(
                            (reading.value1, reading.value2),
                            (Some(p1), Some(p2)),
                            "{text}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn unnamed_sentences_count_in_order_and_no_sentence_is_none() {
        let text = format!("{} {}", phrase(5, 0, "a"), phrase(1, 2, "b"));
        let reading = read(&text, "x", "y");
        assert_eq!((reading.value1, reading.value2), (Some(5), Some(1)));
        assert_eq!(read("Nothing to see.", "x", "y").value1, None);
    }
}
