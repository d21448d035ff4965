//! The durable call store: replies, totals, the queue of put-off calls and the ledger of batches.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};
use specstress_llm::{CallReply, CallStore, OutcomeKind, RequestKey, StoreError, StoredCall};

use crate::error::PipelineError;

mod calls;
mod desk;
mod encode;
mod import;
mod ledger;
mod pending;
mod schema;
mod totals;
mod writer;

pub(crate) use ledger::BatchEnd;
pub use ledger::BatchRecord;
pub(crate) use pending::{Pending, Verdict};
pub use totals::{CallTotals, ModelCalls};

use desk::Desk;
use encode::{BoxError, decode_reply, store_request};
use writer::Writer;

/// Pages of the write-ahead log before they are moved into the file: 32 MiB.
const LOG_PAGES: u32 = 8192;

/// The durable call store of a run: one `SQLite` file.
///
/// Write-ahead log, one writer thread with group commit, `synchronous = FULL`: when
/// [`put`](CallStore::put) returns, the reply survives the end of the process and of the machine.
/// Requests and replies are compressed with zstd; long texts shared by many requests (a spec) are kept
/// once. Reading is one indexed look-up.
///
/// ```
/// use specstress_llm::{
///     CallMode, CallReply, CallRequest, CallStore, ChatRequest, ChatResponse, ModelId, RequestKey, StoredCall,
/// };
/// use specstress_pipeline::SqliteStore;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("calls.sqlite");
/// let (model, request) = (ModelId::new("demo", "echo"), ChatRequest::user("hello"));
/// let key = RequestKey::chat(&model, &request);
/// let reply = CallReply::Chat(ChatResponse::stop("echo", "hello yourself"));
///
/// let store = SqliteStore::open(&path)?;
/// let call = StoredCall { key, model, request: CallRequest::Chat(request), reply: reply.clone(),
///     mode: CallMode::Live, cost_usd: None };
/// futures::executor::block_on(store.put(call))?;
/// drop(store);
///
/// let store = SqliteStore::open(&path)?;
/// assert_eq!(futures::executor::block_on(store.get(&key))?, Some(reply));
/// assert_eq!(SqliteStore::summary(&path)?[0].calls, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors of `get` and `put`
/// [`get`](CallStore::get): a database that cannot be read, or `reply of KEY is damaged`. [`put`](CallStore::put):
/// a disk that is full or cannot be written; then no reply of its group of up to 256 is stored, all their callers
/// are told, and the next group is tried afresh.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    reader: Mutex<Connection>,
    writer: Writer,
    /// Whose calls are being stored.
    stage: Mutex<&'static str>,
    /// Replies found, where they are counted.
    found: Mutex<Option<Found>>,
}

/// Replies that look-ups found. Equal requests of a stage are one reply.
#[derive(Debug, Default)]
struct Found {
    calls: BTreeMap<(&'static str, String), u64>,
    seen: HashSet<(&'static str, RequestKey)>,
}

impl SqliteStore {
    /// Opens the store, making the file when it is not there, and starts its writer thread.
    ///
    /// A store of an older build is brought to this build's form.
    ///
    /// # Errors
    /// [`PipelineError::NewerFormat`] for a store of a newer build, which is left as it is;
    /// [`PipelineError::Store`] for a file that is no database or cannot be opened or made.
    pub fn open(path: &Path) -> Result<Self, PipelineError> {
        let failed = store_error(path, "cannot open");
        let mut connection = Connection::open(path).map_err(&failed)?;
        connection
            .busy_timeout(std::time::Duration::from_secs(30))
            .map_err(&failed)?;
        // Before anything else: a change of the journal mode is already a write.
        let version = schema::version(&connection).map_err(&failed)?;
        schema::check_not_newer(path, version)?;
        connection
            .pragma_update(None, "journal_mode", "wal")
            .and_then(|()| connection.pragma_update(None, "synchronous", "full"))
            // Keys are hashes, so that every call touches a page of the index of its own: the rarer they are moved
            // from the log into the file, the more calls share a move.
            .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES))
            .map_err(&failed)?;
        schema::upgrade(path, &mut connection, version)?;
        connection.set_prepared_statement_cache_capacity(32);
        let reader = Self::open_reader(path)?;
        Ok(Self {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            writer: Writer::start(connection)
                .map_err(PipelineError::io("cannot start the writer of", path))?,
            stage: Mutex::new(""),
            found: Mutex::default(),
        })
    }

    fn open_reader(path: &Path) -> Result<Connection, PipelineError> {
        let reader = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(store_error(path, "cannot open"))?;
        reader
            .busy_timeout(std::time::Duration::from_secs(30))
            .map_err(store_error(path, "cannot open"))?;
        Ok(reader)
    }

