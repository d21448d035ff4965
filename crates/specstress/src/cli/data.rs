//! Arguments of the commands that write data sets.

use std::path::PathBuf;

use clap::Args;

use super::JsonArg;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The run directory.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Where to put the data set: a folder that is not there yet, or is empty.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Licence of the data set, as its card names it (an SPDX id in lower case, such as apache-2.0).
    #[arg(long, value_name = "ID", default_value = "unknown")]
    pub(crate) license: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// A file (.csv, .jsonl, .parquet), or the folder of a table of a run.
    #[arg(value_name = "FROM")]
    pub(crate) from: PathBuf,
    /// The file to write; its name tells the format.
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
    /// Which table of a run it is, where the file does not say.
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
}
