//! The panel over HTTP, asked through plain sockets.

#![expect(clippy::panic, reason = "helpers of tests fail as tests do")]

mod batch;
mod client;
mod faults;
mod limits;
mod lookups;
mod rejections;
mod wires;
