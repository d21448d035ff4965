use std::collections::HashMap;
use std::fmt;

use crate::{Value, ValueId, search, suggest};

/// A tree of values: leaves at level 0, groups above them, up to four levels.
///
/// The published tree "Values in the Wild" (Huang et al. 2025, arXiv 2504.15236) has 3,307 leaves in 266 groups
/// (level 1), 26 categories (level 2) and 5 domains (level 3). A tree of one's own may be less deep, down to a
/// plain list of leaves.
///
/// # What always holds
///
/// - There is at least one leaf, and leaf names are unique.
/// - Levels step by one: a parent is exactly one level above its child.
/// - Values without a parent are all at [`top_level`](Self::top_level).
/// - Every group has a child, so every group has a leaf below it.
/// - Percentages and frequencies are finite and from 0 to 100.
///
/// # Example
///
/// ```
/// use specstress_values::Taxonomy;
///
/// let taxonomy = Taxonomy::builtin();
/// let brevity = taxonomy.leaf("brevity").expect("the built-in taxonomy has it");
/// let path: Vec<&str> = taxonomy.ancestors(brevity.id).map(|value| value.name.as_str()).collect();
/// assert_eq!(path, ["Plain expression", "Clarity and precision", "Epistemic"]);
/// assert_eq!(taxonomy.category("brevity").map(|value| value.name.as_str()), Some("Clarity and precision"));
/// ```
///
/// Methods that take a [`ValueId`] return nothing for an id beyond the end; an id of another taxonomy that happens
/// to be in range names an unrelated value.
#[derive(Clone, PartialEq)]
pub struct Taxonomy {
    values: Vec<Value>,
    children: Vec<Vec<ValueId>>,
    leaves: Vec<ValueId>,
    /// For each name the value at the lowest level, the first of them in file order.
    by_name: HashMap<String, ValueId>,
    top: u8,
}

impl Taxonomy {
    /// The caller has checked everything under "What always holds".
    pub(crate) fn from_checked(values: Vec<Value>) -> Self {
        let mut children = vec![Vec::new(); values.len()];
        let mut leaves = Vec::new();
        let mut by_name: HashMap<String, ValueId> = HashMap::with_capacity(values.len());
        let mut top = 0;
        for value in &values {
            top = top.max(value.level);
            if let Some(parent) = value.parent {
                children[parent.0].push(value.id);
            }
            if value.is_leaf() {
                leaves.push(value.id);
            }
            let best = by_name.entry(value.name.clone()).or_insert(value.id);
            if value.level < values[best.0].level {
                *best = value.id;
            }
        }
        Self {
            values,
            children,
            leaves,
            by_name,
            top,
        }
    }

    /// The number of values at all levels; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a taxonomy is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// All values, in file order; the value with id `i` is at position `i`.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The leaves, in file order.
    pub fn leaves(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.leaves.iter().map(|id| &self.values[id.0])
    }

    /// The value with this id.
    pub fn get(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.0)
    }

    /// The value with exactly this name; among several the one at the lowest level, then the first in file order.
    ///
    /// Cost: one hash lookup.
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.by_name.get(name).map(|id| &self.values[id.0])
    }

    /// The leaf with exactly this name.
    pub fn leaf(&self, name: &str) -> Option<&Value> {
        // A leaf shadows groups of the same name, so `find` is enough.
        self.find(name).filter(|value| value.is_leaf())
    }

    /// The values that match a query, best first, over all levels.
    ///
    /// Upper and lower case are the same. The ranks, best first:
    ///
    /// 1. the name is the query;
    /// 2. the name starts with it;
    /// 3. the name contains it;
    /// 4. every word of the query starts a word of the name;
    /// 5. every word of the query starts a word of the name or of the description.
    ///
    /// Within a rank: lower level first, then by name, then in file order. A query without a letter or digit
    /// matches nothing. Cost: linear in the text of the taxonomy.
    ///
    /// ```
    /// use specstress_values::Taxonomy;
    ///
    /// let taxonomy = Taxonomy::builtin();
    /// let names: Vec<&str> = taxonomy.search("FREEDOM of b").iter().map(|value| value.name.as_str()).collect();
    /// assert_eq!(names, ["freedom of belief"]);
    /// ```
    pub fn search(&self, query: &str) -> Vec<&Value> {
        search::search(&self.values, query)
    }

    /// The leaf whose name is most similar to `name`, for "did you mean"; `None` if none is close.
    ///
    /// Similar means a Damerau-Levenshtein distance, ignoring case, of at most a third of the name's length
    /// (and at least 1). Ties go to the first by name. Cost: linear in the number of leaves.
    pub fn suggest(&self, name: &str) -> Option<&Value> {
        let best = suggest::closest(name, self.leaves().map(|leaf| leaf.name.as_str()))?;
        self.leaf(best)
    }

    /// The group this value belongs to.
    pub fn parent(&self, id: ValueId) -> Option<&Value> {
        self.get(self.get(id)?.parent?)
    }

    /// The groups above this value, nearest first.
    pub fn ancestors(&self, id: ValueId) -> impl Iterator<Item = &Value> {
        std::iter::successors(self.parent(id), |value| self.parent(value.id))
    }

    /// The value at `level` on the way up from this one, itself included.
    pub fn ancestor_at(&self, id: ValueId, level: u8) -> Option<&Value> {
        std::iter::successors(self.get(id), |value| self.parent(value.id))
            .find(|value| value.level == level)
    }

    /// The category of a leaf: its ancestor at [`category_level`](Self::category_level).
    ///
    /// `None` if there is no such leaf, or if the taxonomy is a plain list.
    pub fn category(&self, leaf_name: &str) -> Option<&Value> {
        self.ancestor_at(self.leaf(leaf_name)?.id, self.category_level()?)
    }

    /// The level of the categories: 2, as in the published tree, or the top level of a tree that has only
    /// levels 0 and 1. `None` for a plain list of leaves.
    pub fn category_level(&self) -> Option<u8> {
        (self.top > 0).then(|| self.top.min(2))
    }

    /// The highest level there is: 0 for a plain list of leaves, 3 for the published tree.
    pub fn top_level(&self) -> u8 {
        self.top
    }

    /// The other values with the same parent, in file order; for a value at the top, the others at the top.
    pub fn siblings(&self, id: ValueId) -> impl Iterator<Item = &Value> {
        let parent = self.get(id).map(|value| value.parent);
        let within: Box<dyn Iterator<Item = &Value>> = match parent {
            None => Box::new(std::iter::empty()),
            Some(None) => Box::new(self.at_level(self.top)),
            Some(Some(parent)) => Box::new(self.children(parent)),
        };
        within.filter(move |value| value.id != id)
    }

    /// The values directly below this one, in file order.
    pub fn children(&self, id: ValueId) -> impl ExactSizeIterator<Item = &Value> {
        self.children
            .get(id.0)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|child| &self.values[child.0])
    }

    /// The values at this level, in file order.
    pub fn at_level(&self, level: u8) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(move |value| value.level == level)
    }
}

impl fmt::Debug for Taxonomy {
    /// Counts only: thousands of values help nobody in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taxonomy")
            .field("values", &self.values.len())
            .field("leaves", &self.leaves.len())
            .field("top_level", &self.top)
            .finish_non_exhaustive()
    }
}
