//! The `judge_evaluations` config: one row per judged answer.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use specstress_judge::Decision;
use specstress_scenarios::Nudge;

use super::cell::{Cell, Refused};
use super::plan::{Cells, RowPlan, Slot};
use super::read::rows_of;
use super::write_cells::{CellFile, CellKind, CellOut};
use crate::csv_source::find_column;
use crate::located::Place;
use crate::{DatasetError, Rows};

/// Columns that are not of judges, in the order we write them.
const COLUMNS: [&str; 11] = [
    "model",
    "bin_name",
    "std_range",
    "max_pop_std_openai",
    "chunk_idx",
    "entry_idx",
    "query_key",
    "value1",
    "value2",
    "prompt",
    "response",
];
const DECISION: &str = "_decision";

/// What the judges said of one answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EvaluationRow {
    /// Key of the model that answered.
    pub model: Option<String>,
    /// Name of the bin of disagreement, such as `std_1.5_to_2.0`.
    pub bin_name: Option<String>,
    /// The bin's range, in words.
    pub std_range: Option<String>,
    /// Disagreement of the judged models, as a population standard deviation. The column is named after the OpenAI
    /// models of the release, whatever models were judged.
    pub max_pop_std_openai: Option<f64>,
    /// With `entry_idx`, names the value pair.
    pub chunk_idx: Option<i64>,
    /// With `chunk_idx`, names the value pair.
    pub entry_idx: Option<i64>,
    /// Which question of the pair; we write its framing.
    pub query_key: Option<String>,
    /// First value.
    pub value1: Option<String>,
    /// Second value.
    pub value2: Option<String>,
    /// The question.
    pub prompt: Option<String>,
    /// The answer.
    pub response: Option<String>,
    /// Names of the judges, the same list for all rows of a file: the columns `<judge>_decision` without their ending.
    pub judges: Arc<[String]>,
    /// Per judge: the decision, where there is one.
    pub decisions: Vec<Option<Decision>>,
    /// Decisions that are there and are none of the three: missing in `decisions`, never compliant.
    pub unreadable: u32,
}

impl EvaluationRow {
    /// The framing that `query_key` names, if it does.
    pub fn nudge(&self) -> Option<Nudge> {
        self.query_key.as_deref()?.parse().ok()
    }
}

/// Whether columns of these names are those of judged answers: `model`, and at least one `<judge>_decision`.
pub fn is_evaluations<S: AsRef<str>>(header: &[S]) -> bool {
    header.iter().any(|name| name.as_ref() == "model") && !judges_of(header).is_empty()
}

fn judges_of<S: AsRef<str>>(header: &[S]) -> Vec<String> {
    let keys = header
        .iter()
        .filter_map(|name| name.as_ref().strip_suffix(DECISION));
    keys.filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Opens a file of judged answers; its name tells the format: `.parquet`, `.csv` or `.jsonl`.
///
/// Every column `<judge>_decision` is a judge, so the third judge of the release is read under either of its names.
/// Columns are found by name, further ones are ignored, and only `model` and one judge are needed. Decisions are read in
/// any case, with `-`, `_` or a space between words. Without `texts` prompts and answers stay on disk. Memory: one row,
/// in Parquet one batch.
///
/// # Errors
/// [`DatasetError::MissingColumn`]; each row that cannot be read gives an error with file, row, line, column and value,
/// and ends the rows.
///
/// ```
/// use specstress_dataset::published::read_evaluations;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("bin.csv");
/// std::fs::write(&path, "model,o3_decision,entry_idx\no3,Non-Compliant,4\no3,no idea,5\n")?;
/// let rows: Vec<_> = read_evaluations(&path, false)?.collect::<Result<_, _>>()?;
/// assert!(rows[0].decisions[0].is_some_and(|decision| decision.is_problematic()));
/// assert_eq!((rows[1].decisions[0], rows[1].unreadable), (None, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_evaluations(
    path: impl AsRef<Path>,
    texts: bool,
) -> Result<EvaluationReader, DatasetError> {
    let path = path.as_ref();
    let opened = rows_of(path, |header| Plan::new(path, header, texts))?;
    let (judges, rows) = match opened {
        Some((plan, rows)) => (plan.judges, rows),
        None => (
            Arc::from(Vec::new()),
            Box::new(std::iter::empty()) as Rows<_>,
        ),
    };
    Ok(EvaluationReader { judges, rows })
}

/// The rows of a file of judged answers, read as they are asked for.
pub struct EvaluationReader {
    judges: Arc<[String]>,
    rows: Rows<EvaluationRow>,
}

impl EvaluationReader {
    /// Names of the judges, in the order every row has them.
    pub fn judges(&self) -> &[String] {
        &self.judges
    }
}

impl fmt::Debug for EvaluationReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvaluationReader")
            .field("judges", &self.judges)
            .finish_non_exhaustive()
    }
}

