/// The position of a value in its [`Taxonomy`](crate::Taxonomy).
///
/// Ids count from 0 in the order of the source file and mean nothing in another taxonomy. Store names, not ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) usize);

impl ValueId {
    /// The position, from 0 to [`Taxonomy::len`](crate::Taxonomy::len) exclusive.
    pub fn index(self) -> usize {
        self.0
    }
}

/// One value of a taxonomy: a leaf that can stand in a pair, or a group of leaves.
///
/// Names and descriptions have no blanks at either end, and names are not empty.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Value {
    /// Its position in the taxonomy.
    pub id: ValueId,
    /// Its name; unique among the leaves, not necessarily among groups.
    pub name: String,
    /// What it means, in a sentence or two.
    pub description: Option<String>,
    /// 0 for a leaf, up to 3 for a domain.
    pub level: u8,
    /// The group it belongs to, one level up; `None` at the top level.
    pub parent: Option<ValueId>,
    /// Its share of all value occurrences, in percent, 0 to 100 (`pct_total_occurrences`).
    ///
    /// The published shares of one level add up to about 100.
    pub percent: Option<f64>,
    /// The share of conversations in which it occurs, in percent, 0 to 100 (`pct_convos`).
    ///
    /// A conversation shows several values, so these add up to more than 100.
    pub frequency: Option<f64>,
}

impl Value {
    /// Whether it is a leaf, that is at level 0.
    pub fn is_leaf(&self) -> bool {
        self.level == 0
    }
}
