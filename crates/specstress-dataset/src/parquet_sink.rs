use std::path::{Path, PathBuf};

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::output::{Output, SharedOutput};
use crate::{DatasetError, Format, Sink, Table, arrow as batches};

/// Metadata key of the table's name.
pub(crate) const TABLE_KEY: &str = "specstress.table";
/// Metadata key of the schema's version.
pub(crate) const VERSION_KEY: &str = "specstress.schema_version";

/// Writes one Parquet file: zstd, row groups of [`Table::ROWS_PER_GROUP`], the table's name and schema version in the
/// metadata as `specstress.table` and `specstress.schema_version`.
///
/// Equal rows give equal bytes, however they are cut into slices. The file appears under its name in
/// [`Sink::finish`], synced to disk; before that an existing file stays as it is. Memory: one row group.
#[derive(Debug)]
pub struct ParquetSink<T> {
    writer: BatchWriter,
    buffer: Vec<T>,
    written: u64,
}

impl<T: Table> ParquetSink<T> {
    /// Starts a file; its folder must exist.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let metadata = [
            (TABLE_KEY, T::NAME.to_owned()),
            (VERSION_KEY, T::VERSION.to_string()),
        ];
        Ok(Self {
            writer: BatchWriter::create(path.as_ref(), &batches::schema::<T>(), &metadata)?,
            buffer: Vec::new(),
            written: 0,
        })
    }

    /// Takes one more row.
    pub fn push(&mut self, row: T) -> Result<(), DatasetError> {
        self.buffer.push(row);
        if self.buffer.len() >= T::ROWS_PER_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), DatasetError> {
        let encoded = batches::encode(&self.buffer, self.written);
        let batch = encoded.inspect_err(|_| self.writer.abandon())?;
        self.writer.write(&batch)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl<T: Table> Sink<T> for ParquetSink<T> {
    fn write(&mut self, rows: &[T]) -> Result<(), DatasetError> {
        rows.iter().try_for_each(|row| self.push(row.clone()))
    }

    fn finish(mut self: Box<Self>) -> Result<u64, DatasetError> {
        if !self.buffer.is_empty() {
            self.write_group()?;
        }
        self.writer.finish()?;
        Ok(self.written)
    }
}

/// Writes batches of one schema, each as a row group.
#[derive(Debug)]
pub(crate) struct BatchWriter {
    path: PathBuf,
    output: SharedOutput,
    /// `None` after a failure: what is there is not whole and is never put in place.
    writer: Option<ArrowWriter<SharedOutput>>,
}

impl BatchWriter {
    pub(crate) fn create(
        path: &Path,
        schema: &SchemaRef,
        metadata: &[(&str, String)],
    ) -> Result<Self, DatasetError> {
        let output = SharedOutput::new(Output::create(path)?);
        let metadata = metadata
            .iter()
            .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
            .collect();
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(metadata));
        for field in schema.fields() {
            if matches!(field.data_type(), DataType::List(item) if item.data_type().is_floating()) {
                // Components of vectors hardly repeat.
                let leaf = ["list", "element"].map(str::to_owned);
                let mut parts = vec![field.name().clone()];
                parts.extend(leaf);
                properties =
                    properties.set_column_dictionary_enabled(ColumnPath::new(parts), false);
            }
        }
        // The Arrow copy of the schema says nothing the Parquet schema does not, and changes with Arrow's versions.
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output.clone(), schema.clone(), options)
            .map_err(|error| write_error(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            output,
            writer: Some(writer),
        })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), DatasetError> {
        let mut writer = self.take()?;
        let done = writer.write(batch).and_then(|()| writer.flush());
        done.map_err(|error| write_error(&self.path, error))?;
        self.writer = Some(writer);
        Ok(())
    }

    pub(crate) fn abandon(&mut self) {
        self.writer = None;
    }

    pub(crate) fn finish(&mut self) -> Result<(), DatasetError> {
        let writer = self.take()?;
        writer
            .close()
            .map_err(|error| write_error(&self.path, error))?;
        self.output.finish()
    }

    fn take(&mut self) -> Result<ArrowWriter<SharedOutput>, DatasetError> {
        self.writer.take().ok_or_else(|| {
            let earlier = std::io::Error::other("an earlier write failed");
            DatasetError::io("write", &self.path)(earlier)
        })
    }
}

/// Keeps the system's own error, such as a full disk, apart from errors of the format.
fn write_error(path: &Path, error: ParquetError) -> DatasetError {
    let source = match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(cause) => return DatasetError::io("write", path)(*cause),
            Err(cause) => cause,
        },
        other => other.into(),
    };
    DatasetError::Corrupt {
        path: path.to_owned(),
        format: Format::Parquet,
        source,
    }
}
