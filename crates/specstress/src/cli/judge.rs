//! The arguments of `specstress judge`.

use std::path::PathBuf;

use clap::Args;

use super::{JsonArg, SpendArgs};

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The other spec, or another version of it: any Markdown with headings.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: PathBuf,
    /// The run directory.
    #[arg(value_name = "RUN", default_value = "specstress-runs/study")]
    pub(crate) run: PathBuf,
    /// The configuration, instead of the run's copy: that cannot be used when it names files by relative paths.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) spend: SpendArgs,
    /// Show the quotes of this many flipped verdicts.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) quotes: usize,
}
