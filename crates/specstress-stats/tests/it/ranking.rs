//! Rankings by brute force and against known utilities.

use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::{
    NudgedComparison, Preference, RankingParams, Shrinkage, StandardErrors, StatsError, Toward,
    bradley_terry, rank_agreement, transitivity,
};

use crate::golden_ranking::{data, ridge};

pub(crate) fn simulate(rng: &mut ChaCha8Rng, theta: &[f64], n: usize) -> Vec<NudgedComparison> {
    let one = |_| {
        let first = rng.random_range(0..theta.len());
        let second = (first + rng.random_range(1..theta.len())) % theta.len();
        let lean = rng.random_range(0..3);
        let eta = 0.1 + theta[first] - theta[second] + 0.5 * (lean as f64 - 1.0);
        let chances = [(eta / 2.0).exp(), (-eta / 2.0).exp(), 0.7];
        let mut draw = rng.random_range(0.0..chances.iter().sum());
        let mut outcome = 0;
        while outcome < 2 && draw >= chances[outcome] {
            draw -= chances[outcome];
            outcome += 1;
        }
        NudgedComparison {
            first,
            second,
            toward: [Toward::Second, Toward::Neither, Toward::First][lean],
            preference: Some([Preference::First, Preference::Second, Preference::Tie][outcome]),
        }
    };
    (0..n).map(one).collect()
}

#[test]
fn simulated_utilities_are_recovered() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let theta = [1.2, 0.6, 0.1, -0.4, -0.5, -1.0];
    let mut bias = [0.0; 9];
    for _ in 0..400 {
        let choices = simulate(&mut rng, &theta, 600);
        let found = bradley_terry(6, &choices, &ridge(1e-3)).unwrap();
        let terms = [found.intercept, found.nudge.unwrap(), found.tie.unwrap()];
        let found = found.items.iter().map(|item| item.theta);
        let found = found.chain(terms.map(|term| term.estimate));
        let truth = theta.into_iter().chain([0.1, 0.5, 0.7_f64.ln()]);
        for ((bias, found), truth) in bias.iter_mut().zip(found).zip(truth) {
            *bias += (found - truth) / 400.0;
        }
    }
    assert!(bias.iter().all(|bias| bias.abs() < 0.03), "{bias:?}");
}

#[test]
fn groups_pull_their_members_together() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let theta: Vec<f64> = (0..40).map(|i| if i < 20 { 1.0 } else { -1.0 }).collect();
    let choices = simulate(&mut rng, &theta, 150);
    let error = |params: &RankingParams| {
        let found = bradley_terry(40, &choices, params).unwrap();
        assert!(found.converged);
        let gaps = found.items.iter().zip(&theta);
        gaps.map(|(item, truth)| (item.theta - truth).powi(2))
            .sum::<f64>()
    };
    let grouped = RankingParams::default().shrinkage(Shrinkage::Hierarchical {
        groups: (0..40).map(|i| i / 20).collect(),
        within: 5.0,
        between: 0.5,
    });
    let (together, apart) = (error(&grouped), error(&ridge(1.0)));
    assert!(together < 0.5 * apart, "{together} {apart}");
    assert!(matches!(
        bradley_terry(3, &[], &grouped),
        Err(StatsError::Lengths { left: 3, right: 40 })
    ));
}

#[test]
fn nothing_and_nonsense() {
    let none = bradley_terry(2, &[], &ridge(1.0)).unwrap();
    assert_eq!((none.n, none.nudge), (0, None));
    assert!(none.items[0].theta.abs() < 1e-12 && (none.items[0].elo - 1500.0).abs() < 1e-9);
    assert!(bradley_terry(0, &[], &ridge(1.0)).is_err());
    assert!(bradley_terry(2, &[], &ridge(-1.0)).is_err());
    let skip = ridge(1.0).standard_errors(StandardErrors::Skip);
    assert_eq!(
        bradley_terry(5, &data(), &skip).unwrap().items[0].standard_error,
        None
    );
    let wanted = StatsError::Index {
        item: 1,
        what: "value",
        index: 4,
        count: 4,
    };
    assert_eq!(bradley_terry(4, &data(), &ridge(1.0)).unwrap_err(), wanted);
    assert_eq!(transitivity(4, &data()).unwrap_err(), wanted);
    // All comparisons tied: the utilities are equal and the tie term stays finite.
    let tie = NudgedComparison {
        first: 0,
        second: 1,
        toward: Toward::Neither,
        preference: Some(Preference::Tie),
    };
    let found = bradley_terry(2, &[tie; 5], &ridge(1.0)).unwrap();
    assert!(found.tie.unwrap().estimate > 5.0 && found.items[0].theta.abs() < 1e-9);
}

