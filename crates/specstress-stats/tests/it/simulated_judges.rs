//! Known truth, many draws: Dawid-Skene is unbiased; draws are seeded.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::ndarray::Array2;
use specstress_stats::{DawidSkeneParams, dawid_skene};

#[test]
fn dawid_skene_finds_prevalence_and_accuracy() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (prevalence, se, sp) = (0.35, [0.9, 0.8, 0.7, 0.85], [0.95, 0.9, 0.75, 0.8]);
    let mut sums = [0.0; 9];
    let rounds = 40;
    for _ in 0..rounds {
        let votes = Array2::from_shape_vec(
            (1500, 4),
            (0..1500)
                .flat_map(|_| {
                    let truth = rng.random_bool(prevalence);
                    let votes: Vec<Option<u32>> = (0..4)
                        .map(|j| {
                            let yes = rng.random_bool(if truth { se[j] } else { 1.0 - sp[j] });
                            let present = rng.random_bool(0.9);
                            present.then_some(u32::from(yes))
                        })
                        .collect();
                    votes
                })
                .collect(),
        )
        .unwrap();
        let found = dawid_skene(votes.view(), &DawidSkeneParams::default()).unwrap();
        assert!(found.converged);
        assert_eq!(found.n + found.dropped, 1500);
        sums[0] += found.prevalence[1];
        for (j, judge) in found.judges.iter().enumerate() {
            sums[1 + j] += judge.confusion[1][1];
            sums[5 + j] += judge.confusion[0][0];
        }
    }
    let truth = [prevalence].into_iter().chain(se).chain(sp);
    for (sum, truth) in sums.iter().zip(truth) {
        let mean = sum / f64::from(rounds);
        assert!((mean - truth).abs() < 0.015, "{mean} for {truth}");
    }
}

#[cfg(feature = "bootstrap")]
mod clustered {
    use specstress_stats::{Bootstrap, Coefficient, agreement_bootstrap};

    use super::*;

    /// Three judges on triples that share their difficulty.
    fn triples(rng: &mut ChaCha8Rng, clusters: usize) -> (Array2<Option<u32>>, Vec<u64>) {
        let mut flat = Vec::new();
        let mut names = Vec::new();
        for cluster in 0..clusters {
            let p = if rng.random_bool(0.5) { 0.9 } else { 0.15 };
            for _ in 0..3 {
                names.push(cluster as u64);
                flat.extend((0..3).map(|_| Some(u32::from(rng.random_bool(p)))));
            }
        }
        let ratings = Array2::from_shape_vec((clusters * 3, 3), flat).unwrap();
        (ratings, names)
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_the_order_of_subjects_does_not_matter() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let (ratings, names) = triples(&mut rng, 20);
        let interval = |ratings: &Array2<Option<u32>>, names: &[u64], seed| {
            let draws = Bootstrap::new(200, seed).unwrap();
            agreement_bootstrap(
                ratings.view(),
                None,
                Coefficient::Fleiss,
                Some(names),
                &draws,
            )
            .unwrap()
            .bootstrap
        };
        let one = interval(&ratings, &names, 1);
        let order: Vec<usize> = (0..60).rev().collect();
        let turned = ratings.select(specstress_stats::ndarray::Axis(0), &order);
        let turned_names: Vec<u64> = names.iter().rev().copied().collect();
        assert_eq!(one, interval(&turned, &turned_names, 1));
        assert_ne!(one, interval(&ratings, &names, 2));
        // The stream of each draw is fixed: these bits are a promise.
        let low = one.interval.unwrap().low;
        assert!((low - 0.440_238_761_100_435_4).abs() < 1e-12, "{low}");
    }
}
