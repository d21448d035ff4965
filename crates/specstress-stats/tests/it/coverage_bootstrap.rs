//! Bootstrap intervals cover: a ratio of sums, and every coefficient of agreement, all in clusters.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use specstress_stats::ndarray::{Array2, Axis};
use specstress_stats::{
    AgreementWeights, Bootstrap, Coefficient, Interval, MeasurementLevel, agreement_bootstrap,
    cluster_bootstrap, stratified_bootstrap,
};

use crate::coverage::{assert_covered, covered};

const LABELS: usize = 4;

/// Chance that a rater gives a label where the cluster leans to `own`.
fn chance(own: usize, label: usize) -> f64 {
    if own == label { 0.775 } else { 0.075 }
}

/// Three raters on two subjects per cluster, who give the label of the cluster or any other.
fn votes(rng: &mut ChaCha8Rng, clusters: usize) -> (Array2<Option<u32>>, Vec<u64>) {
    let (mut flat, mut names) = (Vec::new(), Vec::new());
    for cluster in 0..clusters {
        let own = rng.random_range(0..LABELS);
        for _ in 0..2 {
            names.push(cluster as u64);
            for _ in 0..3 {
                let own = rng.random_bool(0.7).then_some(own);
                let label = own.unwrap_or_else(|| rng.random_range(0..LABELS));
                flat.push(Some(u32::try_from(label).unwrap()));
            }
        }
    }
    let ratings = Array2::from_shape_vec((names.len(), 3), flat).unwrap();
    (ratings, names)
}

/// Chance agreement and true agreement weighted by `w`, over all pairs of labels.
fn truth(w: impl Fn(usize, usize) -> f64) -> (f64, f64) {
    let (mut observed, mut expected) = (0.0, 0.0);
    for a in 0..LABELS {
        for b in 0..LABELS {
            let together = (0..LABELS).map(|own| chance(own, a) * chance(own, b));
            observed += w(a, b) * together.sum::<f64>() / LABELS as f64;
            // All labels are equally frequent.
            expected += w(a, b) / (LABELS * LABELS) as f64;
        }
    }
    (observed, expected)
}

fn beyond((observed, expected): (f64, f64)) -> f64 {
    (observed - expected) / (1.0 - expected)
}

#[test]
fn every_coefficient() {
    let plain = |a: usize, b: usize| f64::from(u8::from(a == b));
    let linear = |a: usize, b: usize| 1.0 - a.abs_diff(b) as f64 / 3.0;
    let squared = |a: usize, b: usize| 1.0 - (a.abs_diff(b) as f64 / 3.0).powi(2);
    let first = |a: usize, b: usize| f64::from(u8::from((a == 0) == (b == 0)));
    // One label of four: chance agreement is that of shares 1/4 and 3/4, as enumerated.
    let gwet = |w: &dyn Fn(usize, usize) -> f64| {
        let all: f64 = (0..LABELS)
            .flat_map(|a| (0..LABELS).map(move |b| (a, b)))
            .map(|(a, b)| w(a, b))
            .sum();
        beyond((truth(w).0, all * 0.75 / 12.0))
    };
    let kinds: [(&str, Coefficient, f64); 10] = [
        ("percent", Coefficient::Percent, truth(plain).0),
        ("Fleiss", Coefficient::Fleiss, beyond(truth(plain))),
        (
            "one label",
            Coefficient::FleissCategory(0),
            beyond(truth(first)),
        ),
        (
            "alpha",
            Coefficient::Krippendorff(MeasurementLevel::Nominal),
            beyond(truth(plain)),
        ),
        // With equally frequent labels ordinal distances are those of the numbers.
        (
            "ordinal alpha",
            Coefficient::Krippendorff(MeasurementLevel::Ordinal),
            beyond(truth(squared)),
        ),
        (
            "interval alpha",
            Coefficient::Krippendorff(MeasurementLevel::Interval),
            beyond(truth(squared)),
        ),
        (
            "AC1",
            Coefficient::Gwet(AgreementWeights::Identity),
            gwet(&plain),
        ),
        (
            "AC2",
            Coefficient::Gwet(AgreementWeights::Linear),
            gwet(&linear),
        ),
        (
            "Cohen",
            Coefficient::Cohen(AgreementWeights::Identity),
            beyond(truth(plain)),
        ),
        (
            "weighted Cohen",
            Coefficient::Cohen(AgreementWeights::Quadratic),
            beyond(truth(squared)),
        ),
    ];
    let mut seed = 0;
    let counts = covered(41, |rng| {
        let (ratings, names) = votes(rng, 100);
        let two = ratings.select(Axis(1), &[0, 1]);
        seed += 1;
        let draws = Bootstrap::new(200, seed).unwrap();
        kinds.map(|(_, coefficient, truth)| {
            let ratings = if matches!(coefficient, Coefficient::Cohen(_)) {
                &two
            } else {
                &ratings
            };
            let found =
                agreement_bootstrap(ratings.view(), None, coefficient, Some(&names), &draws);
            (found.unwrap().bootstrap.interval, truth)
        })
    });
    assert_covered(kinds.map(|(name, ..)| name), counts);
}

