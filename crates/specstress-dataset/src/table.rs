use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Column;

/// A row type with a name, a version and a schema that is written out, not guessed from rows.
///
/// Implement it for your own row struct and every sink, source and [`TableDir`](crate::TableDir) takes it. The struct
/// is a plain named-field struct (no `flatten`, no `alias`) whose serde names are those of [`Table::COLUMNS`], in that
/// order.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use specstress_dataset::{Column, ColumnType, Table, TableDir};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct NoteRow {
///     scenario_id: String,
///     note: Option<String>,
/// }
///
/// impl Table for NoteRow {
///     const NAME: &'static str = "notes";
///     const VERSION: u32 = 1;
///     const COLUMNS: &'static [Column] = &[
///         Column::required("scenario_id", ColumnType::Text),
///         Column::optional("note", ColumnType::Text),
///     ];
/// }
///
/// let dir = tempfile::tempdir()?;
/// let tables = TableDir::new(dir.path());
/// let mut writer = tables.writer::<NoteRow>()?;
/// writer.push(NoteRow { scenario_id: "a".into(), note: None })?;
/// assert_eq!(writer.finish()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Table: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Name of the table and of its folder: lower-case letters, digits and `_`.
    const NAME: &'static str;

    /// Version of the schema. Raise it with every change of [`Table::COLUMNS`]. A file of a newer version is refused;
    /// a file of an older version is read as long as only nullable columns were added since, which are then missing.
    const VERSION: u32;

    /// The columns, in the order of the struct's fields.
    const COLUMNS: &'static [Column];

    /// Rows of one Parquet row group, and with it the rows a writer holds in memory. Lower it for wide rows.
    const ROWS_PER_GROUP: usize = 4096;
}
