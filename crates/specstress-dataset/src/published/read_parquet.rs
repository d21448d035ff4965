//! The published layout from Parquet, whatever types its writer chose.

use std::path::Path;

use ::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, LargeStringArray, RecordBatch,
};
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::ProjectionMask;

use super::cell::Cell;
use super::plan::{Plan, ReadOptions};
use super::row::PublishedRow;
use crate::located::Place;
use crate::parquet_source::{corrupt, open_file, read_error};
use crate::{DatasetError, Rows};

/// Rows decoded at a time; with twelve answers a row is some 50 KiB.
const BATCH: usize = 256;

pub(super) fn parquet_rows(
    path: &Path,
    options: &ReadOptions,
) -> Result<(Plan, Rows<PublishedRow>), DatasetError> {
    let file = open_file(path)?;
    let fields = file.schema().fields();
    let header: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let plan = Plan::new(path, &header, options)?;
    let places = plan.places();
    let kinds = places
        .iter()
        .map(|place| {
            let found = fields[*place].data_type();
            Kind::of(found).ok_or_else(|| DatasetError::ColumnType {
                path: path.to_owned(),
                column: header[*place].clone(),
                found: found.to_string(),
                expected: "integers, floats or text",
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mask = ProjectionMask::roots(file.parquet_schema(), places.iter().copied());
    let batches = file
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| read_error(path, error))?;

    let decoder = Decoder {
        plan: plan.clone(),
        places,
        kinds,
    };
    let path = path.to_owned();
    let mut read = 0;
    let rows = batches.flat_map(move |batch| {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => return vec![Err(corrupt(&path, error))],
        };
        let start = read;
        read += batch.num_rows() as u64;
        decoder.rows(&path, start, &batch)
    });
    Ok((plan, Box::new(rows)))
}

/// What a column is turned into before its cells are read.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Null,
    Integers,
    Floats,
    Texts,
}

impl Kind {
    fn of(found: &DataType) -> Option<Self> {
        match found {
            DataType::Null => Some(Self::Null),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Texts),
            DataType::Dictionary(_, item) => Self::of(item),
            // Beyond i64 there is no rank and no position.
            found if found.is_integer() => Some(Self::Integers),
            found if found.is_floating() => Some(Self::Floats),
            DataType::Decimal128(..) => Some(Self::Floats),
            _ => None,
        }
    }
}

enum Cells {
    Null,
    Integers(Int64Array),
    Floats(Float64Array),
    Texts(LargeStringArray),
}

impl Cells {
    fn new(kind: Kind, array: &ArrayRef) -> Result<Self, ::arrow::error::ArrowError> {
        Ok(match kind {
            Kind::Null => Self::Null,
            Kind::Integers => {
                let array = cast(array, &DataType::Int64)?;
                Self::Integers(array.as_primitive::<Int64Type>().clone())
            }
            Kind::Floats => {
                let array = cast(array, &DataType::Float64)?;
                Self::Floats(array.as_primitive::<Float64Type>().clone())
            }
            Kind::Texts => {
                let array = cast(array, &DataType::LargeUtf8)?;
                Self::Texts(array.as_string::<i64>().clone())
            }
        })
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Integers(array) if array.is_valid(row) => Cell::Integer(array.value(row)),
            Self::Floats(array) if array.is_valid(row) => Cell::Float(array.value(row)),
            Self::Texts(array) if array.is_valid(row) => Cell::text_or_missing(array.value(row)),
            _ => Cell::Missing,
        }
    }
}

struct Decoder {
    plan: Plan,
    /// Places in the file of the columns of a batch.
    places: Vec<usize>,
    kinds: Vec<Kind>,
}

impl Decoder {
    fn rows(
        &self,
        path: &Path,
        start: u64,
        batch: &RecordBatch,
    ) -> Vec<Result<PublishedRow, DatasetError>> {
        let columns: Result<Vec<Cells>, _> = self
            .kinds
            .iter()
            .zip(batch.columns())
            .map(|(kind, array)| Cells::new(*kind, array))
            .collect();
        let columns = match columns {
            Ok(columns) => columns,
            Err(error) => return vec![Err(corrupt(path, error))],
        };
        let row = |row: usize| {
            let place = Place {
                path,
                row: start + row as u64 + 1,
                line: None,
            };
            self.plan
                .row(place, |place, _| match self.places.binary_search(&place) {
                    Ok(column) => columns[column].cell(row),
                    Err(_) => Cell::Missing,
                })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}
