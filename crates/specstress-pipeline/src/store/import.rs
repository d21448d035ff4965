//! Calls of another store, taken over row by row.

use rusqlite::{Connection, Transaction};

/// What is copied: the table, its columns, and what happens to rows that are there.
const PARTS: [(&str, &str, &str); 3] = [
    ("texts", "digest, body", "OR IGNORE"),
    (
        "calls",
        "key, kind, model, request, reply, finish, input_tokens, output_tokens, cost_usd, stage, mode, outcome",
        "OR IGNORE",
    ),
    ("forgotten", "key, kind, model, request, reply, outcome", ""),
];

/// Copies calls, texts and totals; returns how many calls were new.
pub(super) fn copy(source: &Connection, target: &Transaction<'_>) -> Result<u64, rusqlite::Error> {
    let mut calls = 0;
    for (table, columns, conflict) in PARTS {
        let width = columns.split(", ").count();
        let places: Vec<String> = (1..=width).map(|at| format!("?{at}")).collect();
        let mut insert = target.prepare(&format!(
            "INSERT {conflict} INTO {table} ({columns}) VALUES ({})",
            places.join(", ")
        ))?;
        let order = if table == "texts" { "digest" } else { "rowid" };
        let mut select =
            source.prepare(&format!("SELECT {columns} FROM {table} ORDER BY {order}"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<rusqlite::types::Value> =
                (0..width).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            let inserted = insert.execute(rusqlite::params_from_iter(values))?;
            if table == "calls" {
                calls += inserted as u64;
            }
        }
    }
    // What was spent there was spent, even on calls that were here already.
    let mut add = target.prepare(
        "INSERT INTO totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT DO UPDATE SET
             calls = calls + excluded.calls,
             bytes = bytes + excluded.bytes,
             shared_bytes = shared_bytes + excluded.shared_bytes,
             input_tokens = input_tokens + excluded.input_tokens,
             cached_tokens = cached_tokens + excluded.cached_tokens,
             cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
             output_tokens = output_tokens + excluded.output_tokens,
             reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
             input_squares = input_squares + excluded.input_squares,
             output_squares = output_squares + excluded.output_squares,
             cost_usd = CASE WHEN excluded.cost_usd IS NULL THEN cost_usd
                             ELSE ifnull(cost_usd, 0) + excluded.cost_usd END,
             priced = priced + excluded.priced",
    )?;
    let mut select = source.prepare("SELECT * FROM totals")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let values: Vec<rusqlite::types::Value> =
            (0..16).map(|at| row.get(at)).collect::<Result<_, _>>()?;
        add.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(calls)
}
