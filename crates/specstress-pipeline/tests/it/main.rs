//! The study as its users run it, with hand-made people: no test here needs a simulated panel.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the whole crate is tests, which fail by panicking"
)]
#![expect(
    clippy::unnecessary_wraps,
    reason = "good and bad replies of a fake model share one type"
)]

mod batch_fakes;
mod cast;
mod fakes;
mod look;

mod batches;
mod budgets;
mod every_item;
mod judging;
mod measures;
mod optional;
mod outcomes;
mod reuse;
mod run_dir;
mod sampling;
mod settings;
mod shards;
mod stops;
mod store;
mod surveys;
mod tiny_study;
