//! k-center on 2,000 points x 64 dimensions: the selectors against textbook loops over nested vectors.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use specstress_kcenter::ndarray::Array2;
use specstress_kcenter::{Cover, FarthestFirst, KCenterError, Selector, Stop};

const POINTS: usize = 2_000;
const DIMENSIONS: usize = 64;
const CENTERS: usize = 200;
const SPACING: f64 = 0.8;

/// Unit vectors around 150 directions, as embeddings of questions on a few subjects lie.
fn points() -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let directions = Array2::from_shape_fn((150, DIMENSIONS), |_| rng.random_range(-1.0_f32..1.0));
    let mut points = Array2::from_shape_fn((POINTS, DIMENSIONS), |(row, column)| {
        directions[[row % 150, column]] + rng.random_range(-0.25_f32..0.25)
    });
    for mut row in points.rows_mut() {
        let length = row.dot(&row).sqrt();
        row /= length;
    }
    points
}

/// Disagreements, 0.5 to 3.
fn weights() -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    (0..POINTS).map(|_| rng.random_range(0.5..3.0)).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |x: f64| x * x;
    let terms = a
        .iter()
        .zip(b)
        .map(|(x, y)| square(f64::from(*x) - f64::from(*y)));
    terms.sum::<f64>().sqrt()
}

/// The row of the largest number, the lowest among equals.
fn largest(numbers: &[f64]) -> usize {
    (0..numbers.len()).fold(0, |best, at| {
        if numbers[at] > numbers[best] {
            at
        } else {
            best
        }
    })
}

fn textbook_farthest(points: &[Vec<f32>]) -> Vec<usize> {
    let mut centers = vec![0];
    let mut nearest: Vec<f64> = points
        .iter()
        .map(|point| distance(point, &points[0]))
        .collect();
    while centers.len() < CENTERS {
        let next = largest(&nearest);
        centers.push(next);
        for (near, point) in nearest.iter_mut().zip(points) {
            *near = near.min(distance(point, &points[next]));
        }
    }
    centers
}

fn textbook_cover(points: &[Vec<f32>], weights: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let mut centers: Vec<usize> = Vec::new();
    for row in order {
        let covers =
            |&kept: &usize| weights[row] * distance(&points[row], &points[kept]) <= SPACING;
        if !centers.iter().any(covers) {
            centers.push(row);
        }
    }
    centers
}

fn farthest(points: &Array2<f32>) -> Result<Vec<usize>, KCenterError> {
    let selector = FarthestFirst::new(Stop::Count(CENTERS));
    Ok(selector.select(points.view(), None)?.centers)
}

fn cover(points: &Array2<f32>, weights: &[f64]) -> Result<Vec<usize>, KCenterError> {
    Ok(Cover::new(SPACING)?
        .select(points.view(), Some(weights))?
        .centers)
}

fn main() {
    let points = points();
    let weights = weights();
    let nested: Vec<Vec<f32>> = points.rows().into_iter().map(|row| row.to_vec()).collect();

    let kept = cover(&points, &weights).expect("finite points and positive weights");
    assert_eq!(kept, textbook_cover(&nested, &weights));
    assert!(
        (100..POINTS / 2).contains(&kept.len()),
        "{} kept",
        kept.len()
    );
    let spread = farthest(&points).expect("finite points");
    assert_eq!(spread, textbook_farthest(&nested));

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("kcenter/2000x64");
    group.bench_function("farthest_first_200/textbook", |bencher| {
        bencher.iter(|| textbook_farthest(black_box(&nested)));
    });
    group.bench_function("farthest_first_200", |bencher| {
        bencher.iter(|| farthest(black_box(&points)));
    });
    group.bench_function("cover_0.8/textbook", |bencher| {
        bencher.iter(|| textbook_cover(black_box(&nested), black_box(&weights)));
    });
    group.bench_function("cover_0.8", |bencher| {
        bencher.iter(|| cover(black_box(&points), black_box(&weights)));
    });
    group.finish();
    criterion.final_summary();
}
