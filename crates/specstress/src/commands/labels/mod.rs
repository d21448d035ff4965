//! `specstress sample` and `specstress labels`: answers for people to label, and what their labels say.

mod draw;
mod form;
mod import;
mod sheet;
mod text;

use std::path::Path;

use anyhow::anyhow;
use specstress_dataset::TableDir;
use specstress_dataset::rows::{LabelSampleRow, ResponseRow};
use specstress_pipeline::{Manifest, RunDir};
use specstress_report::PeopleLabels;

use crate::cli::{LabelsArgs, LabelsCommand};
use crate::commands::report::manifest;
use crate::exit::UsageExt;
use crate::info::study_info;
use crate::output;

pub(crate) use draw::run as sample;

pub(crate) fn run(args: &LabelsArgs) -> anyhow::Result<()> {
    match &args.command {
        LabelsCommand::Import { sheets, run, rater } => {
            import::run(sheets, run, rater.as_deref(), &args.json)
        }
        LabelsCommand::Show { run } => {
            let people = people(&RunDir::tables_of(run), &manifest(run)?)?
                .ok_or_else(|| {
                    anyhow!(
                        "{} has no labels; `specstress labels import` reads them",
                        run.display()
                    )
                })
                .usage()?;
            output::give(&args.json, &people, || text::people(&people))
        }
    }
}

fn people(tables: &TableDir, manifest: &Manifest) -> anyhow::Result<Option<PeopleLabels>> {
    Ok(PeopleLabels::compute(
        tables,
        &study_info(manifest, &[], 0),
    )?)
}

/// The answers that were drawn, in the order of the sheet.
fn drawn(tables: &TableDir, run: &Path) -> anyhow::Result<Vec<LabelSampleRow>> {
    if !tables.exists::<LabelSampleRow>() {
        return Err(anyhow!(
            "no sheet was drawn from {}; `specstress sample --for-labels N` draws one",
            run.display()
        ))
        .usage();
    }
    Ok(tables.rows::<LabelSampleRow>()?.collect::<Result<_, _>>()?)
}

/// The responses that were drawn, each with its place in the sheet.
fn responses(
    tables: &TableDir,
    rows: &[LabelSampleRow],
) -> anyhow::Result<Vec<(usize, ResponseRow)>> {
    let places: std::collections::HashMap<_, usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            (
                (row.scenario_id.as_str(), row.model.as_str(), row.sample),
                at,
            )
        })
        .collect();
    let mut found = Vec::with_capacity(rows.len());
    for response in tables.rows::<ResponseRow>()? {
        let response = response?;
        let key = (
            response.scenario_id.as_str(),
            response.model.as_str(),
            response.sample,
        );
        if let Some(&at) = places.get(&key) {
            found.push((at, response));
        }
    }
    Ok(found)
}
