//! `specstress sample` and `specstress labels`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::JsonArg;

#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// Draw so many answers for people to label.
    #[arg(long, value_name = "N")]
    pub(crate) for_labels: usize,
    /// The run directory.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Where to write sheet.csv and sheet.html, instead of RUN/labels.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Seed of the draw, instead of that of the study.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// The spec that answers are held against, to be shown in the form. Must be the one of the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,
    /// Draw again although labels were imported, and discard those.
    #[arg(long)]
    pub(crate) discard_labels: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabelsArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(subcommand)]
    pub(crate) command: LabelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelsCommand {
    /// Read filled sheets into a run, and hold judges, classifier and labeler against them.
    ///
    /// Every row is checked; nothing is stored when one is wrong. A label of the same person for the same answer
    /// replaces the one imported before, others stay. The report of the run has a section on them from then on.
    ///
    /// Example: specstress labels import ann.csv bob.csv specstress-runs/study
    Import {
        /// Filled sheets, as CSV.
        #[arg(required = true, value_name = "SHEET")]
        sheets: Vec<PathBuf>,
        /// The run directory.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// The person, for rows whose column `rater` is empty.
        #[arg(long, value_name = "NAME")]
        rater: Option<String>,
    },
    /// Show what the imported labels say.
    Show {
        /// The run directory.
        #[arg(value_name = "RUN")]
        run: PathBuf,
    },
}
