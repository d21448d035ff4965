use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::{
    Embedding, EmbeddingModel, EmbeddingRequest, LlmError, LlmErrorKind, ModelId,
};

use crate::catalog::Named;
use crate::draw::{Draw, hash, mix};
use crate::persona::EMBEDDER;
use crate::world::World;

/// Shares of a query's squared length: what all queries have in common, its words, its values.
const COMMON: f32 = 0.41;
const WORDS: f32 = 0.19;
const VALUES: f32 = 0.40;

/// A simulated embedding model, `sim/embedder`: hashed words and word pairs under a random projection, with
/// the names of values weighted much more than the words around them.
///
/// Vectors have unit length. Texts that are a value's or category's name, alone or as
/// `name: description`, lie near the direction of their category, except for the share
/// [`SimOptions::label_blur`](crate::SimOptions::label_blur) of the values, which lie near a wrong one.
/// Queries about the same values lie close (rewritings of one question often within 0.4), unrelated ones
/// about 1 apart, as with real embeddings. [`EmbeddingRequest::dimensions`] is honoured from 16 to 4096. An
/// empty text is a `BadRequest`. Cost: words x dimensions.
///
/// ```
/// use specstress_llm::{EmbeddingModel, EmbeddingRequest};
/// use specstress_sim::{SimOptions, SimWorld};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = SimWorld::new(&specstress_values::Taxonomy::builtin(), SimOptions::default())?;
/// let request = EmbeddingRequest::new(["brevity", "Clarity and precision", "Artistic expression and appreciation"]);
/// let vectors = futures_executor::block_on(world.embedder().embed(&request))?;
/// let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
/// assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SimEmbedder {
    world: Arc<World>,
    id: ModelId,
}

impl SimEmbedder {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            id: ModelId::new("sim", EMBEDDER),
        }
    }
}

#[async_trait]
impl EmbeddingModel for SimEmbedder {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        let dimensions = request.dimensions.unwrap_or(self.world.options.dimensions);
        let refuse = |what: String| LlmError::new(LlmErrorKind::BadRequest, what);
        if !(16..=4096).contains(&dimensions) {
            return Err(refuse(format!(
                "sim/embedder: {dimensions} dimensions are outside 16 to 4096"
            )));
        }
        if let Some(at) = request.texts.iter().position(|text| text.trim().is_empty()) {
            return Err(refuse(format!("sim/embedder: text {at} is empty")));
        }
        let projector = Projector {
            world: &self.world,
            dimensions: dimensions as usize,
        };
        Ok(request
            .texts
            .iter()
            .map(|text| projector.embed(text))
            .collect())
    }

    fn max_batch(&self) -> usize {
        100
    }
}

struct Projector<'w> {
    world: &'w World,
    dimensions: usize,
}

