//! Ways to draw pairs of leaves.

mod draw;
mod explicit;
mod stratified;
mod successive;
mod uniform;
mod weighted;

use std::fmt::Debug;
use std::sync::Arc;

use crate::{Taxonomy, ValuePair, ValuesError};

pub use explicit::ExplicitPairs;
pub use stratified::StratifiedByCategory;
pub use uniform::UniformPairs;
pub use weighted::{FrequencyWeighted, MissingFrequency};

/// A way to choose which values to set against each other.
///
/// One method. What callers rely on, and implementers keep:
///
/// - exactly `count` pairs come back, or an error; `count` 0 gives an empty list;
/// - both names of a pair are different leaves of `taxonomy`;
/// - no two pairs have the same two values, in whichever order;
/// - the same leaves, `count` and `seed` give the same pairs in the same order, on every machine.
///
/// The samplers of this crate promise two things more. The result depends on names, groups and frequencies, not on the
/// order of rows in a file. And a smaller `count` with the same seed gives the beginning of the longer list, so a
/// study can grow without losing the pairs it has paid for.
///
/// ```
/// use specstress_values::{PairSampler, Taxonomy, ValuePair, ValuesError};
///
/// /// Each leaf against the next one in file order.
/// #[derive(Debug)]
/// struct Neighbours;
///
/// impl PairSampler for Neighbours {
///     fn sample(&self, taxonomy: &Taxonomy, count: usize, _seed: u64) -> Result<Vec<ValuePair>, ValuesError> {
///         let next = taxonomy.leaves().skip(1);
///         let pairs = taxonomy.leaves().zip(next).map(|(a, b)| ValuePair::new(&a.name, &b.name));
///         let pairs: Vec<ValuePair> = pairs.take(count).collect();
///         if pairs.len() < count {
///             let available = pairs.len() as u64;
///             return Err(ValuesError::TooManyPairs { asked: count, available, from: "neighbours".into() });
///         }
///         Ok(pairs)
///     }
/// }
///
/// let sampler: Box<dyn PairSampler> = Box::new(Neighbours);
/// assert_eq!(sampler.sample(&Taxonomy::builtin(), 3, 0)?.len(), 3);
/// # Ok::<(), ValuesError>(())
/// ```
pub trait PairSampler: Debug + Send + Sync {
    /// Draws `count` pairs.
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError>;
}

impl<S: PairSampler + ?Sized> PairSampler for &S {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        (**self).sample(taxonomy, count, seed)
    }
}

impl<S: PairSampler + ?Sized> PairSampler for Box<S> {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        (**self).sample(taxonomy, count, seed)
    }
}

impl<S: PairSampler + ?Sized> PairSampler for Arc<S> {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        (**self).sample(taxonomy, count, seed)
    }
}

/// The leaves by name, so that the order of rows in a file changes no sample.
fn sorted_leaves(taxonomy: &Taxonomy) -> Vec<&crate::Value> {
    let mut leaves: Vec<_> = taxonomy.leaves().collect();
    leaves.sort_by(|left, right| left.name.cmp(&right.name));
    leaves
}

fn check_count(asked: usize, available: u64, from: &str) -> Result<(), ValuesError> {
    if u64::try_from(asked).is_ok_and(|asked| asked <= available) {
        return Ok(());
    }
    Err(ValuesError::TooManyPairs {
        asked,
        available,
        from: from.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn _dyn_compatible(_: &dyn PairSampler) {}

    #[test]
    fn pointers_to_samplers_are_samplers() {
        fn first(sampler: impl PairSampler) -> ValuePair {
            let pairs = sampler
                .sample(&Taxonomy::builtin(), 1, 3)
                .expect("one pair");
            pairs[0].clone()
        }
        let plain = first(UniformPairs);
        assert_eq!(first(&UniformPairs as &dyn PairSampler), plain);
        assert_eq!(first(Box::new(UniformPairs) as Box<dyn PairSampler>), plain);
        assert_eq!(first(Arc::new(UniformPairs) as Arc<dyn PairSampler>), plain);
    }
}
