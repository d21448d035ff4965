//! The sheet with its labels, and what the machines said of the same answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use specstress_dataset::TableDir;
use specstress_dataset::rows::{LabelSampleRow, PeopleLabelRow, PositionRow, RefusalRow};
use specstress_stats::ndarray::Array2;
use specstress_stats::{Bins, Bootstrap, stratified_bootstrap};

use super::{Estimate, LEAST};
use crate::data::ballots::{Ballots, answer_votes};
use crate::data::panel::PositionColumns;
use crate::data::scan::{Keys, scan, scan_columns};
use crate::error::ReportError;

/// Draws of every bootstrap.
const DRAWS: usize = 1000;
const SEED: u64 = 1;

/// One answer of the sheet.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) stratum: usize,
    scenario: String,
    model: String,
    sample: u32,
    /// One per person.
    pub(super) labels: Vec<PeopleLabelRow>,
}

impl Item {
    /// How many people call it problematic, and how many not.
    fn votes(&self) -> (usize, usize) {
        let decisions = self.labels.iter().filter_map(|label| label.decision);
        let (yes, no): (Vec<_>, Vec<_>) = decisions.partition(|decision| decision.is_problematic());
        (yes.len(), no.len())
    }

    /// What most people say; `None` where nobody decided, and on an even split.
    pub(super) fn problematic(&self) -> Option<bool> {
        let (yes, no) = self.votes();
        (yes != no).then_some(yes > no)
    }

    pub(super) fn is_tie(&self) -> bool {
        let (yes, no) = self.votes();
        yes == no && yes > 0
    }
}

/// The answers drawn for people, in the order of the sheet.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) items: Vec<Item>,
    /// Answers of each stratum.
    pub(super) populations: Vec<u64>,
    /// By name.
    pub(super) raters: Vec<String>,
}

impl Sheet {
    pub(super) fn read(tables: &TableDir) -> Result<Option<Self>, ReportError> {
        let mut strata = Keys::default();
        let mut sheet = Self {
            items: Vec::new(),
            populations: Vec::new(),
            raters: Vec::new(),
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        scan::<LabelSampleRow>(tables, |_, row| {
            let stratum = strata.place(&row.stratum);
            if stratum == sheet.populations.len() {
                sheet.populations.push(row.population);
            }
            places.insert(row.item, sheet.items.len());
            sheet.items.push(Item {
                stratum,
                scenario: row.scenario_id,
                model: row.model,
                sample: row.sample,
                labels: Vec::new(),
            });
            Ok(())
        })?;
        let mut raters = BTreeSet::new();
        scan::<PeopleLabelRow>(tables, |number, row| {
            let bad = |column, value, allowed| ReportError::BadValue {
                table: "people_labels",
                row: number,
                column,
                value,
                allowed,
            };
            let Some(&at) = places.get(&row.item) else {
                let allowed = "an item of table label_sample; import the sheets again";
                return Err(bad("item", row.item, allowed));
            };
            for (column, position) in [
                ("value1_position", row.value1_position),
                ("value2_position", row.value2_position),
            ] {
                if let Some(value @ 7..) = position {
                    return Err(bad(column, value.to_string(), "0 to 6"));
                }
            }
            raters.insert(row.rater.clone());
            sheet.items[at].labels.push(row);
            Ok(())
        })?;
        sheet.raters = raters.into_iter().collect();
        Ok((!sheet.raters.is_empty()).then_some(sheet))
    }

    /// The rows of the answers for which `part` gives parts, each times its weight.
    pub(super) fn weigh(&self, part: impl Fn(usize, &Item) -> Option<Vec<f64>>) -> Weighed {
        let parts: Vec<Option<Vec<f64>>> = self
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| part(at, item))
            .collect();
        let mut used = vec![0_u64; self.populations.len()];
        for (item, _) in self
            .items
            .iter()
            .zip(&parts)
            .filter(|(_, part)| part.is_some())
        {
            used[item.stratum] += 1;
        }
        let mut weighed = Weighed::default();
        for (item, part) in self.items.iter().zip(parts) {
            if let Some(mut part) = part {
                let weight = self.populations[item.stratum] as f64 / used[item.stratum] as f64;
                for part in &mut part {
                    *part *= weight;
                }
                weighed.push(item.stratum, part);
            }
        }
        weighed
    }
}

/// Weighted rows with their strata.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    flat: Vec<f64>,
    strata: Vec<usize>,
}

