//! Reports over small studies whose numbers were worked out by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod clauses;
mod fixture;
mod html;
mod missing;
mod numbers;
mod people;
mod space;
mod text;
