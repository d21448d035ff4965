//! What was spent, by stage, model, terms and outcome.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use specstress_llm::{CallMode, CallReply, CallRequest, FinishReason, OutcomeKind, Usage};

/// The calls of one stage, model, terms and outcome.
///
/// Tokens are sums over the calls. `input_tokens` and `output_tokens` are whole; cached, written and reasoning tokens
/// are parts of them. The sums of squares give the spread over calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallTotals {
    /// The stage that made the calls first; empty for calls of an older build.
    pub stage: String,
    /// The model id.
    pub model: String,
    /// Live or in a batch.
    pub mode: CallMode,
    /// How the replies ended.
    pub outcome: OutcomeKind,
    /// Replies stored.
    pub calls: u64,
    /// Bytes of text sent.
    pub bytes: u64,
    /// Those of them that other requests send too.
    pub shared_bytes: u64,
    /// Tokens read by the model.
    pub input_tokens: u64,
    /// Those of them read from the provider's cache.
    pub cached_tokens: u64,
    /// Those of them written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
    /// Those of them spent on reasoning.
    pub reasoning_tokens: u64,
    /// Sum of the squares of each call's input tokens.
    pub input_squares: f64,
    /// Sum of the squares of each call's output tokens.
    pub output_squares: f64,
    /// What the priced calls cost, in US dollars.
    pub cost_usd: f64,
    /// Calls whose cost is known.
    pub priced: u64,
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
    /// What the calls cost: as providers reported it, else at list price; `None` where no call's cost is known.
    pub cost_usd: Option<f64>,
}

/// The totals of each model, sorted by id.
pub(super) fn by_model(totals: &[CallTotals]) -> Vec<ModelCalls> {
    let mut models: BTreeMap<&str, ModelCalls> = BTreeMap::new();
    for part in totals {
        let model = models.entry(&part.model).or_insert_with(|| ModelCalls {
            model: part.model.clone(),
            calls: 0,
            input_tokens: 0,
            output_tokens: 0,
            cost_usd: None,
        });
        model.calls += part.calls;
        model.input_tokens = model.input_tokens.saturating_add(part.input_tokens);
        model.output_tokens = model.output_tokens.saturating_add(part.output_tokens);
        if part.priced > 0 {
            *model.cost_usd.get_or_insert(0.0) += part.cost_usd;
        }
    }
    models.into_values().collect()
}

/// Bytes that make a token, about, for embeddings, whose tokens no provider reports per text.
const BYTES_PER_TOKEN: u64 = 4;

/// Bytes of text of a request, all and shared.
pub(super) fn bytes(request: &CallRequest) -> (u64, u64) {
    match request {
        CallRequest::Embedding { text, .. } => (text.len() as u64, 0),
        CallRequest::Chat(chat) => {
            let (own, shared) = chat.text_bytes();
            (own + shared, shared)
        }
    }
}

/// The tokens of a reply.
pub(super) fn usage(reply: &CallReply, bytes: u64) -> Usage {
    match reply {
        CallReply::Chat(response) => response.usage,
        CallReply::Embedding(_) => Usage {
            input: bytes.div_ceil(BYTES_PER_TOKEN),
            ..Usage::default()
        },
    }
}

pub(super) fn outcome(reply: &CallReply) -> OutcomeKind {
    match reply {
        CallReply::Chat(response) => response
            .answer()
            .map_or_else(|unanswered| unanswered.kind(), |_| OutcomeKind::Answered),
        CallReply::Embedding(_) => OutcomeKind::Answered,
    }
}

pub(super) fn finish_name(finish: &FinishReason) -> &str {
    match finish {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::Blocked { category } => category,
        FinishReason::Other { reason } => reason,
    }
}

/// Token counts come from outside: an absurd one must not lose the reply it came with.
pub(super) fn stored_tokens(counts: &[u64]) -> i64 {
    let sum = counts
        .iter()
        .fold(0_u64, |sum, &count| sum.saturating_add(count));
    i64::try_from(sum).unwrap_or(i64::MAX)
}

