//! Benchmarks of the numeric crates against plain references, in the folder `benches`. Each asserts, before
//! it measures, that both sides give the same answer.

use std::time::{Duration, Instant};

/// Seconds of processor time of this process so far, where the system says.
fn processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// Does work and prints how long it took, by the clock and by the processor; the latter says more on a busy machine.
#[expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
pub fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (wall, cpu) = (Instant::now(), processor());
    let done = work();
    let cpu = processor()
        .zip(cpu)
        .map(|(after, before)| (after - before).as_secs_f64());
    println!(
        "{what}: {:.2} s wall, {cpu:.2?} s CPU",
        wall.elapsed().as_secs_f64()
    );
    done
}