impl Weighed {
    /// Adds a row; all have the same number of parts.
    pub(super) fn push(&mut self, stratum: usize, parts: Vec<f64>) {
        self.flat.extend(parts);
        self.strata.push(stratum);
    }

    /// Rows with so many more parts of 0 at the end.
    pub(super) fn widened(self, by: usize) -> Self {
        let rows = self.strata.len().max(1);
        let parts = self.flat.len() / rows;
        let mut flat = Vec::with_capacity(self.flat.len() + rows * by);
        for row in self.flat.chunks(parts.max(1)) {
            flat.extend_from_slice(row);
            flat.resize(flat.len() + by, 0.0);
        }
        Self {
            flat,
            strata: self.strata,
        }
    }

    /// A statistic of the sums over rows, resting on `n` labels.
    pub(super) fn estimate(
        &self,
        n: u64,
        statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
    ) -> Result<Estimate, ReportError> {
        if n < LEAST || self.strata.is_empty() {
            return Ok(Estimate {
                n,
                ..Estimate::default()
            });
        }
        let failed = |source| ReportError::Stats {
            what: "accuracy against people",
            source: Box::new(source),
        };
        let rows = self.strata.len();
        let sums = Array2::from_shape_vec((rows, self.flat.len() / rows), self.flat.clone())
            .expect("every row has the same parts");
        let draws = Bootstrap::new(DRAWS, SEED).map_err(failed)?;
        let found =
            stratified_bootstrap(sums.view(), &self.strata, statistic, &draws).map_err(failed)?;
        let interval = found.interval.filter(|_| found.estimate.is_some());
        Ok(Estimate {
            value: found.estimate,
            low: interval.map(|ends| ends.low),
            high: interval.map(|ends| ends.high),
            n,
        })
    }
}

/// What judges, classifier and labeler said of each answer of a sheet.
#[derive(Debug)]
pub(super) struct Machine {
    /// The judges' strict majority: problematic or not.
    pub(super) majority: Vec<Option<bool>>,
    /// Each judge: problematic or not.
    pub(super) judges: Vec<Vec<Option<bool>>>,
    /// Positions on both values.
    pub(super) positions: Vec<[Option<u8>; 2]>,
    /// The refusal kind as 0 to 6.
    pub(super) kinds: Vec<Option<u8>>,
    /// The bin of disagreement of its question.
    pub(super) bins: Vec<Option<usize>>,
}

impl Machine {
    pub(super) fn read(
        tables: &TableDir,
        sheet: &Sheet,
        ballots: &Ballots,
    ) -> Result<Self, ReportError> {
        let count = sheet.items.len();
        let mut machine = Self {
            majority: vec![None; count],
            judges: vec![vec![None; ballots.judges.names().len()]; count],
            positions: vec![[None; 2]; count],
            kinds: vec![None; count],
            bins: vec![None; count],
        };
        let bins = Bins::default();
        let mut places = BTreeMap::new();
        for (at, item) in sheet.items.iter().enumerate() {
            places.insert(
                (item.scenario.as_str(), item.model.as_str(), item.sample),
                at,
            );
            if let Some(model) = ballots.models.find(&item.model) {
                let votes = ballots.votes(&item.scenario);
                for (judge, mark) in answer_votes(votes, model, item.sample) {
                    machine.judges[at][judge] = mark.problematic();
                }
            }
            machine.majority[at] = majority(machine.judges[at].iter().copied());
            machine.bins[at] = ballots
                .disagreement_of(&item.scenario)
                .and_then(|disagreement| bins.of_number(disagreement));
        }
        scan_columns::<PositionRow, PositionColumns>(tables, |_, row| {
            let key = (row.scenario_id.as_str(), row.model.as_str(), row.sample);
            if let Some(&at) = places.get(&key) {
                machine.positions[at] = [row.value1_position, row.value2_position];
            }
            Ok(())
        })?;
        scan::<RefusalRow>(tables, |_, row| {
            let key = (row.scenario_id.as_str(), row.model.as_str(), row.sample);
            if let Some(&at) = places.get(&key) {
                machine.kinds[at] = row.kind.map(|kind| kind as u8);
            }
            Ok(())
        })?;
        Ok(machine)
    }
}

/// More than half of those who voted say problematic; `None` where nobody voted.
pub(super) fn majority(votes: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let (mut all, mut problematic) = (0, 0);
    for vote in votes.flatten() {
        all += 1;
        problematic += usize::from(vote);
    }
    (all > 0).then_some(2 * problematic > all)
}
