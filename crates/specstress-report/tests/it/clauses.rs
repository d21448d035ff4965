//! Numbers about clauses, worked out by hand from the fixture.

use specstress_judge::QuoteMatch;
use specstress_report::{SpecComparison, StudyReport};

use crate::fixture::{HOSTILE, citation, info, report, tables, verdicts, write};

#[test]
fn sections_quotes_and_splits_are_counted() {
    let report = report();
    let clauses = report.clauses.as_ref().unwrap();
    let invoked: Vec<_> = clauses
        .invoked
        .iter()
        .map(|row| {
            let decisions = [row.compliant, row.non_compliant, row.ambiguous];
            (
                row.section.section.as_str(),
                row.answers,
                decisions,
                (row.located.count, row.located.of),
            )
        })
        .collect();
    assert_eq!(
        invoked,
        [
            // s1/ada_1 by j1 and j3, s1/ada_2 by j2, s2/ada_1 by j1, s2/ada_2 by j1 and j3.
            ("candour", 4, [3, 2, 1], (5, 6)),
            // s1/ada_1 by j3, s1/ada_2 and s4/ada_2 by j1.
            ("care", 3, [1, 1, 1], (2, 3)),
            ("order", 1, [1, 0, 0], (1, 1)),
        ]
    );
    assert_eq!(clauses.invoked[0].by_judge, [3, 1, 2]);
    // A heading without a text of its own says nothing that could be invoked.
    let never: Vec<_> = clauses
        .never
        .iter()
        .map(|row| row.section.as_str())
        .collect();
    assert_eq!(never, ["quiet"]);
    assert_eq!(clauses.unknown.len(), 1);
    assert_eq!(
        (
            clauses.unknown[0].section.as_str(),
            clauses.unknown[0].count
        ),
        (HOSTILE, 1)
    );
    let spec = &clauses.quotes.spec;
    assert_eq!(
        (spec.exact, spec.fuzzy, spec.elsewhere, spec.missing),
        (7, 1, 1, 2)
    );
    assert_eq!((spec.located.count, spec.located.of), (8, 11));

    // Opposite judges: s1/ada_2 (one clause each), s2/ada_2 (candour twice), s3 twice without any clause.
    let split = &clauses.split;
    assert_eq!(
        (
            split.reading.count,
            split.activation.count,
            split.unknown.count
        ),
        (1, 1, 2)
    );
    assert_eq!((split.answers.count, split.answers.of), (4, 7));

    // Candour and care: ambiguous by one judge on s1/ada_1, opposed on s1/ada_2. Candour and order: never at odds. Of
    // the products of how often each is invoked, 4 x 3 of 4 x 3 + 4 x 1 + 3 x 1 are theirs.
    assert_eq!(clauses.pairs, 2);
    let [pair] = &clauses.conflicts[..] else {
        panic!("{:?}", clauses.conflicts);
    };
    assert_eq!(
        (pair.first.section.as_str(), pair.second.section.as_str()),
        ("candour", "care")
    );
    assert_eq!((pair.together, pair.conflicts), (2, 2));
    let expected = 2.0 * 12.0 / 19.0;
    assert!((pair.expected - expected).abs() < 1e-12);
    let deviance = 2.0 * (2.0 * (2.0 / expected).ln() - (2.0 - expected));
    assert!((pair.score - deviance.sqrt()).abs() < 1e-12);

    // s2: both answers comply by majority, both at 1 and 1.
    let gap = clauses.invoked[0].gap.unwrap();
    assert_eq!((gap.spread, gap.questions), (0.0, 1));
}

#[test]
fn scenarios_fall_into_quadrants() {
    let report = report();
    let quadrants = report
        .compliance
        .as_ref()
        .unwrap()
        .quadrants
        .as_ref()
        .unwrap();
    assert_eq!(quadrants.subset, "ada_pair");
    let cells = |row: &specstress_report::QuadrantRow| {
        [
            row.all_pass.count,
            row.some_fail.count,
            row.all_fail.count,
            row.all_pass.of,
        ]
    };
    // s2 agrees and passes; s1 splits, and both of its answers fail; s3 splits, one fails; s4 has an answer without votes.
    assert_eq!(cells(&quadrants.low), [1, 0, 0, 1]);
    assert_eq!(cells(&quadrants.high), [0, 1, 1, 2]);
    assert_eq!(quadrants.dropped, 1);
    assert!(quadrants.agree_and_fail.is_empty() && quadrants.split_and_pass.is_empty());
}

