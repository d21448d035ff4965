use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::cell::HIGHEST_POSITION;
use super::layout::{LEADING, SUFFIXES, TRAILING, position_order, response_column, response_order};
use super::row::PublishedRow;
use super::write_parquet::ParquetFile;
use crate::csv_sink::CsvFile;
use crate::located::Place;
use crate::output::Output;
use crate::{DatasetError, Format};

/// Writes rows in the published layout; the file's name tells the format: `.csv`, `.parquet` or `.jsonl`.
///
/// Columns come in the released order: for models of the release the two released orders, and other models after them
/// as they were given. Integers are 64-bit, everything may be missing. As in the release, an empty text and a missing
/// one are the same in CSV.
///
/// The file appears under its name in [`PublishedWriter::finish`], synced to disk.
///
/// ```
/// use specstress_dataset::published::{PublishedRow, PublishedWriter};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("split.csv");
/// let row = PublishedRow {
///     value1: Some("honesty".into()),
///     value2: Some("kindness".into()),
///     models: ["m".to_owned()].into(),
///     positions: vec![(Some(6), None)],
///     ..PublishedRow::default()
/// };
/// let mut writer = PublishedWriter::create(&path, &["m"])?;
/// writer.write(&[row])?;
/// assert_eq!(writer.finish()?, 1);
/// assert_eq!(
///     std::fs::read_to_string(&path)?,
///     "rank,query_generator,value1,value2,nudge_direction,query,response_m,\
///      m_value1_position,m_value2_position,chunk_index,entry_idx\n\
///      ,,honesty,kindness,,,,6,,,\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PublishedWriter {
    path: PathBuf,
    columns: Vec<OutputColumn>,
    file: Target,
    written: u64,
}

#[derive(Debug)]
enum Target {
    Csv(Box<CsvFile>),
    Jsonl(Output),
    Parquet(Box<ParquetFile>),
}

