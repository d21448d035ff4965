use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Format;

/// What can go wrong with a table. Rows are counted from 1; lines are those of a text editor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file is not there.
    #[error("no file at {}; check the path", .path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },

    /// The table is not there.
    #[error("no table `{table}` at {}; run the stage that writes it first", .path.display())]
    MissingTable {
        /// The table.
        table: &'static str,
        /// Its folder.
        path: PathBuf,
    },

    /// A needed column is not there.
    #[error("{}: no column `{column}`; {}", .path.display(), Columns(.found))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns that are there.
        found: Vec<String>,
    },

    /// A needed column is there twice, so its name does not say which is meant.
    #[error("{}: column `{column}` is there more than once; rename or remove one", .path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },

    /// Files of different models where one table was expected.
    #[error(
        "{} has the models {}, the files before it have {}; analyze them apart",
        .path.display(), .found.join(", "), .expected.join(", ")
    )]
    OtherModels {
        /// The file.
        path: PathBuf,
        /// Its models.
        found: Vec<String>,
        /// Those of the files before it.
        expected: Vec<String>,
    },

    /// A column of a type that cannot hold its values.
    #[error("{}: column `{column}` is of type {found}; expected {expected}", .path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The types it may have.
        expected: &'static str,
    },

    /// No column of vectors, or more than one.
    #[error("{}: {}", .path.display(), VectorColumns(.found))]
    VectorColumn {
        /// The file.
        path: PathBuf,
        /// The columns that hold lists of numbers.
        found: Vec<String>,
    },

    /// A cell with a value that is not allowed.
    #[error("{}: row {row}{}, column `{column}`: bad value {value}; expected {allowed}", .path.display(), Line(*.line))]
    BadValue {
        /// The file.
        path: PathBuf,
        /// The data row.
        row: u64,
        /// Where the row starts in a text file.
        line: Option<u64>,
        /// The column.
        column: String,
        /// The value, quoted where it is text, `null` where it is missing.
        value: String,
        /// What is allowed.
        allowed: String,
    },

    /// A row that is no row: broken JSON, too few cells.
    #[error("{}: row {row}{} cannot be read; correct or remove it", .path.display(), Line(*.line))]
    BadRow {
        /// The file.
        path: PathBuf,
        /// The data row.
        row: u64,
        /// Where the row starts in a text file.
        line: Option<u64>,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },

    /// A file that is truncated, damaged or of another format.
    #[error("{} is not a whole {format} file; write or fetch it again", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What it should be.
        format: Format,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },

    /// A file of a later version of the schema.
    #[error(
        "{}: table `{table}` has schema version {found}, this build reads up to {supported}; use a newer build",
        .path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// Version of the file.
        found: u32,
        /// Latest version that is known here.
        supported: u32,
    },

    /// A file of another table.
    #[error("{} holds table `{found}`, not `{expected}`; give the file of that table", .path.display())]
    WrongTable {
        /// The file.
        path: PathBuf,
        /// The table its metadata names.
        found: String,
        /// The table that was asked for.
        expected: &'static str,
    },

    /// A file or folder whose table cannot be told.
    #[error("{}: {}; name one of the tables {}", .path.display(), NoTable(.found.as_deref()), .known.join(", "))]
    UnknownTable {
        /// The file or folder.
        path: PathBuf,
        /// The table it was said to be.
        found: Option<String>,
        /// The tables there are.
        known: Vec<&'static str>,
    },

    /// Metadata of the file that makes no sense.
    #[error("{}: metadata `{key}` is {value:?}; expected a whole number", .path.display())]
    BadMetadata {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },

    /// A number that is not one, in a row to be written.
    #[error(
        "table `{table}`, row {row}, column `{column}`: {value} cannot be stored; leave a missing number out"
    )]
    NotFinite {
        /// The table.
        table: &'static str,
        /// The row, counted over everything written.
        row: u64,
        /// The column.
        column: &'static str,
        /// The value.
        value: f64,
    },

    /// Rows that do not fit the schema of their own table: a mistake in the row type.
    #[error(
        "rows do not fit the schema of table `{table}`; make the columns match the row type's fields"
    )]
    Encode {
        /// The table.
        table: &'static str,
        /// What does not fit.
        source: Box<dyn Error + Send + Sync>,
    },

    /// A row type whose fields cannot be told.
    #[error("row type {row_type} is no plain struct with named fields; its columns are unknown")]
    RowType {
        /// The type.
        row_type: &'static str,
    },

    /// A file name that does not tell the format.
    #[error("{}: unknown format; use a name that ends in .parquet, .csv or .jsonl", .path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },

    /// The system refused: no permission, disk full, and the like.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl DatasetError {
    /// The file or folder at fault; `None` for errors in rows that have no file yet.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::MissingFile { path }
            | Self::MissingTable { path, .. }
            | Self::MissingColumn { path, .. }
            | Self::DuplicateColumn { path, .. }
            | Self::OtherModels { path, .. }
            | Self::ColumnType { path, .. }
            | Self::VectorColumn { path, .. }
            | Self::BadValue { path, .. }
            | Self::BadRow { path, .. }
            | Self::Corrupt { path, .. }
            | Self::NewerSchema { path, .. }
            | Self::WrongTable { path, .. }
            | Self::UnknownTable { path, .. }
            | Self::BadMetadata { path, .. }
            | Self::UnknownFormat { path }
            | Self::Io { path, .. } => Some(path),
            Self::NotFinite { .. } | Self::Encode { .. } | Self::RowType { .. } => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// For opening a file to read: a missing one has its own variant.
    pub(crate) fn open(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::MissingFile {
                path: path.to_owned(),
            },
            _ => Self::io("open", path)(source),
        }
    }
}

struct Line(Option<u64>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

struct Columns<'a>(&'a [String]);

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the file has no columns");
        }
        write!(f, "the file has {}", self.0.join(", "))
    }
}

struct NoTable<'a>(Option<&'a str>);

impl fmt::Display for NoTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "there is no table `{name}`"),
            None => f.write_str("the columns are those of no table and of no published layout"),
        }
    }
}

struct VectorColumns<'a>(&'a [String]);

impl fmt::Display for VectorColumns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("no column holds lists of floats, one vector per row"),
            several => write!(
                f,
                "{} hold lists of floats; name one of them",
                several.join(", ")
            ),
        }
    }
}
