//! k-center on generated embeddings: the selectors against the loops one writes first, in the same run, with equal
//! results asserted.
//!
//! `cargo bench -p specstress-benches --bench kcenter [-- ROWS DIMENSIONS [flat]]`; without arguments 10,000 and 50,000
//! rows of 384, 768 and 3,072 dimensions, which takes the loops most of an hour on two cores.
//!
//! The loops take all products with one centre or one point at a time, on all threads, in `f32`; what rounding leaves open
//! they decide in `f64`, as the definition says. They wait for memory: at 50,000 x 768 a centre takes them 10 ms, and numpy
//! with `OpenBLAS` 5 ms on the same machine, so halve the last column for a loop over a BLAS.

#![expect(clippy::print_stdout, reason = "a benchmark tells what it measures")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "array views are passed by value, as slices are"
)]

use std::error::Error;
use std::time::Instant;

use rayon::prelude::*;
use specstress_benches::embeddings::{Space, Spectrum};
use specstress_kcenter::ndarray::{ArrayView2, Axis};
use specstress_kcenter::{Cover, Euclidean, FarthestFirst, Metric, Run, SlicePoints, Stop};

const RADIUS: f64 = 0.4;
/// Above the error of a squared distance in `f32` between points of length 1.
const ROUNDING: f32 = 1e-4;
/// Rows per task of the loops.
const TASK: usize = 2048;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let spectrum = match given.get(2).map(String::as_str) {
        None => Spectrum::Falling,
        Some("flat") => Spectrum::Flat,
        Some(other) => return Err(format!("{other}: only flat can follow the size").into()),
    };
    let sizes: Vec<(usize, usize)> = match &given[..] {
        [] => [10_000, 50_000]
            .into_iter()
            .flat_map(|rows| [384, 768, 3072].map(|dimensions| (rows, dimensions)))
            .collect(),
        [_] => return Err("give ROWS and DIMENSIONS".into()),
        [rows, dimensions, ..] => vec![(rows.parse()?, dimensions.parse()?)],
    };
    println!(
        "to distance {RADIUS}, {spectrum:?} spectrum, {} threads",
        rayon::current_num_threads()
    );
    println!("| points | selector | kept | s | loop, s | times |\n|---|---|---:|---:|---:|---:|");
    for (rows, dimensions) in sizes {
        compare(rows, dimensions, spectrum)?;
    }
    Ok(())
}

fn compare(rows: usize, dimensions: usize, spectrum: Spectrum) -> Result<(), Box<dyn Error>> {
    let flat = Space::new(dimensions, spectrum, 1).rows(rows);
    let points = SlicePoints::new(&flat, dimensions)?;
    let view = ArrayView2::from_shape((rows, dimensions), &flat)?;
    let run = Run::new();
    let tell = |what: &str, kept: usize, fast: f64, slow: f64| {
        println!(
            "| {rows} x {dimensions} | {what} | {kept} | {fast:.2} | {slow:.1} | {:.0} |",
            slow / fast
        );
    };

    let (kept, fast) = timed(|| Cover::new(RADIUS)?.select_from(&points, None, &run));
    let kept = kept?.centers;
    let (found, slow) = timed(|| plain_cover(view));
    assert!(kept == found, "the covers differ");
    tell("cover", kept.len(), fast, slow);

    let stop = Stop::Radius(RADIUS);
    let (kept, fast) = timed(|| FarthestFirst::new(stop).select_from(&points, None, &run));
    let kept = kept?.centers;
    let (found, slow) = timed(|| plain_farthest(view));
    assert!(kept == found, "the traversals differ");
    tell("farthest-first", kept.len(), fast, slow);
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed().as_secs_f64())
}

fn slice(points: ArrayView2<'_, f32>, at: usize) -> &[f32] {
    let row = points.index_axis_move(Axis(0), at).to_slice();
    row.expect("rows are contiguous")
}

fn exact(points: ArrayView2<'_, f32>, a: usize, b: usize) -> f64 {
    Euclidean.distance(slice(points, a), slice(points, b))
}

/// With sums enough to keep the lanes of a processor busy.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 32;
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Keep a point unless a kept one is near: one product of each point with all kept ones.
fn plain_cover(points: ArrayView2<'_, f32>) -> Vec<usize> {
    let dimensions = points.ncols();
    let mut kept: Vec<usize> = Vec::new();
    let mut matrix: Vec<f32> = Vec::new();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a bound, with room for rounding"
    )]
    let least = (1.0 - RADIUS * RADIUS / 2.0) as f32 - ROUNDING;
    for row in 0..points.nrows() {
        let point = slice(points, row);
        let near = matrix
            .par_chunks(TASK * dimensions)
            .enumerate()
            .any(|(task, some)| {
                some.chunks_exact(dimensions)
                    .enumerate()
                    .filter(|(_, other)| dot(other, point) >= least)
                    .map(|(at, _)| kept[task * TASK + at])
                    .any(|other| exact(points, row, other) <= RADIUS)
            });
        if !near {
            kept.push(row);
            matrix.extend(point);
        }
    }
    kept
}

/// Always the farthest point next: one product of all points with each kept one.
fn plain_farthest(points: ArrayView2<'_, f32>) -> Vec<usize> {
    let rows = points.nrows();
    let mut nearest = vec![f64::INFINITY; rows];
    let mut kept = vec![0];
    loop {
        let center = kept[kept.len() - 1];
        let direction = slice(points, center);
        nearest
            .par_chunks_mut(TASK)
            .enumerate()
            .for_each(|(task, nearest)| {
                let first = task * TASK;
                for (at, near) in nearest.iter_mut().enumerate() {
                    let product = dot(slice(points, first + at), direction);
                    let square = f64::from(2.0 - 2.0 * product - ROUNDING).max(0.0);
                    if square < *near * *near {
                        *near = near.min(exact(points, first + at, center));
                    }
                }
            });
        let farther = |best: usize, at: usize| {
            if nearest[at] > nearest[best] {
                at
            } else {
                best
            }
        };
        let farthest = (0..rows).fold(0, farther);
        if nearest[farthest] <= RADIUS {
            return kept;
        }
        kept.push(farthest);
    }
}