proptest! {
    #[test]
    fn circles_are_counted_over_all_triples(
        flat in prop::collection::vec((0_usize..6, 0_usize..6, 0_u8..3), 0..40)
    ) {
        let outcomes = [Some(Preference::First), Some(Preference::Tie), None];
        let choices: Vec<NudgedComparison> = flat
            .iter()
            .map(|&(first, second, outcome)| NudgedComparison {
                first,
                second,
                toward: Toward::Neither,
                preference: outcomes[usize::from(outcome)],
            })
            .collect();
        let found = transitivity(6, &choices).unwrap();
        let beats = |a: usize, b: usize| {
            let wins = |a, b| flat.iter().filter(|f| (f.0, f.1, f.2) == (a, b, 0)).count();
            wins(a, b) > wins(b, a)
        };
        let (mut n, mut circular) = (0, 0);
        for a in 0..6 {
            for b in a + 1..6 {
                for c in b + 1..6 {
                    let decided = |a, b| beats(a, b) || beats(b, a);
                    if decided(a, b) && decided(b, c) && decided(a, c) {
                        n += 1;
                        let turn = beats(a, b) && beats(b, c) && beats(c, a);
                        let back = beats(b, a) && beats(c, b) && beats(a, c);
                        circular += usize::from(turn || back);
                    }
                }
            }
        }
        prop_assert_eq!((found.n, found.circular), (n, circular));
    }

    #[test]
    fn swapping_names_and_sides_turns_the_ranking(seed in 0_u64..200) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let choices = simulate(&mut rng, &[0.5, 0.0, -0.5], 60);
        let swapped: Vec<NudgedComparison> = choices
            .iter()
            .map(|c| NudgedComparison {
                first: 2 - c.first,
                second: 2 - c.second,
                toward: match c.toward {
                    Toward::First => Toward::Second,
                    Toward::Second => Toward::First,
                    Toward::Neither => Toward::Neither,
                },
                preference: c.preference.map(|p| match p {
                    Preference::First => Preference::Second,
                    Preference::Second => Preference::First,
                    Preference::Tie => Preference::Tie,
                }),
            })
            .collect();
        let a = bradley_terry(3, &choices, &ridge(0.5)).unwrap();
        let b = bradley_terry(3, &swapped, &ridge(0.5)).unwrap();
        for i in 0..3 {
            prop_assert!((a.items[i].theta + b.items[2 - i].theta).abs() < 1e-6);
        }
        prop_assert!((a.intercept.estimate + b.intercept.estimate).abs() < 1e-6);
        prop_assert!((a.nudge.unwrap().estimate - b.nudge.unwrap().estimate).abs() < 1e-6);
        prop_assert!(rank_agreement(&[a.clone(), a], 0).unwrap()[0].correlation.r > Some(0.99));
    }
}

#[cfg(feature = "bootstrap")]
#[test]
fn held_out_accuracy_is_near_the_best_possible_and_seeded() {
    use specstress_stats::held_out;

    let mut rng = ChaCha8Rng::seed_from_u64(14);
    let theta = [1.2, 0.6, 0.1, -0.4, -0.5, -1.0];
    let choices = simulate(&mut rng, &theta, 3000);
    let found = held_out(6, &choices, &ridge(0.1), 20, 5, 1).unwrap();
    // The true utilities themselves, on the same model of choice.
    let (mut right, mut decided) = (0, 0);
    for c in &choices {
        let nudge = match c.toward {
            Toward::First => 0.5,
            Toward::Second => -0.5,
            Toward::Neither => 0.0,
        };
        let eta = 0.1 + theta[c.first] - theta[c.second] + nudge;
        if c.preference != Some(Preference::Tie) {
            decided += 1;
            right += usize::from((c.preference == Some(Preference::First)) == (eta > 0.0));
        }
    }
    let best = right as f64 / f64::from(decided);
    assert!(
        (found.accuracy.unwrap() - best).abs() < 0.02,
        "{found:?} {best}"
    );
    assert!(found.log_loss.unwrap() < 3.0_f64.ln());
    assert_eq!((found.n + found.dropped, found.splits), (6000, 20));
    assert_eq!(found, held_out(6, &choices, &ridge(0.1), 20, 5, 1).unwrap());
    assert_ne!(found, held_out(6, &choices, &ridge(0.1), 20, 5, 2).unwrap());
}
