use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use futures::channel::oneshot;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde_json::{Value, json};
use specstress_llm::{
    CallReply, CallRequest, CallStore, ChatRequest, ChatResponse, FinishReason, Part, RequestKey,
    SharedText, StoreError, StoredCall,
};

use crate::error::PipelineError;

/// The version of the database's schema, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;

/// Most calls in one transaction: bounds both the loss window and the memory of a burst.
const GROUP: usize = 256;

/// Shared texts are kept once, under their digest; shorter ones are not worth the look-up.
const SCHEMA: &str = "
CREATE TABLE texts (
    digest BLOB PRIMARY KEY,
    body   BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE calls (
    key           BLOB NOT NULL UNIQUE,
    kind          TEXT NOT NULL CHECK (kind IN ('chat', 'embedding')),
    model         TEXT NOT NULL,
    request       BLOB NOT NULL,
    reply         BLOB NOT NULL,
    finish        TEXT,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd      REAL
);
";

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
    writer: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    call: StoredCall,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// How many calls a store holds for one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCalls {
    /// The model id.
    pub model: String,
    /// Replies stored.
    pub calls: u64,
    /// Tokens read by the model.
    pub input_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
    /// What providers reported as cost; `None` where none did.
    pub cost_usd: Option<f64>,
}

impl SqliteStore {
    /// Opens the store, making the file when it is not there, and starts its writer thread.
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
        let version = schema_version(&connection).map_err(&failed)?;
        check_version(path, version)?;
        connection
            .pragma_update(None, "journal_mode", "wal")
            .and_then(|()| connection.pragma_update(None, "synchronous", "full"))
            .map_err(&failed)?;
        if version == 0 {
            let transaction = connection.transaction().map_err(&failed)?;
            transaction
                .execute_batch(SCHEMA)
                .and_then(|()| transaction.pragma_update(None, "user_version", SCHEMA_VERSION))
                .and_then(|()| transaction.commit())
                .map_err(store_error(path, "cannot create the tables"))?;
        }
        let reader = Self::open_reader(path)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("call-store".to_owned())
            .spawn(move || write_loop(connection, &receiver))
            .map_err(PipelineError::io("cannot start the writer of", path))?;
        Ok(Self {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            writer: Some(sender),
            thread: Some(thread),
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

    /// Counts the calls of a store that another process may be writing, model by model, sorted by id.
    ///
    /// Sees whole groups only, and holds nobody up. Cost: one pass over the calls.
    ///
    /// # Errors
    /// [`PipelineError::Store`] when there is no such file or it cannot be read, and
    /// [`PipelineError::NewerFormat`] for a store of a newer build.
    pub fn summary(path: &Path) -> Result<Vec<ModelCalls>, PipelineError> {
        let reader = Self::open_reader(path)?;
        let failed = store_error(path, "cannot count the calls");
        check_version(path, schema_version(&reader).map_err(&failed)?)?;
        let mut statement = reader
            .prepare(
                "SELECT model, count(*), sum(input_tokens), sum(output_tokens), sum(cost_usd)
                 FROM calls GROUP BY model ORDER BY model",
            )
            .map_err(&failed)?;
        let rows: Result<Vec<ModelCalls>, _> = statement
            .query_map([], |row| {
                Ok(ModelCalls {
                    model: row.get(0)?,
                    calls: row.get::<_, i64>(1)?.cast_unsigned(),
                    input_tokens: row.get::<_, i64>(2)?.cast_unsigned(),
                    output_tokens: row.get::<_, i64>(3)?.cast_unsigned(),
                    cost_usd: row.get(4)?,
                })
            })
            .and_then(Iterator::collect)
            .map_err(&failed);
        drop(statement);
        rows
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let row: Option<(String, Vec<u8>)> = reader
            .prepare_cached("SELECT kind, reply FROM calls WHERE key = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([key.as_bytes().as_slice()], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()
            })
            .map_err(|error| StoreError::new("cannot read a reply", error))?;
        row.map(|(kind, body)| decode_reply(&kind, &body))
            .transpose()
            .map_err(|error| StoreError::new(format!("reply of {key} is damaged"), error))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Closing the channel ends the writer after what it already holds.
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported to every caller through its dropped answer.
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl CallStore for SqliteStore {
    async fn get(&self, key: &RequestKey) -> Result<Option<CallReply>, StoreError> {
        self.read(key)
    }

    async fn put(&self, call: StoredCall) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        let gone = || StoreError::new("the writer has ended", "see the first error above");
        self.writer
            .as_ref()
            .and_then(|writer| writer.send(Job { call, done }).ok())
            .ok_or_else(gone)?;
        answer.await.map_err(|_| gone())?
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

fn schema_version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check_version(path: &Path, version: i64) -> Result<(), PipelineError> {
    if version > SCHEMA_VERSION {
        return Err(PipelineError::NewerFormat {
            path: path.to_owned(),
            found: version.cast_unsigned(),
            supported: SCHEMA_VERSION.cast_unsigned(),
        });
    }
    Ok(())
}

fn write_loop(mut connection: Connection, jobs: &Receiver<Job>) {
    // Without a compressor nothing can be stored; the closed channel tells every caller.
    let Ok(mut compressor) = zstd::bulk::Compressor::new(3) else {
        return;
    };
    let failure = match connection.path() {
        Some(path) => format!("cannot write a reply to {path}"),
        None => "cannot write a reply".to_owned(),
    };
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        match write_group(&mut connection, &mut compressor, &group) {
            Ok(()) => {
                for job in group {
                    // A caller that went away does not need the answer.
                    let _ = job.done.send(Ok(()));
                }
            }
            Err(error) => {
                let message = error.to_string();
                for job in group {
                    let failed = StoreError::new(failure.clone(), message.clone());
                    let _ = job.done.send(Err(failed));
                }
            }
        }
    }
    // So that the file alone is the whole store; when it cannot be, the log still is beside it.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn write_group(
    connection: &mut Connection,
    compressor: &mut zstd::bulk::Compressor<'_>,
    group: &[Job],
) -> Result<(), BoxError> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO calls
             (key, kind, model, request, reply, finish, input_tokens, output_tokens, cost_usd)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let mut known = transaction.prepare_cached("SELECT 1 FROM texts WHERE digest = ?1")?;
        let mut insert_text =
            transaction.prepare_cached("INSERT INTO texts (digest, body) VALUES (?1, ?2)")?;
        for Job { call, .. } in group {
            let (request, shared) = encode_request(&call.request)?;
            for text in shared {
                let digest = text.digest();
                if !known.exists([digest.as_slice()])? {
                    let body = compressor.compress(text.as_str().as_bytes())?;
                    insert_text.execute(params![digest.as_slice(), body])?;
                }
            }
            let reply = encode_reply(&call.reply)?;
            let (kind, finish, input, output, cost) = match &call.reply {
                CallReply::Chat(response) => (
                    "chat",
                    Some(finish_name(&response.finish)),
                    stored_tokens(&[
                        response.usage.input,
                        response.usage.cached_input,
                        response.usage.cache_write,
                    ]),
                    stored_tokens(&[response.usage.output, response.usage.reasoning]),
                    response.cost_usd,
                ),
                CallReply::Embedding(_) => ("embedding", None, 0, 0, None),
            };
            insert.execute(params![
                call.key.as_bytes().as_slice(),
                kind,
                call.model.to_string(),
                compressor.compress(&request)?,
                compressor.compress(&reply)?,
                finish,
                input,
                output,
                cost,
            ])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Token counts come from outside: an absurd one must not lose the reply it came with.
fn stored_tokens(counts: &[u64]) -> i64 {
    let sum = counts
        .iter()
        .fold(0_u64, |sum, &count| sum.saturating_add(count));
    i64::try_from(sum).unwrap_or(i64::MAX)
}

fn finish_name(finish: &FinishReason) -> &str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::Blocked { category } => category,
        FinishReason::Other { reason } => reason,
    }
}

/// The request as JSON with shared parts named by digest, and those parts: a spec of 200 kB under 45,000
/// verdicts is written once.
fn encode_request(request: &CallRequest) -> Result<(Vec<u8>, Vec<&SharedText>), serde_json::Error> {
    let mut shared = Vec::new();
    let value = match request {
        CallRequest::Embedding { text, dimensions } => {
            json!({"embedding": {"text": text, "dimensions": dimensions}})
        }
        CallRequest::Chat(chat) => {
            let mut value = serde_json::to_value(ChatRequest {
                system: Vec::new(),
                messages: Vec::new(),
                stop: chat.stop.clone(),
                schema: chat.schema.clone(),
                ..*chat
            })?;
            value["system"] = slim_parts(&chat.system, &mut shared);
            value["messages"] = chat
                .messages
                .iter()
                .map(|message| {
                    json!({
                        "role": message.role,
                        "parts": slim_parts(&message.parts, &mut shared),
                    })
                })
                .collect();
            json!({"chat": value})
        }
    };
    Ok((serde_json::to_vec(&value)?, shared))
}

fn slim_parts<'a>(parts: &'a [Part], shared: &mut Vec<&'a SharedText>) -> Value {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => json!({"text": text}),
            Part::Shared(text) => {
                shared.push(text);
                json!({"digest": RequestKey::from_bytes(text.digest()).to_string()})
            }
        })
        .collect()
}

