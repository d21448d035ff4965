use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Bounded;
use super::centers::Centers;
use super::codes::Reach;
use super::scan::task_rows;
use super::sift::Sift;
use crate::parallel::map_tasks;
use crate::simd::LANES;
use crate::{Assignment, KCenterError, PointSource, Progress, Run};

/// Points brought up to date together, at first and at most.
const FEW_TOGETHER: usize = 256;
const MOST_TOGETHER: usize = 2048;
/// Points assigned between two reports.
const ASSIGNED_TOGETHER: usize = 16_384;

/// Weighted distance, as ordered bits of a number that is not negative, then the lower row.
type Key = (u64, Reverse<usize>);

/// Distances to the nearest of a growing list of centres, brought up to date only for points
/// that might be the farthest: an old distance is an upper bound on the present one.
pub(crate) struct Traversal<'p, 'a, S: ?Sized> {
    points: &'p Bounded<'a, S>,
    centers: Centers<'p>,
    is_center: Vec<bool>,
    nearest: Vec<Assignment>,
    /// Centres that `nearest` of a point knows of.
    known: Vec<usize>,
    /// Every point that is no centre, at its last known distance.
    heap: BinaryHeap<Key>,
    together: usize,
}

/// How far a traversal goes.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) most: usize,
    pub(crate) radius: Option<f64>,
}

impl<'p, 'a, S: PointSource + ?Sized> Traversal<'p, 'a, S> {
    /// Starts with one centre and the exact distances to it.
    pub(crate) fn new(points: &'p Bounded<'a, S>, start: usize) -> Result<Self, KCenterError> {
        let count = points.len();
        let mut buffer = Vec::new();
        let first = points.source.read_row(start, &mut buffer)?.to_vec();
        let size = count.div_ceil(256).clamp(64, 4096);
        let parts = map_tasks(count.div_ceil(size), |task| {
            let mut buffer = Vec::new();
            (task * size..count.min((task + 1) * size))
                .map(|row| Ok(points.exact(points.source.read_row(row, &mut buffer)?, &first)))
                .collect::<Result<Vec<f64>, KCenterError>>()
        })?;
        let nearest: Vec<Assignment> = parts
            .into_iter()
            .flatten()
            .map(|distance| Assignment {
                center: 0,
                distance,
            })
            .collect();
        let mut traversal = Self {
            points,
            centers: Centers::new(&points.sketch),
            is_center: vec![false; count],
            nearest,
            known: vec![1; count],
            heap: BinaryHeap::new(),
            together: FEW_TOGETHER,
        };
        traversal.add(start);
        traversal.heap = (0..count)
            .filter(|&row| row != start)
            .map(|row| traversal.key(row))
            .collect();
        Ok(traversal)
    }

    /// Adds a centre without bringing any point up to date.
    pub(crate) fn add(&mut self, row: usize) {
        self.is_center[row] = true;
        self.nearest[row] = Assignment {
            center: self.centers.len(),
            distance: 0.0,
        };
        self.centers.push(row, None);
    }

    /// The distance of every point to the nearest of some centres, at least one.
    pub(crate) fn distances(
        points: &'p Bounded<'a, S>,
        centers: &[usize],
        run: &Run<'_>,
    ) -> Result<Vec<f64>, KCenterError> {
        let mut traversal = Self::new(points, centers[0])?;
        for &row in &centers[1..] {
            traversal.add(row);
        }
        traversal.assign(run)?;
        Ok(traversal.nearest.iter().map(|near| near.distance).collect())
    }

    fn weighted(&self, row: usize) -> f64 {
        // The sum turns the weight -0.0 into the 0.0 that its bits must compare as.
        self.points.weights.of(row) * self.nearest[row].distance + 0.0
    }

    fn key(&self, row: usize) -> Key {
        (self.weighted(row).to_bits(), Reverse(row))
    }

    /// The weighted radius of the centres so far, `max_i w_i * dist(i, T)`.
    pub(crate) fn radius(&mut self) -> Result<f64, KCenterError> {
        loop {
            let Some(&(bits, Reverse(top))) = self.heap.peek() else {
                return Ok(0.0);
            };
            if self.is_center[top] {
                self.heap.pop();
            } else if self.known[top] == self.centers.len() {
                return Ok(f64::from_bits(bits));
            } else {
                let stale = self.pop(FEW_TOGETHER, None);
                self.bring_up_to_date(&stale)?;
                self.put_back(&stale);
            }
        }
    }

    /// Picks the farthest point again and again; pushes the radius after each pick, and first
    /// the one the last pick so far has left.
    pub(crate) fn extend(
        &mut self,
        extent: Extent,
        radii: &mut Vec<f64>,
        run: &Run<'_>,
    ) -> Result<(), KCenterError> {
        loop {
            run.report(Progress::Selecting {
                centers: self.centers.len(),
                done: self.centers.len(),
                most: extent.most,
            })?;
            let group = self.pop(self.together, extent.radius);
            if group.is_empty() {
                radii.push(0.0);
                return Ok(());
            }
            self.bring_up_to_date(&group)?;
            let before = self.centers.len();
            let ended = self.pick_among(&group, extent, radii)?;
            self.put_back(&group);
            if ended {
                return Ok(());
            }
            // Points of a group are compared with each other, which pays only while most of
            // them become centres.
            let picked = self.centers.len() - before;
            self.together = (2 * picked).clamp(FEW_TOGETHER, MOST_TOGETHER);
        }
    }

