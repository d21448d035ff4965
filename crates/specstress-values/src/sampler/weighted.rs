use super::draw::{generator, in_random_order, pair_at, pair_count};
use super::successive::Successive;
use super::{PairSampler, check_count, sorted_leaves};
use crate::draft::is_percentage;
use crate::{Taxonomy, Value, ValuePair, ValuesError};

/// Pairs of values that people often meet come first: successive sampling without replacement, where each draw
/// takes an unordered pair of different leaves that is still there with
///
/// ```text
/// P({a, b}) = f(a)·f(b) / Σ f(c)·f(d)   over the pairs {c, d} that are left
/// ```
///
/// and f is [`Value::frequency`], the share of conversations. Either order within a pair is equally likely.
///
/// Leaves of frequency 0 are never drawn. Leaves without a frequency are an error unless [`missing`](Self::missing) says
/// what they weigh. With m leaves of positive weight there are m(m − 1)/2 pairs, and asking for more is
/// [`ValuesError::TooManyPairs`].
///
/// Cost: O(n log n + count · log n) time and O(n + count) memory while the pairs drawn have less than 7/8 of all
/// weight. Beyond that the m(m − 1)/2 pairs are listed, 16 bytes each, and listed again whenever 7/8 of the remaining
/// weight is used up, so at most log₈(total weight / smallest weight) + 1 times.
///
/// ```
/// use specstress_values::{FrequencyWeighted, MissingFrequency, PairSampler, Taxonomy};
///
/// let taxonomy = Taxonomy::from_json(r#"{"values": [
///     {"name": "clarity", "frequency": 16.0}, {"name": "thrift", "frequency": 0.5}, "grit", "tact"
/// ]}"#)?;
/// let error = FrequencyWeighted::new().sample(&taxonomy, 1, 0).unwrap_err();
/// assert!(error.to_string().starts_with(r#"2 of 4 leaf values have no frequency, the first is "grit""#));
///
/// let sampler = FrequencyWeighted::new().missing(MissingFrequency::Weight(0.1));
/// assert_eq!(sampler.sample(&taxonomy, 6, 0)?.len(), 6);
/// # Ok::<(), specstress_values::ValuesError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrequencyWeighted {
    missing: MissingFrequency,
}

/// What a leaf without a frequency weighs in [`FrequencyWeighted`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum MissingFrequency {
    /// Nothing is assumed: such a leaf is [`ValuesError::NoFrequency`].
    #[default]
    Reject,
    /// Such leaves are never drawn.
    Exclude,
    /// Such leaves weigh this percentage, 0 to 100; anything else is [`ValuesError::BadWeight`].
    Weight(f64),
}

impl FrequencyWeighted {
    /// Weighted by frequency; every leaf must have one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what leaves without a frequency weigh.
    #[must_use]
    pub fn missing(self, missing: MissingFrequency) -> Self {
        Self { missing }
    }

    /// The leaves that can be drawn, with positive weights scaled so that the largest is 1.
    fn weighted<'a>(
        &self,
        taxonomy: &'a Taxonomy,
    ) -> Result<(Vec<&'a Value>, Vec<f64>), ValuesError> {
        let sorted = sorted_leaves(taxonomy);
        let instead = match self.missing {
            MissingFrequency::Weight(weight) if !is_percentage(weight) => {
                return Err(ValuesError::BadWeight {
                    found: weight.to_string(),
                });
            }
            MissingFrequency::Weight(weight) => weight,
            MissingFrequency::Exclude => 0.0,
            MissingFrequency::Reject => {
                let mut without = sorted.iter().filter(|leaf| leaf.frequency.is_none());
                if let Some(first) = without.next() {
                    return Err(ValuesError::NoFrequency {
                        missing: 1 + without.count(),
                        leaves: sorted.len(),
                        example: first.name.clone(),
                    });
                }
                0.0
            }
        };
        let (leaves, mut weights): (Vec<&Value>, Vec<f64>) = sorted
            .into_iter()
            .map(|leaf| (leaf, leaf.frequency.unwrap_or(instead)))
            .filter(|(_, weight)| *weight > 0.0)
            .unzip();
        let largest = weights.iter().copied().fold(0.0, f64::max);
        for weight in &mut weights {
            *weight /= largest;
        }
        Ok((leaves, weights))
    }
}

impl PairSampler for FrequencyWeighted {
    fn sample(
        &self,
        taxonomy: &Taxonomy,
        count: usize,
        seed: u64,
    ) -> Result<Vec<ValuePair>, ValuesError> {
        let (leaves, weights) = self.weighted(taxonomy)?;
        let from = format!("{} leaf values of positive weight", leaves.len());
        check_count(count, pair_count(leaves.len()), &from)?;

        let mut rng = generator(seed);
        let mut draws = Successive::new(&weights);
        let mut pairs = Vec::with_capacity(count);
        while pairs.len() < count
            && let Some(rank) = draws.next(&mut rng)
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
