//! Places of answers on spectra.

use futures_executor::block_on;
use specstress_llm::CallSettings;
use specstress_rubric::{
    Answer, ClassificationTask, Classifier, LlmClassifier, LlmSpectrumBuilder, RubricPrompts,
    SpectrumBuilder, SpectrumPair, TripleQueries,
};
use specstress_sim::{SimOptions, SimWorld};
use specstress_values::ValuePair;

use crate::world::{Watched, answers, questions, share, with, world};

pub(crate) fn spectra(world: &SimWorld, pair: &ValuePair, query: &str) -> SpectrumPair {
    let model = world.model("rubric").unwrap();
    let builder =
        LlmSpectrumBuilder::new(model, &RubricPrompts::default(), CallSettings::default());
    let queries = TripleQueries {
        neutral: Some(query),
        ..TripleQueries::default()
    };
    block_on(builder.build(pair, queries)).unwrap()
}

pub(crate) fn shown<'a>(answers: &'a [(&'static str, String)]) -> Vec<Answer<'a>> {
    answers
        .iter()
        .map(|(model, text)| Answer { model, text })
        .collect()
}

/// Shares of positions read exactly and within one, and calls per question.
fn read_back(world: &SimWorld, classifier: &LlmClassifier<Watched>) -> (f64, f64) {
    let (mut exact, mut near, mut count) = (0, 0, 0);
    for (pair, query) in questions(world, 45, 4) {
        let answers = answers(world, &query);
        let task = ClassificationTask {
            pair: &pair,
            query: &query,
            answers: &shown(&answers),
            spectra: &spectra(world, &pair, &query),
        };
        let placed = block_on(classifier.classify(&task)).unwrap();
        assert!(placed.keys().eq({
            let mut keys: Vec<&str> = answers.iter().map(|(key, _)| *key).collect();
            keys.sort_unstable();
            keys
        }));
        for (key, place) in placed {
            let truth = world.truth(&pair, &query, &key).written;
            for (rating, written) in [(place.value1, truth.0), (place.value2, truth.1)] {
                count += 1;
                exact += usize::from(rating.position.score() == written);
                near += usize::from(rating.position.score().abs_diff(written) <= 1);
                assert!((0.0..=1.0).contains(&rating.confidence));
            }
        }
    }
    assert!(count > 1000);
    (share(exact, count), share(near, count))
}

#[test]
fn positions_read_back_equal_what_was_written() {
    let world = world(4);
    let prompts = RubricPrompts::default();
    let model = Watched::new(&world, "rubric");
    let plain = LlmClassifier::new(model.clone(), &prompts, CallSettings::default());
    let (exact, near) = read_back(&world, &plain);
    // The reader is off by one at 8 % of the positions.
    assert!((0.85..1.0).contains(&exact), "{exact}");
    assert!(near >= 0.99, "{near}");
    assert!((45..=48).contains(&model.calls()), "{}", model.calls());
    assert!(model.requests()[0].last_user_text().contains("alder_grand"));
}

#[test]
fn blinded_and_shuffled_answers_come_back_under_their_own_names() {
    let world = world(4);
    let model = Watched::new(&world, "rubric");
    let hidden = LlmClassifier::new(
        model.clone(),
        &RubricPrompts::default(),
        CallSettings::default(),
    )
    .shuffled(Some(9))
    .blinded(true);
    let (exact, near) = read_back(&world, &hidden);
    assert!((0.85..1.0).contains(&exact), "{exact}");
    assert!(near >= 0.99, "{near}");
    for request in model.requests() {
        let text = request.messages[0].text();
        assert!(text.contains("model_1") && request.schema.is_some());
        for persona in world.panel() {
            assert!(!text.contains(persona.key), "{}", persona.key);
        }
    }
}

#[test]
fn half_a_reply_is_not_taken_for_a_whole_one() {
    let world = with(SimOptions {
        malformed_json: 1.0,
        reading_noise: 0.0,
        blocked: 0.0,
        truncated: 0.0,
        ..SimOptions::default()
    });
    let model = Watched::new(&world, "rubric");
    let classifier = LlmClassifier::new(
        model.clone(),
        &RubricPrompts::default(),
        CallSettings::default(),
    );
    let (exact, _) = read_back(&world, &classifier);
    assert!(exact > 0.999, "{exact}");
    assert_eq!(model.calls(), 90, "45 questions, each asked twice");
}
