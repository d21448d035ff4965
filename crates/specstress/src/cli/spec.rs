//! `specstress spec`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::JsonArg;

#[derive(Debug, Args)]
pub(crate) struct SpecArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(subcommand)]
    pub(crate) command: SpecCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// Show the sections of a spec as an outline, or one of them with its text.
    Show {
        /// The spec: any Markdown.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A section to show, by its id.
        #[arg(value_name = "SECTION")]
        section: Option<String>,
    },
    /// Count what a spec consists of, and look for mistakes in it.
    ///
    /// Duplicate ids and titles, unknown authorities, empty sections, links to headings that are not there, blocks that
    /// never end. Exit code 2 when an id stands for two sections or a fenced block swallows the rest: judges and
    /// reports could not rely on such a spec. Everything else is a warning.
    Check {
        /// The spec: any Markdown.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Tell two versions of a spec apart: sections added, removed, changed, renamed and moved.
    ///
    /// Example: specstress spec diff april.md december.md --text
    Diff {
        /// The first version.
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The second version.
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// Show how texts changed, word by word: [-removed-] and {+added+}.
        #[arg(long)]
        text: bool,
        /// Only this section, by its old or new id.
        #[arg(long, value_name = "ID")]
        section: Option<String>,
    },
}
