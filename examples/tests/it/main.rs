//! Everything that asks a language model, against simulated models whose truth is known; and what the
//! examples promise.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod authors;
mod injection;
mod judging;
mod labels;
mod manifests;
mod positions;
mod world;
