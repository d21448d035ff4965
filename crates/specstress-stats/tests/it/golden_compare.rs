//! Paired tests and adjusted p-values against public libraries; `tests/golden/golden.py` prints the numbers.

use proptest::prelude::*;
use specstress_stats::{
    Adjustment, Confidence, StatsError, adjust_p_values, mcnemar, wilcoxon_signed_rank,
};

fn close(found: f64, wanted: f64) {
    assert!(
        (found - wanted).abs() <= 1e-9 * wanted.abs(),
        "{found} {wanted}"
    );
}

fn changes(only_first: usize, only_second: usize) -> (Vec<Option<bool>>, Vec<Option<bool>>) {
    let mut pairs = vec![(Some(true), Some(false)); only_first];
    pairs.extend(vec![(Some(false), Some(true)); only_second]);
    pairs.extend([(Some(true), Some(true)), (None, Some(true))]);
    pairs.into_iter().unzip()
}

/// statsmodels 0.15.0, `mcnemar(exact=True)`.
#[test]
fn mcnemar_matches_statsmodels() {
    for (b, c, p) in [
        (5, 15, 0.041_389_465_332_031_25),
        (0, 7, 0.015_625),
        (10, 10, 1.0),
        (100, 140, 0.011_664_092_317_677_711),
        (1, 0, 1.0),
    ] {
        let (first, second) = changes(b, c);
        let found = mcnemar(&first, &second, Confidence::default()).unwrap();
        close(found.p, p);
        assert_eq!((found.n, found.dropped), (b + c + 1, 1));
        let swapped = mcnemar(&second, &first, Confidence::default()).unwrap();
        close(swapped.p, p);
        let (a, b) = (found.interval.unwrap(), swapped.interval.unwrap());
        assert!((a.low + b.high).abs() < 1e-12);
    }
    let none = mcnemar(&[None], &[Some(true)], Confidence::default()).unwrap();
    assert_eq!((none.difference, none.p, none.n), (None, 1.0, 0));
}

/// scipy 1.12.0, `wilcoxon`, exact and `mode="approx"` without correction.
#[test]
fn wilcoxon_matches_scipy() {
    let zeros = [Some(0.0); 10];
    let d = [1.1, -0.4, 2.3, 0.7, -1.9, 3.1, 0.2, 1.6, -0.8, 2.2].map(Some);
    let found = wilcoxon_signed_rank(&zeros, &d).unwrap();
    assert!(found.exact);
    close(found.p, 0.160_156_25);
    close(found.rank_sum, 55.0 - 13.0);

    let d = [
        1, -1, 2, 0, 3, -2, 1, 1, 0, 2, -1, 3, 4, 1, -3, 2, 2, 1, 0, 1,
    ]
    .map(|d| Some(f64::from(d)));
    let found = wilcoxon_signed_rank(&[Some(0.0); 20], &d).unwrap();
    assert!(!found.exact);
    close(found.z.unwrap(), 1.994_938_714_275_357_4);
    close(found.p, 0.046_049_564_449_894_21);
    assert_eq!((found.n, found.unchanged), (17, 3));

    let still = wilcoxon_signed_rank(&zeros, &zeros).unwrap();
    assert_eq!((still.p, still.z, still.n), (1.0, None, 0));
    assert!(wilcoxon_signed_rank(&[Some(f64::NAN)], &[None]).is_err());
}

/// statsmodels 0.15.0, `multipletests` with `fdr_bh`, `fdr_by` and `holm`.
#[test]
fn adjusted_p_values_match_statsmodels() {
    let p = [
        0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.9, 0.02, 0.5,
    ]
    .map(Some);
    let third = 0.255_272_727_272_727_26;
    for (method, wanted) in [
        (
            Adjustment::BenjaminiHochberg,
            [
                0.013,
                0.052,
                0.091,
                0.091,
                0.091,
                0.111_428_571_428_571_43,
                0.120_25,
                third,
                third,
                third,
                0.9,
                0.086_666_666_666_666_67,
                0.541_666_666_666_666_6,
            ],
        ),
        (
            Adjustment::BenjaminiYekutieli,
            [
                0.041_341_738_816_738_81,
                0.165_366_955_266_955_25,
                0.289_392_171_717_171_74,
                0.289_392_171_717_171_74,
                0.289_392_171_717_171_74,
                0.354_357_761_286_332_73,
                0.382_411_084_054_834,
                0.811_801_416_765_053,
                0.811_801_416_765_053,
                0.811_801_416_765_053,
                1.0,
                0.275_611_592_111_592_14,
                1.0,
            ],
        ),
        (
            Adjustment::Holm,
            [
                0.013, 0.096, 0.39, 0.39, 0.39, 0.42, 0.444, 1.0, 1.0, 1.0, 1.0, 0.22, 1.0,
            ],
        ),
    ] {
        let found = adjust_p_values(&p, method).unwrap();
        for (found, wanted) in found.p.iter().zip(wanted) {
            close(found.unwrap(), wanted);
        }
    }
    assert!(matches!(
        adjust_p_values(&[Some(1.1)], Adjustment::Holm),
        Err(StatsError::Parameter { value, .. }) if value > 1.0
    ));
}

