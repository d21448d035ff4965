//! Properties against brute force, golden values of public libraries, simulations with known truth,
//! and figures of the paper and of its released rows.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says why")]

mod coverage;
#[cfg(feature = "bootstrap")]
mod coverage_bootstrap;
mod golden_agreement;
mod golden_compare;
mod golden_ranking;
mod golden_rates;
mod noise;
mod panels;
mod paper;
mod profiles;
mod properties;
mod properties_agreement;
mod ranking;
mod released_rows;
mod scaling;
mod simulated_judges;
#[cfg(all(feature = "rayon", feature = "bootstrap"))]
mod threads;
