use super::*;
use crate::random::SplitMix64;

#[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
fn words(draws: &mut SplitMix64, count: usize) -> Vec<i32> {
    (0..count).map(|_| draws.next() as i32).collect()
}

fn byte(word: i32, at: usize) -> i64 {
    i64::from(word.to_le_bytes()[at].cast_signed())
}

fn plain_dot(a: &[i32], b: &[i32]) -> i64 {
    let words = a.iter().zip(b);
    words
        .map(|(&a, &b)| (0..4).map(|at| byte(a, at) * byte(b, at)).sum::<i64>())
        .sum()
}

#[test]
fn every_kind_multiplies_as_the_definition_says() {
    let mut draws = SplitMix64::new(4);
    for (count, width, panels) in [(1, 16, 1), (4, 16, 4), (13, 48, 5), (6, 192, 9), (0, 16, 2)] {
        let rows = words(&mut draws, count * width);
        let points = words(&mut draws, panels * LANES * width);
        let mut columns = vec![[0; LANES]; panels * width];
        let constants: Vec<Lanes> = (0..panels)
            .map(|panel| std::array::from_fn(|lane| i32::try_from(panel * 100 + lane).unwrap()))
            .collect();
        for (at, point) in points.chunks_exact(width).enumerate() {
            for (word, &bytes) in point.iter().enumerate() {
                columns[at / LANES * width + word][at % LANES] = shifted(bytes);
            }
        }
        for simd in Simd::all() {
            let mut out = vec![[7; LANES]; count * panels];
            simd.multiply(&rows, width, &columns, &constants, &mut out);
            for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact(panels)) {
                let sum: i64 = row
                    .iter()
                    .map(|&w| (0..4).map(|k| byte(w, k)).sum::<i64>())
                    .sum();
                for (at, point) in points.chunks_exact(width).enumerate() {
                    let wanted = i64::from(constants[at / LANES][at % LANES])
                        + plain_dot(row, point)
                        + 128 * sum;
                    assert_eq!(i64::from(out[at / LANES][at % LANES]), wanted, "{simd:?}");
                }
            }
        }
    }
}

#[test]
fn every_kind_takes_the_ends_of_the_range() {
    for (a, b) in [(0x80, 0x80), (0x7f, 0x80), (0x80, 0x7f), (0x7f, 0x7f)] {
        let (a, b) = (i32::from_le_bytes([a; 4]), i32::from_le_bytes([b; 4]));
        let wanted = i32::try_from(plain_dot(&[a; 64], &[b; 64])).unwrap();
        for simd in Simd::all() {
            let found = simd.dot(&[[a; LANES]; 4], &[[b; LANES]; 4]);
            assert_eq!(found, wanted, "{simd:?}");
            let mut out = [[0; LANES]];
            simd.multiply(
                &[a; 64],
                64,
                &[[shifted(b); LANES]; 64],
                &[[0; LANES]],
                &mut out,
            );
            let shift = i32::try_from(plain_dot(&[a; 64], &[0x0101_0101; 64])).unwrap() * 128;
            assert_eq!(out, [[wanted + shift; LANES]], "{simd:?}");
        }
    }
}

#[test]
fn every_kind_finds_the_same_large_numbers() {
    let mut draws = SplitMix64::new(5);
    let values: Vec<Lanes> = (0..9)
        .map(|_| std::array::from_fn(|_| i32::try_from(draws.below(1000)).unwrap() - 500))
        .collect();
    for simd in Simd::all() {
        let flat = values.as_flattened();
        assert_eq!(simd.largest(&values), *flat.iter().max().unwrap());
        for least in [i32::MIN, -500, 0, 490, 500, i32::MAX] {
            let (mut from, mut found) = (0, Vec::new());
            while let Some((at, mask)) = simd.next_large(&values, from, least) {
                assert!(at >= from && mask != 0);
                found.extend(
                    (0..LANES)
                        .filter(|lane| mask >> lane & 1 == 1)
                        .map(|l| at * LANES + l),
                );
                from = at + 1;
            }
            let wanted: Vec<usize> = (0..flat.len()).filter(|&i| flat[i] >= least).collect();
            assert_eq!(found, wanted, "{simd:?}");
        }
    }
    assert_eq!(Simd::detect().largest(&[]), i32::MIN);
}

#[test]
fn every_kind_sums_squares_to_the_same_bits() {
    let mut draws = SplitMix64::new(6);
    for length in [0, 1, 7, 8, 9, 100, 771] {
        #[expect(clippy::cast_possible_truncation, reason = "random numbers")]
        let mut vector = || {
            (0..length)
                .map(|_| draws.symmetric() as f32)
                .collect::<Vec<_>>()
        };
        let (a, b) = (vector(), vector());
        let wanted = squared_difference_any(&a, &b).to_bits();
        for simd in Simd::all() {
            assert_eq!(
                simd.squared_difference(&a, &b).to_bits(),
                wanted,
                "{simd:?}"
            );
        }
    }
}
