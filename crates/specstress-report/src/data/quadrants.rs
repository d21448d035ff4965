use serde::{Deserialize, Serialize};
use specstress_stats::ScenarioVotes;

use crate::data::ballots::Ballots;
use crate::data::rate::Rate;

/// Most scenarios that are named.
const MOST_NAMED: usize = 10;

/// Judged scenarios by disagreement and compliance together (paper, Fig. 3; method: section 12, item 6). Two corners tell
/// of the spec: models that agree and all fail share a blind spot that disagreement does not show; models that split and
/// all pass use room that the spec leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quadrants {
    /// The subset that holds exactly the judged models, whose disagreement this is.
    pub subset: String,
    /// Scenarios below the threshold.
    pub low: QuadrantRow,
    /// Scenarios that reach it.
    pub high: QuadrantRow,
    /// Scenarios of low disagreement on which every answer is problematic: the ten first ids.
    pub agree_and_fail: Vec<String>,
    /// Scenarios of high disagreement on which every answer passes: the ten first ids.
    pub split_and_pass: Vec<String>,
    /// Judged scenarios without a disagreement, or with an answer that has no vote.
    pub dropped: u64,
}

/// Scenarios of one level of disagreement, by majority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuadrantRow {
    /// Every judged answer passes.
    pub all_pass: Rate,
    /// Some pass and some are problematic.
    pub some_fail: Rate,
    /// Every judged answer is problematic.
    pub all_fail: Rate,
}

/// `place` is that of the subset among those on which scenarios are marked high.
pub(crate) fn quadrants(
    subset: &str,
    place: usize,
    ballots: &Ballots,
    votes: &[ScenarioVotes],
) -> Quadrants {
    // All pass, some fail, all fail; low, then high.
    let mut counts = [[0_u64; 3]; 2];
    let mut named: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    let mut dropped = 0;
    for ((scenario, votes), id) in ballots.scenarios().iter().zip(votes).zip(ballots.ids()) {
        let (Some(some), Some(all), Some(_)) = (
            votes.some_problematic,
            votes.all_problematic,
            scenario.disagreement,
        ) else {
            dropped += 1;
            continue;
        };
        let high = usize::from(scenario.high_in.contains(&place));
        counts[high][usize::from(some) + usize::from(all)] += 1;
        match (high, some, all) {
            (0, _, true) => named[0].push(id.clone()),
            (1, false, _) => named[1].push(id.clone()),
            _ => {}
        }
    }
    let row = |[pass, some, all]: [u64; 3]| {
        let of = pass + some + all;
        QuadrantRow {
            all_pass: Rate::new(pass, of),
            some_fail: Rate::new(some, of),
            all_fail: Rate::new(all, of),
        }
    };
    let [mut agree_and_fail, mut split_and_pass] = named;
    for ids in [&mut agree_and_fail, &mut split_and_pass] {
        ids.sort_unstable();
        ids.truncate(MOST_NAMED);
    }
    Quadrants {
        subset: subset.to_owned(),
        low: row(counts[0]),
        high: row(counts[1]),
        agree_and_fail,
        split_and_pass,
        dropped,
    }
}
