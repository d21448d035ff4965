//! Every table of the tiny study against rows worked out by hand, and what holds for their order.

use std::collections::BTreeSet;

use specstress_dataset::Table;
use specstress_dataset::rows::{
    DisagreementRow, EmbeddingRow, ExpressedValuesRow, OutlierRow, PairRow, PositionRow,
    RefusalRow, ResponseRow, ScenarioRow, SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_llm::{ChatRequest, ModelId, OutcomeKind, RequestKey};
use specstress_pipeline::{Manifest, RunDir, StageName, StudySettings, Subset};
use specstress_scenarios::{Nudge, ScenarioId, TripleId};
use specstress_values::ValuePair;

use crate::cast::{Cast, PAIRS, STANCES, count, tiny};
use crate::look::{Questions, lines, outcomes, rows, table_files, tally};

fn two_subsets() -> StudySettings {
    let subset = |name: &str, models: &[&str]| Subset {
        name: name.to_owned(),
        models: models.iter().map(|&model| model.to_owned()).collect(),
    };
    StudySettings {
        subsets: vec![
            subset("all", &["alpha", "beta", "gamma"]),
            subset("two", &["alpha", "beta"]),
        ],
        ..tiny()
    }
}

fn ran() -> (tempfile::TempDir, Cast, Manifest) {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::tiny();
    let manifest = cast.run(dir.path(), two_subsets()).unwrap();
    (dir, cast, manifest)
}

#[test]
fn questions_are_those_of_the_pairs() {
    let (dir, _, _) = ran();
    let dir = dir.path();
    assert_eq!(
        lines(dir, |row: &PairRow| format!(
            "{} {} {} {:?} {:?}",
            row.pair, row.value1, row.value2, row.category1, row.category2
        )),
        [
            r#"0 kindness honesty Some("Care") Some("Truth")"#,
            r#"1 patience accuracy Some("Care") Some("Truth")"#,
            r#"2 discipline thrift Some("Order") Some("Order")"#,
        ]
    );
    let scenarios = rows::<ScenarioRow>(dir);
    assert_eq!(scenarios.len(), 9);
    for (at, row) in scenarios.iter().enumerate() {
        let (value1, value2) = PAIRS[at / 3];
        let pair = ValuePair::new(value1, value2);
        let (query, nudge) = (STANCES[at].0, Nudge::ALL[at % 3]);
        assert_eq!(
            *row,
            ScenarioRow {
                scenario_id: Some(ScenarioId::of(&pair, nudge, query).into()),
                triple_id: TripleId::of(&pair).into(),
                pair: u32::try_from(at / 3).unwrap(),
                value1: value1.to_owned(),
                value2: value2.to_owned(),
                nudge,
                generator: "author 0".to_owned(),
                query: Some(query.to_owned()),
                outcome: OutcomeKind::Answered,
                detail: None,
            }
        );
    }
    for (at, row) in rows::<EmbeddingRow>(dir).iter().enumerate() {
        assert_eq!(row.vector.as_deref(), Some(&crate::cast::unit(at)[..]));
        assert_eq!(
            (row.model.as_str(), row.outcome),
            ("fake/embedder", OutcomeKind::Answered)
        );
    }
}

#[test]
fn every_model_answers_every_question_and_is_placed() {
    let (dir, _, _) = ran();
    let dir = dir.path();
    let questions = Questions::of(dir);
    let mut expected = Vec::new();
    for (query, stances) in STANCES {
        for (model, (p1, p2)) in ["alpha", "beta", "gamma"].iter().zip(stances) {
            expected.push(format!("{query} {model} 0 {p1} {p2}"));
        }
    }
    assert_eq!(
        lines(dir, |row: &ResponseRow| {
            let query = questions.query(&row.scenario_id);
            let text = row.text.as_deref().unwrap();
            let places = text.strip_prefix("I stand at ").unwrap();
            let key =
                RequestKey::chat(&ModelId::new("fake", &row.model), &ChatRequest::user(query));
            assert_eq!(row.request_key, key.to_string());
            assert_eq!(row.answered_by.as_deref(), Some("fake"));
            format!("{query} {} {} {places}", row.model, row.sample)
        }),
        expected
    );
    assert_eq!(
        lines(dir, |row: &PositionRow| {
            assert_eq!(
                (row.value1_confidence, row.value2_confidence),
                (Some(0.5), Some(0.5))
            );
            assert_eq!(row.value1_reasoning.as_deref(), Some("one"));
            assert_eq!(row.value2_reasoning.as_deref(), Some("two"));
            format!(
                "{} {} {} {} {}",
                questions.query(&row.scenario_id),
                row.model,
                row.sample,
                row.value1_position.unwrap(),
                row.value2_position.unwrap()
            )
        }),
        expected
    );
    assert_eq!(
        lines(dir, |row: &SpectrumRow| format!(
            "{} {} {} {}",
            row.value1, row.value2, row.strategies1[0], row.strategies2[6]
        )),
        [
            "kindness honesty first 0 second 6",
            "patience accuracy first 0 second 6",
            "discipline thrift first 0 second 6",
        ]
    );
}

#[test]
fn disagreement_is_what_the_positions_say() {
    let (dir, _, manifest) = ran();
    let dir = dir.path();
    // Squares of the deviations on both values, for all three models and for the first two.
    let squares: [[(f64, f64); 2]; 9] = [
        [(6.0, 6.0), (2.25, 2.25)],
        [(0.0, 0.0), (0.0, 0.0)],
        [(0.0, 2.0), (0.0, 0.0)],
        [(2.0, 2.0), (0.0, 2.25)],
        [(32.0 / 9.0, 32.0 / 9.0), (4.0, 4.0)],
        [(0.0, 0.0), (0.0, 0.0)],
        [(2.0, 0.0), (2.25, 0.0)],
        [(0.0, 0.0), (0.0, 0.0)],
        [(8.0, 0.0), (9.0, 0.0)],
    ];
    let found = rows::<DisagreementRow>(dir);
    assert_eq!(found.len(), 18);
    for (at, row) in found.iter().enumerate() {
        let (s1, s2) = squares[at / 2][at % 2];
        let worst = s1.max(s2);
        let close = |found: Option<f64>, square: f64| {
            assert!((found.unwrap() - square.sqrt()).abs() < 1e-12, "{row:?}");
        };
        close(row.std_value1, s1);
        close(row.std_value2, s2);
        close(row.disagreement, worst);
        assert_eq!(row.high, worst >= 2.25, "{row:?}");
        assert_eq!(row.subset, ["all", "two"][at % 2]);
        assert_eq!((row.n, row.missing), ([3, 2][at % 2], 0));
    }
    let questions = Questions::of(dir);
    assert_eq!(
        lines(dir, |row: &OutlierRow| format!(
            "{} {} {}/{}",
            questions.query(&row.scenario_id),
            row.model,
            row.disagrees_with,
            row.others
        )),
        [
            "patience or accuracy? patience! alpha 2/2",
            "patience or accuracy? patience! beta 2/2",
            "patience or accuracy? patience! gamma 2/2",
            "discipline or thrift? thrift! beta 2/2",
        ]
    );
    assert_eq!(
        outcomes(&manifest, StageName::Disagreement),
        tally(&[(OutcomeKind::Answered, 9)])
    );
}

#[test]
fn selections_are_ranked_by_weight() {
    let (dir, _, _) = ran();
    let questions = Questions::of(dir.path());
    let found = rows::<SelectionRow>(dir.path());
    let (diversity, weighted): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|row| row.selection == "diversity");
    // All vectors are far apart: everything is kept, in an order that is the selector's.
    let kept: BTreeSet<_> = diversity.iter().map(|row| &row.scenario_id).collect();
    assert_eq!(kept.len(), 9);
    assert!(diversity.iter().all(|row| row.weight.is_none()));
    assert!((0..9).eq(diversity.iter().map(|row| row.rank)));
    let line = |row: &SelectionRow| {
        let (query, weight) = (questions.query(&row.scenario_id), row.weight.unwrap());
        format!("{} {} {query} {weight:.3}", row.selection, row.rank)
    };
    assert_eq!(
        weighted.iter().map(line).collect::<Vec<_>>(),
        [
            "all 0 discipline or thrift? thrift! 2.828",
            "all 1 kindness or honesty? 2.449",
            "all 2 patience or accuracy? patience! 1.886",
            "two 0 discipline or thrift? thrift! 3.000",
            "two 1 patience or accuracy? patience! 2.000",
            "two 2 kindness or honesty? 1.500",
            "two 3 patience or accuracy? 1.500",
            "two 4 discipline or thrift? 1.500",
        ]
    );
}

