//! The nested form, in JSON and TOML.

use std::error::Error;

use proptest::prelude::*;
use specstress_values::Taxonomy;

fn message(text: &str) -> String {
    Taxonomy::from_json(text)
        .expect_err("malformed")
        .to_string()
}

#[test]
fn levels_follow_from_depth() {
    let list = Taxonomy::from_json(r#"{"values": ["a", "b"]}"#).expect("a plain list is valid");
    assert_eq!(
        (list.top_level(), list.leaves().len(), list.category_level()),
        (0, 2, None)
    );
    assert!(list.category("a").is_none());

    let deep = r#"{"values": [{"name": "D", "children": [{"name": "C", "children": [
        {"name": "G", "children": ["a"]}]}]}]}"#;
    let deep = Taxonomy::from_json(deep).expect("four levels are valid");
    let levels: Vec<(&str, u8)> = deep
        .values()
        .iter()
        .map(|value| (value.name.as_str(), value.level))
        .collect();
    assert_eq!(levels, [("D", 3), ("C", 2), ("G", 1), ("a", 0)]);
}

#[test]
fn broken_rules_name_the_entry() {
    assert_eq!(
        message(r#"{"values": [{"name": "Care", "children": ["a", " "]}]}"#),
        r#"taxonomy JSON, entry Care > "": "name" is empty; every value needs one"#
    );
    assert_eq!(
        message(
            r#"{"values": [{"name": "Care", "children": ["a"]}, {"name": "Truth", "children": ["a"]}]}"#
        ),
        "taxonomy JSON, entry Truth > a: the leaf value \"a\" was named before, \
        at taxonomy JSON, entry Care > a; rename or remove one"
    );
    assert_eq!(
        message(r#"{"values": [{"name": "Care", "children": ["a"]}, "b"]}"#),
        "taxonomy JSON, entry b: \"b\" is at level 1 but has no values below it; \
        all leaves stand equally deep, at level 0: add values below it or remove it"
    );
    assert_eq!(
        message(r#"{"values": [{"name": "a", "frequency": 100.1}]}"#),
        "taxonomy JSON, entry a: \"100.1\" in \"frequency\" is not a percentage; \
        write a number from 0 to 100, or leave it out"
    );
    assert_eq!(
        message(r#"{"values": [{"name": "a", "percent": -1}]}"#),
        "taxonomy JSON, entry a: \"-1\" in \"percent\" is not a percentage; \
        write a number from 0 to 100, or leave it out"
    );
    assert_eq!(
        message(r#"{"values": []}"#),
        "taxonomy JSON: no leaf value (level 0); a taxonomy needs at least one"
    );
    let five = r#"{"values": [{"name": "1", "children": [{"name": "2", "children": [{"name": "3",
        "children": [{"name": "4", "children": ["5"]}]}]}]}]}"#;
    assert_eq!(
        message(five),
        "taxonomy JSON, entry 1 > 2 > 3 > 4 > 5: \"5\" is the fifth level down; \
        a taxonomy has at most four levels"
    );
}

#[test]
fn misspelt_fields_are_errors_with_a_line_and_a_cause() {
    let error =
        Taxonomy::from_json("{\"values\": [\n {\"name\": \"a\", \"frequence\": 1}]}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "taxonomy JSON, line 2: not a taxonomy in JSON; the cause says what was found"
    );
    let cause = error.source().expect("kept").to_string();
    assert!(cause.contains("unknown field `frequence`"), "{cause}");

    let error = Taxonomy::from_json(r#"{"values": [7]}"#).unwrap_err();
    let cause = error.source().expect("kept").to_string();
    assert!(
        cause.contains("expected the name of a value, or a table"),
        "{cause}"
    );
}

#[cfg(feature = "toml")]
#[test]
fn toml_reads_like_json_and_names_the_line() {
    let text = r#"
        [[values]]
        name = "Care"
        description = " Attending to others. "
        percent = 12
        children = ["patience", { name = "kindness", frequency = 3.2 }]

        [[values]]
        name = "Truth"
          [[values.children]]
          name = "honesty"
    "#;
    let toml = Taxonomy::from_toml(text).expect("valid");
    let json = r#"{"values": [
        {"name": "Care", "description": "Attending to others.", "percent": 12,
         "children": ["patience", {"name": "kindness", "frequency": 3.2}]},
        {"name": "Truth", "children": [{"name": "honesty"}]}]}"#;
    assert_eq!(toml, Taxonomy::from_json(json).expect("valid"));

    let error = Taxonomy::from_toml("[[values]]\nname = \"a\"\nfrequence = 1\n").unwrap_err();
    assert!(
        error.to_string().starts_with("taxonomy TOML, line "),
        "{error}"
    );
    let cause = error.source().expect("kept").to_string();
    assert!(cause.contains("unknown field `frequence`"), "{cause}");

    let error = Taxonomy::from_toml("\n[[values]]\nname = \n").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("taxonomy TOML, line 3: not a taxonomy in TOML"),
        "{error}"
    );

    let error = Taxonomy::from_toml("[[values]]\nname = \"a\"\nfrequency = nan\n").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\"NaN\" in \"frequency\" is not a percentage"),
        "{error}"
    );
}

#[test]
fn the_built_in_tree_survives_a_round_trip() {
    let taxonomy = Taxonomy::builtin();
    assert_eq!(
        Taxonomy::from_json(&taxonomy.to_json()).expect("valid"),
        taxonomy
    );
}

proptest! {
    #[test]
    fn any_two_level_tree_survives_a_round_trip(
        groups in prop::collection::vec(
            (1_usize..5, prop::option::of(0.0..=100.0), prop::option::of("[a-z\"\\\\]{1,9}")),
            1..6,
        )
    ) {
        let mut next = 0;
        let mut entries = Vec::new();
        for (index, (size, share, text)) in groups.iter().enumerate() {
            let leaves: Vec<String> = (0..*size).map(|_| {
                next += 1;
                match share {
                    Some(share) => format!("{{\"name\": \"leaf {next}\", \"frequency\": {share:?}}}"),
                    None => format!("\"leaf {next}\""),
                }
            }).collect();
            let description = text.as_ref().map_or_else(|| "null".to_owned(), |text| format!("{text:?}"));
            entries.push(format!(
                "{{\"name\": \"group {index}\", \"description\": {description}, \"children\": [{}]}}",
                leaves.join(", "),
            ));
        }
        let taxonomy = Taxonomy::from_json(&format!("{{\"values\": [{}]}}", entries.join(", "))).expect("valid");
        prop_assert_eq!(taxonomy.leaves().len(), next);
        prop_assert_eq!(taxonomy.at_level(1).count(), groups.len());
        prop_assert!(Taxonomy::from_json(&taxonomy.to_json()).expect("valid") == taxonomy);
    }
}
