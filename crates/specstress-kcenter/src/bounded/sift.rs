use super::centers::Centers;
use super::codes::{Products, ROWS_AT_ONCE, Reach, Rows};
use super::sketch::Sketch;
use crate::KCenterError;
use crate::simd::LANES;

/// Bytes of whole codes multiplied with at once: about what a second-level cache holds.
const WHOLE_BYTES: usize = 1 << 20;

/// One in how many pairs the first stage may leave before products of whole codes are cheaper
/// than looking at each.
const CROWDED: usize = 10;

/// Finds, among many pairs of points and centres, those possibly within a point's reach.
pub(super) struct Sift<'s> {
    sketch: &'s Sketch,
    own: Rows,
    products: Products,
    whole: Option<Whole>,
}

struct Whole {
    own: Rows,
    products: Products,
}

impl<'s> Sift<'s> {
    pub(super) fn new(sketch: &'s Sketch, rows: &[usize]) -> Self {
        let (codes, stage) = sketch.first();
        let mut own = Rows::new(stage);
        own.gather(codes, stage, rows.iter().copied());
        Self {
            sketch,
            own,
            products: Products::new(codes),
            whole: sketch.whole().map(|(codes, stage)| Whole {
                own: Rows::new(stage),
                products: Products::new(codes),
            }),
        }
    }

    /// For each of the first `count` rows, a centre of the tile with the least lower bound and
    /// the sum that it has: larger sums are smaller bounds.
    pub(super) fn nearest_by_bound(
        &mut self,
        count: usize,
        centers: &Centers<'_>,
        tile: (usize, usize),
        mut visit: impl FnMut(usize, usize, i32),
    ) {
        for start in (0..count).step_by(ROWS_AT_ONCE) {
            let end = count.min(start + ROWS_AT_ONCE);
            self.products
                .multiply(&self.own, (start, end), &centers.columns, tile);
            for at in start..end {
                if let Some((offset, sum)) = self.products.of(at - start).largest() {
                    visit(at, tile.0 * LANES + offset, sum);
                }
            }
        }
    }

    /// Calls `visit` with the position of a row among `rows`, the first ones the sift was made
    /// for, that of a centre of the tile possibly within its reach, and their sum where it is one
    /// of whole codes; the reach it returns is that of the row from then on. Centres before `skipped` of the row are left out. In no
    /// certain order.
    pub(super) fn tile(
        &mut self,
        rows: &[usize],
        reaches: &mut [Reach],
        centers: &Centers<'_>,
        (from, to): (usize, usize),
        skipped: impl Fn(usize) -> usize,
        mut visit: impl FnMut(usize, usize, Option<i32>) -> Result<Option<Reach>, KCenterError>,
    ) -> Result<(), KCenterError> {
        let stage = self.sketch.first().1;
        let width = centers.len().min(to * LANES) - from * LANES;
        let mut crowded = Vec::new();
        for start in (0..rows.len()).step_by(ROWS_AT_ONCE) {
            let end = rows.len().min(start + ROWS_AT_ONCE);
            self.products
                .multiply(&self.own, (start, end), &centers.columns, (from, to));
            for at in start..end {
                let row = rows[at];
                let sums = self.products.of(at - start);
                let mut least = stage.least(row, Some(reaches[at]));
                let enough = width / CROWDED;
                if self.whole.is_some() && sums.count(width, least, enough) > enough {
                    crowded.push(at);
                    continue;
                }
                let skip = skipped(at).saturating_sub(from * LANES).min(width);
                sums.visit(skip, width, &mut least, |offset, least| {
                    let center = from * LANES + offset;
                    if self
                        .sketch
                        .may_reach(row, centers.rows[center], reaches[at])
                        && let Some(reach) = visit(at, center, None)?
                        && reach < reaches[at]
                    {
                        reaches[at] = reach;
                        *least = stage.least(row, Some(reach));
                    }
                    Ok::<_, KCenterError>(true)
                })?;
            }
        }
        let Some(whole) = self.whole.as_mut().filter(|_| !crowded.is_empty()) else {
            return Ok(());
        };
        let (codes, stage) = self.sketch.whole().expect("as this sift was made");
        whole
            .own
            .gather(codes, stage, crowded.iter().map(|&at| rows[at]));
        let step = (WHOLE_BYTES / (stage.bytes() * LANES)).max(1);
        for first in (0..to - from).step_by(step) {
            let until = (to - from).min(first + step);
            let begin = (from + first) * LANES;
            let width = centers.len().min((from + until) * LANES) - begin;
            for start in (0..crowded.len()).step_by(ROWS_AT_ONCE) {
                let end = crowded.len().min(start + ROWS_AT_ONCE);
                let columns = centers.whole(from);
                whole
                    .products
                    .multiply(&whole.own, (start, end), columns, (first, until));
                for (&at, place) in crowded[start..end].iter().zip(0..) {
                    let sums = whole.products.of(place);
                    let skip = skipped(at).saturating_sub(begin).min(width);
                    let mut least = stage.least(rows[at], Some(reaches[at]));
                    let mut look = |offset: usize, least: &mut i32| {
                        let sum = sums.at(offset);
                        if let Some(reach) = visit(at, begin + offset, Some(sum))?
                            && reach < reaches[at]
                        {
                            reaches[at] = reach;
                            *least = stage.least(rows[at], Some(reach));
                        }
                        Ok::<_, KCenterError>(())
                    };
                    // The likely nearest first, which may spare most of the others.
                    let likely = sums.largest().filter(|&(offset, _)| offset >= skip);
                    if let Some((offset, sum)) = likely
                        && sum >= least
                    {
                        look(offset, &mut least)?;
                    }
                    let likely = likely.map(|(offset, _)| offset);
                    sums.visit(skip, width, &mut least, |offset, least| {
                        if Some(offset) != likely {
                            look(offset, least)?;
                        }
                        Ok::<_, KCenterError>(true)
                    })?;
                }
            }
        }
        Ok(())
    }
}
