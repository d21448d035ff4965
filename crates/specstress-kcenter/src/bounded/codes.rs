use crate::simd::{LANES, Lanes, Simd, shifted};

/// Bytes of a register's worth of codes; the width of a point is a whole number of these.
pub(super) const REGISTER: usize = 64;

/// Words of four codes per register.
const WORDS: usize = LANES;

/// The constant of a column that no row may reject. Sums of products stay below a quarter of
/// it in size for up to 8,192 codes.
const ALWAYS: i32 = 1 << 30;

/// Bounds are clamped to this size, beyond every sum of products.
const LARGEST_BOUND: f64 = (1 << 29) as f64;

/// Makes up for the rounding of the few `f64` operations on a bound.
const SLACK: f64 = 1.0 + 1e-9;

/// Points in eight bits per coordinate, with what the rounding has cost each.
///
/// A point `a` is stored as whole numbers `q` with `a = step (q + e)`, and `|e|` is kept. The
/// distance of codes is exact in integers, and `|q_x - q_y| <= |a_x - a_y| / step + |e_x| +
/// |e_y|`: so codes farther apart than `R / step + |e_x| + |e_y|` belong to points more than `R`
/// apart, for certain. In products, with `r` for that sum,
///
/// ```text
/// |q_x|^2 + |q_y|^2 - 2 q_x.q_y <= r^2    is    q_x.q_y - |q_y|^2 / 2 >= (|q_x|^2 - r^2) / 2
/// ```
///
/// The left side is what [`Simd::multiply`] computes for a column with the constant
/// [`Stage::constant`], the right side is [`Stage::least`]. A column whose error is above a cap
/// is never rejected, so that the right side may count on the cap for all columns.
pub(super) struct Codes {
    /// Registers per point.
    registers: usize,
    data: Vec<Lanes>,
    simd: Simd,
}

/// Bounds from the first registers of each code.
pub(super) struct Stage {
    registers: usize,
    step: f64,
    cap: f64,
    norms: Vec<Norm>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Norm {
    /// Sum of squared codes.
    pub(super) square: i32,
    /// Sum of codes.
    pub(super) sum: i32,
    /// Length of what rounding took away, in steps, or a little more; infinite for a point
    /// that has no code.
    pub(super) error: f32,
}

/// A distance between rotated points, in their unit, ready to compare bounds with.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Reach(pub(super) f64);

impl Codes {
    /// For codes of at most `width` bytes.
    pub(super) fn new(width: usize, points: usize) -> Self {
        let registers = width.div_ceil(REGISTER);
        Self {
            registers,
            data: Vec::with_capacity(points * registers),
            simd: Simd::detect(),
        }
    }

    /// Adds points whose codes follow each other, each filled up to whole registers.
    pub(super) fn extend(&mut self, codes: &[Lanes]) {
        self.data.extend_from_slice(codes);
    }

    fn code(&self, row: usize, stage: &Stage) -> &[Lanes] {
        &self.data[row * self.registers..][..stage.registers]
    }

    /// Whether a pair is possibly within reach.
    pub(super) fn may_reach(&self, stage: &Stage, a: usize, b: usize, reach: Reach) -> bool {
        let (square, error) = self.apart(stage, a, b);
        let limit = reach.0 / stage.step + error;
        square <= limit * limit * SLACK
    }

    /// What a pair is at most apart, in the unit of a [`Reach`], by codes of whole points.
    pub(super) fn upper(&self, stage: &Stage, a: usize, b: usize) -> f64 {
        let (square, error) = self.apart(stage, a, b);
        (square.sqrt() + error) * stage.step * SLACK
    }

