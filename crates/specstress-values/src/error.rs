use std::error::Error as StdError;

use crate::Place;

/// Why a taxonomy could not be read, or pairs could not be sampled from it.
///
/// Every message names the offending value, where it stands, and what to do about it. The cause, where
/// another library found it, is in [`source`](StdError::source) and not repeated in the message.
///
/// Pair numbers (`pair`, `first`) count from 1, in the order of the list given to
/// [`ExplicitPairs`](crate::ExplicitPairs).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValuesError {
    /// The file could not be read.
    #[error("{file}: cannot be read; check the path and its permissions")]
    Io {
        /// The file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The text is not in the format its reader expects.
    #[error("{place}: not {format}; the cause says what was found")]
    Syntax {
        /// Where, as far as the parser knows.
        place: Place,
        /// What was expected, such as "a taxonomy in JSON".
        format: &'static str,
        /// What the parser said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// [`Taxonomy::from_path`](crate::Taxonomy::from_path) cannot tell the format from the file name.
    #[error("{file}: unknown kind of taxonomy file; name it {known}")]
    UnknownFormat {
        /// The file.
        file: String,
        /// The endings this build reads.
        known: &'static str,
    },
    /// The CSV file has no header row.
    #[error("{file}: the file is empty; the first line must name the columns {expected}")]
    EmptyFile {
        /// The file.
        file: String,
        /// The columns a header must name.
        expected: String,
    },
    /// A column that must be there is not.
    #[error("{file}: no column {column:?}; the header is {header:?}, add the column or rename one")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column looked for.
        column: &'static str,
        /// The header as found, names joined by commas.
        header: String,
    },
    /// Two columns have the same name, so neither can be addressed.
    #[error("{file}: two columns are called {column:?}; rename or remove one")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// Their name.
        column: &'static str,
    },
    /// A name or an id is empty or only blanks.
    #[error("{place}: {column:?} is empty; every value needs one")]
    Empty {
        /// Where.
        place: Place,
        /// The column or field.
        column: &'static str,
    },
    /// A level that is not 0, 1, 2 or 3.
    #[error("{place}: level {found:?} is not one of 0 (leaf), 1, 2, 3 (domain)")]
    BadLevel {
        /// Where.
        place: Place,
        /// The cell as found.
        found: String,
    },
    /// A share that is no number, not finite, negative or above 100.
    #[error(
        "{place}: {found:?} in {column:?} is not a percentage; write a number from 0 to 100, or leave it out"
    )]
    BadPercentage {
        /// Where.
        place: Place,
        /// The column or field.
        column: &'static str,
        /// The text or number as found.
        found: String,
    },
    /// Two rows have the same id.
    #[error("{place}: id {id:?} was used before, at {first}; give each value its own id")]
    DuplicateId {
        /// The later row.
        place: Place,
        /// The id.
        id: String,
        /// The earlier row.
        first: Box<Place>,
    },
    /// Two leaves have the same name. Pairs name their values, so leaf names identify.
    #[error("{place}: the leaf value {name:?} was named before, at {first}; rename or remove one")]
    DuplicateLeaf {
        /// The later one.
        place: Place,
        /// The name.
        name: String,
        /// The earlier one.
        first: Box<Place>,
    },
    /// Two rows of a frequency file are about the same value.
    #[error("{place}: {name:?} has a frequency already, at {first}; keep one of the two rows")]
    DuplicateFrequency {
        /// The later row.
        place: Place,
        /// The value.
        name: String,
        /// The earlier row.
        first: Box<Place>,
    },
    /// A frequency for something that is not a leaf of the tree.
    #[error("{place}: a frequency for {name:?}, which is not a leaf value{}", hint(.suggestion.as_deref()))]
    UnknownFrequency {
        /// Where.
        place: Place,
        /// The name as found.
        name: String,
        /// The leaf with the most similar name, if any is close.
        suggestion: Option<String>,
    },
    /// A parent id that no row has.
    #[error("{place}: the parent {parent:?} of {name:?} is in no row; add it or correct the id")]
    DanglingParent {
        /// Where.
        place: Place,
        /// The value.
        name: String,
        /// The id of the parent it asks for.
        parent: String,
    },
    /// Following the parents of a value leads back to it.
    #[error(
        "{place}: the parents of {name:?} lead back to it ({path}); cut the circle at one of them"
    )]
    Cycle {
        /// Where.
        place: Place,
        /// The first value, in file order, that lies on the circle.
        name: String,
        /// The names along the circle.
        path: String,
    },
    /// A parent that is not exactly one level above.
    #[error(
        "{place}: {name:?} is at level {level}, so its parent must be at level {}, but {parent:?} is at level {parent_level}",
        u16::from(*.level) + 1
    )]
    LevelJump {
        /// Where.
        place: Place,
        /// The value.
        name: String,
        /// Its level.
        level: u8,
        /// The parent's name.
        parent: String,
        /// The parent's level.
        parent_level: u8,
    },
    /// A value below the top level without a parent.
    #[error(
        "{place}: {name:?} is at level {level} and has no parent, but the tree goes up to level {top}; name its parent"
    )]
    MissingParent {
        /// Where.
        place: Place,
        /// The value.
        name: String,
        /// Its level.
        level: u8,
        /// The highest level of the tree.
        top: u8,
    },
    /// A group with nothing in it. In a nested file, usually a leaf less deep than the others.
    #[error(
        "{place}: {name:?} is at level {level} but has no values below it; all leaves stand equally deep, at level 0: add values below it or remove it"
    )]
    NoChildren {
        /// Where.
        place: Place,
        /// The group.
        name: String,
        /// Its level.
        level: u8,
    },
    /// More than four levels.
    #[error("{place}: {name:?} is the fifth level down; a taxonomy has at most four levels")]
    TooDeep {
        /// Where.
        place: Place,
        /// The value that is too deep.
        name: String,
    },
    /// No value at level 0.
    #[error("{file}: no leaf value (level 0); a taxonomy needs at least one")]
    NoLeaves {
        /// The file.
        file: String,
    },
    /// More pairs asked for than there are.
    #[error("asked for {asked} pairs, but {from} give only {available}; ask for at most that many")]
    TooManyPairs {
        /// The number asked for.
        asked: usize,
        /// The number of different pairs there are.
        available: u64,
        /// What they are drawn from, such as "4 leaf values".
        from: String,
    },
    /// A listed pair names a value the taxonomy does not have.
    #[error("pair {pair}: no value is called {name:?}{}", hint(.suggestion.as_deref()))]
    UnknownValue {
        /// The pair's number in the list.
        pair: usize,
        /// The name as given.
        name: String,
        /// The leaf with the most similar name, if any is close.
        suggestion: Option<String>,
    },
    /// A listed pair names a group where a leaf is needed.
    #[error(
        "pair {pair}: {name:?} is a group at level {level}, not a leaf value; name a value below it, such as {example:?}"
    )]
    NotALeaf {
        /// The pair's number in the list.
        pair: usize,
        /// The group's name.
        name: String,
        /// The group's level.
        level: u8,
        /// The first leaf below it.
        example: String,
    },
    /// A listed pair sets a value against itself.
    #[error("pair {pair}: {name:?} stands on both sides; a pair needs two different values")]
    SameValue {
        /// The pair's number in the list.
        pair: usize,
        /// The value.
        name: String,
    },
    /// A pair is listed twice, in this or the other order.
    #[error(
        "pair {pair}: {value1:?} and {value2:?} are pair {first} already; the order does not make a new pair: remove one"
    )]
    DuplicatePair {
        /// The later pair's number in the list.
        pair: usize,
        /// The earlier pair's number.
        first: usize,
        /// Its first value.
        value1: String,
        /// Its second value.
        value2: String,
    },
    /// Sampling by frequency needs a frequency for each leaf.
    #[error(
        "{missing} of {leaves} leaf values have no frequency, the first is {example:?}; load the frequencies too, or choose what such values weigh"
    )]
    NoFrequency {
        /// The number of leaves without one.
        missing: usize,
        /// The number of leaves.
        leaves: usize,
        /// The first of them by name.
        example: String,
    },
    /// The weight for leaves without a frequency is not a percentage.
    #[error("the weight {found} for values without a frequency is not a number from 0 to 100")]
    BadWeight {
        /// The weight as given.
        found: String,
    },
    /// Stratified sampling needs groups of leaves at the given level.
    #[error(
        "no groups at level {level} to stratify by; the tree's highest level is {top}, and groups start at level 1"
    )]
    NoGroups {
        /// The level asked for.
        level: u8,
        /// The highest level of the tree.
        top: u8,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(
        || "; check the spelling".to_owned(),
        |name| format!("; did you mean {name:?}?"),
    )
}