    /// Takes the first points off the heap, in its order; after the first one, only such as
    /// may be beyond the radius.
    fn pop(&mut self, most: usize, radius: Option<f64>) -> Vec<usize> {
        let mut group = Vec::new();
        while group.len() < most
            && let Some(&(bits, Reverse(row))) = self.heap.peek()
        {
            let near = radius.is_some_and(|radius| f64::from_bits(bits) <= radius);
            if near && !group.is_empty() {
                break;
            }
            self.heap.pop();
            if !self.is_center[row] {
                group.push(row);
            }
        }
        group
    }

    fn put_back(&mut self, group: &[usize]) {
        for &row in group {
            if !self.is_center[row] {
                let key = self.key(row);
                self.heap.push(key);
            }
        }
    }

    /// Picks from an up-to-date group while its farthest point is the farthest of all. Returns
    /// whether the traversal has ended; the points left over are up to date again.
    fn pick_among(
        &mut self,
        group: &[usize],
        extent: Extent,
        radii: &mut Vec<f64>,
    ) -> Result<bool, KCenterError> {
        let near = self.neighbours(group)?;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut keys: Vec<Option<Key>> = group.iter().map(|&row| Some(self.key(row))).collect();
        let mut ended = false;
        loop {
            // `None` sorts below every key.
            let farthest = (0..keys.len()).max_by_key(|&at| keys[at]);
            let Some((at, key)) = farthest.and_then(|at| Some((at, keys[at]?))) else {
                break;
            };
            while let Some(&(_, Reverse(row))) = self.heap.peek()
                && self.is_center[row]
            {
                self.heap.pop();
            }
            if self.heap.peek().is_some_and(|&rival| rival > key) {
                break;
            }
            let reached = f64::from_bits(key.0);
            radii.push(reached);
            let near_enough = extent.radius.is_some_and(|radius| reached <= radius);
            if self.centers.len() == extent.most || near_enough {
                ended = true;
                break;
            }
            let center = self.centers.len();
            self.add(group[at]);
            keys[at] = None;
            let picked = self.points.source.read_row(group[at], &mut first)?;
            for &other in &near[at] {
                let row = group[other];
                let reach = self.points.sketch.reach(self.nearest[row].distance);
                if keys[other].is_none() || !self.points.sketch.may_reach(row, group[at], reach) {
                    continue;
                }
                let point = self.points.source.read_row(row, &mut second)?;
                let distance = self.points.exact(point, picked);
                if distance < self.nearest[row].distance {
                    self.nearest[row] = Assignment { center, distance };
                    keys[other] = Some(self.key(row));
                }
            }
        }
        for &row in group {
            self.known[row] = self.centers.len();
        }
        Ok(ended)
    }

    /// For each member of the group, the members that may be nearer to it than to their
    /// present centres.
    fn neighbours(&self, group: &[usize]) -> Result<Vec<Vec<usize>>, KCenterError> {
        let sketch = &self.points.sketch;
        let mut own = Centers::new(sketch);
        for &row in group {
            own.push(row, None);
        }
        let size = task_rows(group.len());
        let parts = map_tasks(group.len().div_ceil(size), |task| {
            let start = task * size;
            let rows = &group[start..group.len().min(start + size)];
            let mut reaches: Vec<Reach> = rows
                .iter()
                .map(|&row| sketch.reach(self.nearest[row].distance))
                .collect();
            let mut pairs = Vec::new();
            let mut sift = Sift::new(sketch, rows);
            for tile in own.tiles(0) {
                sift.tile(
                    rows,
                    &mut reaches,
                    &own,
                    tile,
                    |_| 0,
                    |at, other, _| {
                        if other != start + at {
                            pairs.push((other, start + at));
                        }
                        Ok(None)
                    },
                )?;
            }
            Ok(pairs)
        })?;
        let mut near = vec![Vec::new(); group.len()];
        for (center, point) in parts.into_iter().flatten() {
            near[center].push(point);
        }
        Ok(near)
    }

    /// Compares points with the centres they do not know of yet.
    fn bring_up_to_date(&mut self, group: &[usize]) -> Result<(), KCenterError> {
        let mut stale: Vec<usize> = group
            .iter()
            .copied()
            .filter(|&row| self.known[row] < self.centers.len())
            .collect();
        // Points of a tile share the centres to look at.
        stale.sort_by_key(|&row| (self.known[row], row));
        let size = task_rows(stale.len());
        let parts = map_tasks(stale.len().div_ceil(size), |task| {
            self.updates(&stale[task * size..stale.len().min((task + 1) * size)])
        })?;
        for (row, nearest) in stale.into_iter().zip(parts.into_iter().flatten()) {
            self.nearest[row] = nearest;
            self.known[row] = self.centers.len();
        }
        Ok(())
    }

