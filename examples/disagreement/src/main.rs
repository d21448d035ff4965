//! How far four models disagree on one question. The only dependency is `specstress-stats`.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use specstress_stats::ndarray::array;
use specstress_stats::{DisagreementParams, StatsError, disagreement};

fn main() -> Result<(), StatsError> {
    // One row per model, one column per value: how far its answer favours the value, 0 to 6.
    let scores = array![[6_u8, 2], [5, 2], [1, 4], [0, 3]];
    let found = disagreement(scores.view(), None, &DisagreementParams::default())?;

    for (value, spread) in ["candor", "comfort"].iter().zip(&found.per_value) {
        let spread = spread.unwrap_or_default();
        println!("{value}: the answers spread by {spread:.2} positions");
    }
    let largest = found.max.unwrap_or_default();
    println!("disagreement of {} models: {largest:.2}", found.n);
    println!("a hard question (1.5 and up): {}", found.high);
    Ok(())
}
