//! Calls of another store, taken over row by row.

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params_from_iter};

/// What is copied: a table and its columns, keys first. Rows that are there stay as they are.
const PARTS: [(&str, &str); 2] = [
    ("texts", "digest, body"),
    (
        "calls",
        "key, kind, model, request, reply, finish, input_tokens, output_tokens, cost_usd, stage, mode, outcome, bytes, \
         shared_bytes, cached_tokens, cache_write_tokens, reasoning_tokens",
    ),
];

/// Copies calls and the texts they share; returns how many calls are new.
pub(super) fn copy(source: &Connection, target: &Transaction<'_>) -> Result<u64, rusqlite::Error> {
    let mut calls = 0;
    for (table, columns) in PARTS {
        let width = columns.split(", ").count();
        let places: Vec<String> = (1..=width).map(|at| format!("?{at}")).collect();
        let mut insert = target.prepare(&format!(
            "INSERT OR IGNORE INTO {table} ({columns}) VALUES ({})",
            places.join(", ")
        ))?;
        let mut select = source.prepare(&format!("SELECT {columns} FROM {table}"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<Value> = (0..width).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            if insert.execute(params_from_iter(values))? == 1 && table == "calls" {
                calls += 1;
            }
        }
    }
    Ok(calls)
}
