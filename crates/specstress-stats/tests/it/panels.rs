use proptest::prelude::*;
use specstress_stats::ndarray::Array3;
use specstress_stats::{
    DisagreementParams, Dispersion, Entropy, MeanPairwiseDistance, MissingPolicy, PopulationStd,
    Range, SampleStd, Score, StatsError, Threshold, disagreement, disagreement_panels,
};

fn scores() -> impl Strategy<Value = Array3<Option<u8>>> {
    (0_usize..150, 2_usize..6, 1_usize..4).prop_flat_map(|(scenarios, models, values)| {
        prop::collection::vec(
            prop::option::weighted(0.9, 0_u8..=6),
            scenarios * models * values,
        )
        .prop_map(move |flat| Array3::from_shape_vec((scenarios, models, values), flat).unwrap())
    })
}

fn same<S: Score>(scores: &Array3<S>, params: &DisagreementParams<&(dyn Dispersion + Sync)>) {
    let models = scores.dim().1;
    let all: Vec<usize> = (0..models).collect();
    let panels: [&[usize]; 3] = [&all, &all[..2], &[models - 1]];
    let found = disagreement_panels(scores.view(), &panels, params).unwrap();
    for (panel, found) in panels.iter().zip(&found) {
        assert_eq!(found.len(), scores.dim().0);
        for (matrix, found) in scores.outer_iter().zip(found.iter()) {
            let wanted = disagreement(matrix, Some(panel), params).unwrap();
            assert_eq!(found.max(), wanted.max);
            assert_eq!(found.max_square(), wanted.max_square);
            assert_eq!(found.widest(), wanted.widest);
            assert_eq!((found.n(), found.missing()), (wanted.n, wanted.missing));
            assert_eq!(found.is_high(), wanted.high);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn panels_in_one_pass_equal_scenarios_one_by_one(scores in scores()) {
        let measures: [&(dyn Dispersion + Sync); 5] =
            [&PopulationStd, &SampleStd, &Range, &MeanPairwiseDistance, &Entropy];
        for measure in measures {
            for rule in
                [MissingPolicy::DropModel, MissingPolicy::DropScore, MissingPolicy::RequireAll]
            {
                let params = DisagreementParams::new(measure).missing(rule);
                same(&scores, &params);
                same(&scores, &params.threshold(Threshold::new(std::f64::consts::SQRT_2).unwrap()));
            }
        }
        let plain = DisagreementParams::new(measures[0]);
        same(&scores.mapv(|score| score.unwrap_or(3)), &plain);
        same(&scores.mapv(|score| score.map(|score| u16::from(score) * 10_922)), &plain);
        same(&scores.mapv(|score| score.map(|score| f64::from(score) / 3.0)), &plain);
        // A view whose scenarios are not contiguous.
        let turned = scores.view().reversed_axes().to_owned().reversed_axes();
        same(&turned, &plain);
    }
}

#[test]
fn bad_panels_and_scores_are_named() {
    let mut scores = Array3::from_elem((100, 3, 2), 1.0);
    scores[[70, 1, 0]] = f64::NAN;
    let params = DisagreementParams::default();
    let found = disagreement_panels(scores.view(), &[&[0, 1]], &params);
    assert!(matches!(
        found,
        Err(StatsError::Scenario { scenario: 70, .. })
    ));
    assert!(disagreement_panels(scores.view(), &[&[0, 2]], &params).is_ok());
    assert_eq!(
        disagreement_panels(scores.view(), &[&[3]], &params),
        Err(StatsError::SubsetIndex {
            index: 3,
            models: 3
        })
    );
    assert_eq!(
        disagreement_panels(scores.view(), &[&[]], &params),
        Err(StatsError::EmptySubset)
    );
}
