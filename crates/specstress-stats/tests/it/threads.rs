//! The same bits on any number of threads.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::ndarray::{Array2, Array3, Array4};
use specstress_stats::{
    Bootstrap, Coefficient, DisagreementParams, NoiseParams, Permutations, RankingParams,
    agreement_bootstrap, disagreement_noise, disagreement_panels, held_out, paired_permutation,
};

use crate::ranking::simulate;

/// Asserts that work gives the same on one thread and on several.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug + Send>(work: impl Fn() -> T + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(&work)
    };
    let one = on(1);
    for threads in [2, 5] {
        assert_eq!(one, on(threads), "{threads} threads");
    }
}

#[test]
fn draws_splits_and_permutations() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let ratings = Array2::from_shape_fn((90, 3), |_| Some(rng.random_range(0..3_u32)));
    let names: Vec<u64> = (0..90).map(|row| row / 3).collect();
    same(|| {
        let draws = Bootstrap::new(300, 7).unwrap();
        agreement_bootstrap(
            ratings.view(),
            None,
            Coefficient::Fleiss,
            Some(&names),
            &draws,
        )
        .unwrap()
    });
    let second: Vec<_> = (0..40)
        .map(|_| Some(f64::from(rng.random_range(-3..=4))))
        .collect();
    same(|| {
        let params = Permutations::new(500, 3).unwrap();
        paired_permutation(&[Some(0.0); 40], &second, None, &params).unwrap()
    });
    let samples = Array4::from_shape_fn((12, 4, 2, 3), |_| rng.random_range(0..=6_u8));
    same(|| {
        let params = NoiseParams::new(Permutations::new(99, 1).unwrap());
        disagreement_noise(samples.view(), &params).unwrap()
    });
    let choices = simulate(&mut rng, &[0.5, 0.2, 0.0, -0.7], 400);
    same(|| held_out(4, &choices, &RankingParams::default(), 7, 2, 1).unwrap());
}

/// More scenarios than one thread is handed at a time, some of them with gaps and large scores.
#[test]
fn panels_over_many_chunks_are_those_of_their_parts() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let scores = Array3::from_shape_fn((9_000, 4, 2), |(scenario, ..)| {
        let high = if scenario % 700 == 0 { 900_u16 } else { 6 };
        rng.random_bool(0.999).then(|| rng.random_range(0..=high))
    });
    let panels: [&[usize]; 2] = [&[0, 1, 2, 3], &[1, 3]];
    let params = DisagreementParams::default();
    same(|| disagreement_panels(scores.view(), &panels, &params).unwrap());
    let whole = disagreement_panels(scores.view(), &panels, &params).unwrap();
    for cut in [1, 64, 4_096, 5_000] {
        let (first, second) = scores
            .view()
            .split_at(specstress_stats::ndarray::Axis(0), cut);
        let parts =
            [first, second].map(|part| disagreement_panels(part, &panels, &params).unwrap());
        for (panel, whole) in whole.iter().enumerate() {
            let joined = parts[0][panel].iter().chain(parts[1][panel].iter());
            assert!(whole.iter().eq(joined), "cut at {cut}");
        }
    }
}
