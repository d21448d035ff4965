//! One cell of any format, and what each kind of column takes.

use serde_json::Value;
use specstress_scenarios::Nudge;

use crate::csv_source::{parse_integer, whole};
use crate::located::shown;

/// Highest position of the rubric.
pub(super) const HIGHEST_POSITION: u8 = 6;

#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Missing,
    Integer(i64),
    Float(f64),
    Text(&'a str),
    /// Of JSON, with no place in a table.
    Other(&'a Value),
}

/// Why a cell is refused: the value as shown, and what is allowed.
pub(super) type Refused = (String, &'static str);

impl<'a> Cell<'a> {
    /// Empty text is a missing value in every format, so that a file reads the same in each.
    pub(super) fn text_or_missing(text: &'a str) -> Self {
        if text.is_empty() {
            Self::Missing
        } else {
            Self::Text(text)
        }
    }

    pub(super) fn integer(self) -> Result<Option<i64>, Refused> {
        let refused = || (self.shown(), "a whole number, or nothing");
        match self {
            Self::Missing => Ok(None),
            Self::Integer(number) => Ok(Some(number)),
            Self::Float(number) => whole(number).map(Some).ok_or_else(refused),
            Self::Text(text) => parse_integer(text).map(Some).ok_or_else(refused),
            Self::Other(_) => Err(refused()),
        }
    }

    pub(super) fn position(self) -> Result<Option<u8>, Refused> {
        let allowed = "a whole number from 0 to 6, or nothing";
        let number = self.integer().map_err(|(value, _)| (value, allowed))?;
        let position = |number| {
            u8::try_from(number)
                .ok()
                .filter(|position| *position <= HIGHEST_POSITION)
                .ok_or_else(|| (self.shown(), allowed))
        };
        number.map(position).transpose()
    }

    pub(super) fn text(self) -> Result<Option<String>, Refused> {
        match self {
            Self::Missing => Ok(None),
            Self::Text(text) => Ok(Some(text.to_owned())),
            Self::Integer(_) | Self::Float(_) | Self::Other(_) => {
                Err((self.shown(), "text, or nothing"))
            }
        }
    }

    pub(super) fn nudge(self) -> Result<Option<Nudge>, Refused> {
        let refused = || (self.shown(), "neutral, value1 or value2, or nothing");
        match self {
            Self::Missing => Ok(None),
            Self::Text(text) => text.parse().map(Some).map_err(|_| refused()),
            _ => Err(refused()),
        }
    }

    /// A list of texts: a list, or a JSON list as text; `{"position": ..., "response": ...}` stands for its response.
    pub(super) fn texts(self) -> Result<Option<Vec<String>>, Refused> {
        let refused = || (self.shown(), "a list of texts, or nothing");
        let parsed: Value;
        let list = match self {
            Self::Missing => return Ok(None),
            Self::Other(list) => list,
            Self::Text(text) => {
                parsed = serde_json::from_str(text).map_err(|_| refused())?;
                &parsed
            }
            Self::Integer(_) | Self::Float(_) => return Err(refused()),
        };
        let item = |item: &Value| {
            let text = item.get("response").unwrap_or(item).as_str();
            text.map(str::to_owned).ok_or_else(refused)
        };
        let list = list.as_array().ok_or_else(refused)?;
        list.iter().map(item).collect::<Result<_, _>>().map(Some)
    }

    /// A finite number.
    pub(super) fn number(self) -> Result<Option<f64>, Refused> {
        let refused = || (self.shown(), "a number, or nothing");
        let number = match self {
            Self::Missing => return Ok(None),
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
            Self::Text(text) => text.parse().map_err(|_| refused())?,
            Self::Other(_) => return Err(refused()),
        };
        number
            .is_finite()
            .then_some(Some(number))
            .ok_or_else(refused)
    }

    fn shown(self) -> String {
        match self {
            Self::Missing => "null".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => shown(&Value::from(text)),
            Self::Other(value) => shown(value),
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::String(text) => Self::text_or_missing(text),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Self::Integer(number),
                (None, Some(number)) => Self::Float(number),
                (None, None) => Self::Other(value),
            },
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_zero_to_six() {
        assert_eq!(Cell::Text("3.0").position(), Ok(Some(3)));
        assert_eq!(Cell::Float(6.0).position(), Ok(Some(6)));
        assert_eq!(Cell::Integer(0).position(), Ok(Some(0)));
        assert_eq!(Cell::Missing.position(), Ok(None));
        let allowed = "a whole number from 0 to 6, or nothing";
        for (cell, value) in [
            (Cell::Integer(7), "7"),
            (Cell::Integer(-1), "-1"),
            (Cell::Float(2.5), "2.5"),
            (Cell::Float(f64::NAN), "NaN"),
            (Cell::Text("six"), "\"six\""),
        ] {
            assert_eq!(cell.position(), Err((value.to_owned(), allowed)));
        }
    }

    #[test]
    fn spectra_come_as_lists_or_as_json() {
        let wanted = Ok(Some(vec!["a".to_owned(), "b".to_owned()]));
        let list = serde_json::json!(["a", "b"]);
        assert_eq!(Cell::Other(&list).texts(), wanted);
        assert_eq!(Cell::Text(r#"["a", "b"]"#).texts(), wanted);
        let graded = r#"[{"position": "neutral", "response": "a"}, {"response": "b"}]"#;
        assert_eq!(Cell::Text(graded).texts(), wanted);
        assert_eq!(Cell::Missing.texts(), Ok(None));
        for bad in [Cell::Text("a"), Cell::Text("[1]"), Cell::Integer(1)] {
            assert!(bad.texts().is_err(), "{bad:?}");
        }
        assert_eq!(Cell::Text("1.5").number(), Ok(Some(1.5)));
        assert!(Cell::Float(f64::NAN).number().is_err());
    }

    #[test]
    fn framings_go_by_their_published_names() {
        assert_eq!(Cell::Text("value2").nudge(), Ok(Some(Nudge::Value2)));
        assert_eq!(Cell::text_or_missing("").nudge(), Ok(None));
        assert!(Cell::Text("Value2").nudge().is_err());
    }
}
