//! The bounded strategy against the pairwise one: whole selections, bit for bit.

#![expect(
    clippy::cast_possible_truncation,
    reason = "random numbers lose no meaning"
)]

use proptest::prelude::*;
use specstress_kcenter::ndarray::Array2;
use specstress_kcenter::{
    Cosine, Cover, Euclidean, FarthestFirst, KCenterError, Metric, Order, Run, Selection, Start,
    Stop, Strategy as Way, WeightOn, WeightedKCenter, verify_from,
};

/// What makes an input hard for bounds.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Whole coordinates: ties and duplicates everywhere.
    Lattice,
    /// On one line.
    Line,
    /// One cluster far from the origin, close together.
    Far,
    /// Near-duplicates of a few directions, as embeddings are.
    Families,
    /// Lengths over six orders of magnitude.
    Lengths,
    /// The same point again and again.
    Same,
}

fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }
}

fn points(shape: Shape, rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut next = numbers(seed);
    let base: Vec<f64> = (0..columns * 8).map(|_| next()).collect();
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        let value = match shape {
            Shape::Lattice => (next() * 4.0).round() + 1.0,
            Shape::Line => ((i * 7) % 31) as f64 * 0.1 * (1.0 + base[j]),
            Shape::Far => 1000.0 + base[j] + next() * 0.01,
            Shape::Families => base[(i % 8) * columns + j] + next() * 0.2 + 0.3,
            Shape::Lengths => next() * 10.0_f64.powi(i32::try_from(i % 7).unwrap() - 3),
            Shape::Same => base[j] + 1.0,
        };
        value as f32
    })
}

fn inputs() -> impl Strategy<Value = (Array2<f32>, Option<Vec<f64>>)> {
    let shape = prop_oneof![
        Just(Shape::Lattice),
        Just(Shape::Line),
        Just(Shape::Far),
        Just(Shape::Families),
        Just(Shape::Lengths),
        Just(Shape::Same),
    ];
    // Beyond 64 points are rotated, beyond 256 whole ones have codes too.
    let columns = prop_oneof![1_usize..5, 61_usize..67, 67_usize..110, 255_usize..330];
    (shape, 1_usize..200, columns, any::<u64>(), 0_u8..4).prop_map(
        |(shape, rows, columns, seed, weighing)| {
            let mut next = numbers(!seed);
            let weights = (0..rows).map(|_| match weighing {
                1 => 1.5 + (next() + 0.5) * 1.5,
                2 => (next() * 4.0).round().max(-0.0),
                _ => 2.0,
            });
            let weights: Vec<f64> = weights.collect();
            (
                points(shape, rows, columns, seed),
                (weighing > 0).then_some(weights),
            )
        },
    )
}

/// A threshold on a distance that occurs, or beside it, is the hardest one.
fn threshold(points: &Array2<f32>, metric: &dyn Metric, pick: u64, nudge: u8) -> f64 {
    let rows = points.nrows() as u64;
    let (a, b) = ((pick % rows) as usize, (pick / rows % rows) as usize);
    let row = |i: usize| points.row(i).to_vec();
    let distance = metric.distance(&row(a), &row(b));
    let near = match nudge % 4 {
        0 => distance,
        1 => distance.next_down(),
        2 => distance.next_up(),
        _ => distance * 0.6,
    };
    if near > 0.0 { near } else { 0.1 }
}

