use std::collections::HashMap;
use std::io::Read;

use crate::draft::{self, Draft};
use crate::table::Table;
use crate::{Place, Taxonomy, ValuesError, suggest};

const TREE_COLUMNS: [&str; 6] = [
    "cluster_id",
    "name",
    "level",
    "parent_cluster_id",
    "description",
    "pct_total_occurrences",
];
const FREQUENCY_COLUMNS: [&str; 2] = ["value", "pct_convos"];

/// A reader and what to call it in messages.
pub(crate) struct Named<'a, R> {
    pub(crate) file: &'a str,
    pub(crate) reader: R,
}

/// A row of the tree file, its parent still an id.
struct Node {
    id: String,
    parent: Option<String>,
    draft: Draft,
}

pub(crate) fn read<T: Read, F: Read>(
    tree: Named<'_, T>,
    frequencies: Option<Named<'_, F>>,
) -> Result<Taxonomy, ValuesError> {
    let file = tree.file;
    let mut drafts = resolve(file, read_nodes(tree)?)?;
    if let Some(frequencies) = frequencies {
        add_frequencies(frequencies, &mut drafts)?;
    }
    draft::assemble(file, drafts)
}

fn read_nodes<R: Read>(tree: Named<'_, R>) -> Result<Vec<Node>, ValuesError> {
    let (mut table, [id, name, level, parent, description, percent]) =
        Table::open(tree.file, tree.reader, TREE_COLUMNS)?;
    let mut nodes = Vec::new();
    while let Some(row) = table.next_row()? {
        let level_text = row.text(level);
        let level = match level_text {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            "3" => 3,
            _ => {
                return Err(ValuesError::BadLevel {
                    place: row.place(),
                    found: level_text.to_owned(),
                });
            }
        };
        nodes.push(Node {
            id: row.required(id)?.to_owned(),
            parent: row.optional(parent).map(str::to_owned),
            draft: Draft {
                line: row.line(),
                name: row.required(name)?.to_owned(),
                description: row.optional(description).map(str::to_owned),
                level,
                parent: None,
                percent: row.percentage(percent)?,
                frequency: None,
            },
        });
    }
    Ok(nodes)
}

/// Turns parent ids into positions.
fn resolve(file: &str, nodes: Vec<Node>) -> Result<Vec<Draft>, ValuesError> {
    let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        if let Some(first) = by_id.insert(&node.id, index) {
            return Err(ValuesError::DuplicateId {
                place: Place::line_of(file, node.draft.line),
                id: node.id.clone(),
                first: Box::new(Place::line_of(file, nodes[first].draft.line)),
            });
        }
    }
    let mut parents = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let parent = match &node.parent {
            None => None,
            Some(id) => {
                Some(
                    *by_id
                        .get(id.as_str())
                        .ok_or_else(|| ValuesError::DanglingParent {
                            place: Place::line_of(file, node.draft.line),
                            name: node.draft.name.clone(),
                            parent: id.clone(),
                        })?,
                )
            }
        };
        parents.push(parent);
    }
    let mut drafts: Vec<Draft> = nodes.into_iter().map(|node| node.draft).collect();
    for (draft, parent) in drafts.iter_mut().zip(parents) {
        draft.parent = parent;
    }
    if let Some(circle) = first_circle(&drafts) {
        let name = |index: usize| drafts[index].name.as_str();
        let mut path: Vec<&str> = circle.iter().map(|&index| name(index)).collect();
        path.push(name(circle[0]));
        return Err(ValuesError::Cycle {
            place: Place::line_of(file, drafts[circle[0]].line),
            name: name(circle[0]).to_owned(),
            path: path.join(" > "),
        });
    }
    Ok(drafts)
}

/// The circle of parents that holds the earliest row, from that row on upwards.
fn first_circle(drafts: &[Draft]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnPath,
        Done,
    }
    let mut state = vec![State::New; drafts.len()];
    let mut earliest: Option<Vec<usize>> = None;
    for start in 0..drafts.len() {
        let mut path = Vec::new();
        let mut next = Some(start);
        while let Some(at) = next
            && state[at] == State::New
        {
            state[at] = State::OnPath;
            path.push(at);
            next = drafts[at].parent;
        }
        if let Some(at) = next
            && state[at] == State::OnPath
        {
            let mut circle: Vec<usize> = path.iter().copied().skip_while(|&on| on != at).collect();
            let first = circle.iter().enumerate().min_by_key(|(_, row)| **row);
            let first = first.map_or(0, |(position, _)| position);
            circle.rotate_left(first);
            if earliest.as_ref().is_none_or(|known| circle[0] < known[0]) {
                earliest = Some(circle);
            }
        }
        for at in path {
            state[at] = State::Done;
        }
    }
    earliest
}

fn add_frequencies<R: Read>(
    frequencies: Named<'_, R>,
    drafts: &mut [Draft],
) -> Result<(), ValuesError> {
    let file = frequencies.file;
    let (mut table, [value, percent]) = Table::open(file, frequencies.reader, FREQUENCY_COLUMNS)?;
    let leaves: HashMap<String, usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.level == 0)
        .map(|(index, draft)| (draft.name.clone(), index))
        .collect();
    let mut first_line: HashMap<usize, Option<u64>> = HashMap::with_capacity(leaves.len());
    while let Some(row) = table.next_row()? {
        let name = row.required(value)?;
        let Some(&leaf) = leaves.get(name) else {
            let names = drafts.iter().filter(|draft| draft.level == 0);
            let closest = suggest::closest(name, names.map(|draft| draft.name.as_str()));
            return Err(ValuesError::UnknownFrequency {
                place: row.place(),
                name: name.to_owned(),
                suggestion: closest.map(str::to_owned),
            });
        };
        if let Some(first) = first_line.insert(leaf, row.line()) {
            return Err(ValuesError::DuplicateFrequency {
                place: row.place(),
                name: name.to_owned(),
                first: Box::new(Place::line_of(file, first)),
            });
        }
        drafts[leaf].frequency = row.percentage(percent)?;
    }
    Ok(())
}
