//! Judged answers, and what they say of compliance and of the judges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use specstress_dataset::published::EvaluationRow;
use specstress_judge::Decision;
use specstress_stats::ndarray::{Array2, Array3};
use specstress_stats::{
    AgreementInterval, Bins, Bootstrap, ClusteredProportion, Coefficient, Confidence, Enrichment,
    MajorityVote, ScenarioVotes, agreement_bootstrap, clustered_proportion, enrichment,
    frequent_noncompliance,
};

/// Bootstrap draws of kappa, and their seed.
const DRAWS: usize = 2000;
const SEED: u64 = 1;

/// Answers with the decisions of their judges; a few dozen bytes each.
#[derive(Debug, Default)]
pub(super) struct Judged {
    judges: Vec<String>,
    models: Vec<String>,
    answers: Vec<Answer>,
    questions: Vec<Question>,
    by_key: HashMap<(String, String), usize>,
    unreadable: u64,
}

#[derive(Debug)]
struct Answer {
    question: usize,
    model: usize,
    /// In the order of the judges.
    decisions: Vec<Option<Decision>>,
}

#[derive(Debug)]
struct Question {
    /// Names the value pair; siblings share it.
    pair: String,
    bin: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Compliance {
    pub(super) answers: u64,
    pub(super) questions: u64,
    pub(super) models: Vec<String>,
    /// Questions with an answer that no judge decided on, in no share of questions.
    pub(super) dropped: u64,
    /// Decisions that could not be read; nobody's vote.
    pub(super) unreadable: u64,
    /// Questions in which all answers are problematic by majority, by bin of disagreement.
    pub(super) frequent: Enrichment,
    /// Questions in which every answer is problematic to at least one judge.
    pub(super) frequent_any: Enrichment,
    /// How far disagreement and compliance go together.
    pub(super) quadrants: Vec<Quadrant>,
    pub(super) by_model: Vec<Share>,
    /// How often each judge calls an answer problematic.
    pub(super) flag_rates: Vec<Share>,
    pub(super) agreement: Vec<Pair>,
    /// Problematic or not.
    pub(super) kappa_binary: Option<AgreementInterval>,
    /// Of the three decisions.
    pub(super) kappa: Option<AgreementInterval>,
}

#[derive(Debug, Serialize)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) problematic: ClusteredProportion,
}

#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) judges: [String; 2],
    /// On whether an answer is problematic.
    pub(super) agreed: ClusteredProportion,
}

/// Questions of low or high disagreement by how many of their answers are problematic by majority.
#[derive(Debug, Serialize)]
pub(super) struct Quadrant {
    /// `low` below the third bin (1.5), else `high`.
    pub(super) disagreement: &'static str,
    pub(super) all_pass: u64,
    pub(super) some_fail: u64,
    pub(super) all_fail: u64,
}

impl Judged {
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Takes one answer; `split` names the bin where the row does not.
    pub(super) fn add(&mut self, row: EvaluationRow, split: &str) {
        let pair = match row.chunk_idx.zip(row.entry_idx) {
            Some((chunk, entry)) => format!("{chunk} {entry}"),
            None => row.prompt.clone().unwrap_or_default(),
        };
        let key = (pair.clone(), row.query_key.clone().unwrap_or_default());
        let next = self.questions.len();
        let question = *self.by_key.entry(key).or_insert(next);
        if question == next {
            let bin = bin_of(&row, split);
            self.questions.push(Question { pair, bin });
        }
        let places: Vec<usize> = row
            .judges
            .iter()
            .map(|judge| place(&mut self.judges, judge))
            .collect();
        let mut decisions = vec![None; self.judges.len()];
        for (place, decision) in places.into_iter().zip(&row.decisions) {
            decisions[place] = *decision;
        }
        self.unreadable += u64::from(row.unreadable);
        let model = place(&mut self.models, &row.model.unwrap_or_default());
        self.answers.push(Answer {
            question,
            model,
            decisions,
        });
    }

