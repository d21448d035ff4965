//! Disagreement of 100,000 scenarios x 12 models x 2 values: a textbook loop over scenarios, the crate called
//! once per scenario, and the crate called once for all.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::ndarray::{Array3, ArrayView2, Axis};
use specstress_stats::{
    Disagreement, DisagreementParams, StatsError, disagreement, disagreement_batch,
};

const SCENARIOS: usize = 100_000;
const MODELS: usize = 12;
const VALUES: usize = 2;

/// Half of the scenarios lean one way and half split, so that both sides of the bar are well filled.
fn scores() -> Array3<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    Array3::from_shape_fn((SCENARIOS, MODELS, VALUES), |(scenario, ..)| {
        if scenario % 2 == 0 {
            rng.random_range(2..=4)
        } else {
            rng.random_range(0..=6)
        }
    })
}

/// The largest population standard deviation of a column, and whether it reaches 1.5, in integers.
#[expect(
    clippy::needless_pass_by_value,
    reason = "views are passed by value, as slices are"
)]
fn textbook(scores: ArrayView2<'_, u8>) -> (f64, bool) {
    let n = scores.nrows();
    let mut largest: f64 = 0.0;
    let mut high = false;
    for column in scores.columns() {
        let mean = column.iter().map(|&score| f64::from(score)).sum::<f64>() / n as f64;
        let squares: f64 = column
            .iter()
            .map(|&score| (f64::from(score) - mean).powi(2))
            .sum();
        largest = largest.max((squares / n as f64).sqrt());
        let sum: u64 = column.iter().map(|&score| u64::from(score)).sum();
        let sum_of_squares: u64 = column.iter().map(|&score| u64::from(score).pow(2)).sum();
        let n = n as u64;
        high |= 4 * (n * sum_of_squares - sum * sum) >= 9 * n * n;
    }
    (largest, high)
}

fn per_scenario(scores: &Array3<u8>) -> Result<Vec<Disagreement>, StatsError> {
    let params = DisagreementParams::default();
    scores
        .axis_iter(Axis(0))
        .map(|matrix| disagreement(matrix, None, &params))
        .collect()
}

fn batch(scores: &Array3<u8>) -> Result<Vec<Disagreement>, StatsError> {
    disagreement_batch(scores.view(), None, &DisagreementParams::default())
}

fn assert_equal(scores: &Array3<u8>) {
    let all = batch(scores).expect("scores of a full panel");
    assert_eq!(all, per_scenario(scores).expect("scores of a full panel"));
    assert_eq!(all.len(), SCENARIOS);
    for (found, matrix) in all.iter().zip(scores.axis_iter(Axis(0))) {
        let (largest, high) = textbook(matrix);
        assert!(found.max.is_some_and(|max| (max - largest).abs() < 1e-12));
        assert_eq!(found.high, high);
    }
    let high = all.iter().filter(|found| found.high).count();
    assert!((SCENARIOS / 3..SCENARIOS).contains(&high), "{high} high");
}

fn main() {
    let scores = scores();
    assert_equal(&scores);

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("disagreement/100000x12x2");
    group.throughput(Throughput::Elements(SCENARIOS as u64));
    group.bench_function("textbook", |bencher| {
        bencher.iter(|| -> Vec<(f64, bool)> {
            black_box(&scores)
                .axis_iter(Axis(0))
                .map(textbook)
                .collect()
        });
    });
    group.bench_function("per_scenario", |bencher| {
        bencher.iter(|| per_scenario(black_box(&scores)));
    });
    group.bench_function("batch", |bencher| {
        bencher.iter(|| batch(black_box(&scores)));
    });
    group.finish();
    criterion.final_summary();
}
