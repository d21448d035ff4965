use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::csv_source::{Records, find_column};
use crate::located::{Place, shown};
use crate::{DatasetError, Format};

/// A CSV file of columns that are known only when it is read, such as one column per rater.
///
/// All cells are kept as text, without the spaces around them; an empty cell is missing. Errors about a
/// cell name its file, row, line and column.
///
/// ```
/// use specstress_dataset::TextTable;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("votes.csv");
/// std::fs::write(&path, "ann,bob\nyes,no\n,yes\n")?;
/// let table = TextTable::read(&path)?;
/// let bob = table.column("bob")?;
/// assert_eq!((table.len(), table.cell(1, bob), table.cell(1, 0)), (2, Some("yes"), None));
/// let error = table.bad_value(0, bob, "yes or an empty cell");
/// assert!(error.to_string().ends_with("row 1 (line 2), column `bob`: bad value \"no\"; expected yes or an empty cell"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TextTable {
    path: PathBuf,
    header: Vec<String>,
    /// Row by row, as many as the header has.
    cells: Vec<Box<str>>,
    lines: Vec<Option<u64>>,
}

impl TextTable {
    /// Reads a whole file.
    ///
    /// # Errors
    /// When it is not there, no CSV, or has a row with more or fewer cells than the header.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        if let Ok(format @ (Format::Parquet | Format::Jsonl)) = Format::of(path) {
            return Err(DatasetError::Corrupt {
                path: path.to_owned(),
                format: Format::Csv,
                source: format!("its name says {format}; this table is read from CSV only").into(),
            });
        }
        let mut records = Records::open(path)?;
        let header = records.header()?;
        let header = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut table = Self {
            path: path.to_owned(),
            header,
            cells: Vec::new(),
            lines: Vec::new(),
        };
        while records.advance()? {
            let cells = records.record.iter().map(|cell| Box::from(cell.trim()));
            table.cells.extend(cells);
            table.lines.push(records.place().line);
        }
        Ok(table)
    }

    /// Names of the columns, in their order.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Number of data rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no data row.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Place of the one column of this name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn column(&self, name: &str) -> Result<usize, DatasetError> {
        find_column(&self.path, &self.header, name)?.ok_or_else(|| DatasetError::MissingColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            found: self.header.clone(),
        })
    }

    /// A cell by row and column from 0; `None` where it is empty, or there is no such cell.
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        let width = self.header.len();
        let cell = (column < width).then(|| self.cells.get(row * width + column))??;
        (!cell.is_empty()).then_some(&**cell)
    }

    /// An error about a cell that its reader cannot use.
    pub fn bad_value(&self, row: usize, column: usize, allowed: impl Into<String>) -> DatasetError {
        let value = self.cell(row, column).map_or(Value::Null, Value::from);
        let place = Place {
            path: &self.path,
            row: row as u64 + 1,
            line: self.lines.get(row).copied().flatten(),
        };
        let name = self.header.get(column).map_or("", String::as_str);
        place.bad_value(name, shown(&value), allowed)
    }
}
