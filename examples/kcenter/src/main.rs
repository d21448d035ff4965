//! Keep few questions out of many alike, by their embeddings. The only dependency is `specstress-kcenter`.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::iter::zip;

use specstress_kcenter::ndarray::array;
use specstress_kcenter::{Cover, KCenterError, Selector};

fn main() -> Result<(), KCenterError> {
    let questions = ["a white lie", "a kind lie", "a tax trick", "a tax dodge"];
    // One row per question, from any embedding model; and how far the models disagreed on each.
    let embeddings = array![[1.0_f32, 0.0], [0.9, 0.2], [0.0, 1.0], [0.1, 0.9]];
    let weights = [1.2, 2.1, 1.9, 1.6];

    // Where models disagree more, questions are kept at a finer spacing.
    let kept = Cover::new(0.8)?.select(embeddings.view(), Some(&weights))?;
    for (question, near) in zip(questions, kept.assignment.unwrap_or_default()) {
        let center = questions[kept.centers[near.center]];
        println!("{question}: stood for by {center}");
    }
    let count = kept.centers.len();
    println!("{count} of {} questions kept", questions.len());
    Ok(())
}
