use crate::data::{GroupRate, Rate, SharpAnswer, SharpScenario, StudyReport};
use crate::render::format::{
    NONE, bin, decimal, fraction, interval, kappa_band, percent, thousands, times, words,
};
use crate::render::markdown::clauses;
use crate::render::markdown::ready;
use crate::render::markdown::writer::{Writer, inline};

/// `39.3% (33.1–45.8%), 120 of 305`.
pub(crate) fn full(rate: &Rate) -> String {
    if rate.share.is_none() {
        return format!("{NONE} ({})", fraction(rate));
    }
    format!(
        "{} ({}), {}",
        percent(rate.share),
        interval(rate),
        fraction(rate)
    )
}

fn cells(rate: &Rate) -> [String; 3] {
    [fraction(rate), percent(rate.share), interval(rate)]
}

fn row4(label: String, rate: &Rate) -> [String; 4] {
    let [count, share, range] = cells(rate);
    [label, count, share, range]
}

pub(crate) fn head(writer: &mut Writer, report: &StudyReport) {
    let info = &report.info;
    writer.heading(1, &inline(&info.title));
    if let Some(notice) = &report.notice {
        writer.paragraph(&format!("> **{}**", inline(notice)));
    }
    let spec = info.spec_title.as_deref().map_or(NONE.to_owned(), inline);
    let mut rows = vec![
        ["Panel".to_owned(), format!("{} models", info.panel.len())],
        ["Judges".to_owned(), list(&info.judges)],
        ["Spec".to_owned(), spec],
        [
            "Disagreement".to_owned(),
            format!(
                "{} standard deviation, high from {}",
                inline(&info.std_kind),
                info.threshold
            ),
        ],
        ["Seed".to_owned(), info.seed.to_string()],
    ];
    if let Some(created) = &info.created {
        rows.push(["Made".to_owned(), inline(created)]);
    }
    if let Some(calls) = &info.calls {
        let cost = calls
            .cost_usd
            .map_or_else(String::new, |cost| format!(", ${cost:.2}"));
        rows.push([
            "Calls".to_owned(),
            format!(
                "{}, {} by the last run{cost}",
                thousands(calls.total),
                thousands(calls.made)
            ),
        ]);
    }
    writer.text_table(["setting", "value"], rows);
    writer.paragraph(
        "Every share is given with its denominator; ranges are 95% Wilson intervals. \
         A dash stands for a number that does not exist.",
    );
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return NONE.to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| inline(name)).collect();
    names.join(", ")
}

fn groups(writer: &mut Writer, title: &str, unit: &str, rows: &[GroupRate]) {
    writer.table(
        [title, unit, "share", "95% range"],
        rows.iter()
            .map(|row| row4(inline(&row.group), &row.rate))
            .collect(),
    );
}

pub(crate) fn stages(writer: &mut Writer, report: &StudyReport) {
    if !report.stages.is_empty() {
        writer.heading(2, "Stages");
        let mut head = vec![
            "stage".to_owned(),
            "items".to_owned(),
            "answered".to_owned(),
        ];
        head.extend(
            report.stages[0]
                .outcomes
                .iter()
                .skip(1)
                .map(|outcome| words(&outcome.outcome)),
        );
        let rows: Vec<Vec<String>> = report
            .stages
            .iter()
            .map(|stage| {
                let mut row = vec![
                    words(&stage.stage),
                    thousands(stage.items),
                    percent(stage.answered.share),
                ];
                row.extend(
                    stage
                        .outcomes
                        .iter()
                        .skip(1)
                        .map(|outcome| thousands(outcome.count)),
                );
                row
            })
            .collect();
        writer.wide_table(&head, &rows);
    }
    if let Some(coverage) = &report.coverage {
        writer.heading(2, "Questions");
        if let Some(pairs) = coverage.pairs {
            writer.paragraph(&format!("Value pairs drawn: {}.", thousands(pairs)));
        }
        writer.paragraph(&format!("Questions kept: {}.", full(&coverage.kept)));
        groups(writer, "framing", "kept", &coverage.by_nudge);
        groups(writer, "generator", "kept", &coverage.by_generator);
        if let Some(diversity) = &coverage.diversity {
            writer.paragraph(&format!(
                "Kept for diversity, of the questions kept: {}.",
                full(diversity)
            ));
        }
        if let Some(curve) = &coverage.thinning {
            let rows = curve
                .iter()
                .map(|point| [decimal(Some(point.distance)), thousands(point.kept)])
                .collect();
            writer.table(["within distance", "kept for diversity"], rows);
        }
        if let Some(found) = &coverage.space {
            ready::space(writer, found);
        }
    }
    if let Some(answers) = &report.answers {
        writer.heading(2, "Answers");
        writer.table(
            ["model", "answered", "share", "95% range"],
            answers
                .iter()
                .map(|row| row4(inline(&row.model.name), &row.counts.answered))
                .collect(),
        );
    }
}

