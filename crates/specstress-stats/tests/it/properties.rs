use proptest::prelude::*;
use specstress_stats::ndarray::{Array1, Array2, Axis};
use specstress_stats::{
    Bins, Confidence, DisagreementParams, OutlierParams, Ratio, SampleStd, Threshold,
    agreement_matrix, disagreement, fleiss_kappa, fleiss_kappa_counts, outliers, pearson, spearman,
    wilson_interval,
};

/// Every multiset of scores 0 to 6 of the given size, as rising vectors.
fn multisets(size: usize) -> Vec<Vec<u8>> {
    let mut found = vec![vec![]];
    for _ in 0..size {
        found = found
            .into_iter()
            .flat_map(|short: Vec<u8>| {
                let from = short.last().copied().unwrap_or(0);
                (from..=6).map(move |score| {
                    let mut long = short.clone();
                    long.push(score);
                    long
                })
            })
            .collect();
    }
    found
}

fn column(scores: &[u8]) -> Array2<u8> {
    Array2::from_shape_vec((scores.len(), 1), scores.to_vec()).unwrap()
}

/// `sum over ordered pairs (a - b)^2`, which is twice `n*S2 - S1^2`: another road to it.
fn pair_squares(scores: &[u8]) -> u128 {
    let pairs = scores
        .iter()
        .flat_map(|a| scores.iter().map(move |b| a.abs_diff(*b)));
    pairs.map(|gap| u128::from(gap) * u128::from(gap)).sum()
}

#[test]
fn high_and_bin_are_exact_on_every_small_panel() {
    let bars = [
        (3_u128, 2_u128),
        (1, 1),
        (2, 1),
        (5, 2),
        (359, 250),
        (1499, 1000),
        (1, 3),
    ];
    let bins = Bins::default();
    for size in 2..=7 {
        let n = size as u128;
        for scores in multisets(size) {
            let twice = pair_squares(&scores);
            let matrix = column(&scores);
            for (p, q) in bars {
                let bar = Threshold::new(p as f64 / q as f64).unwrap();
                let population = DisagreementParams::default().threshold(bar);
                let d = disagreement(matrix.view(), None, &population).unwrap();
                assert_eq!(
                    d.high,
                    twice * q * q >= 2 * n * n * p * p,
                    "{scores:?} {p}/{q}"
                );
                let sample = DisagreementParams::new(SampleStd).threshold(bar);
                let s = disagreement(matrix.view(), None, &sample).unwrap();
                assert_eq!(
                    s.high,
                    twice * q * q >= 2 * n * (n - 1) * p * p,
                    "{scores:?} {p}/{q}"
                );
            }
            let d = disagreement(matrix.view(), None, &DisagreementParams::default()).unwrap();
            // 4 var against the squares of twice the edges: 2, 3, 4, 5.
            let above = [4, 9, 16, 25]
                .iter()
                .filter(|&&e| 2 * twice >= e * n * n)
                .count();
            assert_eq!(bins.of(&d), Some(above), "{scores:?}");
        }
    }
}

#[test]
fn high_disagreement_forces_the_gaps_the_paper_states() {
    // Range 3 reaches 1.5 for even panels split in half, and never for five models.
    let widest = |size| {
        let is_high = |scores: &Vec<u8>| {
            let matrix = column(scores);
            disagreement(matrix.view(), None, &DisagreementParams::default())
                .unwrap()
                .high
        };
        let high = multisets(size).into_iter().filter(is_high);
        high.map(|scores| scores[size - 1] - scores[0])
            .min()
            .unwrap()
    };
    assert_eq!((widest(2), widest(5), widest(6)), (3, 4, 3));
}

fn panel() -> impl Strategy<Value = Array2<Option<u8>>> {
    (2_usize..9, 1_usize..4).prop_flat_map(|(models, values)| {
        prop::collection::vec(prop::option::weighted(0.85, 0_u8..=6), models * values)
            .prop_map(move |flat| Array2::from_shape_vec((models, values), flat).unwrap())
    })
}

