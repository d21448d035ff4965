//! Looking at values.

use serde_json::json;

use crate::support::{call, done, shared, text};

#[test]
fn the_built_in_taxonomy_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let tree = done(folder.path(), &["taxonomy", "show", "--json"]).json();
    let domains = tree.as_array().unwrap();
    assert_eq!(domains.len(), 5);
    let categories: usize = domains
        .iter()
        .map(|domain| domain["categories"].as_array().unwrap().len())
        .sum();
    assert_eq!(categories, 26);
    let leaves: u64 = domains.iter().map(|d| d["leaves"].as_u64().unwrap()).sum();
    assert!(leaves >= 150, "{leaves}");
    let shown = done(folder.path(), &["taxonomy", "show"]).stdout;
    assert_eq!(shown.lines().count(), 5 + 26);
}

#[test]
fn a_value_is_found_and_shown_with_what_is_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let found = done(folder.path(), &["taxonomy", "search", "honest", "--json"]).json();
    let first = found[0]["name"].as_str().unwrap();
    assert!(first.contains("honest"), "{first}");
    let around = done(folder.path(), &["taxonomy", "show", first, "--json"]).json();
    assert_eq!(around["value"], found[0]);
    assert!(!around["value"]["within"].as_array().unwrap().is_empty());
    let siblings = around["siblings"].as_array().unwrap();
    assert!(!siblings.contains(&json!(first)), "{siblings:?}");

    let few = done(folder.path(), &["taxonomy", "search", "e", "--limit", "2"]).stdout;
    assert_eq!(few.lines().count(), 3, "{few}");
    assert!(few.contains("more; use --limit"), "{few}");
    let none = done(folder.path(), &["taxonomy", "search", "zzzz"]).stdout;
    assert_eq!(none, "nothing matches \"zzzz\"\n");
    call(folder.path(), &["taxonomy", "show", "honest electoins"]).refused(
        2,
        &[
            "no value is called \"honest electoins\"",
            "did you mean \"honest elections\"?",
        ],
    );
}

#[test]
fn the_published_taxonomy_passes_its_check() {
    let (Some(tree), Some(frequencies)) = (
        shared("values_in_the_wild/values_tree.csv"),
        shared("values_in_the_wild/values_frequencies.csv"),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "taxonomy",
        "check",
        "--taxonomy",
        text(&tree),
        "--frequencies",
        text(&frequencies),
        "--json",
    ];
    let checked = done(folder.path(), &arguments).json();
    assert_eq!(checked["levels"], json!([3307, 266, 26, 5]));
    assert_eq!(checked["with_frequency"], 3307);
    assert_eq!(checked["pairs"], 3307_u64 * 3306 / 2);
}

#[test]
fn a_mistake_is_named_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("tree.csv"),
        "cluster_id,description,name,level,parent_cluster_id,pct_total_occurrences\n\
         top,,Top,1,,\n\
         a,,a,0,top,\n\
         b,,b,0,nowhere,\n",
    )
    .unwrap();
    call(
        folder.path(),
        &["taxonomy", "check", "--taxonomy", "tree.csv"],
    )
    .refused(2, &["tree.csv", "nowhere", "4"]);
    std::fs::write(folder.path().join("tree.csv"), "name\nx\n").unwrap();
    call(
        folder.path(),
        &["taxonomy", "check", "--taxonomy", "tree.csv"],
    )
    .refused(2, &["tree.csv", "cluster_id"]);
    call(
        folder.path(),
        &["taxonomy", "check", "--taxonomy", "absent.json"],
    )
    .refused(2, &["absent.json"]);
    call(
        folder.path(),
        &["taxonomy", "check", "--frequencies", "f.csv"],
    )
    .refused(2, &["--taxonomy"]);
}