#[test]
fn a_ratio_of_sums() {
    let mut seed = 0;
    let counts = covered(42, |rng| {
        let rows = (0..100).flat_map(|_| {
            let p = if rng.random_bool(0.5) { 0.6 } else { 0.2 };
            let trials = rng.random_range(1..=5);
            let hits = (0..trials).filter(|_| rng.random_bool(p)).count();
            [hits as f64, f64::from(trials)]
        });
        let sums = Array2::from_shape_vec((100, 2), rows.collect()).unwrap();
        seed += 1;
        let draws = Bootstrap::new(200, seed).unwrap();
        let found = cluster_bootstrap(sums.view(), |sums| Some(sums[0] / sums[1]), &draws);
        let found = found.unwrap();
        let normal = found.standard_error.map(|error| Interval {
            low: found.estimate.unwrap() - 1.96 * error,
            high: found.estimate.unwrap() + 1.96 * error,
        });
        [(found.interval, 0.4), (normal, 0.4)]
    });
    assert_covered(["bootstrap of a rate", "its standard error"], counts);
}

/// A share from strata that were drawn at very different rates, and one stratum of two rows.
#[test]
fn a_weighted_share_of_strata() {
    // Size of the population, rows drawn, chance of the event.
    const STRATA: [(f64, usize, f64); 4] = [
        (4000.0, 30, 0.2),
        (300.0, 20, 0.6),
        (700.0, 25, 0.5),
        (100.0, 2, 0.5),
    ];
    let all: f64 = STRATA.iter().map(|(size, _, _)| size).sum();
    let truth = STRATA.iter().map(|(size, _, p)| size * p).sum::<f64>() / all;
    let counts = covered(33, |rng| {
        let (mut flat, mut strata) = (Vec::new(), Vec::new());
        for (at, (size, n, p)) in STRATA.into_iter().enumerate() {
            let weight = size / n as f64;
            for _ in 0..n {
                let event = f64::from(u8::from(rng.random_bool(p)));
                flat.extend([weight, weight * event]);
                strata.push(at);
            }
        }
        let sums = Array2::from_shape_vec((strata.len(), 2), flat).unwrap();
        let draws = Bootstrap::new(500, rng.random()).unwrap();
        let found = stratified_bootstrap(sums.view(), &strata, |s| Some(s[1] / s[0]), &draws);
        [(found.unwrap().interval, truth)]
    });
    assert_covered(["weighted share"], counts);
}

#[test]
fn a_stratum_of_one_row_is_kept_and_a_lone_row_each_gives_no_interval() {
    let draws = Bootstrap::new(200, 1).unwrap();
    let sums = Array2::from_shape_vec((3, 1), vec![100.0, 1.0, 3.0]).unwrap();
    let total = |s: &[f64]| Some(s[0]);
    let found = stratified_bootstrap(sums.view(), &[9, 4, 4], total, &draws).unwrap();
    // Two rows: one is drawn and counts twice.
    let interval = found.interval.unwrap();
    assert_eq!(found.estimate, Some(104.0));
    assert_eq!((interval.low, interval.high), (102.0, 106.0));
    let lone = stratified_bootstrap(sums.view(), &[1, 2, 3], total, &draws).unwrap();
    assert_eq!((lone.estimate, lone.interval), (Some(104.0), None));
    assert!(stratified_bootstrap(sums.view(), &[1, 2], total, &draws).is_err());
}
