//! The ledger of batches: what was begun, where it stands, how it ended.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use specstress_llm::{BatchLine, BatchStatus, BatchTag, ModelId, RequestKey, StoreError};

use super::encode::BoxError;
use super::pending::{Verdict, judge, read_key, sent_rows};
use super::{SqliteStore, now, schema, store_error};
use crate::error::PipelineError;

/// A batch as the ledger knows it. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRecord {
    /// The name it was recorded under before it was created.
    pub tag: BatchTag,
    /// The model.
    pub model: String,
    /// The provider's id; `None` while it is not known whether the batch exists.
    pub id: Option<String>,
    /// Whether the id is surely this batch's; otherwise its results will tell.
    pub certain: bool,
    /// `creating`, the state the provider gave last, or how it ended.
    pub state: String,
    /// Whether something is still to be done for it.
    pub open: bool,
    /// How many requests it holds.
    pub requests: u64,
    /// How many bytes of lines.
    pub bytes: u64,
    /// What it may cost, in US dollars, held against the budget while it is open.
    pub reserved_usd: f64,
    /// What it may use in tokens, held against the budget while it is open.
    pub reserved_tokens: u64,
    /// When its creation was begun.
    pub begun_at: u64,
    /// When the provider took it.
    pub created_at: Option<u64>,
    /// When the provider gives up on what is left.
    pub expires_at: Option<u64>,
    /// When it was last asked for.
    pub polled_at: Option<u64>,
    /// When it was over and its results stored.
    pub ended_at: Option<u64>,
    /// Requests with a reply.
    pub succeeded: u64,
    /// Requests without one.
    pub failed: u64,
    /// What there is to say about its end.
    pub detail: Option<String>,
}

const COLUMNS: &str = "tag, model, id, certain, state, open, requests, bytes, reserved_usd, reserved_tokens, begun_at, \
                       created_at, expires_at, polled_at, ended_at, succeeded, failed, detail";

fn record(row: &Row<'_>) -> Result<BatchRecord, rusqlite::Error> {
    let whole = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let time = |at: usize| {
        row.get::<_, Option<i64>>(at)
            .map(|time| time.map(i64::cast_unsigned))
    };
    Ok(BatchRecord {
        tag: BatchTag::from_recorded(row.get::<_, String>(0)?),
        model: row.get(1)?,
        id: row.get(2)?,
        certain: row.get(3)?,
        state: row.get(4)?,
        open: row.get(5)?,
        requests: whole(6)?,
        bytes: whole(7)?,
        reserved_usd: row.get(8)?,
        reserved_tokens: whole(9)?,
        begun_at: whole(10)?,
        created_at: time(11)?,
        expires_at: time(12)?,
        polled_at: time(13)?,
        ended_at: time(14)?,
        succeeded: whole(15)?,
        failed: whole(16)?,
        detail: row.get(17)?,
    })
}

fn read(connection: &Connection, condition: &str) -> Result<Vec<BatchRecord>, rusqlite::Error> {
    connection
        .prepare(&format!(
            "SELECT {COLUMNS} FROM batches WHERE {condition} ORDER BY rowid"
        ))?
        .query_map([], record)?
        .collect()
}

/// How a batch's results are accounted for.
#[derive(Debug)]
pub(crate) struct BatchEnd {
    /// The word for the ledger.
    pub(crate) state: String,
    /// What there is to say.
    pub(crate) detail: Option<String>,
    /// Errors by key, for the calls that have none of their own.
    pub(crate) errors: HashMap<RequestKey, Verdict>,
    /// What becomes of calls with neither reply nor error.
    pub(crate) silent: Verdict,
    /// The most batches one call is put into.
    pub(crate) tries: u32,
}

impl SqliteStore {
    /// All batches of a store that another process may be writing, oldest first.
    ///
    /// # Errors
    /// [`PipelineError::Store`] when there is no such file or it cannot be read, and
    /// [`PipelineError::NewerFormat`] for a store of a newer build.
    pub fn batches(path: &Path) -> Result<Vec<BatchRecord>, PipelineError> {
        let reader = Self::open_reader(path)?;
        let failed = store_error(path, "cannot read the batches");
        let version = schema::version(&reader).map_err(&failed)?;
        schema::check_not_newer(path, version)?;
        if !schema::is_current(version) {
            return Ok(Vec::new());
        }
        read(&reader, "1").map_err(failed)
    }

    /// Batches of all models for which something is still to be done.
    pub(crate) fn open_batches(&self) -> Result<Vec<BatchRecord>, StoreError> {
        self.query(|reader| read(reader, "open"))
    }

    /// Ids that belong to some batch of the ledger or to somebody else's.
    pub(crate) fn is_taken(&self, id: &str) -> Result<bool, StoreError> {
        self.query(|reader| {
            reader
                .prepare_cached(
                    "SELECT 1 FROM batches WHERE id = ?1 UNION ALL SELECT 1 FROM foreign_batches WHERE id = ?1",
                )?
                .exists([id])
        })
    }

