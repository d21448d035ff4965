//! The heavy statistics at the size of the published study, each against the naive method: disagreement of
//! 411,000 scenarios x 12 models x 2 values for six panels, and Fleiss' kappa of 25,000 responses x 3 judges with
//! 10,000 clustered bootstrap draws (the naive method makes 20), and the ranking of 3,307 values from 132,000
//! comparisons with 5 held-out splits (the naive method makes 20 plain gradient steps, of the thousands it needs).

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::ndarray::{Array2, Array3, Axis};
use specstress_stats::{
    Bootstrap, Coefficient, DisagreementParams, NudgedComparison, PanelDisagreement, Preference,
    RankingParams, StandardErrors, Toward, agreement_bootstrap, bradley_terry, disagreement,
    disagreement_panels, fleiss_kappa, held_out,
};

const SCENARIOS: usize = 411_000;
const PANELS: [&[usize]; 6] = [
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    &[0, 1, 2, 3, 4],
    &[6, 7, 8, 10, 11],
    &[3, 4],
    &[6, 7],
    &[10, 11],
];

fn scores() -> Array3<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    Array3::from_shape_fn((SCENARIOS, 12, 2), |(scenario, ..)| {
        if scenario % 2 == 0 {
            rng.random_range(2..=4)
        } else {
            rng.random_range(0..=6)
        }
    })
}

/// The same figures from one call per scenario and panel.
fn one_by_one(scores: &Array3<u8>) -> Vec<Vec<(Option<f64>, bool)>> {
    let params = DisagreementParams::default();
    let panel = |panel: &&[usize]| {
        let scenario = |matrix| disagreement(matrix, Some(panel), &params).expect("full panels");
        let all = scores.axis_iter(Axis(0)).map(scenario);
        all.map(|found| (found.max, found.high)).collect()
    };
    PANELS.iter().map(panel).collect()
}

fn in_one_pass(scores: &Array3<u8>) -> Vec<Vec<PanelDisagreement>> {
    disagreement_panels(scores.view(), &PANELS, &DisagreementParams::default())
        .expect("full panels")
}

fn votes() -> (Array2<Option<u32>>, Vec<u64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut flat = Vec::new();
    for _ in 0..25_000 {
        let p = if rng.random_bool(0.4) { 0.8 } else { 0.15 };
        flat.extend((0..3).map(|_| Some(u32::from(rng.random_bool(p)))));
    }
    let clusters = (0..25_000).map(|response| response / 5).collect();
    (
        Array2::from_shape_vec((25_000, 3), flat).expect("25,000 x 3"),
        clusters,
    )
}

/// Builds every resampled table and measures it from scratch.
fn rebuilt(votes: &Array2<Option<u32>>, draws: u64) -> Vec<Option<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let draw = |_| {
        let rows: Vec<usize> = (0..5_000)
            .flat_map(|_| {
                let cluster = rng.random_range(0..5_000);
                5 * cluster..5 * cluster + 5
            })
            .collect();
        fleiss_kappa(votes.select(Axis(0), &rows).view())
            .expect("three judges")
            .kappa
    };
    (0..draws).map(draw).collect()
}

const VALUES: usize = 3_307;

fn choices() -> Vec<NudgedComparison> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
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
    (0..132_000).map(choice).collect()
}

/// Plain gradient descent on the utilities, ties dropped.
fn descend(choices: &[NudgedComparison], steps: usize) -> Vec<f64> {
    let mut theta = vec![0.0; VALUES];
    for _ in 0..steps {
        let mut gradient = theta.clone();
        for choice in choices {
            let won = match choice.preference {
                Some(Preference::First) => 1.0,
                Some(Preference::Second) => 0.0,
                _ => continue,
            };
            let eta: f64 = theta[choice.first] - theta[choice.second];
            let slope = 1.0 / (1.0 + (-eta).exp()) - won;
            gradient[choice.first] += slope;
            gradient[choice.second] -= slope;
        }
        for (theta, slope) in theta.iter_mut().zip(&gradient) {
            *theta -= 0.02 * slope;
        }
    }
    theta
}

fn main() {
    let scores = scores();
    for (quick, slow) in in_one_pass(&scores).iter().zip(one_by_one(&scores)) {
        assert!(
            quick
                .iter()
                .map(|found| (found.max(), found.is_high()))
                .eq(slow)
        );
    }
    let (votes, clusters) = votes();
    let sure = |draws| {
        let draws = Bootstrap::new(draws, 1).expect("above 0");
        agreement_bootstrap(
            votes.view(),
            None,
            Coefficient::Fleiss,
            Some(&clusters),
            &draws,
        )
        .expect("three judges")
    };
    let interval = sure(2_000).bootstrap.interval.expect("two labels");
    let inside = rebuilt(&votes, 20).into_iter().flatten();
    assert!(
        inside
            .filter(|kappa| interval.low <= *kappa && *kappa <= interval.high)
            .count()
            >= 15
    );
    let choices = choices();
    let ranking = RankingParams::default().standard_errors(StandardErrors::Skip);
    let fitted = bradley_terry(VALUES, &choices, &ranking).expect("values in range");
    assert!(fitted.converged);
    let (mut same, descended) = (0, descend(&choices, 60));
    for (item, theta) in fitted.items.iter().zip(&descended) {
        same += usize::from((item.theta > 0.0) == (*theta > 0.0));
    }
    assert!(same > VALUES * 9 / 10, "{same}");

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("stats/disagreement/411000x12x2/six_panels");
    group.throughput(Throughput::Elements(SCENARIOS as u64));
    group.bench_function("one_by_one", |bencher| {
        bencher.iter(|| one_by_one(black_box(&scores)));
    });
    group.bench_function("in_one_pass", |bencher| {
        bencher.iter(|| in_one_pass(black_box(&scores)));
    });
    group.finish();
    let mut group = criterion.benchmark_group("stats/fleiss/25000x3/clustered");
    group.bench_function("rebuilt/20_draws", |bencher| {
        bencher.iter(|| rebuilt(black_box(&votes), 20));
    });
    group.bench_function("sums/10000_draws", |bencher| {
        bencher.iter(|| sure(black_box(10_000)));
    });
    group.finish();
    let mut group = criterion.benchmark_group("stats/ranking/3307x132000");
    group.bench_function("descend/20_steps", |bencher| {
        bencher.iter(|| descend(black_box(&choices), 20));
    });
    group.bench_function("fit", |bencher| {
        bencher.iter(|| bradley_terry(VALUES, black_box(&choices), &ranking));
    });
    group.bench_function("held_out/5_splits", |bencher| {
        bencher.iter(|| held_out(VALUES, black_box(&choices), &ranking, 5, 5, 1));
    });
    group.finish();
    criterion.final_summary();
}
