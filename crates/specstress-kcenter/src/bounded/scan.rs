use super::Bounded;
use super::centers::{Centers, TILE_PANELS};
use super::codes::{Products, ROWS_AT_ONCE, Reach, Rows};
use crate::parallel::map_tasks;
use crate::simd::LANES;
use crate::{Assignment, KCenterError, PointSource, Progress, Run, WeightOn};

/// Most points decided together.
const MOST_TOGETHER: usize = 4096;
/// Points decided together at first.
const FEW_TOGETHER: usize = 64;

/// What to scan for.
#[derive(Clone, Copy)]
pub(crate) struct Scan<'o> {
    /// Rows in the order of the scan.
    pub(crate) order: &'o [usize],
    /// Weighted distance up to which a centre covers; 0 or more.
    pub(crate) threshold: f64,
    pub(crate) weight_on: WeightOn,
    /// Gives up when more centres than this are needed.
    pub(crate) most: usize,
}

/// Centres, and for each row the one that covers it.
pub(crate) type Scanned = (Vec<usize>, Vec<Assignment>);

/// The rows kept, in order, and for each row of the points the earliest centre that covers it;
/// `None` when there would be more than wanted. Equals the loop of `Cover`.
pub(crate) fn scan<S: PointSource + ?Sized>(
    points: &Bounded<'_, S>,
    wanted: Scan<'_>,
    run: &Run<'_>,
) -> Result<Option<Scanned>, KCenterError> {
    let rule = Rule { points, wanted };
    let mut centers = Centers::new(&points.sketch);
    let mut assignment = vec![
        Assignment {
            center: 0,
            distance: 0.0,
        };
        points.len()
    ];
    let (mut done, mut together) = (0, FEW_TOGETHER);
    while done < wanted.order.len() {
        run.report(Progress::Selecting {
            centers: centers.len(),
            done,
            most: wanted.order.len(),
        })?;
        let end = wanted.order.len().min(done + together);
        let rows = &wanted.order[done..end];
        let before = centers.len();
        let covered = rule.covered_by_earlier(rows, &centers)?;
        let mut open = Vec::new();
        for (&row, covered) in rows.iter().zip(covered) {
            match covered {
                Some(by) => assignment[row] = by,
                None => open.push(row),
            }
        }
        rule.settle(&open, &mut centers, &mut assignment)?;
        if centers.len() > wanted.most {
            return Ok(None);
        }
        // Points decided together are compared with each other, which pays only while most
        // of them become centres.
        let kept = centers.len() - before;
        together = (4 * kept).clamp(FEW_TOGETHER, MOST_TOGETHER);
        if kept == 0 {
            together = MOST_TOGETHER;
        }
        done = end;
    }
    Ok(Some((centers.rows, assignment)))
}

struct Rule<'p, 'a, 'o, S: ?Sized> {
    points: &'p Bounded<'a, S>,
    wanted: Scan<'o>,
}

