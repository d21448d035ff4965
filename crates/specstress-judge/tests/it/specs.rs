use std::error::Error as _;
use std::fs;

use proptest::prelude::*;
use specstress_judge::{Authority, SectionId, Spec, SpecError};

fn ids(spec: &Spec) -> Vec<&str> {
    spec.sections
        .iter()
        .map(|section| section.id.as_str())
        .collect()
}

#[test]
fn a_document_with_ids_has_exactly_those_sections() {
    let spec = Spec::parse(
        "Read me first.\n\n# One {#one}\nA\n## Loose\nB\n~~~\n# Fake {#fake authority=root}\n~~~\n\
         ### Three {#three authority=guideline}\nC\n## Two {#two authority=operator}\n# End {#end}",
    )
    .unwrap();
    assert_eq!(ids(&spec), ["preamble", "one", "three", "two", "end"]);
    let section = |id: &str| spec.section(&SectionId::from(id)).unwrap();
    assert_eq!(
        section("one").text,
        "A\n## Loose\nB\n~~~\n# Fake {#fake authority=root}\n~~~"
    );
    assert_eq!((section("three").level, section("three").line), (3, 10));
    assert_eq!(section("three").authority, Some(Authority::Guideline));
    assert_eq!(
        section("two").authority,
        Some(Authority::Other("operator".into()))
    );
    assert_eq!(section("three").parent, Some("one".into()));
    assert_eq!(section("two").parent, Some("one".into()));
    assert_eq!(
        (&section("end").parent, section("end").text.as_str()),
        (&None, "")
    );
    assert_eq!(section("preamble").text, "Read me first.");
    assert_eq!(spec.title, None);
}

#[test]
fn a_plain_document_names_sections_after_their_titles() {
    let spec = Spec::parse(
        "# Our Rules\n## Claude’s honesty: why?\n## Claude's honesty, why\n## !!!\nx\n",
    )
    .unwrap();
    assert_eq!(
        ids(&spec),
        [
            "our-rules",
            "claudes-honesty-why",
            "claudes-honesty-why-2",
            "section"
        ]
    );
    assert_eq!(spec.title.as_deref(), Some("Our Rules"));
    assert_eq!(spec.sections[3].parent, Some("our-rules".into()));
}

#[test]
fn ids_are_unique_and_written_ones_keep_their_name() {
    let spec = Spec::parse("preface\n# A {#preamble}\n# B {#x}\n# C {#x}\n# D {#x-2}").unwrap();
    assert_eq!(ids(&spec), ["preamble-2", "preamble", "x", "x-3", "x-2"]);
}

#[test]
fn a_text_without_headings_is_one_section() {
    let spec = Spec::parse("\u{feff}Be good.\r\nBe kind.\r\n").unwrap();
    assert_eq!(ids(&spec), ["document"]);
    assert_eq!((spec.sections[0].level, spec.sections[0].line), (0, 1));
    assert_eq!(spec.sections[0].text, "Be good.\r\nBe kind.");
    assert!(spec.text.starts_with("Be good"));
}

#[test]
fn texts_and_files_without_a_spec_are_named() {
    let empty = Spec::parse("\u{feff} \n").unwrap_err();
    assert!(matches!(empty, SpecError::NoText), "{empty}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spec.md");
    let error = Spec::read(&path).unwrap_err();
    assert!(error.to_string().starts_with("cannot read model spec") && error.source().is_some());
    fs::write(&path, "\n\n").unwrap();
    let error = Spec::read(&path).unwrap_err().to_string();
    assert!(error.contains("spec.md has no text"), "{error}");
    fs::write(&path, "# A\n").unwrap();
    assert_eq!(Spec::read(&path).unwrap(), Spec::parse("# A\n").unwrap());
}

#[test]
fn the_hash_is_of_the_text() {
    let hash = |text: &str| Spec::parse(text).unwrap().hash();
    assert_eq!(hash("# A"), hash("# A"));
    assert_ne!(hash("# A"), hash("# A "));
    assert_eq!(hash("# A").len(), 64);
}

