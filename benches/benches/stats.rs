//! The heavy statistics at the size of the published study, each against the naive method: disagreement of
//! 411,000 scenarios x 12 models x 2 values for six panels, and Fleiss' kappa of 25,000 responses x 3 judges with
//! 10,000 clustered bootstrap draws (the naive method makes 20).

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::ndarray::{Array2, Array3, Axis};
use specstress_stats::{
    Bootstrap, Coefficient, DisagreementParams, PanelDisagreement, agreement_bootstrap,
    disagreement, disagreement_panels, fleiss_kappa,
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

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("stats/disagreement/411000x12x2/six_panels");
    group.throughput(Throughput::Elements(SCENARIOS as u64));
    group.bench_function("one_by_one", |bencher| {
        bencher.iter(|| one_by_one(black_box(&scores)))
    });
    group.bench_function("in_one_pass", |bencher| {
        bencher.iter(|| in_one_pass(black_box(&scores)))
    });
    group.finish();
    let mut group = criterion.benchmark_group("stats/fleiss/25000x3/clustered");
    group.bench_function("rebuilt/20_draws", |bencher| {
        bencher.iter(|| rebuilt(black_box(&votes), 20))
    });
    group.bench_function("sums/10000_draws", |bencher| {
        bencher.iter(|| sure(black_box(10_000)))
    });
    group.finish();
    criterion.final_summary();
}
