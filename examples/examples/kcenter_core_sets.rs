//! k-center past one machine: each shard selects on its own, then one selects among what they kept.

#![expect(clippy::print_stdout, reason = "an example tells what it finds")]

use std::error::Error;

use specstress_benches::embeddings::{Space, Spectrum};
use specstress_kcenter::ndarray::{Array2, Axis};
use specstress_kcenter::{CoreSet, FarthestFirst, Selector, Stop, merge_core_sets};

const ROWS: usize = 1200;
const SHARDS: usize = 4;
const CENTERS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let flat = Space::new(64, Spectrum::Falling, 1).rows(ROWS);
    let points = Array2::from_shape_vec((ROWS, 64), flat)?;
    let selector = FarthestFirst::new(Stop::Count(CENTERS));
    let whole = selector.select(points.view(), None)?;
    let whole = whole.radii.unwrap_or_default()[CENTERS - 1];

    // Any engine could do this part, shard by shard; what it keeps is small.
    let mut core_sets = Vec::new();
    for shard in 0..SHARDS {
        let rows: Vec<usize> = (shard..ROWS).step_by(SHARDS).collect();
        let own = points.select(Axis(0), &rows);
        let kept = selector.select(own.view(), None)?;
        core_sets.push(CoreSet {
            ids: kept.centers.iter().map(|&at| rows[at] as u64).collect(),
            points: own.select(Axis(0), &kept.centers),
            weights: None,
            radius: kept.radii.unwrap_or_default()[CENTERS - 1],
        });
    }
    let merged = merge_core_sets(&selector, &core_sets)?;
    println!("{ROWS} points, {CENTERS} kept of {SHARDS} shards");
    println!("radius selected at once: {whole:.3}, within 2 times the optimum");
    println!(
        "radius over shards: at most {:.3}, within 4 times the optimum",
        merged.radius
    );
    Ok(())
}