fn ratings() -> impl Strategy<Value = Array2<Option<u32>>> {
    (1_usize..12, 2_usize..5).prop_flat_map(|(subjects, raters)| {
        prop::collection::vec(prop::option::weighted(0.9, 0_u32..3), subjects * raters)
            .prop_map(move |flat| Array2::from_shape_vec((subjects, raters), flat).unwrap())
    })
}

proptest! {
    #[test]
    fn disagreement_ignores_the_order_of_models(scores in panel(), turn in 0_usize..8) {
        let models = scores.nrows();
        let order: Vec<usize> = (0..models).map(|i| models - 1 - (i + turn) % models).collect();
        let moved = scores.select(Axis(0), &order);
        let params = DisagreementParams::default();
        let a = disagreement(scores.view(), None, &params).unwrap();
        let b = disagreement(moved.view(), None, &params).unwrap();
        let c = disagreement(scores.view(), Some(&order), &params).unwrap();
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(&a, &c);
    }

    #[test]
    fn disagreement_is_zero_iff_equal_and_at_most_half_the_range(scores in panel()) {
        let d = disagreement(scores.view(), None, &DisagreementParams::default()).unwrap();
        let complete: Vec<Vec<u8>> = scores
            .rows()
            .into_iter()
            .filter_map(|row| row.iter().copied().collect())
            .collect();
        prop_assert_eq!(d.n, complete.len());
        prop_assert_eq!(d.n + d.missing, scores.nrows());
        if complete.len() < 2 {
            prop_assert_eq!(d.max, None);
            return Ok(());
        }
        let range = |value: usize| {
            let of: Vec<u8> = complete.iter().map(|row| row[value]).collect();
            of.iter().max().unwrap() - of.iter().min().unwrap()
        };
        for (value, std) in d.per_value.iter().enumerate() {
            let std = std.unwrap();
            prop_assert_eq!(std == 0.0, range(value) == 0);
            prop_assert!(std <= f64::from(range(value)) / 2.0);
        }
    }

    #[test]
    fn integer_and_real_scores_measure_the_same(scores in panel()) {
        let real = scores.mapv(|score| score.map(f64::from));
        let a = disagreement(scores.view(), None, &DisagreementParams::default()).unwrap();
        let b = disagreement(real.view(), None, &DisagreementParams::default()).unwrap();
        for (a, b) in a.per_value.iter().zip(&b.per_value) {
            prop_assert_eq!(a.is_some(), b.is_some());
            prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn outliers_match_a_direct_count(scores in panel(), count in 1_usize..5) {
        let params = OutlierParams::default().count(count).unwrap();
        let found = outliers(scores.view(), None, &params).unwrap();
        let whole = |i: usize| scores.row(i).iter().all(Option::is_some);
        for i in 0..scores.nrows() {
            let far = (0..scores.nrows())
                .filter(|&j| i != j && whole(i) && whole(j))
                .filter(|&j| {
                    let mut gaps = scores.row(i).into_iter().zip(scores.row(j));
                    gaps.any(|(a, b)| a.unwrap().abs_diff(b.unwrap()) >= 4)
                })
                .count();
            prop_assert_eq!(found.models[i].disagreements, far);
            prop_assert_eq!(found.models[i].outlier, far >= count);
        }
    }

    #[test]
    fn fleiss_equals_the_direct_formula(ratings in ratings()) {
        let found = fleiss_kappa(ratings.view()).unwrap();
        let complete: Vec<Vec<u32>> = ratings
            .rows()
            .into_iter()
            .filter_map(|row| row.iter().copied().collect())
            .collect();
        prop_assert_eq!(found.dropped, ratings.nrows() - complete.len());
        if complete.is_empty() {
            prop_assert_eq!(found.observed, None);
            return Ok(());
        }
        // Observed: share of agreeing ordered pairs. Expected: two draws from all ratings.
        let n = ratings.ncols();
        let agreeing: usize = complete
            .iter()
            .map(|row| (0..n).flat_map(|a| (0..n).map(move |b| (a, b)))
                .filter(|&(a, b)| a != b && row[a] == row[b]).count())
            .sum();
        let observed = agreeing as f64 / (complete.len() * n * (n - 1)) as f64;
        let all: Vec<u32> = complete.concat();
        let same: usize = all.iter().map(|a| all.iter().filter(|b| *b == a).count()).sum();
        let expected = same as f64 / (all.len() * all.len()) as f64;
        prop_assert!((found.observed.unwrap() - observed).abs() < 1e-12);
        prop_assert!((found.expected.unwrap() - expected).abs() < 1e-12);
        if same == all.len() * all.len() {
            prop_assert_eq!(found.kappa, None);
        } else {
            let kappa = (observed - expected) / (1.0 - expected);
            prop_assert!((found.kappa.unwrap() - kappa).abs() < 1e-9);
        }
        // The other door gives the same answer.
        let mut counts = Array2::zeros((ratings.nrows(), 3));
        for ((subject, _), label) in ratings.indexed_iter() {
            if let Some(label) = label {
                counts[[subject, *label as usize]] += 1;
            }
        }
        prop_assert_eq!(found, fleiss_kappa_counts(counts.view(), n).unwrap());
    }

    #[test]
    fn mean_pairwise_agreement_is_the_observed_agreement(
        flat in prop::collection::vec(0_u32..3, 3..60)
    ) {
        let subjects = flat.len() / 3;
        let ratings = Array1::from(flat[..subjects * 3].to_vec()).mapv(Some);
        let ratings = ratings.into_shape_with_order((subjects, 3)).unwrap();
        let mean = agreement_matrix(ratings.view()).unwrap().mean().unwrap();
        let observed = fleiss_kappa(ratings.view()).unwrap().observed.unwrap();
        prop_assert!((mean - observed).abs() < 1e-12);
    }

    #[test]
    fn wilson_ends_solve_the_score_equation((n, k) in (1_u64..2000).prop_flat_map(|n| (Just(n), 0..=n))) {
        let level = Confidence::default();
        let found = wilson_interval(k, n, level).unwrap().unwrap();
        let p = k as f64 / n as f64;
        prop_assert!(0.0 <= found.low && found.low <= p && p <= found.high && found.high <= 1.0);
        // (p - e)^2 = z^2 e (1 - e) / n at both ends.
        for end in [found.low, found.high] {
            let left = (p - end) * (p - end);
            let right = level.z() * level.z() * end * (1.0 - end) / n as f64;
            prop_assert!((left - right).abs() < 1e-12);
        }
        // Counting failures mirrors the interval.
        let mirror = wilson_interval(n - k, n, level).unwrap().unwrap();
        prop_assert!((mirror.low - (1.0 - found.high)).abs() < 1e-12);
    }

    #[test]
    fn rank_correlation_sees_only_order(x in prop::collection::vec(0_u8..6, 2..20), seed in 0_u8..5) {
        let y: Vec<f64> = x.iter().map(|&v| f64::from((v * 3 + seed) % 7)).collect();
        let stretched: Vec<f64> = x.iter().map(|&v| f64::from(v).exp()).collect();
        let (x, y) = (Array1::from(x), Array1::from(y));
        let plain = spearman(x.view(), y.view()).unwrap();
        let other = spearman(Array1::from(stretched).view(), y.view()).unwrap();
        prop_assert_eq!(plain, other);
        prop_assert_eq!(plain, spearman(y.view(), x.view()).unwrap());
        let negated = y.mapv(|v| -v);
        if let (Some(a), Some(b)) = (
            pearson(x.view(), y.view()).unwrap().r,
            pearson(x.view(), negated.view()).unwrap().r,
        ) {
            prop_assert!((a + b).abs() < 1e-12 && a.abs() <= 1.0);
        }
    }

    #[test]
    fn ratios_order_like_a_division_without_rounding(
        a in 0_u32..50, b in 1_u32..50, c in 0_u32..50, d in 1_u32..50
    ) {
        let ratio = |p: u32, q: u32| Ratio::new(u64::from(p), u64::from(q)).unwrap();
        prop_assert_eq!(ratio(a, b).cmp(&ratio(c, d)), (a * d).cmp(&(c * b)));
    }
}
