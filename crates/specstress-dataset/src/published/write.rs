use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use specstress_scenarios::Nudge;

use super::cell::HIGHEST_POSITION;
use super::layout::{
    LEADING, SPECTRA, SUFFIXES, TRAILING, position_order, response_column, response_order,
};
use super::row::PublishedRow;
use super::write_cells::{CellFile, CellKind, CellOut};
use crate::DatasetError;
use crate::located::Place;

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
    columns: Vec<OutputColumn>,
    file: CellFile,
}

impl PublishedWriter {
    /// Starts a file of the `default` config with columns for these models; its folder must exist.
    ///
    /// # Errors
    /// [`DatasetError::DuplicateColumn`] when a model is given twice.
    pub fn create<S: AsRef<str>>(
        path: impl AsRef<Path>,
        models: &[S],
    ) -> Result<Self, DatasetError> {
        Self::start(path.as_ref(), layout(models))
    }

    /// Starts a file of the `complete` config: without `rank`, and with `value1_spectrum` and `value2_spectrum` at the
    /// end, each a JSON list of seven texts.
    ///
    /// # Errors
    /// As [`PublishedWriter::create`].
    pub fn create_complete<S: AsRef<str>>(
        path: impl AsRef<Path>,
        models: &[S],
    ) -> Result<Self, DatasetError> {
        let mut columns = layout(models);
        columns.retain(|column| !matches!(column.field, Field::Rank));
        let spectra = SPECTRA.into_iter().enumerate();
        columns.extend(spectra.map(|(side, name)| OutputColumn {
            name: name.to_owned(),
            field: Field::Spectrum(side),
        }));
        Self::start(path.as_ref(), columns)
    }

    fn start(path: &Path, columns: Vec<OutputColumn>) -> Result<Self, DatasetError> {
        let kinds: Vec<(String, CellKind)> = columns
            .iter()
            .map(|column| (column.name.clone(), column.field.kind()))
            .collect();
        Ok(Self {
            file: CellFile::create(path, &kinds)?,
            columns,
        })
    }

    /// Takes the next rows. Models the writer was not told of are left out; models a row does not have are missing.
    ///
    /// # Errors
    /// [`DatasetError::BadValue`] for a position above 6; nothing of the slice is then written.
    pub fn write(&mut self, rows: &[PublishedRow]) -> Result<(), DatasetError> {
        for (index, row) in rows.iter().enumerate() {
            self.check(row, self.file.written + index as u64 + 1)?;
        }
        for row in rows {
            let cells: Vec<CellOut<'_>> = self
                .columns
                .iter()
                .map(|column| column.field.cell(row))
                .collect();
            self.file.push(&cells)?;
        }
        Ok(())
    }

    /// Stores everything and returns the number of rows.
    ///
    /// # Errors
    /// [`DatasetError::Io`] for a full disk and the like; an existing file then stays as it was.
    pub fn finish(self) -> Result<u64, DatasetError> {
        self.file.finish()
    }

    fn check(&self, row: &PublishedRow, number: u64) -> Result<(), DatasetError> {
        let place = Place {
            path: &self.file.path,
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
struct OutputColumn {
    name: String,
    field: Field,
}

#[derive(Clone, Debug)]
enum Field {
    Rank,
    Generator,
    Value1,
    Value2,
    Nudge,
    Query,
    Chunk,
    Entry,
    Response(Arc<str>),
    /// With 0 for value 1 and 1 for value 2, here and below.
    Position(Arc<str>, usize),
    Spectrum(usize),
}

impl Field {
    fn kind(&self) -> CellKind {
        match self {
            Self::Rank | Self::Chunk | Self::Entry | Self::Position(..) => CellKind::Integer,
            _ => CellKind::Text,
        }
    }

    fn cell<'a>(&self, row: &'a PublishedRow) -> CellOut<'a> {
        use CellOut::Integer;
        match self {
            Self::Rank => Integer(row.rank),
            Self::Chunk => Integer(row.chunk_index),
            Self::Entry => Integer(row.entry_idx),
            Self::Generator => CellOut::text(row.query_generator.as_deref()),
            Self::Value1 => CellOut::text(row.value1.as_deref()),
            Self::Value2 => CellOut::text(row.value2.as_deref()),
            Self::Query => CellOut::text(row.query.as_deref()),
            Self::Nudge => CellOut::text(row.nudge_direction.map(Nudge::as_str)),
            Self::Response(model) => CellOut::text(row.response(model)),
            Self::Position(model, side) => Integer(
                row.position(model)
                    .and_then(|(first, second)| [first, second][*side])
                    .map(i64::from),
            ),
            Self::Spectrum(side) => {
                let spectrum = [&row.value1_spectrum, &row.value2_spectrum][*side].as_ref();
                let json = |texts: &Vec<String>| Value::from(texts.as_slice()).to_string();
                CellOut::Text(spectrum.map(json).map(Cow::Owned))
            }
        }
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
