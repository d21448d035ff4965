//! The queue of calls that were put off for a batch.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use specstress_llm::{
    BatchTag, CallMode, CallReply, CallRequest, ChatRequest, ChatResponse, LlmError, LlmErrorKind,
    ModelId, RequestKey, SharedText,
};

use super::encode::{BoxError, decode_chat_request, decode_text, store_request};
use super::{SqliteStore, calls, totals};
use specstress_llm::StoreError;

/// What is known of a call that was put off.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Not put off.
    No,
    /// Waits for a batch, or is in one.
    Waiting,
    /// To be made live after all.
    Live,
    /// Failed for good in this run.
    Failed(LlmError),
}

/// A call that waits to be sent.
#[derive(Debug)]
pub(crate) struct WaitingCall {
    /// Its place in the queue.
    pub(crate) row: i64,
    pub(crate) key: RequestKey,
    pub(crate) stage: String,
    pub(crate) request: ChatRequest,
}

/// What becomes of a call whose batch brought no reply for it.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Into the next batch; the try does not count.
    Again,
    /// Into the next batch, unless it was tried often enough: then over for this run, with this error.
    Retry(LlmErrorKind, String),
    /// To be made live.
    Live,
    /// Over for this run.
    Failed(LlmErrorKind, String),
}

impl SqliteStore {
    /// How a key stands in the queue.
    pub(crate) fn pending(&self, key: &RequestKey) -> Result<Pending, StoreError> {
        let row: Option<(String, Option<String>, Option<String>)> = self.query(|reader| {
            reader
                .prepare_cached("SELECT state, error_kind, error FROM pending WHERE key = ?1")?
                .query_row([key.as_bytes().as_slice()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })?;
        Ok(match row {
            None => Pending::No,
            Some((state, kind, error)) => match state.as_str() {
                "live" => Pending::Live,
                "failed" => {
                    let kind = kind.and_then(|kind| kind.parse().ok());
                    Pending::Failed(LlmError::new(
                        kind.unwrap_or(LlmErrorKind::BadRequest),
                        error.unwrap_or_default(),
                    ))
                }
                _ => Pending::Waiting,
            },
        })
    }

    /// Puts a call into the queue, unless it is there.
    pub(crate) async fn defer(
        &self,
        key: RequestKey,
        model: &ModelId,
        stage: &'static str,
        request: ChatRequest,
    ) -> Result<(), StoreError> {
        let model = model.to_string();
        self.write(move |transaction, desk| {
            desk.queued = true;
            let request = CallRequest::Chat(request);
            let (bytes, shared) = totals::bytes(&request);
            let body = store_request(transaction, &mut desk.compressor, &request)?;
            let body = desk.compressor.compress(&body)?;
            transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO pending (key, model, stage, request, bytes, shared_bytes, state)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
                )?
                .execute(params![
                    key.as_bytes().as_slice(),
                    model,
                    stage,
                    body,
                    bytes.cast_signed(),
                    shared.cast_signed(),
                ])?;
            Ok(())
        })
        .await
    }

    /// Forgets what an earlier process put off and did not send: this run puts off what it needs. What is in a batch
    /// stays, whether or not it is still needed: it is paid for.
    pub(crate) async fn clear_unsent(&self) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            transaction.execute("DELETE FROM pending WHERE state != 'sent'", [])?;
            Ok(())
        })
        .await
    }

    /// How many calls of a model wait to be sent.
    pub(crate) fn waiting(&self, model: &ModelId) -> Result<u64, StoreError> {
        let model = model.to_string();
        self.query(|reader| {
            reader
                .prepare_cached(
                    "SELECT count(*) FROM pending WHERE model = ?1 AND state = 'waiting'",
                )?
                .query_row([model], |row| row.get::<_, i64>(0))
        })
        .map(i64::cast_unsigned)
    }

    /// Calls of a model that wait, in the order they were put off, after the place `after`.
    pub(crate) fn next_waiting(
        &self,
        model: &ModelId,
        after: i64,
        most: usize,
    ) -> Result<Vec<WaitingCall>, StoreError> {
        let model = model.to_string();
        let rows: Vec<(i64, Vec<u8>, String, Vec<u8>)> = self.query(|reader| {
            reader
                .prepare_cached(
                    "SELECT rowid, key, stage, request FROM pending
                     WHERE model = ?1 AND state = 'waiting' AND rowid > ?2 ORDER BY rowid LIMIT ?3",
                )?
                .query_map(
                    params![model, after, i64::try_from(most).unwrap_or(i64::MAX)],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                )?
                .collect()
        })?;
        let mut texts: HashMap<[u8; 32], SharedText> = HashMap::new();
        rows.into_iter()
            .map(|(row, key, stage, body)| {
                let key = read_key(&key)
                    .map_err(|error| StoreError::new("a queued call is damaged", error))?;
                let request = decode_chat_request(&body, |digest| {
                    if let Some(text) = texts.get(digest) {
                        return Ok(text.clone());
                    }
                    let text = self.shared_text(digest)?;
                    texts.insert(*digest, text.clone());
                    Ok(text)
                })
                .map_err(|error| {
                    StoreError::new(format!("queued request {key} is damaged"), error)
                })?;
                Ok(WaitingCall {
                    row,
                    key,
                    stage,
                    request,
                })
            })
            .collect()
    }

    fn shared_text(&self, digest: &[u8; 32]) -> Result<SharedText, BoxError> {
        let body: Vec<u8> = self.query(|reader| {
            reader
                .prepare_cached("SELECT body FROM texts WHERE digest = ?1")?
                .query_row([digest.as_slice()], |row| row.get(0))
        })?;
        decode_text(&body)
    }

    /// The batch of this run that holds one of these keys, where one does.
    pub(crate) fn holder_of(&self, keys: &[RequestKey]) -> Result<Option<BatchTag>, StoreError> {
        self.query(|reader| {
            let mut statement = reader
                .prepare_cached("SELECT tag FROM pending WHERE key = ?1 AND state = 'sent'")?;
            for key in keys {
                let tag: Option<String> = statement
                    .query_row([key.as_bytes().as_slice()], |row| row.get(0))
                    .optional()?;
                if let Some(tag) = tag {
                    return Ok(Some(BatchTag::from_recorded(tag)));
                }
            }
            Ok(None)
        })
    }

    /// Moves calls of a model out of the queue into the hands of the live path.
    pub(crate) async fn go_live(&self, model: &ModelId) -> Result<u64, StoreError> {
        let model = model.to_string();
        self.write(move |transaction, _| {
            let moved = transaction.execute(
                "UPDATE pending SET state = 'live' WHERE model = ?1 AND state = 'waiting'",
                [model],
            )?;
            Ok(moved as u64)
        })
        .await
    }

    /// Ends a queued call that cannot be sent.
    pub(crate) async fn fail_pending(
        &self,
        key: RequestKey,
        error: &LlmError,
    ) -> Result<(), StoreError> {
        let verdict = Verdict::Failed(error.kind(), error.to_string());
        self.write(move |transaction, _| judge(transaction, &key, 0, 0, &verdict))
            .await
    }

    /// Stores the reply of a queued call and takes it out of the queue. A key that is not in the queue is nobody's:
    /// its reply is dropped, and the answer is `None`; otherwise it is the call's stage and bytes of text.
    pub(crate) async fn settle_reply(
        &self,
        key: RequestKey,
        response: ChatResponse,
        cost_usd: Option<f64>,
    ) -> Result<Option<(String, u64)>, StoreError> {
        self.write(move |transaction, desk| {
            let row: Option<(String, String, Vec<u8>, i64, i64)> = transaction
                .prepare_cached(
                    "SELECT model, stage, request, bytes, shared_bytes FROM pending WHERE key = ?1",
                )?
                .query_row([key.as_bytes().as_slice()], |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                })
                .optional()?;
            let Some((model, stage, request, bytes, shared)) = row else {
                return Ok(None);
            };
            let call = calls::NewRow {
                key: &key,
                model: &model,
                stage: &stage,
                mode: CallMode::Batch,
                request: calls::Request::Compressed(request),
                bytes: (bytes.cast_unsigned(), shared.cast_unsigned()),
                cost_usd,
            };
            calls::insert(transaction, desk, call, &CallReply::Chat(response))?;
            Ok(Some((stage, bytes.cast_unsigned())))
        })
        .await
    }
}

