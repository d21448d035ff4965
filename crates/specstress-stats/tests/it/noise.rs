//! Noise within models, against a library and against known truth.

use specstress_stats::ndarray::{Array2, array};
use specstress_stats::{StatsError, Threshold, noise_floor, variance_components};

fn close(found: Option<f64>, wanted: f64) {
    assert!((found.unwrap() - wanted).abs() < 1e-9, "{found:?} {wanted}");
}

/// scipy 1.12.0, `stats.f_oneway`, and numpy 1.26.4 by the formulas.
#[test]
fn components_match_the_analysis_of_variance() {
    let balanced = array![[3_u8, 4, 3], [0, 1, 0], [6, 5, 6], [2, 2, 3]];
    let found = variance_components(balanced.view()).unwrap();
    close(found.within, 0.333_333_333_333_333_37);
    close(found.between, 4.805_555_555_555_555);
    close(found.icc, 0.935_135_135_135_135_1);
    close(found.f, 44.25);
    close(found.net, (4.805_555_555_555_555_f64 * 0.75).sqrt());

    let uneven = array![
        [Some(3.0), Some(4.0), Some(3.0), None],
        [Some(0.0), None, None, Some(1.0)],
        [Some(6.0), Some(5.0), Some(6.0), Some(6.0)],
        [Some(2.0), Some(2.0), Some(3.0), None],
        [None, None, None, None]
    ];
    let found = variance_components(uneven.view()).unwrap();
    close(found.within, 0.322_916_666_666_666_7);
    close(found.between, 4.682_783_018_867_924);
    close(found.f, 43.698_924_731_182_63);
    assert_eq!((found.models, found.n, found.dropped), (4, 12, 8));
}

#[test]
fn components_that_cannot_be_known_are_none() {
    let once = variance_components(array![[1_u8], [5], [2]].view()).unwrap();
    assert_eq!((once.within, once.between, once.net), (None, None, None));
    let lone = variance_components(array![[1_u8, 2]].view()).unwrap();
    assert_eq!((lone.within, lone.between), (Some(0.5), None));
    let equal = variance_components(Array2::from_elem((3, 2), 4_u8).view()).unwrap();
    assert_eq!((equal.net, equal.icc, equal.f), (Some(0.0), None, None));
    assert!(variance_components(Array2::<u8>::zeros((0, 2)).view()).is_err());
    assert_eq!(
        noise_floor(&[None], 0.95, Threshold::default())
            .unwrap()
            .floor,
        None
    );
    assert!(matches!(
        noise_floor(&[], 1.5, Threshold::default()),
        Err(StatsError::Parameter { .. })
    ));
}

#[cfg(feature = "bootstrap")]
mod simulated {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};
    use specstress_stats::ndarray::Array4;
    use specstress_stats::{NoiseParams, Permutations, disagreement_noise, normal_quantile};

    use super::*;

    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        normal_quantile(rng.random_range(1e-12..1.0)).unwrap()
    }

    #[test]
    fn components_are_unbiased() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let (mut between, mut within) = (0.0, 0.0);
        let rounds = 4000;
        for _ in 0..rounds {
            let mut samples = Array2::from_elem((8, 3), None);
            for mut model in samples.rows_mut() {
                let mean = normal(&mut rng);
                model.mapv_inplace(|_| rng.random_bool(0.9).then(|| mean + 0.7 * normal(&mut rng)));
            }
            let found = variance_components(samples.view()).unwrap();
            between += found.between.unwrap() / f64::from(rounds);
            within += found.within.unwrap() / f64::from(rounds);
        }
        assert!((between - 1.0).abs() < 0.04, "{between}");
        assert!((within - 0.49).abs() < 0.01, "{within}");
    }

    /// 80 scenarios of pure noise that often reach 1.5 in one sample, 20 with a real split.
    fn study(rng: &mut ChaCha8Rng) -> Array4<Option<u8>> {
        let mut samples = Array4::from_elem((100, 6, 2, 4), None);
        for ((scenario, model, value, _), score) in samples.indexed_iter_mut() {
            let noise = rng.random_range(0..=5_u8);
            *score = Some(match (scenario < 80, value, model % 2) {
                (true, ..) | (_, 1, _) => noise,
                (false, _, 0) => noise / 4,
                (false, ..) => 6 - noise / 4,
            });
        }
        samples
    }

    #[test]
    fn the_false_discovery_rate_is_held_and_real_splits_are_found() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let (mut share, mut found_real, mut false_flags) = (0.0, 0, 0);
        let rounds = 30;
        for seed in 0..rounds {
            let samples = study(&mut rng);
            let params = NoiseParams::new(Permutations::new(399, seed).unwrap());
            let found = disagreement_noise(samples.view(), &params).unwrap();
            let findings: Vec<usize> = (0..100)
                .filter(|&at| found.scenarios[at].adjusted.unwrap() <= 0.05)
                .collect();
            let wrong = findings.iter().filter(|at| **at < 80).count();
            share += wrong as f64 / findings.len().max(1) as f64;
            found_real += findings.len() - wrong;
            false_flags += found.scenarios[..80].iter().filter(|s| s.flagged).count();
            let standing = found.scenarios.iter().filter(|s| s.survives).count();
            assert_eq!(standing as u64, found.surviving.successes);
        }
        // The rule promises 0.05 times the share of true nulls, 0.04.
        assert!(share / (rounds as f64) < 0.06, "{share}");
        assert!(found_real > 590, "{found_real} of 600");
        // Without the noise floor these would all have been reported.
        assert!(false_flags > 1000, "{false_flags}");
    }

    #[test]
    fn missing_samples_are_left_out_and_a_lone_sample_has_no_p_value() {
        let mut samples = Array4::from_elem((2, 3, 1, 2), Some(1_u8));
        samples[[0, 0, 0, 1]] = None;
        for model in 0..3 {
            samples[[1, model, 0, 1]] = None;
        }
        let params = NoiseParams::new(Permutations::new(99, 1).unwrap());
        let found = disagreement_noise(samples.view(), &params).unwrap();
        assert_eq!((found.n, found.dropped), (1, 1));
        assert_eq!(found.scenarios[0].p, Some(1.0));
        assert_eq!((found.scenarios[1].p, found.scenarios[1].net), (None, None));
        assert_eq!(found.scenarios[0].per_value[0].n, 5);
    }
}
