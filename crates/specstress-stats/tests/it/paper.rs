use specstress_stats::ndarray::Array2;
use specstress_stats::{agreement_matrix, fleiss_kappa};

/// Ratings of three judges with the flag rates and pairwise agreements the paper prints.
///
/// Binary labels fix every pairwise cell: `p_ij = (a_ij - 1 + p_i + p_j) / 2`. Per 100,000
/// responses that is 25,560, 28,495 and 24,420; the share flagged by all three is free, and
/// kappa does not depend on it.
fn judges(all_three: usize) -> Array2<Option<u32>> {
    let (p12, p13, p23) = (25_560, 28_495, 24_420);
    let patterns = [
        ([1, 1, 1], all_three),
        ([1, 1, 0], p12 - all_three),
        ([1, 0, 1], p13 - all_three),
        ([0, 1, 1], p23 - all_three),
        ([1, 0, 0], 48_100 + all_three - p12 - p13),
        ([0, 1, 0], 35_500 + all_three - p12 - p23),
        ([0, 0, 1], 36_500 + all_three - p13 - p23),
    ];
    let mut flat = Vec::new();
    for (labels, count) in patterns {
        for _ in 0..count {
            flat.extend(labels.map(Some));
        }
    }
    flat.resize(3 * 100_000, Some(0));
    Array2::from_shape_vec((100_000, 3), flat).unwrap()
}

#[test]
fn the_printed_judge_rates_give_kappa_0_4220() {
    for all_three in [20_000, 22_000] {
        let ratings = judges(all_three);
        let shares: Vec<_> = agreement_matrix(ratings.view())
            .unwrap()
            .pairs
            .iter()
            .map(|pair| pair.share)
            .collect();
        assert_eq!(shares, [Some(0.6752), Some(0.7239), Some(0.7684)]);

        let found = fleiss_kappa(ratings.view()).unwrap();
        assert!((found.observed.unwrap() - 0.7225).abs() < 5e-5);
        assert!((found.expected.unwrap() - 0.5199).abs() < 5e-5);
        assert!((found.categories[1].1 - 0.4003).abs() < 5e-5);
        assert!((found.kappa.unwrap() - 0.4220).abs() < 5e-5);
    }
}
