//! The simulated world, used as a study would use it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod citing;
mod documents;
mod geometry;
mod judges;
mod prompts;
#[cfg(feature = "server")]
mod server;
mod study;
mod truth;
mod worlds;
