use std::ops::{Add, BitAnd, BitOr, Mul, Not, Sub};

use ndarray::{ArrayView3, Axis, Slice};

use super::one::MissingPolicy;
use crate::score::{Reading, Score};

/// Scenarios per block: its scores stay in the first cache, and loops over neighbouring scenarios
/// become vector instructions.
pub(super) const LANES: usize = 64;

/// Most models of a panel: their number has 8 bits, and their number times their sum of squares of
/// 8-bit scores 32.
pub(super) const MOST_MODELS: usize = 255;

/// Lanes that are summed together, so that the sums stay in registers.
const TILE: usize = 32;

/// Scores of 8 bits of up to [`LANES`] scenarios, one lane per scenario. Lanes beyond the scenarios
/// read hold anything.
pub(super) struct Block {
    values: usize,
    /// Score at `model * values + value`; 0 where it does not count.
    scores: Vec<[u8; LANES]>,
    largest: u8,
    gaps: bool,
    /// 1 where a score counts, else 0; only kept up with gaps, as are the next two.
    counts: Vec<[u8; LANES]>,
    /// Per model: 1 with all scores.
    complete: Vec<[u8; LANES]>,
    /// Per model: 1 with at least one score.
    some: Vec<[u8; LANES]>,
}

/// Sums over the models of one panel where some scores are missing, one lane per scenario.
pub(super) struct Sums {
    /// Per value: sum of scores, and sum of squares.
    pub(super) values: Vec<([u32; LANES], [u32; LANES])>,
    /// Per value: number of scores.
    pub(super) counts: Vec<[u16; LANES]>,
    pub(super) complete: [u16; LANES],
    pub(super) some: [u16; LANES],
}

impl Block {
    pub(super) fn new(models: usize, values: usize) -> Self {
        Self {
            values,
            scores: vec![[0; LANES]; models * values],
            largest: 0,
            gaps: false,
            counts: vec![[0; LANES]; models * values],
            complete: vec![[0; LANES]; models],
            some: vec![[0; LANES]; models],
        }
    }

    /// Whether any score of the block is missing.
    pub(super) fn has_gaps(&self) -> bool {
        self.gaps
    }

    /// Reads scenarios `from` to `from + lanes - 1`; `false` where a score is not an integer of
    /// 8 bits.
    pub(super) fn fill<S: Score>(
        &mut self,
        scores: ArrayView3<'_, S>,
        from: usize,
        lanes: usize,
        policy: MissingPolicy,
    ) -> bool {
        let part = scores.slice_axis(Axis(0), Slice::from(from..from + lanes));
        let copied: Vec<S>;
        let flat = if let Some(flat) = part.to_slice() {
            flat
        } else {
            copied = part.iter().copied().collect();
            &copied
        };
        let cells = self.scores.len();
        let (mut narrow, mut gaps) = (true, false);
        for (cell, column) in self.scores.iter_mut().enumerate() {
            let own = flat[cell..].iter().step_by(cells);
            for (lane, score) in column.iter_mut().zip(own) {
                *lane = match score.reading() {
                    Some(Reading::Integer(score)) => u8::try_from(score).unwrap_or_else(|_| {
                        narrow = false;
                        0
                    }),
                    Some(Reading::Real(_)) => {
                        narrow = false;
                        0
                    }
                    None => {
                        gaps = true;
                        0
                    }
                };
            }
        }
        self.largest = self.scores.iter().flatten().copied().max().unwrap_or(0);
        self.gaps = gaps;
        if gaps && narrow {
            self.find_gaps(flat, policy);
        }
        narrow
    }

