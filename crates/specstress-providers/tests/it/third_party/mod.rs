//! Against servers of others, on loopback. They run only where `SPECSTRESS_TEST_SERVERS=1` says that the
//! servers are up: Steady on ports 4151 to 4154 and aimock on 4120. What they find is the table in
//! `docs/providers.md`, and a table that says anything else fails them; `SPECSTRESS_BLESS=1` writes it anew.

mod aimock;
mod batches;
mod steady;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

fn servers_are_up(test: &str) -> bool {
    let up = std::env::var("SPECSTRESS_TEST_SERVERS").is_ok_and(|value| value == "1");
    if !up {
        eprintln!("skipped {test}: set SPECSTRESS_TEST_SERVERS=1 with the test servers running");
    }
    up
}

/// Cells of a Markdown table, padded to their columns.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).filter_map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = String>| {
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        text += &line(
            &mut row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}")),
        );
        if at == 0 {
            text += &line(&mut widths.iter().map(|width| "-".repeat(*width)));
        }
    }
    text
}

/// Compares a section of the documentation, between its two marks, with what was just found.
fn check_docs(section: &str, found: &str) {
    static DOCS: Mutex<()> = Mutex::new(());
    let _one_at_a_time = DOCS.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {section}: made by a test -->\n"),
        format!("<!-- end of {section} -->\n"),
    );
    let (before, rest) = text.split_once(&begin).unwrap();
    let (committed, after) = rest.split_once(&end).unwrap();
    if committed == found {
        return;
    }
    if std::env::var("SPECSTRESS_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, format!("{before}{begin}{found}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(
        committed, found,
        "docs/providers.md, {section}: not what was found; SPECSTRESS_BLESS=1 writes it anew"
    );
}
