//! Nudges, priorities, outlier counts and sample sizes: brute force, libraries and known truth.

use proptest::prelude::*;
use specstress_stats::ndarray::{Array3, Axis};
use specstress_stats::{
    Confidence, NudgePair, OutlierParams, StatsError, TestPlan, co_occurrence, nudge_effects,
    outlier_counts, outliers, priority_contrasts, samples_for_net_disagreement,
    scenarios_for_risk_ratio, value_priorities,
};

/// scipy 1.12.0: `stats.norm.ppf` in the formula; `stats.f` over rising k.
#[test]
fn sample_sizes_match_scipy() {
    for (base, ratio, level, power, n) in [
        (0.01, 4.6, 0.05, 0.8, 329),
        (0.1, 2.0, 0.05, 0.9, 266),
        (0.3, 0.5, 0.01, 0.8, 180),
    ] {
        let plan = TestPlan::new(level, power).unwrap();
        assert_eq!(scenarios_for_risk_ratio(base, ratio, plan), Ok(n));
    }
    for (models, net, within, level, power, k) in [
        (12, 0.5, 1.0, 0.05, 0.8, 8),
        (5, 1.0, 1.0, 0.05, 0.9, 8),
        (12, 1.5, 1.0, 0.05, 0.8, 2),
        (2, 1.5, 0.5, 0.01, 0.8, 14),
    ] {
        let plan = TestPlan::new(level, power).unwrap();
        assert_eq!(
            samples_for_net_disagreement(models, net, within, plan),
            Ok(Some(k))
        );
    }
    let plan = TestPlan::default();
    assert_eq!(samples_for_net_disagreement(2, 0.001, 1.0, plan), Ok(None));
    assert!(samples_for_net_disagreement(1, 1.0, 1.0, plan).is_err());
    for (base, ratio) in [
        (0.0, 2.0),
        (0.5, 1.0),
        (0.5, 3.0),
        (0.1, -1.0),
        (0.1, f64::NAN),
    ] {
        assert!(
            scenarios_for_risk_ratio(base, ratio, plan).is_err(),
            "{base} {ratio}"
        );
    }
    assert!(TestPlan::new(0.05, 1.0).is_err());
}

#[test]
fn the_clustered_error_counts_a_cluster_once() {
    let pair = |cluster, nudged| NudgePair {
        cluster,
        category: 0,
        neutral: Some(0.0),
        nudged,
    };
    let pairs = [
        pair(1, Some(1.0)),
        pair(1, Some(1.0)),
        pair(2, Some(0.0)),
        pair(2, Some(0.0)),
        pair(3, None),
    ];
    let found = nudge_effects(1, &pairs, Confidence::default())
        .unwrap()
        .overall;
    // Residual sums +1 and -1: sqrt(2/1 * 2) / 4 = 1/2, as two independent items would have.
    assert!((found.standard_error.unwrap() - 0.5).abs() < 1e-12);
    assert_eq!((found.n, found.dropped, found.clusters), (4, 1, 2));
    let lone = nudge_effects(1, &pairs[..2], Confidence::default())
        .unwrap()
        .overall;
    assert_eq!(
        (lone.mean, lone.standard_error, lone.interval),
        (Some(1.0), None, None)
    );
    assert!(nudge_effects(0, &pairs, Confidence::default()).is_err());
    let bad = [pair(1, Some(f64::NAN))];
    assert!(matches!(
        nudge_effects(1, &bad, Confidence::default()),
        Err(StatsError::NotFinite {
            row: 0,
            column: 1,
            ..
        })
    ));
}

type Pair<'a> = (&'a [usize], &'a [usize]);
type Answers = Vec<Option<Vec<usize>>>;

