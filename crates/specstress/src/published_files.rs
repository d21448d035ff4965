//! Files in the published layouts: where they are, and their rows as one table.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use specstress_dataset::DatasetError;
use specstress_dataset::Format;
use specstress_dataset::published::{
    PublishedRow, ReadOptions, column_names, is_evaluations, read_published,
};

use crate::exit::UsageExt;

/// The files that were named, by what they hold.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Rows of the `default` or `complete` config.
    pub(crate) rows: Vec<PathBuf>,
    /// The splits of the `default` config, where files or folders are named after them.
    pub(crate) splits: Vec<PathBuf>,
    /// Judged answers.
    pub(crate) evaluations: Vec<PathBuf>,
    /// The `subsets.json` of a folder that `specstress export` wrote.
    pub(crate) subsets: Option<PathBuf>,
}

impl Found {
    /// Takes files, folders of files, folders with one folder per config, and patterns with `*` and `?` in the name.
    ///
    /// Of a folder with configs the rows are those of `complete`, which has all; without it, those of the split
    /// `all_models`, and without that of all splits.
    pub(crate) fn at(named: &[PathBuf]) -> anyhow::Result<Self> {
        let mut found = Self::default();
        for path in named {
            if path.is_dir() {
                found.folder(path)?;
            } else if !path.exists() && has_pattern(path) {
                let matching = matching(path)?;
                found.files(matching)?;
            } else {
                found.files(vec![path.clone()])?;
            }
        }
        Ok(found)
    }

    fn folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        let [complete, default, judged] =
            ["complete", "default", "judge_evaluations"].map(|config| folder.join(config));
        if ![&complete, &default, &judged]
            .iter()
            .any(|dir| dir.is_dir())
        {
            let files = data_files(folder)?;
            if files.is_empty() {
                return Err(anyhow!(
                    "{} is no run and holds no .parquet, .csv or .jsonl file",
                    folder.display()
                ))
                .usage();
            }
            return self.files(files);
        }
        let subsets = folder.join("subsets.json");
        if subsets.is_file() {
            self.subsets = Some(subsets);
        }
        let splits = data_files(&default)?;
        let whole = data_files(&complete)?;
        if whole.is_empty() {
            let first = |file: &&PathBuf| split_name(file) == "all_models";
            let all: Vec<PathBuf> = splits.iter().filter(first).cloned().collect();
            self.rows
                .extend(if all.is_empty() { splits.clone() } else { all });
        }
        self.rows.extend(whole);
        self.splits.extend(splits);
        self.evaluations.extend(data_files(&judged)?);
        Ok(())
    }

    fn files(&mut self, files: Vec<PathBuf>) -> anyhow::Result<()> {
        for file in files {
            let published = specstress_dataset::published::PUBLISHED_SUBSETS;
            if published
                .iter()
                .any(|subset| subset.name == split_name(&file))
            {
                self.splits.push(file.clone());
            }
            if is_evaluations(&column_names(&file).usage()?) {
                self.evaluations.push(file);
            } else {
                self.rows.push(file);
            }
        }
        Ok(())
    }
}

/// Name of the split a file belongs to: what stands before the first `-` or the ending, as in
/// `all_models-00000-of-00006.parquet`.
pub(crate) fn split_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.split('-').next().unwrap_or_default().to_owned()
}

/// The data files of a folder by name; none where there is no folder.
fn data_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    let cannot = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden && Format::of(&path).is_ok() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn has_pattern(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(['*', '?'])
}

/// The files of a folder whose names fit a pattern.
fn matching(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let pattern = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let fits = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        fits(pattern.as_bytes(), name.as_bytes())
    };
    let files: Vec<PathBuf> = data_files(folder)?.into_iter().filter(fits).collect();
    if files.is_empty() {
        return Err(anyhow!(
            "no .parquet, .csv or .jsonl file fits {}",
            path.display()
        ))
        .usage();
    }
    Ok(files)
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for any byte.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            fits(rest, name)
                || name
                    .split_first()
                    .is_some_and(|(_, name)| fits(pattern, name))
        }
        (Some((b'?', pattern)), Some((_, name))) => fits(pattern, name),
        (Some((one, pattern)), Some((other, name))) => one == other && fits(pattern, name),
        _ => false,
    }
}

/// Reads files of the same models: `start` gets the models, once; `each` gets every row.
pub(crate) fn read_all<T>(
    files: &[PathBuf],
    options: &ReadOptions,
    start: impl FnOnce(&[String]) -> anyhow::Result<T>,
    mut each: impl FnMut(&mut T, &PublishedRow) -> anyhow::Result<()>,
) -> anyhow::Result<T> {
    let files = Found::at(files)?.rows;
    let first = files.first().context("no file was given").usage()?;
    let models = read_published(first, options).usage()?.models().to_vec();
    let mut state = start(&models)?;
    for file in &files {
        let rows = read_published(file, options).usage()?;
        if rows.models() != models {
            return Err(DatasetError::OtherModels {
                path: file.clone(),
                found: rows.models().to_vec(),
                expected: models,
            })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fit) in [
            ("*.parquet", "a-b.parquet", true),
            ("*.parquet", "a.parquet.csv", false),
            ("train-?????-*", "train-00001-of-00037", true),
            ("train-?????-*", "train-0001-of-00037", false),
            ("**a*", "bab", true),
            ("", "", true),
            ("?", "", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), fit, "{pattern}");
        }
        let split = |name: &str| split_name(Path::new(name));
        assert_eq!(split("x/all_models-00000-of-00006.parquet"), "all_models");
        assert_eq!(split("o3_vs_o4mini.csv"), "o3_vs_o4mini");
        assert_eq!(split("std_1.5_to_2.0.parquet"), "std_1.5_to_2.0");
    }
}
