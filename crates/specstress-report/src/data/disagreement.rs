use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::DisagreementRow;

use crate::data::ballots::Ballots;
use crate::data::rate::Rate;
use crate::data::scan::{Keys, scan, slot};
use crate::error::ReportError;
use crate::info::StudyInfo;

/// Width of a histogram bin, in points of the 0 to 6 scale. A power of two, so that edges are exact.
const WIDTH: f64 = 0.25;
/// Bins up to 4.25, above the largest sample standard deviation of scores from 0 to 6 (4.243, two models).
const BINS: usize = 17;
/// Bins up to 3.0, the largest population standard deviation.
const POPULATION_BINS: usize = 12;
/// How many scenarios are shown in full.
pub(crate) const SHARPEST: usize = 10;

/// Disagreement of one subset of models: `D(x, M)`, the larger of the standard deviations of its models'
/// positions on the two values (paper, section 2.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubsetDisagreement {
    /// The subset's name.
    pub subset: String,
    /// Keys of its models; empty where the study info does not list it.
    pub models: Vec<String>,
    /// Scenarios with a disagreement: the denominator of `high` and the sum of the histogram.
    pub scenarios: u64,
    /// Scenarios without one, because too few models have positions.
    pub without: u64,
    /// Scenarios that reach the threshold, as decided (in integers) when the table was written.
    pub high: Rate,
    /// Mean disagreement, in points of the 0 to 6 scale; `None` without scenarios.
    pub mean: Option<f64>,
    /// Largest disagreement; `None` without scenarios.
    pub max: Option<f64>,
    /// Scenarios by disagreement, in bins of 0.25. The last bin, which ends at 3.0 (the largest population
    /// standard deviation), is closed; bins go on to 4.25 when a value lies above 3.0.
    pub histogram: Vec<HistogramBin>,
    /// Scenarios that weighted k-center selected, out of the high ones; `None` where it was not run.
    pub selected: Option<Rate>,
}

/// A bar of the histogram: `low <= D < high`, or `D <= high` in a closed bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistogramBin {
    /// Lower edge, inside.
    pub low: f64,
    /// Upper edge, outside unless the bin is closed.
    pub high: f64,
    /// Whether the upper edge is inside.
    pub closed: bool,
    /// Scenarios in it.
    pub count: u64,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    without: u64,
    scenarios: u64,
    high: u64,
    sum: f64,
    max: f64,
    bins: [u64; BINS],
    exactly_three: u64,
}

impl Tally {
    fn add(&mut self, value: f64, high: bool) {
        self.scenarios += 1;
        self.high += u64::from(high);
        self.sum += value;
        self.max = self.max.max(value);
        if value.total_cmp(&3.0).is_eq() {
            self.exactly_three += 1;
        } else if let Some(bin) = bin_of(value) {
            self.bins[bin] += 1;
        }
    }

    fn histogram(&self) -> Vec<HistogramBin> {
        let mut bins = self.bins;
        let beyond = bins[POPULATION_BINS..].iter().any(|&count| count > 0);
        let last = if beyond { BINS } else { POPULATION_BINS };
        bins[if beyond { POPULATION_BINS } else { last - 1 }] += self.exactly_three;
        bins[..last]
            .iter()
            .enumerate()
            .map(|(place, &count)| HistogramBin {
                low: place as f64 * WIDTH,
                high: (place + 1) as f64 * WIDTH,
                closed: place + 1 == last,
                count,
            })
            .collect()
    }
}

/// The bin of a value from 0 to below 4.25.
fn bin_of(value: f64) -> Option<usize> {
    (0..BINS).find(|&place| (place as f64 * WIDTH..(place + 1) as f64 * WIDTH).contains(&value))
}

/// A scenario that may be among the sharpest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) scenario_id: String,
    pub(crate) disagreement: f64,
    pub(crate) n: u32,
    pub(crate) missing: u32,
}

/// Keeps the ten of highest disagreement; ties go to the smaller scenario id.
fn keep_sharpest(sharpest: &mut Vec<Candidate>, new: Candidate) {
    let place = sharpest.partition_point(|old| {
        old.disagreement
            .total_cmp(&new.disagreement)
            .reverse()
            .then_with(|| old.scenario_id.cmp(&new.scenario_id))
            .is_lt()
    });
    if place < SHARPEST {
        sharpest.insert(place, new);
        sharpest.truncate(SHARPEST);
    }
}

