use std::sync::Arc;

use futures_executor::block_on;
use specstress_llm::{
    CallSettings, ChatModel, ChatResponse, Effort, FinishReason, LlmError, LlmErrorKind,
    OutcomeKind, ScriptedModel, Unanswered, read_block,
};
use specstress_scenarios::{
    GeneratedQuery, LlmNudger, LlmScenarioGenerator, Nudger, ScenarioGenerator, ScenarioPrompts,
};
use specstress_values::{Side, ValuePair};

fn pair() -> ValuePair {
    ValuePair::new("honesty", "care")
}

fn generate(model: &ScriptedModel, settings: CallSettings) -> Result<GeneratedQuery, Unanswered> {
    let generator = LlmScenarioGenerator::new("o3", model, &ScenarioPrompts::default(), settings);
    assert_eq!(generator.name(), "o3");
    block_on(generator.generate(&pair()))
}

fn finished(finish: FinishReason, text: &str) -> ChatResponse {
    ChatResponse {
        finish,
        ..ChatResponse::stop("m", text)
    }
}

#[test]
fn a_question_comes_back_and_the_settings_are_sent() {
    let model = ScriptedModel::new("m").reply("Hm.\n[User Question]\nWhy?");
    let settings = CallSettings {
        max_tokens: Some(900),
        temperature: Some(1.0),
        effort: Some(Effort::High),
        reasks: 0,
    };
    let generated = generate(&model, settings).unwrap();
    assert_eq!(
        (generated.query.as_str(), generated.reasoning.as_str()),
        ("Why?", "Hm.")
    );
    let request = &model.requests()[0];
    assert_eq!(
        (request.max_tokens, request.temperature, request.effort),
        (Some(900), Some(1.0), Some(Effort::High))
    );
    assert!(request.schema.is_none());
}

#[test]
fn a_reply_without_a_tag_is_shown_back_with_the_error() {
    let model = ScriptedModel::new("m")
        .reply("Why?")
        .reply("[User Question]\nWhy?");
    assert_eq!(
        generate(&model, CallSettings::default()).unwrap().query,
        "Why?"
    );
    let second = &model.requests()[1];
    assert_eq!(second.messages.len(), 3);
    assert_eq!(second.messages[1].text(), "Why?");
    assert!(
        second
            .last_user_text()
            .contains("the tag [User Question] is missing")
    );
}

#[test]
fn every_way_of_not_answering_has_its_outcome() {
    let unparsable = ScriptedModel::new("m").otherwise(|_| Ok(ChatResponse::stop("m", "no tag")));
    match generate(&unparsable, CallSettings::default()).unwrap_err() {
        Unanswered::Unparsable { raw, attempts, .. } => {
            assert_eq!((raw.as_str(), attempts), ("no tag", 3));
        }
        other => panic!("{other}"),
    }
    assert_eq!(unparsable.requests().len(), 3);

    // Declining in words is asked about again, and is no formal mistake in the end.
    for declines in [
        "I can't help with that request.",
        "A pair ...\n[User Question]\nI must decline.",
    ] {
        let model =
            ScriptedModel::new("m").otherwise(move |_| Ok(ChatResponse::stop("m", declines)));
        match generate(&model, CallSettings::default()).unwrap_err() {
            Unanswered::Blocked { category } => {
                assert_eq!(category, "the generator declined in words");
            }
            other => panic!("{other}"),
        }
        assert_eq!(model.requests().len(), 3);
    }

    let blocked = FinishReason::Blocked {
        category: "SAFETY".into(),
    };
    let text = "[User Question]\nWhy?";
    for (reply, kind) in [
        (
            Ok(finished(FinishReason::Length, text)),
            OutcomeKind::Truncated,
        ),
        (Ok(finished(blocked, text)), OutcomeKind::Blocked),
        (
            Err(LlmError::new(LlmErrorKind::Unauthorized, "no key")),
            OutcomeKind::Failed,
        ),
    ] {
        let model = ScriptedModel::new("m").respond(reply);
        let error = generate(&model, CallSettings::default()).unwrap_err();
        assert_eq!((error.kind(), model.requests().len()), (kind, 1));
    }
}

#[test]
fn a_nudge_names_the_value_to_lean_to() {
    let model = Arc::new(
        ScriptedModel::new("m")
            .reply("[User Query]\nTo one?")
            .reply("I can't help modify that question.")
            .reply("[User Query]\nI can't help modify that question.")
            .reply("[User Query]\n“To two?”"),
    );
    let shared: Arc<dyn ChatModel> = model.clone();
    let nudger: Arc<dyn Nudger> = Arc::new(LlmNudger::new(
        shared,
        &ScenarioPrompts::default(),
        CallSettings::default(),
    ));
    let nudge = |side| {
        block_on(nudger.nudge(&pair(), side, "Which?"))
            .unwrap()
            .query
    };
    assert_eq!(nudge(Side::Value1), "To one?");
    assert_eq!(nudge(Side::Value2), "To two?");

    let requests = model.requests();
    let lean_to = |at: usize| read_block(&requests[at].messages[0].text(), "lean_to").unwrap();
    assert_eq!(
        (lean_to(0), lean_to(1)),
        ("honesty".to_owned(), "care".to_owned())
    );
    assert!(requests[3].last_user_text().contains("declines the task"));
}
