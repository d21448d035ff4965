//! `specstress spec`, as a user runs it.

use crate::support::{call, done, shared, text};

const OLD: &str = "# Rules {#rules}\n## Be honest {#be_honest authority=platform}\nDo not lie to anyone.\n## Be brief {#be_brief}\nSay little.\n";
const NEW: &str = "# Rules {#rules}\n## Be brief {#be_brief}\nSay little.\n## Be honest {#be_honest authority=root}\nNever lie to anyone.\n## Be kind {#be_kind}\nBe kind.\n";

#[test]
fn a_spec_is_shown_as_an_outline_and_by_section() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), OLD).unwrap();
    let outline = done(folder.path(), &["spec", "show", "a.md"]).stdout;
    assert!(
        outline.contains("  Be honest  be_honest  platform      2      5"),
        "{outline}"
    );
    let one = done(folder.path(), &["spec", "show", "a.md", "be_honest"]).stdout;
    assert_eq!(
        one,
        "Be honest (be_honest, authority platform, within rules, line 2)\n\nDo not lie to anyone.\n"
    );
    let json = done(folder.path(), &["spec", "show", "a.md", "--json"]).json();
    assert_eq!(json[1]["authority"], "platform");
    call(folder.path(), &["spec", "show", "a.md", "be_honst"])
        .refused(2, &["be_honst", "did you mean be_honest?"]);
}

#[test]
fn a_check_tells_mistakes_by_line_and_fails_only_for_a_spec_of_no_use() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("a.md"), text).unwrap();
    write("# A {#a authority=chief}\nsee [b](#b)\n");
    let fine = done(folder.path(), &["spec", "check", "a.md"]).stdout;
    assert!(
        fine.contains("a.md:1: warning: authority \"chief\""),
        "{fine}"
    );
    assert!(fine.contains("a.md:2: warning: link to #b"), "{fine}");
    assert!(fine.contains("ok: 0 errors, 2 warnings"), "{fine}");
    write("# A {#a}\nx\n# B {#a}\ny\n");
    let bad = call(folder.path(), &["spec", "check", "a.md", "--json"]);
    bad.refused(2, &["a.md cannot be relied on"]);
    assert_eq!(bad.json()["usable"], false);
    assert_eq!(bad.json()["problems"][0]["problem"], "duplicate_id");
    write(" \n");
    call(folder.path(), &["spec", "check", "a.md"]).refused(2, &["a.md has no text"]);
    call(folder.path(), &["spec", "check", "b.md"]).refused(2, &["cannot read model spec b.md"]);
}

#[test]
fn a_diff_names_every_way_a_section_changed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), OLD).unwrap();
    std::fs::write(folder.path().join("b.md"), NEW).unwrap();
    let shown = done(folder.path(), &["spec", "diff", "a.md", "b.md", "--text"]).stdout;
    assert_eq!(
        shown,
        "1 added, 0 removed, 2 changed, 1 unchanged\n\
         of the changed: 1 text, 0 title, 1 authority, 0 renamed, 1 moved\n\
         \nAdded\n  + be_kind: Be kind\n\
         \nChanged\n  ~ be_brief: moved among its siblings\n  ~ be_honest: authority platform -> root; text\n      [-Do not-] {+Never+} lie to anyone.\n"
    );
    let only = done(
        folder.path(),
        &[
            "spec",
            "diff",
            "a.md",
            "b.md",
            "--section",
            "be_kind",
            "--json",
        ],
    )
    .json();
    assert_eq!(
        (
            &only["added"][0],
            &only["changed"].as_array().unwrap().len()
        ),
        (&"be_kind".into(), &0)
    );
    call(
        folder.path(),
        &["spec", "diff", "a.md", "b.md", "--section", "x"],
    )
    .refused(2, &["neither spec"]);
}

#[test]
fn the_published_documents() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for (file, sections, authority) in [
        ("openai_model_spec/model_spec_2025-02-12.md", 71, 51),
        ("openai_model_spec/model_spec_2025-04-11.md", 71, 51),
        ("openai_model_spec/model_spec_2025-12-18.md", 80, 59),
        ("claude_constitution/claude_constitution_2026-01.md", 40, 0),
        ("README.md", 1, 0),
    ] {
        let Some(path) = shared(file) else { return };
        let checked = done(folder.path(), &["spec", "check", text(&path), "--json"]).json();
        assert_eq!(
            (&checked["sections"], &checked["with_authority"]),
            (&sections.into(), &authority.into()),
            "{file}"
        );
        seen.push(path);
    }
    let diff = done(
        folder.path(),
        &["spec", "diff", text(&seen[1]), text(&seen[2])],
    )
    .stdout;
    assert!(diff.starts_with("10 added, 1 removed, "), "{diff}");
}
