//! Bradley-Terry rankings at the size of the published study, really run: 12 models x 3,307 values x 132,000
//! comparisons, each fitted to all comparisons and to 50 splits of 90/10, on all cores; then the exact standard errors
//! of one. Against plain gradient descent to the same optimum, which ranks one model once.
//!
//! Prints wall time and CPU time; `-- 3` ranks three models only.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_benches::timed;
use specstress_stats::{
    NudgedComparison, Preference, RankingParams, Shrinkage, StandardErrors, Ties, Toward,
    bradley_terry, held_out,
};

const VALUES: usize = 3_307;
const COMPARISONS: usize = 132_000;
const SPLITS: usize = 50;
const STRENGTH: f64 = 1.0;

fn choices(seed: u64) -> Vec<NudgedComparison> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let theta: Vec<f64> = (0..VALUES).map(|_| rng.random_range(-2.0..2.0)).collect();
    let choice = |at: usize| {
        let first = rng.random_range(0..VALUES);
        let second = (first + rng.random_range(1..VALUES)) % VALUES;
        let toward = [Toward::Neither, Toward::First, Toward::Second][at % 3];
        let eta = theta[first] - theta[second] + [0.0, 0.4, -0.4][at % 3];
        let preference = if rng.random_bool(0.15) {
            Preference::Tie
        } else if rng.random_bool(1.0 / (1.0 + f64::exp(-eta))) {
            Preference::First
        } else {
            Preference::Second
        };
        NudgedComparison {
            first,
            second,
            toward,
            preference: Some(preference),
        }
    };
    (0..COMPARISONS).map(choice).collect()
}

/// Gradient descent on the utilities, intercept and nudge of the logistic model, ties dropped, until the gradient is
/// nearly gone.
fn descend(choices: &[NudgedComparison]) -> (Vec<f64>, usize) {
    let mut at = vec![0.0_f64; VALUES + 2];
    for step in 1.. {
        let mut gradient: Vec<f64> = at[..VALUES].iter().map(|theta| STRENGTH * theta).collect();
        gradient.extend([0.0; 2]);
        for choice in choices {
            let won = match choice.preference {
                Some(Preference::First) => 1.0,
                Some(Preference::Second) => 0.0,
                _ => continue,
            };
            let nudge = match choice.toward {
                Toward::Neither => 0.0,
                Toward::First => 1.0,
                Toward::Second => -1.0,
            };
            let eta = at[choice.first] - at[choice.second] + at[VALUES] + at[VALUES + 1] * nudge;
            let slope = 1.0 / (1.0 + (-eta).exp()) - won;
            gradient[choice.first] += slope;
            gradient[choice.second] -= slope;
            gradient[VALUES] += slope;
            gradient[VALUES + 1] += slope * nudge;
        }
        if gradient
            .iter()
            .map(|slope| slope * slope)
            .sum::<f64>()
            .sqrt()
            < 1e-7
        {
            return (at, step);
        }
        // The two shared terms are as steep as all comparisons together.
        let rates = std::iter::repeat_n(0.04, VALUES).chain([1.5e-5; 2]);
        for ((at, slope), rate) in at.iter_mut().zip(&gradient).zip(rates) {
            *at -= rate * slope;
        }
    }
    unreachable!("the loop ends by returning")
}

fn main() {
    let models = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(12_u64);
    let studies: Vec<Vec<NudgedComparison>> = (0..models).map(choices).collect();
    let params = RankingParams::default()
        .shrinkage(Shrinkage::Ridge { strength: STRENGTH })
        .standard_errors(StandardErrors::Skip);

    let logistic = params.clone().ties(Ties::Drop);
    let (at, steps) = timed("naive: gradient descent, one model, no split", || {
        descend(&studies[0])
    });
    let found = timed("fit, one model, no split", || {
        bradley_terry(VALUES, &studies[0], &logistic).expect("values in range")
    });
    let mean = at[..VALUES].iter().sum::<f64>() / VALUES as f64;
    for (item, theta) in found.items.iter().zip(&at) {
        assert!(
            (item.theta - (theta - mean)).abs() < 1e-5,
            "{item:?} {theta}"
        );
    }
    assert!(steps > 10 && found.converged);

    let all = timed(
        &format!("{models} models, ties modelled, with {SPLITS} splits each"),
        || {
            let rank = |choices: &Vec<NudgedComparison>| {
                let whole = bradley_terry(VALUES, choices, &params).expect("values in range");
                let held =
                    held_out(VALUES, choices, &params, SPLITS, 5, 1).expect("values in range");
                (whole, held)
            };
            studies.iter().map(rank).collect::<Vec<_>>()
        },
    );
    for (whole, held) in &all {
        assert!(whole.converged && held.splits == SPLITS);
        assert!(
            held.accuracy.is_some_and(|accuracy| accuracy > 0.6),
            "{held:?}"
        );
    }

    let exact = params.standard_errors(StandardErrors::Exact);
    let sure = timed("fit with exact standard errors, one model", || {
        bradley_terry(VALUES, &studies[0], &exact).expect("values in range")
    });
    assert!(sure.items.iter().all(|item| item.standard_error.is_some()));
}