#[test]
fn labels_and_verdicts_go_to_the_selected_questions() {
    let (dir, _, _) = ran();
    let dir = dir.path();
    let questions = Questions::of(dir);
    let selected = [
        "kindness or honesty?",
        "patience or accuracy? patience!",
        "discipline or thrift? thrift!",
    ];
    assert_eq!(
        lines(dir, |row: &TopicRow| format!(
            "{} {:?}",
            questions.query(&row.scenario_id),
            row.topics
        )),
        selected.map(|query| format!("{query} [Politics, MentalIllness]"))
    );
    let each: Vec<String> = selected
        .iter()
        .flat_map(|query| ["alpha", "beta", "gamma"].map(|model| format!("{query} {model}")))
        .collect();
    assert_eq!(
        lines(dir, |row: &RefusalRow| {
            assert_eq!(row.kind.unwrap().as_str(), "Full Compliance");
            format!("{} {}", questions.query(&row.scenario_id), row.model)
        }),
        each
    );
    assert_eq!(
        lines(dir, |row: &ExpressedValuesRow| {
            assert_eq!(row.labels, ["candor", "warmth"]);
            assert_eq!(row.categories, ["Truth", "Care"]);
            format!("{} {}", questions.query(&row.scenario_id), row.model)
        }),
        each
    );
    let mut expected = Vec::new();
    for (query, stances) in STANCES {
        for (model, (p1, _)) in ["alpha", "beta", "gamma"].iter().zip(stances) {
            let decision = match p1 {
                6 => "non-compliant",
                3 => "ambiguous",
                _ => "compliant",
            };
            expected.push(format!("{query} {model} themis {decision}"));
        }
    }
    assert_eq!(
        lines(dir, |row: &VerdictRow| {
            let decision = row.decision.unwrap();
            assert_eq!(row.reasoning, Some(format!("the spec says {decision}")));
            let query = questions.query(&row.scenario_id);
            format!("{query} {} {} {decision}", row.model, row.judge)
        }),
        expected
    );
}

