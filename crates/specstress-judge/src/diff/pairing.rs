//! Which sections of two specs are the same one.

use std::collections::{BTreeMap, HashMap};

use super::MatchedBy;
use crate::section::Section;

/// Texts with fewer words are too short to be told apart by their phrases.
const FEWEST_WORDS: usize = 12;
/// How much of their phrases two texts must share. The four sections that the OpenAI Model Spec of December 2025 took
/// over under new ids share 0.52 to 0.84; two different sections of one release, or an old and a new one, at most 0.39.
const LIKENESS: f64 = 0.5;

/// Two sections that are the same one, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: usize,
    pub(super) new: usize,
    pub(super) matched: MatchedBy,
}

/// Pairs sections one to one; in the order of `new`.
pub(super) fn pair(old: &[Section], new: &[Section]) -> Vec<Pair> {
    let mut pairs = Pairs {
        old: vec![false; old.len()],
        new: vec![false; new.len()],
        found: Vec::new(),
    };
    let places: HashMap<&str, usize> = old
        .iter()
        .enumerate()
        .map(|(at, section)| (section.id.as_str(), at))
        .collect();
    for (at, section) in new.iter().enumerate() {
        if let Some(&before) = places.get(section.id.as_str()) {
            pairs.take(before, at, MatchedBy::Id);
        }
    }
    by_title(old, new, &mut pairs);
    by_text(old, new, &mut pairs);
    pairs.found.sort_by_key(|pair| pair.new);
    pairs.found
}

struct Pairs {
    old: Vec<bool>,
    new: Vec<bool>,
    found: Vec<Pair>,
}

impl Pairs {
    fn take(&mut self, old: usize, new: usize, matched: MatchedBy) {
        if !(self.old[old] || self.new[new]) {
            self.old[old] = true;
            self.new[new] = true;
            self.found.push(Pair { old, new, matched });
        }
    }
}

fn left(taken: &[bool]) -> impl Iterator<Item = usize> + '_ {
    (0..taken.len()).filter(|&at| !taken[at])
}

fn by_title(old: &[Section], new: &[Section], pairs: &mut Pairs) {
    // Places by title, on either side.
    let mut titles: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, (sections, taken)) in [(old, &pairs.old), (new, &pairs.new)]
        .into_iter()
        .enumerate()
    {
        for at in left(taken) {
            let title = sections[at].title.to_lowercase();
            let words: Vec<&str> = title.split_whitespace().collect();
            if !words.is_empty() {
                titles.entry(words.join(" ")).or_default()[side].push(at);
            }
        }
    }
    for [old, new] in titles.values() {
        if let ([old], [new]) = (&old[..], &new[..]) {
            pairs.take(*old, *new, MatchedBy::Title);
        }
    }
}

/// The runs of three words of a text with their counts; `None` for one that is too short.
fn phrases(text: &str) -> Option<BTreeMap<[&str; 3], usize>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (words.len() >= FEWEST_WORDS).then(|| {
        let mut counts = BTreeMap::new();
        for run in words.windows(3) {
            *counts.entry([run[0], run[1], run[2]]).or_default() += 1;
        }
        counts
    })
}

fn likeness(a: &BTreeMap<[&str; 3], usize>, b: &BTreeMap<[&str; 3], usize>) -> f64 {
    let size = a.values().sum::<usize>() + b.values().sum::<usize>();
    let shared: usize = a
        .iter()
        .filter_map(|(run, count)| b.get(run).map(|other| count.min(other)))
        .sum();
    2.0 * shared as f64 / size as f64
}

fn by_text(old: &[Section], new: &[Section], pairs: &mut Pairs) {
    let read = |sections: &'_ [Section], taken: &[bool]| -> Vec<usize> {
        left(taken)
            .filter(|&at| !sections[at].text.is_empty())
            .collect()
    };
    let (olds, news) = (read(old, &pairs.old), read(new, &pairs.new));
    let of_new: Vec<_> = news.iter().map(|&at| phrases(&new[at].text)).collect();
    let mut alike = Vec::new();
    for &before in &olds {
        let Some(a) = phrases(&old[before].text) else {
            continue;
        };
        for (&after, b) in news.iter().zip(&of_new) {
            if let Some(b) = b
                && let likeness = likeness(&a, b)
                && likeness >= LIKENESS
            {
                alike.push((likeness, before, after));
            }
        }
    }
    // Ties by the two ids, whichever spec they are of, so that swapping the specs changes nothing.
    let key = |&(_, before, after): &(f64, usize, usize)| {
        let (a, b) = (old[before].id.as_str(), new[after].id.as_str());
        (a.min(b), a.max(b))
    };
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| key(a).cmp(&key(b))));
    for (_, before, after) in alike {
        pairs.take(before, after, MatchedBy::Text);
    }
}
