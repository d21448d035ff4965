//! Sections of tables whose cells are ready.

use crate::data::{PeopleLabels, ValueSpace};
use crate::render::markdown::writer::{Writer, inline};
use crate::render::ready::ReadyTable;
use crate::render::{people, space};

pub(crate) fn space(writer: &mut Writer, found: &ValueSpace) {
    writer.heading(2, "Coverage of the value space");
    writer.paragraph(&inline(space::NOTE));
    ready(writer, &space::tables(found));
}

pub(crate) fn people(writer: &mut Writer, labels: &PeopleLabels) {
    writer.heading(2, "People");
    writer.paragraph(&inline(&people::summary(labels)));
    ready(writer, &people::tables(labels));
}

/// Tables of ready cells, each under its title.
fn ready(writer: &mut Writer, tables: &[ReadyTable]) {
    let line =
        |cells: &[String]| -> Vec<String> { cells.iter().map(|cell| inline(cell)).collect() };
    for table in tables {
        writer.heading(3, &inline(&table.title));
        let rows: Vec<Vec<String>> = table.rows.iter().map(|row| line(row)).collect();
        writer.wide_table(&line(&table.head), &rows);
    }
}
