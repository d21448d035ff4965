//! Thin out generated embeddings at the size of a published study, timed.
//!
//! `cargo run --release -p specstress-examples --example kcenter_full_size -- ROWS DIMENSIONS WHAT [RADIUS]`
//!
//! Without arguments a small cover, quick in a debug build.
//!
//! WHAT is `cover`, `weighted` (weights in [1.5, 3]), `farthest` (farthest-first), `plain` (the
//! usual loop over 200 centres of farthest-first, with a matrix product per centre and squared
//! lengths beforehand, checked against `FarthestFirst`), or `file` (a cover read from a `.npy` in
//! the folder for temporary files, written first, with `VmHWM` telling the memory it took).
//! RADIUS is 0.4, or 0.8 for `weighted`. 411,000 x 3,072 needs 6 GB.

#![expect(clippy::print_stdout, reason = "an example tells what it finds")]

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write};
use std::time::Instant;

use specstress_kcenter::ndarray::Array2;
use specstress_kcenter::{Cover, FarthestFirst, NpyPoints, Run, Selection, SlicePoints, Stop};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).map_or(default, |x| x).to_owned();
    let rows: usize = argument(0, "2000").parse()?;
    let dimensions: usize = argument(1, "128").parse()?;
    let what = argument(2, "cover");
    let radius: f64 = argument(3, if what == "weighted" { "0.8" } else { "0.4" }).parse()?;

    let begun = Instant::now();
    if what == "file" {
        return from_file(rows, dimensions, radius);
    }
    let flat = embeddings(rows, dimensions, 1);
    println!(
        "{rows} x {dimensions} made in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let points = SlicePoints::new(&flat, dimensions)?;
    let run = Run::new();
    let begun = Instant::now();
    let kept = match what.as_str() {
        "cover" => Cover::new(radius)?.select_from(&points, None, &run)?,
        "weighted" => {
            let weights = weights(rows);
            Cover::new(radius)?.select_from(&points, Some(&weights), &run)?
        }
        "farthest" => FarthestFirst::new(Stop::Radius(radius)).select_from(&points, None, &run)?,
        "plain" => return plain(&flat, dimensions),
        other => return Err(format!("{other} is none of cover, weighted, farthest, plain").into()),
    };
    tell(&what, radius, &kept, begun);
    Ok(())
}

fn tell(what: &str, radius: f64, kept: &Selection, begun: Instant) {
    println!(
        "{what} at {radius}: {} kept in {:.2} s",
        kept.centers.len(),
        begun.elapsed().as_secs_f64()
    );
}

fn from_file(rows: usize, dimensions: usize, radius: f64) -> Result<(), Box<dyn Error>> {
    const AT_ONCE: usize = 8192;
    let path = env::temp_dir().join(format!("kcenter-{}.npy", std::process::id()));
    let mut file = BufWriter::new(fs::File::create(&path)?);
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimensions}), }}");
    file.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
    file.write_all(format!("{header:<117}\n").as_bytes())?;
    let mut space = Space::new(dimensions, 1);
    for start in (0..rows).step_by(AT_ONCE) {
        let mut part = vec![0.0; AT_ONCE.min(rows - start) * dimensions];
        space.fill(start, &mut part);
        let bytes: Vec<u8> = part.iter().flat_map(|x| x.to_le_bytes()).collect();
        file.write_all(&bytes)?;
    }
    file.flush()?;
    drop(file);
    let begun = Instant::now();
    let points = NpyPoints::open(&path)?;
    let kept = Cover::new(radius)?.select_from(&points, None, &Run::new())?;
    tell("cover from a file", radius, &kept, begun);
    drop(points);
    fs::remove_file(&path)?;
    if let Ok(status) = fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    Ok(())
}