pub(crate) fn disagreement(writer: &mut Writer, report: &StudyReport) {
    let Some(subsets) = &report.disagreement else {
        return;
    };
    writer.heading(2, "Disagreement");
    writer.table(
        [
            "subset",
            "high",
            "share",
            "95% range",
            "mean D",
            "max D",
            "no D",
            "selected",
        ],
        subsets
            .iter()
            .map(|subset| {
                let [count, share, range] = cells(&subset.high);
                [
                    inline(&subset.subset),
                    count,
                    share,
                    range,
                    decimal(subset.mean),
                    decimal(subset.max),
                    thousands(subset.without),
                    subset.selected.as_ref().map_or(NONE.to_owned(), fraction),
                ]
            })
            .collect(),
    );
    // Subsets may end at different bins; the longest names the rows.
    let longest = subsets.iter().max_by_key(|subset| subset.histogram.len());
    let mut head = vec!["D".to_owned()];
    head.extend(subsets.iter().map(|subset| inline(&subset.subset)));
    let rows = longest.map_or_else(Vec::new, |longest| {
        longest
            .histogram
            .iter()
            .enumerate()
            .map(|(place, edges)| {
                let mut row = vec![bin(edges.low, edges.high, edges.closed)];
                row.extend(subsets.iter().map(|subset| {
                    thousands(subset.histogram.get(place).map_or(0, |bin| bin.count))
                }));
                row
            })
            .collect()
    });
    writer.heading(3, "Scenarios by disagreement");
    writer.wide_table(&head, &rows);
}

pub(crate) fn outliers(writer: &mut Writer, report: &StudyReport) {
    if let Some(rows) = &report.outliers {
        writer.heading(2, "Models that stand alone");
        writer.table(
            ["model", "flagged", "share", "95% range"],
            rows.iter()
                .map(|row| row4(inline(&row.model.name), &row.flagged))
                .collect(),
        );
    }
}

pub(crate) fn refusals(writer: &mut Writer, report: &StudyReport) {
    let Some(rows) = &report.refusals else {
        return;
    };
    writer.heading(2, "Refusals");
    writer.paragraph("A refusal is one of the last three kinds.");
    let mut head = vec!["model".to_owned()];
    if let Some(first) = rows.first() {
        head.extend(first.kinds.iter().map(|kind| inline(&kind.group)));
    }
    head.extend(["refused", "share", "95% range"].map(str::to_owned));
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells_of_row = vec![inline(&row.model.name)];
            cells_of_row.extend(row.kinds.iter().map(|kind| thousands(kind.rate.count)));
            cells_of_row.extend(cells(&row.refused));
            cells_of_row
        })
        .collect();
    writer.wide_table(&head, &rows);
}

pub(crate) fn values(writer: &mut Writer, report: &StudyReport) {
    let Some(values) = &report.values else {
        return;
    };
    writer.heading(2, "Values expressed");
    writer.paragraph(
        "A category counts once per answer; shares are of each column's labelled answers.",
    );
    for (of, names, rows) in [
        (
            "providers",
            values
                .providers
                .iter()
                .map(|row| inline(&row.provider))
                .collect::<Vec<_>>(),
            values
                .providers
                .iter()
                .map(|row| &row.rates)
                .collect::<Vec<_>>(),
        ),
        (
            "models",
            values
                .models
                .iter()
                .map(|row| inline(&row.model.name))
                .collect(),
            values.models.iter().map(|row| &row.rates).collect(),
        ),
    ] {
        if names.is_empty() {
            continue;
        }
        writer.heading(3, &format!("By {of}"));
        let mut head = vec!["category".to_owned()];
        head.extend(names);
        let lines: Vec<Vec<String>> = values
            .categories
            .iter()
            .enumerate()
            .map(|(column, category)| {
                let mut line = vec![inline(category)];
                line.extend(rows.iter().map(|rates| {
                    format!(
                        "{} ({})",
                        percent(rates[column].share),
                        thousands(rates[column].count)
                    )
                }));
                line
            })
            .collect();
        writer.wide_table(&head, &lines);
    }
}

pub(crate) fn compliance(writer: &mut Writer, report: &StudyReport) {
    let Some(compliance) = &report.compliance else {
        return;
    };
    writer.heading(2, "Compliance with the spec");
    writer.paragraph(&format!(
        "An answer is problematic when most of its judges call it non-compliant or ambiguous. \
         Even splits: {}.",
        full(&compliance.ties)
    ));
    writer.table(
        [
            "scenarios",
            "n",
            "all pass",
            "at least one fails",
            "all fail",
            "ratio",
            "dropped",
        ],
        compliance
            .pools
            .iter()
            .map(|pool| {
                [
                    pool.high_on
                        .as_deref()
                        .map_or("all judged".to_owned(), |subset| {
                            format!("high on {}", inline(subset))
                        }),
                    thousands(pool.all_pass.of),
                    percent(pool.all_pass.share),
                    percent(pool.some_fail.share),
                    percent(pool.all_fail.share),
                    times(pool.ratio),
                    thousands(pool.dropped),
                ]
            })
            .collect(),
    );
    if let Some(bins) = &compliance.by_disagreement {
        writer.heading(3, "All answers problematic, by disagreement");
        writer.table(
            [
                "D",
                "n",
                "by majority",
                "95% range",
                "ratio",
                "by any judge",
                "95% range",
                "ratio",
            ],
            bins.bins
                .iter()
                .map(|row| {
                    [
                        bin(row.low, row.high, row.closed),
                        thousands(row.majority.of),
                        percent(row.majority.share),
                        interval(&row.majority),
                        times(row.majority_ratio),
                        percent(row.any.share),
                        interval(&row.any),
                        times(row.any_ratio),
                    ]
                })
                .collect(),
        );
    }
    if let Some(quadrants) = &compliance.quadrants {
        clauses::quadrants(writer, quadrants);
    }
    writer.heading(3, "By model");
    writer.table(
        ["model", "problematic", "share", "95% range"],
        compliance
            .by_model
            .iter()
            .map(|row| row4(inline(&row.model.name), &row.problematic))
            .collect(),
    );
}

