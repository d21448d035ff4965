//! Sums over packed numbers, in instructions of the processor at hand: the one file with `unsafe`.
//!
//! Each function has a portable body that defines its result; the others return the same bits.
//! `unsafe` is needed for two things only: to call a function compiled for instructions the
//! processor was asked for first, and to load and store whole registers.
//!
//! Eight-bit numbers come packed, four in an `i32`, the first in the lowest byte.

/// Columns that are multiplied side by side.
pub(crate) const LANES: usize = 16;

/// As many words or sums as there are columns side by side.
pub(crate) type Lanes = [i32; LANES];

/// What turns packed signed bytes into the same numbers plus 128, unsigned.
const SHIFT: i32 = i32::from_ne_bytes([0x80; 4]);

/// The instructions to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Simd {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Signed bytes plus 128 as unsigned ones, packed alike.
pub(crate) fn shifted(word: i32) -> i32 {
    word ^ SHIFT
}

impl Simd {
    /// The widest this processor has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// Every kind this processor has.
    #[cfg(test)]
    fn all() -> Vec<Self> {
        match Self::detect() {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => vec![Self::Portable, Self::Avx2, Self::Avx512],
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => vec![Self::Portable, Self::Avx2],
            Self::Portable => vec![Self::Portable],
        }
    }

    /// Products of rows with columns: `out[r][c] = constant[c] + sum_k row[r][k] * column[c][k]`.
    ///
    /// `rows` holds `words` words per row, signed bytes. `columns` holds them unsigned, [`LANES`]
    /// columns side by side: word `w` of panel `p` at `p * words + w`. `constants` has one entry
    /// per panel and `out` as many per row. No sum may exceed an `i32`.
    pub(crate) fn multiply(
        self,
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
    ) {
        let count = rows.len() / words;
        assert_eq!(rows.len(), count * words, "whole rows");
        assert_eq!(columns.len(), constants.len() * words, "whole panels");
        assert_eq!(out.len(), count * constants.len(), "a sum for every pair");
        match self {
            Self::Portable => multiply_any(rows, words, columns, constants, out),
            // SAFETY: `detect` makes these only where the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::multiply_avx2(rows, words, columns, constants, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx512 => unsafe { x86::multiply_avx512(rows, words, columns, constants, out) },
        }
    }

    /// `sum_k a[k] * b[k]` over packed signed bytes.
    pub(crate) fn dot(self, a: &[Lanes], b: &[Lanes]) -> i32 {
        match self {
            Self::Portable => dot_any(a, b),
            // SAFETY: as in `multiply`.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::dot_avx2(a, b) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `multiply`.
            Self::Avx512 => unsafe { x86::dot_avx512(a, b) },
        }
    }

    /// The first of `values` from `from` on with a number of at least `least`, and which of its
    /// numbers those are, the first in the lowest bit.
    pub(crate) fn next_large(
        self,
        values: &[Lanes],
        from: usize,
        least: i32,
    ) -> Option<(usize, u16)> {
        match self {
            Self::Portable => next_large_any(values, from, least),
            // SAFETY: as in `multiply`.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::next_large_avx2(values, from, least) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `multiply`.
            Self::Avx512 => unsafe { x86::next_large_avx512(values, from, least) },
        }
    }

    /// The largest number.
    pub(crate) fn largest(self, values: &[Lanes]) -> i32 {
        match self {
            Self::Portable => largest_any(values),
            // SAFETY: as in `multiply`.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::largest_avx2(values) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `multiply`.
            Self::Avx512 => unsafe { x86::largest_avx512(values) },
        }
    }

    /// `sum_i (a_i - b_i)^2` in `f64`, added up in the order of [`sum_of`].
    pub(crate) fn squared_difference(self, a: &[f32], b: &[f32]) -> f64 {
        match self {
            Self::Portable => squared_difference_any(a, b),
            // SAFETY: as in `multiply`.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::squared_difference_avx2(a, b) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `multiply`.
            Self::Avx512 => unsafe { x86::squared_difference_avx512(a, b) },
        }
    }
}

/// `sum term(a_i, b_i)` in `f64` over eight interleaved partial sums, which the compiler can
/// keep in vector registers and which are always added up in the same order.
#[inline(always)]
pub(crate) fn sum_of(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] += term(f64::from(a[lane]), f64::from(b[lane]));
        }
    }
    let rest: f64 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&x, &y)| term(f64::from(x), f64::from(y)))
        .sum();
    lanes.iter().sum::<f64>() + rest
}

#[inline(always)]
fn squared_difference_any(a: &[f32], b: &[f32]) -> f64 {
    sum_of(a, b, |x, y| (x - y) * (x - y))
}

/// Unsigned bytes times signed ones.
#[inline(always)]
fn product(unsigned: i32, signed: i32) -> i32 {
    let pairs = unsigned.to_le_bytes().into_iter().zip(signed.to_le_bytes());
    pairs
        .map(|(u, s)| i32::from(u) * i32::from(s.cast_signed()))
        .sum()
}

