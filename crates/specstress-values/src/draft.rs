use std::collections::HashMap;

use crate::{Place, Taxonomy, Value, ValueId, ValuesError};

/// A value on its way into a taxonomy: parents resolved, nothing else checked.
///
/// Both kinds of file, rows and nested entries, meet here, so that one set of rules holds for both.
pub(crate) struct Draft {
    /// Known for rows; nested entries are placed by their names.
    pub(crate) line: Option<u64>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) level: u8,
    pub(crate) parent: Option<usize>,
    pub(crate) percent: Option<f64>,
    pub(crate) frequency: Option<f64>,
}

/// Checks what [`Taxonomy`] promises and reports the first value, in file order, that breaks a rule; the rules are
/// tried one after the other. The caller guarantees that parents are in range and not circular, and levels at most 3.
pub(crate) fn assemble(file: &str, drafts: Vec<Draft>) -> Result<Taxonomy, ValuesError> {
    check_each(file, &drafts)?;
    check_leaves(file, &drafts)?;
    check_levels(file, &drafts)?;
    let values = drafts
        .into_iter()
        .enumerate()
        .map(|(index, draft)| Value {
            id: ValueId(index),
            name: draft.name,
            description: draft.description,
            level: draft.level,
            parent: draft.parent.map(ValueId),
            percent: draft.percent,
            frequency: draft.frequency,
        })
        .collect();
    Ok(Taxonomy::from_checked(values))
}

fn check_each(file: &str, drafts: &[Draft]) -> Result<(), ValuesError> {
    for (index, draft) in drafts.iter().enumerate() {
        if draft.name.is_empty() {
            return Err(ValuesError::Empty {
                place: place(file, drafts, index),
                column: "name",
            });
        }
        for (column, share) in [("percent", draft.percent), ("frequency", draft.frequency)] {
            if let Some(share) = share
                && !is_percentage(share)
            {
                return Err(ValuesError::BadPercentage {
                    place: place(file, drafts, index),
                    column,
                    found: share.to_string(),
                });
            }
        }
    }
    Ok(())
}

fn check_leaves(file: &str, drafts: &[Draft]) -> Result<(), ValuesError> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(drafts.len());
    for (index, draft) in drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.level == 0)
    {
        if let Some(first) = seen.insert(&draft.name, index) {
            return Err(ValuesError::DuplicateLeaf {
                place: place(file, drafts, index),
                name: draft.name.clone(),
                first: Box::new(place(file, drafts, first)),
            });
        }
    }
    if seen.is_empty() {
        return Err(ValuesError::NoLeaves {
            file: file.to_owned(),
        });
    }
    Ok(())
}

fn check_levels(file: &str, drafts: &[Draft]) -> Result<(), ValuesError> {
    let top = drafts.iter().map(|draft| draft.level).max().unwrap_or(0);
    let mut has_child = vec![false; drafts.len()];
    for (index, draft) in drafts.iter().enumerate() {
        let (name, level) = (draft.name.clone(), draft.level);
        match draft.parent {
            Some(parent) if drafts[parent].level != level + 1 => {
                return Err(ValuesError::LevelJump {
                    place: place(file, drafts, index),
                    name,
                    level,
                    parent: drafts[parent].name.clone(),
                    parent_level: drafts[parent].level,
                });
            }
            Some(parent) => has_child[parent] = true,
            None if level != top => {
                return Err(ValuesError::MissingParent {
                    place: place(file, drafts, index),
                    name,
                    level,
                    top,
                });
            }
            None => {}
        }
    }
    for (index, draft) in drafts.iter().enumerate() {
        if draft.level > 0 && !has_child[index] {
            return Err(ValuesError::NoChildren {
                place: place(file, drafts, index),
                name: draft.name.clone(),
                level: draft.level,
            });
        }
    }
    Ok(())
}

pub(crate) fn is_percentage(share: f64) -> bool {
    // False for NaN as well.
    (0.0..=100.0).contains(&share)
}

/// Where the draft stands: its line, or the names from the top down to it.
pub(crate) fn place(file: &str, drafts: &[Draft], index: usize) -> Place {
    if drafts[index].line.is_some() {
        return Place::line_of(file, drafts[index].line);
    }
    let mut names: Vec<&str> = std::iter::successors(Some(index), |&at| drafts[at].parent)
        .map(|at| drafts[at].name.as_str())
        .map(|name| if name.is_empty() { "\"\"" } else { name })
        .collect();
    names.reverse();
    Place::Entry {
        file: file.to_owned(),
        entry: names.join(" > "),
    }
}
