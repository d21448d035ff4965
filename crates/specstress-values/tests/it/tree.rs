//! Moving about in a taxonomy.

use specstress_values::{Taxonomy, Value};

fn names<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    values
        .into_iter()
        .map(|value| value.name.as_str())
        .collect()
}

#[test]
fn relatives_are_found_in_file_order() {
    let taxonomy = Taxonomy::builtin();
    let thrift = taxonomy.leaf("thrift").expect("there");
    assert_eq!(
        names(taxonomy.siblings(thrift.id)),
        ["waste avoidance", "reuse before purchase"]
    );
    assert_eq!(
        names(taxonomy.ancestors(thrift.id)),
        [
            "Sparing means",
            "Efficiency and resource optimization",
            "Practical"
        ]
    );
    assert_eq!(names(taxonomy.ancestor_at(thrift.id, 0)), ["thrift"]);
    assert_eq!(names(taxonomy.ancestor_at(thrift.id, 3)), ["Practical"]);
    assert!(taxonomy.ancestor_at(thrift.id, 4).is_none());

    let practical = taxonomy.find("Practical").expect("there");
    assert!(taxonomy.parent(practical.id).is_none());
    assert_eq!(
        names(taxonomy.siblings(practical.id)),
        ["Epistemic", "Protective", "Social", "Personal"]
    );
    assert_eq!(taxonomy.children(practical.id).len(), 5);
    assert_eq!(taxonomy.children(thrift.id).len(), 0);
    assert_eq!(taxonomy.get(thrift.id), Some(thrift));
    assert_eq!(taxonomy.values()[thrift.id.index()], *thrift);
}

#[test]
fn names_are_exact_and_groups_are_not_leaves() {
    let taxonomy = Taxonomy::builtin();
    assert!(taxonomy.find("Thrift").is_none());
    assert!(taxonomy.leaf("Practical").is_none());
    assert!(taxonomy.category("Practical").is_none());
    assert_eq!(names(taxonomy.suggest("Thrfit")), ["thrift"]);
    assert!(taxonomy.suggest("quantum chromodynamics").is_none());
}

#[test]
fn ids_beyond_the_end_find_nothing() {
    let small = Taxonomy::from_json(r#"{"values": ["a"]}"#).expect("valid");
    let foreign = Taxonomy::builtin().leaf("thrift").expect("there").id;
    assert!(small.get(foreign).is_none());
    assert!(small.parent(foreign).is_none());
    assert!(small.ancestor_at(foreign, 0).is_none());
    assert_eq!(small.ancestors(foreign).count(), 0);
    assert_eq!(small.siblings(foreign).count(), 0);
    assert_eq!(small.children(foreign).len(), 0);
}

#[test]
fn the_category_of_a_two_level_tree_is_its_only_group() {
    let taxonomy =
        Taxonomy::from_json(r#"{"values": [{"name": "Care", "children": ["a"]}]}"#).expect("valid");
    assert_eq!(taxonomy.category_level(), Some(1));
    assert_eq!(names(taxonomy.category("a")), ["Care"]);
}

#[test]
fn the_built_in_tree_has_the_26_categories_each_described_and_filled() {
    let taxonomy = Taxonomy::builtin();
    let domains: Vec<(&str, usize)> = taxonomy
        .at_level(3)
        .map(|domain| (domain.name.as_str(), taxonomy.children(domain.id).len()))
        .collect();
    assert_eq!(
        domains,
        [
            ("Epistemic", 5),
            ("Protective", 5),
            ("Practical", 5),
            ("Social", 5),
            ("Personal", 6)
        ]
    );
    for category in taxonomy.at_level(2) {
        assert!(
            category.description.is_some(),
            "{} has no description",
            category.name
        );
        let leaves = taxonomy.leaves().filter(|leaf| {
            taxonomy
                .category(&leaf.name)
                .is_some_and(|of| of.id == category.id)
        });
        assert!(leaves.count() >= 6, "{} is thin", category.name);
    }
    assert_eq!(taxonomy.at_level(1).count(), 52);
    assert_eq!(taxonomy.leaves().len(), 182);
    assert_eq!(taxonomy.len(), 182 + 52 + 26 + 5);
    assert_eq!(
        format!("{taxonomy:?}"),
        "Taxonomy { values: 265, leaves: 182, top_level: 3, .. }"
    );
}
