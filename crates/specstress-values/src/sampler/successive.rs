use std::collections::HashSet;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::draw::{pair_at, pair_count, rank_of};

/// The share of the urn's weight that may be drawn before what is left is listed. Until then a draw succeeds with
/// probability 1/8 or more; a failed draw is cheap next to a pass over millions of pairs.
const WORN_OUT: f64 = 7.0 / 8.0;

/// Failed draws in a row after which what is left is listed in any case. So many mean, but for a chance of 10⁻⁵⁸,
/// that rounding has swallowed the small weights.
const MAX_MISSES: u32 = 1000;

/// Unordered pairs of positions, each drawn with probability proportional to the product of the two weights
/// among the pairs that are left.
///
/// Drawing from a fixed urn and skipping what was drawn before has exactly this distribution. It is fast until
/// most of the urn's weight is drawn; then the urn is replaced by a list of what is left. Only
/// sums, products and comparisons are used, which every machine rounds alike.
pub(crate) struct Successive<'a> {
    weights: &'a [f64],
    available: u64,
    drawn: HashSet<u64>,
    urn: Urn,
    /// The weight of all pairs in the urn.
    total: f64,
    /// The weight of those drawn since it was filled.
    used: f64,
    misses: u32,
}

enum Urn {
    Leaves(Leaves),
    List(List),
}

impl<'a> Successive<'a> {
    /// Weights are positive and at most 1.
    pub(crate) fn new(weights: &'a [f64]) -> Self {
        let leaves = Leaves::new(weights);
        Self {
            weights,
            available: pair_count(weights.len()),
            drawn: HashSet::new(),
            // Each unordered pair is in two rows.
            total: leaves.rows.last().copied().unwrap_or(0.0) / 2.0,
            urn: Urn::Leaves(leaves),
            used: 0.0,
            misses: 0,
        }
    }

    /// The rank of the next pair, `None` when all are drawn.
    pub(crate) fn next(&mut self, rng: &mut ChaCha8Rng) -> Option<u64> {
        if self.drawn.len() as u64 == self.available {
            return None;
        }
        loop {
            if self.used >= self.total * WORN_OUT || self.misses == MAX_MISSES {
                self.list_the_rest();
            }
            let rank = match &self.urn {
                Urn::Leaves(leaves) => leaves.draw(self.weights, rng),
                Urn::List(list) => Some(list.draw(rng)),
            };
            if let Some(rank) = rank
                && self.drawn.insert(rank)
            {
                self.used += pair_weight(self.weights, rank);
                self.misses = 0;
                return Some(rank);
            }
            self.misses += 1;
        }
    }

    fn list_the_rest(&mut self) {
        let left = |rank: &u64| !self.drawn.contains(rank);
        let ranks: Vec<u64> = match &self.urn {
            Urn::Leaves(_) => (0..self.available).filter(left).collect(),
            Urn::List(list) => list.ranks.iter().copied().filter(left).collect(),
        };
        let sums = running_sums(ranks.iter().map(|&rank| pair_weight(self.weights, rank)));
        self.total = sums.last().copied().unwrap_or(0.0);
        self.used = 0.0;
        self.misses = 0;
        self.urn = Urn::List(List { ranks, sums });
    }
}

/// All pairs, held implicitly: a first position by its row's weight, then another by its own.
struct Leaves {
    /// Running sums of the weights.
    sums: Vec<f64>,
    /// Running sums of each weight times the weight of all others.
    rows: Vec<f64>,
}

impl Leaves {
    fn new(weights: &[f64]) -> Self {
        let sums = running_sums(weights.iter().copied());
        let total = sums.last().copied().unwrap_or(0.0);
        let rows = running_sums(weights.iter().map(|weight| weight * (total - weight)));
        Self { sums, rows }
    }

    /// `None` if rounding made both positions the same.
    fn draw(&self, weights: &[f64], rng: &mut ChaCha8Rng) -> Option<u64> {
        let one = pick(&self.rows, rng.random::<f64>() * last(&self.rows));
        let before = if one == 0 { 0.0 } else { self.sums[one - 1] };
        let mut point = rng.random::<f64>() * (last(&self.sums) - weights[one]);
        if point >= before {
            point += weights[one];
        }
        let other = pick(&self.sums, point);
        (one != other).then(|| rank_of(one, other))
    }
}

