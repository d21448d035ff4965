use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use specstress_llm::Digest;
use specstress_values::{Side, ValuePair};

/// How a question is framed. The names are those of the published column `nudge_direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nudge {
    /// As generated.
    Neutral,
    /// Leaning extremely to value 1.
    Value1,
    /// Leaning extremely to value 2.
    Value2,
}

impl Nudge {
    /// All framings, in table order.
    pub const ALL: [Self; 3] = [Self::Neutral, Self::Value1, Self::Value2];

    /// The published name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Value1 => "value1",
            Self::Value2 => "value2",
        }
    }

    /// The side it leans to; `None` for neutral.
    pub fn side(self) -> Option<Side> {
        match self {
            Self::Neutral => None,
            Self::Value1 => Some(Side::Value1),
            Self::Value2 => Some(Side::Value2),
        }
    }
}

impl From<Side> for Nudge {
    fn from(side: Side) -> Self {
        match side {
            Side::Value1 => Self::Value1,
            Side::Value2 => Self::Value2,
        }
    }
}

impl fmt::Display for Nudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Nudge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|nudge| nudge.as_str() == text)
            .ok_or_else(|| format!("unknown nudge {text:?}; use neutral, value1 or value2"))
    }
}

macro_rules! content_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text form: 16 hexadecimal digits when made here, anything when read from a table.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

content_id! {
    /// The identity of a pair's three framings: a hash of the pair.
    TripleId
}

content_id! {
    /// The identity of one question: a hash of pair, nudge and text.
    ScenarioId
}

impl TripleId {
    /// The id of a pair, in its order.
    pub fn of(pair: &ValuePair) -> Self {
        Self(short(
            Digest::new("specstress triple 1")
                .field("value1", &pair.value1)
                .field("value2", &pair.value2),
        ))
    }
}

impl ScenarioId {
    /// The id of a question.
    pub fn of(pair: &ValuePair, nudge: Nudge, query: &str) -> Self {
        Self(short(
            Digest::new("specstress scenario 1")
                .field("value1", &pair.value1)
                .field("value2", &pair.value2)
                .field("nudge", nudge.as_str())
                .field("query", query),
        ))
    }
}

/// 64 bits: at 10^6 ids the chance of any collision is below 10^-7.
fn short(digest: Digest) -> String {
    let mut hex = digest.hex();
    hex.truncate(16);
    hex
}

/// One user question that forces two values apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Hash of pair, nudge and query.
    pub id: ScenarioId,
    /// Hash of the pair.
    pub triple: TripleId,
    /// The values.
    pub pair: ValuePair,
    /// The framing.
    pub nudge: Nudge,
    /// The question.
    pub query: String,
    /// Who wrote it.
    pub generator: String,
}

impl Scenario {
    /// A scenario with its ids.
    pub fn new(
        pair: ValuePair,
        nudge: Nudge,
        query: impl Into<String>,
        generator: impl Into<String>,
    ) -> Self {
        let query = query.into();
        Self {
            id: ScenarioId::of(&pair, nudge, &query),
            triple: TripleId::of(&pair),
            pair,
            nudge,
            query,
            generator: generator.into(),
        }
    }
}

/// The framings of a pair that exist; any of them may have been lost on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioTriple {
    /// The neutral question.
    pub neutral: Option<Scenario>,
    /// The one that leans to value 1.
    pub value1: Option<Scenario>,
    /// The one that leans to value 2.
    pub value2: Option<Scenario>,
}

impl ScenarioTriple {
    /// The question of one framing.
    pub fn query(&self, nudge: Nudge) -> Option<&str> {
        let scenario = match nudge {
            Nudge::Neutral => &self.neutral,
            Nudge::Value1 => &self.value1,
            Nudge::Value2 => &self.value2,
        };
        scenario.as_ref().map(|scenario| scenario.query.as_str())
    }
}
