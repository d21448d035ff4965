//! Positions of many rows at once: what disagreement needs, and nothing else.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use specstress_scenarios::Nudge;

use super::position_units::{Unit, units_of};
use super::row::PublishedRow;
use super::{ReadOptions, read_published};
use crate::DatasetError;

/// Rows of a block at most.
pub(super) const ROWS: usize = 8192;

/// Blocks a thread may be ahead of the one that takes them.
const AHEAD: usize = 2;

/// Positions of some rows that follow one another, with what names their scenarios.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PositionBlock {
    /// Per row, model and value: rows x models x 2, each 0 to 6.
    pub positions: Vec<Option<u8>>,
    /// Per row: the framing.
    pub nudges: Vec<Option<Nudge>>,
    /// Per row: with `entries`, names the value pair.
    pub chunks: Vec<Option<i64>>,
    /// Per row: with `chunks`, names the value pair.
    pub entries: Vec<Option<i64>>,
}

impl PositionBlock {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.nudges.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.nudges.is_empty()
    }

    /// Adds a row.
    pub fn push(&mut self, row: &PublishedRow) {
        let positions = row.positions.iter();
        self.positions
            .extend(positions.flat_map(|(first, second)| [*first, *second]));
        self.nudges.push(row.nudge_direction);
        self.chunks.push(row.chunk_index);
        self.entries.push(row.entry_idx);
    }
}

/// The positions of files in the published layout, read as one table: columns only, and row groups on all cores.
///
/// Of Parquet only the columns of positions, nudge and indices are read and decoded, without a row in between. Row
/// groups are read ahead by as many threads as asked for, and handed on in the order of the files and rows, so that
/// the result is the same with any number. CSV and JSONL are read row by row, a file per thread. Memory: a few blocks
/// of 8,192 rows per thread.
///
/// ```
/// use specstress_dataset::DatasetError;
/// use specstress_dataset::published::PositionFiles;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("split.csv");
/// std::fs::write(&path, "m_value2_position,m_value1_position\n6,\n3,0\n")?;
/// let files = PositionFiles::open(&[path])?;
/// let mut rows = 0;
/// files.for_each(2, |block| {
///     assert_eq!(block.positions, [None, Some(6), Some(0), Some(3)]);
///     rows += block.len();
///     Ok::<(), DatasetError>(())
/// })?;
/// assert_eq!((files.models(), rows), (&["m".to_owned()][..], 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PositionFiles {
    files: Vec<PathBuf>,
    models: Vec<String>,
}

impl PositionFiles {
    /// Opens files of the same models; files without a row are passed over.
    ///
    /// # Errors
    /// As [`read_published`], and [`DatasetError::OtherModels`] where the models differ.
    pub fn open<P: AsRef<Path>>(files: &[P]) -> Result<Self, DatasetError> {
        let mut models: Option<Vec<String>> = None;
        for file in files {
            let own = read_published(file, &options())?.models().to_vec();
            match &models {
                Some(models) if *models != own && !own.is_empty() && !models.is_empty() => {
                    return Err(DatasetError::OtherModels {
                        path: file.as_ref().to_owned(),
                        found: own,
                        expected: models.clone(),
                    });
                }
                Some(models) if !models.is_empty() => {}
                _ => models = Some(own),
            }
        }
        Ok(Self {
            files: files.iter().map(|file| file.as_ref().to_owned()).collect(),
            models: models.unwrap_or_default(),
        })
    }

    /// Keys of the models, in the order of every block.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// Hands on all blocks in order, read by `threads` threads; may be called again.
    ///
    /// # Errors
    /// The first error in the order of the rows: of a row that cannot be read, or of `each`. Nothing is handed on
    /// after it.
    pub fn for_each<E: From<DatasetError>>(
        &self,
        threads: usize,
        mut each: impl FnMut(&PositionBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut units = Vec::new();
        for file in &self.files {
            units.extend(units_of(file, &options())?);
        }
        let threads = threads.clamp(1, units.len().max(1));
        std::thread::scope(|scope| {
            let lanes: Vec<Receiver<Message>> = (0..threads)
                .map(|lane| {
                    let (sender, receiver) = sync_channel(AHEAD);
                    let own = units.iter().skip(lane).step_by(threads);
                    scope.spawn(move || {
                        // An error means that nobody takes any more.
                        let _ = own.into_iter().try_for_each(|unit| send(unit, &sender));
                    });
                    receiver
                })
                .collect();
            for unit in 0..units.len() {
                // A thread that ended early has panicked, which the scope passes on.
                while let Ok(Some(block)) = lanes[unit % threads].recv() {
                    each(&block?)?;
                }
            }
            Ok(())
        })
    }
}

/// A block, or the end of a unit.
type Message = Option<Result<PositionBlock, DatasetError>>;

fn send(unit: &Unit, sender: &SyncSender<Message>) -> Result<(), ()> {
    let blocks = match unit.blocks() {
        Ok(blocks) => blocks,
        Err(error) => return sender.send(Some(Err(error))).map_err(drop),
    };
    for block in blocks {
        let failed = block.is_err();
        sender.send(Some(block)).map_err(drop)?;
        if failed {
            return Err(());
        }
    }
    sender.send(None).map_err(drop)
}

fn options() -> ReadOptions {
    ReadOptions::without_texts()
}
