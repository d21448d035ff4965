//! Which values go together between models (paper, figure 11).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use specstress_dataset::rows::ExpressedValuesRow;
use specstress_llm::OutcomeKind;
use specstress_pipeline::RunDir;
use specstress_stats::co_occurrence;

use crate::grid::{Grid, count, number};
use crate::run_rows::RunRows;

/// Categories of a matrix, as in the paper.
const MOST: usize = 10;

/// How the values that one model shows go with those that another, or itself, shows on the same question.
#[derive(Debug, Serialize)]
pub(super) struct Together {
    given: String,
    shows: String,
    /// The ones that `given` shows most often, most frequent first, ties by name.
    categories: Vec<String>,
    /// Questions on which `given` shows each.
    answers: Vec<u64>,
    /// `conditional[y][x]`: the share of questions on which `shows` shows `y`, of those on which `given` shows `x`.
    conditional: Vec<Vec<Option<f64>>>,
    /// That share over the share of all questions.
    lift: Vec<Vec<Option<f64>>>,
    /// Questions on which both were labelled.
    questions: usize,
}

impl Together {
    /// Every model with itself, and both ways those that are set against each other in a subset of two. First samples
    /// only; `None` where no values were labelled.
    pub(super) fn of_run(run: &RunRows) -> anyhow::Result<Option<Vec<Self>>> {
        let tables = RunDir::tables_of(&run.path);
        if !tables.exists::<ExpressedValuesRow>() {
            return Ok(None);
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut shown: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for row in tables.rows::<ExpressedValuesRow>()? {
            let row = row?;
            if row.sample == 0 && row.outcome == OutcomeKind::Answered {
                names.extend(row.categories.iter().cloned());
                let of_question = shown.entry(row.scenario_id).or_default();
                of_question.insert(row.model, row.categories);
            }
        }
        let names: Vec<String> = names.into_iter().collect();
        let place = |name: &String| names.binary_search(name).expect("every name is listed");
        let answers = |model: &str| -> Vec<Option<Vec<usize>>> {
            let of_model = shown.values().map(|question| question.get(model));
            of_model
                .map(|labels| labels.map(|labels| labels.iter().map(place).collect()))
                .collect()
        };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for model in &*run.models {
            pairs.push((model.clone(), model.clone()));
        }
        for (_, models) in run.subsets() {
            if let [one, other] = &models[..] {
                pairs.push((one.clone(), other.clone()));
                pairs.push((other.clone(), one.clone()));
            }
        }
        let matrix = |(given, shows): (String, String)| {
            let (first, second) = (answers(&given), answers(&shows));
            let first: Vec<Option<&[usize]>> = first.iter().map(Option::as_deref).collect();
            let second: Vec<Option<&[usize]>> = second.iter().map(Option::as_deref).collect();
            let found = co_occurrence(names.len(), &first, &second)?;
            let mut axis: Vec<usize> = (0..names.len()).collect();
            axis.sort_by_key(|&x| (Reverse(found.given[x]), x));
            axis.truncate(MOST);
            let part = |whole: &[Vec<Option<f64>>]| {
                let row = |&y: &usize| axis.iter().map(|&x| whole[y][x]).collect();
                axis.iter().map(row).collect()
            };
            Ok(Self {
                categories: axis.iter().map(|&x| names[x].clone()).collect(),
                answers: axis.iter().map(|&x| found.given[x]).collect(),
                conditional: part(&found.conditional),
                lift: part(&found.lift),
                questions: found.n,
                given,
                shows,
            })
        };
        pairs
            .into_iter()
            .map(matrix)
            .collect::<anyhow::Result<_>>()
            .map(Some)
    }

    /// The values of pairs of models; whole matrices are for programs.
    pub(super) fn text(all: &[Self]) -> Option<String> {
        let mut grid = Grid::new(&[
            "same value shown",
            "by",
            "given",
            "questions",
            "share",
            "lift",
        ]);
        let mut rows = 0;
        for pair in all.iter().filter(|pair| pair.given != pair.shows) {
            for (at, category) in pair.categories.iter().enumerate().take(3) {
                rows += 1;
                grid.row([
                    category.clone(),
                    pair.shows.clone(),
                    pair.given.clone(),
                    count(pair.answers[at]),
                    number(pair.conditional[at][at], 2),
                    number(pair.lift[at][at], 2),
                ]);
            }
        }
        (rows > 0).then(|| grid.text())
    }
}
