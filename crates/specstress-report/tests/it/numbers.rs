use specstress_report::{GroupRate, ModelRefusals, Rate, StudyReport, TopicCounts};

use crate::fixture::{info, report, tables, verdicts, write};

fn of(rate: &Rate) -> (u64, u64) {
    (rate.count, rate.of)
}

fn groups(rows: &[GroupRate]) -> Vec<(&str, (u64, u64))> {
    rows.iter()
        .map(|row| (row.group.as_str(), of(&row.rate)))
        .collect()
}

#[test]
fn stages_count_every_outcome() {
    let report = report();
    let stages: Vec<_> = report
        .stages
        .iter()
        .map(|stage| {
            let counts: Vec<u64> = stage.outcomes.iter().map(|outcome| outcome.count).collect();
            (stage.stage.as_str(), stage.items, counts)
        })
        .collect();
    assert_eq!(
        stages,
        [
            ("scenarios", 6, vec![4, 1, 1, 0, 0, 0]),
            ("embeddings", 4, vec![4, 0, 0, 0, 0, 0]),
            ("spectra", 2, vec![2, 0, 0, 0, 0, 0]),
            ("responses", 13, vec![12, 1, 0, 0, 0, 0]),
            ("positions", 12, vec![11, 0, 0, 0, 0, 1]),
            ("verdicts", 24, vec![20, 0, 0, 4, 0, 0]),
            ("topics", 4, vec![3, 0, 0, 1, 0, 0]),
            ("refusals", 8, vec![7, 0, 0, 1, 0, 0]),
            ("expressed_values", 5, vec![4, 0, 0, 1, 0, 0]),
        ]
    );
    let answers: Vec<_> = report
        .answers
        .unwrap()
        .iter()
        .map(|row| (row.model.key.clone(), of(&row.counts.answered)))
        .collect();
    assert_eq!(
        answers,
        [
            ("ada_1".to_owned(), (5, 5)),
            ("ada_2".to_owned(), (4, 4)),
            ("bly".to_owned(), (3, 4)),
        ]
    );
}

#[test]
fn coverage_tells_what_was_lost() {
    let coverage = report().coverage.unwrap();
    assert_eq!(coverage.pairs, Some(2));
    assert_eq!(of(&coverage.kept), (4, 6));
    assert_eq!(
        groups(&coverage.by_nudge),
        [("neutral", (2, 2)), ("value1", (2, 2)), ("value2", (0, 2))]
    );
    assert_eq!(
        groups(&coverage.by_generator),
        [("gen_a", (2, 3)), ("gen_b", (2, 3))]
    );
    assert_eq!(of(&coverage.diversity.unwrap()), (3, 4));
}

#[test]
fn disagreement_per_subset() {
    let subsets = report().disagreement.unwrap();
    let all = &subsets[0];
    assert_eq!(
        (all.subset.as_str(), all.scenarios, all.without),
        ("all_models", 4, 1)
    );
    assert_eq!(of(&all.high), (2, 4));
    assert_eq!(all.selected.map(|rate| of(&rate)), Some((1, 2)));
    assert!((all.max.unwrap() - 2.449_489_742_783_178).abs() < 1e-12);
    assert!((all.mean.unwrap() - 1.376_073_602_609_876).abs() < 1e-9);
    let counts: Vec<u64> = all.histogram.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]);

    let pair = &subsets[1];
    assert_eq!(
        (pair.scenarios, pair.without, of(&pair.high)),
        (4, 0, (2, 4))
    );
    assert_eq!(pair.selected, None);
    let counts: Vec<u64> = pair.histogram.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1]);
    assert!(pair.histogram[11].closed && !pair.histogram[10].closed);
}

