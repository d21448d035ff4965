//! The published layouts from Parquet, whatever types their writer chose.

use std::path::Path;

use ::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, LargeStringArray, RecordBatch,
};
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, Float64Type, Int64Type};
use ::arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use serde_json::Value;

use super::cell::Cell;
use super::plan::RowPlan;
use crate::located::Place;
use crate::parquet_source::{OpenFile, corrupt, open_file, read_error};
use crate::{DatasetError, Rows};

/// Rows decoded at a time; with twelve answers a row is some 50 KiB.
const BATCH: usize = 256;

pub(super) fn parquet_rows<P: RowPlan>(
    path: &Path,
    plan: impl FnOnce(&[String]) -> Result<P, DatasetError>,
) -> Result<(P, Rows<P::Row>), DatasetError> {
    let file = open_file(path)?;
    let plan = plan(&header_of(&file))?;
    let decoder = Decoder::new(path, &file, plan.places())?;
    let batches = file
        .with_projection(decoder.mask.clone())
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| read_error(path, error))?;

    let (used, path) = (plan.clone(), path.to_owned());
    let mut read = 0;
    let rows = batches.flat_map(move |batch| {
        let columns = batch.and_then(|batch| {
            let columns = decoder.columns(&batch)?;
            Ok((batch.num_rows(), columns))
        });
        let (count, columns) = match columns {
            Ok(columns) => columns,
            Err(error) => return vec![Err(corrupt(&path, error))],
        };
        let start = read;
        read += count as u64;
        (0..count)
            .map(|row| {
                let place = Place {
                    path: &path,
                    row: start + row as u64 + 1,
                    line: None,
                };
                used.row(place, |place, _| columns.cell(place, row))
            })
            .collect()
    });
    Ok((plan, Box::new(rows)))
}

pub(super) fn header_of(file: &OpenFile) -> Vec<String> {
    let fields = file.schema().fields();
    fields.iter().map(|field| field.name().clone()).collect()
}

/// What a column is turned into before its cells are read.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Null,
    Integers,
    Floats,
    Texts,
    TextLists,
}

impl Kind {
    fn of(found: &DataType) -> Option<Self> {
        match found {
            DataType::Null => Some(Self::Null),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Texts),
            DataType::Dictionary(_, item) => Self::of(item),
            DataType::List(item) | DataType::LargeList(item) => {
                matches!(Self::of(item.data_type()), Some(Self::Texts)).then_some(Self::TextLists)
            }
            // Beyond i64 there is no rank and no position.
            found if found.is_integer() => Some(Self::Integers),
            found if found.is_floating() => Some(Self::Floats),
            DataType::Decimal128(..) => Some(Self::Floats),
            _ => None,
        }
    }
}

/// One column of a batch.
pub(super) enum Column {
    Null,
    Integers(Int64Array),
    Floats(Float64Array),
    Texts(LargeStringArray),
    /// As JSON.
    TextLists(Vec<Value>),
}

impl Column {
    fn new(kind: Kind, array: &ArrayRef) -> Result<Self, ArrowError> {
        let texts = |array: &ArrayRef| {
            let array = cast(array, &DataType::LargeUtf8)?;
            Ok::<_, ArrowError>(array.as_string::<i64>().clone())
        };
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
            Kind::Texts => Self::Texts(texts(array)?),
            Kind::TextLists => {
                let item = |row: usize| {
                    let list = match array.as_list_opt::<i32>() {
                        Some(lists) => lists.value(row),
                        None => array.as_list::<i64>().value(row),
                    };
                    let list = texts(&list)?;
                    Ok::<_, ArrowError>(list.iter().map(Value::from).collect::<Value>())
                };
                let item = |row: usize| {
                    if array.is_valid(row) {
                        item(row)
                    } else {
                        Ok(Value::Null)
                    }
                };
                Self::TextLists((0..array.len()).map(item).collect::<Result<_, _>>()?)
            }
        })
    }

    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Integers(array) if array.is_valid(row) => Cell::Integer(array.value(row)),
            Self::Floats(array) if array.is_valid(row) => Cell::Float(array.value(row)),
            Self::Texts(array) if array.is_valid(row) => Cell::text_or_missing(array.value(row)),
            Self::TextLists(lists) => Cell::from(&lists[row]),
            _ => Cell::Missing,
        }
    }
}

/// The columns of a batch that were asked for.
pub(super) struct Columns<'a> {
    places: &'a [usize],
    columns: Vec<Column>,
}

impl Columns<'_> {
    /// The column at a place in the file.
    pub(super) fn at(&self, place: usize) -> Option<&Column> {
        let column = self.places.binary_search(&place).ok()?;
        Some(&self.columns[column])
    }

    pub(super) fn cell(&self, place: usize, row: usize) -> Cell<'_> {
        self.at(place)
            .map_or(Cell::Missing, |column| column.cell(row))
    }
}

/// Turns batches of one file into columns of few types.
#[derive(Clone)]
pub(super) struct Decoder {
    /// Places in the file of the columns of a batch.
    places: Vec<usize>,
    kinds: Vec<Kind>,
    pub(super) mask: ProjectionMask,
}

impl Decoder {
    pub(super) fn new(
        path: &Path,
        file: &OpenFile,
        places: Vec<usize>,
    ) -> Result<Self, DatasetError> {
        let fields = file.schema().fields();
        let kind = |place: &usize| {
            let field = &fields[*place];
            Kind::of(field.data_type()).ok_or_else(|| DatasetError::ColumnType {
                path: path.to_owned(),
                column: field.name().clone(),
                found: field.data_type().to_string(),
                expected: "integers, floats or text",
            })
        };
        Ok(Self {
            kinds: places.iter().map(kind).collect::<Result<_, _>>()?,
            mask: ProjectionMask::roots(file.parquet_schema(), places.iter().copied()),
            places,
        })
    }

    pub(super) fn columns(&self, batch: &RecordBatch) -> Result<Columns<'_>, ArrowError> {
        let columns = self.kinds.iter().zip(batch.columns());
        Ok(Columns {
            places: &self.places,
            columns: columns
                .map(|(kind, array)| Column::new(*kind, array))
                .collect::<Result<_, _>>()?,
        })
    }
}
