//! Parts of files that threads read apart.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

use super::plan::{CHUNK_SLOT, ENTRY_SLOT, NUDGE_SLOT, Plan, RowPlan, position_slot};
use super::positions::{PositionBlock, ROWS};
use super::read_parquet::{Column, Columns, Decoder, header_of};
use super::{ReadOptions, read_published};
use crate::located::Place;
use crate::parquet_source::{corrupt, open_file, read_error, reader_options};
use crate::{DatasetError, Format};

/// Row groups of fewer rows are read together.
const LEAST: usize = 4 * ROWS;

/// A part of a file.
pub(super) enum Unit {
    /// A whole text file.
    Text { path: PathBuf, options: ReadOptions },
    /// Consecutive row groups.
    Groups {
        path: PathBuf,
        metadata: ArrowReaderMetadata,
        plan: Box<Plan>,
        decoder: Decoder,
        groups: Vec<usize>,
        /// Rows of the file before them.
        before: u64,
    },
}

type Blocks<'a> = Box<dyn Iterator<Item = Result<PositionBlock, DatasetError>> + 'a>;

/// The parts of a file, in their order.
pub(super) fn units_of(path: &Path, options: &ReadOptions) -> Result<Vec<Unit>, DatasetError> {
    if Format::of(path)? != Format::Parquet {
        return Ok(vec![Unit::Text {
            path: path.to_owned(),
            options: options.clone(),
        }]);
    }
    let file = open_file(path)?;
    let plan = Plan::new(path, &header_of(&file), options)?;
    let mut places: Vec<usize> = needed(&plan).collect();
    places.sort_unstable();
    let decoder = Decoder::new(path, &file, places)?;
    let metadata = ArrowReaderMetadata::try_new(file.metadata().clone(), reader_options())
        .map_err(|error| read_error(path, error))?;
    let mut units = Vec::new();
    let (mut groups, mut rows, mut before) = (Vec::new(), 0, 0);
    let last = file.metadata().num_row_groups();
    for (at, group) in file.metadata().row_groups().iter().enumerate() {
        groups.push(at);
        rows += u64::try_from(group.num_rows()).unwrap_or(0);
        if rows >= LEAST as u64 || at + 1 == last {
            units.push(Unit::Groups {
                path: path.to_owned(),
                metadata: metadata.clone(),
                plan: Box::new(plan.clone()),
                decoder: decoder.clone(),
                groups: std::mem::take(&mut groups),
                before,
            });
            before += std::mem::take(&mut rows);
        }
    }
    Ok(units)
}

/// Places in the file of the columns that a block holds.
fn needed(plan: &Plan) -> impl Iterator<Item = usize> + '_ {
    let shared = [NUDGE_SLOT, CHUNK_SLOT, ENTRY_SLOT].into_iter();
    let positions =
        (0..plan.models.len()).flat_map(|model| [position_slot(model, 0), position_slot(model, 1)]);
    shared
        .chain(positions)
        .filter_map(|slot| plan.slots[slot].place)
}

impl Unit {
    pub(super) fn blocks(&self) -> Result<Blocks<'_>, DatasetError> {
        match self {
            Self::Text { path, options } => text_blocks(path, options),
            Self::Groups {
                path,
                metadata,
                plan,
                decoder,
                groups,
                before,
            } => {
                let file = File::open(path).map_err(DatasetError::open(path))?;
                let batches =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                        .with_projection(decoder.mask.clone())
                        .with_row_groups(groups.clone())
                        .with_batch_size(ROWS)
                        .build()
                        .map_err(|error| read_error(path, error))?;
                let mut read = *before;
                Ok(Box::new(batches.map(move |batch| {
                    let batch = batch.map_err(|error| corrupt(path, error))?;
                    let columns = decoder
                        .columns(&batch)
                        .map_err(|error| corrupt(path, error))?;
                    let start = read;
                    read += batch.num_rows() as u64;
                    block(path, plan, &columns, start, batch.num_rows())
                })))
            }
        }
    }
}

fn text_blocks(path: &Path, options: &ReadOptions) -> Result<Blocks<'static>, DatasetError> {
    let mut rows = read_published(path, options)?;
    Ok(Box::new(std::iter::from_fn(move || {
        let mut block = PositionBlock::default();
        for row in rows.by_ref().take(ROWS) {
            match row {
                Ok(row) => block.push(&row),
                Err(error) => return Some(Err(error)),
            }
        }
        (!block.is_empty()).then_some(Ok(block))
    })))
}

fn block(
    path: &Path,
    plan: &Plan,
    columns: &Columns<'_>,
    start: u64,
    rows: usize,
) -> Result<PositionBlock, DatasetError> {
    // A cell that is refused is looked for row by row, so that the first row at fault is named.
    let refused = |()| {
        let mut rows = (0..rows).map(|row| {
            let place = Place {
                path,
                row: start + row as u64 + 1,
                line: None,
            };
            plan.row(place, |place, _| columns.cell(place, row)).err()
        });
        rows.find_map(|error| error)
            .expect("a row by itself is read as it is in a block")
    };
    let column = |slot: usize| plan.slots[slot].place.and_then(|place| columns.at(place));
    let width = 2 * plan.models.len();
    let mut positions = vec![None; rows * width];
    for cell in 0..width {
        let own = positions.iter_mut().skip(cell).step_by(width);
        match column(position_slot(cell / 2, cell % 2)) {
            Some(Column::Integers(array)) => {
                let mut bad = false;
                for (position, number) in own.zip(array) {
                    *position = match number {
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "from 0 to 6"
                        )]
                        Some(number @ 0..=6) => Some(number as u8),
                        Some(_) => {
                            bad = true;
                            None
                        }
                        None => None,
                    };
                }
                if bad {
                    return Err(refused(()));
                }
            }
            Some(other) => {
                for (row, position) in own.enumerate() {
                    *position = other.cell(row).position().map_err(|_| refused(()))?;
                }
            }
            None => {}
        }
    }
    let integers = |slot: usize| -> Result<Vec<Option<i64>>, DatasetError> {
        let Some(column) = column(slot) else {
            return Ok(vec![None; rows]);
        };
        let cells = (0..rows).map(|row| column.cell(row).integer());
        cells.collect::<Result<_, _>>().map_err(|_| refused(()))
    };
    let nudges = match column(NUDGE_SLOT) {
        Some(column) => (0..rows)
            .map(|row| column.cell(row).nudge())
            .collect::<Result<_, _>>()
            .map_err(|_| refused(()))?,
        None => vec![None; rows],
    };
    Ok(PositionBlock {
        chunks: integers(CHUNK_SLOT)?,
        entries: integers(ENTRY_SLOT)?,
        positions,
        nudges,
    })
}
