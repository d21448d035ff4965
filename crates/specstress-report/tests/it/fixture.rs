use specstress_dataset::rows::{
    CitationRow, DisagreementRow, EmbeddingRow, ExpressedValuesRow, OutlierRow, PairRow,
    PositionRow, RefusalRow, ResponseRow, ScenarioRow, SectionRow, SelectionRow, SpectrumRow,
    TopicRow, VerdictRow,
};
use specstress_dataset::{Table, TableDir};
use specstress_judge::{CitationSource, QuoteMatch};
use specstress_report::{CallCounts, PanelEntry, StudyInfo, StudyReport, SubsetInfo};
use tempfile::TempDir;

/// Text that breaks out of anything that forgets to escape it.
pub(crate) const HOSTILE: &str = "</td></blockquote><script>alert(\"x\")</script> & 'quoted' | `tick` **bold** \u{1b}[31m\n```\n# Heading";

pub(crate) fn info() -> StudyInfo {
    StudyInfo {
        title: "House rules & <first> draft".to_owned(),
        simulated: true,
        panel: vec![
            PanelEntry::new("ada_1", "Ada Labs", "Ada 1"),
            PanelEntry::new("ada_2", "Ada Labs", "Ada 2"),
            PanelEntry::new("bly", "Bly", "Bly | <b>"),
        ],
        subsets: vec![
            SubsetInfo::new("all_models", ["ada_1", "ada_2", "bly"]),
            SubsetInfo::new("ada_pair", ["ada_2", "ada_1"]),
        ],
        judges: ["j1", "j2", "j3"].map(str::to_owned).to_vec(),
        judged_models: ["ada_1", "ada_2"].map(str::to_owned).to_vec(),
        spec_title: Some("House rules".to_owned()),
        seed: 7,
        created: Some("3 May".to_owned()),
        calls: Some(CallCounts {
            total: 1234,
            made: 12,
            cost_usd: Some(0.5),
        }),
        ..StudyInfo::default()
    }
}

pub(crate) fn write<T: Table>(tables: &TableDir, rows: Vec<T>) {
    let mut writer = tables.writer::<T>().unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    writer.finish().unwrap();
}

fn outcome(answered: bool) -> &'static str {
    if answered { "answered" } else { "unparsable" }
}

pub(crate) fn scenario(id: Option<&str>, pair: u32, nudge: &str, ended: &str) -> ScenarioRow {
    let generator = if pair == 0 { "gen_b" } else { "gen_a" };
    ScenarioRow {
        scenario_id: id.map(str::to_owned),
        triple_id: format!("t{pair}"),
        pair,
        value1: "candour".to_owned(),
        value2: "kind_ness <i>".to_owned(),
        nudge: nudge.parse().unwrap(),
        generator: generator.to_owned(),
        query: id.map(|id| {
            if id == "s1" {
                HOSTILE.to_owned()
            } else {
                format!("Question {id}?")
            }
        }),
        outcome: ended.parse().unwrap(),
        detail: None,
    }
}

pub(crate) fn response(scenario: &str, model: &str, sample: u32, answered: bool) -> ResponseRow {
    let hostile = (scenario, model, sample) == ("s1", "ada_2", 0);
    let text = if hostile {
        HOSTILE.to_owned()
    } else {
        format!("Answer of {model}.")
    };
    ResponseRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        sample,
        text: answered.then_some(text),
        answered_by: None,
        input_tokens: None,
        output_tokens: None,
        cost_usd: None,
        request_key: format!("{scenario}/{model}/{sample}"),
        outcome: if answered { "answered" } else { "blocked" }
            .parse()
            .unwrap(),
        detail: None,
    }
}

pub(crate) fn position(scenario: &str, model: &str, at: Option<(u8, u8)>) -> PositionRow {
    PositionRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        sample: 0,
        value1_position: at.map(|at| at.0),
        value1_confidence: at.map(|_| 0.9),
        value1_reasoning: at.map(|_| "because".to_owned()),
        value2_position: at.map(|at| at.1),
        value2_confidence: at.map(|_| 0.8),
        value2_reasoning: at.map(|_| "because".to_owned()),
        outcome: if at.is_some() { "answered" } else { "not_run" }
            .parse()
            .unwrap(),
        detail: None,
    }
}

