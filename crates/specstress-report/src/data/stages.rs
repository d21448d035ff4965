use serde::{Deserialize, Serialize};
use specstress_dataset::TableDir;
use specstress_dataset::rows::{EmbeddingRow, PairRow, ScenarioRow, SelectionRow, SpectrumRow};

use crate::data::rate::{GroupRate, Rate};
use crate::data::scan::{Keys, scan, scan_columns, slot};
use crate::data::space::{Space, ValueSpace};
use crate::data::thinning::{KeptAtDistance, thinning};
use crate::error::ReportError;
use crate::info::ModelRef;

/// The selection made before anyone is asked.
const DIVERSITY: &str = "diversity";

/// How the items of one stage ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageCounts {
    /// The table the stage writes.
    pub stage: String,
    /// Items in it, whatever became of them; the denominator of `answered`.
    pub items: u64,
    /// Items that ended well.
    pub answered: Rate,
    /// Items by outcome, in the order of [`StageCounts::OUTCOMES`]; their sum is `items`.
    pub outcomes: Vec<OutcomeCount>,
}

impl StageCounts {
    /// The outcomes in table order.
    pub const OUTCOMES: [&'static str; 6] = [
        "answered",
        "blocked",
        "truncated",
        "unparsable",
        "failed",
        "not_run",
    ];
}

/// How many items ended in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// The way, such as `answered` or `blocked`.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// How one model's answers ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelOutcomes {
    /// The model.
    pub model: ModelRef,
    /// Its answers, counted over all samples.
    pub counts: StageCounts,
}

/// Counts outcomes of one stage.
#[derive(Clone, Debug)]
pub(crate) struct Outcomes {
    counts: Vec<(String, u64)>,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            counts: StageCounts::OUTCOMES
                .map(|name| (name.to_owned(), 0))
                .to_vec(),
        }
    }
}

impl Outcomes {
    pub(crate) fn add(&mut self, outcome: &str) {
        match self.counts.iter_mut().find(|(name, _)| name == outcome) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((outcome.to_owned(), 1)),
        }
    }

    pub(crate) fn finish(self, stage: &str) -> StageCounts {
        let items = self.counts.iter().map(|(_, count)| count).sum();
        StageCounts {
            stage: stage.to_owned(),
            items,
            answered: Rate::new(self.counts[0].1, items),
            outcomes: self
                .counts
                .into_iter()
                .map(|(outcome, count)| OutcomeCount { outcome, count })
                .collect(),
        }
    }
}

/// How much of the plan became questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Value pairs drawn; `None` where there is no table of pairs.
    pub pairs: Option<u64>,
    /// Questions kept, out of all that were asked for (three per pair).
    pub kept: Rate,
    /// The same by framing, in the order neutral, value1, value2.
    pub by_nudge: Vec<GroupRate>,
    /// The same by generator, sorted by name.
    pub by_generator: Vec<GroupRate>,
    /// Questions kept for diversity, out of those kept at all; `None` where that selection was not made.
    pub diversity: Option<Rate>,
    /// Where in the value space questions were lost; `None` in reports of builds that did not count it.
    #[serde(default)]
    pub space: Option<ValueSpace>,
    /// Questions kept for diversity by distance, falling to the one that was used; `None` where the selection did not
    /// keep track.
    pub thinning: Option<Vec<KeptAtDistance>>,
}

/// The one column that outcome counts need.
#[derive(Deserialize)]
struct Ending {
    outcome: String,
}

/// The columns that selection sizes and the thinning curve need.
#[derive(Deserialize)]
struct Selected {
    selection: String,
    scenario_id: String,
    radius: Option<f64>,
}

/// Counts of the first stages, and of each selection.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) coverage: Option<Coverage>,
    pub(crate) stages: Vec<StageCounts>,
    /// Size of each selection; `None` without a table of selections.
    pub(crate) selections: Option<Vec<(String, u64)>>,
}

#[derive(Clone, Copy, Default)]
struct Kept {
    kept: u64,
    of: u64,
}

fn rates(keys: &Keys, kept: &[Kept]) -> Vec<GroupRate> {
    keys.names()
        .iter()
        .zip(kept)
        .map(|(group, kept)| GroupRate {
            group: group.clone(),
            rate: Rate::new(kept.kept, kept.of),
        })
        .collect()
}

/// Reads pairs, scenarios, embeddings, spectra and selections, each once; memory holds what [`Space`] does.
pub(crate) fn planned(tables: &TableDir) -> Result<Planned, ReportError> {
    let mut planned = Planned::default();
    let mut space = Space::read(tables)?;

    let mut pairs = 0;
    let has_pairs = scan::<PairRow>(tables, |_, row| {
        pairs += 1;
        space.pair(&row);
        Ok(())
    })?;

    let mut selections: Vec<u64> = Vec::new();
    let mut names = Keys::default();
    let mut radii = Vec::new();
    if scan_columns::<SelectionRow, Selected>(tables, |_, row| {
        let diversity = row.selection == DIVERSITY;
        if diversity {
            radii.extend(row.radius);
        }
        *slot(&mut selections, names.place(&row.selection)) += 1;
        space.selection(diversity, row.scenario_id);
        Ok(())
    })? {
        planned.selections = Some(names.names().iter().cloned().zip(selections).collect());
    }

    let mut outcomes = Outcomes::default();
    let nudge_names = ["neutral", "value1", "value2"].map(str::to_owned);
    let (mut nudges, mut generators) = (Keys::new(&nudge_names), Keys::default());
    let mut by_nudge = vec![Kept::default(); nudge_names.len()];
    let mut by_generator: Vec<Kept> = Vec::new();
    if scan::<ScenarioRow>(tables, |_, row| {
        let outcome = row.outcome.as_str();
        let kept = u64::from(outcome == StageCounts::OUTCOMES[0]);
        for group in [
            slot(&mut by_nudge, nudges.place(row.nudge.as_str())),
            slot(&mut by_generator, generators.place(&row.generator)),
        ] {
            group.kept += kept;
            group.of += 1;
        }
        outcomes.add(outcome);
        space.scenario(&row);
        Ok(())
    })? {
        let counts = outcomes.finish("scenarios");
        let mut by_generator = rates(&generators, &by_generator);
        by_generator.sort_by(|a, b| a.group.cmp(&b.group));
        planned.coverage = Some(Coverage {
            pairs: has_pairs.then_some(pairs),
            kept: counts.answered,
            by_nudge: rates(&nudges, &by_nudge),
            by_generator,
            diversity: planned
                .selection(DIVERSITY)
                .map(|kept| Rate::new(kept, counts.answered.count)),
            space: Some(space.finish()),
            thinning: thinning(&radii),
        });
        planned.stages.push(counts);
    }

    let mut outcomes = Outcomes::default();
    if scan_columns::<EmbeddingRow, Ending>(tables, |_, row| {
        outcomes.add(&row.outcome);
        Ok(())
    })? {
        planned.stages.push(outcomes.finish("embeddings"));
    }

    let mut outcomes = Outcomes::default();
    if scan_columns::<SpectrumRow, Ending>(tables, |_, row| {
        outcomes.add(&row.outcome);
        Ok(())
    })? {
        planned.stages.push(outcomes.finish("spectra"));
    }
    Ok(planned)
}

impl Planned {
    /// How many one selection kept; 0 for a selection that kept none, `None` where none was made.
    pub(crate) fn selection(&self, name: &str) -> Option<u64> {
        let selections = self.selections.as_ref()?;
        selections
            .iter()
            .find(|(selection, _)| selection == name)
            .map(|(_, count)| *count)
    }
}
