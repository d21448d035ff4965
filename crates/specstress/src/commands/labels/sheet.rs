//! The sheet: one row per answer, first what people read, then what they fill in.

use serde::{Deserialize, Serialize};
use specstress_dataset::ColumnType::Text;
use specstress_dataset::{Column, Table};

/// One answer as people see it: nothing of who wrote it, how it was judged, or how the panel disagreed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SheetRow {
    pub(super) item: String,
    pub(super) question: String,
    pub(super) answer: String,
    pub(super) value1: String,
    /// The strategies, one per line with its position.
    pub(super) spectrum1: String,
    pub(super) value2: String,
    pub(super) spectrum2: String,
    pub(super) decision: Option<String>,
    pub(super) value1_position: Option<String>,
    pub(super) value2_position: Option<String>,
    pub(super) refusal_kind: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) rater: Option<String>,
}

impl Table for SheetRow {
    const NAME: &'static str = "label_sheet";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("item", Text),
        Column::required("question", Text),
        Column::required("answer", Text),
        Column::required("value1", Text),
        Column::required("spectrum1", Text),
        Column::required("value2", Text),
        Column::required("spectrum2", Text),
        Column::optional("decision", Text),
        Column::optional("value1_position", Text),
        Column::optional("value2_position", Text),
        Column::optional("refusal_kind", Text),
        Column::optional("notes", Text),
        Column::optional("rater", Text),
    ];
}

/// A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it.
pub(super) fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '"']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The strategies of a spectrum in one cell.
pub(super) fn spectrum(strategies: &[String]) -> String {
    let lines: Vec<String> = (0..)
        .zip(strategies)
        .map(|(position, strategy): (u8, _)| format!("{position}: {strategy}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", "\t=1", "\"quoted\""] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("a = b"), "a = b");
        assert_eq!(spectrum(&["x".into(), "y".into()]), "0: x\n1: y");
    }
}
