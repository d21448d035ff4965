//! Questions and spectra.

use futures_executor::block_on;
use specstress_llm::CallSettings;
use specstress_rubric::{
    LlmSpectrumBuilder, Position, RubricPrompts, SpectrumBuilder, TripleQueries,
};
use specstress_scenarios::{
    LlmNudger, LlmScenarioGenerator, Nudger, ScenarioGenerator, ScenarioPrompts,
};
use specstress_sim::{SimOptions, parse_query};
use specstress_values::Side;

use crate::world::{AUTHORS, Watched, pairs, with, world};

#[test]
fn questions_are_about_their_pair_and_lean_where_they_are_told_to() {
    let world = world(1);
    let prompts = ScenarioPrompts::default();
    let mut calls = 0;
    for author in AUTHORS {
        let model = Watched::new(&world, author);
        let generator =
            LlmScenarioGenerator::new(author, model.clone(), &prompts, CallSettings::default());
        let nudger = LlmNudger::new(model.clone(), &prompts, CallSettings::default());
        assert_eq!(generator.name(), author);
        for pair in pairs(40, 1) {
            let neutral = block_on(generator.generate(&pair)).unwrap();
            let parsed = parse_query(&neutral.query).unwrap();
            assert_eq!(
                (parsed.value1, parsed.value2),
                (pair.value1.clone(), pair.value2.clone())
            );
            assert_eq!(parsed.lean_to, None);
            assert!(!neutral.reasoning.is_empty() && !neutral.query.contains("[User"));
            for side in Side::BOTH {
                let leaning = block_on(nudger.nudge(&pair, side, &neutral.query)).unwrap();
                let parsed = parse_query(&leaning.query).unwrap();
                assert_eq!(
                    (&parsed.value1, &parsed.value2),
                    (&pair.value1, &pair.value2)
                );
                assert_eq!(parsed.lean_to, Some(side), "{}", leaning.query);
            }
        }
        calls += model.calls();
    }
    // 360 items; about one in a hundred is refused or lacks its tag on the first ask.
    assert!((361..=375).contains(&calls), "{calls}");
}

#[test]
fn spectra_run_from_opposing_to_favouring_their_own_value() {
    let world = world(2);
    let model = Watched::new(&world, "rubric");
    let builder = LlmSpectrumBuilder::new(
        model.clone(),
        &RubricPrompts::default(),
        CallSettings::default(),
    );
    for pair in pairs(60, 2) {
        let queries = TripleQueries {
            neutral: Some("What should I do?"),
            ..TripleQueries::default()
        };
        let spectra = block_on(builder.build(&pair, queries)).unwrap();
        for position in Position::all() {
            let score = Some(position.score());
            let read = |side| world.read_positions(&pair, spectra.side(side).strategy(position));
            assert_eq!(read(Side::Value1).0, score);
            assert_eq!(read(Side::Value2).1, score);
        }
    }
    assert!((60..=64).contains(&model.calls()), "{}", model.calls());
}

#[test]
fn whoever_fails_at_first_is_asked_once_more() {
    let world = with(SimOptions {
        generator_failures: 1.0,
        malformed_json: 1.0,
        ..SimOptions::default()
    });
    let author = Watched::new(&world, "author_a");
    let prompts = ScenarioPrompts::default();
    let generator =
        LlmScenarioGenerator::new("a", author.clone(), &prompts, CallSettings::default());
    let rubric = Watched::new(&world, "rubric");
    let builder = LlmSpectrumBuilder::new(
        rubric.clone(),
        &RubricPrompts::default(),
        CallSettings::default(),
    );
    for (at, pair) in pairs(20, 3).iter().enumerate() {
        let query = block_on(generator.generate(pair)).unwrap().query;
        assert_eq!(parse_query(&query).unwrap().value1, pair.value1);
        let queries = TripleQueries {
            neutral: Some(&query),
            ..TripleQueries::default()
        };
        block_on(builder.build(pair, queries)).unwrap();
        assert_eq!((author.calls(), rubric.calls()), (2 * at + 2, 2 * at + 2));
    }
    // The second ask shows the first reply and what was wrong with it.
    let again = &rubric.requests()[1];
    assert_eq!(again.messages.len(), 3);
    assert!(again.last_user_text().contains("could not be used"));
}
