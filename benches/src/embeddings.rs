//! Generated embeddings with the profile of text models, the same everywhere.

/// How the variance falls over the directions of the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spectrum {
    /// As `1 / (j + 10)`: the first 64 directions hold 45 % at 768 dimensions, 34 % at 3,072. Embeddings of text fall
    /// about so, or faster.
    Falling,
    /// The same in all directions, where projections tell least: harder than any embeddings of text.
    Flat,
}

/// Vectors of length 1: a common direction and 300 topics, so that random pairs have cosines of 0.5 to 0.7, and rows in
/// threes with cosines of 0.90 to 0.95 among themselves.
#[derive(Debug)]
pub struct Space {
    dimensions: usize,
    seed: u64,
    spread: Vec<f32>,
    common: Vec<f32>,
    topics: Vec<Vec<f32>>,
}

impl Space {
    /// A space; equal arguments give equal rows.
    pub fn new(dimensions: usize, spectrum: Spectrum, seed: u64) -> Self {
        let spread = |j: usize| match spectrum {
            Spectrum::Falling => ((j + 10) as f32).sqrt().recip(),
            Spectrum::Flat => 1.0,
        };
        let mut space = Self {
            dimensions,
            seed,
            spread: (0..dimensions).map(spread).collect(),
            common: Vec::new(),
            topics: Vec::new(),
        };
        let mut numbers = Numbers(seed);
        space.common = space.direction(&mut numbers);
        space.topics = (0..300).map(|_| space.direction(&mut numbers)).collect();
        space
    }

    /// So many rows, one after the other.
    pub fn rows(&self, count: usize) -> Vec<f32> {
        let mut flat = vec![0.0; count * self.dimensions];
        self.fill(0, &mut flat);
        flat
    }

    /// Fills `flat` with rows from `first` on; the same rows whatever is filled at once.
    pub fn fill(&self, first: usize, flat: &mut [f32]) {
        for (at, row) in flat.chunks_exact_mut(self.dimensions).enumerate() {
            let at = first + at;
            let mut family = Numbers(self.seed ^ ((at / 3 + 1) as u64).wrapping_mul(0x9e37_79b9));
            let apart = 0.075 + 0.025 * family.next();
            let topic = &self.topics[(at / 3 * 7919) % self.topics.len()];
            let own = self.direction(&mut family);
            for (j, x) in row.iter_mut().enumerate() {
                *x = 0.74 * self.common[j] + 0.35 * topic[j] + 0.57 * own[j];
            }
            normalise(row);
            let noise = self.direction(&mut Numbers(
                !self.seed ^ (at as u64).wrapping_mul(0x85eb_ca6b),
            ));
            for (x, noise) in row.iter_mut().zip(noise) {
                *x = (1.0 - apart).sqrt() * *x + apart.sqrt() * noise;
            }
            normalise(row);
        }
    }

    fn direction(&self, numbers: &mut Numbers) -> Vec<f32> {
        let mut vector: Vec<f32> = self.spread.iter().map(|s| s * numbers.next()).collect();
        normalise(&mut vector);
        vector
    }
}

/// Weights from 1.5 to 3, as disagreements that count as high lie.
pub fn weights(rows: usize) -> Vec<f64> {
    let mut numbers = Numbers(7);
    (0..rows)
        .map(|_| 2.25 + 0.75 * f64::from(numbers.next()))
        .collect()
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in vector {
        *x /= length;
    }
}

/// `SplitMix64`, as numbers in [-1, 1).
#[derive(Debug)]
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}
