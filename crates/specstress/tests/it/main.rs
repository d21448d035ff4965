//! The binary as its users run it.

#![expect(
    clippy::unwrap_used,
    reason = "the whole crate is tests, which fail by panicking"
)]
#![expect(
    clippy::print_stderr,
    reason = "a skipped test says so, and a measurement is shown"
)]

mod agree;
mod analyze;
mod bad_analyze;
mod bad_run;
mod ctrl_c;
mod data;
mod demo;
mod full_disk;
mod graph;
mod help;
mod init;
mod judge;
mod kill;
mod label_form;
mod labels;
mod rank;
mod recovery;
mod rehearsal;
mod report;
mod run;
mod select;
mod sim;
mod spec;
mod spending;
mod status;
mod support;
mod taxonomy;
