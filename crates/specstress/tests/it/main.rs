//! The binary as its users run it.

mod graph;
