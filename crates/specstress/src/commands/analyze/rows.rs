//! One JSON object per row, in the order of the input.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use specstress_dataset::published::PositionBlock;
use specstress_scenarios::Nudge;

use super::measures::Rules;
use crate::out_file::OutFile;

#[derive(Debug, Serialize)]
struct ScoredRow<'a> {
    chunk_index: Option<i64>,
    entry_idx: Option<i64>,
    nudge_direction: Option<&'static str>,
    subsets: BTreeMap<&'a str, Score>,
    outliers: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Score {
    disagreement: Option<f64>,
    high: bool,
}

pub(super) struct RowFile<'a> {
    file: OutFile,
    rules: &'a Rules,
}

impl<'a> RowFile<'a> {
    pub(super) fn create(path: &Path, rules: &'a Rules) -> anyhow::Result<Self> {
        Ok(Self {
            file: OutFile::create(path)?,
            rules,
        })
    }

    pub(super) fn write(&mut self, block: &PositionBlock) -> anyhow::Result<()> {
        let width = 2 * self.rules.models.len();
        for row in 0..block.len() {
            let positions = &block.positions[row * width..(row + 1) * width];
            let (found, apart) = self.rules.score(positions)?;
            let subsets = self.rules.subsets.iter().zip(&found);
            let scored = ScoredRow {
                chunk_index: block.chunks[row],
                entry_idx: block.entries[row],
                nudge_direction: block.nudges[row].map(Nudge::as_str),
                subsets: subsets
                    .map(|((name, _), found)| {
                        let score = Score {
                            disagreement: found.max,
                            high: found.high,
                        };
                        (name.as_str(), score)
                    })
                    .collect(),
                outliers: apart
                    .into_iter()
                    .map(|model| self.rules.models[model].as_str())
                    .collect(),
            };
            let mut line = serde_json::to_vec(&scored).context("cannot write JSON")?;
            line.push(b'\n');
            self.file.write_all(&line)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        self.file.finish()
    }
}