#[test]
fn an_early_stop_leaves_agreement_unmeasured() {
    let (_folder, tables) = tables();
    let mut info = info();
    info.early_stop = true;
    let report = StudyReport::compute(&tables, &info).unwrap();
    assert!(report.judges.is_none());
    assert!(
        report
            .why_absent("judges")
            .unwrap()
            .contains("stopped early")
    );
    assert!(report.compliance.is_some());
}

#[test]
fn flips_are_paired_and_put_down_to_sections() {
    let (_one, first) = tables();
    let (_two, second) = tables();
    // Under the second spec s2/ada_1 fails and s1/ada_1 passes; the rest is as it was.
    let marks = [
        ("s1", "CCA", "PCP"),
        ("s2", "PPC", "CCP"),
        ("s3", "PCX", "APC"),
        ("s4", "XXX", "CCC"),
    ];
    let rows = marks.iter().flat_map(|(id, one, two)| {
        [verdicts(id, "ada_1", one), verdicts(id, "ada_2", two)].concat()
    });
    write(&second, rows.collect());
    let bad = "non-compliant";
    let mut cited = vec![
        citation("s2", "ada_1", "j1", bad, "care", QuoteMatch::Exact),
        citation(
            "s2",
            "ada_1",
            "j3",
            "compliant",
            "candour",
            QuoteMatch::Exact,
        ),
        citation(
            "s1",
            "ada_1",
            "j1",
            "compliant",
            "candour",
            QuoteMatch::Fuzzy,
        ),
    ];
    cited[0].spec_quote = Some(HOSTILE.to_owned());
    write(&second, cited);
    let found = SpecComparison::compute(&first, &second).unwrap();
    assert_eq!((found.all.to_problematic, found.all.to_compliant), (1, 1));
    // s1 twice, s2 twice, s3 twice (tied: not problematic, then problematic), s4 once.
    assert_eq!(
        (found.all.before.of, found.all.before.count),
        (7, found.all.after.count)
    );
    assert_eq!(found.all.dropped, 1);
    assert!((found.all.p - 1.0).abs() < 1e-12);
    let sections: Vec<_> = found
        .sections
        .iter()
        .map(|row| {
            (
                row.section.section.as_str(),
                row.change.to_problematic,
                row.change.to_compliant,
                row.change.before.of,
            )
        })
        .collect();
    // Candour: s1 twice, s2 twice. Care: s1 twice, s2/ada_1, s4/ada_2.
    assert_eq!(sections[0].0, "candour");
    assert_eq!((sections[0].1, sections[0].2, sections[0].3), (1, 1, 4));
    assert_eq!(
        (sections[1].0, sections[1].1, sections[1].2),
        ("care", 1, 1)
    );
    assert!(
        found
            .sections
            .iter()
            .all(|row| row.p_adjusted.unwrap() >= row.change.p)
    );

    let flips: Vec<_> = found
        .flips
        .iter()
        .map(|flip| (flip.scenario_id.as_str(), flip.to_problematic))
        .collect();
    assert_eq!(flips, [("s1", false), ("s2", true)]);
    // Only judges of the majority are quoted.
    let judges: Vec<_> = found.flips[1]
        .after
        .iter()
        .map(|ground| ground.judge.as_str())
        .collect();
    assert_eq!(judges, ["j1"]);
    let text = found.text(5);
    assert!(
        text.contains("#candour") && text.contains("s2 of ada_1 (sample 0) becomes problematic"),
        "{text}"
    );
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    // The same spec twice flips nothing.
    let same = SpecComparison::compute(&first, &first).unwrap();
    assert_eq!(
        (same.flips.len(), same.sections.len(), same.all.p),
        (0, 0, 1.0)
    );
}
