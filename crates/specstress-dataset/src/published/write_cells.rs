//! Rows of cells to a file of any format.

use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::write_parquet::ParquetFile;
use crate::csv_sink::CsvFile;
use crate::output::Output;
use crate::{DatasetError, Format};

/// What a column holds; everything may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    Integer,
    Number,
    Text,
}

/// One cell to be written.
#[derive(Clone, Debug)]
pub(super) enum CellOut<'a> {
    Integer(Option<i64>),
    Number(Option<f64>),
    Text(Option<Cow<'a, str>>),
}

impl<'a> CellOut<'a> {
    pub(super) fn text(text: Option<&'a str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }

    fn to_text(&self) -> String {
        match self {
            Self::Integer(number) => number.map_or_else(String::new, |number| number.to_string()),
            Self::Number(number) => number.map_or_else(String::new, |number| number.to_string()),
            Self::Text(text) => text.as_deref().unwrap_or_default().to_owned(),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Integer(number) => Value::from(*number),
            Self::Number(number) => Value::from(*number),
            Self::Text(text) => Value::from(text.as_deref()),
        }
    }
}

/// A file of named columns that is being written.
#[derive(Debug)]
pub(super) struct CellFile {
    pub(super) path: PathBuf,
    names: Vec<String>,
    target: Target,
    pub(super) written: u64,
}

#[derive(Debug)]
enum Target {
    Csv(Box<CsvFile>),
    Jsonl(Output),
    Parquet(Box<ParquetFile>),
}

impl CellFile {
    pub(super) fn create(
        path: &Path,
        columns: &[(String, CellKind)],
    ) -> Result<Self, DatasetError> {
        let format = Format::of(path)?;
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(DatasetError::DuplicateColumn {
                    path: path.to_owned(),
                    column: name.clone(),
                });
            }
        }
        let target = match format {
            Format::Csv => {
                let mut file = CsvFile::create(path)?;
                file.record(names.iter())?;
                Target::Csv(Box::new(file))
            }
            Format::Jsonl => Target::Jsonl(Output::create(path)?),
            Format::Parquet => Target::Parquet(Box::new(ParquetFile::create(path, columns)?)),
        };
        Ok(Self {
            path: path.to_owned(),
            names,
            target,
            written: 0,
        })
    }

    /// Takes the cells of one row, in the order of the columns.
    pub(super) fn push(&mut self, cells: &[CellOut<'_>]) -> Result<(), DatasetError> {
        match &mut self.target {
            Target::Csv(file) => file.record(cells.iter().map(CellOut::to_text))?,
            Target::Parquet(file) => file.push(cells)?,
            Target::Jsonl(file) => {
                let line = json_line(&self.names, cells);
                file.write_all(line.as_bytes())
                    .map_err(DatasetError::io("write", &self.path))?;
            }
        }
        self.written += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<u64, DatasetError> {
        match &mut self.target {
            Target::Csv(file) => file.finish()?,
            Target::Jsonl(file) => file.finish()?,
            Target::Parquet(file) => file.finish()?,
        }
        Ok(self.written)
    }
}

/// Keys in the order of the columns, which a JSON map would sort.
fn json_line(names: &[String], cells: &[CellOut<'_>]) -> String {
    let pairs: Vec<String> = names
        .iter()
        .zip(cells)
        .map(|(name, cell)| format!("{}:{}", Value::from(name.as_str()), cell.to_json()))
        .collect();
    format!("{{{}}}\n", pairs.join(","))
}
