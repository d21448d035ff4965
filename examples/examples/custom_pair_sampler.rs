//! A pair sampler of one's own: one value of interest against values of every other category in turn.
//!
//! A spec author who rewrites the clauses on one value wants all questions to be about that value.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;

use futures_executor::block_on;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use specstress_llm::CallSettings;
use specstress_scenarios::{LlmScenarioGenerator, ScenarioGenerator, ScenarioPrompts};
use specstress_sim::{SimOptions, SimWorld};
use specstress_values::{PairSampler, Taxonomy, ValuePair, ValuesError};

/// Sets `value` against leaves of the other categories, one category after the other, so that a small sample
/// touches as many of them as it can.
#[derive(Debug)]
struct AgainstAll {
    value: &'static str,
}

impl PairSampler for AgainstAll {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        let own = taxonomy.category(self.value).map(|category| category.id);
        // A named generator: the same seed gives the same pairs on every machine.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rounds: Vec<(usize, &str)> = Vec::new();
        for category in taxonomy.at_level(2).filter(|group| Some(group.id) != own) {
            let mut leaves: Vec<&str> = taxonomy
                .leaves()
                .filter(|leaf| {
                    taxonomy.category(&leaf.name).map(|group| group.id) == Some(category.id)
                })
                .map(|leaf| leaf.name.as_str())
                .collect();
            leaves.shuffle(&mut rng);
            rounds.extend(leaves.into_iter().enumerate());
        }
        // Stable: the first leaf of each category, then the second of each, and so on.
        rounds.sort_by_key(|&(round, _)| round);
        if own.is_none() || rounds.len() < count {
            return Err(ValuesError::TooManyPairs {
                asked: count,
                available: if own.is_none() {
                    0
                } else {
                    rounds.len() as u64
                },
                from: format!("values outside the category of {:?}", self.value),
            });
        }
        let pairs = rounds.into_iter().take(count);
        Ok(pairs
            .map(|(_, leaf)| ValuePair::new(self.value, leaf))
            .collect())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let taxonomy = Taxonomy::builtin();
    // Boxed as a study takes it; `StudyParts::sampler` holds an `Arc<dyn PairSampler>`.
    let sampler: Box<dyn PairSampler> = Box::new(AgainstAll { value: "brevity" });
    let pairs = sampler.sample(&taxonomy, 6, 7)?;
    println!("Six conflicts of one value:");
    for pair in &pairs {
        let category = taxonomy
            .category(&pair.value2)
            .map_or("no category", |group| &group.name);
        println!("  {pair}  ({category})");
    }

    // The first one as a question, from a simulated author.
    let world = SimWorld::new(&taxonomy, SimOptions::default())?;
    let author = LlmScenarioGenerator::new(
        "author_a",
        world.model("author_a")?,
        &ScenarioPrompts::default(),
        CallSettings::default(),
    );
    println!(
        "\nA question about the first:\n{}",
        block_on(author.generate(&pairs[0]))?.query
    );

    if let Err(error) = sampler.sample(&taxonomy, 1_000_000, 7) {
        println!("\nAsking for too many is an error that says so:\n{error}");
    }
    Ok(())
}
