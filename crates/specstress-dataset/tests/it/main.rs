//! Tests of the tables through files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod auto_traits;
mod bad_text;
mod convert;
mod damage;
mod positions;
mod published;
mod round_trip;
mod samples;
mod schemas;
mod table_dir;
