//! The layout of the published data set (method section 6), so that its tables are read, and ours can be shared.
//!
//! 44 columns for twelve models: `rank, query_generator, value1, value2, nudge_direction, query`, one
//! `response_<model>` per model, `<model>_value1_position` and `<model>_value2_position` per model, `chunk_index,
//! entry_idx`. The two groups of columns order the models differently, so everything here goes by name.
//!
//! ```
//! use specstress_dataset::published::{ReadOptions, read_published};
//!
//! let dir = tempfile::tempdir()?;
//! let path = dir.path().join("split.csv");
//! std::fs::write(&path, "value1,value2,m_value2_position,m_value1_position\nhonesty,kindness,6,\n")?;
//! let reader = read_published(&path, &ReadOptions::default())?;
//! assert_eq!(reader.models(), ["m"]);
//! for row in reader {
//!     assert_eq!(row?.position("m"), Some((None, Some(6))));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cell;
mod evaluations;
mod layout;
mod plan;
mod position_units;
mod positions;
mod read;
mod read_parquet;
pub mod reported;
mod row;
mod write;
mod write_cells;
mod write_parquet;

pub use evaluations::{
    EvaluationReader, EvaluationRow, EvaluationWriter, is_evaluations, read_evaluations,
};
pub use layout::{PUBLISHED_MODELS, PUBLISHED_SUBSETS, PublishedSubset, model_order};
pub(crate) use plan::has_spectra;
pub use plan::{ReadOptions, is_published};
pub use positions::{PositionBlock, PositionFiles};
pub use read::{PublishedReader, column_names, read_published};
pub use row::PublishedRow;
pub use write::PublishedWriter;
