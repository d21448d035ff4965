//! Published model specs, where a copy is at hand.

use std::path::Path;

use specstress_judge::{Authority, Spec};

fn read(name: &str) -> Option<Spec> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(Spec::read(&path).unwrap())
}

#[test]
fn the_releases_of_the_openai_model_spec() {
    // Counted outside this project: headings with an id, and those with an authority. In the last release
    // one heading (`prioritize_teen_safety`) has a third attribute and is easily missed.
    for (release, sections, with_authority, levels) in [
        (
            "2025-02-12",
            71,
            51,
            ["platform", "developer", "user", "guideline"].as_slice(),
        ),
        (
            "2025-04-11",
            71,
            51,
            &["platform", "developer", "user", "guideline"],
        ),
        (
            "2025-12-18",
            80,
            59,
            &["root", "system", "developer", "user", "guideline"],
        ),
    ] {
        let Some(spec) = read(&format!("openai_model_spec/model_spec_{release}.md")) else {
            return;
        };
        assert_eq!(spec.sections.len(), sections, "{release}");
        let mut found: Vec<&Authority> = spec
            .sections
            .iter()
            .filter_map(|section| section.authority.as_ref())
            .collect();
        assert_eq!(found.len(), with_authority, "{release}");
        found.sort();
        found.dedup();
        assert_eq!(
            found,
            levels
                .iter()
                .map(|l| Authority::from(*l))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
        assert!(
            spec.sections
                .iter()
                .all(|section| !section.title.contains(['{', '#']))
        );
        let hazards = spec.section(&"avoid_info_hazards".into()).unwrap();
        assert_eq!(hazards.title, "Don't provide information hazards");
        assert_eq!(hazards.parent, Some("restricted_content".into()));
        // Nothing but heading lines is outside the sections.
        let kept: usize = spec.sections.iter().map(|section| section.text.len()).sum();
        assert!(
            kept > spec.text.len() * 9 / 10,
            "{release}: {kept} of {}",
            spec.text.len()
        );
    }
}

#[test]
fn a_reasoning_cites_sections_of_a_real_spec() {
    let Some(spec) = read("openai_model_spec/model_spec_2025-04-11.md") else {
        return;
    };
    let cited = spec.citations(
        "Under \"Don't provide information hazards\" and `avoid_abuse` the answer is fine; it may conflict \
         with Assume best intentions. The structure and definitions do not matter.",
    );
    let ids: Vec<&str> = cited
        .iter()
        .map(|citation| citation.section.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "assume_best_intentions",
            "avoid_info_hazards",
            "avoid_abuse"
        ]
    );
}

#[test]
fn the_constitution_has_no_ids_and_is_read_by_its_headings() {
    let Some(spec) = read("claude_constitution/claude_constitution_2026-01.md") else {
        return;
    };
    assert_eq!(spec.title.as_deref(), Some("Claude's Constitution"));
    // As many as there are lines that begin with `#`.
    assert_eq!(spec.sections.len(), 40);
    let hard = spec.section(&"hard-constraints".into()).unwrap();
    assert_eq!((hard.level, hard.line), (4, 421));
    assert_eq!(hard.parent, Some("instructable-behaviors".into()));
    assert!(
        spec.sections
            .iter()
            .all(|section| section.authority.is_none())
    );
}

#[test]
fn the_april_release_against_that_of_december() {
    let (Some(april), Some(december)) = (
        read("openai_model_spec/model_spec_2025-04-11.md"),
        read("openai_model_spec/model_spec_2025-12-18.md"),
    ) else {
        return;
    };
    let diff = april.diff(&december);
    // Counted outside this project: 14 ids are new and 5 are gone. Read side by side, four of them are the same
    // section under another id.
    let mut renamed: Vec<(&str, &str)> = diff
        .changed
        .iter()
        .filter(|change| change.is_renamed())
        .map(|change| (change.old.as_str(), change.new.as_str()))
        .collect();
    renamed.sort_unstable();
    assert_eq!(
        renamed,
        [
            ("be_empathetic", "be_responsible"),
            ("be_engaging", "have_conversational_sense"),
            ("be_kind", "love_humanity"),
            (
                "protect_privileged_messages",
                "protect_privileged_information"
            ),
        ]
    );
    assert_eq!((diff.added.len(), diff.removed.len()), (10, 1));
    assert_eq!(diff.removed[0].as_str(), "approachable");
    let hazards = diff
        .changed
        .iter()
        .find(|c| c.new.as_str() == "avoid_info_hazards");
    let authority = hazards.and_then(|c| c.authority.clone()).unwrap();
    assert_eq!(authority.old, Some(Authority::Platform));
    assert_eq!(authority.new, Some(Authority::Root));
}

#[test]
fn the_published_documents_can_be_relied_on() {
    for (file, sections, ids, authorities) in [
        ("openai_model_spec/model_spec_2025-02-12.md", 71, 71, 51),
        ("openai_model_spec/model_spec_2025-04-11.md", 71, 71, 51),
        ("openai_model_spec/model_spec_2025-12-18.md", 80, 80, 59),
        (
            "claude_constitution/claude_constitution_2026-01.md",
            40,
            0,
            0,
        ),
        ("README.md", 1, 0, 0),
    ] {
        let Some(spec) = read(file) else { return };
        let check = spec.check();
        assert_eq!(
            (check.sections, check.with_id, check.with_authority),
            (sections, ids, authorities),
            "{file}"
        );
        assert_eq!(check.problems, [], "{file}");
    }
}