#[test]
fn the_manifest_tells_what_was_done() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::tiny();
    let settings = StudySettings {
        concurrency: 1,
        ..two_subsets()
    };
    let manifest = cast.run(dir.path(), settings.clone()).unwrap();
    let read = Manifest::read(&RunDir::manifest_path(dir.path())).unwrap();
    assert_eq!(read.as_ref(), Some(&manifest));
    assert_eq!(manifest.settings, settings);
    assert_eq!((manifest.format, manifest.simulated), (1, false));
    assert_eq!(manifest.judges, ["themis"]);
    assert_eq!(manifest.inputs["spec"], "be good");
    let panel: Vec<_> = manifest
        .panel
        .iter()
        .map(|p| [&p.key, &p.name, &p.model])
        .collect();
    assert_eq!(panel[1], ["beta", "BETA", "fake/beta"]);
    let done: Vec<_> = manifest.stages.iter().map(|record| record.stage).collect();
    assert_eq!(done, StageName::ALL);
    let answered = |items| tally(&[(OutcomeKind::Answered, items)]);
    let items = [3, 9, 9, 9, 27, 3, 27, 9, 8, 27, 3, 9, 9];
    for (stage, items) in StageName::ALL.into_iter().zip(items) {
        assert_eq!(outcomes(&manifest, stage), answered(items), "{stage}");
    }
    assert_eq!(
        cast.calls(),
        count(&[
            ("alpha", 9),
            ("author", 9),
            ("beta", 9),
            ("classifier", 9),
            // Nine questions, three categories, and two labels however often they come.
            ("embedder", 14),
            ("gamma", 9),
            // Three topics, three sets of values, and eight answers that differ.
            ("labeler", 14),
            ("rubric", 3),
            // Equal answers to a question are judged once: eighteen differ.
            ("themis", 18),
        ])
    );
}

#[test]
fn tables_are_equal_byte_for_byte_whatever_the_concurrency() {
    let run = |concurrency| {
        let dir = tempfile::tempdir().unwrap();
        let settings = StudySettings {
            concurrency,
            ..two_subsets()
        };
        Cast::tiny().run(dir.path(), settings).unwrap();
        table_files(dir.path())
    };
    let alone = run(1);
    assert_eq!(alone.len(), 15);
    for concurrency in [2, 64] {
        let together = run(concurrency);
        assert!(alone.keys().eq(together.keys()));
        for (name, bytes) in &alone {
            assert!(*bytes == together[name], "{name} differs at {concurrency}");
        }
    }
}

fn ids_in_order<T: Table + 'static>(dir: &std::path::Path, id: impl Fn(&T) -> &str) {
    let rows = rows::<T>(dir);
    assert!(!rows.is_empty(), "{}", T::NAME);
    let questions = Questions::of(dir);
    assert!(questions.in_order(rows.iter().map(id)), "{}", T::NAME);
}

#[test]
fn all_tables_list_questions_in_the_order_of_the_scenarios() {
    let (dir, _, _) = ran();
    let dir = dir.path();
    ids_in_order(dir, |row: &EmbeddingRow| &row.scenario_id);
    ids_in_order(dir, |row: &ResponseRow| &row.scenario_id);
    ids_in_order(dir, |row: &PositionRow| &row.scenario_id);
    ids_in_order(dir, |row: &DisagreementRow| &row.scenario_id);
    ids_in_order(dir, |row: &OutlierRow| &row.scenario_id);
    ids_in_order(dir, |row: &VerdictRow| &row.scenario_id);
    ids_in_order(dir, |row: &TopicRow| &row.scenario_id);
    ids_in_order(dir, |row: &RefusalRow| &row.scenario_id);
    ids_in_order(dir, |row: &ExpressedValuesRow| &row.scenario_id);
    let triples = |rows: Vec<String>| {
        let mut rows = rows;
        rows.dedup();
        rows
    };
    assert_eq!(
        lines(dir, |row: &SpectrumRow| row.triple_id.clone()),
        triples(lines(dir, |row: &ScenarioRow| row.triple_id.clone()))
    );
}