    /// What a store holds by stage, model, terms and outcome, while another process may be writing it; sorted.
    ///
    /// Sees whole groups only, and holds nobody up. Cost: a few rows, whatever the number of calls.
    ///
    /// # Errors
    /// [`PipelineError::Store`] when there is no such file or it cannot be read, and
    /// [`PipelineError::NewerFormat`] for a store of a newer build.
    pub fn totals(path: &Path) -> Result<Vec<CallTotals>, PipelineError> {
        let mut reader = Self::open_reader(path)?;
        let failed = store_error(path, "cannot count the calls");
        let version = schema::version(&reader).map_err(&failed)?;
        schema::check_not_newer(path, version)?;
        if !schema::is_current(version) {
            // An older file has no totals yet; opening it makes them.
            drop(Self::open(path)?);
            reader = Self::open_reader(path)?;
        }
        totals::read(&reader).map_err(failed)
    }

    /// Counts the calls of a store that another process may be writing, model by model, sorted by id.
    ///
    /// # Errors
    /// As [`totals`](Self::totals).
    pub fn summary(path: &Path) -> Result<Vec<ModelCalls>, PipelineError> {
        Ok(totals::by_model(&Self::totals(path)?))
    }

    /// Calls stored in each of the last minutes that had any, newest first: `(minutes since 1970, calls)`.
    ///
    /// # Errors
    /// As [`totals`](Self::totals).
    pub fn recent(path: &Path, minutes: u32) -> Result<Vec<(u64, u64)>, PipelineError> {
        let reader = Self::open_reader(path)?;
        let read = || {
            reader
                .prepare("SELECT minute, calls FROM minutes ORDER BY minute DESC LIMIT ?1")?
                .query_map([minutes], |row| {
                    Ok((
                        row.get::<_, i64>(0)?.cast_unsigned(),
                        row.get::<_, i64>(1)?.cast_unsigned(),
                    ))
                })?
                .collect::<Result<_, _>>()
        };
        read().map_err(store_error(path, "cannot read the rates"))
    }

