//! The same answers under two specs.

mod read;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_judge::PanelVerdict;
use specstress_stats::{Adjustment, Confidence, adjust_p_values, mcnemar};

use crate::data::{Rate, SectionRef};
use crate::error::ReportError;
use read::{Answer, Judged, read};

/// What changes when the same answers are judged under another spec (method: section 12, items 4 and 7).
///
/// An answer is problematic when more than half of the judges who decided say so; it *flips* when that is not the same
/// under both specs. Answers without a verdict under either are left out. Each answer counts for every section that a
/// judge invokes on it under either spec, so sections overlap and do not sum to the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpecComparison {
    /// All answers.
    pub all: Change,
    /// Sections with at least one flip, most flips first, then in order of the first spec and of the second.
    pub sections: Vec<SectionChange>,
    /// Sections without a flip.
    pub unchanged_sections: u64,
    /// Every flip, in order of the ids.
    pub flips: Vec<Flip>,
}

/// A paired change of verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Problematic answers under the first spec.
    pub before: Rate,
    /// Problematic answers under the second.
    pub after: Rate,
    /// Answers that become problematic.
    pub to_problematic: u64,
    /// Answers that become compliant.
    pub to_compliant: u64,
    /// Answers without a verdict under one of the two.
    pub dropped: u64,
    /// Exact two-sided p-value of the test of `McNemar` on the flips. Answers to one question go together, so it is too
    /// small where few questions have many of the flips.
    pub p: f64,
}

/// A change on the answers for which a section is invoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionChange {
    /// Which.
    pub section: SectionRef,
    /// Whether the first spec has it.
    pub in_first: bool,
    /// Whether the second has it.
    pub in_second: bool,
    /// The change.
    pub change: Change,
    /// Its p-value adjusted for the number of sections (Holm).
    pub p_adjusted: Option<f64>,
}

/// An answer whose verdict is another under the second spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    /// The question.
    pub scenario_id: String,
    /// Whose answer.
    pub model: String,
    /// Which sample of it.
    pub sample: u32,
    /// Whether it becomes problematic; else it becomes compliant.
    pub to_problematic: bool,
    /// What the judges of the majority cite under the first spec.
    pub before: Vec<Ground>,
    /// What those under the second cite.
    pub after: Vec<Ground>,
}

/// A citation of a judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The judge.
    pub judge: String,
    /// Its decision.
    pub decision: String,
    /// The section it invokes.
    pub section: String,
    /// Words of the spec.
    pub spec_quote: Option<String>,
    /// What became of looking them up: `exact`, `fuzzy`, `elsewhere`, `short`, `missing`.
    pub spec_match: Option<String>,
    /// Words of the answer.
    pub answer_quote: Option<String>,
    /// What became of looking them up.
    pub answer_match: Option<String>,
}

impl SpecComparison {
    /// Compares the verdicts in two sets of tables, of a run and of
    /// [judging it again](https://docs.rs/specstress-pipeline).
    ///
    /// Cost: linear in the verdicts and citations, which are held in memory.
    ///
    /// # Errors
    /// [`ReportError::Table`] for a table that cannot be read.
    ///
    /// ```
    /// use specstress_dataset::TableDir;
    /// use specstress_report::SpecComparison;
    ///
    /// let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
    /// let found = SpecComparison::compute(&TableDir::new(one.path()), &TableDir::new(two.path()))?;
    /// // Nothing was judged.
    /// assert_eq!((found.all.before.of, found.all.p), (0, 1.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compute(first: &TableDir, second: &TableDir) -> Result<Self, ReportError> {
        let (first, second) = (read(first)?, read(second)?);
        let keys: BTreeSet<_> = first.answers.keys().chain(second.answers.keys()).collect();
        let nothing = Answer::default();
        let pairs: Vec<(&(String, String, u32), &Answer, &Answer)> = keys
            .into_iter()
            .map(|key| {
                let of = |judged: &'_ Judged| judged.answers.contains_key(key);
                let before = if of(&first) {
                    &first.answers[key]
                } else {
                    &nothing
                };
                let after = if of(&second) {
                    &second.answers[key]
                } else {
                    &nothing
                };
                (key, before, after)
            })
            .collect();
        let votes = |of: &[(&(String, String, u32), &Answer, &Answer)]| {
            let before: Vec<_> = of.iter().map(|(_, before, _)| majority(before)).collect();
            let after: Vec<_> = of.iter().map(|(_, _, after)| majority(after)).collect();
            change(&before, &after)
        };
        let all = votes(&pairs)?;

