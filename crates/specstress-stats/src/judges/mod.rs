//! How good the judges are: against each other, against people, and without either.

mod calibration;
mod dawid_skene;
mod errors;

pub use calibration::{CorrectedRate, JudgeCalibration, calibrate};
pub use dawid_skene::{DawidSkene, DawidSkeneParams, JudgeAccuracy, dawid_skene};
pub use errors::{ErrorPair, JudgeErrors, judge_errors};
