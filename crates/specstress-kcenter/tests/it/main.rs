//! The guarantees against the exhaustive optimum, and picks pinned by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::float_cmp, reason = "whole-number distances are exact")]

mod core_sets;
mod equality;
mod guarantees;
mod oracle;
mod pinned;
mod sources;