/// What the one pass over the table gives.
pub(crate) struct Spread {
    pub(crate) subsets: Vec<SubsetDisagreement>,
    pub(crate) sharpest: Vec<Candidate>,
}

/// Reads the table once, and notes disagreement and high subsets of every judged scenario in `ballots`.
/// Memory does not grow with the table.
pub(crate) fn spread(
    tables: &TableDir,
    info: &StudyInfo,
    ballots: &mut Ballots,
    selected: impl Fn(&str) -> Option<u64>,
) -> Result<Option<Spread>, ReportError> {
    let mut names = Keys::new(info.subsets.iter().map(|subset| &subset.name));
    let mut tallies = vec![Tally::default(); info.subsets.len()];
    let mut sharpest = Vec::new();
    let judged_subset = ballots.subset(info).map(str::to_owned);
    let exists = scan::<DisagreementRow>(tables, |number, row| {
        let place = names.place(&row.subset);
        let tally = slot(&mut tallies, place);
        if let Some(scenario) = ballots.scenario(&row.scenario_id) {
            if row.high {
                scenario.high_in.insert(place);
            }
            if judged_subset.as_deref() == Some(row.subset.as_str()) {
                scenario.disagreement = row.disagreement;
            }
        }
        let Some(value) = row.disagreement else {
            tally.without += 1;
            return Ok(());
        };
        if bin_of(value).is_none() {
            return Err(ReportError::BadValue {
                table: "disagreement",
                row: number,
                column: "disagreement",
                value: value.to_string(),
                allowed: "a standard deviation of scores from 0 to 6, which lies in 0 to 4.25",
            });
        }
        tally.add(value, row.high);
        if place == 0 {
            keep_sharpest(
                &mut sharpest,
                Candidate {
                    scenario_id: row.scenario_id,
                    disagreement: value,
                    n: row.n,
                    missing: row.missing,
                },
            );
        }
        Ok(())
    })?;
    if !exists {
        return Ok(None);
    }
    let subsets = names
        .names()
        .iter()
        .zip(&tallies)
        .map(|(subset, tally)| SubsetDisagreement {
            subset: subset.clone(),
            models: info
                .subsets
                .iter()
                .find(|known| known.name == *subset)
                .map_or_else(Vec::new, |known| known.models.clone()),
            scenarios: tally.scenarios,
            without: tally.without,
            high: Rate::new(tally.high, tally.scenarios),
            mean: (tally.scenarios > 0).then(|| tally.sum / tally.scenarios as f64),
            max: (tally.scenarios > 0).then_some(tally.max),
            histogram: tally.histogram(),
            selected: selected(subset).map(|count| Rate::new(count, tally.high)),
        })
        .collect();
    Ok(Some(Spread { subsets, sharpest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[f64]) -> Vec<u64> {
        let mut tally = Tally::default();
        for &value in values {
            tally.add(value, false);
        }
        tally.histogram().iter().map(|bin| bin.count).collect()
    }

    #[test]
    fn edges_belong_to_the_bin_above() {
        let bins = counts(&[0.0, 0.249, 0.25, 1.5, 2.75]);
        assert_eq!(bins.len(), 12);
        assert_eq!((bins[0], bins[1], bins[6], bins[11]), (2, 1, 1, 1));
    }

    #[test]
    fn three_closes_the_last_bin_unless_values_go_beyond() {
        assert_eq!(counts(&[3.0, 2.9])[11], 2);
        let bins = counts(&[3.0, 2.9, 4.2]);
        assert_eq!(bins.len(), 17);
        assert_eq!((bins[11], bins[12], bins[16]), (1, 1, 1));
    }

    #[test]
    fn the_sharpest_are_sorted_and_ties_go_to_the_smaller_id() {
        let mut sharpest = Vec::new();
        for place in (0..30).rev() {
            keep_sharpest(
                &mut sharpest,
                Candidate {
                    scenario_id: format!("{place:02}"),
                    disagreement: f64::from(place / 6),
                    n: 2,
                    missing: 0,
                },
            );
        }
        let ids: Vec<_> = sharpest.iter().map(|c| c.scenario_id.as_str()).collect();
        assert_eq!(
            ids,
            ["24", "25", "26", "27", "28", "29", "18", "19", "20", "21"]
        );
    }
}
