//! Two versions of a spec, section by section.

mod order;
mod pairing;
mod words;

use serde::Serialize;

use crate::section::{Authority, Section, SectionId};
use crate::spec::Spec;

pub use words::{WordEdit, word_edits};

/// How the same section was recognised in two specs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// It has the same id.
    Id,
    /// Its id is gone, and the only section with its title and a new id is the other.
    Title,
    /// Id and title are gone; the texts share most of their phrases.
    Text,
}

/// What something was and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// In the first spec.
    pub old: T,
    /// In the second spec.
    pub new: T,
}

/// A section of both specs that is not the same in both.
///
/// Every field but the first three says one way in which it differs; at least one does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionChange {
    /// Its id in the first spec.
    pub old: SectionId,
    /// Its id in the second spec; another one when it was renamed.
    pub new: SectionId,
    /// Why the two are taken for one.
    pub matched: MatchedBy,
    /// Its title changed.
    pub title: Option<Change<String>>,
    /// Its authority changed, or appeared, or went away.
    pub authority: Option<Change<Option<Authority>>>,
    /// Its text changed; see [`word_edits`] for how.
    pub text: bool,
    /// It stands under another section.
    pub parent: Option<Change<Option<SectionId>>>,
    /// It stands at another place among the sections that share its parent in both specs.
    pub reordered: bool,
}

impl SectionChange {
    /// Whether it has another id.
    pub fn is_renamed(&self) -> bool {
        self.old != self.new
    }

    /// Whether it has another parent or another place.
    pub fn is_moved(&self) -> bool {
        self.parent.is_some() || self.reordered
    }

    fn is_none(&self) -> bool {
        !(self.is_renamed()
            || self.is_moved()
            || self.text
            || self.title.is_some()
            || self.authority.is_some())
    }
}

/// What one spec has that another has not; see [`Spec::diff`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecDiff {
    /// Sections of the second spec only, in its order.
    pub added: Vec<SectionId>,
    /// Sections of the first spec only, in its order.
    pub removed: Vec<SectionId>,
    /// Sections of both that differ, in the order of the second.
    pub changed: Vec<SectionChange>,
    /// How many sections are the same in both.
    pub unchanged: usize,
}

impl SpecDiff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Spec {
    /// What changed from this spec to `new`, section by section.
    ///
    /// Sections are paired by id; then, among those left, by title (whatever the letter case) where just one on
    /// either side has it; then by text. Two texts of at least 12 words are one section renamed when
    ///
    /// ```text
    /// 2 |A ∩ B| / (|A| + |B|) >= 0.5,   A and B the multisets of their runs of three words
    /// ```
    ///
    /// which no two different sections of one published release reach (0.39 at most); the most alike are paired first. A section is *moved* when
    /// its parent is another one, or when it is not among the sections of its parent that kept their order. As many as
    /// possible are taken to have kept it; where there is a choice, those with the most words, so that of two that
    /// swapped places the shorter has moved. Line numbers and heading levels are no difference of their own.
    ///
    /// Swapping the specs swaps added and removed, old and new, and nothing else. Cost: linear in the texts, plus
    /// squared in the sections that are not paired by id or title, and in the siblings of one parent.
    ///
    /// ```
    /// use specstress_judge::Spec;
    ///
    /// let old = Spec::parse("# Rules {#rules}\n## Honesty {#honesty}\nDo not lie.\n## Style {#style}\nBe brief.")?;
    /// let new = Spec::parse("# Rules {#rules}\n## Style {#style}\nBe brief.\n## Honesty {#honesty}\nNever lie.\n## Care {#care}\nBe kind.")?;
    /// let diff = old.diff(&new);
    /// assert_eq!((diff.added[0].as_str(), diff.removed.len(), diff.unchanged), ("care", 0, 1));
    /// let [style, honesty] = &diff.changed[..] else { panic!("two sections differ") };
    /// assert!(style.is_moved() && !style.text);
    /// assert!(honesty.text && !honesty.is_moved());
    /// # Ok::<(), specstress_judge::SpecError>(())
    /// ```
    pub fn diff(&self, new: &Self) -> SpecDiff {
        let pairs = pairing::pair(&self.sections, &new.sections);
        let changed = order::compare(&self.sections, &new.sections, &pairs);
        let lone = |sections: &[Section], paired: &dyn Fn(usize) -> bool| {
            let places = 0..sections.len();
            places
                .filter(|&at| !paired(at))
                .map(|at| sections[at].id.clone())
                .collect()
        };
        let differing: Vec<SectionChange> = changed
            .into_iter()
            .filter(|change| !change.is_none())
            .collect();
        SpecDiff {
            added: lone(&new.sections, &|at| pairs.iter().any(|pair| pair.new == at)),
            removed: lone(&self.sections, &|at| {
                pairs.iter().any(|pair| pair.old == at)
            }),
            unchanged: pairs.len() - differing.len(),
            changed: differing,
        }
    }
}