    /// The totals of this store.
    pub(crate) fn own_totals(&self) -> Result<Vec<CallTotals>, StoreError> {
        self.query(totals::read)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose calls are stored from now on.
    pub(crate) fn enter(&self, stage: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// Whose calls are being stored.
    pub(crate) fn stage(&self) -> &'static str {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts which replies are found from now on.
    pub(crate) fn count_found(&self) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(Found::default());
    }

    /// How many replies were found since they are counted, by stage and model.
    pub(crate) fn found(&self) -> BTreeMap<(&'static str, String), u64> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found
            .as_ref()
            .map(|found| found.calls.clone())
            .unwrap_or_default()
    }

    /// Sets replies that ended in one of these ways aside, so that their requests are made again. They stay in the
    /// file, and what they cost stays counted. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written; then nothing has changed.
    pub async fn forget(&self, outcomes: &[OutcomeKind]) -> Result<u64, StoreError> {
        let outcomes = outcomes.to_vec();
        self.write(move |transaction, desk| {
            desk.count(transaction)?;
            let mut forgotten = 0;
            for outcome in outcomes {
                transaction.execute(
                    "INSERT INTO forgotten SELECT key, kind, model, request, reply, outcome FROM calls
                     WHERE outcome = ?1",
                    [outcome.as_str()],
                )?;
                forgotten += transaction
                    .execute("DELETE FROM calls WHERE outcome = ?1", [outcome.as_str()])?;
            }
            desk.open(transaction)?;
            Ok(forgotten as u64)
        })
        .await
    }

    /// Takes over every call of another store, with what it cost. Calls that are here stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] when either file cannot be read or written; then nothing has changed.
    pub async fn import(&self, other: &Path) -> Result<u64, StoreError> {
        let other = other.to_owned();
        let broken = |error: PipelineError| StoreError::new("cannot import", error);
        // Brings an older file to this form, and refuses a newer one.
        drop(Self::open(&other).map_err(broken)?);
        let source = Self::open_reader(&other).map_err(broken)?;
        self.write(move |transaction, _| Ok(import::copy(&source, transaction)?))
            .await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Desk) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work).await
    }

    fn query<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&reader).map_err(|error| StoreError::new("cannot read the store", error))
    }

    fn read(&self, key: &RequestKey) -> Result<Option<(String, CallReply)>, StoreError> {
        let row: Option<(String, Vec<u8>, String)> = self.query(|reader| {
            reader
                .prepare_cached("SELECT kind, reply, model FROM calls WHERE key = ?1")?
                .query_row([key.as_bytes().as_slice()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })?;
        row.map(|(kind, body, model)| Ok((model, decode_reply(&kind, &body)?)))
            .transpose()
            .map_err(|error: BoxError| StoreError::new(format!("reply of {key} is damaged"), error))
    }
}

#[async_trait]
impl CallStore for SqliteStore {
    async fn get(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        let Some((model, reply)) = self.read(key)? else {
            return Ok(None);
        };
        let stage = self.stage();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &mut *found
            && found.seen.insert((stage, *key))
        {
            *found.calls.entry((stage, model)).or_default() += 1;
        }
        Ok(Some(reply))
    }

    async fn put(&self, call: StoredCall) -> Result<(), StoreError> {
        let stage = self.stage();
        let reported = match &call.reply {
            CallReply::Chat(response) => response.cost_usd,
            CallReply::Embedding(_) => None,
        };
        self.write(move |transaction, desk| {
            let row = calls::NewRow {
                key: &call.key,
                model: &call.model.to_string(),
                stage,
                mode: call.mode,
                request: calls::Request::Plain(store_request(
                    transaction,
                    &mut desk.compressor,
                    &call.request,
                )?),
                bytes: totals::bytes(&call.request),
                cost_usd: call.cost_usd.or(reported),
            };
            calls::insert(transaction, desk, row, &call.reply)
        })
        .await
    }
}

fn store_error(path: &Path, action: &'static str) -> impl Fn(rusqlite::Error) -> PipelineError {
    let path = path.to_owned();
    move |source| PipelineError::Store {
        path: path.clone(),
        action,
        source,
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use specstress_llm::{CallMode, CallRequest, ChatRequest, ChatResponse, ModelId, Usage};

    fn call(at: u32, response: ChatResponse) -> StoredCall {
        let model = ModelId::new("test", "model");
        let request = ChatRequest::user("hello").with_sample(at);
        StoredCall {
            key: RequestKey::chat(&model, &request),
            model,
            request: CallRequest::Chat(request),
            reply: CallReply::Chat(response),
            mode: CallMode::Live,
            cost_usd: None,
        }
    }

    #[test]
    fn a_full_disk_fails_the_put_and_harms_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.sqlite");
        drop(SqliteStore::open(&path).unwrap());
        let mut store = SqliteStore::open(&path).unwrap();
        // The limit is one of a connection, so the writer is started again on one that has it.
        let connection = Connection::open(&path).unwrap();
        let limit = |pages: u32| {
            connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                    row.get::<_, u32>(0)
                })
                .unwrap()
        };
        assert_eq!(limit(60), 60);
        store.writer = Writer::start(connection).unwrap();

        // Digests do not compress: 4 kB each, so that 60 pages are full before 60 calls.
        let noise = |at: u32| -> String {
            (0..128_u32)
                .map(|part| {
                    RequestKey::chat(
                        &ModelId::new("n", "n"),
                        &ChatRequest::user(format!("{at} {part}")),
                    )
                    .to_string()
                })
                .collect()
        };
        let calls: Vec<StoredCall> = (0..60)
            .map(|at| call(at, ChatResponse::stop("m", noise(at))))
            .collect();
        let results: Vec<_> = calls
            .iter()
            .map(|call| block_on(store.put(call.clone())))
            .collect();
        let error = results.iter().find_map(|r| r.as_ref().err()).unwrap();
        assert!(
            error
                .to_string()
                .starts_with("call store: cannot write a reply")
        );
        let cause = std::error::Error::source(error).unwrap().to_string();
        assert!(cause.contains("full"), "{cause}");
        // What was acknowledged is there and whole; what was refused is not.
        for (call, result) in calls.iter().zip(&results) {
            let found = store.read(&call.key).unwrap().map(|found| found.1);
            assert_eq!(found, result.is_ok().then(|| call.reply.clone()));
        }
        let stored = results.iter().filter(|result| result.is_ok()).count();
        assert!((1..60).contains(&stored), "{stored}");
        drop(store);
        let summary = SqliteStore::summary(&path).unwrap();
        assert_eq!(summary[0].calls, stored as u64);
    }

    #[test]
    fn absurd_token_counts_do_not_lose_the_reply() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.sqlite");
        let store = SqliteStore::open(&path).unwrap();
        let response = ChatResponse {
            usage: Usage {
                input: u64::MAX,
                cached_input: 1,
                ..Usage::default()
            },
            ..ChatResponse::stop("m", "paid for")
        };
        let call = call(0, response);
        block_on(store.put(call.clone())).unwrap();
        assert_eq!(store.read(&call.key).unwrap().unwrap().1, call.reply);
        let summary = SqliteStore::summary(&path).unwrap();
        assert_eq!(summary[0].input_tokens, i64::MAX.cast_unsigned());
    }
}
