//! Rates, ratios of rates, and how sure they are.

mod bounds;
mod clopper_pearson;
mod proportion;
mod risk_ratio;
mod trend;

pub use bounds::{MissingBounds, missing_bounds};
pub use clopper_pearson::clopper_pearson_interval;
pub(crate) use proportion::wilson_ends;
pub use proportion::{
    Confidence, Interval, Proportion, binomial_standard_error, proportion, wilson_interval,
};
pub use risk_ratio::{RiskRatio, risk_ratio};
pub use trend::{Trend, cochran_armitage};
