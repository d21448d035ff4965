use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis, Slice};

use super::Bounded;
use super::sketch::{Packed, Sketch};
use crate::{KCenterError, PointSource};

/// Points per tile and centres per tile: a product of about a megabyte, the size of a cache,
/// and large enough that packing its factors costs little.
pub(super) const TILE_ROWS: usize = 512;
pub(super) const TILE_CENTERS: usize = 512;

/// Products of some points with centres, one tile after the other.
pub(super) struct Tiles<'s> {
    sketch: &'s Sketch,
    images: Array2<f32>,
    products: Array2<f32>,
    count: usize,
}

impl<'s> Tiles<'s> {
    pub(super) fn new(sketch: &'s Sketch, rows: &[usize]) -> Self {
        let mut tiles = Self {
            sketch,
            images: Array2::zeros((rows.len(), sketch.short)),
            products: Array2::zeros((rows.len(), TILE_CENTERS)),
            count: 0,
        };
        tiles.gather(rows.iter().copied());
        tiles
    }

    /// Replaces the points, which may be fewer than before but not more.
    pub(super) fn gather(&mut self, rows: impl Iterator<Item = usize>) {
        self.count = 0;
        for (mut image, row) in self.images.rows_mut().into_iter().zip(rows) {
            let short = self.sketch.short_image(row);
            image
                .as_slice_mut()
                .expect("rows of an owned array are contiguous")
                .copy_from_slice(short);
            self.count += 1;
        }
    }

    /// Leaves out all but the first `count` points from the products to come.
    pub(super) fn keep(&mut self, count: usize) {
        self.count = count;
    }

    /// Multiplies with the centres from `from` on and returns where the tile ends; at most `to`.
    pub(super) fn multiply(&mut self, packed: &Packed, from: usize, to: usize) -> usize {
        let end = to.min(from + TILE_CENTERS);
        let rows = Slice::from(..self.count);
        let images = self.images.slice_axis(Axis(0), rows);
        let mut products = self.products.slice_axis_mut(Axis(0), rows);
        products.slice_axis_inplace(Axis(1), Slice::from(..end - from));
        general_mat_mul(
            1.0,
            &images,
            &packed.images(from, end).t(),
            0.0,
            &mut products,
        );
        end
    }

    /// Products of one point with the first `width` centres of the tile.
    pub(super) fn products(&self, at: usize, width: usize) -> &[f32] {
        let all = self
            .products
            .as_slice()
            .expect("an owned array is contiguous");
        &all[at * TILE_CENTERS..at * TILE_CENTERS + width]
    }
}

/// Products of whole points with whole centres: slower, for where prefixes tell too little.
pub(super) struct WholeTiles<'p, 'a, S: ?Sized> {
    points: &'p Bounded<'a, S>,
    rows: Array2<f32>,
    centers: Array2<f32>,
    products: Array2<f32>,
}

impl<'p, 'a, S: PointSource + ?Sized> WholeTiles<'p, 'a, S> {
    /// For at most `most` points at once.
    pub(super) fn new(points: &'p Bounded<'a, S>, most: usize) -> Self {
        let width = points.source.dimensions() + 1;
        Self {
            points,
            rows: Array2::zeros((most, width)),
            centers: Array2::zeros((TILE_CENTERS, width)),
            products: Array2::zeros((most, TILE_CENTERS)),
        }
    }

    /// Multiplies some points with some centres, at most as many as a tile has.
    pub(super) fn multiply(
        &mut self,
        rows: &[usize],
        centers: &[usize],
    ) -> Result<(), KCenterError> {
        let constant = |row| self.points.sketch.whole_constant(row);
        write_all(self.points, &mut self.rows, rows, |_| 1.0)?;
        write_all(self.points, &mut self.centers, centers, constant)?;
        let (rows, some) = (Slice::from(..rows.len()), Slice::from(..centers.len()));
        let centers = self.centers.slice_axis(Axis(0), some);
        let mut products = self.products.slice_axis_mut(Axis(0), rows);
        products.slice_axis_inplace(Axis(1), some);
        let rows = self.rows.slice_axis(Axis(0), rows);
        general_mat_mul(1.0, &rows, &centers.t(), 0.0, &mut products);
        Ok(())
    }

