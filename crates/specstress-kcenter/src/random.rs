/// The generator `SplitMix64` (Steele, Lea, Flood 2014). Draws of one start row and of a random
/// rotation are all this crate needs, which spares its users the dependency on a generator.
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, off uniform by at most `bound / 2^64`: the high part of a
    /// 128-bit product.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next()) * bound as u128;
        usize::try_from(product >> 64).expect("the draw is below a usize")
    }

    /// A number in [-1, 1).
    pub(crate) fn symmetric(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_reference() {
        // The first output of state 0 in the reference code.
        assert_eq!(SplitMix64::new(0).next(), 0xe220_a839_7b1d_cdaf);
        // floor(1000 * draw / 2^64), worked out apart from this code.
        let drawn: Vec<usize> = (0..4)
            .map(|seed| SplitMix64::new(seed).below(1000))
            .collect();
        assert_eq!(drawn, [883, 566, 591, 113]);
        let mut numbers = SplitMix64::new(7);
        assert!((0..1000).all(|_| (-1.0..1.0).contains(&numbers.symmetric())));
    }
}
