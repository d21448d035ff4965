//! `specstress agree`: how often raters agree, and how good they are.

mod measure;
mod report;
mod text;
mod votes;

use self::report::Report;
use self::votes::Votes;
use crate::cli::AgreeArgs;
use crate::exit::UsageExt;
use crate::output;

pub(crate) fn run(args: &AgreeArgs) -> anyhow::Result<()> {
    let votes = Votes::read(args).usage()?;
    let report = Report::new(&votes, args).usage()?;
    output::give(&args.json, &report, || report.text())
}
