//! Scenarios that force two values apart.

mod scenario;
mod traits;

pub use scenario::{Nudge, Scenario, ScenarioId, ScenarioTriple, TripleId};
pub use traits::{GeneratedQuery, Nudger, ScenarioGenerator};