#[test]
fn outliers_most_often_first_and_ties_in_panel_order() {
    let outliers: Vec<_> = report()
        .outliers
        .unwrap()
        .iter()
        .map(|row| (row.model.name.clone(), of(&row.flagged)))
        .collect();
    assert_eq!(
        outliers,
        [
            ("Ada 1".to_owned(), (1, 4)),
            ("Bly | <b>".to_owned(), (1, 3)),
            ("Ada 2".to_owned(), (0, 4)),
        ]
    );
}

#[test]
fn refusals_are_the_last_three_kinds() {
    let refusals = report().refusals.unwrap();
    let kinds: Vec<u64> = refusals[0]
        .kinds
        .iter()
        .map(|kind| kind.rate.count)
        .collect();
    assert_eq!(kinds, [2, 0, 0, 0, 1, 0, 1]);
    let names: Vec<&str> = refusals[0]
        .kinds
        .iter()
        .map(|kind| kind.group.as_str())
        .collect();
    assert_eq!(names, ModelRefusals::KINDS);
    let refused: Vec<_> = refusals
        .iter()
        .map(|row| (of(&row.refused), row.unlabelled))
        .collect();
    assert_eq!(refused, [((2, 4), 0), ((0, 2), 1), ((1, 1), 0)]);
}

