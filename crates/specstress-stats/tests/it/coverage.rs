//! Every interval the crate computes covers a known truth in 93 to 97 % of 1,000 draws; those that promise
//! more may cover more.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_stats::{
    Bins, Confidence, Interval, NudgePair, RankingParams, Shrinkage, bradley_terry, calibrate,
    clopper_pearson_interval, clustered_mean, clustered_proportion, enrichment, mcnemar,
    missing_bounds, normal_quantile, nudge_effects, priority_contrasts, risk_ratio,
    wilson_interval,
};

use crate::golden_ranking::ridge;
use crate::ranking::simulate;

const LEVEL: f64 = 0.95;

fn level() -> Confidence {
    Confidence::new(LEVEL).unwrap()
}

/// How many of 1,000 intervals hold the truth they come with, for each kind of interval.
pub(crate) fn covered<const KINDS: usize>(
    seed: u64,
    mut draw: impl FnMut(&mut ChaCha8Rng) -> [(Option<Interval>, f64); KINDS],
) -> [u32; KINDS] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = [0; KINDS];
    for _ in 0..1000 {
        for (count, (interval, truth)) in counts.iter_mut().zip(draw(&mut rng)) {
            let interval = interval.expect("enough data for an interval");
            *count += u32::from(interval.low <= truth && truth <= interval.high);
        }
    }
    counts
}

#[track_caller]
pub(crate) fn assert_covered<const KINDS: usize>(names: [&str; KINDS], counts: [u32; KINDS]) {
    for (name, count) in names.iter().zip(counts) {
        assert!((930..=970).contains(&count), "{name}: {count} of 1000");
    }
}

fn count(rng: &mut ChaCha8Rng, n: u64, p: f64) -> u64 {
    (0..n).filter(|_| rng.random_bool(p)).count() as u64
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    normal_quantile(rng.random_range(1e-12..1.0)).unwrap()
}

fn around(estimate: f64, error: Option<f64>) -> Option<Interval> {
    let half = level().z() * error?;
    Some(Interval {
        low: estimate - half,
        high: estimate + half,
    })
}

#[test]
fn rates_and_their_ratios() {
    let mut least = 0;
    let counts = covered(21, |rng| {
        let (a, b) = (count(rng, 400, 0.2), count(rng, 500, 0.1));
        let exact = clopper_pearson_interval(a, 400, level()).unwrap().unwrap();
        least += u32::from(exact.low <= 0.2 && 0.2 <= exact.high);
        [
            (wilson_interval(a, 400, level()).unwrap(), 0.2),
            (
                risk_ratio((a, 400), (b, 500), level()).unwrap().interval,
                2.0,
            ),
        ]
    });
    assert_covered(["Wilson", "risk ratio"], counts);
    // At least its level, by construction, so never less often than Wilson's.
    assert!(
        least >= counts[0] && least >= 940,
        "Clopper-Pearson: {least}"
    );
}

#[test]
fn ratios_of_bins_and_of_groups() {
    let counts = covered(22, |rng| {
        let bins = Bins::new(&[0.0, 1.5, 3.0]).unwrap();
        let membership: Vec<_> = (0..1200).map(|i| Some(i % 2)).collect();
        let event = |i: usize, rng: &mut ChaCha8Rng| Some(rng.random_bool([0.1, 0.3][i % 2]));
        let events: Vec<_> = (0..1200).map(|i| event(i, rng)).collect();
        let found = enrichment(&bins, &membership, &events, level()).unwrap();
        let answers = |rng: &mut ChaCha8Rng, p: f64| -> Vec<Vec<usize>> {
            (0..300)
                .map(|_| vec![0; usize::from(rng.random_bool(p))])
                .collect()
        };
        let (own, other) = (answers(rng, 0.4), answers(rng, 0.25));
        let view = |answers: &[Vec<usize>]| -> Vec<Option<&[usize]>> {
            // The lifetime of the answers is that of this draw.
            answers
                .iter()
                .map(|answer| Some(if answer.is_empty() { &[][..] } else { &[0][..] }))
                .collect()
        };
        let (own, other) = (view(&own), view(&other));
        let contrast = priority_contrasts(1, &[&own], &[&other], level()).unwrap();
        [
            (found.bins[1].ratio_interval, 3.0),
            (found.bins[1].proportion.interval, 0.3),
            (contrast.ratios[0].interval, 1.6),
        ]
    });
    assert_covered(["enrichment", "rate of a bin", "priority contrast"], counts);
}

#[test]
fn bounds_of_missing_items_at_their_worst() {
    // Everything that is missing is a failure: the truth sits on the lower bound. Then nothing is
    // missing but very little.
    let counts = covered(23, |rng| {
        let draw = |rng: &mut ChaCha8Rng, missing: f64| {
            let (mut hits, mut known) = (0, 0);
            for _ in 0..500 {
                let hit = rng.random_bool(0.4);
                let lost = !hit && rng.random_bool(missing);
                hits += u64::from(hit);
                known += u64::from(!lost);
            }
            missing_bounds(hits, known, 500 - known, level())
                .unwrap()
                .interval
        };
        [(draw(rng, 0.3), 0.4), (draw(rng, 0.005), 0.4)]
    });
    assert_covered(["bounds, many missing", "bounds, few missing"], counts);
}

