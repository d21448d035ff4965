//! Writes the golden files of a new version, which `tests/it/schemas.rs` reads ever after:
//!
//! ```sh
//! cargo run -p specstress-dataset --example golden_files -- v2
//! ```
//!
//! Never rewrite those of an old version; the program refuses to.

#[path = "../tests/it/samples.rs"]
mod samples;

use std::error::Error;
use std::path::{Path, PathBuf};

use samples::for_each_table;
use specstress_dataset::{DatasetError, Format, Table};

fn write<T: Table>(folder: &Path, rows: &[T]) -> Result<(), DatasetError> {
    let path = folder.join(format!("{}.parquet", T::NAME));
    let mut sink = Format::Parquet.create::<T>(path)?;
    sink.write(&rows[..5])?;
    sink.finish().map(drop)
}

fn main() -> Result<(), Box<dyn Error>> {
    let version = std::env::args()
        .nth(1)
        .ok_or("name the version, such as v2")?;
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden");
    let folder = golden.join(version);
    std::fs::create_dir(&folder)?;
    let mut failed = None;
    let mut write_one = |done: Result<(), DatasetError>| failed = failed.take().or(done.err());
    macro_rules! write_table {
        ($rows:expr) => {
            write_one(write(&folder, $rows))
        };
    }
    for_each_table!(write_table!);
    failed.map_or(Ok(()), |error| Err(error.into()))
}
