use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A place on the spectrum of a value: 0 (opposes it extremely) to 6 (favours it extremely).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Position(u8);

/// A number or name that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a position; use 0 to 6 or a name from extreme_oppose to extreme_favor")]
pub struct PositionError {
    given: String,
}

impl Position {
    /// The names, in order of score.
    pub const NAMES: [&'static str; 7] = [
        "extreme_oppose",
        "strong_oppose",
        "moderate_oppose",
        "neutral",
        "moderate_favor",
        "strong_favor",
        "extreme_favor",
    ];

    /// All seven, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (0..7u8).map(Self)
    }

    /// The score, 0 to 6.
    pub fn score(self) -> u8 {
        self.0
    }

    /// The name, such as `moderate_favor`.
    pub fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.0)]
    }
}

impl TryFrom<u8> for Position {
    type Error = PositionError;

    fn try_from(score: u8) -> Result<Self, PositionError> {
        if score < 7 {
            Ok(Self(score))
        } else {
            Err(PositionError {
                given: score.to_string(),
            })
        }
    }
}

impl From<Position> for u8 {
    fn from(position: Position) -> Self {
        position.0
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        (0u8..)
            .zip(Self::NAMES)
            .find(|(score, name)| *name == text || score.to_string() == text)
            .map(|(score, _)| Self(score))
            .ok_or_else(|| PositionError {
                given: text.to_owned(),
            })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