fn multiply_any(
    rows: &[i32],
    words: usize,
    columns: &[Lanes],
    constants: &[Lanes],
    out: &mut [Lanes],
) {
    let panels = constants.len();
    for (row, out) in rows.chunks_exact(words).zip(out.chunks_exact_mut(panels)) {
        for (panel, (sums, out)) in constants.iter().zip(out).enumerate() {
            *out = *sums;
            for (&word, column) in row.iter().zip(&columns[panel * words..]) {
                for lane in 0..LANES {
                    out[lane] += product(column[lane], word);
                }
            }
        }
    }
}

fn dot_any(a: &[Lanes], b: &[Lanes]) -> i32 {
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    let shifted_by_128: i32 = pairs.clone().map(|(&a, &b)| product(shifted(a), b)).sum();
    let sums: i32 = pairs.map(|(_, &b)| product(SHIFT, b)).sum();
    shifted_by_128 - sums
}

fn next_large_any(values: &[Lanes], from: usize, least: i32) -> Option<(usize, u16)> {
    for (at, lanes) in values.iter().enumerate().skip(from) {
        let mut mask = 0;
        for (lane, &value) in lanes.iter().enumerate() {
            mask |= u16::from(value >= least) << lane;
        }
        if mask != 0 {
            return Some((at, mask));
        }
    }
    None
}

