//! Rows of every table, with everything missing that may be and texts that are hard to store.

use specstress_dataset::rows::{
    CitationRow, DisagreementRow, EmbeddingRow, ExpressedValuesRow, LabelSampleRow, OutlierRow,
    PairRow, PeopleLabelRow, PositionRow, RefusalRow, ResponseRow, ScenarioRow, SectionRow,
    SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use specstress_judge::{CitationSource, Decision, QuoteMatch};
use specstress_llm::OutcomeKind;
use specstress_rubric::{RefusalKind, Topic};
use specstress_scenarios::Nudge;

/// Calls one generic function, or a macro given with its `!`, for every table.
macro_rules! for_each_table {
    ($($function:tt)+) => {
        $($function)+(&crate::samples::pairs());
        $($function)+(&crate::samples::scenarios());
        $($function)+(&crate::samples::embeddings());
        $($function)+(&crate::samples::selections());
        $($function)+(&crate::samples::responses());
        $($function)+(&crate::samples::spectra());
        $($function)+(&crate::samples::positions());
        $($function)+(&crate::samples::disagreement());
        $($function)+(&crate::samples::outliers());
        $($function)+(&crate::samples::verdicts());
        $($function)+(&crate::samples::sections());
        $($function)+(&crate::samples::citations());
        $($function)+(&crate::samples::topics());
        $($function)+(&crate::samples::refusals());
        $($function)+(&crate::samples::expressed_values());
        $($function)+(&crate::samples::label_sample());
        $($function)+(&crate::samples::people_labels());
    };
}
pub(crate) use for_each_table;

/// Texts that break naive writers: quotes, separators, line ends, other scripts, JSON, formulas.
pub(crate) const TEXTS: [&str; 12] = [
    "",
    " ",
    "plain",
    "a \"quoted\" word",
    "\"starts quoted",
    "\"json\"",
    "comma, semicolon; tab\t",
    "line\nline\r\nline",
    "null",
    "[\"a\"]",
    "=1+1",
    "Ünïcödé 価値 🙂 \u{202e}",
];

fn text(index: usize) -> String {
    TEXTS[index % TEXTS.len()].to_owned()
}

fn detail(index: usize) -> Option<String> {
    (!index.is_multiple_of(3)).then(|| text(index))
}

fn outcome(index: usize) -> OutcomeKind {
    OutcomeKind::ALL[index % OutcomeKind::ALL.len()]
}

fn many<T>(make: impl Fn(usize) -> T) -> Vec<T> {
    (0..25).map(make).collect()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("samples are few")
}

pub(crate) fn pairs() -> Vec<PairRow> {
    many(|i| PairRow {
        pair: if i == 0 { u32::MAX } else { number(i) },
        triple_id: format!("{i:016x}"),
        value1: text(i),
        value2: text(i + 1),
        category1: detail(i),
        category2: detail(i + 1),
    })
}

pub(crate) fn scenarios() -> Vec<ScenarioRow> {
    many(|i| ScenarioRow {
        scenario_id: detail(i),
        triple_id: text(i),
        pair: number(i),
        value1: text(i + 1),
        value2: text(i + 2),
        nudge: Nudge::ALL[i % 3],
        generator: "o3".into(),
        query: detail(i + 1),
        outcome: outcome(i),
        detail: detail(i + 2),
    })
}

pub(crate) fn embeddings() -> Vec<EmbeddingRow> {
    many(|i| EmbeddingRow {
        scenario_id: text(i),
        model: "e".into(),
        vector: match i % 4 {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(vec![0.1, -1.0 / 3.0, f32::MIN_POSITIVE]),
            _ => Some(vec![f32::MAX, f32::EPSILON, -0.0, 1e-45]),
        },
        outcome: outcome(i),
        detail: detail(i),
    })
}

pub(crate) fn selections() -> Vec<SelectionRow> {
    many(|i| SelectionRow {
        selection: text(i),
        rank: number(i),
        scenario_id: text(i + 3),
        weight: [
            None,
            Some(1.0 / 3.0),
            Some(5e-324),
            Some(f64::MAX),
            Some(0.1 + 0.2),
        ][i % 5],
        // The first five rows stand in the golden file of version 1, which has no radius.
        radius: (i > 5).then_some(1.0 / 7.0),
    })
}

pub(crate) fn responses() -> Vec<ResponseRow> {
    many(|i| ResponseRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: number(i),
        text: detail(i),
        answered_by: detail(i + 1),
        input_tokens: [None, Some(0), Some(u64::MAX), Some((1 << 53) + 1)][i % 4],
        output_tokens: [Some(7), None][i % 2],
        cost_usd: [None, Some(0.000_123)][i % 2],
        request_key: text(i + 2),
        outcome: outcome(i),
        detail: detail(i + 2),
    })
}

