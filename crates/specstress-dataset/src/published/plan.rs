//! Which columns of a file are read, found by name.

use std::path::Path;
use std::sync::Arc;

use super::cell::{Cell, Refused};
use super::layout::{LEADING, SPECTRA, SUFFIXES, TRAILING, response_column, response_order};
use super::row::PublishedRow;
use crate::DatasetError;
use crate::csv_source::find_column;
use crate::located::Place;

/// What to read of a published file. The default reads everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The models, in the order the rows shall have them; each must have both position columns. `None` takes the
    /// models that have one: the released ones in the order of [`PUBLISHED_MODELS`](super::PUBLISHED_MODELS), then
    /// others as they come in the file. An empty list reads files without positions.
    pub models: Option<Vec<String>>,
    /// Whether to read the question.
    pub queries: bool,
    /// Whether to read the answers, by far the largest columns.
    pub responses: bool,
    /// Whether to read the spectra of the `complete` config.
    pub spectra: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            models: None,
            queries: true,
            responses: true,
            spectra: true,
        }
    }
}

impl ReadOptions {
    /// Everything but the questions, the answers and the spectra.
    pub fn without_texts() -> Self {
        Self {
            models: None,
            queries: false,
            responses: false,
            spectra: false,
        }
    }
}

/// How rows of a layout are read from whatever columns a file has.
pub(super) trait RowPlan: Clone + Send + Sync + 'static {
    type Row: Send + 'static;

    /// Places in the file of all columns to read, rising.
    fn places(&self) -> Vec<usize>;

    /// A row from the cells of the file, asked for by place and name.
    fn row<'a>(
        &self,
        at: Place<'_>,
        cell: impl Fn(usize, &str) -> Cell<'a>,
    ) -> Result<Self::Row, DatasetError>;
}

/// A column of the layout and where the file has it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    /// `None` where the file has none: its cells are missing.
    pub(super) place: Option<usize>,
}

impl Slot {
    pub(super) fn places(slots: &[Self]) -> Vec<usize> {
        let mut places: Vec<usize> = slots.iter().filter_map(|slot| slot.place).collect();
        places.sort_unstable();
        places
    }
}

/// The cells of one row in the order of its slots.
pub(super) struct Cells<'p, F> {
    at: Place<'p>,
    slots: std::slice::Iter<'p, Slot>,
    cell: F,
}

impl<'p, 'a, F: Fn(usize, &str) -> Cell<'a>> Cells<'p, F> {
    pub(super) fn new(at: Place<'p>, slots: &'p [Slot], cell: F) -> Self {
        Self {
            at,
            slots: slots.iter(),
            cell,
        }
    }

    /// The next cell, read one way; a refusal names the column.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(Cell<'a>) -> Result<T, Refused>,
    ) -> Result<T, DatasetError> {
        let slot = self
            .slots
            .next()
            .expect("a plan has a slot for every field");
        let cell = slot
            .place
            .map_or(Cell::Missing, |place| (self.cell)(place, &slot.name));
        read(cell).map_err(|(value, allowed)| self.at.bad_value(&slot.name, value, allowed))
    }
}

/// Slots in a fixed order: the leading and trailing columns, the spectra, then two positions and a response per model.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) models: Arc<[String]>,
    pub(super) slots: Vec<Slot>,
    absent: Vec<&'static str>,
}

const SHARED: usize = LEADING.len() + TRAILING.len() + SPECTRA.len();
const QUERY: usize = 5;

/// Places among the slots of what a [`PositionBlock`](super::PositionBlock) holds.
pub(super) const NUDGE_SLOT: usize = 4;
pub(super) const CHUNK_SLOT: usize = LEADING.len();
pub(super) const ENTRY_SLOT: usize = LEADING.len() + 1;

/// Place of a model's position, with 0 for value 1 and 1 for value 2.
pub(super) fn position_slot(model: usize, value: usize) -> usize {
    SHARED + 3 * model + value
}