    fn find_gaps<S: Score>(&mut self, flat: &[S], policy: MissingPolicy) {
        let cells = self.scores.len();
        for (cell, column) in self.counts.iter_mut().enumerate() {
            let own = flat[cell..].iter().step_by(cells);
            for (lane, score) in column.iter_mut().zip(own) {
                *lane = u8::from(score.reading().is_some());
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
                        let keep = 0_u8.wrapping_sub(*complete);
                        self.scores[cell][lane] &= keep;
                        self.counts[cell][lane] &= keep;
                    }
                }
            }
            self.complete[model] = complete;
            self.some[model] = some;
        }
    }

    /// The largest scatter `n*S2 - S1^2` of the values, and the first value that has it, for a panel
    /// of at most [`MOST_MODELS`] models without gaps.
    pub(super) fn widest(
        &self,
        models: &[usize],
        best: &mut [u32; LANES],
        widest: &mut [u8; LANES],
    ) {
        // Every step stays below (n * largest)^2.
        if models.len() * usize::from(self.largest) <= 255 {
            self.widest_in::<u16>(models, best, widest);
        } else {
            self.widest_in::<u32>(models, best, widest);
        }
    }

    fn widest_in<L: Lane>(
        &self,
        models: &[usize],
        best: &mut [u32; LANES],
        widest: &mut [u8; LANES],
    ) {
        let n = L::from(u8::try_from(models.len()).expect("at most 255 models"));
        for from in (0..LANES).step_by(TILE) {
            let mut tops = [L::default(); TILE];
            let mut firsts = [L::default(); TILE];
            for value in 0..self.values {
                let mut sums = [L::default(); TILE];
                let mut squares = [L::default(); TILE];
                for &model in models {
                    let scores = &self.scores[model * self.values + value][from..from + TILE];
                    for lane in 0..TILE {
                        let score = L::from(scores[lane]);
                        sums[lane] = sums[lane] + score;
                        squares[lane] = squares[lane] + score * score;
                    }
                }
                let name = L::from(u8::try_from(value).expect("at most 255 values"));
                for lane in 0..TILE {
                    let scatter = n * squares[lane] - sums[lane] * sums[lane];
                    // With masks: a branch per lane would cost more than the sums.
                    let wider = L::mask(scatter > tops[lane]);
                    tops[lane] = tops[lane].max(scatter);
                    firsts[lane] = (name & wider) | (firsts[lane] & !wider);
                }
            }
            for lane in 0..TILE {
                best[from + lane] = tops[lane].into();
                #[expect(clippy::cast_possible_truncation, reason = "at most 255 values")]
                let first = Into::<u32>::into(firsts[lane]) as u8;
                widest[from + lane] = first;
            }
        }
    }

    /// Sums up a panel of at most [`MOST_MODELS`] models, with the counts that gaps leave.
    pub(super) fn sums(&self, models: &[usize], into: &mut Sums) {
        for (value, (sums, squares)) in into.values.iter_mut().enumerate() {
            (*sums, *squares) = ([0; LANES], [0; LANES]);
            for &model in models {
                let scores = &self.scores[model * self.values + value];
                for lane in 0..LANES {
                    let score = u32::from(scores[lane]);
                    sums[lane] += score;
                    squares[lane] += score * score;
                }
            }
        }
        let add = |into: &mut [u16; LANES], part: &[u8; LANES]| {
            for lane in 0..LANES {
                into[lane] += u16::from(part[lane]);
            }
        };
        into.complete = [0; LANES];
        into.some = [0; LANES];
        into.counts.fill([0; LANES]);
        for &model in models {
            add(&mut into.complete, &self.complete[model]);
            add(&mut into.some, &self.some[model]);
            for (value, counts) in into.counts.iter_mut().enumerate() {
                add(counts, &self.counts[model * self.values + value]);
            }
        }
    }
}

/// A number that sums are kept in.
trait Lane:
    Copy
    + Default
    + Ord
    + From<u8>
    + Into<u32>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Not<Output = Self>
{
    /// All bits, or none.
    fn mask(on: bool) -> Self;
}

impl Lane for u16 {
    fn mask(on: bool) -> Self {
        Self::from(on).wrapping_neg()
    }
}

impl Lane for u32 {
    fn mask(on: bool) -> Self {
        Self::from(on).wrapping_neg()
    }
}

impl Sums {
    pub(super) fn new(values: usize) -> Self {
        Self {
            values: vec![([0; LANES], [0; LANES]); values],
            counts: vec![[0; LANES]; values],
            complete: [0; LANES],
            some: [0; LANES],
        }
    }
}
