//! Value taxonomies and value-pair samplers.

mod pair;

pub use pair::{Side, ValuePair};
