//! Tables whose cells are ready to be shown, the same in Markdown and HTML.

use serde::Serialize;

/// A title, names of columns, rows. The first column is text, the others numbers. Nothing is escaped yet.
#[derive(Debug, Serialize)]
pub(crate) struct ReadyTable {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl ReadyTable {
    pub(crate) fn head(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }
}
