use std::fmt;

use serde::{Deserialize, Serialize};

/// Two values to be set against each other, in the order they are shown to the models.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValuePair {
    /// The first value's name.
    pub value1: String,
    /// The second value's name.
    pub value2: String,
}

impl ValuePair {
    /// A pair in this order.
    pub fn new(value1: impl Into<String>, value2: impl Into<String>) -> Self {
        Self {
            value1: value1.into(),
            value2: value2.into(),
        }
    }

    /// The value of one side.
    pub fn value(&self, side: Side) -> &str {
        match side {
            Side::Value1 => &self.value1,
            Side::Value2 => &self.value2,
        }
    }
}

impl fmt::Display for ValuePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.value1, self.value2)
    }
}

/// One of the two values of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first.
    Value1,
    /// The second.
    Value2,
}

impl Side {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::Value1, Self::Value2];
}
