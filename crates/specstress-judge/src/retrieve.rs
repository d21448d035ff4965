use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::spec::Spec;

/// What of the spec a judge reads.
///
/// The whole spec is what the paper does: a judge that is shown a choice of sections cannot find what the choice leaves
/// out, and finds fewer conflicts. A choice costs less where a spec is long, for each verdict reads it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecSections {
    /// All of it, as in the paper.
    #[default]
    Whole,
    /// The sections nearest to the question and the answer, this many, under the headings they stand under.
    Retrieve(usize),
}

/// Finds the sections of a spec that are about a text, by BM25 (Robertson and Zaragoza 2009):
///
/// ```text
/// score(s, text) = sum over words w of the text of  idf(w) f (k1 + 1) / (f + k1 (1 - b + b |s| / mean |s|))
/// idf(w)         = ln(1 + (N - n + 1/2) / (n + 1/2))
/// ```
///
/// with `f` how often `w` stands in section `s`, title included, `|s|` its words, `n` the sections that have it, `N` all
/// sections, `k1 = 1.2`, `b = 0.75`. Words of the text count once each.
///
/// ```
/// use specstress_judge::{SectionIndex, Spec};
///
/// let spec = Spec::parse("# House rules\n## Pets {#pets}\nCats sleep here.\n### Dogs {#dogs}\nDogs bark.\n## Tea {#tea}\nHot.")?;
/// let excerpt = SectionIndex::new(&spec).excerpt("May my dogs sleep?", 1);
/// assert_eq!(excerpt, "# House rules\n\n## Pets {#pets}\n\n### Dogs {#dogs}\n\nDogs bark.\n");
/// # Ok::<(), specstress_judge::SpecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SectionIndex {
    spec: Spec,
    /// How often each word stands in each section that has it.
    words: BTreeMap<String, Vec<(usize, f64)>>,
    lengths: Vec<f64>,
    mean: f64,
}

const K1: f64 = 1.2;
const B: f64 = 0.75;

impl SectionIndex {
    /// Counts the words of all sections. Cost: linear in the spec.
    pub fn new(spec: &Spec) -> Self {
        let mut words: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
        let mut lengths = Vec::with_capacity(spec.sections.len());
        for (place, section) in spec.sections.iter().enumerate() {
            let mut length = 0.0;
            for word in tokens(&section.title).chain(tokens(&section.text)) {
                length += 1.0;
                let places = words.entry(word).or_default();
                match places.last_mut() {
                    Some((last, count)) if *last == place => *count += 1.0,
                    _ => places.push((place, 1.0)),
                }
            }
            lengths.push(length);
        }
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        Self {
            spec: spec.clone(),
            words,
            lengths,
            mean: mean.max(1.0),
        }
    }

    /// Places of the `most` sections of highest score, in order of the document. Of equal ones the first; sections
    /// without a word of the text come last. Cost: words of the text times the sections that have them.
    pub fn nearest(&self, text: &str, most: usize) -> Vec<usize> {
        let count = self.lengths.len();
        let mut scores = vec![0.0; count];
        // In the order of the words, so that sums are the same everywhere.
        for word in tokens(text).collect::<BTreeSet<_>>() {
            let Some(places) = self.words.get(&word) else {
                continue;
            };
            let having = places.len() as f64;
            let idf = ((count as f64 - having + 0.5) / (having + 0.5)).ln_1p();
            for &(place, f) in places {
                let norm = 1.0 - B + B * self.lengths[place] / self.mean;
                scores[place] += idf * f * (K1 + 1.0) / (f + K1 * norm);
            }
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| f64::total_cmp(&scores[b], &scores[a]).then(a.cmp(&b)));
        order.truncate(most);
        order.sort_unstable();
        order
    }

    /// The nearest sections as a document: the spec's title, the sections in its order, and the headings above them,
    /// each with its id.
    pub fn excerpt(&self, text: &str, most: usize) -> String {
        let chosen: BTreeSet<usize> = self.nearest(text, most).into_iter().collect();
        let sections = &self.spec.sections;
        let mut shown = chosen.clone();
        for &place in &chosen {
            let mut above = sections[place].parent.clone();
            while let Some(id) = above {
                let parent = sections.iter().position(|section| section.id == id);
                shown.extend(parent);
                above = parent.and_then(|parent| sections[parent].parent.clone());
            }
        }
        let mut out = String::new();
        if let Some(title) = &self.spec.title
            && !shown.iter().any(|&place| sections[place].title == *title)
        {
            let _ = write!(out, "# {title}\n\n");
        }
        for place in shown {
            let section = &sections[place];
            if section.level > 0 {
                let marks = "#".repeat(usize::from(section.level));
                let authority = section
                    .authority
                    .as_ref()
                    .map_or_else(String::new, |level| {
                        format!(" authority={}", level.as_str())
                    });
                let _ = write!(
                    out,
                    "{marks} {} {{#{}{authority}}}\n\n",
                    section.title, section.id
                );
            }
            if chosen.contains(&place) && !section.text.is_empty() {
                let _ = write!(out, "{}\n\n", section.text);
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}
