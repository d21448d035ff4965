use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::output::{Output, SharedOutput};
use crate::{DatasetError, Format, Sink, Table, arrow as batches};

/// Writes comma-separated values with a header row.
///
/// A missing value is an empty cell, a list is a JSON array in the cell. A text that is empty or starts with a double
/// quote is written as a JSON string, so that every row reads back as it was.
///
/// The file appears under its name in [`Sink::finish`], synced to disk. Memory: one slice.
#[derive(Debug)]
pub struct CsvSink<T> {
    file: CsvFile,
    written: u64,
    table: PhantomData<fn(T)>,
}

impl<T: Table> CsvSink<T> {
    /// Starts a file; its folder must exist.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let mut file = CsvFile::create(path.as_ref())?;
        file.record(T::COLUMNS.iter().map(|column| column.name))?;
        Ok(Self {
            file,
            written: 0,
            table: PhantomData,
        })
    }
}

impl<T: Table> Sink<T> for CsvSink<T> {
    fn write(&mut self, rows: &[T]) -> Result<(), DatasetError> {
        batches::check_rows(rows, self.written)?;
        for row in rows {
            let encoded = serde_json::to_value(row).map_err(|error| DatasetError::Encode {
                table: T::NAME,
                source: error.into(),
            })?;
            let cells = T::COLUMNS
                .iter()
                .map(|column| encoded.get(column.name).map_or(String::new(), cell_text));
            self.file.record(cells)?;
        }
        self.written += rows.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, DatasetError> {
        self.file.finish()?;
        Ok(self.written)
    }
}

fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if !text.is_empty() && !text.starts_with('"') => text.clone(),
        other => other.to_string(),
    }
}

/// A CSV file that is being written.
#[derive(Debug)]
pub(crate) struct CsvFile {
    path: PathBuf,
    output: SharedOutput,
    writer: csv::Writer<SharedOutput>,
}

impl CsvFile {
    pub(crate) fn create(path: &Path) -> Result<Self, DatasetError> {
        let output = SharedOutput::new(Output::create(path)?);
        Ok(Self {
            path: path.to_owned(),
            writer: csv::Writer::from_writer(output.clone()),
            output,
        })
    }

    pub(crate) fn record<S: AsRef<[u8]>>(
        &mut self,
        cells: impl Iterator<Item = S>,
    ) -> Result<(), DatasetError> {
        self.writer.write_record(cells).map_err(|error| {
            if !error.is_io_error() {
                return DatasetError::Corrupt {
                    path: self.path.clone(),
                    format: Format::Csv,
                    source: error.into(),
                };
            }
            DatasetError::io("write", &self.path)(error.into())
        })
    }

    pub(crate) fn finish(&mut self) -> Result<(), DatasetError> {
        self.writer
            .flush()
            .map_err(DatasetError::io("write", &self.path))?;
        self.output.finish()
    }
}
