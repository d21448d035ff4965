//! How often raters agree, beyond what chance explains.

mod categories;
mod coefficient;
mod fleiss;
mod pairs;
mod recipe;
#[cfg(feature = "bootstrap")]
mod sure;

pub use categories::{CategoryKappa, category_kappa};
pub use coefficient::{
    AgreementEstimate, AgreementWeights, Coefficient, MeasurementLevel, agreement,
};
pub use fleiss::{FleissKappa, fleiss_kappa, fleiss_kappa_counts};
pub use pairs::{AgreementMatrix, PairAgreement, agreement_matrix};
#[cfg(feature = "bootstrap")]
pub use sure::{AgreementInterval, agreement_bootstrap};
