use std::collections::BTreeSet;

use serde::Deserialize;
use specstress_dataset::TableDir;
use specstress_dataset::rows::VerdictRow;
use specstress_judge::Decision;

use crate::data::scan::{Keys, scan_columns};
use crate::data::stages::{Outcomes, StageCounts};
use crate::error::ReportError;
use crate::info::StudyInfo;

/// A verdict without its reasons.
#[derive(Deserialize)]
struct VerdictColumns {
    scenario_id: String,
    model: String,
    sample: u32,
    judge: String,
    decision: Option<String>,
    outcome: String,
}

/// What a judge said, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// The judge's reply could not be read, or there is none.
    Missing,
    Compliant,
    NonCompliant,
    Ambiguous,
}

impl Mark {
    pub(crate) fn decision(self) -> Option<Decision> {
        match self {
            Self::Missing => None,
            Self::Compliant => Some(Decision::Compliant),
            Self::NonCompliant => Some(Decision::NonCompliant),
            Self::Ambiguous => Some(Decision::Ambiguous),
        }
    }

    /// Non-compliant or ambiguous; `None` where there is no verdict.
    pub(crate) fn problematic(self) -> Option<bool> {
        self.decision().map(Decision::is_problematic)
    }
}

/// One judge's mark of one answer; the numbers are places in the keys of [`Ballots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Vote {
    pub(crate) model: u16,
    pub(crate) sample: u32,
    pub(crate) judge: u16,
    pub(crate) mark: Mark,
}

/// What is kept of one judged scenario: small numbers only.
#[derive(Clone, Debug, Default)]
pub(crate) struct JudgedScenario {
    pub(crate) votes: Vec<Vote>,
    /// Disagreement of the subset that holds exactly the judged models.
    pub(crate) disagreement: Option<f64>,
    /// Places of the subsets on which it counts as high.
    pub(crate) high_in: BTreeSet<usize>,
}

/// All verdicts, by scenario in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Ballots {
    pub(crate) judges: Keys,
    pub(crate) models: Keys,
    pub(crate) stage: Option<StageCounts>,
    ids: Keys,
    scenarios: Vec<JudgedScenario>,
    judged_models: Vec<String>,
}

impl Ballots {
    /// Reads the verdicts once. Costs about 12 bytes per verdict and 100 per judged scenario.
    pub(crate) fn read(tables: &TableDir, info: &StudyInfo) -> Result<Self, ReportError> {
        let mut ballots = Self {
            judges: Keys::new(&info.judges),
            models: Keys::new(&info.judged_models),
            ..Self::default()
        };
        let mut outcomes = Outcomes::default();
        let exists = scan_columns::<VerdictRow, VerdictColumns>(tables, |_, row| {
            outcomes.add(&row.outcome);
            let vote = Vote {
                model: small("judged models", ballots.models.place(&row.model))?,
                sample: row.sample,
                judge: small("judges", ballots.judges.place(&row.judge))?,
                mark: match row.decision.as_deref() {
                    None => Mark::Missing,
                    Some("compliant") => Mark::Compliant,
                    Some("ambiguous") => Mark::Ambiguous,
                    Some(_) => Mark::NonCompliant,
                },
            };
            let place = ballots.ids.place(&row.scenario_id);
            if place == ballots.scenarios.len() {
                ballots.scenarios.push(JudgedScenario::default());
            }
            ballots.scenarios[place].votes.push(vote);
            Ok(())
        })?;
        // Results must not hang on the order in which verdicts were written.
        for scenario in &mut ballots.scenarios {
            scenario.votes.sort_unstable();
        }
        ballots.stage = exists.then(|| outcomes.finish("verdicts"));
        ballots.judged_models = if info.judged_models.is_empty() {
            ballots.models.names().to_vec()
        } else {
            info.judged_models.clone()
        };
        Ok(ballots)
    }

    pub(crate) fn exists(&self) -> bool {
        self.stage.is_some()
    }

    /// Keys of the models that frequent non-compliance is about; their places are 0, 1, and so on.
    pub(crate) fn judged_models(&self) -> &[String] {
        &self.judged_models
    }

    /// The first subset that holds exactly the judged models.
    pub(crate) fn subset<'a>(&self, info: &'a StudyInfo) -> Option<&'a str> {
        let judged: BTreeSet<_> = self.judged_models.iter().collect();
        if judged.is_empty() {
            return None;
        }
        info.subsets
            .iter()
            .find(|subset| subset.models.iter().collect::<BTreeSet<_>>() == judged)
            .map(|subset| subset.name.as_str())
    }

    pub(crate) fn scenario(&mut self, id: &str) -> Option<&mut JudgedScenario> {
        self.ids.find(id).map(|place| &mut self.scenarios[place])
    }

    /// Ids of the judged scenarios, by place.
    pub(crate) fn ids(&self) -> &[String] {
        self.ids.names()
    }

    /// The place of a judged scenario.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.ids.find(id)
    }

    pub(crate) fn votes(&self, id: &str) -> &[Vote] {
        match self.ids.find(id) {
            Some(place) => &self.scenarios[place].votes,
            None => &[],
        }
    }

    /// Disagreement of the judged models on a judged scenario.
    pub(crate) fn disagreement_of(&self, id: &str) -> Option<f64> {
        let place = self.ids.find(id)?;
        self.scenarios[place].disagreement
    }

    pub(crate) fn scenarios(&self) -> &[JudgedScenario] {
        &self.scenarios
    }
}

fn small(what: &'static str, place: usize) -> Result<u16, ReportError> {
    u16::try_from(place).map_err(|_| ReportError::TooMany {
        what,
        count: place + 1,
        limit: usize::from(u16::MAX) + 1,
    })
}

/// Votes of one answer, problematic or not, in order of the judges; a judge who did not vote is left out.
pub(crate) fn answer_votes(
    votes: &[Vote],
    model: usize,
    sample: u32,
) -> impl Iterator<Item = (usize, Mark)> + '_ {
    votes
        .iter()
        .filter(move |vote| usize::from(vote.model) == model && vote.sample == sample)
        .map(|vote| (usize::from(vote.judge), vote.mark))
}