#[test]
fn changes_between_two_runs() {
    let counts = covered(24, |rng| {
        let pairs: Vec<(Option<bool>, Option<bool>)> = (0..200)
            .map(|_| {
                let hard = rng.random_bool(0.3);
                let first = rng.random_bool(if hard { 0.7 } else { 0.1 });
                let second = rng.random_bool(if hard { 0.5 } else { 0.05 });
                (Some(first), Some(second))
            })
            .collect();
        let (first, second): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let change = 0.3 * (0.5 - 0.7) + 0.7 * (0.05 - 0.1);
        [(mcnemar(&first, &second, level()).unwrap().interval, change)]
    });
    assert_covered(["change of a rate"], counts);
}

#[test]
fn rates_corrected_for_the_judge() {
    let (rate, se, sp) = (0.3, 0.85, 0.92);
    let counts = covered(3, |rng| {
        let labels = |rng: &mut ChaCha8Rng,
                      n: usize,
                      truth: bool,
                      right: f64|
         -> Vec<(Option<bool>, Option<bool>)> {
            (0..n)
                .map(|_| (Some(rng.random_bool(right) == truth), Some(truth)))
                .collect()
        };
        let mut all = labels(rng, 150, true, se);
        all.extend(labels(rng, 200, false, sp));
        let (judge, people): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let calibration = calibrate(&judge, &people, level()).unwrap();
        let flagged = count(rng, 600, rate * se + (1.0 - rate) * (1.0 - sp));
        let found = calibration.corrected_rate(flagged, 600, level()).unwrap();
        [
            (found.interval, rate),
            (calibration.sensitivity.interval, se),
            (calibration.specificity.interval, sp),
        ]
    });
    assert_covered(["corrected rate", "sensitivity", "specificity"], counts);
}

#[test]
fn clustered_means_and_shares() {
    let items = |rng: &mut ChaCha8Rng, clusters: u64| {
        let (mut values, mut events, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for cluster in 0..clusters {
            let shared = normal(rng);
            let p = if rng.random_bool(0.3) { 0.8 } else { 0.1 };
            for _ in 0..rng.random_range(1..=4) {
                values.push(
                    rng.random_bool(0.9)
                        .then(|| 0.4 + shared + 0.5 * normal(rng)),
                );
                events.push(Some(rng.random_bool(p)));
                names.push(cluster);
            }
        }
        (values, events, names)
    };
    let counts = covered(25, |rng| {
        let (values, events, names) = items(rng, 60);
        let (few, _, few_names) = items(rng, 12);
        let mean = |values: &[Option<f64>], names: &[u64]| {
            (
                clustered_mean(values, Some(names), level())
                    .unwrap()
                    .interval,
                0.4,
            )
        };
        let share = clustered_proportion(&events, Some(&names), level()).unwrap();
        [
            mean(&values, &names),
            mean(&few, &few_names),
            (share.interval, 0.3 * 0.8 + 0.7 * 0.1),
        ]
    });
    let names = [
        "clustered mean",
        "clustered mean, 12 clusters",
        "clustered share",
    ];
    assert_covered(names, counts);
}

#[test]
fn effects_of_nudges() {
    let counts = covered(31, |rng| {
        let mut pairs = Vec::new();
        for cluster in 0..60 {
            let shared = rng.random_range(-1.0..1.0);
            for category in 0..2 {
                let own = rng.random_range(-0.5..0.5);
                pairs.push(NudgePair {
                    cluster,
                    category,
                    neutral: Some(3.0),
                    nudged: Some(3.4 + shared + own),
                });
            }
        }
        let found = nudge_effects(2, &pairs, level()).unwrap();
        [
            (found.overall.interval, 0.4),
            (found.categories[1].interval, 0.4),
        ]
    });
    assert_covered(["nudge effect", "nudge effect of a category"], counts);
}

#[test]
fn utilities_and_terms_of_a_ranking() {
    let theta = [1.2, 0.6, 0.1, -0.4, -0.5, -1.0];
    let counts = covered(12, |rng| {
        let choices = simulate(rng, &theta, 300);
        let found = bradley_terry(6, &choices, &ridge(1e-3)).unwrap();
        let item = |at: usize| around(found.items[at].theta, found.items[at].standard_error);
        let [intercept, nudge, tie] = [found.intercept, found.nudge.unwrap(), found.tie.unwrap()]
            .map(|term| around(term.estimate, term.standard_error));
        [
            (item(1), theta[1]),
            (item(5), theta[5]),
            (intercept, 0.1),
            (nudge, 0.5),
            (tie, 0.7_f64.ln()),
        ]
    });
    assert_covered(
        ["utility", "last utility", "intercept", "nudge", "tie"],
        counts,
    );
}

#[test]
fn utilities_shrunk_toward_groups() {
    let groups: Vec<usize> = (0..18).map(|value| value / 6).collect();
    let params = RankingParams::default().shrinkage(Shrinkage::Hierarchical {
        groups: groups.clone(),
        within: 4.0,
        between: 1.0,
    });
    // The truth is drawn from what the shrinkage takes it to be drawn from.
    let counts = covered(13, |rng| {
        let means: Vec<f64> = (0..3).map(|_| normal(rng)).collect();
        let theta: Vec<f64> = groups
            .iter()
            .map(|&g| means[g] + normal(rng) / 2.0)
            .collect();
        let mean = theta.iter().sum::<f64>() / 18.0;
        let found = bradley_terry(18, &simulate(rng, &theta, 250), &params).unwrap();
        let at = rng.random_range(0..18_usize);
        let item = &found.items[at];
        [(around(item.theta, item.standard_error), theta[at] - mean)]
    });
    assert_covered(["utility shrunk toward its group"], counts);
}
