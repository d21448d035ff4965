//! Models that stand alone: on one scenario, and how often.

mod counts;
mod one;
mod standing;

pub use counts::{DirectedCount, ModelOutlierCount, OutlierCounts, outlier_counts};
pub use one::{ModelOutlier, OutlierParams, OutlierReading, Outliers, outliers};
pub use standing::{Standing, standings};
