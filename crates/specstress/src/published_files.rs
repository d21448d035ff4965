//! Files in the published layout, read one after the other as one table.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use specstress_dataset::published::{PublishedRow, ReadOptions, read_published};

use crate::exit::UsageExt;

/// Reads files of the same models: `start` gets the models, once; `each` gets every row.
pub(crate) fn read_all<T>(
    files: &[PathBuf],
    options: &ReadOptions,
    start: impl FnOnce(&[String]) -> anyhow::Result<T>,
    mut each: impl FnMut(&mut T, &PublishedRow) -> anyhow::Result<()>,
) -> anyhow::Result<T> {
    let first = files.first().context("no file was given").usage()?;
    let models = read_published(first, options).usage()?.models().to_vec();
    let mut state = start(&models)?;
    for file in files {
        let rows = read_published(file, options).usage()?;
        if rows.models() != models {
            return Err(anyhow!(
                "{} has the models {}, the files before it have {}; analyze them apart",
                file.display(),
                rows.models().join(", "),
                models.join(", ")
            ))
            .usage();
        }
        for row in rows {
            each(&mut state, &row.usage()?)?;
        }
    }
    Ok(state)
}

/// Place of a model; an error that names the nearest one where there is none.
pub(crate) fn model_place(models: &[String], key: &str, option: &str) -> anyhow::Result<usize> {
    models.iter().position(|model| model == key).ok_or_else(|| {
        let near = models
            .iter()
            .min_by_key(|model| strsim::damerau_levenshtein(key, model))
            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
        anyhow!("{option}: the file has no model {key}{near}")
    })
}
