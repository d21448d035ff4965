use std::collections::HashMap;

use super::{PairSampler, check_count};
use crate::{Taxonomy, Value, ValuePair, ValuesError};

/// The pairs of a given list, in its order; the seed is not used.
///
/// The whole list is checked at each call, also the part beyond `count`: both names must be leaves of the taxonomy, the two
/// must differ, and no pair may come twice, in whichever order. A smaller `count` takes the first pairs; a larger one
/// is [`ValuesError::TooManyPairs`], because silently running fewer than asked would bias what is reported. Use
/// [`len`](Self::len) to ask for all.
///
/// Cost: O(list) hash lookups.
///
/// ```
/// use specstress_values::{ExplicitPairs, PairSampler, Taxonomy, ValuePair};
///
/// let taxonomy = Taxonomy::builtin();
/// let list = ExplicitPairs::new([ValuePair::new("thrift", "comfort and luxury")]);
/// assert_eq!(list.sample(&taxonomy, list.len(), 0)?, list.pairs());
///
/// let error = ExplicitPairs::new([ValuePair::new("thirft", "brevity")]).sample(&taxonomy, 1, 0).unwrap_err();
/// assert_eq!(error.to_string(), r#"pair 1: no value is called "thirft"; did you mean "thrift"?"#);
/// # Ok::<(), specstress_values::ValuesError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplicitPairs {
    pairs: Vec<ValuePair>,
}

impl ExplicitPairs {
    /// A sampler of these pairs. They are checked against a taxonomy when sampled.
    pub fn new(pairs: impl IntoIterator<Item = ValuePair>) -> Self {
        Self {
            pairs: pairs.into_iter().collect(),
        }
    }

    /// The list.
    pub fn pairs(&self) -> &[ValuePair] {
        &self.pairs
    }

    /// The number of pairs in the list.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn check(&self, taxonomy: &Taxonomy) -> Result<(), ValuesError> {
        let mut seen = HashMap::with_capacity(self.pairs.len());
        for (index, pair) in self.pairs.iter().enumerate() {
            let number = index + 1;
            let one = leaf(taxonomy, number, &pair.value1)?;
            let other = leaf(taxonomy, number, &pair.value2)?;
            if one.id == other.id {
                return Err(ValuesError::SameValue {
                    pair: number,
                    name: one.name.clone(),
                });
            }
            let key = (one.id.min(other.id), one.id.max(other.id));
            if let Some(first) = seen.insert(key, number) {
                return Err(ValuesError::DuplicatePair {
                    pair: number,
                    first,
                    value1: pair.value1.clone(),
                    value2: pair.value2.clone(),
                });
            }
        }
        Ok(())
    }
}

impl PairSampler for ExplicitPairs {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        _seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        self.check(taxonomy)?;
        check_count(count, self.pairs.len() as u64, "the listed pairs")?;
        Ok(self.pairs[..count].to_vec())
    }
}

fn leaf<'a>(taxonomy: &'a Taxonomy, pair: usize, name: &str) -> Result<&'a Value, ValuesError> {
    match taxonomy.find(name) {
        Some(value) if value.is_leaf() => Ok(value),
        Some(group) => Err(ValuesError::NotALeaf {
            pair,
            name: name.to_owned(),
            level: group.level,
            example: first_leaf_below(taxonomy, group).name.clone(),
        }),
        None => Err(ValuesError::UnknownValue {
            pair,
            name: name.to_owned(),
            suggestion: taxonomy.suggest(name).map(|value| value.name.clone()),
        }),
    }
}

fn first_leaf_below<'a>(taxonomy: &'a Taxonomy, group: &'a Value) -> &'a Value {
    let mut value = group;
    while let Some(child) = taxonomy.children(value.id).next() {
        value = child;
    }
    value
}
