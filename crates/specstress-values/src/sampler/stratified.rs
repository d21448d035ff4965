use rand::rngs::ChaCha8Rng;

use super::draw::{LazyShuffle, generator, in_random_order, pair_at, pair_count, to_index};
use super::{PairSampler, check_count, sorted_leaves};
use crate::{Taxonomy, Value, ValueId, ValuePair, ValuesError};

/// Every pair of categories is drawn from equally often.
///
/// A stratum is an unordered pair of categories, the same category twice included if it has two leaves; k categories
/// make at most k(k + 1)/2 strata, 351 for the published 26. The strata are put in a random order, and each round
/// takes one pair from each, uniformly without replacement, until there are `count`. So
///
/// - the numbers of pairs of any two strata differ by at most one, unless the smaller stratum is exhausted;
/// - the same holds for every beginning of the list;
/// - asking for every pair there is gives every pair.
///
/// Uniform sampling favours large categories instead: published categories hold 21 to 445 leaves, so the largest pair of
/// categories would be drawn hundreds of times as often as the smallest.
///
/// Categories are the groups at [`Taxonomy::category_level`], or at the level given to [`at_level`](Self::at_level).
/// With n leaves there are n(n − 1)/2 pairs; asking for more is [`ValuesError::TooManyPairs`], and a level without groups is
/// [`ValuesError::NoGroups`]. Cost: O(n log n + k² + count) time, O(n + k² + count) memory.
///
/// ```
/// use specstress_values::{PairSampler, StratifiedByCategory, Taxonomy};
///
/// let taxonomy = Taxonomy::builtin();
/// // One pair for each pair of the five domains: 5 · 6 / 2.
/// let pairs = StratifiedByCategory::new().at_level(3).sample(&taxonomy, 15, 1)?;
/// let domain = |name| taxonomy.ancestor_at(taxonomy.leaf(name)?.id, 3);
/// let within = pairs.iter().filter(|pair| domain(&pair.value1) == domain(&pair.value2));
/// assert_eq!(within.count(), 5);
/// # Ok::<(), specstress_values::ValuesError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StratifiedByCategory {
    level: Option<u8>,
}

impl StratifiedByCategory {
    /// Stratified by the groups at [`Taxonomy::category_level`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Stratified by the groups at another level, 1 up to the taxonomy's top level.
    #[must_use]
    pub fn at_level(self, level: u8) -> Self {
        Self { level: Some(level) }
    }
}

impl PairSampler for StratifiedByCategory {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        let top = taxonomy.top_level();
        let level = self.level.or(taxonomy.category_level()).unwrap_or(1);
        if level == 0 || level > top {
            return Err(ValuesError::NoGroups { level, top });
        }
        let groups = groups_at(taxonomy, level);
        let leaves = taxonomy.leaves().len();
        check_count(count, pair_count(leaves), &format!("{leaves} leaf values"))?;

        let mut rng = generator(seed);
        let mut strata = strata(&groups, &mut rng);
        let mut pairs = Vec::with_capacity(count);
        while pairs.len() < count {
            for stratum in strata.iter_mut().take(count - pairs.len()) {
                if let Some((one, other)) = stratum.next(&groups, &mut rng) {
                    pairs.push(in_random_order(&mut rng, &one.name, &other.name));
                }
            }
            strata.retain(|stratum| !stratum.shuffle.is_exhausted());
        }
        Ok(pairs)
    }
}

type Group<'a> = Vec<&'a Value>;

/// The leaves of each group at `level`, by name; the groups by their name, then by their first leaf's.
fn groups_at(taxonomy: &Taxonomy, level: u8) -> Vec<Group<'_>> {
    let mut tagged: Vec<(&str, ValueId, &Value)> = sorted_leaves(taxonomy)
        .into_iter()
        .filter_map(|leaf| {
            let group = taxonomy.ancestor_at(leaf.id, level)?;
            Some((group.name.as_str(), group.id, leaf))
        })
        .collect();
    // Stable, so the leaves of a group stay sorted.
    tagged.sort_by_key(|&(name, id, _)| (name, id));
    let mut groups: Vec<(&str, Group<'_>)> = tagged
        .chunk_by(|(_, left, _), (_, right, _)| left == right)
        .map(|chunk| (chunk[0].0, chunk.iter().map(|&(_, _, leaf)| leaf).collect()))
        .collect();
    groups.sort_by(|(name, leaves), (other_name, other_leaves)| {
        (name, &leaves[0].name).cmp(&(other_name, &other_leaves[0].name))
    });
    groups.into_iter().map(|(_, leaves)| leaves).collect()
}

/// The pairs between two groups, or within one if both are the same, that are not drawn yet.
struct Stratum {
    one: usize,
    other: usize,
    shuffle: LazyShuffle,
}

impl Stratum {
    fn next<'a>(
        &mut self,
        groups: &[Group<'a>],
        rng: &mut ChaCha8Rng,
    ) -> Option<(&'a Value, &'a Value)> {
        let rank = self.shuffle.next(rng)?;
        let (one, other) = (&groups[self.one], &groups[self.other]);
        if self.one == self.other {
            let (first, second) = pair_at(rank);
            return Some((one[first], one[second]));
        }
        let width = other.len() as u64;
        Some((one[to_index(rank / width)], other[to_index(rank % width)]))
    }
}

/// The strata that have any pairs, in random order.
fn strata(groups: &[Group<'_>], rng: &mut ChaCha8Rng) -> Vec<Stratum> {
    let mut ordered = Vec::new();
    for (other, group) in groups.iter().enumerate() {
        for (one, earlier) in groups[..other].iter().enumerate() {
            ordered.push((one, other, earlier.len() as u64 * group.len() as u64));
        }
        ordered.push((other, other, pair_count(group.len())));
    }
    ordered.retain(|(_, _, size)| *size > 0);
    let mut order = LazyShuffle::new(ordered.len() as u64);
    std::iter::from_fn(|| order.next(rng))
        .map(|position| {
            let (one, other, size) = ordered[to_index(position)];
            Stratum {
                one,
                other,
                shuffle: LazyShuffle::new(size),
            }
        })
        .collect()
}
