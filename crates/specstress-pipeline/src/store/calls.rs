//! Rows of replies.

use rusqlite::{Transaction, params};
use specstress_llm::{CallMode, CallReply, RequestKey};

use super::desk::Desk;
use super::encode::{BoxError, encode_chat, encode_vector};
use super::totals::{self, stored_tokens};

/// A call about to be stored, apart from its reply.
pub(super) struct NewRow<'a> {
    pub(super) key: &'a RequestKey,
    pub(super) model: &'a str,
    pub(super) stage: &'a str,
    pub(super) mode: CallMode,
    pub(super) request: Request,
    /// Of all text and of shared text.
    pub(super) bytes: (u64, u64),
    pub(super) cost_usd: Option<f64>,
}

/// A request as it comes to be stored.
pub(super) enum Request {
    /// JSON; kept behind a chat reply, in one piece with it.
    Plain(Vec<u8>),
    /// As it lay in the queue; kept in a column of its own.
    Compressed(Vec<u8>),
}

/// Stores a call and takes it out of the queue; a second reply of a key is not stored.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    desk: &mut Desk,
    call: NewRow<'_>,
    reply: &CallReply,
) -> Result<(), BoxError> {
    let usage = totals::usage(reply, call.bytes.0);
    let outcome = totals::outcome(reply);
    let (kind, finish) = match reply {
        CallReply::Chat(response) => ("chat", Some(totals::finish_name(&response.finish))),
        CallReply::Embedding(_) => ("embedding", None),
    };
    let compressor = &mut desk.compressor;
    let (request, body) = match (call.request, reply) {
        (Request::Plain(request), CallReply::Chat(response)) => {
            (Vec::new(), encode_chat(response, &request)?)
        }
        (Request::Plain(request), CallReply::Embedding(vector)) => {
            (compressor.compress(&request)?, encode_vector(vector))
        }
        (Request::Compressed(request), CallReply::Chat(response)) => {
            (request, encode_chat(response, &[])?)
        }
        (Request::Compressed(request), CallReply::Embedding(vector)) => {
            (request, encode_vector(vector))
        }
    };
    let body = compressor.compress(&body)?;
    let inserted = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO calls
             (key, kind, model, request, reply, finish, input_tokens, output_tokens, cost_usd, stage, mode, outcome,
              bytes, shared_bytes, cached_tokens, cache_write_tokens, reasoning_tokens)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            call.key.as_bytes().as_slice(),
            kind,
            call.model,
            request,
            body,
            finish,
            stored_tokens(&[usage.input, usage.cached_input, usage.cache_write]),
            stored_tokens(&[usage.output, usage.reasoning]),
            call.cost_usd,
            call.stage,
            call.mode.as_str(),
            outcome.as_str(),
            stored_tokens(&[call.bytes.0]),
            stored_tokens(&[call.bytes.1]),
            stored_tokens(&[usage.cached_input]),
            stored_tokens(&[usage.cache_write]),
            stored_tokens(&[usage.reasoning]),
        ])?;
    desk.arrived += i64::from(inserted == 1);
    if desk.queued {
        transaction
            .prepare_cached("DELETE FROM pending WHERE key = ?1")?
            .execute([call.key.as_bytes().as_slice()])?;
    }
    Ok(())
}