pub(crate) fn spectra() -> Vec<SpectrumRow> {
    many(|i| SpectrumRow {
        triple_id: text(i),
        value1: text(i + 1),
        value2: text(i + 2),
        strategies1: (0..i % 8).map(text).collect(),
        strategies2: (0..i % 3).map(text).collect(),
        outcome: outcome(i),
        detail: detail(i),
    })
}

pub(crate) fn positions() -> Vec<PositionRow> {
    many(|i| PositionRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: number(i),
        value1_position: [None, Some(0), Some(6)][i % 3],
        value1_confidence: [Some(0.75), None][i % 2],
        value1_reasoning: detail(i),
        value2_position: [Some(3), None][i % 2],
        value2_confidence: [None, Some(1.0)][i % 2],
        value2_reasoning: detail(i + 1),
        outcome: outcome(i),
        detail: detail(i + 2),
    })
}

pub(crate) fn disagreement() -> Vec<DisagreementRow> {
    many(|i| DisagreementRow {
        scenario_id: text(i),
        subset: "all".into(),
        n: number(i),
        missing: 0,
        std_value1: [None, Some(1.5)][i % 2],
        std_value2: [None, Some(2.649_685_515_931)][i % 2],
        disagreement: [None, Some(2.649_685_515_931)][i % 2],
        high: i.is_multiple_of(2),
    })
}

pub(crate) fn outliers() -> Vec<OutlierRow> {
    many(|i| OutlierRow {
        scenario_id: text(i),
        model: "m".into(),
        disagrees_with: number(i),
        others: 11,
    })
}

pub(crate) fn verdicts() -> Vec<VerdictRow> {
    many(|i| VerdictRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: 0,
        judge: "j".into(),
        decision: [None]
            .into_iter()
            .chain(Decision::ALL.map(Some))
            .nth(i % 4)
            .flatten(),
        reasoning: detail(i),
        outcome: outcome(i),
        detail: detail(i + 1),
    })
}

pub(crate) fn sections() -> Vec<SectionRow> {
    many(|i| SectionRow {
        place: number(i),
        section: text(i),
        title: text(i + 1),
        level: [0, 1, 6][i % 3],
        authority: detail(i),
        parent: detail(i + 1),
        text: text(i + 2),
    })
}

pub(crate) fn citations() -> Vec<CitationRow> {
    let found = |i: usize| {
        [None]
            .into_iter()
            .chain(QuoteMatch::ALL.map(Some))
            .nth(i % 6)
            .flatten()
    };
    let byte = |i: usize| [None, Some(0), Some(u64::MAX)][i % 3];
    many(|i| CitationRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: number(i),
        judge: "j".into(),
        place: number(i % 4),
        decision: Decision::ALL[i % 3],
        section: text(i + 1),
        known: i.is_multiple_of(2),
        source: [CitationSource::Stated, CitationSource::Named][i % 2],
        spec_quote: detail(i),
        spec_match: found(i),
        spec_elsewhere: detail(i + 1),
        spec_start: byte(i),
        spec_end: byte(i + 1),
        answer_quote: detail(i + 2),
        answer_match: found(i + 1),
        answer_start: byte(i + 2),
        answer_end: byte(i),
    })
}

pub(crate) fn topics() -> Vec<TopicRow> {
    many(|i| TopicRow {
        scenario_id: text(i),
        topics: Topic::ALL[..i % (Topic::ALL.len() + 1)].to_vec(),
        outcome: outcome(i),
        detail: detail(i),
    })
}

pub(crate) fn refusals() -> Vec<RefusalRow> {
    many(|i| RefusalRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: 0,
        kind: RefusalKind::ALL
            .get(i % (RefusalKind::ALL.len() + 1))
            .copied(),
        outcome: outcome(i),
        detail: detail(i),
    })
}

pub(crate) fn expressed_values() -> Vec<ExpressedValuesRow> {
    many(|i| ExpressedValuesRow {
        scenario_id: text(i),
        model: "m".into(),
        sample: number(i),
        labels: (0..i % 5).map(text).collect(),
        categories: (0..i % 5).map(|k| text(k + 4)).collect(),
        outcome: outcome(i),
        detail: detail(i),
    })
}

pub(crate) fn label_sample() -> Vec<LabelSampleRow> {
    many(|i| LabelSampleRow {
        item: text(i),
        scenario_id: text(i + 1),
        model: "m".into(),
        sample: number(i),
        stratum: text(i + 2),
        population: u64::MAX - i as u64,
    })
}

pub(crate) fn people_labels() -> Vec<PeopleLabelRow> {
    many(|i| PeopleLabelRow {
        item: text(i),
        rater: "r".into(),
        decision: [None]
            .into_iter()
            .chain(Decision::ALL.map(Some))
            .nth(i % 4)
            .flatten(),
        value1_position: [None, Some(0), Some(6)][i % 3],
        value2_position: [Some(3), None][i % 2],
        refusal_kind: RefusalKind::ALL
            .get(i % (RefusalKind::ALL.len() + 1))
            .copied(),
        notes: detail(i),
    })
}
