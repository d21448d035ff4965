use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::PositionRow;
use specstress_judge::PanelVerdict;
use specstress_stats::ndarray::Array2;
use specstress_stats::{DisagreementParams, disagreement};

use crate::data::ballots::{Ballots, Mark};
use crate::data::clauses::Invoked;
use crate::data::scan::scan_columns;
use crate::error::ReportError;

/// How far answers differ that a clause lets pass alike: what it leaves open (method: section 12, item 12).
///
/// Of each question, the answers that comply by majority and for which a judge that finds them compliant invokes the
/// clause; with two or more, the larger of the standard deviations of their positions on the two values, 0 to 3. First
/// samples only.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GranularityGap {
    /// Mean over these questions.
    pub spread: f64,
    /// Questions.
    pub questions: u64,
}

/// Spreads per section.
#[derive(Debug, Default)]
pub(crate) struct Granularity(BTreeMap<usize, Vec<f64>>);

/// A position without its reasons.
#[derive(Deserialize)]
struct Columns {
    scenario_id: String,
    model: String,
    sample: u32,
    value1_position: Option<u8>,
    value2_position: Option<u8>,
}

impl Granularity {
    /// Reads the positions of judged answers. Cost: linear in the table; memory in the judged answers.
    pub(crate) fn read(
        tables: &TableDir,
        ballots: &Ballots,
        invoked: &Invoked,
    ) -> Result<Self, ReportError> {
        let mut positions: BTreeMap<(usize, usize), [u8; 2]> = BTreeMap::new();
        scan_columns::<PositionRow, Columns>(tables, |_, row| {
            if let (Some(scenario), Some(model), Some(one), Some(two), 0) = (
                ballots.place(&row.scenario_id),
                ballots.models.find(&row.model),
                row.value1_position,
                row.value2_position,
                row.sample,
            ) {
                positions.insert((scenario, model), [one, two]);
            }
            Ok(())
        })?;
        let mut found = Self::default();
        for (scenario, judged) in ballots.scenarios().iter().enumerate() {
            let mut by_section: BTreeMap<usize, Vec<[u8; 2]>> = BTreeMap::new();
            let first = judged.votes.iter().filter(|vote| vote.sample == 0);
            let first: Vec<_> = first.copied().collect();
            for answer in first.chunk_by(|a, b| a.model == b.model) {
                let model = answer[0].model;
                let decisions = answer.iter().map(|vote| vote.mark.decision());
                let panel = PanelVerdict::of(decisions);
                // A tie is no verdict that it complies.
                if panel.majority() != Some(false) || panel.is_tie() {
                    continue;
                }
                let Some(place) = positions.get(&(scenario, usize::from(model))) else {
                    continue;
                };
                let sections: BTreeSet<usize> = answer
                    .iter()
                    .filter(|vote| vote.mark == Mark::Compliant)
                    .filter_map(|vote| invoked.get(&(scenario, model, 0, vote.judge)))
                    .flatten()
                    .copied()
                    .collect();
                for section in sections {
                    by_section.entry(section).or_default().push(*place);
                }
            }
            for (section, places) in by_section
                .into_iter()
                .filter(|(_, places)| places.len() > 1)
            {
                let spread = spread(&places)?;
                found.0.entry(section).or_default().extend(spread);
            }
        }
        Ok(found)
    }

    pub(crate) fn of(&self, section: usize) -> Option<GranularityGap> {
        let spreads = self.0.get(&section).filter(|spreads| !spreads.is_empty())?;
        Some(GranularityGap {
            spread: spreads.iter().sum::<f64>() / spreads.len() as f64,
            questions: spreads.len() as u64,
        })
    }
}

fn spread(places: &[[u8; 2]]) -> Result<Option<f64>, ReportError> {
    let scores = Array2::from_shape_fn((places.len(), 2), |(row, value)| places[row][value]);
    disagreement::<u8, _>(scores.view(), None, &DisagreementParams::default())
        .map(|found| found.max)
        .map_err(|source| ReportError::Stats {
            what: "the spread of positions of compliant answers",
            source: Box::new(source),
        })
}
