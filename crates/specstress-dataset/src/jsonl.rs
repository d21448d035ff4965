use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::located::{Place, row_from_values};
use crate::output::Output;
use crate::stream::until_error;
use crate::{DatasetError, Rows, Sink, Source, Table, arrow as batches};

/// Writes one JSON object per line, keys in the order of the columns, missing values as `null`.
///
/// The file appears under its name in [`Sink::finish`], synced to disk. Memory: one slice.
#[derive(Debug)]
pub struct JsonlSink<T> {
    path: PathBuf,
    output: Output,
    written: u64,
    table: PhantomData<fn(T)>,
}

impl<T: Table> JsonlSink<T> {
    /// Starts a file; its folder must exist.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        Ok(Self {
            path: path.as_ref().to_owned(),
            output: Output::create(path.as_ref())?,
            written: 0,
            table: PhantomData,
        })
    }
}

impl<T: Table> Sink<T> for JsonlSink<T> {
    fn write(&mut self, rows: &[T]) -> Result<(), DatasetError> {
        batches::check_rows(rows, self.written)?;
        for row in rows {
            let mut line = serde_json::to_vec(row).map_err(|error| DatasetError::Encode {
                table: T::NAME,
                source: error.into(),
            })?;
            line.push(b'\n');
            self.output
                .write_all(&line)
                .map_err(DatasetError::io("write", &self.path))?;
        }
        self.written += rows.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, DatasetError> {
        self.output.finish()?;
        Ok(self.written)
    }
}

/// Reads one JSON object per line. Keys are found by name, further keys are ignored, a key that is not there is a
/// missing value; blank lines are skipped.
#[derive(Debug)]
pub struct JsonlSource<T> {
    path: PathBuf,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> JsonlSource<T> {
    /// Checks that the file can be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        Lines::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            table: PhantomData,
        })
    }
}

impl<T: Table> Source<T> for JsonlSource<T> {
    fn rows(&self) -> Result<Rows<T>, DatasetError> {
        let mut lines = Lines::open(&self.path)?;
        Ok(until_error(std::iter::from_fn(move || {
            read_row(&mut lines)
        })))
    }
}

fn read_row<T: Table>(lines: &mut Lines) -> Option<Result<T, DatasetError>> {
    match lines.advance() {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => return Some(Err(error)),
    }
    let error = match serde_json::from_slice::<T>(&lines.text) {
        Ok(row) => return Some(Ok(row)),
        Err(error) => error,
    };
    // Once more, value by value, to name the column.
    let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(&lines.text) else {
        return Some(Err(lines.place().bad_row(error)));
    };
    let cells = T::COLUMNS
        .iter()
        .map(|column| {
            (
                column.name,
                object.remove(column.name).unwrap_or(Value::Null),
            )
        })
        .collect();
    let located = row_from_values::<T>(cells, lines.place());
    Some(located.and_then(|_| Err(lines.place().bad_row(error))))
}

/// The lines of a file that are not blank.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    pub(crate) text: Vec<u8>,
    line: u64,
    row: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(DatasetError::open(path))?;
        Ok(Self {
            path: path.to_owned(),
            reader: BufReader::new(file),
            text: Vec::new(),
            line: 0,
            row: 0,
        })
    }

    /// Reads the next line into `text`; `false` at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<bool, DatasetError> {
        loop {
            self.text.clear();
            let read = self.reader.read_until(b'\n', &mut self.text);
            if read.map_err(DatasetError::io("read", &self.path))? == 0 {
                return Ok(false);
            }
            self.line += 1;
            if !self.text.trim_ascii().is_empty() {
                self.row += 1;
                return Ok(true);
            }
        }
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            path: &self.path,
            row: self.row,
            line: Some(self.line),
        }
    }
}
