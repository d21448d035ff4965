//! What was selected, for people and for files.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use specstress_dataset::{Column, ColumnType, ParquetSink, Sink, Table};

use super::input::{ending, npy_header};
use crate::exit::UsageExt;
use crate::out_file::{self, OutFile};

/// What the command has done.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) embeddings: String,
    pub(super) rows: usize,
    pub(super) dimensions: usize,
    pub(super) method: &'static str,
    pub(super) metric: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) kept: usize,
    pub(super) out: String,
}

/// One selection.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) weighted: bool,
    /// Points it chose among, and how many it kept.
    pub(super) of: usize,
    pub(super) kept: usize,
    /// The (weighted) distance asked for, if any.
    pub(super) asked: Option<f64>,
    /// The (weighted) distance within which every point has a kept one: exact where the method keeps track or the
    /// result was verified, else at most that.
    pub(super) radius: f64,
    pub(super) radius_is_exact: bool,
    /// The distance that any two kept points exceed, where the method sees to it.
    pub(super) separation: Option<f64>,
    /// Whether cover and separation were checked.
    pub(super) verified: bool,
    pub(super) seconds: f64,
}

impl Summary {
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}: {} points x {} dimensions, {}, {}\n",
            self.embeddings, self.rows, self.dimensions, self.method, self.metric
        );
        for step in &self.steps {
            let what = if step.weighted {
                "weighted"
            } else {
                "unweighted"
            };
            let share = 100.0 * step.kept as f64 / step.of as f64;
            let _ = write!(
                text,
                "{what}: kept {} of {} ({share:.1} %)",
                step.kept, step.of
            );
            let at_most = if step.radius_is_exact { "" } else { "at most " };
            let _ = write!(text, "; radius {at_most}{}", step.radius);
            if let Some(separation) = step.separation {
                let _ = write!(text, "; separation above {separation}");
            }
            let _ = writeln!(text, "; {:.2} s", step.seconds);
            if step.verified {
                let _ = writeln!(text, "verified: every point is within {}", step.radius);
                if let Some(separation) = step.separation {
                    let _ = writeln!(text, "verified: no two kept points are within {separation}");
                }
            }
        }
        let _ = writeln!(text, "Wrote {}", self.out);
        text
    }
}

/// A kept point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptRow {
    /// Order of picking, from 0.
    pub(super) rank: u32,
    /// Row of the embeddings, from 0.
    pub(super) row: u64,
    /// Its weight, if there are weights.
    pub(super) weight: Option<f64>,
    /// The (weighted) radius once it was picked, where the method keeps track.
    pub(super) radius: Option<f64>,
}

impl Table for KeptRow {
    const NAME: &'static str = "kept";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("rank", ColumnType::UInt32),
        Column::required("row", ColumnType::UInt64),
        Column::optional("weight", ColumnType::Float64),
        Column::optional("radius", ColumnType::Float64),
    ];
}

/// The forms a result is written in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Json,
    Parquet,
    Npy,
}

impl Form {
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match ending(path).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("parquet") => Ok(Self::Parquet),
            Some("npy") => Ok(Self::Npy),
            _ => Err(anyhow!(
                "{}: unknown format; use a name that ends in .json, .parquet or .npy",
                path.display()
            ))
            .usage(),
        }
    }

    pub(super) fn write(
        self,
        path: &Path,
        summary: &Summary,
        kept: &[KeptRow],
    ) -> anyhow::Result<()> {
        match self {
            Self::Json => {
                #[derive(Serialize)]
                struct Whole<'a> {
                    #[serde(flatten)]
                    summary: &'a Summary,
                    picks: &'a [KeptRow],
                }
                let whole = Whole {
                    summary,
                    picks: kept,
                };
                out_file::write(path, &(serde_json::to_string_pretty(&whole)? + "\n"))
            }
            Self::Parquet => {
                let mut sink = Box::new(ParquetSink::create(path)?);
                sink.write(kept)?;
                sink.finish()?;
                Ok(())
            }
            Self::Npy => {
                let mut file = OutFile::create(path)?;
                file.write_all(&npy_header("<i8", &format!("({},)", kept.len())))?;
                for pick in kept {
                    file.write_all(&pick.row.to_le_bytes())?;
                }
                file.finish()
            }
        }
    }
}
