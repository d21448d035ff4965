//! Rates against public libraries; `tests/golden/golden.py` prints the numbers.

use specstress_stats::{
    Bins, Confidence, Interval, clopper_pearson_interval, cochran_armitage, enrichment,
    missing_bounds, proportion, risk_ratio,
};

fn close(found: f64, wanted: f64) {
    assert!(
        (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
        "{found} {wanted}"
    );
}

/// statsmodels 0.15.0, `proportion_confint(method="beta")`.
#[test]
fn clopper_pearson_matches_statsmodels() {
    for (k, n, low, high) in [
        (0, 10, 0.0, 0.308_497_107_818_760_83),
        (10, 10, 0.691_502_892_181_239_2, 1.0),
        (5, 10, 0.187_086_028_447_398_55, 0.812_913_971_552_601_5),
        (
            36,
            1000,
            0.025_338_914_929_837_725,
            0.049_492_911_718_012_37,
        ),
        (1, 50, 0.000_506_227_983_040_829_1, 0.106_469_545_711_499_93),
        (
            49_999,
            411_000,
            0.120_654_165_088_201_98,
            0.122_655_308_483_221_83,
        ),
    ] {
        let found = clopper_pearson_interval(k, n, Confidence::default())
            .unwrap()
            .unwrap();
        close(found.low, low);
        close(found.high, high);
    }
    assert_eq!(
        clopper_pearson_interval(0, 0, Confidence::default()),
        Ok(None)
    );
    assert!(clopper_pearson_interval(3, 2, Confidence::default()).is_err());
}

/// scipy 1.12.0, `stats.contingency.relative_risk`.
#[test]
fn risk_ratios_match_scipy() {
    for (exposed, base, ratio, low, high) in [
        (
            (97, 1000),
            (7, 1000),
            13.857_142_857_142_858,
            6.467_336_529_676_32,
            29.690_801_968_036_08,
        ),
        (
            (23, 100),
            (11, 110),
            2.3,
            1.182_223_380_786_794_3,
            4.474_619_675_073_077,
        ),
        (
            (1, 7),
            (3, 9),
            0.428_571_428_571_428_55,
            0.055_935_649_162_505_61,
            3.283_656_704_405_851_6,
        ),
    ] {
        let found = risk_ratio(exposed, base, Confidence::default()).unwrap();
        close(found.ratio.unwrap(), ratio);
        close(found.interval.unwrap().low, low);
        close(found.interval.unwrap().high, high);
        assert!(!found.adjusted);
    }
}

#[test]
fn a_base_rate_of_zero_has_no_ratio_but_a_lower_end() {
    let found = risk_ratio((20, 100), (0, 100), Confidence::default()).unwrap();
    assert_eq!((found.ratio, found.adjusted), (None, true));
    assert!(found.interval.unwrap().low > 1.0);
    let nobody = risk_ratio((0, 0), (1, 3), Confidence::default()).unwrap();
    assert_eq!((nobody.ratio, nobody.interval), (None, None));
}

/// numpy 1.26.4 by the formula; statsmodels 0.15.0, `Table.test_ordinal_association`, has the
/// variance with N - 1.
#[test]
fn the_trend_test_matches_statsmodels() {
    let groups = [(7, 1000), (12, 990), (14, 1000), (49, 1000), (97, 930)];
    let found = cochran_armitage(&groups, &[0.0, 1.0, 2.0, 3.0, 4.0]).unwrap();
    let (z, n) = (found.z.unwrap(), found.n as f64);
    close(z, 12.019_728_145_185_478);
    close(z * ((n - 1.0) / n).sqrt(), 12.018_506_566_022_285);
    let p = found.p.unwrap();
    assert!((p / 2.798_907_798_960_269e-33 - 1.0).abs() < 1e-9, "{p}");
    // Moving and stretching the scores changes nothing; turning them changes the sign.
    let moved = cochran_armitage(&groups, &[5.0, 7.0, 9.0, 11.0, 13.0]).unwrap();
    close(moved.z.unwrap(), z);
    let turned = cochran_armitage(&groups, &[4.0, 3.0, 2.0, 1.0, 0.0]).unwrap();
    close(turned.z.unwrap(), -z);
    let flat = cochran_armitage(&[(0, 5), (0, 9)], &[0.0, 1.0]).unwrap();
    assert_eq!((flat.z, flat.p), (None, None));
    assert!(cochran_armitage(&[(3, 2)], &[0.0]).is_err());
    assert!(cochran_armitage(&[(1, 2)], &[f64::NAN]).is_err());
    assert_eq!(cochran_armitage(&[(1, 2)], &[0.1]).unwrap().z, None);
}

#[test]
fn bounds_hold_the_known_rate_between_them() {
    let found = missing_bounds(0, 0, 0, Confidence::default()).unwrap();
    assert_eq!((found.bounds, found.interval), (None, None));
    let all = missing_bounds(0, 0, 5, Confidence::default()).unwrap();
    assert_eq!(
        all.bounds,
        Some(Interval {
            low: 0.0,
            high: 1.0
        })
    );
    let none = missing_bounds(3, 10, 0, Confidence::default()).unwrap();
    assert_eq!(
        none.interval,
        proportion(3, 10, Confidence::default()).unwrap().interval
    );
}

#[test]
fn every_bin_has_a_ratio_with_an_interval() {
    let bins = Bins::new(&[0.0, 1.5, 3.0]).unwrap();
    let membership: Vec<_> = (0..200).map(|i| Some(i % 2)).collect();
    let events: Vec<_> = (0..200).map(|i| Some(i % 20 == 0 || i % 4 == 1)).collect();
    let found = enrichment(&bins, &membership, &events, Confidence::default()).unwrap();
    let wanted = risk_ratio((50, 100), (10, 100), Confidence::default()).unwrap();
    assert_eq!(found.bins[1].ratio_interval, wanted.interval);
    assert_eq!(found.bins[0].ratio_interval, None);
    assert!(found.trend.z > Some(5.0));
}