    pub(super) fn measure(&self) -> anyhow::Result<Compliance> {
        let level = Confidence::default();
        let bins = Bins::default();
        let clusters = self.clusters();
        let share = |events: &[Option<bool>]| clustered_proportion(events, Some(&clusters), level);
        let mut votes = Array3::from_elem(
            (self.questions.len(), self.models.len(), self.judges.len()),
            None,
        );
        for answer in &self.answers {
            for judge in 0..self.judges.len() {
                votes[[answer.question, answer.model, judge]] = answer.flag(judge);
            }
        }
        let found = frequent_noncompliance(votes.view(), level)?;
        let membership: Vec<Option<usize>> =
            self.questions.iter().map(|question| question.bin).collect();
        let by_bin = |event: fn(&ScenarioVotes) -> Option<bool>| {
            let events: Vec<Option<bool>> = found.scenarios.iter().map(event).collect();
            enrichment(&bins, &membership, &events, level)
        };
        // By name, so that the order of the rows tells nothing.
        let models: BTreeMap<&String, usize> = self.models.iter().zip(0..).collect();
        let by_model = models.values().map(|&model| {
            let event = |answer: &Answer| {
                let votes = &found.scenarios[answer.question].models[model];
                (answer.model == model && votes.majority != MajorityVote::NoVotes)
                    .then_some(votes.majority == MajorityVote::Problematic)
            };
            let events: Vec<_> = self.answers.iter().map(event).collect();
            // Answers of other models are not missing ones.
            let own = self.answers.iter().filter(|answer| answer.model == model);
            let mut problematic = share(&events)?;
            problematic.dropped = own.count() as u64 - problematic.n;
            Ok(Share {
                name: self.models[model].clone(),
                problematic,
            })
        });
        let flag_rates = (0..self.judges.len()).map(|judge| {
            let flags = self.answers.iter().map(|answer| answer.flag(judge));
            Ok(Share {
                name: self.judges[judge].clone(),
                problematic: share(&flags.collect::<Vec<_>>())?,
            })
        });
        let mut agreement = Vec::new();
        for a in 0..self.judges.len() {
            for b in a + 1..self.judges.len() {
                let same = |answer: &Answer| Some(answer.flag(a)? == answer.flag(b)?);
                let events: Vec<_> = self.answers.iter().map(same).collect();
                agreement.push(Pair {
                    judges: [self.judges[a].clone(), self.judges[b].clone()],
                    agreed: share(&events)?,
                });
            }
        }
        Ok(Compliance {
            answers: self.answers.len() as u64,
            questions: self.questions.len() as u64,
            models: models.keys().map(|model| (*model).clone()).collect(),
            dropped: found.dropped as u64,
            unreadable: self.unreadable,
            frequent: by_bin(|votes| votes.all_problematic)?,
            frequent_any: by_bin(|votes| votes.all_flagged)?,
            quadrants: self.quadrants(&found.scenarios),
            by_model: by_model.collect::<anyhow::Result<_>>()?,
            flag_rates: flag_rates.collect::<anyhow::Result<_>>()?,
            agreement,
            kappa_binary: self.kappa(&clusters, &[0, 1], |decision| {
                u32::from(decision.is_problematic())
            })?,
            kappa: self.kappa(&clusters, &[0, 1, 2], |decision| match decision {
                Decision::Compliant => 0,
                Decision::NonCompliant => 1,
                Decision::Ambiguous => 2,
            })?,
        })
    }

    /// Of each answer, in the order of the pairs' names: draws of the bootstrap do not depend on the order of the rows.
    fn clusters(&self) -> Vec<u64> {
        let pairs: BTreeSet<&str> = self.questions.iter().map(|one| one.pair.as_str()).collect();
        let places: BTreeMap<&str, u64> = pairs.into_iter().zip(0..).collect();
        let answers = self.answers.iter();
        answers
            .map(|answer| places[self.questions[answer.question].pair.as_str()])
            .collect()
    }

    fn quadrants(&self, votes: &[ScenarioVotes]) -> Vec<Quadrant> {
        let mut found = ["low", "high"].map(|disagreement| Quadrant {
            disagreement,
            all_pass: 0,
            some_fail: 0,
            all_fail: 0,
        });
        for (question, votes) in self.questions.iter().zip(votes) {
            let known = votes.all_problematic.zip(votes.some_problematic);
            let (Some(bin), Some((all, some))) = (question.bin, known) else {
                continue;
            };
            let quadrant = &mut found[usize::from(bin >= 2)];
            match (all, some) {
                (true, _) => quadrant.all_fail += 1,
                (false, true) => quadrant.some_fail += 1,
                (false, false) => quadrant.all_pass += 1,
            }
        }
        found.into()
    }

    /// Fleiss' kappa of the answers that every judge decided on; `None` with one judge.
    fn kappa(
        &self,
        clusters: &[u64],
        scale: &[u32],
        label: impl Fn(Decision) -> u32,
    ) -> anyhow::Result<Option<AgreementInterval>> {
        if self.judges.len() < 2 {
            return Ok(None);
        }
        let shape = (self.answers.len(), self.judges.len());
        let ratings = Array2::from_shape_fn(shape, |(answer, judge)| {
            self.answers[answer].decision(judge).map(&label)
        });
        let draws = Bootstrap::new(DRAWS, SEED)?;
        let found = agreement_bootstrap(
            ratings.view(),
            Some(scale),
            Coefficient::Fleiss,
            Some(clusters),
            &draws,
        )?;
        Ok(Some(found))
    }
}

impl Answer {
    /// Files may differ in judges; the later ones add some.
    fn decision(&self, judge: usize) -> Option<Decision> {
        self.decisions.get(judge).copied().flatten()
    }

    fn flag(&self, judge: usize) -> Option<bool> {
        self.decision(judge).map(Decision::is_problematic)
    }
}

/// Place of a name, which is added where it is new.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
}

/// The bin a row names, else the one of its number, else the one its file is named after.
fn bin_of(row: &EvaluationRow, split: &str) -> Option<usize> {
    let bins = Bins::default();
    let named = |name: &str| (0..bins.count()).find(|bin| bins.name(*bin).as_deref() == Some(name));
    row.bin_name
        .as_deref()
        .and_then(named)
        .or_else(|| bins.of_number(row.max_pop_std_openai?))
        .or_else(|| named(split))
}
