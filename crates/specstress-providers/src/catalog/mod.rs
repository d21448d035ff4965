//! What is known of each model: what it accepts, what it costs, how long it lives.

mod date;
mod entry;
mod info;
mod kind;
mod price;
mod rules;
mod table;

pub use date::Date;
pub use entry::ModelEntry;
pub use info::ModelInfo;
pub use kind::ProviderKind;
pub use price::{LongContext, Prices};
pub use rules::{
    AdaptiveOff, ChatApi, EffortControl, EmbeddingRule, SamplingRule, StructuredOutput,
    TokenLimitName,
};
pub use table::{Catalog, CatalogError};
