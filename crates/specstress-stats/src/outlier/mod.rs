//! Models that stand alone: on one scenario, and how often.

mod counts;
mod one;

pub use counts::{DirectedCount, ModelOutlierCount, OutlierCounts, outlier_counts};
pub use one::{ModelOutlier, OutlierParams, OutlierReading, Outliers, outliers};
