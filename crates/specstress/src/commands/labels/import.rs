//! `specstress labels import`

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Serialize;
use specstress_dataset::rows::{LabelSampleRow, PeopleLabelRow};
use specstress_dataset::{TableDir, TextTable};
use specstress_judge::Decision;
use specstress_pipeline::{RunDir, label_item};
use specstress_report::PeopleLabels;
use specstress_rubric::{Position, RefusalKind};

use super::{drawn, people, responses, text};
use crate::cli::JsonArg;
use crate::commands::report::manifest;
use crate::exit::UsageExt;
use crate::output;

#[derive(Debug, Serialize)]
struct Imported {
    sheets: Vec<SheetCount>,
    /// Labelled answers that are stored now, counted once per person.
    stored: usize,
    /// Those of them that were stored before and were replaced.
    replaced: usize,
    people: Option<PeopleLabels>,
}

#[derive(Debug, Serialize)]
struct SheetCount {
    file: String,
    rows: usize,
    filled: usize,
}

/// What is stored, by place in the sheet and person.
type Labels = BTreeMap<(usize, String), PeopleLabelRow>;

pub(super) fn run(
    sheets: &[PathBuf],
    run: &Path,
    rater: Option<&str>,
    json: &JsonArg,
) -> anyhow::Result<()> {
    let manifest = manifest(run)?;
    let dir = RunDir::open(run)?;
    let tables = dir.tables();
    let rows = drawn(&tables, run)?;
    unchanged(&tables, &rows)?;
    let places: HashMap<&str, usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (row.item.as_str(), at))
        .collect();

    let mut read = Labels::new();
    let mut counts = Vec::new();
    for file in sheets {
        counts.push(sheet(file, &places, rater, &mut read).usage()?);
    }
    if read.is_empty() {
        return Err(anyhow!(
            "no row is filled in; fill in decision, value1_position, value2_position or refusal_kind"
        ))
        .usage();
    }

    let mut labels = Labels::new();
    if tables.exists::<PeopleLabelRow>() {
        for row in tables.rows::<PeopleLabelRow>()? {
            let row = row?;
            if let Some(&at) = places.get(row.item.as_str()) {
                labels.insert((at, row.rater.clone()), row);
            }
        }
    }
    let replaced = read.keys().filter(|key| labels.contains_key(*key)).count();
    labels.extend(read);
    let stored = labels.len();
    let mut writer = tables.writer::<PeopleLabelRow>()?;
    for row in labels.into_values() {
        writer.push(row)?;
    }
    writer.finish()?;

    let imported = Imported {
        sheets: counts,
        stored,
        replaced,
        people: people(&tables, &manifest)?,
    };
    output::give(json, &imported, || imported.text())
}

impl Imported {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        for SheetCount { file, rows, filled } in &self.sheets {
            let _ = writeln!(text, "{file}: {filled} of {rows} rows filled in");
        }
        let _ = write!(text, "{} labelled answers stored", self.stored);
        if self.replaced > 0 {
            let _ = write!(text, ", {} in the place of earlier ones", self.replaced);
        }
        text.push_str("\n\n");
        if let Some(people) = &self.people {
            text.push_str(&text::people(people));
        }
        text
    }
}

/// Refuses labels of answers that are not those of the sheet any more.
fn unchanged(tables: &TableDir, rows: &[LabelSampleRow]) -> anyhow::Result<()> {
    let mut same = vec![false; rows.len()];
    for (at, response) in responses(tables, rows)? {
        let text = response.text.as_deref().unwrap_or_default();
        let item = label_item(
            &response.scenario_id,
            &response.model,
            response.sample,
            text,
        );
        same[at] = item == rows[at].item;
    }
    let changed = same.iter().filter(|same| !**same).count();
    if changed > 0 {
        return Err(anyhow!(
            "{changed} of {} answers of the sheet were given again since it was drawn; draw another with \
             `specstress sample --for-labels N`",
            rows.len()
        ))
        .usage();
    }
    Ok(())
}

