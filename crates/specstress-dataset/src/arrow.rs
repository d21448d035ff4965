//! The tables as Arrow, for programs that already use it. The rest of the crate names no Arrow type, so that a new
//! major version of Arrow changes this module only.
//!
//! ```
//! use specstress_dataset::arrow::{from_batch, schema, to_batch};
//! use specstress_dataset::rows::OutlierRow;
//!
//! let rows = [OutlierRow { scenario_id: "a".into(), model: "m".into(), disagrees_with: 9, others: 11 }];
//! let batch = to_batch(&rows)?;
//! assert_eq!(batch.schema(), schema::<OutlierRow>());
//! assert_eq!(from_batch::<OutlierRow>(&batch)?, rows);
//! # Ok::<(), specstress_dataset::DatasetError>(())
//! ```

use std::sync::Arc;

pub use ::arrow;
use ::arrow::array::{Array, AsArray, RecordBatch};
use ::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Schema, SchemaRef};

use crate::{ColumnType, DatasetError, Table};

/// The Arrow schema of a table: `Utf8`, `Boolean`, `UInt8`, `UInt32`, `UInt64`, `Float64`, and `List` of non-null
/// `Utf8` or `Float32` items named `element`.
pub fn schema<T: Table>() -> SchemaRef {
    Arc::new(Schema::new(fields::<T>()))
}

/// Rows as one batch with the columns of [`schema`], in order. Cost: one copy of the rows.
///
/// # Errors
/// [`DatasetError::NotFinite`] for a NaN or an infinity, [`DatasetError::Encode`] when the row type and its schema
/// disagree.
pub fn to_batch<T: Table>(rows: &[T]) -> Result<RecordBatch, DatasetError> {
    encode(rows, 0)
}

/// The rows of a batch. Columns are found by name; further columns are ignored, and integer columns may be wider than
/// the schema says.
///
/// # Errors
/// [`DatasetError::Encode`] when the batch does not fit the row type.
pub fn from_batch<T: Table>(batch: &RecordBatch) -> Result<Vec<T>, DatasetError> {
    serde_arrow::from_record_batch(batch).map_err(|source| DatasetError::Encode {
        table: T::NAME,
        source: source.into(),
    })
}

fn fields<T: Table>() -> Vec<FieldRef> {
    let field = |column: &crate::Column| {
        Arc::new(Field::new(
            column.name,
            data_type(column.kind),
            column.nullable,
        ))
    };
    T::COLUMNS.iter().map(field).collect()
}

fn data_type(kind: ColumnType) -> DataType {
    let list = |item| DataType::List(Arc::new(Field::new("element", item, false)));
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::UInt8 => DataType::UInt8,
        ColumnType::UInt32 => DataType::UInt32,
        ColumnType::UInt64 => DataType::UInt64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::TextList => list(DataType::Utf8),
        ColumnType::Float32List => list(DataType::Float32),
    }
}

/// [`to_batch`] for rows that follow `written` others.
pub(crate) fn encode<T: Table>(rows: &[T], written: u64) -> Result<RecordBatch, DatasetError> {
    let misfit = |source| DatasetError::Encode {
        table: T::NAME,
        source,
    };
    let batch = serde_arrow::to_record_batch(&fields::<T>(), &rows)
        .map_err(|error| misfit(error.into()))?;
    // Same types by construction; this restores the one schema object and its field order.
    let batch = RecordBatch::try_new(schema::<T>(), batch.columns().to_vec())
        .map_err(|error| misfit(error.into()))?;
    check_finite::<T>(&batch, written)?;
    Ok(batch)
}

/// The same check for the text formats, which would turn a NaN into a missing value without a word.
pub(crate) fn check_rows<T: Table>(rows: &[T], written: u64) -> Result<(), DatasetError> {
    let has_floats = T::COLUMNS
        .iter()
        .any(|column| matches!(column.kind, ColumnType::Float64 | ColumnType::Float32List));
    if has_floats {
        encode(rows, written)?;
    }
    Ok(())
}

fn check_finite<T: Table>(batch: &RecordBatch, written: u64) -> Result<(), DatasetError> {
    for (column, array) in T::COLUMNS.iter().zip(batch.columns()) {
        let bad = match column.kind {
            ColumnType::Float64 => array
                .as_primitive::<Float64Type>()
                .iter()
                .enumerate()
                .find_map(|(row, value)| Some((row, value.filter(|value| !value.is_finite())?))),
            ColumnType::Float32List => {
                let lists = array.as_list::<i32>();
                (0..lists.len()).find_map(|row| {
                    let items = lists.value(row);
                    let bad = items
                        .as_primitive::<Float32Type>()
                        .values()
                        .iter()
                        .find(|value| !value.is_finite());
                    bad.map(|value| (row, f64::from(*value)))
                })
            }
            _ => None,
        };
        if let Some((row, value)) = bad {
            return Err(DatasetError::NotFinite {
                table: T::NAME,
                row: written + row as u64 + 1,
                column: column.name,
                value,
            });
        }
    }
    Ok(())
}