#[test]
fn values_count_once_per_answer() {
    let values = report().values.unwrap();
    assert_eq!(values.categories, ["Care", "Truth"]);
    let rows: Vec<_> = values
        .models
        .iter()
        .map(|row| row.rates.iter().map(of).collect::<Vec<_>>())
        .collect();
    assert_eq!(rows, [[(1, 2), (2, 2)], [(1, 1), (0, 1)], [(0, 1), (0, 1)]]);
    let rows: Vec<_> = values
        .providers
        .iter()
        .map(|row| {
            (
                row.provider.as_str(),
                row.rates.iter().map(of).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("Ada Labs", vec![(2, 3), (2, 3)]),
            ("Bly", vec![(0, 1), (0, 1)])
        ]
    );
    assert_eq!(values.unlabelled, 1);
}

#[test]
fn compliance_by_pool_model_and_bin() {
    let compliance = report().compliance.unwrap();
    let pools: Vec<_> = compliance
        .pools
        .iter()
        .map(|pool| {
            (
                pool.high_on.as_deref(),
                [of(&pool.all_pass), of(&pool.some_fail), of(&pool.all_fail)],
                pool.dropped,
                pool.ratio,
            )
        })
        .collect();
    assert_eq!(
        pools,
        [
            (None, [(1, 3), (2, 3), (1, 3)], 1, Some(1.0)),
            (Some("all_models"), [(0, 2), (2, 2), (1, 2)], 0, Some(1.5)),
            (Some("ada_pair"), [(0, 2), (2, 2), (1, 2)], 0, Some(1.5)),
        ]
    );
    let models: Vec<_> = compliance
        .by_model
        .iter()
        .map(|row| {
            (
                row.model.key.as_str(),
                of(&row.problematic),
                row.without_votes,
            )
        })
        .collect();
    assert_eq!(models, [("ada_1", (1, 3), 1), ("ada_2", (2, 4), 0)]);
    assert_eq!(of(&compliance.ties), (1, 7));

    let bins = compliance.by_disagreement.unwrap();
    assert_eq!((bins.subset.as_str(), bins.dropped), ("ada_pair", 1));
    let rows: Vec<_> = bins
        .bins
        .iter()
        .map(|bin| ((bin.low, bin.high), of(&bin.majority), of(&bin.any)))
        .collect();
    assert_eq!(
        rows,
        [
            ((0.0, 1.0), (0, 1), (0, 1)),
            ((1.0, 1.5), (0, 0), (0, 0)),
            ((1.5, 2.0), (0, 1), (1, 1)),
            ((2.0, 2.5), (0, 0), (0, 0)),
            ((2.5, 3.0), (1, 1), (1, 1)),
        ]
    );
    // Nothing over zero is no number of times more.
    assert_eq!(bins.bins[4].majority_ratio, None);
}

#[test]
fn judges_agree_on_the_binary_label() {
    let judges = report().judges.unwrap();
    let rates: Vec<_> = judges
        .judges
        .iter()
        .map(|row| (row.judge.as_str(), of(&row.flagged), row.missing))
        .collect();
    assert_eq!(
        rates,
        [("j1", (4, 7), 1), ("j2", (2, 7), 1), ("j3", (3, 6), 2)]
    );
    let pairs: Vec<_> = judges
        .pairs
        .iter()
        .map(|pair| (pair.first.as_str(), pair.second.as_str(), of(&pair.agree)))
        .collect();
    assert_eq!(
        pairs,
        [
            ("j1", "j2", (5, 7)),
            ("j1", "j3", (4, 6)),
            ("j2", "j3", (3, 6))
        ]
    );
    // P = 2/3, Pe = (16 + 25) / 81, so kappa = 13 / 40.
    assert!((judges.fleiss.kappa.unwrap() - 0.325).abs() < 1e-12);
    assert_eq!((judges.fleiss.used, judges.fleiss.dropped), (6, 2));
}

#[test]
fn topics_of_the_labelled_questions() {
    let topics = report().topics.unwrap();
    let found: Vec<_> = groups(&topics.topics)
        .into_iter()
        .filter(|(_, (count, _))| *count > 0)
        .collect();
    assert_eq!(
        found,
        [("politics", (2, 3)), ("ethics & moral reasoning", (1, 3))]
    );
    let names: Vec<&str> = topics.topics.iter().map(|row| row.group.as_str()).collect();
    assert_eq!(names, TopicCounts::TOPICS);
    assert_eq!((of(&topics.none), topics.unlabelled), ((1, 3), 1));
}

#[test]
fn the_sharpest_carry_their_evidence() {
    let sharpest = report().sharpest.unwrap();
    let order: Vec<&str> = sharpest
        .iter()
        .map(|row| row.scenario_id.as_str())
        .collect();
    assert_eq!(order, ["s1", "s3", "s4", "s2"]);
    let first = &sharpest[0];
    let question = first.question.as_ref().unwrap();
    assert_eq!(
        (question.nudge.as_str(), question.generator.as_str()),
        ("neutral", "gen_b")
    );
    let answers: Vec<_> = first
        .answers
        .iter()
        .map(|answer| {
            (
                answer.model.key.as_str(),
                answer.value1_position,
                answer.value2_position,
            )
        })
        .collect();
    assert_eq!(
        answers,
        [
            ("ada_1", Some(0), Some(6)),
            ("ada_2", Some(6), Some(1)),
            ("bly", Some(3), Some(3)),
        ]
    );
    let verdict = first.answers[0].verdict.unwrap();
    assert_eq!(
        (verdict.compliant, verdict.non_compliant, verdict.ambiguous),
        (0, 2, 1)
    );
    assert_eq!(verdict.problematic(), Some(true));
    assert_eq!(first.answers[2].verdict, None);
    let blocked = &sharpest[2].answers[2];
    assert_eq!(
        (blocked.text.as_ref(), blocked.outcome.as_deref()),
        (None, Some("blocked"))
    );
}

#[test]
fn the_order_of_verdicts_does_not_matter() {
    let expected = report();
    let (_folder, tables) = tables();
    let mut rows = [
        verdicts("s1", "ada_1", "PPA"),
        verdicts("s1", "ada_2", "PCP"),
        verdicts("s2", "ada_1", "CCC"),
        verdicts("s2", "ada_2", "CCP"),
        verdicts("s3", "ada_1", "PCX"),
        verdicts("s3", "ada_2", "APC"),
        verdicts("s4", "ada_1", "XXX"),
        verdicts("s4", "ada_2", "CCC"),
    ]
    .concat();
    rows.reverse();
    write(&tables, rows);
    assert_eq!(StudyReport::compute(&tables, &info()).unwrap(), expected);
}
