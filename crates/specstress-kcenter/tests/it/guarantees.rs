use proptest::prelude::*;
use specstress_kcenter::ndarray::{Array2, Axis};
use specstress_kcenter::{
    Cosine, Cover, Euclidean, FarthestFirst, Order, Selector, Start, Stop, WeightOn,
    WeightedKCenter, verify,
};

use crate::oracle;

/// Room for the rounding of distances; the bounds themselves are checked to the last digit
/// that distances have.
const ROUNDING: f64 = 1.0 + 1e-11;

/// Small point sets: on a coarse lattice (many ties, duplicates, collinear triples) or spread.
fn points(most: usize) -> impl Strategy<Value = Array2<f32>> {
    let coordinate = prop_oneof![(0_i8..5).prop_map(f32::from), -1.0_f32..1.0];
    (1..=most, 1_usize..4).prop_flat_map(move |(rows, columns)| {
        prop::collection::vec(coordinate.clone(), rows * columns)
            .prop_map(move |flat| Array2::from_shape_vec((rows, columns), flat).unwrap())
    })
}

fn weighted(
    most: usize,
    weight: impl Strategy<Value = f64> + Clone + 'static,
) -> impl Strategy<Value = (Array2<f32>, Vec<f64>)> {
    points(most).prop_flat_map(move |points| {
        let weights = prop::collection::vec(weight.clone(), points.nrows());
        (Just(points), weights)
    })
}

