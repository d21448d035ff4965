use std::collections::HashMap;

use specstress_values::Taxonomy;

use crate::draw::hash;
use crate::error::SimError;

/// Two categories make the first pair; with more than forty the generated spec outgrows its limit.
const FEWEST: usize = 2;
const MOST: usize = 40;

/// The longest value name, in words, that is looked for in running text.
const LONGEST_MENTION: usize = 5;

/// The categories and values of a taxonomy, as the simulation needs them.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) categories: Vec<CategoryInfo>,
    leaves: Vec<Leaf>,
    leaf_by_name: HashMap<String, usize>,
    category_by_name: HashMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct CategoryInfo {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// The leaves below, in file order.
    pub(crate) leaves: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) name: String,
    pub(crate) category: usize,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Leaf(usize),
    Category(usize),
}

impl Catalog {
    pub(crate) fn new(taxonomy: &Taxonomy) -> Result<Self, SimError> {
        // In a plain list every value is its own category.
        let level = taxonomy.category_level().unwrap_or(0);
        let mut by_id = HashMap::new();
        let mut categories = Vec::new();
        let mut category_by_name = HashMap::new();
        for value in taxonomy.at_level(level) {
            by_id.insert(value.id, categories.len());
            category_by_name
                .entry(value.name.to_lowercase())
                .or_insert(categories.len());
            categories.push(CategoryInfo {
                name: value.name.clone(),
                description: value.description.clone(),
                leaves: Vec::new(),
            });
        }
        if !(FEWEST..=MOST).contains(&categories.len()) {
            return Err(SimError::CategoryCount {
                found: categories.len(),
                level,
                low: FEWEST,
                high: MOST,
            });
        }
        let mut leaves = Vec::new();
        let mut leaf_by_name = HashMap::new();
        for value in taxonomy.leaves() {
            let category = taxonomy
                .ancestor_at(value.id, level)
                .and_then(|category| by_id.get(&category.id).copied());
            let Some(category) = category else { continue };
            categories[category].leaves.push(leaves.len());
            leaf_by_name
                .entry(value.name.to_lowercase())
                .or_insert(leaves.len());
            leaves.push(Leaf {
                name: value.name.clone(),
                category,
            });
        }
        Ok(Self {
            categories,
            leaves,
            leaf_by_name,
            category_by_name,
        })
    }

    pub(crate) fn leaf(&self, index: usize) -> &Leaf {
        &self.leaves[index]
    }

    pub(crate) fn leaf_count(&self) -> usize {
        self.leaves.len()
    }

    pub(crate) fn category_index(&self, name: &str) -> Option<usize> {
        self.category_by_name.get(&name.to_lowercase()).copied()
    }

    /// What a name stands for, in any letter case. A category shadows a value of the same name, which is
    /// normally one of its own.
    pub(crate) fn find(&self, name: &str) -> Option<Named> {
        let name = name.trim().to_lowercase();
        self.category_by_name
            .get(&name)
            .map(|&index| Named::Category(index))
            .or_else(|| {
                self.leaf_by_name
                    .get(&name)
                    .map(|&index| Named::Leaf(index))
            })
    }

    /// The category of a value or category name. A name the taxonomy does not hold gets one by its hash,
    /// so that foreign values can be played with too.
    pub(crate) fn category_of(&self, name: &str) -> usize {
        match self.find(name) {
            Some(Named::Category(index)) => index,
            Some(Named::Leaf(index)) => self.leaves[index].category,
            None => {
                let count = self.categories.len() as u64;
                let bucket = hash(0, &["unknown value", &name.trim().to_lowercase()]) % count;
                usize::try_from(bucket).unwrap_or(0)
            }
        }
    }

    /// The known names in a lowercase text of words, longest match first, from left to right.
    pub(crate) fn mentions(&self, words: &[String]) -> Vec<Named> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let longest = LONGEST_MENTION.min(words.len() - at);
            let hit = (1..=longest)
                .rev()
                .find_map(|length| Some((self.find(&words[at..at + length].join(" "))?, length)));
            if let Some((named, length)) = hit {
                found.push(named);
                at += length;
            } else {
                at += 1;
            }
        }
        found
    }
}