/// Moves a call to where its verdict puts it. `tries` is how many batches it was in before this one.
pub(super) fn judge(
    transaction: &Transaction<'_>,
    key: &RequestKey,
    tries: u32,
    most: u32,
    verdict: &Verdict,
) -> Result<(), BoxError> {
    let (state, tries, error) = match verdict {
        Verdict::Again => ("waiting", tries, None),
        Verdict::Live => ("live", tries + 1, None),
        Verdict::Retry(..) if tries + 1 < most => ("waiting", tries + 1, None),
        Verdict::Retry(kind, error) | Verdict::Failed(kind, error) => {
            ("failed", tries + 1, Some((kind.as_str(), error.as_str())))
        }
    };
    transaction
        .prepare_cached(
            "UPDATE pending SET state = ?2, tag = NULL, tries = ?3, error_kind = ?4, error = ?5
             WHERE key = ?1",
        )?
        .execute(params![
            key.as_bytes().as_slice(),
            state,
            tries,
            error.map(|error| error.0),
            error.map(|error| error.1),
        ])?;
    Ok(())
}

pub(super) fn read_key(bytes: &[u8]) -> Result<RequestKey, BoxError> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| format!("a key of {} bytes", bytes.len()))?;
    Ok(RequestKey::from_bytes(bytes))
}

/// How often the calls of a batch have been tried, by key: only those still in it.
pub(super) fn sent_rows(
    connection: &Connection,
    tag: &str,
) -> Result<Vec<(Vec<u8>, u32)>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT key, tries FROM pending WHERE tag = ?1 AND state = 'sent' ORDER BY rowid",
        )?
        .query_map([tag], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