#[inline(always)]
fn largest_any(values: &[Lanes]) -> i32 {
    let mut most = [i32::MIN; LANES];
    for lanes in values {
        for lane in 0..LANES {
            most[lane] = most[lane].max(lanes[lane]);
        }
    }
    most.into_iter().fold(i32::MIN, i32::max)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps,
        _mm256_cmpgt_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_movemask_ps,
        _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16,
        _mm256_srai_epi16, _mm256_srli_epi16, _mm256_storeu_si256, _mm512_cmpge_epi32_mask,
        _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_si512, _mm512_sub_epi32, _mm512_xor_si512,
    };

    use super::{LANES, Lanes, SHIFT, largest_any, squared_difference_any};

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(lanes: &Lanes) -> __m512i {
        // SAFETY: the reference is to 64 bytes, and the load asks for no alignment.
        unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn store(value: __m512i, lanes: &mut Lanes) {
        // SAFETY: as for the load.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), value) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load_halves(lanes: &Lanes) -> [__m256i; 2] {
        let (low, high) = lanes.split_at(LANES / 2);
        // SAFETY: each half is 32 bytes, and the loads ask for no alignment.
        unsafe {
            [
                _mm256_loadu_si256(low.as_ptr().cast()),
                _mm256_loadu_si256(high.as_ptr().cast()),
            ]
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store_halves(values: [__m256i; 2], lanes: &mut Lanes) {
        let (low, high) = lanes.split_at_mut(LANES / 2);
        // SAFETY: as for the loads.
        unsafe {
            _mm256_storeu_si256(low.as_mut_ptr().cast(), values[0]);
            _mm256_storeu_si256(high.as_mut_ptr().cast(), values[1]);
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn multiply_avx512(
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
    ) {
        let mut done = 0;
        let count = rows.len() / words;
        while done + 6 <= count {
            strip_avx512::<6>(rows, words, columns, constants, out, done);
            done += 6;
        }
        while done < count {
            strip_avx512::<1>(rows, words, columns, constants, out, done);
            done += 1;
        }
    }

    /// Products of `R` rows from `first` on with all columns.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn strip_avx512<const R: usize>(
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
        first: usize,
    ) {
        let mut panel = 0;
        while panel + 4 <= constants.len() {
            block_avx512::<R, 4>(rows, words, columns, constants, out, first, panel);
            panel += 4;
        }
        while panel < constants.len() {
            block_avx512::<R, 1>(rows, words, columns, constants, out, first, panel);
            panel += 1;
        }
    }

    /// `R` rows times `P` panels, whose sums stay in registers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn block_avx512<const R: usize, const P: usize>(
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
        first: usize,
        panel: usize,
    ) {
        let mut row: [&[i32]; R] = [&[]; R];
        for (at, row) in row.iter_mut().enumerate() {
            *row = &rows[(first + at) * words..][..words];
        }
        let mut column: [&[Lanes]; P] = [&[]; P];
        for (at, column) in column.iter_mut().enumerate() {
            *column = &columns[(panel + at) * words..][..words];
        }
        let mut sums = [[_mm512_setzero_si512(); P]; R];
        for sums in &mut sums {
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = load(&constants[panel + at]);
            }
        }
        for word in 0..words {
            let mut bytes = [_mm512_setzero_si512(); P];
            for at in 0..P {
                bytes[at] = load(&column[at][word]);
            }
            for at in 0..R {
                let own = _mm512_set1_epi32(row[at][word]);
                for to in 0..P {
                    sums[at][to] = _mm512_dpbusd_epi32(sums[at][to], bytes[to], own);
                }
            }
        }
        for (at, sums) in sums.into_iter().enumerate() {
            let out = &mut out[(first + at) * constants.len() + panel..][..P];
            for (sum, out) in sums.into_iter().zip(out) {
                store(sum, out);
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn dot_avx512(a: &[Lanes], b: &[Lanes]) -> i32 {
        let shift = _mm512_set1_epi32(SHIFT);
        let mut shifted = _mm512_setzero_si512();
        let mut sums = _mm512_setzero_si512();
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (_mm512_xor_si512(load(a), shift), load(b));
            shifted = _mm512_dpbusd_epi32(shifted, a, b);
            sums = _mm512_dpbusd_epi32(sums, shift, b);
        }
        _mm512_reduce_add_epi32(_mm512_sub_epi32(shifted, sums))
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn next_large_avx512(
        values: &[Lanes],
        from: usize,
        least: i32,
    ) -> Option<(usize, u16)> {
        let least = _mm512_set1_epi32(least);
        for (at, lanes) in values.iter().enumerate().skip(from) {
            let mask = _mm512_cmpge_epi32_mask(load(lanes), least);
            if mask != 0 {
                return Some((at, mask));
            }
        }
        None
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn largest_avx512(values: &[Lanes]) -> i32 {
        largest_any(values)
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn squared_difference_avx512(a: &[f32], b: &[f32]) -> f64 {
        squared_difference_any(a, b)
    }

    /// The even and the odd bytes, unsigned, as numbers of 16 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn unsigned_parts(bytes: __m256i) -> [__m256i; 2] {
        let even = _mm256_and_si256(bytes, _mm256_set1_epi16(0xff));
        [even, _mm256_srli_epi16::<8>(bytes)]
    }

    /// The even and the odd bytes, signed, as numbers of 16 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn signed_parts(bytes: __m256i) -> [__m256i; 2] {
        let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes));
        [even, _mm256_srai_epi16::<8>(bytes)]
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn add_products(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i {
        let even = _mm256_madd_epi16(a[0], b[0]);
        let odd = _mm256_madd_epi16(a[1], b[1]);
        _mm256_add_epi32(sum, _mm256_add_epi32(even, odd))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn multiply_avx2(
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
    ) {
        let mut done = 0;
        let count = rows.len() / words;
        while done + 4 <= count {
            strip_avx2::<4>(rows, words, columns, constants, out, done);
            done += 4;
        }
        while done < count {
            strip_avx2::<1>(rows, words, columns, constants, out, done);
            done += 1;
        }
    }

    /// Products of `R` rows from `first` on with all columns.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn strip_avx2<const R: usize>(
        rows: &[i32],
        words: usize,
        columns: &[Lanes],
        constants: &[Lanes],
        out: &mut [Lanes],
        first: usize,
    ) {
        let mut row: [&[i32]; R] = [&[]; R];
        for (at, row) in row.iter_mut().enumerate() {
            *row = &rows[(first + at) * words..][..words];
        }
        for (panel, constant) in constants.iter().enumerate() {
            let column = &columns[panel * words..][..words];
            let mut sums = [load_halves(constant); R];
            for word in 0..words {
                let [low, high] = load_halves(&column[word]);
                let (low, high) = (unsigned_parts(low), unsigned_parts(high));
                for at in 0..R {
                    let own = signed_parts(_mm256_set1_epi32(row[at][word]));
                    sums[at][0] = add_products(sums[at][0], low, own);
                    sums[at][1] = add_products(sums[at][1], high, own);
                }
            }
            for (at, sums) in sums.into_iter().enumerate() {
                store_halves(sums, &mut out[(first + at) * constants.len() + panel]);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn dot_avx2(a: &[Lanes], b: &[Lanes]) -> i32 {
        let mut sums = [_mm256_setzero_si256(); 2];
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (load_halves(a), load_halves(b));
            for half in 0..2 {
                sums[half] = add_products(sums[half], signed_parts(a[half]), signed_parts(b[half]));
            }
        }
        let mut lanes = [0; LANES];
        store_halves(sums, &mut lanes);
        lanes.into_iter().sum()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn next_large_avx2(
        values: &[Lanes],
        from: usize,
        least: i32,
    ) -> Option<(usize, u16)> {
        let Some(below) = least.checked_sub(1) else {
            return (from < values.len()).then_some((from, u16::MAX));
        };
        let below = _mm256_set1_epi32(below);
        for (at, lanes) in values.iter().enumerate().skip(from) {
            let [low, high] = load_halves(lanes);
            let large = |half| _mm256_movemask_ps(_mm256_castsi256_ps(half));
            let low = large(_mm256_cmpgt_epi32(low, below));
            let high = large(_mm256_cmpgt_epi32(high, below));
            let mask = u16::try_from(low | high << 8).expect("eight bits each");
            if mask != 0 {
                return Some((at, mask));
            }
        }
        None
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn largest_avx2(values: &[Lanes]) -> i32 {
        largest_any(values)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn squared_difference_avx2(a: &[f32], b: &[f32]) -> f64 {
        squared_difference_any(a, b)
    }
}

#[cfg(test)]
mod tests;
