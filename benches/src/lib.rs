//! Benchmarks of the numeric crates against plain references, in the folder `benches`. Each asserts, before
//! it measures, that both sides give the same answer.

pub mod embeddings;
