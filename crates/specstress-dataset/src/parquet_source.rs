use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use ::arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_arrow::Deserializer;
use serde_json::{Map, Value};

use crate::located::{Place, row_from_values};
use crate::parquet_sink::{TABLE_KEY, VERSION_KEY};
use crate::shape::columns_of;
use crate::{Column, DatasetError, Format, Rows, Source, Table};

/// Most rows that are decoded at a time.
const BATCH: usize = 1024;

/// Reads one Parquet file of a table, a thousand rows at a time at most.
///
/// Columns are found by name and further columns are ignored. Files without this crate's metadata are read when the
/// columns fit, so a table made elsewhere will do.
#[derive(Debug)]
pub struct ParquetSource<T> {
    path: PathBuf,
    count: u64,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> ParquetSource<T> {
    /// Opens a file and checks its end: that it is whole, of this table, of a known version, with all columns.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let file = open_table::<T>(path)?;
        needed_columns::<T>(path, &file, &names(T::COLUMNS))?;
        Ok(Self {
            path: path.to_owned(),
            count: row_count(&file),
            table: PhantomData,
        })
    }

    /// Number of rows, from the file's end.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Rows as the smaller struct `R`, whose fields name the columns to read; the other columns stay on disk.
    ///
    /// `R` is a plain named-field struct. Its fields have the type of the full row's field, or any type that reads the
    /// same stored value.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use specstress_dataset::{Sink, ParquetSink, ParquetSource, rows::OutlierRow};
    ///
    /// #[derive(Debug, PartialEq, Deserialize)]
    /// struct Flag {
    ///     model: String,
    /// }
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("outliers.parquet");
    /// let mut sink = Box::new(ParquetSink::create(&path)?);
    /// sink.push(OutlierRow { scenario_id: "a".into(), model: "m".into(), disagrees_with: 9, others: 11 })?;
    /// sink.finish()?;
    /// let flags = ParquetSource::<OutlierRow>::open(&path)?.project::<Flag>()?;
    /// assert_eq!(flags.collect::<Result<Vec<_>, _>>()?, [Flag { model: "m".into() }]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn project<R: DeserializeOwned + Send + 'static>(&self) -> Result<Rows<R>, DatasetError> {
        let columns = columns_of::<R>()?;
        Ok(Box::new(start::<T, R>(&self.path, columns)?))
    }
}

impl<T: Table> Source<T> for ParquetSource<T> {
    fn rows(&self) -> Result<Rows<T>, DatasetError> {
        Ok(Box::new(start::<T, T>(&self.path, &names(T::COLUMNS))?))
    }
}

pub(crate) fn names(columns: &'static [Column]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// Number of rows of a file of table `T`.
pub(crate) fn count_rows<T: Table>(path: &Path) -> Result<u64, DatasetError> {
    open_table::<T>(path).map(|file| row_count(&file))
}

/// Opens a file now and gives its rows later, with the named columns only.
pub(crate) fn start<T: Table, R: DeserializeOwned>(
    path: &Path,
    columns: &[&'static str],
) -> Result<FileRows<R>, DatasetError> {
    let file = open_table::<T>(path)?;
    let roots = needed_columns::<T>(path, &file, columns)?;
    let mask = ProjectionMask::roots(file.parquet_schema(), roots);
    let batches = file
        .with_projection(mask)
        .with_batch_size(T::ROWS_PER_GROUP.clamp(1, BATCH))
        .build()
        .map_err(|error| read_error(path, error))?;
    Ok(FileRows {
        path: path.to_owned(),
        columns: columns.to_vec(),
        batches,
        ready: Vec::new().into_iter(),
        read: 0,
        failed: false,
    })
}

pub(crate) type OpenFile = ParquetRecordBatchReaderBuilder<File>;

/// Opens any Parquet file. The types are those of the Parquet schema, not of an Arrow schema stored beside it, so that
/// dictionaries and string views read as plain columns.
pub(crate) fn open_file(path: &Path) -> Result<OpenFile, DatasetError> {
    let file = File::open(path).map_err(DatasetError::open(path))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(DatasetError::io("open", path)(
            io::ErrorKind::IsADirectory.into(),
        ));
    }
    ParquetRecordBatchReaderBuilder::try_new_with_options(file, reader_options())
        .map_err(|error| read_error(path, error))
}

pub(crate) fn reader_options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

/// Keeps the system's own errors apart from damage.
pub(crate) fn read_error(path: &Path, error: ParquetError) -> DatasetError {
    let source = match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
                return DatasetError::io("read", path)(*cause);
            }
            Ok(cause) => cause,
            Err(cause) => cause,
        },
        other => other.into(),
    };
    corrupt(path, source)
}

pub(crate) fn corrupt(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> DatasetError {
    DatasetError::Corrupt {
        path: path.to_owned(),
        format: Format::Parquet,
        source: source.into(),
    }
}

/// Number of rows of any Parquet file, from its end.
///
/// # Errors
/// [`DatasetError::MissingFile`] and [`DatasetError::Corrupt`].
pub fn parquet_rows(path: impl AsRef<Path>) -> Result<u64, DatasetError> {
    open_file(path.as_ref()).map(|file| row_count(&file))
}

/// The table that a file's metadata names, if any.
pub(crate) fn table_name(path: &Path) -> Result<Option<String>, DatasetError> {
    Ok(metadata(&open_file(path)?, TABLE_KEY).map(str::to_owned))
}

fn row_count(file: &OpenFile) -> u64 {
    u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0)
}

