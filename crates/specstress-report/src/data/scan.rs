use std::collections::HashMap;

use serde::de::DeserializeOwned;
use specstress_dataset::{DatasetError, Rows, Table, TableDir};

use crate::error::ReportError;

/// Reads a table row by row; rows are counted from 1. `false` when the table does not exist, which means
/// that its stage was not run.
pub(crate) fn scan<T: Table>(
    tables: &TableDir,
    mut each: impl FnMut(u64, T) -> Result<(), ReportError>,
) -> Result<bool, ReportError> {
    if !tables.exists::<T>() {
        return Ok(false);
    }
    let rows = tables.rows::<T>().map_err(failed::<T>)?;
    walk::<T, T>(rows, &mut each)
}

/// The same for only the columns that `R` names: the others, texts and vectors mostly, are not read.
pub(crate) fn scan_columns<T: Table, R: DeserializeOwned + Send + 'static>(
    tables: &TableDir,
    mut each: impl FnMut(u64, R) -> Result<(), ReportError>,
) -> Result<bool, ReportError> {
    if !tables.exists::<T>() {
        return Ok(false);
    }
    let rows = tables.rows_projected::<T, R>().map_err(failed::<T>)?;
    walk::<T, R>(rows, &mut each)
}

fn walk<T: Table, R>(
    rows: Rows<R>,
    each: &mut impl FnMut(u64, R) -> Result<(), ReportError>,
) -> Result<bool, ReportError> {
    for (row, number) in rows.zip(1..) {
        each(number, row.map_err(failed::<T>)?)?;
    }
    Ok(true)
}

fn failed<T: Table>(source: DatasetError) -> ReportError {
    ReportError::Table {
        table: T::NAME,
        source: Box::new(source),
    }
}

/// Names with small numbers: first those given, in their order, then the others as they appear in a table.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Keys {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let mut keys = Self::default();
        for name in names {
            keys.place(name);
        }
        keys
    }

    /// The number of a name, which it gets now if it has none.
    pub(crate) fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.names.len();
        self.places.insert(name.to_owned(), place);
        self.names.push(name.to_owned());
        place
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// One value per key; a key seen for the first time gets the default.
pub(crate) fn slot<T: Default>(values: &mut Vec<T>, place: usize) -> &mut T {
    if values.len() <= place {
        values.resize_with(place + 1, T::default);
    }
    &mut values[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_come_first() {
        let mut keys = Keys::new(&["b".to_owned(), "a".to_owned()]);
        assert_eq!(keys.place("z"), 2);
        assert_eq!(keys.place("a"), 1);
        assert_eq!(keys.names(), ["b", "a", "z"]);
        assert_eq!((keys.find("z"), keys.find("q")), (Some(2), None));
    }
}