    /// Products of one point with the first `width` centres.
    pub(super) fn products(&self, at: usize, width: usize) -> &[f32] {
        let all = self
            .products
            .as_slice()
            .expect("an owned array is contiguous");
        &all[at * TILE_CENTERS..at * TILE_CENTERS + width]
    }
}

fn write_all<S: PointSource + ?Sized>(
    points: &Bounded<'_, S>,
    out: &mut Array2<f32>,
    rows: &[usize],
    last: impl Fn(usize) -> f32,
) -> Result<(), KCenterError> {
    let mut buffer = Vec::new();
    for (mut out, &row) in out.rows_mut().into_iter().zip(rows) {
        let point = points.source.read_row(row, &mut buffer)?;
        let out = out
            .as_slice_mut()
            .expect("rows of an owned array are contiguous");
        points.sketch.write_whole(point, last(row), out);
    }
    Ok(())
}

/// Whether so many of the products of a point are large that products of whole points are
/// cheaper than looking at each pair.
pub(super) fn too_many(large: usize, all: usize) -> bool {
    large * 10 > all
}

/// How many products are at least `least`.
pub(super) fn count_large(products: &[f32], least: f32) -> usize {
    let blocks = products.chunks(1 << 15);
    let large = |block: &[f32]| block.iter().map(|&x| u32::from(x >= least)).sum::<u32>();
    blocks.map(|block| large(block) as usize).sum()
}

/// Calls `visit` with the position and value of each product of at least `least()`, which is
/// asked again after each visit; stops when `visit` returns false.
pub(super) fn visit_large<E>(
    products: &[f32],
    least: &mut f32,
    mut visit: impl FnMut(usize, &mut f32) -> Result<bool, E>,
) -> Result<(), E> {
    const LANES: usize = 32;
    for (block, values) in products.chunks(LANES).enumerate() {
        // The common case: one pass of maxima over the block, and nothing in it.
        if largest(values) < *least {
            continue;
        }
        for (lane, &value) in values.iter().enumerate() {
            if value >= *least && !visit(block * LANES + lane, least)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn largest(values: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            // A comparison, for which there is an instruction; `f32::max` must mind NaN.
            lanes[lane] = if block[lane] > lanes[lane] {
                block[lane]
            } else {
                lanes[lane]
            };
        }
    }
    let all = lanes.iter().chain(rest);
    all.fold(
        f32::NEG_INFINITY,
        |most, &x| if x > most { x } else { most },
    )
}

/// The position of the largest product, the lowest among equals.
pub(super) fn position_of_largest(products: &[f32]) -> Option<(usize, f32)> {
    const LANES: usize = 32;
    let mut best: Option<(usize, f32)> = None;
    for (block, values) in products.chunks(LANES).enumerate() {
        let most = largest(values);
        if best.is_none_or(|(_, known)| most > known) {
            let lane = values.iter().position(|&x| x >= most).unwrap_or(0);
            best = Some((block * LANES + lane, most));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_large_product_is_visited_once_in_order() {
        for length in [1, 7, 32, 33, 100] {
            let products: Vec<f32> = (0..length).map(|i| ((i * 37) % 11) as f32).collect();
            let mut seen = Vec::new();
            let mut least = 8.0;
            visit_large(&products, &mut least, |at, _| {
                seen.push(at);
                Ok::<_, ()>(true)
            })
            .unwrap();
            let wanted: Vec<usize> = (0..length).filter(|&i| products[i] >= 8.0).collect();
            assert_eq!(seen, wanted, "{length}");
            let most = products.iter().copied().fold(0.0, f32::max);
            let first = products.iter().position(|&x| x >= most).unwrap();
            assert_eq!(position_of_largest(&products), Some((first, most)));
        }
    }

    #[test]
    fn a_raised_bar_and_a_refusal_are_obeyed() {
        let products = [1.0_f32, 5.0, 3.0, 6.0, 7.0];
        let mut seen = Vec::new();
        let mut least = 0.5;
        visit_large(&products, &mut least, |at, least| {
            seen.push(at);
            *least = 4.0;
            Ok::<_, ()>(at != 3)
        })
        .unwrap();
        assert_eq!(seen, [0, 1, 3]);
    }
}