    /// Records that a batch is about to be created, and that these calls are in it.
    pub(crate) async fn begin_batch(
        &self,
        tag: &BatchTag,
        model: &ModelId,
        lines: &[BatchLine],
        reserved: (f64, u64),
    ) -> Result<(), StoreError> {
        let (tag, model) = (tag.as_str().to_owned(), model.to_string());
        let keys: Vec<RequestKey> = lines.iter().map(|line| line.key).collect();
        let bytes: usize = lines.iter().map(|line| line.json.len()).sum();
        self.write(move |transaction, _| {
            transaction.execute(
                "INSERT INTO batches (tag, model, state, open, requests, bytes, reserved_usd, reserved_tokens, begun_at)
                 VALUES (?1, ?2, 'creating', 1, ?3, ?4, ?5, ?6, ?7)",
                params![
                    tag,
                    model,
                    keys.len().cast_signed() as i64,
                    bytes.cast_signed() as i64,
                    reserved.0,
                    reserved.1.cast_signed(),
                    now().cast_signed()
                ],
            )?;
            let mut send = transaction
                .prepare_cached("UPDATE pending SET state = 'sent', tag = ?2 WHERE key = ?1")?;
            for key in &keys {
                send.execute(params![key.as_bytes().as_slice(), tag])?;
            }
            Ok(())
        })
        .await
    }

    /// Records the provider's id of a batch.
    pub(crate) async fn attach_batch(
        &self,
        tag: &BatchTag,
        id: &str,
        certain: bool,
    ) -> Result<(), StoreError> {
        let (tag, id) = (tag.as_str().to_owned(), id.to_owned());
        self.write(move |transaction, _| {
            transaction.execute(
                "UPDATE batches SET id = ?2, certain = ?3, state = 'queued', created_at = ?4 WHERE tag = ?1",
                params![tag, id, certain, now().cast_signed()],
            )?;
            Ok(())
        })
        .await
    }

    /// Records that an id turned out to be that of another batch of this run.
    pub(crate) async fn hand_over(
        &self,
        from: &BatchTag,
        to: &BatchTag,
        id: &str,
    ) -> Result<(), StoreError> {
        let (from, to) = (from.as_str().to_owned(), to.as_str().to_owned());
        let id = id.to_owned();
        self.write(move |transaction, _| {
            transaction.execute(
                "UPDATE batches SET id = NULL, state = 'creating' WHERE tag = ?1",
                [from],
            )?;
            transaction.execute(
                "UPDATE batches SET id = ?2, certain = 1, state = 'queued' WHERE tag = ?1",
                [to, id],
            )?;
            Ok(())
        })
        .await
    }

    /// One batch by its tag.
    pub(crate) fn batch(&self, tag: &BatchTag) -> Result<Option<BatchRecord>, StoreError> {
        self.query(|reader| {
            reader
                .prepare_cached(&format!("SELECT {COLUMNS} FROM batches WHERE tag = ?1"))?
                .query_row([tag.as_str()], record)
                .optional()
        })
    }

    /// Records that an id turned out to be somebody else's batch.
    pub(crate) async fn detach_batch(&self, tag: &BatchTag, id: &str) -> Result<(), StoreError> {
        let (tag, id) = (tag.as_str().to_owned(), id.to_owned());
        self.write(move |transaction, _| {
            transaction.execute("INSERT OR IGNORE INTO foreign_batches VALUES (?1)", [id])?;
            transaction.execute(
                "UPDATE batches SET id = NULL, state = 'creating' WHERE tag = ?1",
                [tag],
            )?;
            Ok(())
        })
        .await
    }

    /// Records what the provider said.
    pub(crate) async fn note_poll(
        &self,
        tag: &BatchTag,
        status: &BatchStatus,
    ) -> Result<(), StoreError> {
        let (tag, status) = (tag.as_str().to_owned(), status.clone());
        self.write(move |transaction, _| {
            transaction.execute(
                "UPDATE batches SET state = ?2, succeeded = ?3, failed = ?4, polled_at = ?5,
                        expires_at = ifnull(?6, expires_at)
                 WHERE tag = ?1",
                params![
                    tag,
                    status.state.as_str(),
                    status.succeeded.cast_signed(),
                    status.failed.cast_signed(),
                    now().cast_signed(),
                    status.expires_at.map(u64::cast_signed),
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Closes a batch whose replies are stored: what is left of its calls is judged, and its reservation is over.
    /// Returns how many calls had no reply.
    pub(crate) async fn end_batch(&self, tag: &BatchTag, end: BatchEnd) -> Result<u64, StoreError> {
        let tag = tag.as_str().to_owned();
        self.write(move |transaction, _| close(transaction, &tag, &end))
            .await
    }
}

fn close(transaction: &Transaction<'_>, tag: &str, end: &BatchEnd) -> Result<u64, BoxError> {
    let left = sent_rows(transaction, tag)?;
    for (key, tries) in &left {
        let key = read_key(key)?;
        let verdict = end.errors.get(&key).unwrap_or(&end.silent);
        judge(transaction, &key, *tries, end.tries, verdict)?;
    }
    let failed = left.len().cast_signed() as i64;
    let requests: Option<i64> = transaction
        .query_row(
            "SELECT requests FROM batches WHERE tag = ?1",
            [tag],
            |row| row.get(0),
        )
        .optional()?;
    transaction.execute(
        "UPDATE batches SET open = 0, state = ?2, detail = ?3, ended_at = ?4, succeeded = ?5, failed = ?6
         WHERE tag = ?1",
        params![
            tag,
            end.state,
            end.detail,
            now().cast_signed(),
            requests.unwrap_or(0) - failed,
            failed
        ],
    )?;
    Ok(left.len() as u64)
}
