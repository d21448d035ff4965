use specstress_kcenter::ndarray::{Array2, array};
use specstress_kcenter::{
    Cosine, Cover, Euclidean, FarthestFirst, KCenterError, Selection, Selector, Start, Stop,
    Verification, WeightedKCenter,
};

use crate::oracle;

/// A 5 x 5 grid in row order.
fn grid() -> Array2<f32> {
    Array2::from_shape_fn((25, 2), |(i, axis)| {
        if axis == 0 {
            (i / 5) as f32
        } else {
            (i % 5) as f32
        }
    })
}

#[test]
fn farthest_first_on_a_grid() {
    // Corners first (opposite, then by row), then the middle, then the middles of the sides.
    let kept = FarthestFirst::new(Stop::Count(9))
        .select(grid().view(), None)
        .unwrap();
    assert_eq!(kept.centers, [0, 24, 4, 20, 12, 2, 10, 14, 22]);
    let squares: Vec<f64> = kept
        .radii
        .unwrap()
        .iter()
        .map(|r| (r * r).round())
        .collect();
    assert_eq!(squares, [32.0, 16.0, 16.0, 8.0, 4.0, 4.0, 4.0, 4.0, 2.0]);
}

#[test]
fn a_seed_gives_the_same_picks_everywhere() {
    let pick = |seed| {
        let selector = FarthestFirst::new(Stop::Count(3)).start(Start::Seed(seed));
        selector.select(grid().view(), None).unwrap().centers
    };
    // floor(25 * draw / 2^64) is 22 for seed 0 and 2 for seed 3.
    assert_eq!(pick(0), [22, 0, 4]);
    assert_eq!(pick(3), [2, 20, 24]);
}

#[test]
fn the_layout_of_the_array_changes_nothing() {
    let points = grid();
    let columns = points.t().as_standard_layout().into_owned();
    let turned = columns.t();
    assert!(!turned.is_standard_layout());
    let selector = Cover::new(1.2).unwrap();
    assert_eq!(
        selector.select(turned, None).unwrap(),
        selector.select(points.view(), None).unwrap()
    );
}

#[test]
fn weighted_farthest_first_can_be_three_times_the_optimum() {
    // Largest over smallest weight is 2, and the bound of 3 is met: weights make the second
    // pick the other heavy point's neighbour far away, leaving the middle to a distant centre.
    let points = array![[12.0_f32], [0.0], [12.0], [8.0], [6.0]];
    let weights = [1.0, 2.0, 1.0, 1.0, 2.0];
    assert_eq!(oracle::optimum(&points, &weights, 2), 4.0);

    let greedy = FarthestFirst::new(Stop::Count(2))
        .select(points.view(), Some(&weights))
        .unwrap();
    assert_eq!(greedy.centers, [1, 0]);
    assert_eq!(greedy.radii.unwrap()[1], 12.0);

    let better = WeightedKCenter::new(2)
        .select(points.view(), Some(&weights))
        .unwrap();
    assert!(better.radii.unwrap()[1] <= 8.0);
}

#[test]
fn cosine_ignores_length() {
    let points = array![[1.0_f32, 0.0], [5.0, 0.0], [0.0, 1.0], [-3.0, 0.0]];
    let kept = FarthestFirst::new(Stop::Radius(0.5))
        .metric(Cosine)
        .select(points.view(), None)
        .unwrap();
    assert_eq!(kept.centers, [0, 3, 2]);
    assert_eq!(kept.dropped(4), [1]);
}

#[test]
fn public_types_cross_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<FarthestFirst<Cosine>>();
    assert_send_sync::<Cover<Euclidean>>();
    assert_send_sync::<WeightedKCenter>();
    assert_send_sync::<Selection>();
    assert_send_sync::<Verification>();
    assert_send_sync::<KCenterError>();
}
