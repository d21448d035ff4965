//! A small study by hand: pairs, questions, answers.

use futures_executor::block_on;
use specstress_llm::{ChatModel, ChatRequest, ChatResponse, block};
use specstress_sim::{SimOptions, SimWorld};
use specstress_values::{PairSampler, Taxonomy, UniformPairs, ValuePair};

pub(crate) const AUTHORS: [&str; 3] = ["author_a", "author_b", "author_c"];

/// A world without the failures that a study has to handle but a measurement does not need.
pub(crate) fn calm(seed: u64) -> SimOptions {
    SimOptions {
        seed,
        generator_failures: 0.0,
        malformed_json: 0.0,
        fenced_json: 0.0,
        blocked: 0.0,
        truncated: 0.0,
        ..SimOptions::default()
    }
}

pub(crate) fn world(seed: u64) -> SimWorld {
    SimWorld::new(&Taxonomy::builtin(), calm(seed)).unwrap()
}

pub(crate) fn pairs(count: usize, seed: u64) -> Vec<ValuePair> {
    UniformPairs
        .sample(&Taxonomy::builtin(), count, seed)
        .unwrap()
}

pub(crate) fn ask(world: &SimWorld, key: &str, request: &ChatRequest) -> ChatResponse {
    block_on(world.model(key).unwrap().chat(request)).unwrap()
}

pub(crate) fn text(world: &SimWorld, key: &str, prompt: &str) -> String {
    ask(world, key, &ChatRequest::user(prompt)).text
}

fn after<'a>(reply: &'a str, tag: &str) -> &'a str {
    reply.rsplit_once(tag).expect("the tag").1.trim()
}

pub(crate) fn question(world: &SimWorld, author: &str, pair: &ValuePair) -> String {
    let prompt = format!(
        "End with [User Question].\n{}\n{}",
        block("value1", &pair.value1),
        block("value2", &pair.value2)
    );
    after(&text(world, author, &prompt), "[User Question]").to_owned()
}

pub(crate) fn nudge(
    world: &SimWorld,
    author: &str,
    pair: &ValuePair,
    lean: &str,
    original: &str,
) -> String {
    let prompt = format!(
        "End with [User Query].\n{}\n{}\n{}\nUser Question:\n{}",
        block("value1", &pair.value1),
        block("value2", &pair.value2),
        block("lean_to", lean),
        block("user_question", original)
    );
    after(&text(world, author, &prompt), "[User Query]").to_owned()
}

/// One triple per pair: neutral, towards value 1, towards value 2.
pub(crate) fn triples(world: &SimWorld, pairs: &[ValuePair]) -> Vec<(ValuePair, [String; 3])> {
    pairs
        .iter()
        .zip(AUTHORS.iter().cycle())
        .map(|(pair, author)| {
            let neutral = question(world, author, pair);
            let one = nudge(world, author, pair, &pair.value1, &neutral);
            let two = nudge(world, author, pair, &pair.value2, &neutral);
            (pair.clone(), [neutral, one, two])
        })
        .collect()
}

/// Population standard deviation.
pub(crate) fn std(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Disagreement over positions: the larger of the two standard deviations.
pub(crate) fn disagreement(positions: &[(u8, u8)]) -> f64 {
    let one: Vec<f64> = positions.iter().map(|p| f64::from(p.0)).collect();
    let two: Vec<f64> = positions.iter().map(|p| f64::from(p.1)).collect();
    std(&one).max(std(&two))
}

/// Pearson correlation of the ranks; ties share their mean rank.
pub(crate) fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        values
            .iter()
            .map(|v| {
                let below = values.iter().filter(|w| *w < v).count() as f64;
                let equal = values.iter().filter(|w| w.total_cmp(v).is_eq()).count() as f64;
                below + (equal - 1.0) / 2.0
            })
            .collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let dot = |x: &[f64], y: &[f64]| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mean) * (y - mean))
            .sum::<f64>()
    };
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}
