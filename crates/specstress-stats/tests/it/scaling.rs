//! What must happen when all scores are moved or stretched.

use proptest::prelude::*;
use specstress_stats::ndarray::Array2;
use specstress_stats::{
    AgreementWeights, Coefficient, DisagreementParams, Dispersion, Entropy, MeanPairwiseDistance,
    MeasurementLevel, OutlierParams, PopulationStd, Range, SampleStd, agreement, disagreement,
    outliers, pearson, variance_components,
};

fn panel() -> impl Strategy<Value = Array2<Option<u8>>> {
    (2_usize..8, 1_usize..4).prop_flat_map(|(models, values)| {
        prop::collection::vec(prop::option::weighted(0.9, 0_u8..=6), models * values)
            .prop_map(move |flat| Array2::from_shape_vec((models, values), flat).unwrap())
    })
}

fn same(found: Option<f64>, wanted: Option<f64>) -> bool {
    found.is_some() == wanted.is_some()
        && (found.unwrap_or(0.0) - wanted.unwrap_or(0.0)).abs() < 1e-9
}

proptest! {
    #[test]
    fn spread_follows_the_scale_and_not_the_place(scores in panel(), by in 1_u8..9, on in 0_u8..50) {
        let moved = scores.mapv(|score| score.map(|score| u16::from(score) * u16::from(by) + u16::from(on)));
        let measures: [&dyn Dispersion; 4] =
            [&PopulationStd, &SampleStd, &Range, &MeanPairwiseDistance];
        for measure in measures {
            let params = DisagreementParams::new(measure);
            let (a, b) = (
                disagreement(scores.view(), None, &params).unwrap(),
                disagreement(moved.view(), None, &params).unwrap(),
            );
            prop_assert!(same(b.max, a.max.map(|max| max * f64::from(by))));
            prop_assert_eq!(a.widest, b.widest);
        }
        // Labels are only told apart.
        let params = DisagreementParams::new(&Entropy as &dyn Dispersion);
        let a = disagreement(scores.view(), None, &params).unwrap();
        let b = disagreement(moved.view(), None, &params).unwrap();
        prop_assert!(same(a.max, b.max));
    }

    #[test]
    fn outliers_and_components_follow_the_scale(scores in panel(), by in 1_u8..9, on in 0_u8..50) {
        let moved = scores.mapv(|score| score.map(|score| f64::from(score) * f64::from(by) + f64::from(on)));
        let rule = OutlierParams::default().count(1).unwrap();
        let wide = rule.gap(4.0 * f64::from(by)).unwrap();
        prop_assert_eq!(
            outliers(scores.view(), None, &rule).unwrap(),
            outliers(moved.view(), None, &wide).unwrap()
        );
        let (a, b) = (
            variance_components(scores.view()).unwrap(),
            variance_components(moved.view()).unwrap(),
        );
        let square = f64::from(by) * f64::from(by);
        prop_assert!(same(b.within, a.within.map(|part| part * square)));
        prop_assert!(same(b.between, a.between.map(|part| part * square)));
        prop_assert!(same(a.icc, b.icc) || a.icc.unwrap_or(0.0).abs() > 1e6);
        prop_assert_eq!((a.n, a.dropped), (b.n, b.dropped));
        if scores.ncols() > 1 {
            let r = |x: &Array2<Option<f64>>| pearson(x.column(0), x.column(1)).unwrap().r;
            let plain = scores.mapv(|score| score.map(f64::from));
            prop_assert!(same(r(&plain), r(&moved)));
        }
    }

    #[test]
    fn weighted_agreement_does_not_see_the_unit(
        flat in prop::collection::vec(prop::option::weighted(0.9, 0_u32..5), 24), by in 1_u32..7, on in 0_u32..9
    ) {
        let ratings = Array2::from_shape_vec((12, 2), flat).unwrap();
        let moved = ratings.mapv(|label| label.map(|label| label * by + on));
        for coefficient in [
            Coefficient::Cohen(AgreementWeights::Linear),
            Coefficient::Cohen(AgreementWeights::Quadratic),
            Coefficient::Krippendorff(MeasurementLevel::Ordinal),
            Coefficient::Krippendorff(MeasurementLevel::Interval),
            Coefficient::Gwet(AgreementWeights::Quadratic),
        ] {
            let a = agreement(ratings.view(), None, coefficient).unwrap();
            let b = agreement(moved.view(), None, coefficient).unwrap();
            prop_assert!(same(a.estimate, b.estimate), "{coefficient:?}");
        }
    }
}