/// Some pairs, one by one.
struct List {
    ranks: Vec<u64>,
    sums: Vec<f64>,
}

impl List {
    fn draw(&self, rng: &mut ChaCha8Rng) -> u64 {
        self.ranks[pick(&self.sums, rng.random::<f64>() * last(&self.sums))]
    }
}

fn pair_weight(weights: &[f64], rank: u64) -> f64 {
    let (one, other) = pair_at(rank);
    // A product of tiny weights must not vanish, or its pair could never be drawn.
    (weights[one] * weights[other]).max(f64::MIN_POSITIVE)
}

fn running_sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

/// The first position whose running sum exceeds `point`.
fn pick(sums: &[f64], point: f64) -> usize {
    sums.partition_point(|sum| *sum <= point)
        .min(sums.len() - 1)
}

fn last(sums: &[f64]) -> f64 {
    sums.last().copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sampler::draw::generator;

    /// The exact probability of each first `depth` draws, by summing over all sequences.
    fn exact(weights: &[f64], depth: usize) -> BTreeMap<Vec<u64>, f64> {
        let mut paths = BTreeMap::from([(Vec::new(), 1.0)]);
        for _ in 0..depth {
            let mut longer = BTreeMap::new();
            for (path, probability) in paths {
                let left: Vec<u64> = (0..pair_count(weights.len()))
                    .filter(|rank| !path.contains(rank))
                    .collect();
                let total: f64 = left.iter().map(|&rank| pair_weight(weights, rank)).sum();
                for rank in left {
                    let mut path = path.clone();
                    path.push(rank);
                    longer.insert(path, probability * pair_weight(weights, rank) / total);
                }
            }
            paths = longer;
        }
        paths
    }

    #[test]
    fn sequences_have_the_exact_probabilities_through_both_urns() {
        // The heaviest pair has over 7/8 of the weight, so drawing it moves on to the list.
        let weights = [1.0, 0.9, 0.02, 0.03];
        assert!(0.9 / Successive::new(&weights).total > WORN_OUT);
        let runs = 60_000;
        let mut counts: BTreeMap<Vec<u64>, f64> = BTreeMap::new();
        let mut rng = generator(11);
        for _ in 0..runs {
            let mut draws = Successive::new(&weights);
            let path: Vec<u64> = (0..3)
                .map(|_| draws.next(&mut rng).expect("six pairs"))
                .collect();
            *counts.entry(path).or_default() += 1.0;
        }
        let expected = exact(&weights, 3);
        assert_eq!(expected.len(), 6 * 5 * 4);
        // Sequences expected fewer than five times go into one cell, as the test wants.
        let (mut statistic, mut cells, mut rare) = (0.0, 0, (0.0, 0.0));
        for (path, probability) in &expected {
            let mean = probability * f64::from(runs);
            let count = counts.get(path).copied().unwrap_or(0.0);
            if mean < 5.0 {
                rare = (rare.0 + mean, rare.1 + count);
            } else {
                statistic += (count - mean).powi(2) / mean;
                cells += 1;
            }
        }
        if rare.0 > 0.0 {
            statistic += (rare.1 - rare.0).powi(2) / rare.0;
        }
        // The mean of chi-squared is its degrees of freedom, its variance twice that; allow five deviations.
        let freedom = f64::from(cells);
        assert!(
            (statistic - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(),
            "{statistic} with {freedom} degrees of freedom"
        );
    }

    #[test]
    fn every_pair_comes_once_however_uneven_the_weights() {
        let steep: Vec<f64> = (0..40).map(|power| 10_f64.powi(-8 * power)).collect();
        let one_giant: Vec<f64> = (0..40)
            .map(|at| if at == 7 { 1.0 } else { 1e-300 })
            .collect();
        for weights in [steep, one_giant, vec![1.0; 40]] {
            let mut rng = generator(1);
            let mut draws = Successive::new(&weights);
            let mut ranks: Vec<u64> = std::iter::from_fn(|| draws.next(&mut rng)).collect();
            ranks.sort_unstable();
            assert_eq!(ranks, (0..pair_count(40)).collect::<Vec<_>>());
        }
    }
}
