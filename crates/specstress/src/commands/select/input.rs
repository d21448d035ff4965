//! Points and weights from files.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use specstress_dataset::{DatasetError, VectorBlocks, read_numbers};
use specstress_kcenter::{KCenterError, NpyPoints, PointSource, read_npy_weights};

use crate::exit::UsageExt;
use crate::out_file::OutFile;

/// Embeddings on disk.
#[derive(Debug)]
pub(super) struct Points {
    pub(super) file: NpyPoints,
    /// A copy that goes away with this.
    _copy: Option<Copy>,
}

#[derive(Debug)]
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        // It stands in the user's folder; there is nobody to tell when it cannot be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Points {
    /// Opens a `.npy`. A Parquet file, whose rows cannot be read one by one, is first copied to one beside `out`,
    /// block by block.
    pub(super) fn open(path: &Path, column: Option<&str>, out: &Path) -> anyhow::Result<Self> {
        match ending(path).as_deref() {
            Some("npy") if column.is_some() => Err(anyhow!(
                "--column is for Parquet files; {} has no columns",
                path.display()
            ))
            .usage(),
            Some("npy") => Ok(Self {
                file: NpyPoints::open(path).usage()?,
                _copy: None,
            }),
            Some("parquet") => {
                let copy = copied(path, column, out)?;
                let file = NpyPoints::open(&copy.0)?;
                Ok(Self {
                    file,
                    _copy: Some(copy),
                })
            }
            _ => Err(anyhow!(
                "{}: unknown format; give embeddings as .npy or .parquet",
                path.display()
            ))
            .usage(),
        }
    }
}

fn copied(path: &Path, column: Option<&str>, out: &Path) -> anyhow::Result<Copy> {
    let mut blocks = by_user(VectorBlocks::open(path, column))?;
    let (rows, dimensions) = (blocks.rows(), blocks.dimensions());
    if rows == 0 || dimensions == 0 {
        let column = blocks.column();
        return Err(anyhow!(
            "{}: column `{column}` holds {rows} vectors of {dimensions} numbers; give at least one of each",
            path.display()
        ))
        .usage();
    }
    let name = format!(".specstress-select.{}.npy", std::process::id());
    let copy = Copy(out.with_file_name(name));
    let mut file = OutFile::create(&copy.0)?;
    file.write_all(&npy_header("<f4", &format!("({rows}, {dimensions})")))?;
    while let Some(block) = by_user(blocks.next_block())? {
        let bytes: Vec<u8> = block.iter().flat_map(|x| x.to_le_bytes()).collect();
        file.write_all(&bytes)?;
    }
    file.finish()?;
    Ok(copy)
}

/// The start of a `.npy` file, a multiple of 64 bytes.
pub(super) fn npy_header(descr: &str, shape: &str) -> Vec<u8> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend_from_slice(format!("{dictionary:<117}\n").as_bytes());
    bytes
}

/// What is wrong with a file is the user's to mend, what the system refuses is not.
fn by_user<T>(result: Result<T, DatasetError>) -> anyhow::Result<T> {
    match result {
        Err(error @ DatasetError::Io { .. }) => Err(error.into()),
        other => other.usage(),
    }
}

/// Weights from `FILE[:COLUMN]`, checked against the points.
pub(super) fn weights(argument: &str, points: usize) -> anyhow::Result<Vec<f64>> {
    let (path, column) = match argument.rsplit_once(':') {
        // A file whose own name has a colon wins.
        Some((path, column)) if !Path::new(argument).exists() && !column.is_empty() => {
            (Path::new(path), Some(column))
        }
        _ => (Path::new(argument), None),
    };
    let weights = if ending(path).as_deref() == Some("npy") {
        if column.is_some() {
            return Err(anyhow!(
                "{} has no columns; leave the name out",
                path.display()
            ))
            .usage();
        }
        read_npy_weights(path).usage()?
    } else {
        by_user(read_numbers(path, column.unwrap_or("weight")))?
    };
    if weights.len() != points {
        let weights = weights.len();
        return Err(KCenterError::WeightCount { weights, points }).usage();
    }
    let bad = weights.iter().position(|w| !(0.0..=1e200).contains(w));
    match bad {
        Some(row) => {
            let value = weights[row];
            Err(KCenterError::Weight { row, value }).usage()
        }
        None => Ok(weights),
    }
}

/// The ending of a file name, in lower case.
pub(super) fn ending(path: &Path) -> Option<String> {
    path.extension()
        .map(|end| end.to_string_lossy().to_lowercase())
}

/// Some of the points, as points of their own.
#[derive(Debug)]
pub(super) struct Subset<'a> {
    pub(super) points: &'a NpyPoints,
    pub(super) rows: Vec<usize>,
}

impl PointSource for Subset<'_> {
    fn point_count(&self) -> usize {
        self.rows.len()
    }

    fn dimensions(&self) -> usize {
        self.points.dimensions()
    }

    fn read_row<'a>(
        &'a self,
        row: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], KCenterError> {
        self.points.read_row(self.rows[row], buffer)
    }
}
