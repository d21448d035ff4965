//! The schemas of the study's tables, field by field. A change here needs a higher `VERSION`.

use crate::ColumnType::{Bool, Float32List, Float64, Text, TextList, UInt8, UInt32, UInt64};
use crate::rows::{
    CitationRow, DisagreementRow, EmbeddingRow, ExpressedValuesRow, LabelSampleRow, OutlierRow,
    PairRow, PeopleLabelRow, PositionRow, RefusalRow, ResponseRow, ScenarioRow, SectionRow,
    SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use crate::{Column, Table};

impl Table for PairRow {
    const NAME: &'static str = "pairs";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("pair", UInt32),
        Column::required("triple_id", Text),
        Column::required("value1", Text),
        Column::required("value2", Text),
        Column::optional("category1", Text),
        Column::optional("category2", Text),
    ];
}

impl Table for ScenarioRow {
    const NAME: &'static str = "scenarios";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::optional("scenario_id", Text),
        Column::required("triple_id", Text),
        Column::required("pair", UInt32),
        Column::required("value1", Text),
        Column::required("value2", Text),
        Column::required("nudge", Text),
        Column::required("generator", Text),
        Column::optional("query", Text),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for EmbeddingRow {
    const NAME: &'static str = "embeddings";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::optional("vector", Float32List),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
    // 3,072 floats are 12 KiB a row.
    const ROWS_PER_GROUP: usize = 512;
}

impl Table for SelectionRow {
    const NAME: &'static str = "selections";
    // Version 2 added `radius`.
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] = &[
        Column::required("selection", Text),
        Column::required("rank", UInt32),
        Column::required("scenario_id", Text),
        Column::optional("weight", Float64),
        Column::optional("radius", Float64),
    ];
}

impl Table for ResponseRow {
    const NAME: &'static str = "responses";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::optional("text", Text),
        Column::optional("answered_by", Text),
        Column::optional("input_tokens", UInt64),
        Column::optional("output_tokens", UInt64),
        Column::optional("cost_usd", Float64),
        Column::required("request_key", Text),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
    // Answers run to several KiB.
    const ROWS_PER_GROUP: usize = 1024;
}

impl Table for SpectrumRow {
    const NAME: &'static str = "spectra";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("triple_id", Text),
        Column::required("value1", Text),
        Column::required("value2", Text),
        Column::required("strategies1", TextList),
        Column::required("strategies2", TextList),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
    // Fourteen paragraphs a row.
    const ROWS_PER_GROUP: usize = 1024;
}

impl Table for PositionRow {
    const NAME: &'static str = "positions";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::optional("value1_position", UInt8),
        Column::optional("value1_confidence", Float64),
        Column::optional("value1_reasoning", Text),
        Column::optional("value2_position", UInt8),
        Column::optional("value2_confidence", Float64),
        Column::optional("value2_reasoning", Text),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for DisagreementRow {
    const NAME: &'static str = "disagreement";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("subset", Text),
        Column::required("n", UInt32),
        Column::required("missing", UInt32),
        Column::optional("std_value1", Float64),
        Column::optional("std_value2", Float64),
        Column::optional("disagreement", Float64),
        Column::required("high", Bool),
    ];
}

impl Table for OutlierRow {
    const NAME: &'static str = "outliers";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("disagrees_with", UInt32),
        Column::required("others", UInt32),
    ];
}

impl Table for VerdictRow {
    const NAME: &'static str = "verdicts";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::required("judge", Text),
        Column::optional("decision", Text),
        Column::optional("reasoning", Text),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for SectionRow {
    const NAME: &'static str = "sections";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("place", UInt32),
        Column::required("section", Text),
        Column::required("title", Text),
        Column::required("level", UInt8),
        Column::optional("authority", Text),
        Column::optional("parent", Text),
        Column::required("text", Text),
    ];
}

impl Table for CitationRow {
    const NAME: &'static str = "citations";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::required("judge", Text),
        Column::required("place", UInt32),
        Column::required("decision", Text),
        Column::required("section", Text),
        Column::required("known", Bool),
        Column::required("source", Text),
        Column::optional("spec_quote", Text),
        Column::optional("spec_match", Text),
        Column::optional("spec_elsewhere", Text),
        Column::optional("spec_start", UInt64),
        Column::optional("spec_end", UInt64),
        Column::optional("answer_quote", Text),
        Column::optional("answer_match", Text),
        Column::optional("answer_start", UInt64),
        Column::optional("answer_end", UInt64),
    ];
}

impl Table for TopicRow {
    const NAME: &'static str = "topics";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("topics", TextList),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for RefusalRow {
    const NAME: &'static str = "refusals";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::optional("kind", Text),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for ExpressedValuesRow {
    const NAME: &'static str = "expressed_values";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::required("labels", TextList),
        Column::required("categories", TextList),
        Column::required("outcome", Text),
        Column::optional("detail", Text),
    ];
}

impl Table for LabelSampleRow {
    const NAME: &'static str = "label_sample";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("item", Text),
        Column::required("scenario_id", Text),
        Column::required("model", Text),
        Column::required("sample", UInt32),
        Column::required("stratum", Text),
        Column::required("population", UInt64),
    ];
}

impl Table for PeopleLabelRow {
    const NAME: &'static str = "people_labels";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::required("item", Text),
        Column::required("rater", Text),
        Column::optional("decision", Text),
        Column::optional("value1_position", UInt8),
        Column::optional("value2_position", UInt8),
        Column::optional("refusal_kind", Text),
        Column::optional("notes", Text),
    ];
}