    /// The squared distance of two codes and the sum of their errors.
    fn apart(&self, stage: &Stage, a: usize, b: usize) -> (f64, f64) {
        let (x, y) = (stage.norms[a], stage.norms[b]);
        let dot = self.simd.dot(self.code(a, stage), self.code(b, stage));
        let square = i64::from(x.square) + i64::from(y.square) - 2 * i64::from(dot);
        (square as f64, f64::from(x.error) + f64::from(y.error))
    }
}

impl Stage {
    /// `registers` of each code count; `cap` is the error up to which columns are bounded.
    pub(super) fn new(registers: usize, step: f64, cap: f64, points: usize) -> Self {
        Self {
            registers,
            step,
            cap,
            norms: Vec::with_capacity(points),
        }
    }

    pub(super) fn extend(&mut self, norms: &[Norm]) {
        self.norms.extend_from_slice(norms);
    }

    pub(super) fn registers(&self) -> usize {
        self.registers
    }

    /// Bytes per point.
    pub(super) fn bytes(&self) -> usize {
        self.registers * REGISTER
    }

    /// What a sum must reach for a row and a column to be possibly within the row's reach;
    /// `None` where the columns have reaches of their own.
    pub(super) fn least(&self, row: usize, reach: Option<Reach>) -> i32 {
        let norm = self.norms[row];
        let square = match reach {
            Some(reach) => self.widest(norm, reach),
            None if f64::from(norm.error) > self.cap => f64::INFINITY,
            None => 0.0,
        };
        // Columns are shifted by 128 to be unsigned.
        bound((f64::from(norm.square) - square) / 2.0) + 128 * norm.sum
    }

    /// What a row and the column with a sum are at most apart, in the unit of a [`Reach`]; `None`
    /// for a column far out.
    pub(super) fn upper(&self, row: usize, sum: i32) -> Option<f64> {
        let norm = self.norms[row];
        if sum >= ALWAYS / 2 {
            return None;
        }
        let product = i64::from(sum) - 128 * i64::from(norm.sum);
        // The constant of a column may be less than half its square by a half.
        let square = (i64::from(norm.square) - 2 * product + 1).max(0) as f64;
        let codes = square.sqrt() + f64::from(norm.error) + self.cap;
        Some(codes * self.step * SLACK)
    }

    /// The constant of a column, with its reach if it has one.
    pub(super) fn constant(&self, row: usize, reach: Option<Reach>) -> i32 {
        let norm = self.norms[row];
        if f64::from(norm.error) > self.cap {
            return ALWAYS;
        }
        let square = reach.map_or(0.0, |reach| self.widest(norm, reach));
        -bound((f64::from(norm.square) - square) / 2.0)
    }

    fn widest(&self, norm: Norm, reach: Reach) -> f64 {
        let limit = reach.0 / self.step + f64::from(norm.error) + self.cap;
        limit * limit * SLACK
    }
}

/// The whole number below.
fn bound(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let whole = value.clamp(-LARGEST_BOUND, LARGEST_BOUND).floor() as i32;
    whole
}

/// Codes of some points, ready to be multiplied with columns.
pub(super) struct Rows {
    words: Vec<i32>,
    width: usize,
}

impl Rows {
    pub(super) fn new(stage: &Stage) -> Self {
        Self {
            words: Vec::new(),
            width: stage.registers * WORDS,
        }
    }

    pub(super) fn gather(
        &mut self,
        codes: &Codes,
        stage: &Stage,
        rows: impl IntoIterator<Item = usize>,
    ) {
        self.words.clear();
        for row in rows {
            self.words
                .extend_from_slice(codes.code(row, stage).as_flattened());
        }
    }

    /// The words of some of the points.
    fn words(&self, from: usize, to: usize) -> &[i32] {
        &self.words[from * self.width..to * self.width]
    }
}

/// Codes of points side by side, as [`Simd::multiply`] wants its columns.
pub(super) struct Columns {
    words: Vec<Lanes>,
    constants: Vec<Lanes>,
    width: usize,
    len: usize,
}

impl Columns {
    pub(super) fn new(stage: &Stage) -> Self {
        Self {
            words: Vec::new(),
            constants: Vec::new(),
            width: stage.registers * WORDS,
            len: 0,
        }
    }

