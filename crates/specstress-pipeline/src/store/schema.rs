//! The tables of the call store and their versions.

use std::path::Path;

use rusqlite::Connection;

use crate::error::PipelineError;
use crate::store::store_error;

/// The version of the database's schema, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 3;

/// Shared texts are kept once, under their digest; shorter ones are not worth the look-up.
const FIRST: &str = "
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

/// What was spent by stage, model, terms and outcome, kept up with every call, so that nobody has to read the calls
/// to know it; the queue of calls that were put off; the ledger of batches; calls per minute.
///
/// `input_tokens` and `output_tokens` are whole; the cached, written and reasoning ones are parts of them. `bytes` is
/// text sent, `shared_bytes` the part of it that other requests send too.
const SECOND: &str = "
ALTER TABLE calls ADD COLUMN stage TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN mode TEXT NOT NULL DEFAULT 'live';
ALTER TABLE calls ADD COLUMN outcome TEXT NOT NULL DEFAULT 'answered';
ALTER TABLE calls ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN shared_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
CREATE TABLE totals (
    stage              TEXT NOT NULL,
    model              TEXT NOT NULL,
    mode               TEXT NOT NULL,
    outcome            TEXT NOT NULL,
    calls              INTEGER NOT NULL,
    bytes              INTEGER NOT NULL,
    shared_bytes       INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    cached_tokens      INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    input_squares      REAL NOT NULL,
    output_squares     REAL NOT NULL,
    cost_usd           REAL,
    priced             INTEGER NOT NULL,
    PRIMARY KEY (stage, model, mode, outcome)
) WITHOUT ROWID;
INSERT INTO totals
    SELECT stage, model, mode, outcome, count(*), 0, 0, sum(input_tokens), 0, 0, sum(output_tokens), 0,
           total(input_tokens * 1.0 * input_tokens), total(output_tokens * 1.0 * output_tokens),
           sum(cost_usd), count(cost_usd)
    FROM calls GROUP BY stage, model, mode, outcome;
CREATE TABLE minutes (
    minute INTEGER PRIMARY KEY,
    calls  INTEGER NOT NULL
);
CREATE TABLE pending (
    key        BLOB NOT NULL UNIQUE,
    model      TEXT NOT NULL,
    stage      TEXT NOT NULL,
    request    BLOB NOT NULL,
    bytes      INTEGER NOT NULL,
    shared_bytes INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'live', 'failed')),
    tag        TEXT,
    tries      INTEGER NOT NULL DEFAULT 0,
    error_kind TEXT,
    error      TEXT
);
CREATE INDEX pending_by_tag ON pending (tag);
CREATE INDEX pending_by_model ON pending (model, state);
CREATE TABLE batches (
    tag          TEXT PRIMARY KEY,
    model        TEXT NOT NULL,
    id           TEXT,
    certain      INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL,
    open         INTEGER NOT NULL,
    requests     INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    reserved_usd REAL NOT NULL,
    reserved_tokens INTEGER NOT NULL,
    begun_at     INTEGER NOT NULL,
    created_at   INTEGER,
    expires_at   INTEGER,
    polled_at    INTEGER,
    ended_at     INTEGER,
    succeeded    INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    detail       TEXT
);
CREATE TABLE foreign_batches (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE forgotten (
    key     BLOB NOT NULL,
    kind    TEXT NOT NULL,
    model   TEXT NOT NULL,
    request BLOB NOT NULL,
    reply   BLOB NOT NULL,
    outcome TEXT NOT NULL
);
";

/// Chat replies have a head, their body and mostly their request, whose column is then empty; see `encode`. Those of
/// before are read too, but older builds must not open the file.
const THIRD: &str = "";

/// The steps from nothing to the newest schema, by the version they start from.
const STEPS: [&str; 3] = [FIRST, SECOND, THIRD];

/// The schema's version in a file.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a store of a newer build.
pub(super) fn check_not_newer(path: &Path, version: i64) -> Result<(), PipelineError> {
    if version > SCHEMA_VERSION {
        return Err(PipelineError::NewerFormat {
            path: path.to_owned(),
            found: version.cast_unsigned(),
            supported: SCHEMA_VERSION.cast_unsigned(),
        });
    }
    Ok(())
}

/// Whether a file has the newest schema, so that every query here works on it.
pub(super) fn is_current(version: i64) -> bool {
    version == SCHEMA_VERSION
}

/// Brings a new or older file to the newest schema, all steps or none.
pub(super) fn upgrade(
    path: &Path,
    connection: &mut Connection,
    version: i64,
) -> Result<(), PipelineError> {
    if is_current(version) {
        return Ok(());
    }
    let missing = usize::try_from(version).map_or(&STEPS[..], |version| &STEPS[version..]);
    let failed = store_error(path, "cannot create the tables");
    let transaction = connection.transaction().map_err(&failed)?;
    for step in missing {
        transaction.execute_batch(step).map_err(&failed)?;
    }
    transaction
        .pragma_update(None, "user_version", SCHEMA_VERSION)
        .and_then(|()| transaction.commit())
        .map_err(&failed)
}
