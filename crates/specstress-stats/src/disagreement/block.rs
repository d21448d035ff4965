use ndarray::{ArrayView3, Axis};

use super::one::MissingPolicy;
use crate::score::{Reading, Score};

/// Scenarios per block: the sums of a block stay in the first cache, and its loops run over
/// neighbouring scenarios, which the compiler turns into vector instructions.
pub(super) const LANES: usize = 64;

/// Largest score whose square fits a lane.
const LARGEST: u32 = 65_535;

type Lanes = [u32; LANES];

/// Integer scores of up to [`LANES`] scenarios, one lane per scenario.
pub(super) struct Block {
    values: usize,
    /// Score at `model * values + value`; 0 where it does not count.
    scores: Vec<Lanes>,
    squares: Vec<Lanes>,
    /// 1 where a score counts, else 0.
    counts: Vec<Lanes>,
    /// Per model: 1 with all scores.
    complete: Vec<Lanes>,
    /// Per model: 1 with at least one score.
    some: Vec<Lanes>,
}

/// Sums over the models of one panel.
pub(super) struct Sums {
    /// Count, sum and sum of squares per value.
    pub(super) values: Vec<([u32; LANES], [u32; LANES], [u64; LANES])>,
    pub(super) complete: [u32; LANES],
    pub(super) some: [u32; LANES],
}

impl Block {
    pub(super) fn new(models: usize, values: usize) -> Self {
        Self {
            values,
            scores: vec![[0; LANES]; models * values],
            squares: vec![[0; LANES]; models * values],
            counts: vec![[0; LANES]; models * values],
            complete: vec![[0; LANES]; models],
            some: vec![[0; LANES]; models],
        }
    }

    /// Reads scenarios `from` to `from + lanes - 1`; `false` where a score is not an integer of
    /// at most 16 bits, whose square would not fit its lane.
    pub(super) fn fill<S: Score>(
        &mut self,
        scores: ArrayView3<'_, S>,
        from: usize,
        lanes: usize,
        policy: MissingPolicy,
    ) -> bool {
        let mut integers = true;
        let cells = self.scores.len();
        let buffers = (
            &mut self.scores[..],
            &mut self.squares[..],
            &mut self.counts[..],
        );
        let (all, squares, counts) = buffers;
        for lane in 0..lanes {
            let mut put = |cell: usize, score: S| {
                let (score, count) = match score.reading() {
                    Some(Reading::Integer(score)) if score <= LARGEST => (score, 1),
                    None => (0, 0),
                    Some(_) => {
                        integers = false;
                        (0, 0)
                    }
                };
                all[cell][lane] = score;
                squares[cell][lane] = score * score;
                counts[cell][lane] = count;
            };
            let matrix = scores.index_axis(Axis(0), from + lane);
            if let Some(flat) = matrix.as_slice() {
                for (cell, &score) in flat[..cells].iter().enumerate() {
                    put(cell, score);
                }
            } else {
                for (cell, &score) in matrix.iter().enumerate() {
                    put(cell, score);
                }
            }
        }
        for model in 0..self.complete.len() {
            let cells = model * self.values..(model + 1) * self.values;
            let (mut complete, mut some) = ([1; LANES], [0; LANES]);
            for count in &self.counts[cells.clone()] {
                for lane in 0..LANES {
                    complete[lane] &= count[lane];
                    some[lane] |= count[lane];
                }
            }
            if policy != MissingPolicy::DropScore {
                for cell in cells {
                    for (lane, complete) in complete.iter().enumerate() {
                        let keep = 0_u32.wrapping_sub(*complete);
                        self.scores[cell][lane] &= keep;
                        self.squares[cell][lane] &= keep;
                        self.counts[cell][lane] &= keep;
                    }
                }
            }
            self.complete[model] = complete;
            self.some[model] = some;
        }
        integers
    }

    pub(super) fn sums(&self, models: &[usize], into: &mut Sums) {
        into.complete = [0; LANES];
        into.some = [0; LANES];
        for &model in models {
            for lane in 0..LANES {
                into.complete[lane] += self.complete[model][lane];
                into.some[lane] += self.some[model][lane];
            }
        }
        for (value, (count, sum, square)) in into.values.iter_mut().enumerate() {
            (*count, *sum, *square) = ([0; LANES], [0; LANES], [0; LANES]);
            for &model in models {
                let cell = model * self.values + value;
                let (counts, scores) = (&self.counts[cell], &self.scores[cell]);
                let squares = &self.squares[cell];
                for lane in 0..LANES {
                    count[lane] += counts[lane];
                    sum[lane] += scores[lane];
                    square[lane] += u64::from(squares[lane]);
                }
            }
        }
    }
}

impl Sums {
    pub(super) fn new(values: usize) -> Self {
        Self {
            values: vec![([0; LANES], [0; LANES], [0; LANES]); values],
            complete: [0; LANES],
            some: [0; LANES],
        }
    }
}