    pub(super) fn push(&mut self, codes: &Codes, stage: &Stage, row: usize, reach: Option<Reach>) {
        let lane = self.len % LANES;
        if lane == 0 {
            self.words.resize(self.words.len() + self.width, [0; LANES]);
            // Columns that are not there are below every bound.
            self.constants.push([i32::MIN / 2; LANES]);
        }
        let panel = self.len / LANES;
        let code = codes.code(row, stage).as_flattened();
        for (words, &word) in self.words[panel * self.width..].iter_mut().zip(code) {
            words[lane] = shifted(word);
        }
        self.constants[panel][lane] = stage.constant(row, reach);
        self.len += 1;
    }
}

/// Products of some rows with some columns.
pub(super) struct Products {
    sums: Vec<Lanes>,
    /// Panels per row.
    panels: usize,
    simd: Simd,
}

/// Most rows multiplied at once: their products are looked at while still in a near cache.
pub(super) const ROWS_AT_ONCE: usize = 48;

impl Products {
    pub(super) fn new(codes: &Codes) -> Self {
        Self {
            sums: Vec::new(),
            panels: 0,
            simd: codes.simd,
        }
    }

    /// Multiplies rows `rows.0..rows.1` with the columns of panels `panels.0..panels.1`.
    pub(super) fn multiply(
        &mut self,
        rows: &Rows,
        (first, end): (usize, usize),
        columns: &Columns,
        (from, to): (usize, usize),
    ) {
        self.panels = to - from;
        self.sums.resize((end - first) * self.panels, [0; LANES]);
        let width = rows.width;
        self.simd.multiply(
            rows.words(first, end),
            width,
            &columns.words[from * width..to * width],
            &columns.constants[from..to],
            &mut self.sums,
        );
    }

    /// Sums of one of the rows.
    pub(super) fn of(&self, at: usize) -> Sums<'_> {
        Sums {
            lanes: &self.sums[at * self.panels..][..self.panels],
            simd: self.simd,
        }
    }
}

/// Sums of one row with columns.
#[derive(Clone, Copy)]
pub(super) struct Sums<'p> {
    lanes: &'p [Lanes],
    simd: Simd,
}

impl Sums<'_> {
    pub(super) fn at(self, position: usize) -> i32 {
        self.lanes[position / LANES][position % LANES]
    }

    /// Calls `visit` with the position of each sum of at least `least`, which it may change,
    /// in order from `from` to before `to`; stops when it returns false.
    pub(super) fn visit<E>(
        self,
        from: usize,
        to: usize,
        least: &mut i32,
        mut visit: impl FnMut(usize, &mut i32) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut panel = from / LANES;
        let lanes = &self.lanes[..to.div_ceil(LANES)];
        while let Some((at, mut mask)) = self.simd.next_large(lanes, panel, *least) {
            while mask != 0 {
                let lane = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let position = at * LANES + lane;
                if position < from || position >= to || lanes[at][lane] < *least {
                    continue;
                }
                if !visit(position, least)? {
                    return Ok(());
                }
            }
            panel = at + 1;
        }
        Ok(())
    }

    /// How many sums before `to` are at least `least`, counted from the start until beyond
    /// `enough`.
    pub(super) fn count(self, to: usize, least: i32, enough: usize) -> usize {
        let (mut panel, mut count) = (0, 0);
        let lanes = &self.lanes[..to.div_ceil(LANES)];
        while let Some((at, mask)) = self.simd.next_large(lanes, panel, least) {
            count += mask.count_ones() as usize;
            if count > enough {
                break;
            }
            panel = at + 1;
        }
        count
    }

    /// The position of a largest sum, the lowest among equals, and the sum.
    pub(super) fn largest(self) -> Option<(usize, i32)> {
        let most = self.simd.largest(self.lanes);
        let (at, mask) = self.simd.next_large(self.lanes, 0, most)?;
        Some((at * LANES + mask.trailing_zeros() as usize, most))
    }
}