fn both(select: impl Fn(&Run<'_>) -> Result<Selection, KCenterError>) -> [Selection; 2] {
    [Way::Pairwise, Way::Bounded].map(|way| select(&Run::new().strategy(way)).unwrap())
}

fn usable(points: &Array2<f32>) -> bool {
    points
        .rows()
        .into_iter()
        .all(|row| row.iter().any(|&x| x != 0.0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn covers_are_equal(
        (points, weights) in inputs(), pick: u64, nudge: u8, on_center: bool, given: bool,
        cosine: bool,
    ) {
        let weights = weights.as_deref();
        let metric: &dyn Metric = if cosine && usable(&points) { &Cosine } else { &Euclidean };
        let cover = Cover::new(threshold(&points, metric, pick, nudge))
            .unwrap()
            .metric(metric)
            .weight_on(if on_center { WeightOn::Center } else { WeightOn::Demand })
            .order(if given { Order::Given } else { Order::DescendingWeight });
        let [plain, fast] = both(|run| cover.select_from(&points, weights, run));
        prop_assert_eq!(&plain, &fast);
        let run = Run::new();
        let found = cover.verify_from(&points, weights, &fast, &run).unwrap();
        prop_assert!(found.covered && found.separated);
    }

    #[test]
    fn traversals_are_equal(
        (points, weights) in inputs(), pick: u64, nudge: u8, stop in 0_u8..3, count: usize,
        cosine: bool, seed: u64,
    ) {
        let weights = weights.as_deref();
        let metric: &dyn Metric = if cosine && usable(&points) { &Cosine } else { &Euclidean };
        let radius = threshold(&points, metric, pick, nudge);
        let count = count % points.nrows() + 1;
        let stop = match stop {
            0 => Stop::Count(count),
            1 => Stop::Radius(radius),
            _ => Stop::CountOrRadius { count, radius },
        };
        let selector = FarthestFirst::new(stop).metric(metric).start(Start::Seed(seed));
        let [plain, fast] = both(|run| selector.select_from(&points, weights, run));
        prop_assert_eq!(&plain, &fast);
        let run = Run::new().strategy(Way::Bounded).assignment(false).seed(seed);
        let bare = selector.select_from(&points, weights, &run).unwrap();
        prop_assert_eq!(bare.assignment, None);
        prop_assert_eq!((bare.centers, bare.radii), (plain.centers, plain.radii));
    }
}

/// Some rows, not chosen by any rule: covers and separations of all kinds, broken ones mostly.
fn any_centers(rows: usize, count: usize, seed: u64) -> Selection {
    let row = |at: usize| (seed.rotate_left(7 * at as u32) % rows as u64) as usize;
    Selection {
        centers: (0..count % 20).map(row).collect(),
        radii: None,
        assignment: None,
        lower_bound: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn checks_are_equal(
        (points, weights) in inputs(), pick: u64, nudge: u8, cosine: bool, good: bool, count: usize,
        seed: u64,
    ) {
        let weights = weights.as_deref();
        let metric: &dyn Metric = if cosine && usable(&points) { &Cosine } else { &Euclidean };
        let radius = threshold(&points, metric, pick, nudge);
        let cover = Cover::new(radius).unwrap().metric(metric);
        let kept = if good {
            cover.select_from(&points, weights, &Run::new()).unwrap()
        } else {
            any_centers(points.nrows(), count, seed)
        };
        let [plain, fast] = [Way::Pairwise, Way::Bounded].map(|way| {
            let run = Run::new().strategy(way);
            verify_from(metric, &points, weights, &kept, radius, &run).unwrap()
        });
        prop_assert_eq!(plain, fast);
        if good {
            prop_assert!(plain.covered && plain.separated);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn weighted_k_centers_are_equal((points, weights) in inputs(), count: usize) {
        let selector = WeightedKCenter::new(count % points.nrows() + 1);
        let [plain, fast] = both(|run| selector.select_from(&points, weights.as_deref(), run));
        prop_assert_eq!(plain, fast);
    }
}

#[test]
fn thousands_of_points_are_equal_too() {
    // Several tiles, groups and tasks; three thresholds from almost all to few kept.
    check_thousands(100, [(0.7, 1500, 2999), (0.8, 100, 1500), (1.5, 4, 100)]);
}

#[test]
fn thousands_of_long_points_are_equal_too() {
    check_thousands(400, [(1.52, 1500, 2999), (1.6, 100, 1500), (3.0, 4, 100)]);
}

/// Radii, and from how many to how many centres they lead to.
fn check_thousands(columns: usize, radii: [(f64, usize, usize); 3]) {
    let points = points(Shape::Families, 3000, columns, 5);
    let mut next = numbers(6);
    let weights: Vec<f64> = (0..3000).map(|_| 2.25 + 1.5 * next()).collect();
    for (radius, least, most) in radii {
        let traversal = FarthestFirst::new(Stop::Radius(radius));
        let [plain, fast] = both(|run| traversal.select_from(&points, None, run));
        assert!(
            (least..=most).contains(&plain.centers.len()),
            "{}",
            plain.centers.len()
        );
        assert_eq!(plain, fast);
        let cover = Cover::new(2.0 * radius).unwrap();
        let [plain, fast] = both(|run| cover.select_from(&points, Some(&weights), run));
        assert_eq!(plain, fast);
    }
}

#[test]
fn extreme_coordinates_are_equal() {
    for scale in [f32::MIN_POSITIVE, 1e-30, 1e30, 1e38] {
        let mut next = numbers(9);
        let points = Array2::from_shape_fn((150, 80), |_| next() as f32 * scale);
        let radius = 3.0 * f64::from(scale);
        let traversal = FarthestFirst::new(Stop::Radius(radius));
        let [plain, fast] = both(|run| traversal.select_from(&points, None, run));
        assert!(plain.centers.len() > 20);
        assert_eq!(plain, fast);
    }
}

#[cfg(feature = "rayon")]
#[test]
fn any_number_of_threads_gives_the_same() {
    let points = points(Shape::Families, 3000, 100, 8);
    let run = Run::new().strategy(Way::Bounded);
    let select = || {
        let cover = Cover::new(0.75).unwrap().select_from(&points, None, &run);
        let traversal = FarthestFirst::new(Stop::Radius(0.75)).select_from(&points, None, &run);
        (cover.unwrap(), traversal.unwrap())
    };
    let found = [1, 2, 7].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let cover = Cover::new(0.75)
                .unwrap()
                .select_from(&points, None, &Run::new());
            let traversal = FarthestFirst::new(Stop::Radius(0.75));
            (
                cover.unwrap(),
                traversal.select_from(&points, None, &Run::new()).unwrap(),
            )
        })
    });
    let here = select();
    assert!(found.iter().all(|other| *other == here));
}
