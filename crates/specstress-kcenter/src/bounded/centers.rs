use super::codes::{Columns, Reach};
use super::sketch::Sketch;
use crate::simd::LANES;

/// Panels of columns that a tile has at most: few enough to stay in a near cache.
pub(super) const TILE_PANELS: usize = 32;

/// Rows in the order picked, with the columns that their codes make.
pub(super) struct Centers<'s> {
    sketch: &'s Sketch,
    pub(super) rows: Vec<usize>,
    /// Codes of the first stage.
    pub(super) columns: Columns,
    /// Whole codes, tile by tile, where the sketch has them.
    whole: Vec<Columns>,
}

impl<'s> Centers<'s> {
    pub(super) fn new(sketch: &'s Sketch) -> Self {
        Self {
            sketch,
            rows: Vec::new(),
            columns: Columns::new(sketch.first().1),
            whole: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: usize, reach: Option<Reach>) {
        let (codes, stage) = self.sketch.first();
        self.columns.push(codes, stage, row, reach);
        if let Some((codes, stage)) = self.sketch.whole() {
            if self.rows.len().is_multiple_of(TILE_PANELS * LANES) {
                self.whole.push(Columns::new(stage));
            }
            let tile = self.whole.last_mut().expect("begun with its first centre");
            tile.push(codes, stage, row, reach);
        }
        self.rows.push(row);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whole codes of the tile that starts at a panel.
    pub(super) fn whole(&self, from: usize) -> &Columns {
        &self.whole[from / TILE_PANELS]
    }

    /// Tiles that hold the centres from `first` on, as panels from and to.
    pub(super) fn tiles(&self, first: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let panels = self.len().div_ceil(LANES);
        let begin = first / (TILE_PANELS * LANES) * TILE_PANELS;
        let starts = (begin..panels).step_by(TILE_PANELS);
        starts.map(move |from| (from, panels.min(from + TILE_PANELS)))
    }
}
