//! Which columns of a file are read, found by name.

use std::path::Path;
use std::sync::Arc;

use super::cell::{Cell, Refused};
use super::layout::{LEADING, SUFFIXES, TRAILING, response_column, response_order};
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
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            models: None,
            queries: true,
            responses: true,
        }
    }
}

impl ReadOptions {
    /// Everything but the questions and the answers: all that disagreement needs.
    pub fn without_texts() -> Self {
        Self {
            models: None,
            queries: false,
            responses: false,
        }
    }
}

/// A column of the layout and where the file has it.
#[derive(Clone, Debug)]
struct Slot {
    name: String,
    /// `None` where the file has none: its cells are missing.
    place: Option<usize>,
}

/// Slots in a fixed order: the leading and trailing columns, then two positions and a response per model.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) models: Arc<[String]>,
    slots: Vec<Slot>,
    absent: Vec<&'static str>,
}

const SHARED: usize = LEADING.len() + TRAILING.len();
const QUERY: usize = 5;

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
        for model in &models {
            for suffix in SUFFIXES {
                let name = format!("{model}{suffix}");
                let place = find_column(path, header, &name)?;
                let place = Some(place.ok_or_else(|| missing(name.clone()))?);
                slots.push(Slot { name, place });
            }
            let name = response_column(model);
            let place = if options.responses {
                find_column(path, header, &name)?
            } else {
                None
            };
            slots.push(Slot { name, place });
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

    /// Places in the file of all columns to read, rising.
    pub(super) fn places(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.slots.iter().filter_map(|slot| slot.place).collect();
        places.sort_unstable();
        places
    }

    /// A row from the cells of the file, asked for by place and name.
    pub(super) fn row<'a>(
        &self,
        at: Place<'_>,
        cell: impl Fn(usize, &str) -> Cell<'a>,
    ) -> Result<PublishedRow, DatasetError> {
        let mut slots = self.slots.iter();
        // Slots come in the order the struct below asks for them.
        let mut next = || {
            let slot = slots.next().expect("a plan has a slot for every field");
            let cell = slot
                .place
                .map_or(Cell::Missing, |place| cell(place, &slot.name));
            (slot, cell)
        };
        let refuse =
            |slot: &Slot, (value, allowed): Refused| at.bad_value(&slot.name, value, allowed);
        let integer = |(slot, cell): (&Slot, Cell<'a>)| {
            cell.integer().map_err(|refused| refuse(slot, refused))
        };
        let text =
            |(slot, cell): (&Slot, Cell<'a>)| cell.text().map_err(|refused| refuse(slot, refused));
        let position = |(slot, cell): (&Slot, Cell<'a>)| {
            cell.position().map_err(|refused| refuse(slot, refused))
        };
        let mut row = PublishedRow {
            rank: integer(next())?,
            query_generator: text(next())?,
            value1: text(next())?,
            value2: text(next())?,
            nudge_direction: {
                let (slot, cell) = next();
                cell.nudge().map_err(|refused| refuse(slot, refused))?
            },
            query: text(next())?,
            chunk_index: integer(next())?,
            entry_idx: integer(next())?,
            models: self.models.clone(),
            positions: Vec::with_capacity(self.models.len()),
            responses: Vec::with_capacity(self.models.len()),
        };
        for _ in 0..self.models.len() {
            row.positions.push((position(next())?, position(next())?));
            row.responses.push(text(next())?);
        }
        Ok(row)
    }
}

/// Keys that have a position column, each once.
fn discover(header: &[String]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for name in header {
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
