//! Where questions were lost, in words for every form of the report.

use crate::data::{Rate, SpaceRow, ValueSpace};
use crate::render::format::{NONE, fraction, percent, thousands};
use crate::render::ready::ReadyTable;

/// What a reader must know before the tables.
pub(crate) const NOTE: &str = "Where questions were lost. What generators refuse is not missing at random: the study \
    is about what is left. A question counts for the category of each of its two values.";

/// Every table, those without rows left out.
pub(crate) fn tables(space: &ValueSpace) -> Vec<ReadyTable> {
    let rows = |title: &str, group: &str, rows: &[SpaceRow]| ReadyTable {
        title: title.to_owned(),
        head: ReadyTable::head(&[
            group,
            "asked for",
            "written",
            "refused",
            "unparsable",
            "failed",
            "not run",
            "too near others",
            "left",
            "selected",
        ]),
        rows: rows.iter().map(row).collect(),
    };
    let mut by_topic = ReadyTable {
        title: "Questions by topic and generator".to_owned(),
        head: ReadyTable::head(&["topic"]),
        rows: Vec::new(),
    };
    if let Some(first) = space.by_topic.first() {
        let generators = first.by_generator.iter();
        by_topic.head.extend(generators.map(|of| of.group.clone()));
    }
    for topic in &space.by_topic {
        let rates = topic.by_generator.iter();
        let cells = rates.map(|of| format!("{} ({})", percent(of.rate.share), fraction(&of.rate)));
        by_topic
            .rows
            .push(std::iter::once(topic.topic.clone()).chain(cells).collect());
    }
    let all = [
        rows(
            "Questions by value category",
            "category",
            &space.by_category,
        ),
        rows("Questions by generator", "generator", &space.by_generator),
        by_topic,
    ];
    all.into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn row(row: &SpaceRow) -> Vec<String> {
    let share = |rate: &Rate| format!("{} ({})", thousands(rate.count), percent(rate.share));
    let known = |rate: &Option<Rate>| rate.as_ref().map_or_else(|| NONE.to_owned(), share);
    let near = row.diverse.map_or_else(
        || NONE.to_owned(),
        |left| thousands(left.of.saturating_sub(left.count)),
    );
    vec![
        row.group.clone(),
        thousands(row.sampled),
        share(&row.generated),
        thousands(row.refused),
        thousands(row.unparsable),
        thousands(row.failed),
        thousands(row.not_run),
        near,
        known(&row.diverse),
        known(&row.selected),
    ]
}