/// Adds the rows of calls above one, as the rows say it. Sums stay within what a column can hold.
const ADD: &str = "
    INSERT INTO totals
        SELECT stage, model, mode, outcome, count(*), sum(bytes), sum(shared_bytes),
               CAST(min(total(input_tokens), 9223372036854775807) AS INTEGER),
               CAST(min(total(cached_tokens), 9223372036854775807) AS INTEGER),
               CAST(min(total(cache_write_tokens), 9223372036854775807) AS INTEGER),
               CAST(min(total(output_tokens), 9223372036854775807) AS INTEGER),
               CAST(min(total(reasoning_tokens), 9223372036854775807) AS INTEGER),
               total(input_tokens * 1.0 * input_tokens), total(output_tokens * 1.0 * output_tokens),
               sum(cost_usd), count(cost_usd)
        FROM calls WHERE rowid > ?1
        GROUP BY stage, model, mode, outcome
    ON CONFLICT DO UPDATE SET
        calls = calls + excluded.calls,
        bytes = bytes + excluded.bytes,
        shared_bytes = shared_bytes + excluded.shared_bytes,
        input_tokens = CAST(min(input_tokens * 1.0 + excluded.input_tokens, 9223372036854775807) AS INTEGER),
        cached_tokens = CAST(min(cached_tokens * 1.0 + excluded.cached_tokens, 9223372036854775807) AS INTEGER),
        cache_write_tokens = CAST(min(cache_write_tokens * 1.0 + excluded.cache_write_tokens, 9223372036854775807) AS INTEGER),
        output_tokens = CAST(min(output_tokens * 1.0 + excluded.output_tokens, 9223372036854775807) AS INTEGER),
        reasoning_tokens = CAST(min(reasoning_tokens * 1.0 + excluded.reasoning_tokens, 9223372036854775807) AS INTEGER),
        input_squares = input_squares + excluded.input_squares,
        output_squares = output_squares + excluded.output_squares,
        cost_usd = CASE WHEN excluded.cost_usd IS NULL THEN cost_usd
                        ELSE ifnull(cost_usd, 0) + excluded.cost_usd END,
        priced = priced + excluded.priced";

/// Counts the calls stored after the row `after`.
pub(super) fn add(transaction: &Transaction<'_>, after: i64) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached(ADD)?.execute([after])?;
    Ok(())
}

/// Counts calls of this minute.
pub(super) fn tick(transaction: &Transaction<'_>, calls: i64) -> Result<(), rusqlite::Error> {
    let minute = super::now() / 60;
    transaction
        .prepare_cached(
            "INSERT INTO minutes VALUES (?1, ?2) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls",
        )?
        .execute([minute.cast_signed(), calls])?;
    Ok(())
}

/// All totals, sorted by stage, model, terms and outcome.
pub(super) fn read(connection: &Connection) -> Result<Vec<CallTotals>, rusqlite::Error> {
    let mut statement = connection.prepare(
        "SELECT stage, model, mode, outcome, calls, bytes, shared_bytes, input_tokens, cached_tokens,
                cache_write_tokens, output_tokens, reasoning_tokens, input_squares, output_squares,
                ifnull(cost_usd, 0.0), priced
         FROM totals ORDER BY stage, model, mode, outcome",
    )?;
    let rows = statement.query_map([], |row| {
        let whole = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let mode: String = row.get(2)?;
        let outcome: String = row.get(3)?;
        Ok(CallTotals {
            stage: row.get(0)?,
            model: row.get(1)?,
            mode: if mode == CallMode::Batch.as_str() {
                CallMode::Batch
            } else {
                CallMode::Live
            },
            outcome: outcome.parse().unwrap_or_default(),
            calls: whole(4)?,
            bytes: whole(5)?,
            shared_bytes: whole(6)?,
            input_tokens: whole(7)?,
            cached_tokens: whole(8)?,
            cache_write_tokens: whole(9)?,
            output_tokens: whole(10)?,
            reasoning_tokens: whole(11)?,
            input_squares: row.get(12)?,
            output_squares: row.get(13)?,
            cost_usd: row.get(14)?,
            priced: whole(15)?,
        })
    })?;
    rows.collect()
}
