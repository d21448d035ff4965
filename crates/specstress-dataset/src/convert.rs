//! Any table or published layout, from one format to another.

use std::path::Path;

use crate::parquet_source::table_name;
use crate::published::{
    EvaluationWriter, PublishedWriter, ReadOptions, column_names, has_spectra, is_evaluations,
    is_published, read_evaluations, read_published,
};
use crate::rows::{
    CitationRow, DisagreementRow, EmbeddingRow, ExpressedValuesRow, LabelSampleRow, OutlierRow,
    PairRow, PeopleLabelRow, PositionRow, RefusalRow, ResponseRow, ScenarioRow, SectionRow,
    SelectionRow, SpectrumRow, TopicRow, VerdictRow,
};
use crate::{Column, DatasetError, Format, Rows, Table, TableDir};

/// Rows that are written at a time.
const BATCH: usize = 256;

/// What was converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// What the rows are: the name of a table, `published`, or `judge_evaluations`.
    pub layout: String,
    /// Number of rows.
    pub rows: u64,
}

/// A table of a study by name.
struct Entry {
    name: &'static str,
    columns: &'static [Column],
    copy: fn(&Path, &Path) -> Result<u64, DatasetError>,
}

const fn entry<T: Table>() -> Entry {
    Entry {
        name: T::NAME,
        columns: T::COLUMNS,
        copy: copy_table::<T>,
    }
}

const TABLES: &[Entry] = &[
    entry::<PairRow>(),
    entry::<ScenarioRow>(),
    entry::<EmbeddingRow>(),
    entry::<SelectionRow>(),
    entry::<ResponseRow>(),
    entry::<SpectrumRow>(),
    entry::<PositionRow>(),
    entry::<DisagreementRow>(),
    entry::<OutlierRow>(),
    entry::<VerdictRow>(),
    entry::<SectionRow>(),
    entry::<CitationRow>(),
    entry::<TopicRow>(),
    entry::<RefusalRow>(),
    entry::<ExpressedValuesRow>(),
    entry::<LabelSampleRow>(),
    entry::<PeopleLabelRow>(),
];

/// Writes the rows of `from` to `to`, in the format of its name; rows keep their order.
///
/// `from` is a file of a table of this crate, the folder of one (`tables/NAME` of a run), or a file in a published
/// layout. What it is is told by `table` where that is given, else by the metadata of a Parquet file or the name of the
/// folder, else by the columns: positions of models, decisions of judges, or all columns of a table, the widest one
/// where several fit. Columns of no layout are left out. Memory: a few hundred rows, whatever the size.
///
/// # Errors
/// [`DatasetError::UnknownTable`] where nothing fits; reading and writing fail as the sources and sinks do, and then
/// leave an existing file at `to` as it was.
///
/// ```
/// use specstress_dataset::convert;
///
/// let dir = tempfile::tempdir()?;
/// let (csv, jsonl) = (dir.path().join("outliers.csv"), dir.path().join("outliers.jsonl"));
/// std::fs::write(&csv, "scenario_id,model,disagrees_with,others\na,m,9,11\n")?;
/// let done = convert(&csv, &jsonl, None)?;
/// assert_eq!((done.layout.as_str(), done.rows), ("outliers", 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convert(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    table: Option<&str>,
) -> Result<Converted, DatasetError> {
    let (from, to) = (from.as_ref(), to.as_ref());
    Format::of(to)?;
    let done = |layout: &str, rows| Converted {
        layout: layout.to_owned(),
        rows,
    };
    let unknown = |found: Option<&str>| DatasetError::UnknownTable {
        path: from.to_owned(),
        found: found.map(str::to_owned),
        known: TABLES.iter().map(|entry| entry.name).collect(),
    };
    let named = match table {
        Some(table) => Some(table.to_owned()),
        None if from.is_dir() => Some(folder_name(from)),
        None if Format::of(from)? == Format::Parquet => table_name(from)?,
        None => None,
    };
    if let Some(name) = named {
        let entry = TABLES.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| unknown(Some(&name)))?;
        return Ok(done(entry.name, (entry.copy)(from, to)?));
    }
    let header = column_names(from)?;
    if is_evaluations(&header) {
        return Ok(done("judge_evaluations", copy_evaluations(from, to)?));
    }
    if is_published(&header) {
        return Ok(done("published", copy_published(from, to, &header)?));
    }
    let fits = |entry: &&Entry| {
        let mut columns = entry.columns.iter();
        columns.all(|column| header.iter().any(|name| name == column.name))
    };
    let widest = TABLES.iter().filter(fits);
    // The first of the widest.
    let widest = widest.rev().max_by_key(|entry| entry.columns.len());
    let entry = widest.ok_or_else(|| unknown(None))?;
    Ok(done(entry.name, (entry.copy)(from, to)?))
}

fn folder_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn copy_table<T: Table>(from: &Path, to: &Path) -> Result<u64, DatasetError> {
    let rows: Rows<T> = if from.is_dir() {
        TableDir::new(from.parent().unwrap_or(from)).rows()?
    } else {
        Format::of(from)?.open::<T>(from)?.rows()?
    };
    let mut sink = Format::of(to)?.create::<T>(to)?;
    let mut batch = Vec::with_capacity(BATCH);
    for row in rows {
        batch.push(row?);
        if batch.len() == BATCH {
            sink.write(&batch)?;
            batch.clear();
        }
    }
    sink.write(&batch)?;
    sink.finish()
}

fn copy_published(from: &Path, to: &Path, header: &[String]) -> Result<u64, DatasetError> {
    let rows = read_published(from, &ReadOptions::default())?;
    let mut writer = if has_spectra(header) {
        PublishedWriter::create_complete(to, rows.models())?
    } else {
        PublishedWriter::create(to, rows.models())?
    };
    for row in rows {
        writer.write(&[row?])?;
    }
    writer.finish()
}

fn copy_evaluations(from: &Path, to: &Path) -> Result<u64, DatasetError> {
    let rows = read_evaluations(from, true)?;
    let mut writer = EvaluationWriter::create(to, rows.judges())?;
    for row in rows {
        writer.write(&row?)?;
    }
    writer.finish()
}
