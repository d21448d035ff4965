use std::fmt;
use std::path::Path;

use crate::{
    CsvSink, CsvSource, DatasetError, JsonlSink, JsonlSource, ParquetSink, ParquetSource, Sink,
    Source, Table,
};

/// A file format for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Columns, compressed, with types and versions: what a run stores.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

impl Format {
    /// The format a file name tells by its ending, in any case: `.parquet`, `.csv`, `.jsonl` or `.ndjson`.
    ///
    /// # Errors
    /// [`DatasetError::UnknownFormat`] for any other ending.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let ending = path
            .extension()
            .map(|end| end.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("parquet") => Ok(Self::Parquet),
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => Err(DatasetError::UnknownFormat {
                path: path.to_owned(),
            }),
        }
    }

    /// A sink for one file of this format; see [`ParquetSink`], [`CsvSink`] and [`JsonlSink`].
    pub fn create<T: Table>(
        self,
        path: impl AsRef<Path>,
    ) -> Result<Box<dyn Sink<T>>, DatasetError> {
        let path = path.as_ref();
        Ok(match self {
            Self::Parquet => Box::new(ParquetSink::create(path)?),
            Self::Csv => Box::new(CsvSink::create(path)?),
            Self::Jsonl => Box::new(JsonlSink::create(path)?),
        })
    }

    /// A source for one file of this format; see [`ParquetSource`], [`CsvSource`] and [`JsonlSource`].
    ///
    /// ```
    /// use specstress_dataset::{Format, rows::OutlierRow};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("outliers.jsonl");
    /// let row = OutlierRow { scenario_id: "a".into(), model: "m".into(), disagrees_with: 9, others: 11 };
    /// let mut sink = Format::of(&path)?.create::<OutlierRow>(&path)?;
    /// sink.write(&[row.clone()])?;
    /// assert_eq!(sink.finish()?, 1);
    /// let source = Format::of(&path)?.open::<OutlierRow>(&path)?;
    /// assert_eq!(source.rows()?.collect::<Result<Vec<_>, _>>()?, [row]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open<T: Table>(
        self,
        path: impl AsRef<Path>,
    ) -> Result<Box<dyn Source<T>>, DatasetError> {
        let path = path.as_ref();
        Ok(match self {
            Self::Parquet => Box::new(ParquetSource::open(path)?),
            Self::Csv => Box::new(CsvSource::open(path)?),
            Self::Jsonl => Box::new(JsonlSource::open(path)?),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::Jsonl => "JSONL",
        })
    }
}