/// The loop one writes first, and what it takes per centre.
fn plain(flat: &[f32], dimensions: usize) -> Result<(), Box<dyn Error>> {
    const CENTERS: usize = 200;
    let rows = flat.len() / dimensions;
    let points = Array2::from_shape_vec((rows, dimensions), flat.to_vec())?;
    let squares: Vec<f32> = points.rows().into_iter().map(|row| row.dot(&row)).collect();
    let begun = Instant::now();
    let mut nearest = vec![f32::INFINITY; rows];
    let mut centers = vec![0];
    while centers.len() < CENTERS {
        let center = centers[centers.len() - 1];
        let products = points.dot(&points.row(center));
        let mut farthest = 0;
        for row in 0..rows {
            let square = squares[row] + squares[center] - 2.0 * products[row];
            nearest[row] = nearest[row].min(square);
            if nearest[row] > nearest[farthest] {
                farthest = row;
            }
        }
        centers.push(farthest);
    }
    let each = begun.elapsed().as_secs_f64() / (CENTERS - 1) as f64;
    println!("a plain loop takes {:.3} ms per centre", 1e3 * each);
    let kept = FarthestFirst::new(Stop::Count(CENTERS)).select_from(&points, None, &Run::new())?;
    let equal = kept
        .centers
        .iter()
        .zip(&centers)
        .take_while(|(a, b)| a == b)
        .count();
    println!("the first {equal} of {CENTERS} centres are those of FarthestFirst");
    Ok(())
}

fn weights(rows: usize) -> Vec<f64> {
    let mut numbers = Numbers(7);
    (0..rows)
        .map(|_| 2.25 + 0.75 * f64::from(numbers.next()))
        .collect()
}

fn embeddings(rows: usize, dimensions: usize, seed: u64) -> Vec<f32> {
    let mut flat = vec![0.0; rows * dimensions];
    Space::new(dimensions, seed).fill(0, &mut flat);
    flat
}

/// Vectors of length 1 with the profile of text models: a common direction and 300 topics, so that
/// random pairs have cosines of 0.5 to 0.7; variance falling as 1/(j + 10) over the
/// coordinates; rows in threes with cosines of 0.90 to 0.95 among themselves.
struct Space {
    dimensions: usize,
    seed: u64,
    spread: Vec<f32>,
    common: Vec<f32>,
    topics: Vec<Vec<f32>>,
}

impl Space {
    fn new(dimensions: usize, seed: u64) -> Self {
        let spread = (0..dimensions)
            .map(|j| ((j + 10) as f32).sqrt().recip())
            .collect();
        let mut space = Self {
            dimensions,
            seed,
            spread,
            common: Vec::new(),
            topics: Vec::new(),
        };
        let mut numbers = Numbers(seed);
        space.common = space.direction(&mut numbers);
        space.topics = (0..300).map(|_| space.direction(&mut numbers)).collect();
        space
    }

    fn direction(&self, numbers: &mut Numbers) -> Vec<f32> {
        let mut vector: Vec<f32> = self.spread.iter().map(|s| s * numbers.next()).collect();
        normalise(&mut vector);
        vector
    }

    /// Rows from `first` on; the same rows whatever is filled at once.
    fn fill(&mut self, first: usize, flat: &mut [f32]) {
        for (at, row) in flat.chunks_exact_mut(self.dimensions).enumerate() {
            let at = first + at;
            let mut family = Numbers(self.seed ^ ((at / 3 + 1) as u64).wrapping_mul(0x9e37_79b9));
            let apart = 0.075 + 0.025 * family.next();
            let topic = &self.topics[(at / 3 * 7919) % self.topics.len()];
            let own = self.direction(&mut family);
            for (j, x) in row.iter_mut().enumerate() {
                *x = 0.74 * self.common[j] + 0.35 * topic[j] + 0.57 * own[j];
            }
            normalise(row);
            let noise = self.direction(&mut Numbers(
                !self.seed ^ (at as u64).wrapping_mul(0x85eb_ca6b),
            ));
            for (x, noise) in row.iter_mut().zip(noise) {
                *x = (1.0 - apart).sqrt() * *x + apart.sqrt() * noise;
            }
            normalise(row);
        }
    }
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in vector {
        *x /= length;
    }
}

/// `SplitMix64`, as numbers in [-1, 1).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}
