//! Drawing numbers that stand for pairs.

use std::collections::HashMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::ValuePair;

/// The generator of every sampler: named and portable, so that a seed means the same on every machine.
pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A pair in an order decided by a fair coin.
pub(crate) fn in_random_order(rng: &mut ChaCha8Rng, one: &str, other: &str) -> ValuePair {
    if rng.random::<bool>() {
        ValuePair::new(one, other)
    } else {
        ValuePair::new(other, one)
    }
}

/// The number of unordered pairs of different things among `things`.
pub(crate) fn pair_count(things: usize) -> u64 {
    let things = things as u64;
    // One of two neighbours is even, and halving it first keeps the product small.
    if things.is_multiple_of(2) {
        things / 2 * things.saturating_sub(1)
    } else {
        things * ((things - 1) / 2)
    }
}

/// The unordered pair with this rank, smaller position first.
///
/// ```text
/// rank(i, j) = j(j − 1)/2 + i   for i < j:   (0,1) (0,2) (1,2) (0,3) (1,3) (2,3) …
/// ```
pub(crate) fn pair_at(rank: u64) -> (usize, usize) {
    let larger = u64::midpoint(1, (1 + 8 * rank).isqrt());
    (to_index(rank - larger * (larger - 1) / 2), to_index(larger))
}

/// The inverse of [`pair_at`].
pub(crate) fn rank_of(one: usize, other: usize) -> u64 {
    let (smaller, larger) = (one.min(other) as u64, one.max(other) as u64);
    larger * (larger - 1) / 2 + smaller
}

pub(crate) fn to_index(position: u64) -> usize {
    usize::try_from(position).expect("positions come from a slice in memory")
}

/// The numbers `0..len` in random order, one at a time.
///
/// A Fisher-Yates shuffle that remembers only the entries it has moved: each number costs one hash lookup, and
/// memory grows with the numbers drawn, not with `len`. The first numbers do not depend on how many follow.
#[derive(Debug)]
pub(crate) struct LazyShuffle {
    len: u64,
    drawn: u64,
    moved: HashMap<u64, u64>,
}

impl LazyShuffle {
    pub(crate) fn new(len: u64) -> Self {
        Self {
            len,
            drawn: 0,
            moved: HashMap::new(),
        }
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.drawn == self.len
    }

    pub(crate) fn next(&mut self, rng: &mut ChaCha8Rng) -> Option<u64> {
        if self.is_exhausted() {
            return None;
        }
        let pick = rng.random_range(self.drawn..self.len);
        let front = self.moved.remove(&self.drawn).unwrap_or(self.drawn);
        let number = if pick == self.drawn {
            front
        } else {
            self.moved.insert(pick, front).unwrap_or(pick)
        };
        self.drawn += 1;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_number_all_pairs_without_gaps() {
        let mut rank = 0;
        for larger in 1..60 {
            for smaller in 0..larger {
                assert_eq!(pair_at(rank), (smaller, larger));
                assert_eq!(rank_of(smaller, larger), rank);
                assert_eq!(rank_of(larger, smaller), rank);
                rank += 1;
            }
            assert_eq!(pair_count(larger + 1), rank);
        }
        assert_eq!((pair_count(0), pair_count(1)), (0, 0));
    }

    #[test]
    fn ranks_are_exact_where_floats_are_not() {
        let things = 2_000_000_000;
        let last = pair_count(things) - 1;
        assert_eq!(pair_at(last), (things - 2, things - 1));
        assert_eq!(pair_at(last + 1), (0, things));
        assert_eq!(pair_count(3307), 5_466_471);
    }

    #[test]
    fn a_shuffle_draws_each_number_once_in_a_uniform_order() {
        let mut orders: HashMap<Vec<u64>, u32> = HashMap::new();
        let mut rng = generator(5);
        for _ in 0..24_000 {
            let mut shuffle = LazyShuffle::new(4);
            let order: Vec<u64> = std::iter::from_fn(|| shuffle.next(&mut rng)).collect();
            *orders.entry(order).or_default() += 1;
        }
        assert_eq!(
            orders.len(),
            24,
            "4! orders, so each has four different numbers"
        );
        let mut counts: Vec<u32> = orders.into_values().collect();
        counts.sort_unstable();
        // 1,000 expected, standard deviation 31.
        assert!(counts[0] > 860 && counts[23] < 1140, "{counts:?}");
    }
}
