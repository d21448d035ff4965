//! Core-sets keep the factor they promise, and refuse what does not fit.

use proptest::prelude::*;
use specstress_kcenter::ndarray::{Array2, Axis};
use specstress_kcenter::{
    CoreSet, Cover, FarthestFirst, KCenterError, Selection, Selector, Stop, merge_core_sets,
};

use crate::oracle;

fn core_set(points: &Array2<f32>, rows: &[usize], kept: &Selection) -> CoreSet {
    let chosen: Vec<usize> = kept.centers.iter().map(|&at| rows[at]).collect();
    CoreSet {
        ids: chosen.iter().map(|&row| row as u64).collect(),
        points: points.select(Axis(0), &chosen),
        weights: None,
        radius: kept
            .assignment
            .as_ref()
            .unwrap()
            .iter()
            .map(|assigned| assigned.distance)
            .fold(0.0, f64::max),
    }
}

fn shards(points: &Array2<f32>, selector: &dyn Selector, count: usize) -> Vec<CoreSet> {
    (0..count)
        .filter_map(|shard| {
            let rows: Vec<usize> = (shard..points.nrows()).step_by(count).collect();
            let part = points.select(Axis(0), &rows);
            let kept = selector.select(part.view(), None).ok()?;
            Some(core_set(points, &rows, &kept))
        })
        .collect()
}

fn rows_of(ids: &[u64]) -> Vec<usize> {
    ids.iter().map(|&id| usize::try_from(id).unwrap()).collect()
}

proptest! {
    #[test]
    fn farthest_first_over_shards_is_within_four_times_the_optimum(
        flat in prop::collection::vec(-3.0_f32..3.0, 12..24), k in 1_usize..4,
    ) {
        let points = Array2::from_shape_vec((flat.len() / 2, 2), flat[..flat.len() / 2 * 2].to_vec());
        let points = points.unwrap();
        let ones = vec![1.0; points.nrows()];
        let selector = FarthestFirst::new(Stop::Count(k));
        let merged = merge_core_sets(&selector, &shards(&points, &selector, 2)).unwrap();
        let reached = oracle::radius(&points, &ones, &rows_of(&merged.ids));
        prop_assert!(reached <= merged.radius * (1.0 + 1e-11));
        prop_assert!(merged.radius <= 4.0 * oracle::optimum(&points, &ones, k) * (1.0 + 1e-11));
    }

    #[test]
    fn covers_over_shards_reach_twice_as_far_and_stay_apart(
        flat in prop::collection::vec(-3.0_f32..3.0, 12..60), t in 0.2_f64..2.0,
    ) {
        let points = Array2::from_shape_vec((flat.len() / 2, 2), flat[..flat.len() / 2 * 2].to_vec());
        let points = points.unwrap();
        let selector = Cover::new(t).unwrap();
        let merged = merge_core_sets(&selector, &shards(&points, &selector, 3)).unwrap();
        let centers = rows_of(&merged.ids);
        let ones = vec![1.0; points.nrows()];
        prop_assert!(oracle::radius(&points, &ones, &centers) <= 2.0 * t * (1.0 + 1e-11));
        prop_assert!(merged.radius <= 2.0 * t);
        for (at, &a) in centers.iter().enumerate() {
            for &b in &centers[..at] {
                prop_assert!(oracle::distance(&points, a, b) > t * (1.0 - 1e-11));
            }
        }
    }
}

#[test]
fn core_sets_that_do_not_fit_are_named() {
    let good = CoreSet {
        ids: vec![1],
        points: Array2::zeros((1, 2)),
        weights: None,
        radius: 0.0,
    };
    let selector = FarthestFirst::new(Stop::Count(1));
    let merge = |bad: CoreSet| match merge_core_sets(&selector, &[good.clone(), bad]) {
        Err(KCenterError::CoreSet { shard: 1, problem }) => problem,
        other => format!("{other:?}"),
    };
    let wide = CoreSet {
        points: Array2::zeros((1, 3)),
        ..good.clone()
    };
    assert!(merge(wide).contains("3 dimensions"));
    let nameless = CoreSet {
        ids: vec![],
        ..good.clone()
    };
    assert!(merge(nameless).contains("0 ids"));
    let weighted = CoreSet {
        weights: Some(vec![1.0]),
        ..good.clone()
    };
    assert!(merge(weighted).contains("weights in some"));
    let endless = CoreSet {
        radius: f64::NAN,
        ..good.clone()
    };
    assert!(merge(endless).contains("NaN"));
    assert_eq!(
        merge_core_sets(&selector, &[]),
        Err(KCenterError::Empty {
            rows: 0,
            dimensions: 0
        })
    );
}
