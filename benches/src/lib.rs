//! Benchmarks; see the `[[bench]]` targets.