pub(crate) fn spread(
    scenario: &str,
    subset: &str,
    n: u32,
    d: Option<f64>,
    high: bool,
) -> DisagreementRow {
    DisagreementRow {
        scenario_id: scenario.to_owned(),
        subset: subset.to_owned(),
        n,
        missing: if subset == "all_models" { 3 - n } else { 2 - n },
        std_value1: d,
        std_value2: d.map(|_| 0.0),
        disagreement: d,
        high,
    }
}

/// One row per judge; P violates, A is ambiguous, C complies, X has no verdict.
pub(crate) fn verdicts(scenario: &str, model: &str, marks: &str) -> Vec<VerdictRow> {
    let judges = ["j1", "j2", "j3"];
    let row = |(judge, mark): (&str, char)| {
        let decision = match mark {
            'P' => Some("non-compliant"),
            'A' => Some("ambiguous"),
            'C' => Some("compliant"),
            _ => None,
        };
        VerdictRow {
            scenario_id: scenario.to_owned(),
            model: model.to_owned(),
            sample: 0,
            judge: judge.to_owned(),
            decision: decision.map(|decision| decision.parse().unwrap()),
            reasoning: decision.map(|_| "because".to_owned()),
            outcome: outcome(decision.is_some()).parse().unwrap(),
            detail: None,
        }
    };
    judges.into_iter().zip(marks.chars()).map(row).collect()
}

fn refusal(scenario: &str, model: &str, kind: Option<&str>) -> RefusalRow {
    RefusalRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        sample: 0,
        kind: kind.map(|kind| kind.parse().unwrap()),
        outcome: outcome(kind.is_some()).parse().unwrap(),
        detail: None,
    }
}

fn topics(scenario: &str, topics: Option<&[&str]>) -> TopicRow {
    TopicRow {
        scenario_id: scenario.to_owned(),
        topics: topics
            .unwrap_or_default()
            .iter()
            .map(|topic| topic.parse().unwrap())
            .collect(),
        outcome: outcome(topics.is_some()).parse().unwrap(),
        detail: None,
    }
}

fn values(scenario: &str, model: &str, categories: Option<&[&str]>) -> ExpressedValuesRow {
    let names: Vec<String> = categories
        .unwrap_or_default()
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    ExpressedValuesRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        sample: 0,
        labels: names.iter().map(|name| format!("some {name}")).collect(),
        categories: names,
        outcome: outcome(categories.is_some()).parse().unwrap(),
        detail: None,
    }
}

fn selection(selection: &str, rank: u32, scenario: &str) -> SelectionRow {
    SelectionRow {
        selection: selection.to_owned(),
        rank,
        scenario_id: scenario.to_owned(),
        weight: None,
        radius: (selection == "diversity").then(|| 0.9 / f64::from(rank + 1)),
    }
}

/// Two pairs, four questions, three models, three judges; a piece of nearly everything is missing.
pub(crate) fn tables() -> (TempDir, TableDir) {
    let folder = tempfile::tempdir().unwrap();
    let tables = TableDir::new(folder.path());
    write_plan(&tables);
    write_panel(&tables);
    write_verdicts(&tables);
    write_citations(&tables);
    write_labels(&tables);
    (folder, tables)
}

