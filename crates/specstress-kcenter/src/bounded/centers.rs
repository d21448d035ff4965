use super::codes::{Codes, Columns, Reach, Stage};
use crate::simd::LANES;

/// Panels of columns that a tile has at most: few enough to stay in a near cache.
pub(super) const TILE_PANELS: usize = 32;

/// Rows in the order picked, with the columns that their codes make.
pub(super) struct Centers {
    pub(super) rows: Vec<usize>,
    pub(super) columns: Columns,
}

impl Centers {
    pub(super) fn new(stage: &Stage) -> Self {
        Self {
            rows: Vec::new(),
            columns: Columns::new(stage),
        }
    }

    pub(super) fn push(&mut self, codes: &Codes, stage: &Stage, row: usize, reach: Option<Reach>) {
        self.columns.push(codes, stage, row, reach);
        self.rows.push(row);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tiles that hold the centres from `first` on, as panels from and to.
    pub(super) fn tiles(&self, first: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let panels = self.len().div_ceil(LANES);
        let starts = (first / LANES..panels).step_by(TILE_PANELS);
        starts.map(move |from| (from, panels.min(from + TILE_PANELS)))
    }
}