        // Sections of the first spec, then those only the second has.
        let mut order: Vec<&SectionRef> = first.sections.iter().collect();
        let known: BTreeSet<&str> = order
            .iter()
            .map(|section| section.section.as_str())
            .collect();
        let second_ids: BTreeSet<&str> =
            second.sections.iter().map(|s| s.section.as_str()).collect();
        order.extend(
            second
                .sections
                .iter()
                .filter(|s| !known.contains(s.section.as_str())),
        );
        let mut of_section: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for &pair in &pairs {
            let invoked: BTreeSet<&str> = pair.1.sections().chain(pair.2.sections()).collect();
            for section in invoked {
                of_section.entry(section).or_default().push(pair);
            }
        }
        let mut sections = Vec::new();
        for section in order {
            if let Some(of) = of_section.get(section.section.as_str()) {
                sections.push(SectionChange {
                    section: section.clone(),
                    in_first: known.contains(section.section.as_str()),
                    in_second: second_ids.contains(section.section.as_str()),
                    change: votes(of)?,
                    p_adjusted: None,
                });
            }
        }
        let p: Vec<Option<f64>> = sections.iter().map(|row| Some(row.change.p)).collect();
        let adjusted = adjust_p_values(&p, Adjustment::Holm).map_err(failed)?;
        for (row, p) in sections.iter_mut().zip(adjusted.p) {
            row.p_adjusted = p;
        }
        let flips = |row: &SectionChange| row.change.to_problematic + row.change.to_compliant;
        let before = sections.len();
        sections.retain(|row| flips(row) > 0);
        let unchanged = before - sections.len();
        // Stable: ties stay in order of the documents.
        sections.sort_by_key(|row| std::cmp::Reverse(flips(row)));
        Ok(Self {
            all,
            unchanged_sections: unchanged as u64,
            sections,
            flips: pairs.iter().filter_map(|pair| flip(*pair)).collect(),
        })
    }
}

fn majority(answer: &Answer) -> Option<bool> {
    PanelVerdict::of(answer.decisions.values().map(|decision| Some(*decision))).majority()
}

fn change(before: &[Option<bool>], after: &[Option<bool>]) -> Result<Change, ReportError> {
    let found = mcnemar(before, after, Confidence::default()).map_err(failed)?;
    let of = found.n as u64;
    Ok(Change {
        before: Rate::new(found.both + found.only_first, of),
        after: Rate::new(found.both + found.only_second, of),
        to_problematic: found.only_second,
        to_compliant: found.only_first,
        dropped: found.dropped as u64,
        p: found.p,
    })
}

fn failed(source: specstress_stats::StatsError) -> ReportError {
    ReportError::Stats {
        what: "the change of verdicts",
        source: Box::new(source),
    }
}

fn flip((key, before, after): (&(String, String, u32), &Answer, &Answer)) -> Option<Flip> {
    let (was, is) = (majority(before)?, majority(after)?);
    let grounds = |answer: &Answer, problematic: bool| {
        let of_majority = |ground: &&Ground| {
            let decision = answer.decisions.get(&ground.judge);
            decision.is_some_and(|decision| decision.is_problematic() == problematic)
        };
        answer.grounds.iter().filter(of_majority).cloned().collect()
    };
    (was != is).then(|| Flip {
        scenario_id: key.0.clone(),
        model: key.1.clone(),
        sample: key.2,
        to_problematic: is,
        before: grounds(before, was),
        after: grounds(after, is),
    })
}