fn metadata<'a>(file: &'a OpenFile, key: &str) -> Option<&'a str> {
    let pairs = file.metadata().file_metadata().key_value_metadata()?;
    let pair = pairs.iter().find(|pair| pair.key == key)?;
    pair.value.as_deref()
}

/// The version the file's metadata names.
fn version(path: &Path, file: &OpenFile) -> Result<Option<u32>, DatasetError> {
    let parse = |text: &str| {
        text.parse().map_err(|_| DatasetError::BadMetadata {
            path: path.to_owned(),
            key: VERSION_KEY,
            value: text.to_owned(),
        })
    };
    metadata(file, VERSION_KEY).map(parse).transpose()
}

fn open_table<T: Table>(path: &Path) -> Result<OpenFile, DatasetError> {
    let file = open_file(path)?;
    if let Some(found) = metadata(&file, TABLE_KEY)
        && found != T::NAME
    {
        return Err(DatasetError::WrongTable {
            path: path.to_owned(),
            found: found.to_owned(),
            expected: T::NAME,
        });
    }
    match version(path, &file)? {
        Some(found) if found > T::VERSION => Err(DatasetError::NewerSchema {
            path: path.to_owned(),
            table: T::NAME,
            found,
            supported: T::VERSION,
        }),
        _ => Ok(file),
    }
}

/// Places of the named columns. A nullable column may lack in a file of an older version.
fn needed_columns<T: Table>(
    path: &Path,
    file: &OpenFile,
    columns: &[&'static str],
) -> Result<Vec<usize>, DatasetError> {
    let older = version(path, file)?.is_some_and(|found| found < T::VERSION);
    let fields = file.schema().fields();
    let mut roots = Vec::with_capacity(columns.len());
    for name in columns {
        let nullable = T::COLUMNS
            .iter()
            .any(|column| column.name == *name && column.nullable);
        let mut places = (0..fields.len()).filter(|place| fields[*place].name() == name);
        match (places.next(), places.next()) {
            (Some(place), None) => roots.push(place),
            (Some(_), Some(_)) => {
                return Err(DatasetError::DuplicateColumn {
                    path: path.to_owned(),
                    column: (*name).to_owned(),
                });
            }
            (None, _) if older && nullable => {}
            (None, _) => {
                return Err(DatasetError::MissingColumn {
                    path: path.to_owned(),
                    column: (*name).to_owned(),
                    found: fields.iter().map(|field| field.name().clone()).collect(),
                });
            }
        }
    }
    Ok(roots)
}

/// The rows of one open file.
pub(crate) struct FileRows<R> {
    path: PathBuf,
    columns: Vec<&'static str>,
    batches: ParquetRecordBatchReader,
    ready: std::vec::IntoIter<Result<R, DatasetError>>,
    read: u64,
    failed: bool,
}

impl<R: DeserializeOwned> FileRows<R> {
    fn decode(&self, batch: &RecordBatch) -> Vec<Result<R, DatasetError>> {
        let items = match Deserializer::from_record_batch(batch) {
            Ok(items) => items,
            Err(error) => return vec![Err(corrupt(&self.path, error))],
        };
        if batch.num_columns() == 0 {
            // No column, so nothing carries the number of rows.
            let empty = |row| row_from_values(Vec::new(), self.place(row));
            return (0..batch.num_rows()).map(empty).collect();
        }
        let mut rows = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let row = R::deserialize(item).map_err(|error| self.explain(&items, index, error));
            let stop = row.is_err();
            rows.push(row);
            if stop {
                break;
            }
        }
        rows
    }

    fn place(&self, index: usize) -> Place<'_> {
        Place {
            path: &self.path,
            row: self.read + index as u64 + 1,
            line: None,
        }
    }

    /// Reads a refused row once more, value by value, to name the column.
    fn explain(
        &self,
        items: &Deserializer<'_>,
        index: usize,
        error: serde_arrow::Error,
    ) -> DatasetError {
        let values = items.get(index).map(Map::<String, Value>::deserialize);
        let Some(Ok(mut values)) = values else {
            return self.place(index).bad_row(error);
        };
        let cells = self
            .columns
            .iter()
            .map(|column| (*column, values.remove(*column).unwrap_or(Value::Null)))
            .collect();
        match row_from_values::<R>(cells, self.place(index)) {
            Err(located) => located,
            Ok(_) => self.place(index).bad_row(error),
        }
    }
}

impl<R: DeserializeOwned> Iterator for FileRows<R> {
    type Item = Result<R, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            if let Some(row) = self.ready.next() {
                self.failed = row.is_err();
                return Some(row);
            }
            match self.batches.next()? {
                Ok(batch) => {
                    self.ready = self.decode(&batch).into_iter();
                    self.read += batch.num_rows() as u64;
                }
                Err(error) => {
                    self.failed = true;
                    return Some(Err(corrupt(&self.path, error)));
                }
            }
        }
        None
    }
}

const _: fn() = || {
    fn send<T: Send>() {}
    send::<FileRows<IgnoredAny>>();
};
