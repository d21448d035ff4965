use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use specstress_dataset::rows::{ResponseRow, ScenarioRow};

use crate::data::ballots::{Ballots, Mark, answer_votes};
use crate::data::disagreement::Candidate;
use crate::data::panel::PositionColumns;
use crate::info::{ModelRef, StudyInfo};

/// One of the scenarios on which the first subset of models splits most, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpScenario {
    /// Its id.
    pub scenario_id: String,
    /// Disagreement on the first subset, in points of the 0 to 6 scale.
    pub disagreement: f64,
    /// Models that the disagreement is over.
    pub n: u32,
    /// Models of the subset without positions.
    pub missing: u32,
    /// The question and its values; `None` where the scenario table does not have it.
    pub question: Option<Question>,
    /// One entry per model of the panel, then any other model that answered, in order of appearance.
    pub answers: Vec<SharpAnswer>,
}

/// A question and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// First value.
    pub value1: String,
    /// Second value.
    pub value2: String,
    /// Its framing: `neutral`, `value1` or `value2`.
    pub nudge: String,
    /// Who wrote it.
    pub generator: String,
    /// The question.
    pub text: Option<String>,
}

/// One model's first answer to a sharp scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharpAnswer {
    /// The model.
    pub model: ModelRef,
    /// Position on value 1, 0 (opposes) to 6 (favours); `None` where there is none.
    pub value1_position: Option<u8>,
    /// Position on value 2.
    pub value2_position: Option<u8>,
    /// How the call ended; `None` where no row says.
    pub outcome: Option<String>,
    /// The answer; `None` where there is none.
    pub text: Option<String>,
    /// What the judges say; `None` where the answer was not judged.
    pub verdict: Option<VerdictSummary>,
}

/// Verdicts on one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictSummary {
    /// Judges who say that it follows the spec.
    pub compliant: u32,
    /// Judges who say that it violates the spec.
    pub non_compliant: u32,
    /// Judges who say that the spec can be read both ways.
    pub ambiguous: u32,
    /// Judges without a readable verdict.
    pub missing: u32,
}

impl VerdictSummary {
    /// Whether more than half of the judges who voted call it non-compliant or ambiguous; `None` where
    /// nobody voted. A tie is not a majority.
    pub fn problematic(&self) -> Option<bool> {
        let against = self.non_compliant + self.ambiguous;
        let votes = self.compliant + against;
        (votes > 0).then_some(2 * against > votes)
    }
}

#[derive(Debug, Default)]
struct Slot {
    value1: Option<u8>,
    value2: Option<u8>,
    outcome: Option<String>,
    text: Option<String>,
}

/// Collects the parts of the sharpest scenarios from the tables they are spread over.
#[derive(Debug, Default)]
pub(crate) struct Sharpest {
    candidates: Vec<Candidate>,
    places: BTreeMap<String, usize>,
    questions: Vec<Option<Question>>,
    /// By model key, with keys outside the panel in order of appearance.
    answers: Vec<Vec<(String, Slot)>>,
}

impl Sharpest {
    pub(crate) fn new(candidates: Vec<Candidate>, info: &StudyInfo) -> Self {
        Self {
            places: candidates
                .iter()
                .enumerate()
                .map(|(place, candidate)| (candidate.scenario_id.clone(), place))
                .collect(),
            questions: candidates.iter().map(|_| None).collect(),
            answers: candidates
                .iter()
                .map(|_| {
                    info.panel
                        .iter()
                        .map(|entry| (entry.key.clone(), Slot::default()))
                        .collect()
                })
                .collect(),
            candidates,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    pub(crate) fn question(&mut self, row: ScenarioRow) {
        let place = row.scenario_id.and_then(|id| self.places.get(&id).copied());
        if let Some(place) = place {
            self.questions[place] = Some(Question {
                value1: row.value1,
                value2: row.value2,
                nudge: row.nudge.as_str().to_owned(),
                generator: row.generator,
                text: row.query,
            });
        }
    }

    pub(crate) fn answer(&mut self, row: ResponseRow) {
        if let Some(slot) = self.slot(&row.scenario_id, &row.model, row.sample) {
            slot.outcome = Some(row.outcome.as_str().to_owned());
            slot.text = row.text;
        }
    }

    pub(crate) fn position(&mut self, row: &PositionColumns) {
        if let Some(slot) = self.slot(&row.scenario_id, &row.model, row.sample) {
            slot.value1 = row.value1_position;
            slot.value2 = row.value2_position;
        }
    }

    fn slot(&mut self, scenario: &str, model: &str, sample: u32) -> Option<&mut Slot> {
        if sample != 0 {
            return None;
        }
        let answers = &mut self.answers[*self.places.get(scenario)?];
        let place = answers
            .iter()
            .position(|(key, _)| key == model)
            .unwrap_or_else(|| {
                answers.push((model.to_owned(), Slot::default()));
                answers.len() - 1
            });
        Some(&mut answers[place].1)
    }

    pub(crate) fn finish(self, info: &StudyInfo, ballots: &Ballots) -> Vec<SharpScenario> {
        self.candidates
            .into_iter()
            .zip(self.questions)
            .zip(self.answers)
            .map(|((candidate, question), answers)| SharpScenario {
                answers: answers
                    .into_iter()
                    .map(|(key, slot)| SharpAnswer {
                        model: info.model(&key),
                        value1_position: slot.value1,
                        value2_position: slot.value2,
                        outcome: slot.outcome,
                        text: slot.text,
                        verdict: summary(ballots, &candidate.scenario_id, &key),
                    })
                    .collect(),
                scenario_id: candidate.scenario_id,
                disagreement: candidate.disagreement,
                n: candidate.n,
                missing: candidate.missing,
                question,
            })
            .collect()
    }
}

fn summary(ballots: &Ballots, scenario: &str, model: &str) -> Option<VerdictSummary> {
    let model = ballots.models.find(model)?;
    let mut summary = VerdictSummary {
        compliant: 0,
        non_compliant: 0,
        ambiguous: 0,
        missing: 0,
    };
    let mut judged = false;
    for (_, mark) in answer_votes(ballots.votes(scenario), model, 0) {
        judged = true;
        match mark {
            Mark::Compliant => summary.compliant += 1,
            Mark::NonCompliant => summary.non_compliant += 1,
            Mark::Ambiguous => summary.ambiguous += 1,
            Mark::Missing => summary.missing += 1,
        }
    }
    judged.then_some(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_is_not_a_majority() {
        let mut summary = VerdictSummary {
            compliant: 1,
            non_compliant: 1,
            ambiguous: 0,
            missing: 1,
        };
        assert_eq!(summary.problematic(), Some(false));
        summary.ambiguous = 1;
        assert_eq!(summary.problematic(), Some(true));
        let nobody = VerdictSummary {
            compliant: 0,
            non_compliant: 0,
            ambiguous: 0,
            missing: 3,
        };
        assert_eq!(nobody.problematic(), None);
    }
}
