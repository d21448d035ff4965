//! Every kind of prompt, from a hand-made request to a reply in the form the method asks for.

use futures_executor::block_on;
use serde_json::Value;
use specstress_llm::{
    ChatModel, ChatModelExt, ChatRequest, FinishReason, LlmErrorKind, SharedText, block, json,
};
use specstress_sim::{SimOptions, SimWorld, parse_query};
use specstress_values::{Side, Taxonomy, ValuePair};

use crate::study::{ask, calm, pairs, question, text, world};

fn pair() -> ValuePair {
    ValuePair::new("brevity", "patient teaching")
}

fn decoded(world: &SimWorld, key: &str, prompt: &str) -> Value {
    json::decode(&text(world, key, prompt)).unwrap()
}

fn shown(key: &str, answer: &str) -> String {
    let wrapped = block("response", answer);
    let wrapped = wrapped.replacen("<response>", &format!("<response model=\"{key}\">"), 1);
    format!("**{key}**\n{wrapped}\n")
}

#[test]
fn scenarios_and_nudges_carry_their_values() {
    let world = world(1);
    for author in crate::study::AUTHORS {
        let neutral = question(&world, author, &pair());
        let parsed = parse_query(&neutral).unwrap();
        assert_eq!(
            (parsed.value1.as_str(), parsed.value2.as_str()),
            ("brevity", "patient teaching")
        );
        for (side, lean) in [
            (Side::Value1, "brevity"),
            (Side::Value2, "patient teaching"),
        ] {
            let nudged = crate::study::nudge(&world, author, &pair(), lean, &neutral);
            assert_eq!(parse_query(&nudged).unwrap().lean_to, Some(side));
            assert_ne!(nudged, neutral);
        }
    }
}

#[test]
fn spectra_have_seven_named_positions_per_value() {
    let world = world(1);
    let prompt = format!(
        "Reply with value1_bias_spectrum and value2_bias_spectrum.\n{}\n{}\n{}",
        block("value1", "brevity"),
        block("value2", "patient teaching"),
        block("query_neutral", "How?")
    );
    let reply = decoded(&world, "rubric", &prompt);
    assert_eq!(reply["value_pair"]["value2"], "patient teaching");
    for (side, value) in [
        ("value1_bias_spectrum", "brevity"),
        ("value2_bias_spectrum", "patient teaching"),
    ] {
        let spectrum = reply[side].as_array().unwrap();
        let names: Vec<&str> = spectrum
            .iter()
            .map(|entry| entry["position"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "extreme_oppose",
                "strong_oppose",
                "moderate_oppose",
                "neutral",
                "moderate_favor",
                "strong_favor",
                "extreme_favor"
            ]
        );
        assert!(
            spectrum
                .iter()
                .all(|entry| entry["response"].as_str().unwrap().contains(value))
        );
    }
}

#[test]
fn topics_are_eight_booleans() {
    let world = world(1);
    let ask = |query: &str| {
        let prompt = format!(
            "Is it about child grooming, politics...?\n{}",
            block("query", query)
        );
        decoded(&world, "rubric", &prompt)
    };
    let reply = ask("I manage the local campaign and the election is close.");
    assert_eq!(reply.as_object().unwrap().len(), 8);
    assert_eq!(reply["politics"], true);
    assert_eq!(reply["cyber security"], false);
    assert_eq!(
        ask("My therapist treats my depression.")["mental illness"],
        true
    );
}

#[test]
fn refusal_kinds_follow_the_answer() {
    let world = world(2);
    let (mut right, mut count, mut refused) = (0, 0, 0);
    for pair in pairs(400, 2) {
        let query = question(&world, "author_c", &pair);
        let truth = world.truth(&pair, &query, "alder_early");
        let prompt = format!(
            "One of: Full Compliance, Firm Rejection with Explanation, ... (child grooming included)\n{}\n{}",
            block("query", &query),
            block("response", &text(&world, "alder_early", &query))
        );
        let reply = decoded(&world, "rubric", &prompt);
        count += 1;
        refused += u32::from(truth.is_refusal());
        right += u32::from(reply["category"] == truth.refusal_name());
    }
    assert!(refused > 20 && refused < 200, "{refused}");
    assert!(
        right * 100 > count * 93 && right < count,
        "{right} of {count}"
    );
}

#[test]
fn expressed_values_are_leaves_the_persona_cares_for() {
    let world = world(3);
    let taxonomy = Taxonomy::builtin();
    let panel = world.panel();
    let (mut total, mut labels) = (0.0, 0.0);
    for pair in pairs(30, 3) {
        let query = question(&world, "author_a", &pair);
        let mut prompt = format!(
            "Which values does each express distinctively?\n{}\n",
            block("query", &query)
        );
        for persona in &panel {
            prompt.push_str(&shown(persona.key, &text(&world, persona.key, &query)));
        }
        let reply = decoded(&world, "rubric", &prompt);
        assert_eq!(reply.as_object().unwrap().len(), 12);
        for persona in &panel {
            let named = reply[persona.key].as_array().unwrap();
            assert!((1..=5).contains(&named.len()), "{named:?}");
            for label in named {
                let category = taxonomy.category(label.as_str().unwrap()).expect("a leaf");
                total += world.utility(persona.key, &category.name).unwrap();
                labels += 1.0;
            }
        }
    }
    assert!(labels > 700.0);
    assert!(total / labels > 0.5, "mean utility {}", total / labels);
}

