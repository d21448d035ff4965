//! Reading a row from named JSON values, with the column at fault in the error.

use std::path::Path;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess};
use serde_json::Value;

use crate::DatasetError;

/// Where a row is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    /// From 1.
    pub(crate) row: u64,
    pub(crate) line: Option<u64>,
}

impl Place<'_> {
    pub(crate) fn bad_value(
        self,
        column: &str,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> DatasetError {
        DatasetError::BadValue {
            path: self.path.to_owned(),
            row: self.row,
            line: self.line,
            column: column.to_owned(),
            value: value.into(),
            allowed: allowed.into(),
        }
    }

    pub(crate) fn bad_row(
        self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> DatasetError {
        DatasetError::BadRow {
            path: self.path.to_owned(),
            row: self.row,
            line: self.line,
            source: source.into(),
        }
    }
}

/// Builds a row from one value per column; `Value::Null` is a missing cell.
pub(crate) fn row_from_values<R: DeserializeOwned>(
    cells: Vec<(&'static str, Value)>,
    place: Place<'_>,
) -> Result<R, DatasetError> {
    let mut current = None;
    let cells = Cells {
        rest: cells.into_iter(),
        pending: None,
        current: &mut current,
    };
    R::deserialize(MapAccessDeserializer::new(cells)).map_err(|error: serde_json::Error| {
        match current {
            Some((column, value)) => {
                place.bad_value(column, value, expectation(&error.to_string()))
            }
            None => place.bad_row(error),
        }
    })
}

/// The part of a serde message that says what is allowed.
fn expectation(message: &str) -> String {
    match message.split_once("expected ") {
        Some((_, allowed)) => allowed.to_owned(),
        None => message.to_owned(),
    }
}

struct Cells<'a> {
    rest: std::vec::IntoIter<(&'static str, Value)>,
    pending: Option<Value>,
    /// The column that is being read, with its value as text.
    current: &'a mut Option<(&'static str, String)>,
}

impl<'de> MapAccess<'de> for Cells<'_> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        *self.current = None;
        let Some((column, value)) = self.rest.next() else {
            return Ok(None);
        };
        *self.current = Some((column, shown(&value)));
        self.pending = Some(value);
        seed.deserialize(column.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        seed.deserialize(self.pending.take().unwrap_or(Value::Null))
    }
}

/// A value for an error message, cut where it is long.
pub(crate) fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