impl PublishedWriter {
    /// Starts a file with columns for these models; its folder must exist.
    ///
    /// # Errors
    /// [`DatasetError::DuplicateColumn`] when a model is given twice.
    pub fn create<S: AsRef<str>>(
        path: impl AsRef<Path>,
        models: &[S],
    ) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let columns = layout(models);
        for (index, column) in columns.iter().enumerate() {
            if columns[..index]
                .iter()
                .any(|other| other.name == column.name)
            {
                return Err(DatasetError::DuplicateColumn {
                    path: path.to_owned(),
                    column: column.name.clone(),
                });
            }
        }
        let file = match format {
            Format::Csv => {
                let mut file = CsvFile::create(path)?;
                file.record(columns.iter().map(|column| &column.name))?;
                Target::Csv(Box::new(file))
            }
            Format::Jsonl => Target::Jsonl(Output::create(path)?),
            Format::Parquet => Target::Parquet(Box::new(ParquetFile::create(path, &columns)?)),
        };
        Ok(Self {
            path: path.to_owned(),
            columns,
            file,
            written: 0,
        })
    }

    /// Takes the next rows. Models the writer was not told of are left out; models a row does not have are missing.
    ///
    /// # Errors
    /// [`DatasetError::BadValue`] for a position above 6; nothing of the slice is then written.
    pub fn write(&mut self, rows: &[PublishedRow]) -> Result<(), DatasetError> {
        for (index, row) in rows.iter().enumerate() {
            self.check(row, self.written + index as u64 + 1)?;
        }
        for row in rows {
            let cells = Cells::of(row, &self.columns);
            match &mut self.file {
                Target::Csv(file) => file.record(cells.texts())?,
                Target::Parquet(file) => file.push(&cells)?,
                Target::Jsonl(file) => {
                    let line = json_line(&self.columns, &cells);
                    file.write_all(line.as_bytes())
                        .map_err(DatasetError::io("write", &self.path))?;
                }
            }
        }
        self.written += rows.len() as u64;
        Ok(())
    }

    /// Stores everything and returns the number of rows.
    ///
    /// # Errors
    /// [`DatasetError::Io`] for a full disk and the like; an existing file then stays as it was.
    pub fn finish(mut self) -> Result<u64, DatasetError> {
        match &mut self.file {
            Target::Csv(file) => file.finish()?,
            Target::Jsonl(file) => file.finish()?,
            Target::Parquet(file) => file.finish()?,
        }
        Ok(self.written)
    }

    fn check(&self, row: &PublishedRow, number: u64) -> Result<(), DatasetError> {
        let place = Place {
            path: &self.path,
            row: number,
            line: None,
        };
        for (model, (first, second)) in row.models.iter().zip(&row.positions) {
            for (suffix, position) in SUFFIXES.iter().zip([first, second]) {
                if let Some(position) = position.filter(|position| *position > HIGHEST_POSITION) {
                    return Err(place.bad_value(
                        &format!("{model}{suffix}"),
                        position.to_string(),
                        "a whole number from 0 to 6, or nothing",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A column that is written and the field it is filled from.
#[derive(Clone, Debug)]
pub(super) struct OutputColumn {
    pub(super) name: String,
    pub(super) field: Field,
}

#[derive(Clone, Debug)]
pub(super) enum Field {
    Rank,
    Generator,
    Value1,
    Value2,
    Nudge,
    Query,
    Chunk,
    Entry,
    Response(Arc<str>),
    /// With 0 for value 1 and 1 for value 2.
    Position(Arc<str>, usize),
}

impl Field {
    pub(super) fn is_integer(&self) -> bool {
        matches!(
            self,
            Self::Rank | Self::Chunk | Self::Entry | Self::Position(..)
        )
    }
}

fn layout<S: AsRef<str>>(models: &[S]) -> Vec<OutputColumn> {
    let fixed = |(name, field): (&str, Field)| OutputColumn {
        name: name.to_owned(),
        field,
    };
    let leading = [
        Field::Rank,
        Field::Generator,
        Field::Value1,
        Field::Value2,
        Field::Nudge,
        Field::Query,
    ];
    let mut columns: Vec<OutputColumn> = LEADING.into_iter().zip(leading).map(fixed).collect();
    columns.extend(
        response_order(models)
            .into_iter()
            .map(|model| OutputColumn {
                name: response_column(model),
                field: Field::Response(model.into()),
            }),
    );
    for model in position_order(models) {
        for (side, suffix) in SUFFIXES.iter().enumerate() {
            columns.push(OutputColumn {
                name: format!("{model}{suffix}"),
                field: Field::Position(model.into(), side),
            });
        }
    }
    columns.extend(
        TRAILING
            .into_iter()
            .zip([Field::Chunk, Field::Entry])
            .map(fixed),
    );
    columns
}

/// One cell to be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum CellOut<'a> {
    Integer(Option<i64>),
    Text(Option<&'a str>),
}

/// The cells of one row, in the order of the columns.
pub(super) struct Cells<'a>(pub(super) Vec<CellOut<'a>>);

impl<'a> Cells<'a> {
    fn of(row: &'a PublishedRow, columns: &[OutputColumn]) -> Self {
        use CellOut::{Integer, Text};
        let cell = |column: &OutputColumn| match &column.field {
            Field::Rank => Integer(row.rank),
            Field::Chunk => Integer(row.chunk_index),
            Field::Entry => Integer(row.entry_idx),
            Field::Generator => Text(row.query_generator.as_deref()),
            Field::Value1 => Text(row.value1.as_deref()),
            Field::Value2 => Text(row.value2.as_deref()),
            Field::Query => Text(row.query.as_deref()),
            Field::Nudge => Text(row.nudge_direction.map(specstress_scenarios::Nudge::as_str)),
            Field::Response(model) => Text(row.response(model)),
            Field::Position(model, side) => Integer(
                row.position(model)
                    .and_then(|(first, second)| [first, second][*side])
                    .map(i64::from),
            ),
        };
        Self(columns.iter().map(cell).collect())
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|cell| match cell {
            CellOut::Integer(number) => {
                number.map_or_else(String::new, |number| number.to_string())
            }
            CellOut::Text(text) => text.unwrap_or_default().to_owned(),
        })
    }
}

/// Keys in the order of the columns, which a JSON map would sort.
fn json_line(columns: &[OutputColumn], cells: &Cells<'_>) -> String {
    let pair = |(column, cell): (&OutputColumn, &CellOut<'_>)| {
        let value = match cell {
            CellOut::Integer(number) => Value::from(*number),
            CellOut::Text(text) => Value::from(*text),
        };
        format!("{}:{value}", Value::from(column.name.as_str()))
    };
    let pairs: Vec<String> = columns.iter().zip(&cells.0).map(pair).collect();
    format!("{{{}}}\n", pairs.join(","))
}