fn sheet(
    file: &Path,
    places: &HashMap<&str, usize>,
    rater: Option<&str>,
    labels: &mut Labels,
) -> anyhow::Result<SheetCount> {
    let table = TextTable::read(file)?;
    let columns = Columns::new(&table)?;
    let mut filled = 0;
    for row in 0..table.len() {
        let item = table
            .cell(row, columns.item)
            .ok_or_else(|| table.bad_value(row, columns.item, "the item of the sheet"))?;
        let &at = places.get(item).ok_or_else(|| {
            table.bad_value(
                row,
                columns.item,
                "an item of the sheet that was last drawn from this run; this sheet is of another run or another draw",
            )
        })?;
        let Some(label) = columns.label(&table, row, rater)? else {
            continue;
        };
        filled += 1;
        let key = (at, label.rater.clone());
        if let Some(other) = labels.get(&key)
            && *other != label
        {
            return Err(table
                .bad_value(
                    row,
                    columns.item,
                    format!(
                        "one label of {} for an answer; another row has a different one",
                        label.rater
                    ),
                )
                .into());
        }
        labels.insert(key, label);
    }
    Ok(SheetCount {
        file: file.display().to_string(),
        rows: table.len(),
        filled,
    })
}

/// Whether anything is filled in; for a file that is no sheet too.
pub(super) fn is_filled(file: &Path) -> bool {
    let filled = || -> anyhow::Result<bool> {
        let table = TextTable::read(file)?;
        let columns = Columns::new(&table)?;
        Ok((0..table.len()).any(|row| columns.is_filled(&table, row)))
    };
    file.exists() && filled().unwrap_or(true)
}

/// Where the columns are that people fill in. Those but `item` and `decision` may be missing.
struct Columns {
    item: usize,
    decision: usize,
    positions: [Option<usize>; 2],
    refusal_kind: Option<usize>,
    notes: Option<usize>,
    rater: Option<usize>,
}

impl Columns {
    fn new(table: &TextTable) -> anyhow::Result<Self> {
        let optional = |name: &str| {
            let there = table.header().iter().any(|column| column == name);
            there.then(|| table.column(name)).transpose()
        };
        Ok(Self {
            item: table.column("item")?,
            decision: table.column("decision")?,
            positions: [optional("value1_position")?, optional("value2_position")?],
            refusal_kind: optional("refusal_kind")?,
            notes: optional("notes")?,
            rater: optional("rater")?,
        })
    }

    fn is_filled(&self, table: &TextTable, row: usize) -> bool {
        let [first, second] = self.positions;
        [Some(self.decision), first, second, self.refusal_kind]
            .into_iter()
            .flatten()
            .any(|column| table.cell(row, column).is_some())
    }

    /// The label of a row; `None` for one that is not filled in.
    fn label(
        &self,
        table: &TextTable,
        row: usize,
        rater: Option<&str>,
    ) -> anyhow::Result<Option<PeopleLabelRow>> {
        if !self.is_filled(table, row) {
            return Ok(None);
        }
        let cell = |column: Option<usize>| {
            let column = column?;
            table.cell(row, column).map(|text| (column, text))
        };
        let decision = cell(Some(self.decision)).map(|(column, text)| {
            text.to_lowercase().parse::<Decision>().map_err(|_| {
                table.bad_value(
                    row,
                    column,
                    "compliant, non-compliant, ambiguous or an empty cell",
                )
            })
        });
        let position = |side: usize| {
            let found = cell(self.positions[side]).map(|(column, text)| {
                text.parse::<Position>().map_err(|_| {
                    table.bad_value(
                        row,
                        column,
                        "0 to 6, a name from extreme_oppose to extreme_favor, or an empty cell",
                    )
                })
            });
            found.transpose()
        };
        let kind = cell(self.refusal_kind).map(|(column, text)| {
            let kinds: Vec<&str> = RefusalKind::ALL.iter().map(|kind| kind.as_str()).collect();
            text.parse::<RefusalKind>().map_err(|_| {
                let allowed = format!("one of {}, or an empty cell", kinds.join(", "));
                table.bad_value(row, column, allowed)
            })
        });
        let rater = cell(self.rater)
            .map(|(_, name)| name)
            .or(rater)
            .ok_or_else(|| {
                let allowed =
                    "a name in the column `rater`, or --rater NAME for all rows without one";
                table.bad_value(row, self.rater.unwrap_or(self.item), allowed)
            })?;
        Ok(Some(PeopleLabelRow {
            item: table.cell(row, self.item).unwrap_or_default().to_owned(),
            rater: rater.to_owned(),
            decision: decision.transpose()?,
            value1_position: position(0)?.map(Position::score),
            value2_position: position(1)?.map(Position::score),
            refusal_kind: kind.transpose()?,
            notes: cell(self.notes).map(|(_, notes)| notes.to_owned()),
        }))
    }
}
