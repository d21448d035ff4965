//! How much of a disagreement is only the models' own noise.

mod components;
mod floor;
#[cfg(feature = "bootstrap")]
mod survival;

pub use components::{VarianceComponents, variance_components};
pub use floor::{NoiseFloor, noise_floor};
#[cfg(feature = "bootstrap")]
pub use survival::{NoiseParams, NoiseReport, ScenarioNoise, disagreement_noise};
