//! What paired sections differ in, and which of them moved.

use std::collections::{BTreeMap, HashMap};

use specstress_llm::Digest;

use super::pairing::Pair;
use super::{Change, SectionChange};
use crate::section::Section;

/// One change per pair, in the order of the pairs; empty changes are among them.
pub(super) fn compare(old: &[Section], new: &[Section], pairs: &[Pair]) -> Vec<SectionChange> {
    let parents = [places(old), places(new)];
    let parent_of = |sections: &[Section], side: usize, at: usize| -> Option<usize> {
        let parent = sections[at].parent.as_ref()?;
        parents[side].get(parent.as_str()).copied()
    };
    // Where a section of the old spec is in the new one.
    let renewed: HashMap<usize, usize> = pairs.iter().map(|pair| (pair.old, pair.new)).collect();
    let mut changes: Vec<SectionChange> = Vec::with_capacity(pairs.len());
    // Pairs under the same parent in both specs, by that parent's place in the new one.
    let mut families: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        let (before, after) = (&old[pair.old], &new[pair.new]);
        let above = [parent_of(old, 0, pair.old), parent_of(new, 1, pair.new)];
        let stays = match above {
            [None, None] => true,
            [Some(was), is] => renewed.get(&was).copied() == is && is.is_some(),
            [None, Some(_)] => false,
        };
        if stays {
            families.entry(above[1]).or_default().push(at);
        }
        changes.push(SectionChange {
            old: before.id.clone(),
            new: after.id.clone(),
            matched: pair.matched,
            title: change(&before.title, &after.title),
            authority: change(&before.authority, &after.authority),
            text: before.text != after.text,
            parent: (!stays).then(|| Change {
                old: before.parent.clone(),
                new: after.parent.clone(),
            }),
            reordered: false,
        });
    }
    for members in families.values() {
        let siblings: Vec<Sibling> = members
            .iter()
            .map(|&at| Sibling::new(old, new, pairs[at]))
            .collect();
        for (&at, kept) in members.iter().zip(kept_order(&siblings)) {
            changes[at].reordered = !kept;
        }
    }
    changes
}

fn places(sections: &[Section]) -> HashMap<&str, usize> {
    let named = sections.iter().enumerate();
    named
        .map(|(at, section)| (section.id.as_str(), at))
        .collect()
}

fn change<T: Clone + PartialEq>(old: &T, new: &T) -> Option<Change<T>> {
    (old != new).then(|| Change {
        old: old.clone(),
        new: new.clone(),
    })
}

/// A pair among its siblings, which are in the order of the new spec.
#[derive(Clone, Copy, Debug)]
struct Sibling {
    /// Its place in the old spec.
    old: usize,
    weight: Weight,
}

/// How much speaks for saying that sections stayed: their number, then their words, then chance that is the same
/// whichever spec comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    sections: usize,
    words: usize,
    tie: u128,
}

impl Weight {
    fn plus(self, other: Self) -> Self {
        Self {
            sections: self.sections + other.sections,
            words: self.words + other.words,
            tie: self.tie + other.tie,
        }
    }
}

impl Sibling {
    fn new(old: &[Section], new: &[Section], pair: Pair) -> Self {
        let (before, after) = (&old[pair.old], &new[pair.new]);
        let (a, b) = (before.id.as_str(), after.id.as_str());
        let bytes = Digest::new("specstress spec order 1")
            .field("first", a.min(b))
            .field("last", a.max(b))
            .finish();
        let mut head = [0; 8];
        head.copy_from_slice(&bytes[..8]);
        let words = |section: &Section| section.text.split_whitespace().count();
        Self {
            old: pair.old,
            weight: Weight {
                sections: 1,
                words: words(before) + words(after),
                tie: u64::from_le_bytes(head).into(),
            },
        }
    }
}

/// Which siblings are in the heaviest subsequence that rises in the old order too. Cost: squared.
fn kept_order(siblings: &[Sibling]) -> Vec<bool> {
    // The heaviest rising subsequence that ends at each, and what comes before it there.
    let mut ends: Vec<(Weight, Option<usize>)> = Vec::with_capacity(siblings.len());
    for (at, sibling) in siblings.iter().enumerate() {
        let before = (0..at)
            .filter(|&earlier| siblings[earlier].old < sibling.old)
            .max_by_key(|&at| ends[at].0);
        let below = before.map_or_else(Weight::default, |before| ends[before].0);
        ends.push((below.plus(sibling.weight), before));
    }
    let mut kept = vec![false; siblings.len()];
    let mut next = (0..ends.len()).max_by_key(|&at| ends[at].0);
    while let Some(at) = next {
        kept[at] = true;
        next = ends[at].1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn siblings(order: &[usize], words: &[usize]) -> Vec<Sibling> {
        let weigh = |&old: &usize| Sibling {
            old,
            weight: Weight {
                sections: 1,
                words: words[old],
                tie: 1 << old,
            },
        };
        order.iter().map(weigh).collect()
    }

    /// The heaviest of all rising subsequences, by trying every one.
    fn oracle(siblings: &[Sibling]) -> Weight {
        let mut best = Weight::default();
        for set in 0_u32..1 << siblings.len() {
            let chosen: Vec<&Sibling> = siblings
                .iter()
                .enumerate()
                .filter(|(at, _)| set & (1 << at) != 0)
                .map(|(_, sibling)| sibling)
                .collect();
            if chosen.windows(2).all(|pair| pair[0].old < pair[1].old) {
                let weight = chosen
                    .iter()
                    .fold(Weight::default(), |sum, one| sum.plus(one.weight));
                best = best.max(weight);
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_kept_ones_are_the_heaviest_that_rise(
            order in Just((0..9_usize).collect::<Vec<_>>()).prop_shuffle(),
            words in prop::collection::vec(0..4_usize, 9),
        ) {
            let siblings = siblings(&order, &words);
            let kept = kept_order(&siblings);
            let chosen: Vec<&Sibling> = siblings.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(one, _)| one).collect();
            prop_assert!(chosen.windows(2).all(|pair| pair[0].old < pair[1].old));
            let weight = chosen.iter().fold(Weight::default(), |sum, one| sum.plus(one.weight));
            prop_assert_eq!(weight, oracle(&siblings));
        }
    }
}
