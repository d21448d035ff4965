//! Where rows come from: files, or a run.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use specstress_dataset::published::{
    PUBLISHED_SUBSETS, PositionBlock, PositionFiles, ReadOptions, column_names, read_evaluations,
    read_published,
};
use specstress_dataset::{DatasetError, Format, parquet_rows};
use specstress_pipeline::RunDir;

use super::judged::Judged;
use crate::exit::UsageExt;
use crate::published_files::{Found, split_name};
use crate::run_rows::RunRows;

/// Rows of a block that is filled from a run.
const ROWS: usize = 8192;

pub(super) enum Source {
    Files {
        found: Found,
        /// `None` where there are judged answers only.
        positions: Option<PositionFiles>,
    },
    Run(Box<RunRows>),
}

/// Questions of one split of the `default` config.
pub(super) type Size = (String, u64);

impl Source {
    pub(super) fn open(named: &[PathBuf]) -> anyhow::Result<Self> {
        let is_run = |path: &&PathBuf| path.is_dir() && RunDir::manifest_path(path).exists();
        if let Some(run) = named.iter().find(is_run) {
            if named.len() > 1 {
                return Err(anyhow!("{} is a run; analyze it alone", run.display())).usage();
            }
            return Ok(Self::Run(Box::new(RunRows::open(run)?)));
        }
        let found = Found::at(named)?;
        let positions = if found.rows.is_empty() && !found.evaluations.is_empty() {
            None
        } else {
            Some(PositionFiles::open(&found.rows).usage()?)
        };
        Ok(Self::Files { found, positions })
    }

    /// Keys of the models with positions; `None` where there are judged answers only.
    pub(super) fn models(&self) -> Option<&[String]> {
        match self {
            Self::Files { positions, .. } => positions.as_ref().map(PositionFiles::models),
            Self::Run(run) => Some(&run.models),
        }
    }

    /// The subsets that the study names.
    pub(super) fn subsets(&self) -> anyhow::Result<Vec<(String, Vec<String>)>> {
        match self {
            Self::Run(run) => Ok(run.subsets()),
            Self::Files { found, .. } => {
                let Some(path) = &found.subsets else {
                    return Ok(Vec::new());
                };
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                serde_json::from_str(&text)
                    .with_context(|| {
                        format!(
                            "{} is no list of subsets, [[name, [model, ...]], ...]; export the run again",
                            path.display()
                        )
                    })
                    .usage()
            }
        }
    }

    /// All rows, block by block in their order; may be called again.
    pub(super) fn for_each(
        &self,
        mut each: impl FnMut(&PositionBlock) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Files { positions, .. } => {
                let threads = std::thread::available_parallelism().map_or(1, usize::from);
                let Some(positions) = positions else {
                    return Ok(());
                };
                let read = positions.for_each(threads, |block| each(block).map_err(Stopped));
                read.map_err(|Stopped(error)| error)
            }
            Self::Run(run) => {
                let mut block = PositionBlock::default();
                for row in run.rows(false)? {
                    block.push(&row?.1);
                    if block.len() == ROWS {
                        each(&block)?;
                        block = PositionBlock::default();
                    }
                }
                each(&block)
            }
        }
    }

    pub(super) fn judged(&self) -> anyhow::Result<Judged> {
        let mut judged = Judged::default();
        match self {
            Self::Run(run) => {
                for row in run.evaluations(false)? {
                    judged.add(row?, "");
                }
            }
            Self::Files { found, .. } => {
                for file in &found.evaluations {
                    let header = column_names(file).usage()?;
                    let named = ["chunk_idx", "entry_idx", "query_key"];
                    let named = named
                        .iter()
                        .all(|name| header.iter().any(|own| own == name));
                    let split = split_name(file);
                    // Without the three, a question is known by its text.
                    for row in read_evaluations(file, !named).usage()? {
                        judged.add(row.usage()?, &split);
                    }
                }
            }
        }
        Ok(judged)
    }

    /// Questions per split: those that the run selected, or those in files named after a split.
    pub(super) fn sizes(&self) -> anyhow::Result<Vec<Size>> {
        match self {
            Self::Run(run) => run
                .subsets()
                .into_iter()
                .map(|(name, _)| {
                    let kept = run.selection(&name)?.len() as u64;
                    Ok((name, kept))
                })
                .collect(),
            Self::Files { found, .. } => {
                let mut sizes: Vec<Size> = Vec::new();
                for file in &found.splits {
                    let (name, rows) = (split_name(file), rows_in(file)?);
                    match sizes.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, all)) => *all += rows,
                        None => sizes.push((name, rows)),
                    }
                }
                // In the order of the release, or of the study.
                let order: Vec<String> = match self.subsets()? {
                    own if !own.is_empty() => own.into_iter().map(|(name, _)| name).collect(),
                    _ => PUBLISHED_SUBSETS.map(|split| split.name.to_owned()).into(),
                };
                sizes.sort_by_key(|(name, _)| order.iter().position(|known| known == name));
                Ok(sizes)
            }
        }
    }
}

fn rows_in(file: &PathBuf) -> anyhow::Result<u64> {
    if Format::of(file).usage()? == Format::Parquet {
        return parquet_rows(file).usage();
    }
    let mut rows = 0;
    for row in read_published(file, &ReadOptions::without_texts()).usage()? {
        row.usage()?;
        rows += 1;
    }
    Ok(rows)
}

/// Why reading stopped: a file that is the user's to mend, or work that failed.
struct Stopped(anyhow::Error);

impl From<DatasetError> for Stopped {
    fn from(error: DatasetError) -> Self {
        Self(
            Err::<(), _>(error)
                .usage()
                .expect_err("it is made of an error"),
        )
    }
}
