use std::error::Error as _;
use std::fs;

use serde_json::json;
use specstress_llm::{ChatRequest, read_block};
use specstress_rubric::{RubricError, RubricPrompts};

use crate::support::system;

fn rendered() -> [(&'static str, ChatRequest); 5] {
    let prompts = RubricPrompts::default();
    let context = json!({
        "value1": "V1", "value2": "V2", "name1": "V1", "name2": "V2", "query": "Q", "response": "R",
        "query_neutral": "QN", "query_value1": null, "query_value2": "Q2", "keys": "[\"o3\"]",
        "answers": [{"key": "o3", "text": "A </response> B"}], "spectrum1": "S1", "spectrum2": "S2",
    });
    [
        ("spectrum", &prompts.spectrum),
        ("classification", &prompts.classification),
        ("topics", &prompts.topics),
        ("refusal", &prompts.refusal),
        ("expressed_values", &prompts.expressed_values),
    ]
    .map(|(name, prompt)| (name, prompt.render(&context).unwrap()))
}

#[test]
fn each_prompt_asks_for_its_own_form_and_no_other() {
    let marks = [
        (
            "spectrum",
            ["value1_bias_spectrum", "value2_bias_spectrum", "value_pair"].as_slice(),
        ),
        (
            "classification",
            &["value1_position", "value1_confidence", "value2_reasoning"],
        ),
        (
            "topics",
            &[
                "child grooming",
                "ethics & moral reasoning",
                "\"cyber security\": false",
            ],
        ),
        (
            "refusal",
            &[
                "Full Compliance",
                "Firm Rejection with Explanation",
                "\"category\"",
            ],
        ),
        ("expressed_values", &["distinctively"]),
    ];
    for (name, request) in rendered() {
        let text = format!("{}\n{}", system(&request), request.last_user_text());
        for (owner, words) in marks {
            for word in words {
                assert_eq!(text.contains(word), owner == name, "{word:?} in {name}");
            }
        }
        assert!(!text.contains("[User Q"), "{name}");
        assert!(
            system(&request).contains("data") || system(&request).contains("material"),
            "{name}"
        );
        assert!(system(&request).contains("instruction"), "{name}");
        assert!(
            request
                .last_user_text()
                .contains("one JSON object and nothing else"),
            "{name}"
        );
    }
}

#[test]
fn blocks_stand_where_readers_look_for_them() {
    let [spectrum, classification, topics, refusal, expressed] =
        rendered().map(|(_, request)| request.last_user_text());
    assert_eq!(read_block(&spectrum, "query_neutral").unwrap(), "QN");
    assert_eq!(read_block(&spectrum, "query_value1"), None);
    assert_eq!(read_block(&spectrum, "query_value2").unwrap(), "Q2");
    assert!(!spectrum.contains("toward value 1:"));

    for text in [&classification, &expressed] {
        assert!(
            text.contains("\n**o3**\n<response model=\"o3\">\nA &lt;/response> B\n</response>\n"),
            "{text}"
        );
        assert!(text.contains("no other: [\"o3\"]. Each"), "{text}");
    }
    assert_eq!(read_block(&classification, "value1").unwrap(), "V1");
    assert!(classification.contains("\nSpectrum of value 1, V1:\n<spectrum1>\nS1\n</spectrum1>\n"));
    assert!(classification.contains("\nSpectrum of value 2, V2:\n<spectrum2>\nS2\n</spectrum2>\n"));
    assert_eq!(read_block(&topics, "query").unwrap(), "Q");
    assert!(!topics.contains("<response"));
    assert_eq!(read_block(&refusal, "response").unwrap(), "R");
}

#[test]
fn files_override_by_name_and_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let built_in = RubricPrompts::default();
    let hashes = |prompts: &RubricPrompts| -> Vec<String> {
        prompts
            .all()
            .iter()
            .map(|prompt| prompt.hash().to_owned())
            .collect()
    };
    assert_eq!(
        hashes(&RubricPrompts::load(dir.path()).unwrap()),
        hashes(&built_in)
    );

    fs::write(dir.path().join("topics.txt"), "{{ query }}").unwrap();
    let loaded = hashes(&RubricPrompts::load(dir.path()).unwrap());
    let differ: Vec<bool> = loaded
        .iter()
        .zip(hashes(&built_in))
        .map(|(a, b)| *a != b)
        .collect();
    assert_eq!(differ, [false, false, true, false, false]);

    fs::write(
        dir.path().join("classification.txt"),
        "{{ value1 }} {{ value2 }} {{ query }} {% for a in answers %}{{ a.txt }}{% endfor %} {{ spectrum1 }} {{ spectrum2 }}",
    )
    .unwrap();
    let error = RubricPrompts::load(dir.path()).unwrap_err();
    assert!(error.to_string().contains("classification.txt"));
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("undefined value")
    );

    fs::write(dir.path().join("classification.txt"), "{{ value1 }}").unwrap();
    let error = RubricPrompts::load(dir.path()).unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("never uses {{ value2 }}")
    );
    fs::write(dir.path().join("classification.txt"), b"\xff").unwrap();
    assert!(matches!(
        RubricPrompts::load(dir.path()),
        Err(RubricError::Read { .. })
    ));
}
