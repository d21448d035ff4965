use proptest::prelude::*;
use specstress_stats::ndarray::{Array2, Axis};
use specstress_stats::{AgreementWeights, Coefficient, MeasurementLevel, agreement};

fn ratings() -> impl Strategy<Value = Array2<Option<u32>>> {
    (1_usize..12, 2_usize..5).prop_flat_map(|(subjects, raters)| {
        prop::collection::vec(prop::option::weighted(0.85, 0_u32..4), subjects * raters)
            .prop_map(move |flat| Array2::from_shape_vec((subjects, raters), flat).unwrap())
    })
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    }
}

/// Alpha from every ordered pair of ratings, without a coincidence table.
fn alpha_by_pairs(ratings: &Array2<Option<u32>>) -> Option<f64> {
    let units: Vec<Vec<f64>> = ratings
        .rows()
        .into_iter()
        .map(|row| row.iter().flatten().map(|&v| f64::from(v)).collect())
        .filter(|unit: &Vec<f64>| unit.len() > 1)
        .collect();
    let all: Vec<f64> = units.concat();
    let squares = |values: &[f64]| -> f64 {
        let pairs = values
            .iter()
            .flat_map(|a| values.iter().map(move |b| a - b));
        pairs.map(|gap| gap * gap).sum()
    };
    let n = all.len() as f64;
    let within: f64 = units
        .iter()
        .map(|u| squares(u) / (u.len() as f64 - 1.0))
        .sum();
    let total = squares(&all) / (n - 1.0);
    (total > 0.0).then(|| 1.0 - within / total)
}

proptest! {
    #[test]
    fn interval_alpha_equals_the_sum_over_pairs(ratings in ratings()) {
        let level = MeasurementLevel::Interval;
        let found = agreement(ratings.view(), None, Coefficient::Krippendorff(level)).unwrap();
        prop_assert!(same(found.estimate, alpha_by_pairs(&ratings)));
    }

    #[test]
    fn names_of_labels_and_order_do_not_matter(ratings in ratings()) {
        let renamed = ratings.mapv(|label| label.map(|label| [7, 2, 90, 11][label as usize]));
        let subjects: Vec<usize> = (0..ratings.nrows()).rev().collect();
        let raters: Vec<usize> = (0..ratings.ncols()).rev().collect();
        let turned = renamed.select(Axis(0), &subjects);
        let turned = turned.select(Axis(1), &raters);
        for coefficient in [
            Coefficient::Percent,
            Coefficient::Fleiss,
            Coefficient::Krippendorff(MeasurementLevel::Nominal),
            Coefficient::Gwet(AgreementWeights::Identity),
        ] {
            let a = agreement(ratings.view(), None, coefficient).unwrap();
            let b = agreement(turned.view(), None, coefficient).unwrap();
            prop_assert!(same(a.estimate, b.estimate), "{coefficient:?}");
            prop_assert_eq!((a.n, a.dropped), (b.n, b.dropped));
        }
    }

    #[test]
    fn cohen_quadratic_is_the_squared_gap_against_all_pairings(ratings in ratings()) {
        let two = ratings.select(Axis(1), &[0, 1]);
        let weights = AgreementWeights::Quadratic;
        let found = agreement(two.view(), None, Coefficient::Cohen(weights)).unwrap();
        let pairs: Vec<(f64, f64)> = two
            .rows()
            .into_iter()
            .filter_map(|row| Some((f64::from(row[0]?), f64::from(row[1]?))))
            .collect();
        let n = pairs.len() as f64;
        let own: f64 = pairs.iter().map(|(a, b)| (a - b).powi(2)).sum();
        let any: f64 = pairs
            .iter()
            .flat_map(|(a, _)| pairs.iter().map(move |(_, b)| (a - b).powi(2)))
            .sum();
        let wanted = (any > 0.0).then(|| 1.0 - own * n / any);
        prop_assert!(same(found.estimate, wanted));
    }
}
