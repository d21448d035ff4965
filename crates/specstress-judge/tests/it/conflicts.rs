use std::collections::BTreeSet;

use proptest::prelude::*;
use specstress_judge::{ConflictCounter, Decision, Opinion, SplitKind};

fn opinion() -> impl Strategy<Value = Opinion> {
    (
        0..3_usize,
        proptest::collection::btree_set(0..5_usize, 0..4),
    )
        .prop_map(|(decision, sections)| Opinion {
            decision: Decision::ALL[decision],
            sections,
        })
}

fn answers() -> impl Strategy<Value = Vec<Vec<Opinion>>> {
    proptest::collection::vec(proptest::collection::vec(opinion(), 0..4), 1..20)
}

/// The definition, written out.
fn conflict(opinions: &[Opinion], a: usize, b: usize) -> bool {
    let mut found = false;
    for one in opinions {
        for other in opinions {
            let (x, y) = (one.sections.contains(&a), other.sections.contains(&b));
            let opposite =
                (one.decision == Decision::Compliant) != (other.decision == Decision::Compliant);
            found |= x && y && opposite;
        }
        found |= one.sections.contains(&a)
            && one.sections.contains(&b)
            && one.decision == Decision::Ambiguous;
    }
    found
}

proptest! {
    #[test]
    fn counts_are_those_of_the_definition(answers in answers()) {
        let mut counter = ConflictCounter::default();
        for opinions in &answers {
            counter.add(opinions);
        }
        let invoked = |opinions: &[Opinion], section| opinions.iter().any(|o| o.sections.contains(&section));
        let ranked = counter.ranked();
        let mut conflicts = 0;
        for a in 0..5 {
            let times = answers.iter().filter(|opinions| invoked(opinions, a)).count() as u64;
            prop_assert_eq!(counter.invoked(a), times);
            for b in a + 1..5 {
                let together = answers.iter().filter(|o| invoked(o, a) && invoked(o, b)).count() as u64;
                let against = answers.iter().filter(|o| conflict(o, a, b)).count() as u64;
                conflicts += against;
                let row = ranked.iter().find(|pair| (pair.first, pair.second) == (a, b));
                prop_assert_eq!(row.map_or((0, 0), |row| (row.together, row.conflicts)), (together, against));
            }
        }
        // Each pair's expectation is a share of all conflicts.
        let expected: f64 = ranked.iter().map(|pair| pair.expected).sum();
        prop_assert!(expected <= conflicts as f64 + 1e-9);
        for pair in &ranked {
            prop_assert!(pair.score.is_finite());
            prop_assert_eq!(pair.score >= 0.0, pair.conflicts as f64 >= pair.expected);
        }
        prop_assert!(ranked.windows(2).all(|two| two[0].score >= two[1].score));
    }

    #[test]
    fn the_kind_of_a_split_depends_on_opposite_judges_only(opinions in proptest::collection::vec(opinion(), 0..5)) {
        let opposite = |a: &Opinion, b: &Opinion| a.decision.is_problematic() && !b.decision.is_problematic();
        let pairs: Vec<(&BTreeSet<usize>, &BTreeSet<usize>)> = opinions
            .iter()
            .flat_map(|a| opinions.iter().map(move |b| (a, b)))
            .filter(|(a, b)| opposite(a, b))
            .map(|(a, b)| (&a.sections, &b.sections))
            .collect();
        let expected = if pairs.is_empty() {
            None
        } else if pairs.iter().any(|(a, b)| !a.is_disjoint(b)) {
            Some(SplitKind::Reading)
        } else if pairs.iter().any(|(a, b)| !a.is_empty() && !b.is_empty()) {
            Some(SplitKind::Activation)
        } else {
            Some(SplitKind::Unknown)
        };
        prop_assert_eq!(SplitKind::of(&opinions), expected);
    }
}
