//! The `judge_evaluations` config: a file per bin of disagreement.

use std::path::Path;

use specstress_dataset::published::EvaluationWriter;
use specstress_stats::Bins;

use super::{Split, path};
use crate::run_rows::{RunRows, UNBINNED};

const CONFIG: &str = "judge_evaluations";

/// Writes all bins in one pass; none where the study has no judges. Answers without a disagreement get a file of their
/// own where there are any.
pub(super) fn write(run: &RunRows, dir: &Path) -> anyhow::Result<Vec<Split>> {
    let judges = &run.manifest.judges;
    if judges.is_empty() {
        return Ok(Vec::new());
    }
    let bins = Bins::default();
    let names: Vec<String> = (0..bins.count()).filter_map(|bin| bins.name(bin)).collect();
    let mut files = names
        .iter()
        .map(|name| start(dir, name, judges))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut outside: Option<(Split, EvaluationWriter)> = None;
    for row in run.evaluations(true)? {
        let row = row?;
        let own = names
            .iter()
            .position(|name| row.bin_name.as_ref() == Some(name));
        let (split, writer) = match own {
            Some(bin) => &mut files[bin],
            None => match &mut outside {
                Some(outside) => outside,
                none => none.insert(start(dir, UNBINNED, judges)?),
            },
        };
        writer.write(&row)?;
        split.rows += 1;
    }
    let mut splits = Vec::new();
    for (split, writer) in files.into_iter().chain(outside) {
        writer.finish()?;
        splits.push(split);
    }
    Ok(splits)
}

fn start(dir: &Path, name: &str, judges: &[String]) -> anyhow::Result<(Split, EvaluationWriter)> {
    let writer = EvaluationWriter::create(path(dir, CONFIG, name)?, judges)?;
    let split = Split {
        config: CONFIG,
        name: name.to_owned(),
        file: format!("{CONFIG}/{name}.parquet"),
        rows: 0,
    };
    Ok((split, writer))
}
