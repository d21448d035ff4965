//! The values that a study sets against each other: a taxonomy of values in up to four levels, read from the
//! published CSV files, JSON or TOML, and samplers that draw pairs of different leaf values from it, with a seed.
//!
//! ```
//! use specstress_values::{PairSampler, StratifiedByCategory, Taxonomy};
//!
//! let taxonomy = Taxonomy::builtin();
//! let pairs = StratifiedByCategory::new().sample(&taxonomy, 500, 7)?;
//! assert_eq!(pairs.len(), 500);
//! for pair in &pairs {
//!     assert_ne!(pair.value1, pair.value2);
//!     assert!(taxonomy.category(&pair.value1).is_some());
//! }
//! # Ok::<(), specstress_values::ValuesError>(())
//! ```
//!
//! # Traits to implement
//!
//! | trait | required methods | implementers here |
//! |---|---|---|
//! | [`PairSampler`] | `sample` | [`UniformPairs`], [`FrequencyWeighted`], [`StratifiedByCategory`], [`ExplicitPairs`] |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `toml` | no | `Taxonomy::from_toml`, `Taxonomy::from_toml_path` |

mod draft;
mod error;
mod nested;
mod pair;
mod place;
mod read;
mod sampler;
mod search;
mod suggest;
mod table;
mod taxonomy;
mod tree_csv;
mod value;

pub use error::ValuesError;
pub use pair::{Side, ValuePair};
pub use place::Place;
pub use sampler::{
    ExplicitPairs, FrequencyWeighted, MissingFrequency, PairSampler, StratifiedByCategory,
    UniformPairs,
};
pub use taxonomy::Taxonomy;
pub use value::{Value, ValueId};