fn encode_reply(reply: &CallReply) -> Result<Vec<u8>, serde_json::Error> {
    match reply {
        CallReply::Chat(response) => serde_json::to_vec(response),
        CallReply::Embedding(vector) => Ok(vector.iter().flat_map(|x| x.to_le_bytes()).collect()),
    }
}

fn decode_reply(kind: &str, body: &[u8]) -> Result<CallReply, BoxError> {
    let body = zstd::decode_all(body)?;
    if kind == "embedding" {
        if body.len() % 4 != 0 {
            return Err(format!("{} bytes are no vector of f32", body.len()).into());
        }
        let vector = body
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        return Ok(CallReply::Embedding(vector));
    }
    let response: ChatResponse = serde_json::from_slice(&body)?;
    Ok(CallReply::Chat(response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use specstress_llm::{CallMode, ModelId, Usage};

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
        store.writer = None;
        store.thread.take().unwrap().join().unwrap();
        let connection = Connection::open(&path).unwrap();
        let limit = |pages: u32| {
            connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                    row.get::<_, u32>(0)
                })
                .unwrap()
        };
        assert_eq!(limit(40), 40);
        let (sender, receiver) = channel();
        store.writer = Some(sender);
        store.thread = Some(std::thread::spawn(move || {
            write_loop(connection, &receiver);
        }));

        // Digests do not compress: 4 kB each, so that 40 pages are full before 40 calls.
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
        let calls: Vec<StoredCall> = (0..40)
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
            let found = store.read(&call.key).unwrap();
            assert_eq!(found, result.is_ok().then(|| call.reply.clone()));
        }
        let stored = results.iter().filter(|result| result.is_ok()).count();
        assert!((1..40).contains(&stored), "{stored}");
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
        assert_eq!(store.read(&call.key).unwrap(), Some(call.reply));
        let summary = SqliteStore::summary(&path).unwrap();
        assert_eq!(summary[0].input_tokens, i64::MAX.cast_unsigned());
    }
}
