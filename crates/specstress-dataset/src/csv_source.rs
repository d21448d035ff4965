use std::fs::File;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde_json::{Number, Value};

use crate::located::{Place, row_from_values, shown};
use crate::{Column, ColumnType, DatasetError, Format, Rows, Source, Table};

/// Reads comma-separated values with a header, as [`CsvSink`](crate::CsvSink) writes them.
///
/// Columns are found by name and further columns are ignored. An empty cell is a missing value. Whole numbers may be
/// written as floats (`3.0`), as programs do that have no missing integers.
#[derive(Debug)]
pub struct CsvSource<T> {
    path: PathBuf,
    table: PhantomData<fn() -> T>,
}

impl<T: Table> CsvSource<T> {
    /// Opens the file and checks that all columns are there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        start::<T>(path)?;
        Ok(Self {
            path: path.to_owned(),
            table: PhantomData,
        })
    }
}

impl<T: Table> Source<T> for CsvSource<T> {
    fn rows(&self) -> Result<Rows<T>, DatasetError> {
        let (mut records, places) = start::<T>(&self.path)?;
        let mut failed = false;
        Ok(Box::new(std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let row = match records.advance() {
                Ok(true) => read_row(&records, &places),
                Ok(false) => return None,
                Err(error) => Err(error),
            };
            failed = row.is_err();
            Some(row)
        })))
    }
}

fn start<T: Table>(path: &Path) -> Result<(Records, Vec<usize>), DatasetError> {
    let mut records = Records::open(path)?;
    let header = records.header()?;
    let places = T::COLUMNS
        .iter()
        .map(|column| {
            find_column(path, &header, column.name)?.ok_or_else(|| DatasetError::MissingColumn {
                path: path.to_owned(),
                column: column.name.to_owned(),
                found: header.clone(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((records, places))
}

fn read_row<T: Table>(records: &Records, places: &[usize]) -> Result<T, DatasetError> {
    let mut cells = Vec::with_capacity(places.len());
    for (column, place) in T::COLUMNS.iter().zip(places) {
        let text = records.record.get(*place).unwrap_or_default();
        let value = parse_cell(column, text).ok_or_else(|| {
            let allowed = column.kind.allowed();
            let or_empty = if column.nullable {
                ", or an empty cell"
            } else {
                ""
            };
            let value = shown(&Value::from(text));
            records
                .place()
                .bad_value(column.name, value, format!("{allowed}{or_empty}"))
        })?;
        cells.push((column.name, value));
    }
    row_from_values(cells, records.place())
}

fn parse_cell(column: &Column, text: &str) -> Option<Value> {
    if text.is_empty() {
        return column.nullable.then_some(Value::Null);
    }
    let unsigned = |most: u64| parse_unsigned(text).filter(|number| *number <= most);
    match column.kind {
        ColumnType::Text => Some(match text.strip_prefix('"') {
            // A text that was not written here may start with a quote and be no JSON.
            Some(_) => {
                serde_json::from_str::<String>(text).map_or_else(|_| text.into(), Value::from)
            }
            None => text.into(),
        }),
        ColumnType::Bool => match text.to_ascii_lowercase().as_str() {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => None,
        },
        ColumnType::UInt8 => unsigned(u8::MAX.into()).map(Value::from),
        ColumnType::UInt32 => unsigned(u32::MAX.into()).map(Value::from),
        ColumnType::UInt64 => unsigned(u64::MAX).map(Value::from),
        ColumnType::Float64 => Number::from_f64(text.parse().ok()?).map(Value::Number),
        ColumnType::TextList | ColumnType::Float32List => {
            serde_json::from_str(text).ok().filter(Value::is_array)
        }
    }
}

fn parse_unsigned(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .or_else(|| u64::try_from(parse_integer(text)?).ok())
}

/// A whole number, also where it is written as a float.
pub(crate) fn parse_integer(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .or_else(|| whole(text.parse::<f64>().ok()?))
}

/// A float that is a whole number, in the range where floats tell whole numbers apart.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let fits = number.fract() == 0.0 && number.abs() <= EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    fits.then_some(number as i64)
}

/// Place of the one column of this name.
pub(crate) fn find_column<S: AsRef<str>>(
    path: &Path,
    header: &[S],
    name: &str,
) -> Result<Option<usize>, DatasetError> {
    let mut places = (0..header.len()).filter(|place| header[*place].as_ref() == name);
    match (places.next(), places.next()) {
        (_, Some(_)) => Err(DatasetError::DuplicateColumn {
            path: path.to_owned(),
            column: name.to_owned(),
        }),
        (place, None) => Ok(place),
    }
}

/// The data rows of a CSV file, one in memory at a time.
pub(crate) struct Records {
    path: PathBuf,
    reader: csv::Reader<File>,
    pub(crate) record: StringRecord,
    row: u64,
}

impl Records {
    pub(crate) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(DatasetError::open(path))?;
        Ok(Self {
            path: path.to_owned(),
            reader: csv::Reader::from_reader(file),
            record: StringRecord::new(),
            row: 0,
        })
    }

    pub(crate) fn header(&mut self) -> Result<Vec<String>, DatasetError> {
        let header = self
            .reader
            .headers()
            .map(|header| header.iter().map(str::to_owned).collect());
        header.map_err(|error| {
            if error.is_io_error() {
                return DatasetError::io("read", &self.path)(error.into());
            }
            DatasetError::Corrupt {
                path: self.path.clone(),
                format: Format::Csv,
                source: error.into(),
            }
        })
    }

    /// Reads the next row into `record`; `false` at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<bool, DatasetError> {
        self.row += 1;
        self.reader.read_record(&mut self.record).map_err(|error| {
            if error.is_io_error() {
                return DatasetError::io("read", &self.path)(error.into());
            }
            let line = error.position().map(csv::Position::line);
            Place {
                line,
                ..self.place()
            }
            .bad_row(error)
        })
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            path: &self.path,
            row: self.row,
            line: self.record.position().map(csv::Position::line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_may_be_written_as_floats() {
        assert_eq!(parse_integer("3"), Some(3));
        assert_eq!(parse_integer("3.0"), Some(3));
        assert_eq!(parse_integer("-2.0"), Some(-2));
        assert_eq!(parse_integer("3.5"), None);
        assert_eq!(parse_integer("1e300"), None);
        assert_eq!(parse_integer("NaN"), None);
        assert_eq!(parse_integer("three"), None);
        assert_eq!(parse_unsigned("18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_unsigned("-1"), None);
    }

    #[test]
    fn cells_are_read_by_their_column() {
        let text = Column::optional("t", ColumnType::Text);
        assert_eq!(parse_cell(&text, ""), Some(Value::Null));
        assert_eq!(parse_cell(&text, "\"\""), Some("".into()));
        assert_eq!(
            parse_cell(&text, "\"quoted\" word"),
            Some("\"quoted\" word".into())
        );
        let byte = Column::required("b", ColumnType::UInt8);
        assert_eq!(parse_cell(&byte, "255"), Some(255.into()));
        assert_eq!(parse_cell(&byte, "256"), None);
        assert_eq!(parse_cell(&byte, ""), None);
        let float = Column::optional("f", ColumnType::Float64);
        assert_eq!(parse_cell(&float, "NaN"), None);
        assert_eq!(parse_cell(&float, "inf"), None);
        assert_eq!(parse_cell(&float, "1.5"), Some(1.5.into()));
        let flag = Column::required("h", ColumnType::Bool);
        assert_eq!(parse_cell(&flag, "True"), Some(true.into()));
        assert_eq!(parse_cell(&flag, "1"), None);
    }
}
