use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use super::cell::Cell;
use super::plan::{Plan, ReadOptions, RowPlan};
use super::read_parquet::{header_of, parquet_rows};
use super::row::PublishedRow;
use crate::csv_source::Records;
use crate::jsonl::Lines;
use crate::parquet_source::open_file;
use crate::stream::until_error;
use crate::{DatasetError, Format, Rows};

/// Opens a file in the published layout; its name tells the format: `.parquet`, `.csv` or `.jsonl`.
///
/// Columns are found by name, further columns are ignored, and only the columns that are needed are decoded. Numbers
/// may be stored as any integer or float type or as text, as long as they are whole (`3.0`). Empty text is a missing
/// value. In JSONL the keys of the first object are the header. Memory: one row, in Parquet one batch.
///
/// # Errors
/// [`DatasetError::MissingColumn`] for a position column that is not there; each row that cannot be read gives an error
/// with file, row, line, column and value, and ends the rows.
pub fn read_published(
    path: impl AsRef<Path>,
    options: &ReadOptions,
) -> Result<PublishedReader, DatasetError> {
    let path = path.as_ref();
    let header = |header: &[String]| Plan::new(path, header, options);
    let (plan, rows) = match rows_of(path, header)? {
        Some(opened) => opened,
        None => (
            Plan::empty(options),
            Box::new(std::iter::empty()) as Rows<_>,
        ),
    };
    Ok(PublishedReader { plan, rows })
}

/// The rows of a published file, read as they are asked for.
pub struct PublishedReader {
    plan: Plan,
    rows: Rows<PublishedRow>,
}

impl PublishedReader {
    /// Keys of the models, in the order every row has them.
    pub fn models(&self) -> &[String] {
        &self.plan.models
    }

    /// Columns of the layout, other than those of models, that the file does not have; their fields are `None` in
    /// every row.
    pub fn absent_columns(&self) -> &[&'static str] {
        self.plan.absent()
    }
}

impl fmt::Debug for PublishedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedReader")
            .field("models", &self.plan.models)
            .finish_non_exhaustive()
    }
}

impl Iterator for PublishedReader {
    type Item = Result<PublishedRow, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

type Opened<P> = (P, Rows<<P as RowPlan>::Row>);

/// Opens a file and plans its rows by its header; `None` for JSONL without a row, which has no header.
pub(super) fn rows_of<P: RowPlan>(
    path: &Path,
    plan: impl FnOnce(&[String]) -> Result<P, DatasetError>,
) -> Result<Option<Opened<P>>, DatasetError> {
    let opened = match Format::of(path)? {
        Format::Csv => csv_rows(path, plan).map(Some),
        Format::Jsonl => jsonl_rows(path, plan),
        Format::Parquet => parquet_rows(path, plan).map(Some),
    }?;
    Ok(opened.map(|(plan, rows)| (plan, until_error(rows))))
}

fn csv_rows<P: RowPlan>(
    path: &Path,
    plan: impl FnOnce(&[String]) -> Result<P, DatasetError>,
) -> Result<Opened<P>, DatasetError> {
    let mut records = Records::open(path)?;
    let header = records.header()?;
    let plan = plan(&header)?;
    let used = plan.clone();
    let rows = std::iter::from_fn(move || match records.advance() {
        Ok(true) => Some(used.row(records.place(), |place, _| {
            Cell::text_or_missing(records.record.get(place).unwrap_or_default())
        })),
        Ok(false) => None,
        Err(error) => Some(Err(error)),
    });
    Ok((plan, Box::new(rows)))
}

fn jsonl_rows<P: RowPlan>(
    path: &Path,
    plan: impl FnOnce(&[String]) -> Result<P, DatasetError>,
) -> Result<Option<Opened<P>>, DatasetError> {
    let mut lines = Lines::open(path)?;
    if !lines.advance()? {
        return Ok(None);
    }
    let object = read_object(&lines)?;
    let header: Vec<String> = object.keys().cloned().collect();
    let plan = plan(&header)?;
    let used = plan.clone();
    let mut first = Some(object);
    let rows = std::iter::from_fn(move || {
        let object = match first.take() {
            Some(object) => Ok(object),
            None => match lines.advance() {
                Ok(true) => read_object(&lines),
                Ok(false) => return None,
                Err(error) => Err(error),
            },
        };
        Some(object.and_then(|object| {
            used.row(lines.place(), |_, name| {
                object.get(name).map_or(Cell::Missing, Cell::from)
            })
        }))
    });
    Ok(Some((plan, Box::new(rows))))
}

fn read_object(lines: &Lines) -> Result<Map<String, Value>, DatasetError> {
    serde_json::from_slice(&lines.text).map_err(|error| lines.place().bad_row(error))
}

/// The names of the columns of a file, of its first object in JSONL; none for JSONL without a row.
///
/// # Errors
/// [`DatasetError::UnknownFormat`], [`DatasetError::MissingFile`] and [`DatasetError::Corrupt`].
pub fn column_names(path: impl AsRef<Path>) -> Result<Vec<String>, DatasetError> {
    let path = path.as_ref();
    match Format::of(path)? {
        Format::Csv => Records::open(path)?.header(),
        Format::Parquet => Ok(header_of(&open_file(path)?)),
        Format::Jsonl => {
            let mut lines = Lines::open(path)?;
            if !lines.advance()? {
                return Ok(Vec::new());
            }
            Ok(read_object(&lines)?.keys().cloned().collect())
        }
    }
}
