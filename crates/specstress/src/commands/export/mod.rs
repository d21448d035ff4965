//! `specstress export`: a run as a data set in the published layout.

mod card;
mod judged;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_dataset::published::{PublishedRow, PublishedWriter};

use crate::cli::ExportArgs;
use crate::exit::UsageExt;
use crate::grid::{Grid, count};
use crate::run_rows::RunRows;
use crate::{out_file, output};

/// Rows with all their answers that are held at a time to bring a split into the order of its ranks.
const HELD: usize = 4096;

/// A file of the data set.
#[derive(Debug, Serialize)]
pub(super) struct Split {
    pub(super) config: &'static str,
    pub(super) name: String,
    /// Within the data set.
    pub(super) file: String,
    pub(super) rows: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    dir: String,
    splits: Vec<Split>,
}

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let run = RunRows::open(&args.run)?;
    check_license(&args.license).usage()?;
    prepare(&args.dir)?;
    let mut splits = Vec::new();
    for (name, _) in run.subsets() {
        let file = path(&args.dir, "default", &name)?;
        splits.push(Split {
            config: "default",
            rows: write_split(&run, &name, &file)?,
            file: format!("default/{name}.parquet"),
            name,
        });
    }
    splits.push(Split {
        config: "complete",
        rows: write_complete(&run, &path(&args.dir, "complete", "train")?)?,
        file: "complete/train.parquet".to_owned(),
        name: "train".to_owned(),
    });
    splits.extend(judged::write(&run, &args.dir)?);
    let subsets = serde_json::to_string_pretty(&run.subsets()).context("cannot write JSON")?;
    out_file::write(&args.dir.join("subsets.json"), &(subsets + "\n"))?;
    let card = card::text(&run, &splits, &args.license);
    out_file::write(&args.dir.join("README.md"), &card)?;
    let report = Report {
        dir: args.dir.display().to_string(),
        splits,
    };
    output::give(&args.json, &report, || {
        let mut grid = Grid::new(&["file", "rows"]);
        for split in &report.splits {
            grid.row([split.file.clone(), count(split.rows)]);
        }
        format!("{}\nWrote {}/README.md\n", grid.text(), report.dir)
    })
}

/// An id goes into the head of the card, which is YAML.
fn check_license(id: &str) -> anyhow::Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
    if id.is_empty() || !id.chars().all(fits) {
        return Err(anyhow!(
            "--license {id:?} is no id of a licence; use one such as apache-2.0 or cc-by-4.0"
        ));
    }
    Ok(())
}

/// Makes the folder, or takes one that is empty: what is there is never mixed with what is written.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    let taken = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => dir.exists(),
    };
    if taken {
        return Err(anyhow!(
            "{} is there and not an empty folder; name a new one",
            dir.display()
        ))
        .usage();
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// The file of a split, whose folder is made.
pub(super) fn path(dir: &Path, config: &str, split: &str) -> anyhow::Result<PathBuf> {
    let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if split.is_empty() || split.starts_with('.') || !split.chars().all(is_name) {
        return Err(anyhow!(
            "the subset {split:?} cannot name a file; use letters, digits, `_`, `-` and `.` in the names of subsets"
        ))
        .usage();
    }
    let folder = dir.join(config);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder.join(format!("{split}.parquet")))
}

/// The questions that a subset selected, by rank. The run is read once for every few thousand of them.
fn write_split(run: &RunRows, name: &str, file: &Path) -> anyhow::Result<u64> {
    let kept = run.selection(name)?;
    let mut writer = PublishedWriter::create(file, &run.models)?;
    for part in kept.chunks(HELD) {
        let places: HashMap<&str, usize> = part
            .iter()
            .enumerate()
            .map(|(at, (_, id))| (id.as_str(), at))
            .collect();
        let mut held: Vec<Option<PublishedRow>> = vec![None; part.len()];
        for row in run.rows(true)? {
            let (id, mut row) = row?;
            if let Some(&at) = places.get(id.as_str()) {
                // The release counts from 1.
                row.rank = Some(i64::from(part[at].0) + 1);
                held[at] = Some(row);
            }
        }
        let found: Vec<PublishedRow> = held.into_iter().flatten().collect();
        if found.len() < part.len() {
            return Err(anyhow!(
                "the selection {name} holds questions that the run does not have; run the study again"
            ));
        }
        writer.write(&found)?;
    }
    Ok(writer.finish()?)
}

fn write_complete(run: &RunRows, file: &Path) -> anyhow::Result<u64> {
    let mut writer = PublishedWriter::create_complete(file, &run.models)?;
    for row in run.rows(true)? {
        writer.write(&[row?.1])?;
    }
    Ok(writer.finish()?)
}