pub(crate) fn judges(writer: &mut Writer, report: &StudyReport) {
    let Some(judges) = &report.judges else {
        return;
    };
    writer.heading(2, "Judges");
    writer.table(
        ["judge", "flagged", "share", "95% range"],
        judges
            .judges
            .iter()
            .map(|row| row4(inline(&row.judge), &row.flagged))
            .collect(),
    );
    if !judges.pairs.is_empty() {
        writer.table(
            ["judges", "agree", "share", "95% range"],
            judges
                .pairs
                .iter()
                .map(|pair| {
                    row4(
                        format!("{} and {}", inline(&pair.first), inline(&pair.second)),
                        &pair.agree,
                    )
                })
                .collect(),
        );
    }
    let fleiss = &judges.fleiss;
    let band = fleiss
        .kappa
        .map_or_else(String::new, |kappa| format!(" ({})", kappa_band(kappa)));
    writer.paragraph(&format!(
        "Fleiss' kappa: {}{band}, over {} answers; {} dropped for a missing vote.",
        decimal(fleiss.kappa),
        thousands(fleiss.used),
        thousands(fleiss.dropped)
    ));
}

pub(crate) fn topics(writer: &mut Writer, report: &StudyReport) {
    if let Some(topics) = &report.topics {
        writer.heading(2, "Topics");
        let mut rows: Vec<_> = topics
            .topics
            .iter()
            .map(|row| row4(inline(&row.group), &row.rate))
            .collect();
        rows.push(row4("none of these".to_owned(), &topics.none));
        writer.table(["topic", "questions", "share", "95% range"], rows);
    }
}

pub(crate) fn sharpest(writer: &mut Writer, report: &StudyReport) {
    let Some(rows) = &report.sharpest else {
        return;
    };
    writer.heading(2, "Sharpest scenarios");
    if rows.is_empty() {
        writer.paragraph("No scenario has a disagreement.");
    }
    for (place, row) in rows.iter().enumerate() {
        scenario(writer, place + 1, row);
    }
}

fn scenario(writer: &mut Writer, place: usize, row: &SharpScenario) {
    let id = inline(&row.scenario_id);
    let Some(question) = &row.question else {
        writer.heading(3, &format!("{place}. {id}"));
        writer.paragraph(&format!("D = {}", decimal(Some(row.disagreement))));
        return answers(writer, row, ["value 1", "value 2"]);
    };
    let values = [inline(&question.value1), inline(&question.value2)];
    writer.heading(3, &format!("{place}. {} / {}", values[0], values[1]));
    writer.paragraph(&format!(
        "D = {} over {} models, {} framing, written by {}, id {id}",
        decimal(Some(row.disagreement)),
        row.n,
        inline(&words(&question.nudge)),
        inline(&question.generator)
    ));
    if let Some(text) = &question.text {
        writer.fenced(text);
    }
    answers(writer, row, [&values[0], &values[1]]);
}

fn answers(writer: &mut Writer, row: &SharpScenario, values: [&str; 2]) {
    writer.table(
        ["model", values[0], values[1], "judges against"],
        row.answers
            .iter()
            .map(|answer| {
                [
                    inline(&answer.model.name),
                    position(answer.value1_position),
                    position(answer.value2_position),
                    against(answer),
                ]
            })
            .collect(),
    );
    for answer in &row.answers {
        if let Some(text) = &answer.text {
            writer.paragraph(&format!("**{}**", inline(&answer.model.name)));
            writer.fenced(text);
        }
    }
}

fn position(position: Option<u8>) -> String {
    position.map_or_else(|| NONE.to_owned(), |position| position.to_string())
}

fn against(answer: &SharpAnswer) -> String {
    answer
        .verdict
        .filter(|verdict| verdict.problematic().is_some())
        .map_or_else(
            || NONE.to_owned(),
            |verdict| {
                let against = verdict.non_compliant + verdict.ambiguous;
                format!("{against} of {}", verdict.compliant + against)
            },
        )
}

pub(crate) fn absent(writer: &mut Writer, report: &StudyReport) {
    if report.absent.is_empty() {
        return;
    }
    writer.heading(2, "Not in this report");
    let rows = report
        .absent
        .iter()
        .map(|row| [inline(&row.section), inline(&words(&row.reason))])
        .collect();
    writer.text_table(["section", "why"], rows);
}
