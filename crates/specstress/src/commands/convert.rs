//! `specstress convert`: any table or published layout in another format.

use serde::Serialize;
use specstress_dataset::{Converted, DatasetError, convert};

use crate::cli::ConvertArgs;
use crate::exit::UsageExt;
use crate::grid::count;
use crate::output;

#[derive(Debug, Serialize)]
struct Report {
    layout: String,
    rows: u64,
    written: String,
}

pub(crate) fn run(args: &ConvertArgs) -> anyhow::Result<()> {
    let done = convert(&args.from, &args.to, args.table.as_deref());
    let Converted { layout, rows, .. } = match done {
        // A disk that is full is not the user's mistake.
        Err(error @ DatasetError::Io { .. }) => return Err(error.into()),
        other => other.usage()?,
    };
    let report = Report {
        layout,
        rows,
        written: args.to.display().to_string(),
    };
    output::give(&args.json, &report, || {
        let Report {
            layout,
            rows,
            written,
        } = &report;
        format!("Wrote {written}: {} rows ({layout})\n", count(*rows))
    })
}
