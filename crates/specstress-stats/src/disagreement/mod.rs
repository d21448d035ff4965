//! How far a panel disagrees on a scenario: one by one, and by the million.

mod block;
mod one;
mod packed;
mod panels;
mod quick;

pub use one::{Disagreement, DisagreementParams, MissingPolicy, disagreement, disagreement_batch};
pub use packed::{PanelDisagreement, PanelDisagreements};
pub use panels::disagreement_panels;
