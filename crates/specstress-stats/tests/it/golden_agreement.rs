//! Coefficients against public libraries; `tests/golden/golden.py` prints the numbers.

use specstress_stats::ndarray::{Array2, Axis};
use specstress_stats::{
    AgreementWeights, Coefficient, MeasurementLevel, StatsError, agreement, category_kappa,
    fleiss_kappa,
};

const FULL: [[u32; 4]; 15] = [
    [0, 0, 1, 0],
    [1, 1, 1, 2],
    [2, 2, 2, 2],
    [0, 1, 0, 0],
    [3, 3, 2, 3],
    [4, 3, 4, 4],
    [1, 0, 1, 1],
    [2, 2, 3, 2],
    [0, 0, 0, 0],
    [4, 4, 4, 3],
    [5, 6, 5, 5],
    [6, 6, 6, 5],
    [3, 1, 3, 3],
    [2, 5, 2, 2],
    [1, 1, 1, 1],
];
/// Cells taken out of `FULL`; one row keeps a single rating.
const GAPS: [[usize; 2]; 10] = [
    [0, 1],
    [3, 0],
    [5, 3],
    [7, 2],
    [9, 0],
    [9, 1],
    [12, 0],
    [12, 1],
    [12, 2],
    [14, 1],
];
const SCALE: [u32; 7] = [0, 1, 2, 3, 4, 5, 6];

fn full() -> Array2<Option<u32>> {
    Array2::from_shape_fn((15, 4), |(i, j)| Some(FULL[i][j]))
}

fn gappy() -> Array2<Option<u32>> {
    let mut ratings = full();
    for cell in GAPS {
        ratings[cell] = None;
    }
    ratings
}

fn close(found: Option<f64>, wanted: f64) {
    assert!((found.unwrap() - wanted).abs() < 1e-9, "{found:?} {wanted}");
}

/// scikit-learn 1.9.1, `cohen_kappa_score`.
#[test]
fn cohen_matches_scikit_learn() {
    let ratings = full();
    let two = ratings.select(Axis(1), &[0, 1]);
    for (weights, wanted) in [
        (AgreementWeights::Identity, 0.523_809_523_809_523_7),
        (AgreementWeights::Linear, 0.720_496_894_409_937_9),
        (AgreementWeights::Quadratic, 0.845_921_450_151_057_5),
    ] {
        let found = agreement(two.view(), None, Coefficient::Cohen(weights)).unwrap();
        close(found.estimate, wanted);
        assert_eq!((found.n, found.dropped), (15, 0));
    }
    assert_eq!(
        agreement(
            ratings.view(),
            None,
            Coefficient::Cohen(AgreementWeights::Identity)
        ),
        Err(StatsError::RaterCount {
            raters: 4,
            needed: 2
        })
    );
}

/// krippendorff 0.9.0, `alpha`.
#[test]
fn alpha_matches_krippendorff_with_missing_votes() {
    for (level, wanted) in [
        (MeasurementLevel::Nominal, 0.515_151_515_151_515_1),
        (MeasurementLevel::Ordinal, 0.912_059_369_202_226_3),
        (MeasurementLevel::Interval, 0.896_003_851_709_195_9),
    ] {
        let found = agreement(gappy().view(), None, Coefficient::Krippendorff(level)).unwrap();
        close(found.estimate, wanted);
        assert_eq!((found.n, found.dropped), (14, 1));
    }
}

/// irrCAC 0.4.4, `CAC(...).gwet()`, categories 0 to 6.
#[test]
fn gwet_matches_irrcac_with_missing_votes() {
    for (weights, wanted, pa, pe) in [
        (
            AgreementWeights::Identity,
            0.502_458_700_318_385,
            0.571_428_571_428_571,
            0.138_621_399_176_955,
        ),
        (
            AgreementWeights::Linear,
            0.791_305_243_992_511,
            0.916_666_666_666_667,
            0.600_692_729_766_804,
        ),
        (
            AgreementWeights::Quadratic,
            0.919_108_825_593_302,
            0.980_158_730_158_73,
            0.754_716_506_630_087,
        ),
    ] {
        let found = agreement(gappy().view(), Some(&SCALE), Coefficient::Gwet(weights)).unwrap();
        close(found.estimate, wanted);
        close(found.observed, pa);
        close(found.expected, pe);
    }
}

/// statsmodels 0.15.0, `fleiss_kappa`, on the table and on one label against the rest.
#[test]
fn fleiss_matches_statsmodels() {
    let ratings = full();
    let wanted = 0.521_276_595_744_680_8;
    close(
        agreement(ratings.view(), None, Coefficient::Fleiss)
            .unwrap()
            .estimate,
        wanted,
    );
    close(fleiss_kappa(ratings.view()).unwrap().kappa, wanted);
    let by_label = category_kappa(ratings.view()).unwrap();
    for (found, wanted) in by_label.iter().zip([
        0.666_048_237_476_809,
        0.509_001_636_661_211_2,
        0.583_333_333_333_333_3,
    ]) {
        close(found.kappa, wanted);
    }
    // Fleiss' kappa is their mean, weighted by p (1 - p).
    let weight = |share: f64| share * (1.0 - share);
    let (mut sum, mut all) = (0.0, 0.0);
    for found in &by_label {
        sum += weight(found.share.unwrap()) * found.kappa.unwrap();
        all += weight(found.share.unwrap());
    }
    close(Some(sum / all), wanted);
}

#[test]
fn coefficients_that_do_not_exist_are_none() {
    let same = Array2::from_elem((5, 2), Some(3));
    for coefficient in [
        Coefficient::Cohen(AgreementWeights::Linear),
        Coefficient::Fleiss,
        Coefficient::FleissCategory(3),
        Coefficient::Krippendorff(MeasurementLevel::Ordinal),
        Coefficient::Gwet(AgreementWeights::Identity),
    ] {
        let found = agreement(same.view(), None, coefficient).unwrap();
        assert_eq!((found.estimate, found.n), (None, 5), "{coefficient:?}");
    }
    // On a scale of two labels AC1 does exist, which is its point.
    let two = Some(&[3, 4][..]);
    let found = agreement(
        same.view(),
        two,
        Coefficient::Gwet(AgreementWeights::Identity),
    );
    assert_eq!(found.unwrap().estimate, Some(1.0));
    let nobody = Array2::from_elem((5, 2), None);
    let found = agreement(nobody.view(), None, Coefficient::Percent).unwrap();
    assert_eq!((found.estimate, found.n, found.dropped), (None, 0, 5));
    assert_eq!(
        agreement(same.view(), Some(&[4]), Coefficient::Percent),
        Err(StatsError::UnknownLabel {
            row: 0,
            column: 0,
            label: 3
        })
    );
}
