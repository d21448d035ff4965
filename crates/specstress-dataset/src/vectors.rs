use std::path::{Path, PathBuf};

use ::arrow::array::{Array, ArrayRef, AsArray, Float32Array};
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, Float32Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::DatasetError;
use crate::csv_source::find_column;
use crate::located::Place;
use crate::parquet_source::{corrupt, open_file, read_error};

/// Rows decoded at a time.
const BATCH: usize = 512;

/// Vectors of one length in a Parquet column of lists, read block by block: for embeddings larger than memory.
///
/// The column may hold half, single or double precision; what comes out is `f32`, doubles rounded to it. Every row
/// must have a vector, without missing numbers, as long as that of the first row.
///
/// ```
/// use specstress_dataset::rows::EmbeddingRow;
/// use specstress_dataset::{ParquetSink, Sink, VectorBlocks};
/// use specstress_llm::OutcomeKind;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("embeddings.parquet");
/// let mut sink = Box::new(ParquetSink::create(&path)?);
/// for (id, vector) in [("a", vec![1.0, 0.0]), ("b", vec![0.5, 0.5])] {
///     let (scenario_id, model) = (id.to_owned(), "m".to_owned());
///     let (vector, outcome, detail) = (Some(vector), OutcomeKind::Answered, None);
///     sink.push(EmbeddingRow { scenario_id, model, vector, outcome, detail })?;
/// }
/// sink.finish()?;
/// let mut blocks = VectorBlocks::open(&path, None)?;
/// assert_eq!((blocks.column(), blocks.dimensions()), ("vector", 2));
/// assert_eq!(blocks.next_block()?, Some(vec![1.0, 0.0, 0.5, 0.5]));
/// assert_eq!(blocks.next_block()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VectorBlocks {
    path: PathBuf,
    column: String,
    dimensions: usize,
    rows: u64,
    read: u64,
    batches: ParquetRecordBatchReader,
    /// The first block, read to learn the length of its vectors.
    first: Option<Vec<f32>>,
}

impl VectorBlocks {
    /// Opens a file and reads its first block. Without a name, the column is the only one of lists of numbers.
    ///
    /// # Errors
    /// On files and columns that are not there or of another type, and on bad vectors in the first block.
    pub fn open(path: impl AsRef<Path>, column: Option<&str>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let file = open_file(path)?;
        let fields = file.schema().fields();
        let header: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let place = if let Some(name) = column {
            find_column(path, &header, name)?.ok_or_else(|| DatasetError::MissingColumn {
                path: path.to_owned(),
                column: name.to_owned(),
                found: header.iter().map(|&name| name.to_owned()).collect(),
            })?
        } else {
            let holds = |place: &usize| holds_vectors(fields[*place].data_type());
            let found: Vec<usize> = (0..fields.len()).filter(holds).collect();
            let [only] = found[..] else {
                return Err(DatasetError::VectorColumn {
                    path: path.to_owned(),
                    found: found
                        .iter()
                        .map(|&place| header[place].to_owned())
                        .collect(),
                });
            };
            only
        };
        let column = header[place].to_owned();
        if !holds_vectors(fields[place].data_type()) {
            return Err(DatasetError::ColumnType {
                path: path.to_owned(),
                column,
                found: fields[place].data_type().to_string(),
                expected: "lists of numbers",
            });
        }
        let rows = u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
        let mask = ProjectionMask::roots(file.parquet_schema(), [place]);
        let batches = file
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(|error| read_error(path, error))?;
        let mut blocks = Self {
            path: path.to_owned(),
            column,
            dimensions: 0,
            rows,
            read: 0,
            batches,
            first: None,
        };
        blocks.first = blocks.read_block()?;
        Ok(blocks)
    }

    /// The column that is read.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Number of rows, from the file's end.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Numbers per vector; 0 in a file without rows.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The next vectors, one after the other; `None` at the end.
    ///
    /// # Errors
    /// [`DatasetError::BadValue`] for a missing vector, a missing number or another length.
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, DatasetError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.read_block(),
        }
    }

    fn read_block(&mut self) -> Result<Option<Vec<f32>>, DatasetError> {
        let Some(batch) = self.batches.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| corrupt(&self.path, error))?;
        let vectors = batch.column(0);
        let mut block = Vec::new();
        for row in 0..batch.num_rows() {
            self.read += 1;
            let bad = |value: &str, allowed: String| {
                let place = Place {
                    path: &self.path,
                    row: self.read,
                    line: None,
                };
                place.bad_value(&self.column, value, allowed)
            };
            let Some(vector) = item(vectors, row) else {
                return Err(bad("null", "a list of numbers".to_owned()));
            };
            let vector =
                cast(&vector, &DataType::Float32).map_err(|error| corrupt(&self.path, error))?;
            let vector: &Float32Array = vector.as_primitive::<Float32Type>();
            if self.read == 1 {
                self.dimensions = vector.len();
            }
            if vector.len() != self.dimensions {
                let found = format!("a list of {} numbers", vector.len());
                let allowed = format!("{}, as in row 1", self.dimensions);
                return Err(bad(&found, allowed));
            }
            if vector.null_count() > 0 {
                return Err(bad("a list with nulls", "numbers only".to_owned()));
            }
            block.extend_from_slice(vector.values());
        }
        Ok(Some(block))
    }
}

impl std::fmt::Debug for VectorBlocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VectorBlocks")
            .field("path", &self.path)
            .field("column", &self.column)
            .field("dimensions", &self.dimensions)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

fn holds_vectors(found: &DataType) -> bool {
    match found {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_floating()
        }
        _ => false,
    }
}

/// The list of a row.
fn item(lists: &ArrayRef, row: usize) -> Option<ArrayRef> {
    if lists.is_null(row) {
        return None;
    }
    match lists.data_type() {
        DataType::List(_) => Some(lists.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(lists.as_list::<i64>().value(row)),
        _ => Some(lists.as_fixed_size_list().value(row)),
    }
}