#[test]
fn authorities_are_ordered_from_the_most_binding() {
    let mut levels: Vec<Authority> = [
        "guideline",
        "zeta",
        "user",
        "Platform",
        "alpha",
        "root",
        "developer",
        "system",
    ]
    .map(Authority::from)
    .into();
    levels.sort();
    let names: Vec<&str> = levels.iter().map(Authority::as_str).collect();
    assert_eq!(
        names,
        [
            "root",
            "platform",
            "system",
            "developer",
            "user",
            "guideline",
            "alpha",
            "zeta"
        ]
    );
}

#[test]
fn citations_count_marked_words_and_longest_titles() {
    let spec = Spec::parse(
        "# Avoid abuse {#avoid_abuse}\n# Avoid abuse of power {#power}\n# Don’t lie {#lie}\n# Style {#style}\n",
    )
    .unwrap();
    let cited = |text: &str| -> Vec<(String, usize)> {
        spec.citations(text)
            .into_iter()
            .map(|citation| (citation.section.to_string(), citation.count))
            .collect()
    };
    assert_eq!(
        cited("AVOID ABUSE OF POWER, avoid_abuse, Don't lie; [Style] and #lie"),
        [("avoid_abuse", 1), ("power", 1), ("lie", 2), ("style", 1)]
            .map(|(id, n)| (id.to_owned(), n))
    );
    assert_eq!(
        cited("To lie in style has power. avoid_abuses, pre-avoid abuse"),
        []
    );
    assert_eq!(cited(""), []);
}

proptest! {
    #[test]
    fn no_document_breaks_the_invariants(text in r"(#{1,7} |[ab]|\{#[ab]( authority=x)?\}|```|~~~|===|---|\n|é| )*") {
        let Ok(spec) = Spec::parse(&text) else {
            prop_assert!(text.trim().is_empty());
            return Ok(());
        };
        prop_assert!(!spec.sections.is_empty());
        let mut seen = std::collections::BTreeSet::new();
        let mut last_line = 0;
        for section in &spec.sections {
            if let Some(parent) = &section.parent {
                prop_assert!(seen.contains(parent), "parents come first");
                prop_assert!(spec.section(parent).unwrap().level < section.level);
            }
            prop_assert!(seen.insert(section.id.clone()), "ids are unique");
            prop_assert!(spec.text.contains(&section.text));
            prop_assert!(section.line > last_line);
            last_line = section.line;
        }
        let _ = spec.citations(&text);
    }
}

#[test]
fn mistakes_are_found_with_their_lines() {
    let spec = Spec::parse(
        "# A {#a}\ntext [good](#a) and [slug](#plain-title) and [bad](#nowhere)\n\
         # Plain title\n## Loose {authority=user}\n# A {#b}\n```\n# not a heading [x](#y)\n```\n# C {#c}\n# D {#d}\n# E {#a authority=chief}\nx\n~~~\n# lost {#lost}\n",
    )
    .unwrap();
    let check = spec.check();
    let found: Vec<(usize, String)> = check
        .problems
        .iter()
        .map(|problem| (problem.line, problem.kind.to_string()))
        .collect();
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5, 9, 10, 11, 11, 13], "{found:#?}");
    for (at, part) in [
        (0, "link to #nowhere"),
        (1, "has an authority but no id"),
        (2, "title \"A\" is that of line 1 too"),
        (3, "section \"c\" has no text"),
        (4, "section \"d\" has no text"),
        (5, "\"a\" is that of line 1"),
        (6, "authority \"chief\""),
        (7, "never ends"),
    ] {
        assert!(found[at].1.contains(part), "{part}: {found:#?}");
    }
    assert!(!check.is_usable());
    assert_eq!(check.fenced_headings, 2);
    assert!(
        Spec::parse("# A\n## B\nx")
            .unwrap()
            .check()
            .problems
            .is_empty()
    );
}
