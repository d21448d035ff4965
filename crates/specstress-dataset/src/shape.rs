//! The field names of a row struct, asked of its own `Deserialize`.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::DatasetError;

/// The serde names of `R`'s fields, in order.
pub(crate) fn columns_of<R: DeserializeOwned>() -> Result<&'static [&'static str], DatasetError> {
    let mut fields = None;
    // Always an error: the probe gives the names away and no data.
    let _ = R::deserialize(Probe(&mut fields));
    fields.ok_or(DatasetError::RowType {
        row_type: std::any::type_name::<R>(),
    })
}

struct Probe<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Probed;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Probed> {
        *self.0 = Some(fields);
        Err(Probed)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Probed> {
        Err(Probed)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[derive(Debug)]
struct Probed;

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no data")
    }
}

impl std::error::Error for Probed {}

impl de::Error for Probed {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;
    use crate::rows::{PairRow, PositionRow};

    #[test]
    fn names_are_those_of_the_schema() {
        let of_schema = |columns: &[crate::Column]| -> Vec<&str> {
            columns.iter().map(|column| column.name).collect()
        };
        assert_eq!(
            columns_of::<PairRow>().unwrap(),
            of_schema(PairRow::COLUMNS)
        );
        assert_eq!(
            columns_of::<PositionRow>().unwrap(),
            of_schema(PositionRow::COLUMNS)
        );
    }

    #[test]
    fn a_type_without_fields_is_refused() {
        let message = columns_of::<Vec<u8>>().unwrap_err().to_string();
        assert_eq!(
            message,
            "row type alloc::vec::Vec<u8> is no plain struct with named fields; its columns are unknown"
        );
    }
}
