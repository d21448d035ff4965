//! What judges cite.

use crate::data::{QuadrantRow, Quadrants, QuoteCounts, Quotes, Rate, SectionRef, StudyReport};
use crate::render::format::{decimal, fraction, percent, thousands};
use crate::render::markdown::sections::full;
use crate::render::markdown::writer::{Writer, inline};

pub(crate) fn quadrants(writer: &mut Writer, quadrants: &Quadrants) {
    writer.heading(3, "Disagreement and compliance together");
    let row = |name: &str, row: &QuadrantRow| {
        let cell = |rate: &Rate| format!("{} ({})", thousands(rate.count), percent(rate.share));
        [
            name.to_owned(),
            thousands(row.all_pass.of),
            cell(&row.all_pass),
            cell(&row.some_fail),
            cell(&row.all_fail),
        ]
    };
    writer.table(
        ["disagreement", "n", "all pass", "some fail", "all fail"],
        vec![row("low", &quadrants.low), row("high", &quadrants.high)],
    );
    for (what, ids) in [
        ("Models agree and all fail", &quadrants.agree_and_fail),
        ("Models split and all pass", &quadrants.split_and_pass),
    ] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| inline(id)).collect();
            writer.paragraph(&format!("{what}: {}", ids.join(", ")));
        }
    }
}

pub(crate) fn clauses(writer: &mut Writer, report: &StudyReport) {
    let Some(clauses) = &report.clauses else {
        return;
    };
    writer.heading(2, "Clauses");
    let split = &clauses.split;
    writer.paragraph(&format!(
        "Verdicts that invoke a section of the spec: {}; of these {} only name it. Judges differ on answers: {}. Of \
         these they read a common section differently on {}, look at different sections on {}, and cannot be told on \
         {}.",
        full(&clauses.grounded),
        thousands(clauses.named_only),
        full(&split.answers),
        full(&split.reading),
        full(&split.activation),
        full(&split.unknown),
    ));
    writer.heading(3, "Clauses that pull against each other");
    writer.paragraph(
        "A conflict is an answer on which one judge invokes both sections and finds the spec ambiguous, or judges of \
         opposite verdict invoke one each. Expected is what chance gives from how often each is invoked.",
    );
    writer.table(
        ["sections", "together", "conflicts", "expected", "score"],
        clauses
            .conflicts
            .iter()
            .map(|pair| {
                [
                    format!("{} / {}", name(&pair.first), name(&pair.second)),
                    thousands(pair.together),
                    thousands(pair.conflicts),
                    decimal(Some(pair.expected)),
                    decimal(Some(pair.score)),
                ]
            })
            .collect(),
    );
    writer.heading(3, "Clauses that are invoked");
    writer.table(
        [
            "section",
            "answers",
            "compliant",
            "non-compliant",
            "ambiguous",
            "quotes located",
            "spread where all comply",
        ],
        clauses
            .invoked
            .iter()
            .map(|clause| {
                [
                    name(&clause.section),
                    thousands(clause.answers),
                    thousands(clause.compliant),
                    thousands(clause.non_compliant),
                    thousands(clause.ambiguous),
                    fraction(&clause.located),
                    decimal(clause.gap.map(|gap| gap.spread)),
                ]
            })
            .collect(),
    );
    if !clauses.never.is_empty() {
        let names: Vec<String> = clauses.never.iter().map(name).collect();
        writer.paragraph(&format!("Never invoked: {}", names.join("; ")));
    }
    if !clauses.unknown.is_empty() {
        let names = clauses.unknown.iter().map(|unknown| {
            format!(
                "{} ({})",
                inline(&unknown.section),
                thousands(unknown.count)
            )
        });
        let names: Vec<String> = names.collect();
        writer.paragraph(&format!("Cited, and not in the spec: {}", names.join("; ")));
    }
    writer.heading(3, "Quotes, looked up");
    let mut rows = vec![quotes("all judges".to_owned(), &clauses.quotes)];
    let judges = clauses.by_judge.iter();
    rows.extend(judges.map(|row| quotes(inline(&row.judge), &row.quotes)));
    writer.table(
        [
            "judge",
            "of the spec",
            "located",
            "elsewhere",
            "missing",
            "of answers",
            "located",
            "missing",
        ],
        rows,
    );
}

fn quotes(judge: String, quotes: &Quotes) -> [String; 8] {
    let share = |counts: &QuoteCounts| percent(counts.located.share);
    [
        judge,
        thousands(quotes.spec.located.of),
        share(&quotes.spec),
        thousands(quotes.spec.elsewhere),
        thousands(quotes.spec.missing),
        thousands(quotes.answer.located.of),
        share(&quotes.answer),
        thousands(quotes.answer.missing),
    ]
}

fn name(section: &SectionRef) -> String {
    format!("{} ({})", inline(&section.title), inline(&section.section))
}