impl Iterator for EvaluationReader {
    type Item = Result<EvaluationRow, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

#[derive(Clone, Debug)]
struct Plan {
    judges: Arc<[String]>,
    slots: Vec<Slot>,
}

impl Plan {
    fn new(path: &Path, header: &[String], texts: bool) -> Result<Self, DatasetError> {
        let missing = |column: &str| DatasetError::MissingColumn {
            path: path.to_owned(),
            column: column.to_owned(),
            found: header.to_vec(),
        };
        let judges = judges_of(header);
        if judges.is_empty() {
            return Err(missing("<judge>_decision"));
        }
        let decisions = judges.iter().map(|judge| format!("{judge}{DECISION}"));
        let names = COLUMNS.into_iter().map(str::to_owned).chain(decisions);
        let mut slots = Vec::new();
        for name in names {
            let mut place = find_column(path, header, &name)?;
            if name == COLUMNS[0] && place.is_none() {
                return Err(missing(&name));
            }
            if !texts && ["prompt", "response"].contains(&name.as_str()) {
                place = None;
            }
            slots.push(Slot { name, place });
        }
        Ok(Self {
            judges: judges.into(),
            slots,
        })
    }
}

impl RowPlan for Plan {
    type Row = EvaluationRow;

    fn places(&self) -> Vec<usize> {
        Slot::places(&self.slots)
    }

    fn row<'a>(
        &self,
        at: Place<'_>,
        cell: impl Fn(usize, &str) -> Cell<'a>,
    ) -> Result<EvaluationRow, DatasetError> {
        // Slots come in the order the struct below asks for them.
        let mut cells = Cells::new(at, &self.slots, cell);
        let mut row = EvaluationRow {
            model: cells.next(Cell::text)?,
            bin_name: cells.next(Cell::text)?,
            std_range: cells.next(Cell::text)?,
            max_pop_std_openai: cells.next(Cell::number)?,
            chunk_idx: cells.next(Cell::integer)?,
            entry_idx: cells.next(Cell::integer)?,
            query_key: cells.next(word)?,
            value1: cells.next(Cell::text)?,
            value2: cells.next(Cell::text)?,
            prompt: cells.next(Cell::text)?,
            response: cells.next(Cell::text)?,
            judges: self.judges.clone(),
            decisions: Vec::with_capacity(self.judges.len()),
            unreadable: 0,
        };
        for _ in 0..self.judges.len() {
            let text = cells.next(Cell::text)?;
            let decision = text.as_deref().and_then(decision);
            row.unreadable += u32::from(text.is_some() && decision.is_none());
            row.decisions.push(decision);
        }
        Ok(row)
    }
}

/// A key that may be stored as text or as a number.
fn word(cell: Cell<'_>) -> Result<Option<String>, Refused> {
    match cell {
        Cell::Integer(number) => Ok(Some(number.to_string())),
        other => other.text(),
    }
}

fn decision(text: &str) -> Option<Decision> {
    let text = text.trim().to_lowercase().replace(['_', ' '], "-");
    text.parse().ok()
}

/// Writes judged answers; the file's name tells the format: `.csv`, `.parquet` or `.jsonl`.
///
/// The file appears under its name in [`EvaluationWriter::finish`], synced to disk.
///
/// ```
/// use specstress_dataset::published::{EvaluationRow, EvaluationWriter};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("bin.csv");
/// let mut writer = EvaluationWriter::create(&path, &["gpt41"])?;
/// writer.write(&EvaluationRow { model: Some("o3".into()), decisions: vec![None], ..EvaluationRow::default() })?;
/// assert_eq!(writer.finish()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EvaluationWriter {
    file: CellFile,
    judges: usize,
}

impl EvaluationWriter {
    /// Starts a file with a column for each of these judges; its folder must exist.
    ///
    /// # Errors
    /// [`DatasetError::DuplicateColumn`] when a judge is given twice.
    pub fn create<S: AsRef<str>>(
        path: impl AsRef<Path>,
        judges: &[S],
    ) -> Result<Self, DatasetError> {
        let kind = |name: &str| match name {
            "max_pop_std_openai" => CellKind::Number,
            "chunk_idx" | "entry_idx" => CellKind::Integer,
            _ => CellKind::Text,
        };
        let shared = COLUMNS.iter().map(|name| ((*name).to_owned(), kind(name)));
        let decisions = judges
            .iter()
            .map(|judge| (format!("{}{DECISION}", judge.as_ref()), CellKind::Text));
        let columns: Vec<(String, CellKind)> = shared.chain(decisions).collect();
        Ok(Self {
            file: CellFile::create(path.as_ref(), &columns)?,
            judges: judges.len(),
        })
    }

    /// Takes the next row, whose decisions are those of the writer's judges in their order.
    ///
    /// # Errors
    /// [`DatasetError::Io`] for a full disk and the like.
    pub fn write(&mut self, row: &EvaluationRow) -> Result<(), DatasetError> {
        let text = |text: &'_ Option<String>| CellOut::Text(text.clone().map(Into::into));
        let mut cells = vec![
            text(&row.model),
            text(&row.bin_name),
            text(&row.std_range),
            CellOut::Number(row.max_pop_std_openai),
            CellOut::Integer(row.chunk_idx),
            CellOut::Integer(row.entry_idx),
            text(&row.query_key),
            text(&row.value1),
            text(&row.value2),
            text(&row.prompt),
            text(&row.response),
        ];
        cells.extend((0..self.judges).map(|judge| {
            let decision = row.decisions.get(judge).copied().flatten();
            CellOut::text(decision.map(Decision::as_str))
        }));
        self.file.push(&cells)
    }

    /// Stores everything and returns the number of rows.
    ///
    /// # Errors
    /// [`DatasetError::Io`]; an existing file then stays as it was.
    pub fn finish(self) -> Result<u64, DatasetError> {
        self.file.finish()
    }
}
