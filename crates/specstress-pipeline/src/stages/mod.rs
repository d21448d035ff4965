//! One module per stage; each reads tables and writes one.

use std::collections::{BTreeMap, HashSet};

use specstress_dataset::TableDir;
use specstress_dataset::rows::{ResponseRow, ScenarioRow, SelectionRow};
use specstress_llm::{Digest, OutcomeKind};
use specstress_rubric::Answer;

use crate::drive::{Abort, Groups};
use crate::progress::{Observer, StageName};
use crate::study::Study;

pub(crate) mod disagreement;
pub(crate) mod diversity;
pub(crate) mod embeddings;
pub(crate) mod expressed;
pub(crate) mod pairs;
pub(crate) mod positions;
pub(crate) mod refusals;
pub(crate) mod responses;
pub(crate) mod scenarios;
pub(crate) mod selections;
pub(crate) mod spectra;
pub(crate) mod topics;
pub(crate) mod vectors;
pub(crate) mod verdicts;

/// The selection that thins out all questions before the panel sees them.
pub(crate) const DIVERSITY: &str = "diversity";

/// Counts a stage's items by outcome and tells the observer.
pub(crate) struct Tally<'a> {
    stage: StageName,
    observer: &'a dyn Observer,
    outcomes: BTreeMap<OutcomeKind, u64>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(stage: StageName, observer: &'a dyn Observer) -> Self {
        Self {
            stage,
            observer,
            outcomes: BTreeMap::new(),
        }
    }

    pub(crate) fn started(&self, items: Option<u64>) {
        self.observer.started(self.stage, items);
    }

    pub(crate) fn ended(&mut self, outcome: OutcomeKind, items: u64) {
        *self.outcomes.entry(outcome).or_default() += items;
        self.observer.ended(self.stage, outcome, items);
    }

    pub(crate) fn into_outcomes(self) -> BTreeMap<String, u64> {
        self.outcomes
            .into_iter()
            .map(|(outcome, items)| (outcome.to_string(), items))
            .collect()
    }
}

/// The ids of one selection.
pub(crate) fn selected(tables: &TableDir, selection: &str) -> Result<HashSet<String>, Abort> {
    let mut ids = HashSet::new();
    for row in tables.rows::<SelectionRow>()? {
        let row = row?;
        if row.selection == selection {
            ids.insert(row.scenario_id);
        }
    }
    Ok(ids)
}

/// The ids of a shard's own questions; `None` where there are no shards and all are.
pub(crate) fn own_ids(study: &Study, tables: &TableDir) -> Result<Option<HashSet<String>>, Abort> {
    if study.shards.is_none() {
        return Ok(None);
    }
    let mut ids = HashSet::new();
    for row in tables.rows::<ScenarioRow>()? {
        ids.extend(row?.scenario_id);
    }
    Ok(Some(ids))
}

/// The questions with an id among `ids`, in table order.
pub(crate) fn questions<'a>(
    study: &'a Study,
    tables: &TableDir,
    ids: &'a HashSet<String>,
) -> Result<impl Iterator<Item = Result<Question, Abort>> + use<'a>, Abort> {
    Ok(tables
        .rows::<ScenarioRow>()?
        .filter_map(move |row| match row {
            Ok(row) => Question::of(row)
                .filter(|question| ids.contains(&question.scenario_id))
                .filter(|question| study.wants(&question.scenario_id, &question.row.triple_id))
                .map(Ok),
            Err(error) => Some(Err(error.into())),
        }))
}

/// A scenario row that has its question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) scenario_id: String,
    pub(crate) query: String,
    pub(crate) row: ScenarioRow,
}

impl Question {
    pub(crate) fn of(row: ScenarioRow) -> Option<Self> {
        Some(Self {
            scenario_id: row.scenario_id.clone()?,
            query: row.query.clone()?,
            row,
        })
    }
}

/// Questions with all their responses, read side by side: both tables are in the order of the questions.
pub(crate) fn answered_questions<'a>(
    study: &'a Study,
    tables: &TableDir,
    ids: &'a HashSet<String>,
) -> Result<impl Iterator<Item = Result<(Question, Vec<ResponseRow>), Abort>> + use<'a>, Abort> {
    // Every kept question has responses; those that are not asked for are read past.
    let kept = selected(tables, DIVERSITY)?;
    let mut responses = Groups::new(tables.rows::<ResponseRow>()?, |row: &ResponseRow| {
        row.scenario_id.as_str()
    });
    Ok(tables.rows::<ScenarioRow>()?.filter_map(move |row| {
        let question = match row {
            Ok(row) => Question::of(row).filter(|question| kept.contains(&question.scenario_id))?,
            Err(error) => return Some(Err(error.into())),
        };
        match responses.take(&question.scenario_id) {
            Ok(group)
                if ids.contains(&question.scenario_id)
                    && study.wants(&question.scenario_id, &question.row.triple_id) =>
            {
                Some(Ok((question, group)))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error.into())),
        }
    }))
}

/// The answers of one sample.
pub(crate) fn answers_of(responses: &[ResponseRow], sample: u32) -> Vec<Answer<'_>> {
    responses
        .iter()
        .filter(|row| row.sample == sample)
        .filter_map(|row| {
            row.text.as_deref().map(|text| Answer {
                model: &row.model,
                text,
            })
        })
        .collect()
}

/// A number that orders ids at random, the same for the same seed whatever else is in the set.
pub(crate) fn draw(seed: u64, purpose: &str, id: &str) -> u64 {
    let bytes = Digest::new(purpose)
        .field("seed", seed.to_le_bytes())
        .field("id", id)
        .finish();
    let mut head = [0; 8];
    head.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_depend_on_seed_purpose_and_id_only() {
        let cells = 16;
        let mut counts = vec![0_u32; cells];
        for id in 0..16_000 {
            let place = draw(7, "test", &format!("scenario {id}"));
            counts[usize::try_from(place % cells as u64).unwrap()] += 1;
        }
        // Chi-squared of 15 degrees of freedom: its 0.9999 quantile is 44.26.
        let chi: f64 = counts
            .iter()
            .map(|&count| (f64::from(count) - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(chi < 44.26, "{chi}: {counts:?}");
        let base = draw(7, "test", "a");
        assert_eq!(base, draw(7, "test", "a"));
        for other in [
            draw(8, "test", "a"),
            draw(7, "tests", "a"),
            draw(7, "test", "b"),
        ] {
            assert_ne!(base, other);
        }
    }
}