fn answers() -> impl Strategy<Value = (Answers, Answers)> {
    let answer = || prop::option::weighted(0.9, prop::collection::vec(0_usize..4, 0..5));
    prop::collection::vec((answer(), answer()), 0..25).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn co_occurrence_is_a_share_of_scenarios((first, second) in answers()) {
        let a: Vec<Option<&[usize]>> = first.iter().map(Option::as_deref).collect();
        let b: Vec<Option<&[usize]>> = second.iter().map(Option::as_deref).collect();
        let found = co_occurrence(4, &a, &b).unwrap();
        let known: Vec<Pair<'_>> =
            a.iter().zip(&b).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
        prop_assert_eq!(found.n, known.len());
        for x in 0..4 {
            for y in 0..4 {
                let count = |f: &dyn Fn(&Pair<'_>) -> bool| known.iter().filter(|k| f(k)).count();
                let given = count(&|k| k.0.contains(&x));
                let after = count(&|k| k.1.contains(&y));
                let both = count(&|k| k.0.contains(&x) && k.1.contains(&y));
                let wanted = (given > 0).then(|| both as f64 / given as f64);
                prop_assert_eq!(found.conditional[y][x], wanted);
                let lift = (given > 0 && after > 0)
                    .then(|| (both * known.len()) as f64 / (given * after) as f64);
                prop_assert_eq!(found.lift[y][x].is_some(), lift.is_some());
                prop_assert!((found.lift[y][x].unwrap_or(0.0) - lift.unwrap_or(0.0)).abs() < 1e-12);
            }
        }
        let own = co_occurrence(4, &a, &a).unwrap();
        let shares = value_priorities(4, &a, Confidence::default()).unwrap();
        for (c, share) in shares.shares.iter().enumerate() {
            prop_assert_eq!(own.given[c], share.successes);
            prop_assert!(own.conditional[c][c].is_none_or(|share| (share - 1.0).abs() < 1e-12));
        }
        let contrast = priority_contrasts(4, &[&a, &b], &[&a], Confidence::default()).unwrap();
        let other = value_priorities(4, &b, Confidence::default()).unwrap();
        for (c, contrast) in contrast.ratios.iter().enumerate() {
            prop_assert_eq!(contrast.exposed.successes, shares.shares[c].successes + other.shares[c].successes);
            prop_assert_eq!(contrast.base, shares.shares[c]);
        }
    }

    #[test]
    fn outlier_counts_add_up_scenarios(
        flat in prop::collection::vec(prop::option::weighted(0.9, 0_u8..=6), 10 * 5 * 2),
        pool in prop::collection::vec(0_usize..10, 0..8)
    ) {
        let scores = Array3::from_shape_vec((10, 5, 2), flat).unwrap();
        let params = OutlierParams::default().count(2).unwrap();
        let found = outlier_counts(scores.view(), Some(&pool), &params, Confidence::default()).unwrap();
        for model in &found.models {
            let (mut flagged, mut high) = (0, 0);
            for &scenario in &pool {
                let matrix = scores.index_axis(Axis(0), scenario);
                let one = outliers(matrix, None, &params).unwrap();
                let own = &one.models[model.model];
                if own.outlier {
                    flagged += 1;
                    let value = usize::from(own.per_value[1] > own.per_value[0]);
                    let others: Vec<f64> = (0..5)
                        .filter(|&m| m != model.model && matrix.row(m).iter().all(Option::is_some))
                        .map(|m| f64::from(matrix[[m, value]].unwrap()))
                        .collect();
                    let own = f64::from(matrix[[model.model, value]].unwrap());
                    high += u64::from(own * others.len() as f64 > others.iter().sum());
                }
            }
            prop_assert_eq!(model.rate.successes, flagged);
            prop_assert_eq!(model.rate.n + model.dropped as u64, pool.len() as u64);
            let turned: u64 = model.directions.iter().map(|d| d.high).sum();
            let all: u64 = model.directions.iter().map(|d| d.high + d.low).sum();
            prop_assert_eq!((turned, all), (high, flagged));
        }
        prop_assert!(outlier_counts(scores.view(), Some(&[10]), &params, Confidence::default()).is_err());
    }
}
