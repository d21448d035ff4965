//! Rows of finished stages that decide how many calls later ones make.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{DisagreementRow, PairRow, ScenarioRow, SelectionRow};
use specstress_stats::Bins;

use crate::drive::Abort;
use crate::progress::StageName;
use crate::stages::DIVERSITY;
use crate::stages::scenarios::author_of;
use crate::study::Study;

/// What the finished stages of a study came to; `None` for what is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KnownCounts {
    /// Pairs of values, by the author who writes their questions.
    pub pairs: Option<BTreeMap<String, u64>>,
    /// Questions that came about.
    pub questions: Option<u64>,
    /// Questions kept for their difference from others.
    pub kept: Option<u64>,
    /// Pairs with a kept question.
    pub triples: Option<u64>,
    /// Kept questions in each disagreement bin of the judged subset.
    pub bins: Option<Vec<u64>>,
    /// Questions in the selection of the first subset.
    pub selected: Option<u64>,
}

impl KnownCounts {
    /// Reads the tables of the stages that are done.
    pub(crate) fn read(
        study: &Study,
        tables: &TableDir,
        done: impl Fn(StageName) -> bool,
    ) -> Result<Self, Abort> {
        let mut known = Self::default();
        if done(StageName::Pairs) {
            let mut pairs = BTreeMap::new();
            for row in tables.rows::<PairRow>()? {
                let author = author_of(study, &row?.triple_id)
                    .generator
                    .name()
                    .to_owned();
                *pairs.entry(author).or_default() += 1;
            }
            known.pairs = Some(pairs);
        }
        let settings = &study.settings;
        let mut kept = HashSet::new();
        if done(StageName::Diversity) {
            let mut selected = 0;
            for row in tables.rows::<SelectionRow>()? {
                let row = row?;
                if row.selection == DIVERSITY {
                    kept.insert(row.scenario_id);
                } else if row.selection == settings.subsets[0].name {
                    selected += 1;
                }
            }
            known.kept = Some(kept.len() as u64);
            known.selected = done(StageName::Selections).then_some(selected);
        }
        if done(StageName::Scenarios) {
            let (mut questions, mut triples) = (0, BTreeSet::new());
            for row in tables.rows::<ScenarioRow>()? {
                let row = row?;
                if let Some(id) = &row.scenario_id {
                    questions += 1;
                    if kept.contains(id) {
                        triples.insert(row.triple_id);
                    }
                }
            }
            known.questions = Some(questions);
            known.triples = done(StageName::Diversity).then_some(triples.len() as u64);
        }
        if done(StageName::Disagreement) {
            let bins = Bins::default();
            let mut binned = vec![0; bins.count()];
            let judged = settings.judged().map(|subset| &subset.name);
            for row in tables.rows::<DisagreementRow>()? {
                let row = row?;
                if Some(&row.subset) == judged
                    && let Some(disagreement) = row.disagreement
                {
                    binned[bins.of_number(disagreement).unwrap_or(bins.count() - 1)] += 1;
                }
            }
            known.bins = Some(binned);
        }
        Ok(known)
    }
}
