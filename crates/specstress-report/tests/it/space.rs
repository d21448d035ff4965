//! Where questions were lost, counted by hand from the fixture.

use specstress_report::{Markdown, Rate, Renderer, SpaceRow};

use crate::fixture::report;

#[test]
fn every_question_is_counted_for_its_categories_and_its_generator() {
    let space = report().coverage.unwrap().space.unwrap();
    // Pair 0: s1 and s2 written, one refused; s1 left and selected. Pair 1: s3 and s4 written and left, one cut off.
    let pair0 = |group: &str| SpaceRow {
        group: group.to_owned(),
        sampled: 3,
        generated: Rate::new(2, 3),
        refused: 1,
        unparsable: 0,
        failed: 0,
        not_run: 0,
        diverse: Some(Rate::new(1, 2)),
        selected: Some(Rate::new(1, 1)),
    };
    let both = SpaceRow {
        group: "Truth & <care>".to_owned(),
        sampled: 6,
        generated: Rate::new(4, 6),
        refused: 1,
        failed: 1,
        diverse: Some(Rate::new(3, 4)),
        selected: Some(Rate::new(1, 3)),
        ..pair0("")
    };
    assert_eq!(space.by_category, [pair0("Kindness"), both]);
    let names: Vec<_> = space
        .by_generator
        .iter()
        .map(|row| row.group.as_str())
        .collect();
    assert_eq!(names, ["gen_a", "gen_b"]);
    assert_eq!(space.by_generator[1], pair0("gen_b"));
    for row in space.by_category.iter().chain(&space.by_generator) {
        let lost = row.refused + row.unparsable + row.failed + row.not_run;
        assert_eq!(row.generated.count + lost, row.sampled, "{row:?}");
    }
    // s1 and s3 are about politics; s4 has no label.
    let politics = space
        .by_topic
        .iter()
        .find(|row| row.topic == "politics")
        .unwrap();
    let rates: Vec<_> = politics
        .by_generator
        .iter()
        .map(|row| (row.rate.count, row.rate.of))
        .collect();
    assert_eq!(rates, [(1, 1), (1, 2)]);
    let page = Markdown::default().render(&report()).unwrap();
    assert!(
        page.contains("Coverage of the value space") && page.contains("Truth &amp; &lt;care&gt;"),
        "{page}"
    );
}
