//! What the writer has at hand while it works off a group.

use rusqlite::{Connection, Transaction};

use super::encode::Compressor;
use super::totals;

/// Strength of the compression: the fastest that still codes letters by frequency. Stronger ones save 2 % of the
/// space and cost a quarter more time.
const LEVEL: i32 = 1;

/// One per writer, opened anew for each transaction.
///
/// Totals are brought up to date once per group: the rows of a group are those above the highest row before it.
pub(super) struct Desk {
    pub(super) compressor: Compressor,
    /// The rows of `calls` up to this one are in the totals.
    counted: i64,
    /// Replies that came since the group began, to be counted with this minute's.
    pub(super) arrived: i64,
    /// Whether calls are, or were, in the queue: nothing is looked for in one that was never used.
    pub(super) queued: bool,
}

impl Desk {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            compressor: Compressor::new(LEVEL)?,
            counted: 0,
            arrived: 0,
            queued: false,
        })
    }

    /// Begins a group.
    pub(super) fn open(&mut self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        self.counted = newest(transaction)?;
        self.arrived = 0;
        self.queued = self.queued
            || transaction
                .prepare_cached("SELECT 1 FROM pending LIMIT 1")?
                .exists([])?;
        Ok(())
    }

    /// Brings the totals up to date; before rows are deleted, and at the end of a group.
    pub(super) fn count(&mut self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        let newest = newest(transaction)?;
        if newest > self.counted {
            totals::add(transaction, self.counted)?;
            self.counted = newest;
        }
        if self.arrived > 0 {
            totals::tick(transaction, self.arrived)?;
            self.arrived = 0;
        }
        Ok(())
    }
}

fn newest(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("SELECT ifnull(max(rowid), 0) FROM calls")?
        .query_row([], |row| row.get(0))
}
