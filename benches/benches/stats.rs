//! The heavy statistics at the size of the published study, each against the naive method: disagreement of
//! 411,000 scenarios x 12 models x 2 values for six panels, and Fleiss' kappa of 25,000 responses x 3 judges with
//! 10,000 clustered bootstrap draws (the naive method makes 20). On one core. The rankings have a benchmark of their
//! own.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_benches::timed;
use specstress_stats::ndarray::{Array2, Array3, ArrayView2, Axis};
use specstress_stats::{
    Bootstrap, Coefficient, DisagreementParams, PanelDisagreement, PanelDisagreements,
    agreement_bootstrap, disagreement_panels, fleiss_kappa,
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

/// The textbook: mean and squares per scenario, panel and value, and the flag in integers.
fn textbook(scores: &Array3<u8>) -> Vec<Vec<(f64, bool)>> {
    let one = |panel: &[usize], matrix: ArrayView2<'_, u8>| {
        let n = panel.len();
        let (mut largest, mut high) = (0.0_f64, false);
        for value in 0..2 {
            let column = || panel.iter().map(|&model| matrix[[model, value]]);
            let mean = column().map(f64::from).sum::<f64>() / n as f64;
            let squares: f64 = column()
                .map(|score| (f64::from(score) - mean).powi(2))
                .sum();
            largest = largest.max((squares / n as f64).sqrt());
            let sum: u64 = column().map(u64::from).sum();
            let squares: u64 = column().map(|score| u64::from(score).pow(2)).sum();
            let n = n as u64;
            high |= 4 * (n * squares - sum * sum) >= 9 * n * n;
        }
        (largest, high)
    };
    let panel = |panel: &&[usize]| scores.axis_iter(Axis(0)).map(|m| one(panel, m)).collect();
    PANELS.iter().map(panel).collect()
}

fn in_one_pass(scores: &Array3<u8>) -> Vec<PanelDisagreements> {
    disagreement_panels(scores.view(), &PANELS, &DisagreementParams::default())
        .expect("full panels")
}

/// Sum of all disagreements, and how many are high.
fn read(found: &[PanelDisagreements]) -> (f64, usize) {
    let all = || found.iter().flat_map(PanelDisagreements::iter);
    (
        all().filter_map(|found| found.max()).sum(),
        all().filter(PanelDisagreement::is_high).count(),
    )
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
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    one_core.expect("a thread").install(measure);
}

fn measure() {
    let scores = scores();
    for (quick, slow) in in_one_pass(&scores).iter().zip(textbook(&scores)) {
        for (quick, (largest, high)) in quick.iter().zip(slow) {
            assert!(quick.max().is_some_and(|max| (max - largest).abs() < 1e-12));
            assert_eq!(quick.is_high(), high);
        }
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
    timed("disagreement, textbook", || black_box(textbook(&scores)));
    timed("disagreement, 10 times in one pass", || {
        for _ in 0..10 {
            black_box(in_one_pass(black_box(&scores)));
        }
    });
    timed("disagreement, 10 times in one pass, and read", || {
        for _ in 0..10 {
            black_box(read(&in_one_pass(black_box(&scores))));
        }
    });
    timed("kappa, 10,000 draws", || black_box(sure(10_000)));

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("stats/disagreement/411000x12x2/six_panels");
    group.throughput(Throughput::Elements(SCENARIOS as u64));
    group.bench_function("textbook", |bencher| {
        bencher.iter(|| textbook(black_box(&scores)));
    });
    group.bench_function("in_one_pass", |bencher| {
        bencher.iter(|| in_one_pass(black_box(&scores)));
    });
    // The same, and every D as a number and every flag read once.
    group.bench_function("in_one_pass_and_read", |bencher| {
        bencher.iter(|| read(&in_one_pass(black_box(&scores))));
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
    criterion.final_summary();
}
