//! Thin out generated embeddings at the size of a published study, timed.
//!
//! `cargo run --release -p specstress-examples --example kcenter_full_size -- ROWS DIMENSIONS WHAT [RADIUS] [flat]`
//!
//! Without arguments a small cover, quick in a debug build.
//!
//! WHAT is `cover`, `weighted` (a cover with weights in [1.5, 3]), `farthest` (farthest-first), or `file` (a cover read
//! from a `.npy` in the folder for temporary files, written first). RADIUS is 0.4, or 0.8 for `weighted`. With `flat`,
//! the embeddings vary as much in all directions, which is harder. `verify` after all else checks the result.
//! 411,000 x 3,072 needs 6 GB, with `farthest` 8 GB. The most memory it took is printed at the end.

#![expect(clippy::print_stdout, reason = "an example tells what it finds")]

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use specstress_benches::embeddings::{Space, Spectrum, weights};
use specstress_kcenter::{
    Cover, Euclidean, FarthestFirst, NpyPoints, PointSource, Run, Selection, SlicePoints, Stop,
    verify_from,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let check = arguments.pop_if(|last| last == "verify").is_some();
    let flat = arguments.pop_if(|last| last == "flat").is_some();
    let argument = |at: usize, default: &str| arguments.get(at).map_or(default, |x| x).to_owned();
    let rows: usize = argument(0, "2000").parse()?;
    let dimensions: usize = argument(1, "128").parse()?;
    let what = argument(2, "cover");
    let radius: f64 = argument(3, if what == "weighted" { "0.8" } else { "0.4" }).parse()?;
    let spectrum = if flat {
        Spectrum::Flat
    } else {
        Spectrum::Falling
    };
    let space = Space::new(dimensions, spectrum, 1);

    if what == "file" {
        let path = written(&space, rows, dimensions)?;
        let done = selected(&NpyPoints::open(&path)?, "cover", radius, check);
        fs::remove_file(&path)?;
        done?;
    } else {
        let begun = Instant::now();
        let flat = space.rows(rows);
        println!(
            "{rows} x {dimensions} made in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        selected(&SlicePoints::new(&flat, dimensions)?, &what, radius, check)?;
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    Ok(())
}

fn selected<S: PointSource>(
    points: &S,
    what: &str,
    radius: f64,
    check: bool,
) -> Result<(), Box<dyn Error>> {
    let run = Run::new().assignment(false);
    let weights = (what == "weighted").then(|| weights(points.point_count()));
    let weights = weights.as_deref();
    let begun = Instant::now();
    let kept = match what {
        "cover" | "weighted" => Cover::new(radius)?.select_from(points, weights, &run)?,
        "farthest" => FarthestFirst::new(Stop::Radius(radius)).select_from(points, None, &run)?,
        other => return Err(format!("{other} is none of cover, weighted, farthest, file").into()),
    };
    tell(what, radius, &kept, begun);
    if check {
        let begun = Instant::now();
        let found = verify_from(&Euclidean, points, weights, &kept, radius, &run)?;
        println!("{found:?} in {:.2} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn tell(what: &str, radius: f64, kept: &Selection, begun: Instant) {
    println!(
        "{what} at {radius}: {} kept in {:.2} s",
        kept.centers.len(),
        begun.elapsed().as_secs_f64()
    );
}

/// The points as a `.npy` file.
fn written(space: &Space, rows: usize, dimensions: usize) -> Result<PathBuf, Box<dyn Error>> {
    const AT_ONCE: usize = 8192;
    let path = env::temp_dir().join(format!("kcenter-{}.npy", std::process::id()));
    let mut file = BufWriter::new(fs::File::create(&path)?);
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimensions}), }}");
    file.write_all(b"\x93NUMPY\x01\x00\x76\x00")?;
    file.write_all(format!("{header:<117}\n").as_bytes())?;
    for start in (0..rows).step_by(AT_ONCE) {
        let mut part = vec![0.0; AT_ONCE.min(rows - start) * dimensions];
        space.fill(start, &mut part);
        let bytes: Vec<u8> = part.iter().flat_map(|x| x.to_le_bytes()).collect();
        file.write_all(&bytes)?;
    }
    file.flush()?;
    Ok(path)
}
