use super::draw::{LazyShuffle, generator, in_random_order, pair_at, pair_count};
use super::{PairSampler, check_count, sorted_leaves};
use crate::{Taxonomy, ValuePair, ValuesError};

/// Every unordered pair of different leaves is equally likely, without replacement; so is either order within a
/// pair. This is how the paper draws its 150,000 pairs (page 3).
///
/// Rare and odd leaves are as likely as common ones: with the published values "helpfulness", seen in 23 % of
/// conversations, is drawn no more often than values seen once. [`FrequencyWeighted`](crate::FrequencyWeighted) is
/// the other choice.
///
/// With n leaves there are n(n − 1)/2 pairs; asking for more is [`ValuesError::TooManyPairs`]. Cost: O(n log n + count)
/// time, O(n + count) memory.
///
/// ```
/// use specstress_values::{PairSampler, Taxonomy, UniformPairs};
///
/// let taxonomy = Taxonomy::builtin();
/// let pairs = UniformPairs.sample(&taxonomy, 1000, 42)?;
/// // A smaller sample with the same seed is the beginning of the larger one.
/// assert_eq!(UniformPairs.sample(&taxonomy, 10, 42)?, pairs[..10]);
/// # Ok::<(), specstress_values::ValuesError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniformPairs;

impl PairSampler for UniformPairs {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        let leaves = sorted_leaves(taxonomy);
        let available = pair_count(leaves.len());
        check_count(count, available, &format!("{} leaf values", leaves.len()))?;
        let mut rng = generator(seed);
        let mut shuffle = LazyShuffle::new(available);
        let mut pairs = Vec::with_capacity(count);
        while pairs.len() < count
            && let Some(rank) = shuffle.next(&mut rng)
        {
            let (one, other) = pair_at(rank);
            pairs.push(in_random_order(
                &mut rng,
                &leaves[one].name,
                &leaves[other].name,
            ));
        }
        Ok(pairs)
    }
}