fn any_weight() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![(0_u8..4).prop_map(f64::from), 0.0_f64..10.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn unweighted_farthest_first_is_within_twice_the_optimum(
        points in points(9), k in 1_usize..9, seed: u64
    ) {
        let k = k.min(points.nrows());
        let ones = vec![1.0; points.nrows()];
        let selector = FarthestFirst::new(Stop::Count(k)).start(Start::Seed(seed));
        let kept = selector.select(points.view(), None).unwrap();
        let radii = kept.radii.clone().unwrap();
        prop_assert_eq!(kept.centers.len(), k);
        prop_assert!(radii.windows(2).all(|pair| pair[1] <= pair[0]));
        let reached = *radii.last().unwrap();
        prop_assert!((reached - oracle::radius(&points, &ones, &kept.centers)).abs() < 1e-9);
        prop_assert!(reached <= 2.0 * oracle::optimum(&points, &ones, k) * ROUNDING);
        // A shorter run is a prefix of a longer one.
        let all = FarthestFirst::new(Stop::Count(points.nrows())).start(Start::Seed(seed));
        let all = all.select(points.view(), None).unwrap();
        prop_assert_eq!(&all.centers[..k], &kept.centers[..]);
        prop_assert_eq!(&all.radii.unwrap()[..k], &radii[..]);
    }

    #[test]
    fn the_first_centre_is_kept_and_counts(points in points(9), start in 0_usize..9) {
        let start = start % points.nrows();
        let selector = FarthestFirst::new(Stop::Count(points.nrows())).start(Start::Index(start));
        let kept = selector.select(points.view(), None).unwrap();
        prop_assert_eq!(kept.centers[0], start);
        let farthest = (0..points.nrows())
            .map(|i| oracle::distance(&points, i, start))
            .fold(0.0, f64::max);
        prop_assert!((kept.radii.unwrap()[0] - farthest).abs() < 1e-9);
        let mut rows = kept.centers;
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..points.nrows()).collect::<Vec<_>>());
    }

    #[test]
    fn a_radius_gives_a_cover_and_a_packing(
        (points, weights) in weighted(9, any_weight()), radius in 0.05_f64..4.0, plain: bool
    ) {
        let ones = vec![1.0; points.nrows()];
        let weights = if plain { ones } else { weights };
        let given = (!plain).then_some(&weights[..]);
        let kept = FarthestFirst::new(Stop::Radius(radius)).select(points.view(), given).unwrap();
        let found = verify(&Euclidean, points.view(), given, &kept, radius).unwrap();
        prop_assert!(found.covered && found.separated, "{:?}", found);
        prop_assert_eq!(kept.radii.unwrap().last().copied(), Some(found.radius));
        if plain {
            let least = oracle::least_cover(&points, &weights, radius / 2.0 / ROUNDING);
            prop_assert!(kept.centers.len() <= least);
        }
    }

    #[test]
    fn weighted_farthest_first_is_within_its_bound(
        (points, weights) in weighted(8, 1.0_f64..2.0), k in 1_usize..8
    ) {
        let k = k.min(points.nrows());
        let kept =
            FarthestFirst::new(Stop::Count(k)).select(points.view(), Some(&weights)).unwrap();
        let spread = weights.iter().copied().fold(0.0, f64::max)
            / weights.iter().copied().fold(f64::INFINITY, f64::min);
        let bound = f64::min(3.0, 1.0 + spread) * oracle::optimum(&points, &weights, k);
        prop_assert!(*kept.radii.unwrap().last().unwrap() <= bound * ROUNDING);
    }

    #[test]
    fn weighted_farthest_first_is_within_three_whatever_the_weights(
        (points, weights) in weighted(8, any_weight()), k in 1_usize..8
    ) {
        let k = k.min(points.nrows());
        let kept =
            FarthestFirst::new(Stop::Count(k)).select(points.view(), Some(&weights)).unwrap();
        let bound = 3.0 * oracle::optimum(&points, &weights, k);
        prop_assert!(*kept.radii.unwrap().last().unwrap() <= bound * ROUNDING);
    }

    #[test]
    fn weighted_k_center_is_within_twice_the_optimum(
        (points, weights) in weighted(9, any_weight()), k in 1_usize..9
    ) {
        let k = k.min(points.nrows());
        let kept = WeightedKCenter::new(k).select(points.view(), Some(&weights)).unwrap();
        let optimum = oracle::optimum(&points, &weights, k);
        let reached = *kept.radii.as_ref().unwrap().last().unwrap();
        prop_assert!(kept.centers.len() <= k);
        prop_assert!(kept.centers.len() == k || reached == 0.0);
        prop_assert!((reached - oracle::radius(&points, &weights, &kept.centers)).abs() < 1e-9);
        prop_assert!(reached <= 2.0 * optimum * ROUNDING);
        prop_assert!(kept.lower_bound.unwrap() <= optimum * ROUNDING);
        prop_assert!(reached <= 2.0 * kept.lower_bound.unwrap() * ROUNDING);
    }

    #[test]
    fn cover_holds_and_separates_in_every_mode(
        (points, weights) in weighted(12, any_weight()),
        threshold in 0.05_f64..6.0,
        given: bool,
        on_center: bool,
    ) {
        let cover = Cover::new(threshold)
            .unwrap()
            .order(if given { Order::Given } else { Order::DescendingWeight })
            .weight_on(if on_center { WeightOn::Center } else { WeightOn::Demand });
        let kept = cover.select(points.view(), Some(&weights)).unwrap();
        let found = cover.verify(points.view(), Some(&weights), &kept).unwrap();
        prop_assert!(found.covered && found.separated, "{:?}", found);
        for (row, assigned) in kept.assignment.as_ref().unwrap().iter().enumerate() {
            let center = kept.centers[assigned.center];
            let distance = oracle::distance(&points, row, center);
            prop_assert!((assigned.distance - distance).abs() < 1e-9);
            if !given {
                prop_assert!(weights[center] >= weights[row]);
            }
            if !on_center {
                prop_assert!(weights[row] * assigned.distance <= threshold);
            }
        }
    }

    #[test]
    fn cover_has_no_more_centres_than_a_cover_at_half_the_distance(
        (points, weights) in weighted(9, any_weight()), threshold in 0.05_f64..6.0
    ) {
        let kept = Cover::new(threshold).unwrap().select(points.view(), Some(&weights)).unwrap();
        let least = oracle::least_cover(&points, &weights, threshold / 2.0 / ROUNDING);
        prop_assert!(kept.centers.len() <= least);
    }

    #[test]
    fn order_of_rows_does_not_change_what_a_weighted_cover_keeps(
        (points, weights) in weighted(10, 0.1_f64..10.0), turn in 0_usize..10
    ) {
        // Distinct weights fix the scan, so only the names of the rows may change.
        let n = points.nrows();
        let order: Vec<usize> = (0..n).map(|i| (i + turn) % n).collect();
        let moved = points.select(Axis(0), &order);
        let moved_weights: Vec<f64> = order.iter().map(|&i| weights[i]).collect();
        let cover = Cover::new(1.0).unwrap();
        let kept = cover.select(points.view(), Some(&weights)).unwrap();
        let other = cover.select(moved.view(), Some(&moved_weights)).unwrap();
        let named: Vec<usize> = other.centers.iter().map(|&i| order[i]).collect();
        prop_assert_eq!(kept.centers, named);
    }

    #[test]
    fn equal_points_need_one_centre(row in prop::collection::vec(-5.0_f32..5.0, 1..20), n in 1_usize..6) {
        let points = Array2::from_shape_fn((n, row.len()), |(_, j)| row[j]);
        let radius = FarthestFirst::new(Stop::Radius(1e-6)).select(points.view(), None).unwrap();
        prop_assert_eq!(&radius.centers, &[0]);
        let cover = Cover::new(1e-6).unwrap().select(points.view(), None).unwrap();
        prop_assert_eq!(&cover.centers, &[0]);
        let weighted = WeightedKCenter::new(n).select(points.view(), None).unwrap();
        prop_assert_eq!(&weighted.centers, &[0]);
        if row.iter().any(|&x| x != 0.0) {
            let cosine = Cover::new(1e-6).unwrap().metric(Cosine);
            prop_assert_eq!(cosine.select(points.view(), None).unwrap().centers, [0]);
        }
    }
}