    /// Reaches that hold the nearest centre, from one likely centre per row, that with the smallest lower bound: most
    /// rows near a centre find it so, and need not compare with many others.
    fn likely(&self, all: &[usize], sift: &mut Sift<'_>) -> Result<Vec<Reach>, KCenterError> {
        let sketch = &self.points.sketch;
        let source = self.points.source;
        let mut best: Vec<Option<(i32, usize)>> = vec![None; all.len()];
        for tile in self.centers.tiles(self.least_known(all)) {
            let count = self.behind(all, tile);
            sift.nearest_by_bound(count, &self.centers, tile, |at, center, sum| {
                if best[at].is_none_or(|(most, _)| sum > most) {
                    best[at] = Some((sum, center));
                }
            });
        }
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let reaches = all.iter().zip(best).map(|(&row, best)| {
            let known = sketch.reach(self.nearest[row].distance);
            let Some((sum, center)) = best else {
                return Ok(known);
            };
            let kept = self.centers.rows[center];
            if sum < sketch.first().1.least(row, Some(known)) {
                return Ok(known);
            }
            let near = match sketch.as_near_as(row, kept) {
                Some(near) => near,
                None => sketch.reach(self.points.exact(
                    source.read_row(row, &mut first)?,
                    source.read_row(kept, &mut second)?,
                )),
            };
            Ok(if near < known { near } else { known })
        });
        reaches.collect()
    }

    fn least_known(&self, rows: &[usize]) -> usize {
        rows.iter().map(|&row| self.known[row]).min().unwrap_or(0)
    }

    /// How many of the rows, which come sorted by it, do not know all centres of a tile.
    fn behind(&self, rows: &[usize], (_, to): (usize, usize)) -> usize {
        let end = self.centers.len().min(to * LANES);
        rows.partition_point(|&row| self.known[row] < end)
    }

    fn updates(&self, all: &[usize]) -> Result<Vec<Assignment>, KCenterError> {
        let sketch = &self.points.sketch;
        let source = self.points.source;
        let mut nearest: Vec<Assignment> = all.iter().map(|&row| self.nearest[row]).collect();
        let mut sift = Sift::new(sketch, all);
        // A reach is not a centre: distances at its edge must still be looked at, and are.
        let mut reaches = self.likely(all, &mut sift)?;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut look = |at: usize, center: usize| {
            let point = source.read_row(all[at], &mut first)?;
            let kept = source.read_row(self.centers.rows[center], &mut second)?;
            let distance = self.points.exact(point, kept);
            let best = &mut nearest[at];
            let nearer = distance < best.distance;
            // Centres are not looked at in the order of their picks.
            if nearer || (distance <= best.distance && center < best.center) {
                *best = Assignment { center, distance };
            }
            Ok::<_, KCenterError>(nearer.then(|| sketch.reach(distance)))
        };
        // Pairs whose codes alone told that they may be the nearest: the best ones are looked at first, once all are
        // known, which spares the others.
        let mut put_off: Vec<(usize, Reverse<i32>, usize)> = Vec::new();
        for tile in self.centers.tiles(self.least_known(all)) {
            let rows = &all[..self.behind(all, tile)];
            let skipped = |at: usize| self.known[rows[at]];
            sift.tile(
                rows,
                &mut reaches,
                &self.centers,
                tile,
                skipped,
                |at, center, sum| match sum {
                    Some(sum) => {
                        put_off.push((at, Reverse(sum), center));
                        Ok(Some(sketch.as_near(rows[at], sum)))
                    }
                    None => look(at, center),
                },
            )?;
        }
        put_off.sort_unstable();
        for (at, Reverse(sum), center) in put_off {
            let (_, stage) = sketch.whole().expect("the sums are of whole codes");
            if sum >= stage.least(all[at], Some(reaches[at]))
                && let Some(reach) = look(at, center)?
                && reach < reaches[at]
            {
                reaches[at] = reach;
            }
        }
        Ok(nearest)
    }

    /// The centres in pick order and every point's nearest one, the latter if wanted.
    pub(crate) fn finish(
        mut self,
        run: &Run<'_>,
    ) -> Result<(Vec<usize>, Option<Vec<Assignment>>), KCenterError> {
        if !run.assignment {
            return Ok((self.centers.rows, None));
        }
        self.assign(run)?;
        Ok((self.centers.rows, Some(self.nearest)))
    }

    /// Brings every point up to date.
    fn assign(&mut self, run: &Run<'_>) -> Result<(), KCenterError> {
        let points = self.points.len();
        let mut rows: Vec<usize> = (0..points).filter(|&row| !self.is_center[row]).collect();
        rows.sort_by_key(|&row| (self.known[row], row));
        for (part, rows) in rows.chunks(ASSIGNED_TOGETHER).enumerate() {
            run.report(Progress::Assigning {
                done: part * ASSIGNED_TOGETHER,
                points,
            })?;
            self.bring_up_to_date(rows)?;
        }
        Ok(())
    }
}
