use std::path::Path;

use ::arrow::array::AsArray;
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::ProjectionMask;
use serde_json::{Map, Value};

use crate::csv_source::{Records, find_column};
use crate::jsonl::Lines;
use crate::located::{Place, shown};
use crate::parquet_source::{corrupt, open_file, read_error};
use crate::{DatasetError, Format};

const ALLOWED: &str = "a number";

/// One column of numbers of a CSV, JSONL or Parquet file, every row with one.
///
/// # Errors
/// On files and columns that are not there, and [`DatasetError::BadValue`] with the row for what is no number.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("weights.csv");
/// std::fs::write(&path, "id,weight\na,1.5\nb,2\n")?;
/// assert_eq!(specstress_dataset::read_numbers(&path, "weight")?, [1.5, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_numbers(path: impl AsRef<Path>, column: &str) -> Result<Vec<f64>, DatasetError> {
    let path = path.as_ref();
    match Format::of(path)? {
        Format::Csv => from_csv(path, column),
        Format::Jsonl => from_jsonl(path, column),
        Format::Parquet => from_parquet(path, column),
    }
}

fn missing<S: AsRef<str>>(path: &Path, column: &str, header: &[S]) -> DatasetError {
    DatasetError::MissingColumn {
        path: path.to_owned(),
        column: column.to_owned(),
        found: header.iter().map(|name| name.as_ref().to_owned()).collect(),
    }
}

fn from_csv(path: &Path, column: &str) -> Result<Vec<f64>, DatasetError> {
    let mut records = Records::open(path)?;
    let header = records.header()?;
    let place = find_column(path, &header, column)?;
    let place = place.ok_or_else(|| missing(path, column, &header))?;
    let mut numbers = Vec::new();
    while records.advance()? {
        let text = records.record.get(place).unwrap_or_default();
        let number = text.trim().parse().map_err(|_| {
            let value = shown(&Value::from(text));
            records.place().bad_value(column, value, ALLOWED)
        })?;
        numbers.push(number);
    }
    Ok(numbers)
}

fn from_jsonl(path: &Path, column: &str) -> Result<Vec<f64>, DatasetError> {
    let mut lines = Lines::open(path)?;
    let mut numbers = Vec::new();
    while lines.advance()? {
        let object: Map<String, Value> =
            serde_json::from_slice(&lines.text).map_err(|error| lines.place().bad_row(error))?;
        let Some(value) = object.get(column) else {
            let header: Vec<&String> = object.keys().collect();
            return Err(missing(path, column, &header));
        };
        let number = value
            .as_f64()
            .ok_or_else(|| lines.place().bad_value(column, shown(value), ALLOWED))?;
        numbers.push(number);
    }
    Ok(numbers)
}

fn from_parquet(path: &Path, column: &str) -> Result<Vec<f64>, DatasetError> {
    let file = open_file(path)?;
    let fields = file.schema().fields();
    let header: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let place = find_column(path, &header, column)?;
    let place = place.ok_or_else(|| missing(path, column, &header))?;
    let found = fields[place].data_type();
    if !found.is_numeric() {
        return Err(DatasetError::ColumnType {
            path: path.to_owned(),
            column: column.to_owned(),
            found: found.to_string(),
            expected: "numbers",
        });
    }
    let mask = ProjectionMask::roots(file.parquet_schema(), [place]);
    let batches = file.with_projection(mask).build();
    let mut numbers = Vec::new();
    for batch in batches.map_err(|error| read_error(path, error))? {
        let batch = batch.map_err(|error| corrupt(path, error))?;
        let floats = cast(batch.column(0), &DataType::Float64);
        let floats = floats.map_err(|error| corrupt(path, error))?;
        for number in floats.as_primitive::<Float64Type>() {
            let place = Place {
                path,
                row: numbers.len() as u64 + 1,
                line: None,
            };
            numbers.push(number.ok_or_else(|| place.bad_value(column, "null", ALLOWED))?);
        }
    }
    Ok(numbers)
}