proptest! {
    #[test]
    fn adjustment_follows_the_step_rule(
        p in prop::collection::vec(prop::option::weighted(0.9, 0.0_f64..1.0), 0..20)
    ) {
        // The definition of the procedure: with k the largest rank such that
        // p_(k) <= k level / m, the k smallest are findings.
        let found = adjust_p_values(&p, Adjustment::BenjaminiHochberg).unwrap();
        let mut sorted: Vec<f64> = p.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let m = sorted.len() as f64;
        for level in [0.05, 0.2, 0.6] {
            let passes = |(i, p): (usize, &f64)| (*p <= (i + 1) as f64 * level / m).then_some(i + 1);
            let k = sorted.iter().enumerate().filter_map(passes).max().unwrap_or(0);
            prop_assert_eq!(found.findings(level).count(), k);
        }
        let holm = adjust_p_values(&p, Adjustment::Holm).unwrap();
        let most = adjust_p_values(&p, Adjustment::Bonferroni).unwrap();
        for ((a, b), c) in found.p.iter().zip(&holm.p).zip(&most.p) {
            let [a, b, c] = [a, b, c].map(|p| p.unwrap_or(0.0));
            prop_assert!(a <= b + 1e-12 && b <= c + 1e-12);
        }
    }
}

#[cfg(feature = "bootstrap")]
mod permuted {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};
    use specstress_stats::{Permutations, paired_permutation};

    use super::*;

    proptest! {
        #[test]
        fn few_clusters_are_permuted_exactly(
            d in prop::collection::vec(-3_i32..=3, 1..9), width in 1_usize..3
        ) {
            let zeros = vec![Some(0.0); d.len()];
            let second: Vec<_> = d.iter().map(|&d| Some(f64::from(d))).collect();
            let names: Vec<u64> = (0..d.len()).map(|i| (i / width) as u64).collect();
            let params = Permutations::new(4096, 1).unwrap();
            let found = paired_permutation(&zeros, &second, Some(&names), &params).unwrap();
            prop_assert!(found.exact);
            let sums: Vec<i32> = d.chunks(width).map(|chunk| chunk.iter().sum()).collect();
            let total: i32 = sums.iter().sum();
            let far = (0..1_usize << sums.len())
                .filter(|pattern| {
                    let sum: i32 = sums
                        .iter()
                        .enumerate()
                        .map(|(i, s)| if pattern >> i & 1 == 1 { -s } else { *s })
                        .sum();
                    sum.abs() >= total.abs()
                })
                .count();
            let wanted = far as f64 / (1_usize << sums.len()) as f64;
            prop_assert!((found.p - wanted).abs() < 1e-12);
        }
    }

    #[test]
    fn sampled_and_exact_p_values_agree_and_the_level_is_held() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut rejected = 0;
        for round in 0..1000 {
            let second: Vec<_> = (0..30)
                .map(|_| Some(f64::from(rng.random_range(-3..=3))))
                .collect();
            let params = Permutations::new(199, round).unwrap();
            let found = paired_permutation(&[Some(0.0); 30], &second, None, &params).unwrap();
            assert!(!found.exact);
            rejected += u32::from(found.p <= 0.05);
        }
        assert!((30..=70).contains(&rejected), "{rejected}");

        let second: Vec<_> = (0..12).map(|i| Some(f64::from(i) - 4.0)).collect();
        let zeros = [Some(0.0); 12];
        let all = Permutations::new(4096, 0).unwrap();
        let some = Permutations::new(4095, 3).unwrap();
        let exact = paired_permutation(&zeros, &second, None, &all).unwrap();
        let sampled = paired_permutation(&zeros, &second, None, &some).unwrap();
        assert!(exact.exact && !sampled.exact);
        assert!((exact.p - sampled.p).abs() < 0.03, "{exact:?} {sampled:?}");
    }
}
