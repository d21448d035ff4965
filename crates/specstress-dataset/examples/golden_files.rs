//! Writes the golden files of a new version, which `tests/it/schemas.rs` reads ever after:
//!
//! ```sh
//! cargo run -p specstress-dataset --example golden_files -- v2
//! ```
//!
//! Never rewrite those of an old version; the program refuses to.

#![expect(clippy::unwrap_used, reason = "the samples are those of the tests")]

#[path = "../tests/it/samples.rs"]
mod samples;

use std::path::PathBuf;

use samples::for_each_table;
use specstress_dataset::{Format, Table};

/// The folder of the version that the command line names.
fn folder() -> PathBuf {
    let version = std::env::args().nth(1);
    let version = version.expect("name the version on the command line, such as v2");
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(version)
}

fn write<T: Table>(rows: &[T]) {
    let path = folder().join(format!("{}.parquet", T::NAME));
    let mut sink = Format::Parquet
        .create::<T>(path)
        .expect("the folder can be written to");
    sink.write(&rows[..5]).expect("the rows fit their table");
    sink.finish().expect("the file is stored");
}

fn main() {
    std::fs::create_dir(folder()).expect("a version that is not there yet");
    for_each_table!(write);
}
