use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::draft::is_percentage;
use crate::{Place, ValuesError};

/// A CSV file whose columns are addressed by name, with the file's name at hand for messages.
pub(crate) struct Table<'a, R> {
    file: &'a str,
    reader: csv::Reader<R>,
    header: StringRecord,
}

/// The position of a column and its name.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    index: usize,
}

impl<'a, R: Read> Table<'a, R> {
    /// Reads the header and finds `columns` in it.
    pub(crate) fn open<const N: usize>(
        file: &'a str,
        reader: R,
        columns: [&'static str; N],
    ) -> Result<(Self, [Column; N]), ValuesError> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(reader);
        let header = reader
            .headers()
            .map_err(|source| syntax(file, source))?
            .clone();
        let table = Self {
            file,
            reader,
            header,
        };
        if table.header.iter().all(str::is_empty) {
            return Err(ValuesError::EmptyFile {
                file: file.to_owned(),
                expected: columns.join(", "),
            });
        }
        let mut found = [Column { name: "", index: 0 }; N];
        for (slot, name) in found.iter_mut().zip(columns) {
            *slot = table.column(name)?;
        }
        Ok((table, found))
    }

    fn column(&self, name: &'static str) -> Result<Column, ValuesError> {
        // The csv reader removes the byte order mark that spreadsheets write.
        let mut matches = (0..self.header.len()).filter(|&index| &self.header[index] == name);
        let file = self.file.to_owned();
        let Some(index) = matches.next() else {
            return Err(ValuesError::MissingColumn {
                file,
                column: name,
                header: self.header.iter().collect::<Vec<_>>().join(","),
            });
        };
        if matches.next().is_some() {
            return Err(ValuesError::DuplicateColumn { file, column: name });
        }
        Ok(Column { name, index })
    }

    /// The next row, `None` at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'a>>, ValuesError> {
        let mut record = StringRecord::new();
        let more = self
            .reader
            .read_record(&mut record)
            .map_err(|source| syntax(self.file, source))?;
        Ok(more.then_some(Row {
            file: self.file,
            record,
        }))
    }
}

/// One row, of the same length as the header.
pub(crate) struct Row<'a> {
    file: &'a str,
    record: StringRecord,
}

impl Row<'_> {
    pub(crate) fn line(&self) -> Option<u64> {
        self.record.position().map(csv::Position::line)
    }

    pub(crate) fn place(&self) -> Place {
        Place::line_of(self.file, self.line())
    }

    pub(crate) fn text(&self, column: Column) -> &str {
        &self.record[column.index]
    }

    /// The text of a cell that must not be empty.
    pub(crate) fn required(&self, column: Column) -> Result<&str, ValuesError> {
        match self.text(column) {
            "" => Err(ValuesError::Empty {
                place: self.place(),
                column: column.name,
            }),
            text => Ok(text),
        }
    }

    pub(crate) fn optional(&self, column: Column) -> Option<&str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    /// A number from 0 to 100; an empty cell is missing.
    pub(crate) fn percentage(&self, column: Column) -> Result<Option<f64>, ValuesError> {
        let Some(text) = self.optional(column) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(share) if is_percentage(share) => Ok(Some(share)),
            _ => Err(ValuesError::BadPercentage {
                place: self.place(),
                column: column.name,
                found: text.to_owned(),
            }),
        }
    }
}

fn syntax(file: &str, source: csv::Error) -> ValuesError {
    ValuesError::Syntax {
        place: Place::line_of(file, source.position().map(csv::Position::line)),
        format: "a CSV file in UTF-8 with equally long rows",
        source: source.into(),
    }
}
