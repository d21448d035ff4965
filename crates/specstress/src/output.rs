//! Writing to the terminal: results to stdout, everything else to stderr.

use std::io::{ErrorKind, Write};

use anyhow::Context;
use serde::Serialize;

use crate::cli::JsonArg;

/// Writes a result to stdout. A reader that has gone away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| {
            if text.ends_with('\n') {
                Ok(())
            } else {
                stdout.write_all(b"\n")
            }
        })
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Gives a result as its user asked: JSON to stdout or to a file, else the text.
pub(crate) fn give(
    json: &JsonArg,
    value: &impl Serialize,
    text: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let Some(target) = json.target() else {
        return print(&text());
    };
    let json = serde_json::to_string_pretty(value).context("cannot write JSON")? + "\n";
    if target.as_os_str() == "-" {
        return print(&json);
    }
    crate::out_file::write(target, &json)?;
    print(&text())
}

/// Writes a remark to stderr; there is nobody to tell when that fails.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
