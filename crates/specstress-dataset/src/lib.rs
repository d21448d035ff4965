//! The tables of a study: one row type per table, its schema written out with a version, and Parquet, CSV and JSONL
//! for all of them. Rows stream both ways, so memory does not grow with the study; a table is replaced as a whole, so
//! nobody reads half of one; a missing value is `None` in Rust and null in a file, never a magic number. The
//! [`published`] module reads and writes the layout of the released data set.
//!
//! ```
//! use specstress_dataset::{Format, TableDir, rows::SelectionRow};
//!
//! let dir = tempfile::tempdir()?;
//! let tables = TableDir::new(dir.path().join("tables"));
//! let mut writer = tables.writer::<SelectionRow>()?;
//! writer.push(SelectionRow {
//!     selection: "diversity".into(),
//!     rank: 0,
//!     scenario_id: "a".into(),
//!     weight: None,
//!     radius: Some(0.5),
//! })?;
//! assert_eq!(writer.finish()?, 1);
//!
//! // The same rows as CSV.
//! let path = dir.path().join("selections.csv");
//! let mut csv = Format::of(&path)?.create::<SelectionRow>(&path)?;
//! for row in tables.rows::<SelectionRow>()? {
//!     csv.write(&[row?])?;
//! }
//! csv.finish()?;
//! assert_eq!(std::fs::read_to_string(&path)?, "selection,rank,scenario_id,weight,radius\ndiversity,0,a,,0.5\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Traits to implement:
//! - [`Table`] for a row type of your own,
//! - [`Sink`] for another place to put rows,
//! - [`Source`] for another place to get them from.

pub mod arrow;
pub mod published;
pub mod rows;

mod column;
mod convert;
mod csv_sink;
mod csv_source;
mod error;
mod format;
mod jsonl;
mod located;
mod numbers;
mod output;
mod parquet_sink;
mod parquet_source;
mod shape;
mod stream;
mod table;
mod table_dir;
mod tables;
mod text_table;
mod vectors;

pub use column::{Column, ColumnType};
pub use convert::{Converted, convert};
pub use csv_sink::CsvSink;
pub use csv_source::CsvSource;
pub use error::DatasetError;
pub use format::Format;
pub use jsonl::{JsonlSink, JsonlSource};
pub use numbers::read_numbers;
pub use parquet_sink::ParquetSink;
pub use parquet_source::{ParquetSource, parquet_rows};
pub use stream::{Rows, Sink, Source};
pub use table::Table;
pub use table_dir::{TableDir, TableWriter};
pub use text_table::TextTable;
pub use vectors::VectorBlocks;
