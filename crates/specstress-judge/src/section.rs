use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a section within its spec, such as `avoid_info_hazards`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SectionId(String);

impl SectionId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SectionId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for SectionId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<SectionId> for String {
    fn from(id: SectionId) -> Self {
        id.0
    }
}

/// Who may change or override a section, as its heading says (`authority=platform`).
///
/// The order runs from the level that binds most to the one that binds least; levels this crate does not
/// know come last, by name. Releases of one spec rename their levels, so `root` and `platform` both exist.
///
/// ```
/// use specstress_judge::Authority;
///
/// assert!(Authority::from("platform") < Authority::from("guideline"));
/// assert_eq!(Authority::from("operator").as_str(), "operator");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Authority {
    /// Nobody may override it (from December 2025).
    Root,
    /// Only the platform's owner (until 2025).
    Platform,
    /// System messages may (from December 2025).
    System,
    /// Developers may.
    Developer,
    /// Users may.
    User,
    /// Context may.
    Guideline,
    /// A level this crate does not know, as written.
    Other(String),
}

impl Authority {
    /// The name as written in headings.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::Platform => "platform",
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Guideline => "guideline",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Authority {
    fn from(text: &str) -> Self {
        [
            Self::Root,
            Self::Platform,
            Self::System,
            Self::Developer,
            Self::User,
            Self::Guideline,
        ]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(text))
        .unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl From<String> for Authority {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        authority.as_str().to_owned()
    }
}

impl FromStr for Authority {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part of a spec: a heading and the text up to the next section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its name; no two sections of a spec share one.
    pub id: SectionId,
    /// The heading without marks and attributes.
    pub title: String,
    /// 1 to 6 as in Markdown; 0 for text before the first heading, or a text without headings.
    pub level: u8,
    /// Who may override it, where the heading says so.
    pub authority: Option<Authority>,
    /// The text below the heading, without that of its subsections; empty when they follow at once.
    pub text: String,
    /// The nearest section above with a lower level; `None` at the top.
    pub parent: Option<SectionId>,
    /// The line of the heading, counted from 1.
    pub line: usize,
}
