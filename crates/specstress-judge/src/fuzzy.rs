//! The part of a list of words that is closest to another list.

use std::ops::Range;

/// One change per so many words.
const WORDS_PER_CHANGE: usize = 7;
const FEWEST_WORDS: usize = 4;

/// Most changes to a quote of so many words.
pub(crate) fn most_changes(words: usize) -> usize {
    words / WORDS_PER_CHANGE
}

/// Words that can turn the meaning of a sentence; also all that end in `n't` or hold a digit.
const TURNING: [&str; 24] = [
    "always", "before", "can", "cannot", "except", "first", "least", "may", "might", "must",
    "neither", "never", "no", "none", "nor", "not", "nothing", "only", "or", "over", "rarely",
    "should", "unless", "without",
];

/// Whether a word can turn the meaning of a sentence.
pub(crate) fn turns(word: &str) -> bool {
    TURNING.binary_search(&word).is_ok()
        || word.ends_with("n't")
        || word.contains(|c: char| c.is_numeric())
}

/// The part of `given` with the fewest changes to `wanted`, where these are few enough: one per seven words, in four
/// words or more, and none that touches a turning word. Of several the one that ends first, and of these the shortest.
///
/// This is the alignment of Sellers (1980) over words: a row per wanted word, free ends in `given`. Cost: the product
/// of the lengths.
///
/// Each word comes with whether it [turns], which is asked once per word and not once per pair.
pub(crate) fn best(wanted: &[(&str, bool)], given: &[(&str, bool)]) -> Option<Range<usize>> {
    if wanted.len() < FEWEST_WORDS {
        return None;
    }
    let most = most_changes(wanted.len());
    // More than any list of changes that counts.
    let never = wanted.len() + given.len() + 1;
    let price = |(_, turns): (&str, bool)| if turns { never } else { 1 };
    // The cheapest way to the first `row` wanted words ending at each given word: changes, and where it starts. Of
    // equal ones the latest start, so that the part is short.
    let better = |a: (usize, usize), b: (usize, usize)| {
        if (a.0, usize::MAX - a.1) <= (b.0, usize::MAX - b.1) {
            a
        } else {
            b
        }
    };
    let mut above: Vec<(usize, usize)> = (0..=given.len()).map(|at| (0, at)).collect();
    for &want in wanted {
        let mut row = Vec::with_capacity(given.len() + 1);
        row.push((above[0].0.saturating_add(price(want)), above[0].1));
        for (at, &have) in given.iter().enumerate() {
            let change = if want.0 == have.0 {
                0
            } else {
                price(want).max(price(have))
            };
            let swap = (above[at].0.saturating_add(change), above[at].1);
            let drop = (above[at + 1].0.saturating_add(price(want)), above[at + 1].1);
            let extra: (usize, usize) = (row[at].0.saturating_add(price(have)), row[at].1);
            row.push(better(better(swap, drop), extra));
        }
        above = row;
    }
    let (end, (_, start)) = above
        .into_iter()
        .enumerate()
        .filter(|(_, (changes, _))| *changes <= most)
        .min_by_key(|&(end, (changes, start))| (changes, end, usize::MAX - start))?;
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn turning_words_are_sorted() {
        assert!(TURNING.is_sorted());
    }

    /// Changes between two whole lists, by the plain recursion over both.
    fn changes(wanted: &[&str], given: &[&str]) -> usize {
        let price = |word: &str| if turns(word) { 1000 } else { 1 };
        match (wanted.split_first(), given.split_first()) {
            (None, _) => given.iter().map(|word| price(word)).sum(),
            (_, None) => wanted.iter().map(|word| price(word)).sum(),
            (Some((want, wants)), Some((have, haves))) => {
                let change = if want == have {
                    0
                } else {
                    price(want).max(price(have))
                };
                (change + changes(wants, haves))
                    .min(price(want) + changes(wants, given))
                    .min(price(have) + changes(wanted, haves))
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn the_best_part_is_the_best_of_all_parts(
            wanted in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("not")], 4..8),
            given in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("c"), Just("not")], 0..9),
        ) {
            let most = wanted.len() / WORDS_PER_CHANGE;
            let all = (0..given.len()).flat_map(|start| (start + 1..=given.len()).map(move |end| (start, end)));
            let expected = all
                .map(|(start, end)| (changes(&wanted, &given[start..end]), end, usize::MAX - start))
                .min()
                .filter(|(changes, ..)| *changes <= most)
                .map(|(_, end, start)| usize::MAX - start..end);
            let marked = |words: &[&'static str]| -> Vec<(&'static str, bool)> {
                words.iter().map(|word| (*word, turns(word))).collect()
            };
            prop_assert_eq!(best(&marked(&wanted), &marked(&given)), expected);
        }
    }
}