impl Projector<'_> {
    fn embed(&self, text: &str) -> Embedding {
        let name = text.split_once(": ").map_or(text, |(name, _)| name);
        let known = self
            .world
            .catalog
            .find(text)
            .or_else(|| self.world.catalog.find(name));
        let words = self.words(text);
        let mut sum = vec![0.0; self.dimensions];
        if let Some(named) = known {
            add(&mut sum, &self.label(named), 1.0);
            add(&mut sum, &words, 0.25);
            return unit(sum);
        }
        let values = self.values(text);
        add(&mut sum, &self.direction("common", ""), COMMON.sqrt());
        add(&mut sum, &words, WORDS.sqrt());
        if let Some(values) = values {
            add(&mut sum, &values, VALUES.sqrt());
        }
        unit(sum)
    }

    /// A name as a label: mostly its category.
    fn label(&self, named: Named) -> Embedding {
        let catalog = &self.world.catalog;
        match named {
            Named::Category(index) => self.direction("category", &catalog.categories[index].name),
            Named::Leaf(index) => {
                let leaf = catalog.leaf(index);
                let mut draw = Draw::new(self.world.options.seed, &["blur", &leaf.name]);
                let blurred = draw.chance(self.world.options.label_blur);
                let other = draw.below(catalog.categories.len());
                let category = if blurred { other } else { leaf.category };
                let mut sum = self.direction("category", &catalog.categories[category].name);
                add(
                    &mut sum,
                    &self.direction("value", &leaf.name.to_lowercase()),
                    0.8,
                );
                unit(sum)
            }
        }
    }

    /// The values a running text is about: its quoted names, or the known names in it.
    fn values(&self, text: &str) -> Option<Embedding> {
        let catalog = &self.world.catalog;
        let quoted = || {
            text.split('“')
                .skip(1)
                .filter_map(|rest| rest.split_once('”'))
        };
        let mut counts: Vec<(String, usize, f32)> = Vec::new();
        let mut mention = |name: &str, category: usize| {
            let name = name.to_lowercase();
            match counts.iter_mut().find(|(known, ..)| *known == name) {
                Some((.., count)) => *count += 1.0,
                None => counts.push((name, category, 1.0)),
            }
        };
        for (name, _) in quoted() {
            mention(name, catalog.category_of(name));
        }
        if quoted().next().is_none() {
            for named in catalog.mentions(&words(text)) {
                match named {
                    Named::Leaf(index) => {
                        mention(&catalog.leaf(index).name, catalog.leaf(index).category);
                    }
                    Named::Category(index) => mention(&catalog.categories[index].name, index),
                }
            }
        }
        let mut sum = vec![0.0; self.dimensions];
        for (name, category, count) in &counts {
            // A text that comes back to a value is about it more than in proportion.
            let weight = count * count;
            let category = &catalog.categories[*category].name;
            add(&mut sum, &self.direction("value", name), weight);
            add(
                &mut sum,
                &self.direction("category", category),
                0.4 * weight,
            );
        }
        (!counts.is_empty()).then(|| unit(sum))
    }

    /// Words and pairs of neighbours; short words say little.
    fn words(&self, text: &str) -> Embedding {
        let mut sum = vec![0.0; self.dimensions];
        let mut previous = "";
        let words = words(text);
        for word in &words {
            let weight = if word.len() <= 3 { 0.3 } else { 1.0 };
            add_direction(&mut sum, hash(0, &["word", word]), weight);
            add_direction(&mut sum, hash(0, &["words", previous, word]), 0.4);
            previous = word;
        }
        unit(sum)
    }

    fn direction(&self, kind: &str, name: &str) -> Embedding {
        let mut sum = vec![0.0; self.dimensions];
        add_direction(
            &mut sum,
            hash(self.world.options.seed, &["direction", kind, name]),
            1.0,
        );
        unit(sum)
    }
}

/// Adds a random vector of signs, the same for the same hash.
fn add_direction(sum: &mut [f32], hash: u64, weight: f32) {
    let mut state = hash;
    for chunk in sum.chunks_mut(64) {
        state = mix(state);
        let mut bits = state;
        for slot in chunk {
            *slot += if bits & 1 == 0 { weight } else { -weight };
            bits >>= 1;
        }
    }
}

fn add(sum: &mut [f32], vector: &[f32], weight: f32) {
    for (slot, value) in sum.iter_mut().zip(vector) {
        *slot += weight * value;
    }
}

/// Scales to length 1. The zero vector, which random signs can only make by cancelling each other out,
/// becomes the first axis.
fn unit(mut vector: Embedding) -> Embedding {
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm > 0.0 {
        for value in &mut vector {
            *value /= norm;
        }
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

/// The words of a text in lowercase, hyphens and apostrophes kept inside.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\''))
        .map(|word| word.trim_matches(['-', '\'']))
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_hyphens_and_apostrophes_inside() {
        assert_eq!(
            words("Self-care, the 'Lover's' way – 2x!"),
            ["self-care", "the", "lover's", "way", "2x"]
        );
        assert!(words("— …").is_empty());
    }
}