impl Plan {
    pub(super) fn new(
        path: &Path,
        header: &[String],
        options: &ReadOptions,
    ) -> Result<Self, DatasetError> {
        let missing = |column: String| DatasetError::MissingColumn {
            path: path.to_owned(),
            column,
            found: header.to_vec(),
        };
        let models = match &options.models {
            Some(models) => models.clone(),
            None => discover(header),
        };
        if models.is_empty() && options.models.is_none() {
            return Err(missing(format!("<model>{}", SUFFIXES[0])));
        }
        let mut slots = Vec::with_capacity(SHARED + 3 * models.len());
        let mut absent = Vec::new();
        for (index, name) in LEADING.into_iter().chain(TRAILING).enumerate() {
            let mut place = find_column(path, header, name)?;
            if place.is_none() {
                absent.push(name);
            }
            if index == QUERY && !options.queries {
                place = None;
            }
            slots.push(Slot {
                name: name.to_owned(),
                place,
            });
        }
        let optional = |name: &str, wanted: bool| {
            let place = if wanted {
                find_column(path, header, name)?
            } else {
                None
            };
            Ok::<_, DatasetError>(Slot {
                name: name.to_owned(),
                place,
            })
        };
        for name in SPECTRA {
            slots.push(optional(name, options.spectra)?);
        }
        for model in &models {
            for suffix in SUFFIXES {
                let name = format!("{model}{suffix}");
                let place = find_column(path, header, &name)?;
                let place = Some(place.ok_or_else(|| missing(name.clone()))?);
                slots.push(Slot { name, place });
            }
            slots.push(optional(&response_column(model), options.responses)?);
        }
        Ok(Self {
            models: models.into(),
            slots,
            absent,
        })
    }

    /// For a file without rows and without a header.
    pub(super) fn empty(options: &ReadOptions) -> Self {
        Self {
            models: options.models.clone().unwrap_or_default().into(),
            slots: Vec::new(),
            absent: LEADING.into_iter().chain(TRAILING).collect(),
        }
    }

    /// Shared columns the file does not have.
    pub(super) fn absent(&self) -> &[&'static str] {
        &self.absent
    }
}

impl RowPlan for Plan {
    type Row = PublishedRow;

    fn places(&self) -> Vec<usize> {
        Slot::places(&self.slots)
    }

    fn row<'a>(
        &self,
        at: Place<'_>,
        cell: impl Fn(usize, &str) -> Cell<'a>,
    ) -> Result<PublishedRow, DatasetError> {
        // Slots come in the order the struct below asks for them.
        let mut cells = Cells::new(at, &self.slots, cell);
        let mut row = PublishedRow {
            rank: cells.next(Cell::integer)?,
            query_generator: cells.next(Cell::text)?,
            value1: cells.next(Cell::text)?,
            value2: cells.next(Cell::text)?,
            nudge_direction: cells.next(Cell::nudge)?,
            query: cells.next(Cell::text)?,
            chunk_index: cells.next(Cell::integer)?,
            entry_idx: cells.next(Cell::integer)?,
            value1_spectrum: cells.next(Cell::texts)?,
            value2_spectrum: cells.next(Cell::texts)?,
            models: self.models.clone(),
            positions: Vec::with_capacity(self.models.len()),
            responses: Vec::with_capacity(self.models.len()),
        };
        for _ in 0..self.models.len() {
            let position = (cells.next(Cell::position)?, cells.next(Cell::position)?);
            row.positions.push(position);
            row.responses.push(cells.next(Cell::text)?);
        }
        Ok(row)
    }
}

/// Whether columns of these names are those of the `default` or `complete` config: the positions of a model.
pub fn is_published<S: AsRef<str>>(header: &[S]) -> bool {
    !discover(header).is_empty()
}

/// Whether columns of these names are those of the `complete` config.
pub(crate) fn has_spectra(header: &[String]) -> bool {
    SPECTRA
        .iter()
        .any(|name| header.iter().any(|found| found == name))
}

/// Keys that have a position column, each once.
fn discover<S: AsRef<str>>(header: &[S]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for name in header {
        let name = name.as_ref();
        let key = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        if let Some(key) = key.filter(|key| !key.is_empty() && !keys.contains(key)) {
            keys.push(key);
        }
    }
    response_order(&keys)
        .into_iter()
        .map(str::to_owned)
        .collect()
}