impl<S: PointSource + ?Sized> Rule<'_, '_, '_, S> {
    fn weight(&self, row: usize, center: usize) -> f64 {
        match self.wanted.weight_on {
            WeightOn::Demand => self.points.weights.of(row),
            WeightOn::Center => self.points.weights.of(center),
        }
    }

    /// The reach of a weight; a weight of 0 reaches everything.
    fn reach(&self, weight: f64) -> Reach {
        let radius = if weight == 0.0 {
            f64::INFINITY
        } else {
            self.wanted.threshold / weight
        };
        self.points.sketch.reach(radius)
    }

    fn pack(&self, packed: &mut Centers<'_>, row: usize) {
        let own = match self.wanted.weight_on {
            WeightOn::Demand => None,
            WeightOn::Center => Some(self.reach(self.points.weights.of(row))),
        };
        packed.push(row, own);
    }

    fn least(&self, row: usize) -> i32 {
        let own = match self.wanted.weight_on {
            WeightOn::Demand => Some(self.reach(self.points.weights.of(row))),
            WeightOn::Center => None,
        };
        self.points.sketch.first().1.least(row, own)
    }

    fn may_cover(&self, row: usize, center: usize) -> bool {
        let reach = self.reach(self.weight(row, center));
        self.points.sketch.may_reach(row, center, reach)
    }

    /// For each row the earliest centre so far that covers it.
    fn covered_by_earlier(
        &self,
        rows: &[usize],
        packed: &Centers<'_>,
    ) -> Result<Vec<Option<Assignment>>, KCenterError> {
        let size = task_rows(rows.len());
        let tasks = map_tasks(rows.len().div_ceil(size), |task| {
            let rows = &rows[task * size..rows.len().min((task + 1) * size)];
            self.earliest(rows, packed)
        })?;
        Ok(tasks.into_iter().flatten().collect())
    }

    fn earliest(
        &self,
        rows: &[usize],
        packed: &Centers<'_>,
    ) -> Result<Vec<Option<Assignment>>, KCenterError> {
        let source = self.points.source;
        let (codes, stage) = self.points.sketch.first();
        let mut found = vec![None; rows.len()];
        let mut open: Vec<usize> = (0..rows.len()).collect();
        let mut least: Vec<i32> = rows.iter().map(|&row| self.least(row)).collect();
        let mut own = Rows::new(stage);
        own.gather(codes, stage, rows.iter().copied());
        let mut products = Products::new(codes);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (from, to) in packed.tiles(0) {
            let multiplied = open.len();
            for start in (0..multiplied).step_by(ROWS_AT_ONCE) {
                let end = multiplied.min(start + ROWS_AT_ONCE);
                products.multiply(&own, (start, end), &packed.columns, (from, to));
                let before = (packed.len() - from * LANES).min((to - from) * LANES);
                for (at, &position) in open[start..end].iter().enumerate() {
                    let row = rows[position];
                    let sums = products.of(at);
                    sums.visit(0, before, &mut least[position], |offset, _| {
                        let center = from * LANES + offset;
                        let kept = packed.rows[center];
                        if !self.may_cover(row, kept) {
                            return Ok(true);
                        }
                        let distance = self.points.exact(
                            source.read_row(row, &mut first)?,
                            source.read_row(kept, &mut second)?,
                        );
                        if self.weight(row, kept) * distance <= self.wanted.threshold {
                            found[position] = Some(Assignment { center, distance });
                            return Ok(false);
                        }
                        Ok::<_, KCenterError>(true)
                    })?;
                }
            }
            open.retain(|&position| found[position].is_none());
            if open.is_empty() {
                break;
            }
            if open.len() < multiplied {
                own.gather(codes, stage, open.iter().map(|&position| rows[position]));
            }
        }
        Ok(found)
    }

    /// For each row the earlier ones of the same rows that may cover it, in order.
    fn near_within(&self, open: &[usize]) -> Result<Vec<Vec<usize>>, KCenterError> {
        let (codes, stage) = self.points.sketch.first();
        let mut own = Centers::new(&self.points.sketch);
        for &row in open {
            self.pack(&mut own, row);
        }
        let size = task_rows(open.len());
        let near = map_tasks(open.len().div_ceil(size), |task| {
            let first = task * size;
            let rows = &open[first..open.len().min(first + size)];
            let mut near: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
            let mut words = Rows::new(stage);
            words.gather(codes, stage, rows.iter().copied());
            let mut products = Products::new(codes);
            for (from, to) in own.tiles(0) {
                for start in (0..rows.len()).step_by(ROWS_AT_ONCE) {
                    let end = rows.len().min(start + ROWS_AT_ONCE);
                    if first + end <= from * LANES {
                        continue;
                    }
                    products.multiply(&words, (start, end), &own.columns, (from, to));
                    for (at, &row) in (start..end).zip(&rows[start..end]) {
                        let earlier = (first + at).saturating_sub(from * LANES);
                        let earlier = earlier.min((to - from) * LANES);
                        let mut least = self.least(row);
                        let sums = products.of(at - start);
                        sums.visit(0, earlier, &mut least, |offset, _| {
                            let other = from * LANES + offset;
                            if self.may_cover(row, open[other]) {
                                near[at].push(other);
                            }
                            Ok::<_, KCenterError>(true)
                        })?;
                    }
                }
            }
            Ok(near)
        })?;
        Ok(near.into_iter().flatten().collect())
    }

    /// Decides rows that no earlier centre covers, among themselves, in order.
    fn settle(
        &self,
        open: &[usize],
        packed: &mut Centers<'_>,
        assignment: &mut [Assignment],
    ) -> Result<(), KCenterError> {
        let near = self.near_within(open)?;
        let source = self.points.source;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut center_of: Vec<Option<usize>> = vec![None; open.len()];
        for (at, near) in near.into_iter().enumerate() {
            let row = open[at];
            let mut covered = None;
            for earlier in near {
                let (Some(center), kept) = (center_of[earlier], open[earlier]) else {
                    continue;
                };
                let distance = self.points.exact(
                    source.read_row(row, &mut first)?,
                    source.read_row(kept, &mut second)?,
                );
                if self.weight(row, kept) * distance <= self.wanted.threshold {
                    covered = Some(Assignment { center, distance });
                    break;
                }
            }
            assignment[row] = covered.unwrap_or_else(|| {
                let center = packed.len();
                self.pack(packed, row);
                center_of[at] = Some(center);
                Assignment {
                    center,
                    distance: 0.0,
                }
            });
            if packed.len() > self.wanted.most {
                break;
            }
        }
        Ok(())
    }
}

/// The first two of `wanted.order` that are too close, the earlier one first: the later one is
/// the earliest that has such a one before it.
pub(crate) fn first_too_close<S: PointSource + ?Sized>(
    points: &Bounded<'_, S>,
    wanted: Scan<'_>,
    run: &Run<'_>,
) -> Result<Option<(usize, usize)>, KCenterError> {
    let rule = Rule { points, wanted };
    let mut before = Centers::new(&points.sketch);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for rows in wanted.order.chunks(MOST_TOGETHER) {
        run.report(Progress::Selecting {
            centers: before.len(),
            done: before.len(),
            most: wanted.order.len(),
        })?;
        let covered = rule.covered_by_earlier(rows, &before)?;
        let near = rule.near_within(rows)?;
        for ((&row, covered), near) in rows.iter().zip(covered).zip(near) {
            if let Some(by) = covered {
                return Ok(Some((before.rows[by.center], row)));
            }
            for other in near {
                let distance = points.exact(
                    points.source.read_row(row, &mut first)?,
                    points.source.read_row(rows[other], &mut second)?,
                );
                if rule.weight(row, rows[other]) * distance <= wanted.threshold {
                    return Ok(Some((rows[other], row)));
                }
            }
        }
        for &row in rows {
            rule.pack(&mut before, row);
        }
    }
    Ok(None)
}

/// Rows per task: a tile's worth, less where that would leave one task for several threads.
pub(super) fn task_rows(rows: usize) -> usize {
    rows.div_ceil(4).clamp(64, TILE_PANELS * LANES)
}
