//! Model specs as sections, and judging answers against them.

mod verdict;

pub use verdict::{Decision, Judge, Verdict};
