//! Rows that are measured together: whole scenarios, as many as fit into memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use specstress_dataset::published::PositionBlock;
use specstress_scenarios::Nudge;
use specstress_stats::ndarray::ArrayView3;

/// Answers (rows x models) of a pool at most, but for a single scenario of more: a million rows of twelve models, which
/// take some 250 bytes each while they are measured.
const MOST_ANSWERS: usize = 12 << 20;

/// Which scenarios a pool takes: those whose hash is `part` in the last bits, of `parts`, a power of two.
///
/// Files of more rows than fit are read once for every part. Rows of one scenario need not stand together, and no two
/// parts share one, so that what is measured does not depend on the number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) part: u64,
    pub(super) parts: u64,
}

impl Share {
    pub(super) const ALL: Self = Self { part: 0, parts: 1 };

    fn takes(self, hash: u64) -> bool {
        hash & (self.parts - 1) == self.part
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) share: Share,
    most: usize,
    models: usize,
    /// Rows x models x values.
    positions: Vec<Option<u8>>,
    pub(super) nudges: Vec<Option<Nudge>>,
    /// Place of each row's scenario in the order of first appearance; siblings share it.
    pub(super) scenarios: Vec<u32>,
    hashes: Vec<u64>,
    places: HashMap<Named, u32, BuildHasherDefault<Spread>>,
    /// The scenario of the row before: siblings mostly stand together.
    last: Option<(Key, u32)>,
    /// Rows seen, taken or not.
    seen: u64,
}

/// What names a scenario: its indices, or the place of a row without them, which stands alone.
type Key = (i64, i64, bool);

/// A key with its hash, which is computed for the share anyway.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    key: Key,
    hash: u64,
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Hands a hash on as it is.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, _: &[u8]) {
        unreachable!("a key writes its hash alone");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Pool {
    pub(super) fn new(models: usize, share: Share) -> Self {
        Self::of_most(models, share, MOST_ANSWERS / models.max(1))
    }

    pub(super) fn of_most(models: usize, share: Share, most: usize) -> Self {
        Self {
            share,
            most,
            models,
            positions: Vec::new(),
            nudges: Vec::new(),
            scenarios: Vec::new(),
            hashes: Vec::new(),
            places: HashMap::default(),
            last: None,
            seen: 0,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.nudges.len()
    }

    /// Number of scenarios.
    pub(super) fn scenario_count(&self) -> usize {
        self.hashes.len()
    }

    /// Rows x models x values.
    pub(super) fn scores(&self) -> ArrayView3<'_, Option<u8>> {
        ArrayView3::from_shape((self.rows(), self.models, 2), &self.positions)
            .expect("every row has two positions per model")
    }

    pub(super) fn row(&self, row: usize) -> &[Option<u8>] {
        &self.positions[row * 2 * self.models..(row + 1) * 2 * self.models]
    }

    /// Takes the rows of a block that are of its share; halves the share when they become too many.
    pub(super) fn add(&mut self, block: &PositionBlock) {
        let width = 2 * self.models;
        for (row, nudge) in block.nudges.iter().enumerate() {
            self.seen += 1;
            let key = match block.chunks[row].zip(block.entries[row]) {
                Some((chunk, entry)) => (chunk, entry, true),
                None => (self.seen.cast_signed(), 0, false),
            };
            let place = match self.last {
                Some((last, place)) if last == key => place,
                _ => {
                    let hash = hash(key);
                    if !self.share.takes(hash) {
                        continue;
                    }
                    let next =
                        u32::try_from(self.hashes.len()).expect("fewer than 2^32 rows are held");
                    let place = *self.places.entry(Named { key, hash }).or_insert(next);
                    if place == next {
                        self.hashes.push(hash);
                    }
                    self.last = Some((key, place));
                    place
                }
            };
            self.scenarios.push(place);
            self.nudges.push(*nudge);
            self.positions
                .extend_from_slice(&block.positions[row * width..(row + 1) * width]);
        }
        while self.rows() > self.most && self.scenario_count() > 1 {
            self.halve();
        }
    }

    /// Lets go of the scenarios that another part takes once there are twice as many.
    fn halve(&mut self) {
        self.last = None;
        self.share.parts *= 2;
        let share = self.share;
        let kept: Vec<bool> = self.hashes.iter().map(|hash| share.takes(*hash)).collect();
        let mut moved = Vec::with_capacity(kept.len());
        let mut count = 0_u32;
        for kept in &kept {
            moved.push(count);
            count += u32::from(*kept);
        }
        let stays: Vec<bool> = self
            .scenarios
            .iter()
            .map(|place| kept[*place as usize])
            .collect();
        let width = 2 * self.models;
        let mut cell = 0;
        self.positions.retain(|_| {
            cell += 1;
            stays[(cell - 1) / width.max(1)]
        });
        keep(&mut self.nudges, &stays);
        keep(&mut self.scenarios, &stays);
        for place in &mut self.scenarios {
            *place = moved[*place as usize];
        }
        keep(&mut self.hashes, &kept);
        self.places.retain(|_, place| {
            let stays = kept[*place as usize];
            *place = moved[*place as usize];
            stays
        });
    }
}

fn keep<T>(list: &mut Vec<T>, stays: &[bool]) {
    let mut stays = stays.iter();
    list.retain(|_| *stays.next().expect("one flag each"));
}

/// Spreads keys evenly (the finaliser of `SplitMix64`, twice).
fn hash((chunk, entry, named): Key) -> u64 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let entry = mix(entry.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15));
    mix(chunk.cast_unsigned() ^ entry ^ u64::from(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(rows: std::ops::Range<i64>) -> PositionBlock {
        let mut block = PositionBlock::default();
        for row in rows {
            let position = u8::try_from(row % 7).unwrap();
            block.positions.extend([Some(position), None]);
            block.nudges.push(None);
            block.chunks.push((row % 10 != 0).then_some(1));
            // Siblings stand far apart.
            block.entries.push(Some(row % 500));
        }
        block
    }

    #[test]
    fn parts_hold_every_scenario_once_and_whole() {
        let whole = {
            let mut pool = Pool::of_most(1, Share::ALL, usize::MAX);
            pool.add(&block(0..2_000));
            pool
        };
        assert_eq!(whole.scenario_count(), 450 + 200);
        let mut share = Share::ALL;
        let (mut rows, mut scenarios) = (0, 0);
        while share.part < share.parts {
            let mut pool = Pool::of_most(1, share, 300);
            for from in [0, 700, 1_400] {
                pool.add(&block(from..(from + 700).min(2_000)));
            }
            share.parts = pool.share.parts;
            assert!(share.parts >= 8, "{} parts", share.parts);
            assert!(pool.rows() <= 300);
            assert_eq!(pool.positions.len(), 2 * pool.rows());
            let mut sizes = vec![0; pool.scenario_count()];
            for place in &pool.scenarios {
                sizes[*place as usize] += 1;
            }
            assert!(sizes.iter().all(|size| [1, 4].contains(size)), "{sizes:?}");
            rows += pool.rows();
            scenarios += pool.scenario_count();
            share.part += 1;
        }
        assert_eq!((rows, scenarios), (2_000, whole.scenario_count()));
    }
}