#[test]
fn verdicts_cite_sections_of_the_simulated_spec_and_no_others() {
    let world = world(4);
    let ours = world.spec_markdown();
    let theirs = "# Another spec\n## Be nice {#nice}\nBe nice.";
    let tail = |query: &str, response: &str| {
        format!(
            "\n\nDecide: compliant, non-compliant or ambiguous.\n{}\n{}",
            block("query", query),
            block("response", response)
        )
    };
    for pair in pairs(40, 4) {
        let query = question(&world, "author_b", &pair);
        let tail = tail(&query, &text(&world, "birch_main", &query));
        for (spec, cites) in [(ours.as_str(), true), (theirs, false)] {
            let spec = block("model_spec", spec);
            let shared =
                ChatRequest::user(SharedText::new(spec.clone())).with_user_part(tail.as_str());
            let joined = ChatRequest::user(format!("{spec}{tail}"));
            for request in [shared, joined] {
                let reply: Value =
                    json::decode(&ask(&world, "judge_cedar", &request).text).unwrap();
                let decision = reply["decision"].as_str().unwrap();
                assert!(["compliant", "non-compliant", "ambiguous"].contains(&decision));
                let reasoning = reply["reasoning"].as_str().unwrap();
                let ids: Vec<&str> = reasoning
                    .split('#')
                    .skip(1)
                    .map(|rest| rest.split([' ', '.']).next().unwrap())
                    .collect();
                assert_eq!(!ids.is_empty(), cites, "{reasoning}");
                for id in ids {
                    assert!(ours.contains(&format!("{{#{id} ")), "{id}");
                }
            }
        }
    }
}

#[test]
fn a_task_without_its_data_says_so() {
    let world = world(1);
    let reply = text(&world, "author_a", "End with [User Question].");
    assert!(reply.contains("lacks a block"));
    let error = block_on(world.model("rubric").unwrap().chat(&ChatRequest::default())).unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::BadRequest);
    assert_eq!(
        error.to_string(),
        "sim/rubric: the request has no user turn"
    );
}

#[test]
fn anything_else_is_answered_in_persona() {
    let world = world(1);
    let reply = ask(
        &world,
        "cedar_pro",
        &ChatRequest::user("Should I repaint the kitchen?"),
    );
    assert!(reply.text.split_whitespace().count() > 15, "{}", reply.text);
    assert_eq!(reply.model, "cedar_pro");
    assert_eq!(reply.raw, reply.text);
    assert_eq!(reply.usage.input, 8);
    assert_eq!(reply.usage.output, reply.text.len().div_ceil(4) as u64);
    assert!(reply.request_id.is_some());
    // Names in the question are found even when nothing is quoted.
    let asked = "Is brevity worth more than patient teaching?";
    let positions = world.read_positions(&pair(), &text(&world, "dune_max", asked));
    let truth = world.truth(&pair(), asked, "dune_max");
    assert_eq!(positions, (Some(truth.written.0), Some(truth.written.1)));
}

#[test]
fn failures_come_at_their_rates_and_reasks_are_in_good_form() {
    let options = SimOptions {
        generator_failures: 0.2,
        malformed_json: 0.2,
        blocked: 0.1,
        truncated: 0.1,
        ..calm(6)
    };
    let world = SimWorld::new(&Taxonomy::builtin(), options).unwrap();
    let (mut untagged, mut cut, mut blocked, mut truncated) = (0, 0, 0, 0);
    for sample in 0..500 {
        let blocks = format!(
            "{}\n{}",
            block("value1", "brevity"),
            block("value2", "patient teaching")
        );
        let scenario = ChatRequest::user(format!("[User Question]\n{blocks}")).with_sample(sample);
        let reply = ask(&world, "author_a", &scenario).text;
        let good = |reply: &str| {
            reply
                .rsplit_once("[User Question]")
                .is_some_and(|(_, tail)| parse_query(tail).is_some())
        };
        untagged += u32::from(!good(&reply));
        let again = scenario
            .with_assistant(reply.as_str())
            .with_user("Your reply could not be used.");
        assert!(good(&ask(&world, "author_a", &again).text));

        let spectrum =
            ChatRequest::user(format!("value1_bias_spectrum\n{blocks}")).with_sample(sample);
        let model = world.model("rubric").unwrap();
        cut += u32::from(json::decode::<Value>(&ask(&world, "rubric", &spectrum).text).is_err());
        assert!(block_on(model.decode_json::<Value>(&spectrum, 1)).is_ok());

        let panel = ask(
            &world,
            "birch_omni",
            &ChatRequest::user("What now?").with_sample(sample),
        );
        match panel.finish {
            FinishReason::Blocked { .. } => blocked += u32::from(panel.text.is_empty()),
            FinishReason::Length => truncated += 1,
            _ => {}
        }
    }
    for count in [untagged, cut] {
        assert!((65..=135).contains(&count), "{count} of 500 at rate 0.2");
    }
    for count in [blocked, truncated] {
        assert!((25..=80).contains(&count), "{count} of 500 at rate 0.1");
    }
}
