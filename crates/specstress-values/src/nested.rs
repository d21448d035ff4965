use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::draft::{self, Draft};
use crate::{Taxonomy, Value, ValuesError};

/// The hand-written form: a list of trees.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    values: Vec<Node>,
}

/// A value and what is below it.
struct Node {
    name: String,
    description: Option<String>,
    percent: Option<f64>,
    frequency: Option<f64>,
    children: Vec<Node>,
}

impl Document {
    /// Levels follow from depth: the deepest entries are leaves.
    pub(crate) fn into_taxonomy(self, file: &str) -> Result<Taxonomy, ValuesError> {
        let mut drafts = Vec::new();
        let mut depths = Vec::new();
        let too_deep = push_all(self.values, &mut drafts, &mut depths);
        if let Some(index) = too_deep {
            return Err(ValuesError::TooDeep {
                place: draft::place(file, &drafts, index),
                name: drafts[index].name.clone(),
            });
        }
        let deepest = depths.iter().copied().max().unwrap_or(0);
        for (draft, depth) in drafts.iter_mut().zip(depths) {
            draft.level = deepest - depth;
        }
        draft::assemble(file, drafts)
    }

    pub(crate) fn from_taxonomy(taxonomy: &Taxonomy) -> Self {
        let top = taxonomy.at_level(taxonomy.top_level());
        Self {
            values: top.map(|value| node(taxonomy, value)).collect(),
        }
    }
}

fn node(taxonomy: &Taxonomy, value: &Value) -> Node {
    Node {
        name: value.name.clone(),
        description: value.description.clone(),
        percent: value.percent,
        frequency: value.frequency,
        children: taxonomy
            .children(value.id)
            .map(|child| node(taxonomy, child))
            .collect(),
    }
}

const MAX_DEPTH: u8 = 4;

/// Lists the trees parents first, with a stack of our own. Returns the first entry that is too deep.
fn push_all(roots: Vec<Node>, drafts: &mut Vec<Draft>, depths: &mut Vec<u8>) -> Option<usize> {
    let mut open: Vec<(Node, Option<usize>, u8)> = roots
        .into_iter()
        .rev()
        .map(|node| (node, None, 0))
        .collect();
    while let Some((node, parent, depth)) = open.pop() {
        let index = drafts.len();
        drafts.push(Draft {
            line: None,
            name: node.name.trim().to_owned(),
            description: node
                .description
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty()),
            level: 0,
            parent,
            percent: node.percent,
            frequency: node.frequency,
        });
        if depth == MAX_DEPTH {
            return Some(index);
        }
        depths.push(depth);
        let children = node.children.into_iter().rev();
        open.extend(children.map(|child| (child, Some(index), depth + 1)));
    }
    None
}

/// The table form of a [`Node`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeTable {
    name: String,
    description: Option<String>,
    percent: Option<f64>,
    frequency: Option<f64>,
    #[serde(default)]
    children: Vec<Node>,
}

impl<'de> Deserialize<'de> for Node {
    /// A plain string is a leaf with that name. Written out because an untagged enum would hide which field is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a value, or a table with its name and children")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Node, E> {
                Ok(Node {
                    name: name.to_owned(),
                    description: None,
                    percent: None,
                    frequency: None,
                    children: Vec::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
                let table = NodeTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Node {
                    name: table.name,
                    description: table.description,
                    percent: table.percent,
                    frequency: table.frequency,
                    children: table.children,
                })
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

impl Serialize for Node {
    /// A leaf that has only a name is written as a plain string.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let only_name = self.description.is_none()
            && self.percent.is_none()
            && self.frequency.is_none()
            && self.children.is_empty();
        if only_name {
            return serializer.serialize_str(&self.name);
        }
        let mut table = serializer.serialize_struct("Node", 5)?;
        table.serialize_field("name", &self.name)?;
        if let Some(description) = &self.description {
            table.serialize_field("description", description)?;
        }
        if let Some(percent) = &self.percent {
            table.serialize_field("percent", percent)?;
        }
        if let Some(frequency) = &self.frequency {
            table.serialize_field("frequency", frequency)?;
        }
        if !self.children.is_empty() {
            table.serialize_field("children", &self.children)?;
        }
        table.end()
    }
}