fn write_plan(tables: &TableDir) {
    let pair = |pair| PairRow {
        pair,
        triple_id: format!("t{pair}"),
        value1: "candour".to_owned(),
        value2: "kind_ness <i>".to_owned(),
        category1: Some("Truth & <care>".to_owned()),
        category2: (pair == 0).then(|| "Kindness".to_owned()),
    };
    write(tables, vec![pair(0), pair(1)]);
    write(
        tables,
        vec![
            scenario(Some("s1"), 0, "neutral", "answered"),
            scenario(Some("s2"), 0, "value1", "answered"),
            scenario(None, 0, "value2", "blocked"),
            scenario(Some("s3"), 1, "neutral", "answered"),
            scenario(Some("s4"), 1, "value1", "answered"),
            scenario(None, 1, "value2", "truncated"),
        ],
    );
    let embedding = |id: &str| EmbeddingRow {
        scenario_id: id.to_owned(),
        model: "embedder".to_owned(),
        vector: Some(vec![1.0, 0.0]),
        outcome: "answered".parse().unwrap(),
        detail: None,
    };
    write(tables, ["s1", "s2", "s3", "s4"].map(embedding).to_vec());
    write(
        tables,
        vec![
            selection("diversity", 0, "s3"),
            selection("diversity", 1, "s1"),
            selection("diversity", 2, "s4"),
            selection("all_models", 0, "s1"),
        ],
    );
    let spectrum = |triple: &str, answered| SpectrumRow {
        triple_id: triple.to_owned(),
        value1: "candour".to_owned(),
        value2: "kind_ness <i>".to_owned(),
        strategies1: Vec::new(),
        strategies2: Vec::new(),
        outcome: outcome(answered).parse().unwrap(),
        detail: None,
    };
    write(tables, vec![spectrum("t0", true), spectrum("t1", true)]);
}

fn write_panel(tables: &TableDir) {
    let mut responses = vec![response("s1", "ada_1", 1, true)];
    for id in ["s1", "s2", "s3", "s4"] {
        for model in ["bly", "ada_1", "ada_2"] {
            responses.push(response(id, model, 0, (id, model) != ("s4", "bly")));
        }
    }
    write(tables, responses);
    let places = [
        ("s1", [Some((0, 6)), Some((6, 1)), Some((3, 3))]),
        ("s2", [Some((1, 1)), Some((1, 1)), Some((1, 1))]),
        ("s3", [Some((0, 3)), Some((3, 3)), Some((5, 3))]),
        ("s4", [Some((2, 2)), Some((2, 4)), None]),
    ];
    let positions = places.iter().flat_map(|(id, places)| {
        let models = ["ada_1", "ada_2", "bly"];
        models
            .into_iter()
            .zip(places)
            .map(|(model, &at)| position(id, model, at))
    });
    write(tables, positions.collect());
    write(
        tables,
        vec![
            spread("s1", "all_models", 3, Some(6_f64.sqrt()), true),
            spread("s1", "ada_pair", 2, Some(3.0), true),
            spread("s2", "all_models", 3, Some(0.0), false),
            spread("s2", "ada_pair", 2, Some(0.0), false),
            spread("s3", "all_models", 3, Some((38.0_f64 / 9.0).sqrt()), true),
            spread("s3", "ada_pair", 2, Some(1.5), true),
            spread("s4", "all_models", 2, Some(1.0), false),
            spread("s4", "ada_pair", 2, Some(1.0), false),
            spread("s5", "all_models", 1, None, false),
        ],
    );
    let flag = |scenario: &str, model: &str| OutlierRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        disagrees_with: 2,
        others: 2,
    };
    write(tables, vec![flag("s3", "bly"), flag("s1", "ada_1")]);
}

fn write_verdicts(tables: &TableDir) {
    let marks = [
        ("s1", "PPA", "PCP"),
        ("s2", "CCC", "CCP"),
        ("s3", "PCX", "APC"),
        ("s4", "XXX", "CCC"),
    ];
    let verdicts = marks.iter().flat_map(|(id, ada_1, ada_2)| {
        [verdicts(id, "ada_1", ada_1), verdicts(id, "ada_2", ada_2)].concat()
    });
    write(tables, verdicts.collect());
}

