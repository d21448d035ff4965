//! Judges and labelers against people.

mod accuracy;
mod grades;
mod rates;
mod sheet;

use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::PeopleLabelRow;

use crate::data::ballots::Ballots;
use crate::error::ReportError;
use crate::info::StudyInfo;

pub use accuracy::{JudgeAccuracy, RaterAgreement};
pub use grades::GradeAccuracy;
pub use rates::CorrectedRates;

use sheet::Sheet;

/// Labels below which an estimate is withheld.
const LEAST: u64 = 10;

/// An estimate from people's labels with a 95 % interval.
///
/// Every label counts `population / labelled` of its stratum, so the estimate is about all answers that were drawn from,
/// not about the sheet. The interval is that of a stratified bootstrap over the answers of the sheet
/// ([`stratified_bootstrap`](specstress_stats::stratified_bootstrap)), 1,000 draws. `value` is `None` with fewer than
/// [`Estimate::LEAST`] labels to rest on, and where it does not exist; `low` and `high` also where some draw has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Labels it rests on.
    pub n: u64,
}

impl Estimate {
    /// Labels below which there is no value.
    pub const LEAST: u64 = LEAST;

    /// Withheld where some draw of the bootstrap has no value.
    fn sure(self) -> Self {
        Self {
            value: self.value.filter(|_| self.low.is_some()),
            ..self
        }
    }
}

/// How one person took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaterCount {
    /// The person, by the name in the sheet.
    pub rater: String,
    /// Answers with at least one label.
    pub answers: u64,
}

/// What people's labels say about judges, classifier and labeler, and about the rates that rest on them (method: 12,
/// item 9).
///
/// Where several people labelled one answer, their strict majority on problematic or not counts for them; an even split
/// counts for nobody and is in `ties`. Positions and refusal kinds of several people count each, with their shares of
/// the answer's weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeopleLabels {
    /// Answers that the sheet drew.
    pub drawn: u64,
    /// Those with at least one label.
    pub labelled: u64,
    /// Those on which people decided whether they are problematic.
    pub decided: u64,
    /// Those on which they were evenly split.
    pub ties: u64,
    /// Answers that were drawn from.
    pub population: u64,
    /// Those of them in strata without a decided answer, which the decisions say nothing about.
    pub uncovered: u64,
    /// The people, by name.
    pub raters: Vec<RaterCount>,
    /// How far they agree with each other; empty for a single person.
    pub between: Vec<RaterAgreement>,
    /// The majority of the judges against people; `None` where nothing was judged.
    pub majority: Option<JudgeAccuracy>,
    /// Each judge against people, in the order of the study.
    pub judges: Vec<JudgeAccuracy>,
    /// The classifier's positions on both values against people's.
    pub positions: GradeAccuracy,
    /// The labeler's refusal kinds against people's, as 0 to 6.
    pub refusal_kinds: GradeAccuracy,
    /// Headline rates before and after correction: all judged questions first, then the bins of disagreement.
    pub rates: Vec<CorrectedRates>,
}

impl PeopleLabels {
    /// Computes everything from the tables of a run; `None` where no labels were imported.
    ///
    /// Cost: reads the verdicts, positions and refusals once; memory for the judged answers and the sheet.
    ///
    /// # Errors
    /// [`ReportError::Table`] for a table that cannot be read, [`ReportError::BadValue`] for a position above 6 or a label
    /// of an item that is not in the sheet.
    ///
    /// ```
    /// use specstress_dataset::TableDir;
    /// use specstress_report::{PeopleLabels, StudyInfo};
    ///
    /// let run = tempfile::tempdir()?;
    /// let labels = PeopleLabels::compute(&TableDir::new(run.path()), &StudyInfo::default())?;
    /// assert!(labels.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compute(tables: &TableDir, info: &StudyInfo) -> Result<Option<Self>, ReportError> {
        info.check()?;
        if !tables.exists::<PeopleLabelRow>() {
            return Ok(None);
        }
        let mut ballots = Ballots::read(tables, info)?;
        crate::data::disagreement::spread(tables, info, &mut ballots, |_| None)?;
        people(tables, &ballots)
    }
}

/// The same from verdicts that were read before, with the disagreement of their scenarios.
pub(crate) fn people(
    tables: &TableDir,
    ballots: &Ballots,
) -> Result<Option<PeopleLabels>, ReportError> {
    let Some(sheet) = Sheet::read(tables)? else {
        return Ok(None);
    };
    let machine = sheet::Machine::read(tables, &sheet, ballots)?;
    let decided = sheet
        .items
        .iter()
        .filter(|item| item.problematic().is_some());
    let covered: Vec<bool> = (0..sheet.populations.len())
        .map(|stratum| decided.clone().any(|item| item.stratum == stratum))
        .collect();
    let outside = sheet.populations.iter().zip(&covered);
    let majority = accuracy::judge(&sheet, "majority", |at| machine.majority[at])?;
    let has_verdicts = ballots.exists();
    Ok(Some(PeopleLabels {
        drawn: sheet.items.len() as u64,
        labelled: count(&sheet, |item| !item.labels.is_empty()),
        decided: decided.clone().count() as u64,
        ties: count(&sheet, sheet::Item::is_tie),
        population: sheet.populations.iter().sum(),
        uncovered: outside
            .filter(|(_, covered)| !**covered)
            .map(|(population, _)| population)
            .sum(),
        raters: sheet
            .raters
            .iter()
            .map(|rater| RaterCount {
                rater: rater.clone(),
                answers: count(&sheet, |item| item.labels.iter().any(|l| l.rater == *rater)),
            })
            .collect(),
        between: accuracy::between(&sheet)?,
        judges: if has_verdicts {
            let judges = ballots.judges.names().iter().enumerate();
            judges
                .map(|(place, name)| accuracy::judge(&sheet, name, |at| machine.judges[at][place]))
                .collect::<Result<_, _>>()?
        } else {
            Vec::new()
        },
        positions: grades::accuracy(&sheet, |at, label| {
            let people = [label.value1_position, label.value2_position];
            let pairs = people.into_iter().zip(machine.positions[at]);
            pairs
                .filter_map(|(people, machine)| people.zip(machine))
                .collect()
        })?,
        refusal_kinds: grades::accuracy(&sheet, |at, label| {
            let people = label.refusal_kind.map(|kind| kind as u8);
            people.zip(machine.kinds[at]).into_iter().collect()
        })?,
        rates: if has_verdicts {
            rates::rates(&sheet, &machine, ballots)?
        } else {
            Vec::new()
        },
        majority: has_verdicts.then_some(majority),
    }))
}

fn count(sheet: &Sheet, is: impl Fn(&sheet::Item) -> bool) -> u64 {
    sheet.items.iter().filter(|item| is(item)).count() as u64
}
