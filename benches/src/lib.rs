//! Benchmarks of the numeric crates against plain references, in the folder `benches`. Each asserts, before
//! it measures, that both sides give the same answer.

pub mod embeddings;

use std::time::Instant;

/// Seconds of processor time of this process so far, where the system says.
fn processor() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // A hundred a second.
    Some(ticks / 100.0)
}

/// Does work and prints how long it took, by the clock and by the processor; the latter says more on a busy machine.
#[expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
pub fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (wall, cpu) = (Instant::now(), processor());
    let done = work();
    let cpu = processor().zip(cpu).map(|(after, before)| after - before);
    println!(
        "{what}: {:.2} s wall, {cpu:.2?} s CPU",
        wall.elapsed().as_secs_f64()
    );
    done
}