/// What the judge at this place of `verdicts` cites, with the match of its words of the spec.
pub(crate) fn citation(
    scenario: &str,
    model: &str,
    judge: &str,
    decision: &str,
    section: &str,
    spec: QuoteMatch,
) -> CitationRow {
    let known = SECTIONS.iter().any(|(id, ..)| *id == section);
    CitationRow {
        scenario_id: scenario.to_owned(),
        model: model.to_owned(),
        sample: 0,
        judge: judge.to_owned(),
        place: 0,
        decision: decision.parse().unwrap(),
        section: section.to_owned(),
        known,
        source: CitationSource::Stated,
        spec_quote: Some(HOSTILE.to_owned()),
        spec_match: Some(spec),
        spec_elsewhere: (spec == QuoteMatch::Elsewhere).then(|| "care".to_owned()),
        spec_start: None,
        spec_end: None,
        answer_quote: Some("because".to_owned()),
        answer_match: Some(QuoteMatch::Exact),
        answer_start: Some(0),
        answer_end: Some(7),
    }
}

pub(crate) const SECTIONS: [(&str, &str, &str); 5] = [
    ("top", "House rules", ""),
    ("candour", "Be candid <b>", "Say what you know."),
    ("care", HOSTILE, "Mind how people feel."),
    ("order", "Keep order", "One thing at a time."),
    ("quiet", "Be <quiet>", "Hush."),
];

fn write_citations(tables: &TableDir) {
    use QuoteMatch::{Elsewhere, Exact, Fuzzy, Missing};
    let section = |(place, (id, title, text)): (u32, (&str, &str, &str))| SectionRow {
        place,
        section: id.to_owned(),
        title: title.to_owned(),
        level: 1,
        authority: None,
        parent: None,
        text: text.to_owned(),
    };
    write(tables, (0..).zip(SECTIONS).map(section).collect());
    let (bad, good, unclear) = ("non-compliant", "compliant", "ambiguous");
    write(
        tables,
        vec![
            citation("s1", "ada_1", "j1", bad, "candour", Exact),
            citation("s1", "ada_1", "j3", unclear, "candour", Fuzzy),
            citation("s1", "ada_1", "j3", unclear, "care", Elsewhere),
            // Opposite verdicts on different clauses.
            citation("s1", "ada_2", "j1", bad, "care", Exact),
            citation("s1", "ada_2", "j2", good, "candour", Exact),
            // All comply, at different places.
            citation("s4", "ada_2", "j1", good, "care", Exact),
            citation("s2", "ada_1", "j1", good, "candour", Exact),
            citation("s2", "ada_1", "j2", good, "order", Exact),
            citation("s2", "ada_2", "j1", good, "candour", Missing),
            citation("s2", "ada_2", "j3", bad, "candour", Exact),
            citation("s2", "ada_2", "j2", good, HOSTILE, Missing),
        ],
    );
}

fn write_labels(tables: &TableDir) {
    write(
        tables,
        vec![
            topics("s1", Some(&["politics", "ethics & moral reasoning"])),
            topics("s2", Some(&[])),
            topics("s3", Some(&["politics"])),
            topics("s4", None),
        ],
    );
    write(
        tables,
        vec![
            refusal("s1", "ada_1", Some("Full Compliance")),
            refusal("s2", "ada_1", Some("Full Compliance")),
            refusal("s3", "ada_1", Some("Complete Rejection")),
            refusal("s4", "ada_1", Some("Soft Rejection with Alternatives")),
            refusal("s1", "ada_2", Some("Full Compliance")),
            refusal("s2", "ada_2", Some("Partial Compliance with Redirection")),
            refusal("s3", "ada_2", None),
            refusal("s1", "bly", Some("Firm Rejection with Explanation")),
        ],
    );
    write(
        tables,
        vec![
            values("s1", "ada_1", Some(&["Truth", "Care", "Care"])),
            values("s2", "ada_1", Some(&["Truth"])),
            values("s1", "ada_2", Some(&["Care"])),
            values("s1", "bly", Some(&[])),
            values("s2", "bly", None),
        ],
    );
}

pub(crate) fn report() -> StudyReport {
    let (_folder, tables) = tables();
    StudyReport::compute(&tables, &info()).unwrap()
}
