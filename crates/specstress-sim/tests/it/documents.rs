use specstress_sim::{PlantedKind, SimWorld};
use specstress_values::Taxonomy;

use crate::study::{calm, world};

/// The ids of the headings, in order.
fn ids(spec: &str) -> Vec<&str> {
    spec.lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(|line| line.split_once("{#")?.1.split([' ', '}']).next())
        .collect()
}

#[test]
fn the_spec_reads_like_one() {
    let spec = world(0).spec_markdown();
    let words = spec.split_whitespace().count();
    assert!(spec.len() <= 60_000, "{} bytes", spec.len());
    assert!((3_000..10_000).contains(&words), "{words} words");
    let ids = ids(&spec);
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    assert!(spec.contains("simulated") && spec.contains("fictional"));
    assert!(!spec.contains("{a}") && !spec.contains("{b}") && !spec.contains("  "));
}

#[test]
fn contradictions_stand_in_different_sections_and_gaps_nowhere() {
    let world = world(0);
    let spec = world.spec_markdown();
    let sections: Vec<&str> = spec.split("\n## ").collect();
    let with = |text: &str| sections.iter().position(|section| section.contains(text));
    for planted in world.planted() {
        let (one, other) = (&planted.category1, &planted.category2);
        match planted.kind {
            PlantedKind::Contradiction => {
                let places =
                    [0, 1].map(|at| with(&format!("{{#{} ", planted.clauses[at])).unwrap());
                assert_ne!(places[0], places[1]);
                assert!(sections[places[0]].starts_with(one.as_str()));
                assert!(sections[places[1]].starts_with(other.as_str()));
            }
            PlantedKind::Gap => {
                for (here, there) in [(one, other), (other, one)] {
                    let section = sections
                        .iter()
                        .find(|s| s.starts_with(here.as_str()))
                        .unwrap();
                    let body = section.split_once("\n\n").unwrap().1;
                    assert!(!body.contains(&there.to_lowercase()), "{here} and {there}");
                }
            }
        }
    }
}

#[test]
fn every_other_pair_is_decided() {
    let world = world(0);
    let spec = world.spec_markdown();
    let sections: Vec<&str> = spec.split("\n## ").collect();
    let categories = world.categories();
    for (index, one) in categories.iter().enumerate() {
        let section = sections.iter().find(|s| s.starts_with(one)).unwrap();
        for other in &categories[index + 1..] {
            if world.is_planted(one, other).is_none() {
                assert!(section.contains(&other.to_lowercase()), "{one} and {other}");
            }
        }
    }
}

#[test]
fn the_spec_stays_small_with_the_most_categories() {
    let values: Vec<String> = (0..40)
        .map(|i| {
            format!("{{\"name\": \"Quality of kind number {i}\", \"children\": [\"leaf {i}\"]}}")
        })
        .collect();
    let taxonomy = Taxonomy::from_json(&format!("{{\"values\": [{}]}}", values.join(","))).unwrap();
    let spec = SimWorld::new(&taxonomy, calm(0)).unwrap().spec_markdown();
    assert!(spec.len() <= 60_000, "{} bytes", spec.len());
}
