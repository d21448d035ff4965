//! Exit codes, and how an error is told.

use std::process::ExitCode;

use specstress_pipeline::PipelineError;

/// Marks an error as the user's to mend.
pub(crate) trait UsageExt<T> {
    fn usage(self) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> UsageExt<T> for Result<T, E> {
    fn usage(self) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(Marked(error.into())))
    }
}

/// An error with the usage mark; shows as itself.
#[derive(Debug)]
struct Marked(anyhow::Error);

impl std::fmt::Display for Marked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Marked {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// The table shown by `specstress --help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed while working (network, disk, a model that cannot be reached)
  2  the command line, the config or an input file is wrong
  3  stopped before the end (Ctrl-C); run the same command again to go on
  4  the run directory is in use by another process, or is of a newer version
  5  the budget is reached; raise it and run the same command again to go on
  6  this shard waits for others; run them, then run it again to go on";

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Marked>() {
        return 2;
    }
    match error.downcast_ref::<PipelineError>() {
        Some(PipelineError::Stopped { .. }) => 3,
        Some(PipelineError::OverBudget { .. }) => 5,
        Some(PipelineError::WaitingForShards { .. }) => 6,
        Some(PipelineError::Locked { .. } | PipelineError::NewerFormat { .. }) => 4,
        Some(
            PipelineError::Setting { .. }
            | PipelineError::NotARun { .. }
            | PipelineError::Values(_)
            | PipelineError::Judge(_),
        ) => 2,
        _ => 1,
    }
}

/// Writes the error and its causes to stderr, each once.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut lines = vec![format!("error: {error}")];
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some libraries repeat the cause in their message.
        if !last.contains(&cause) {
            lines.push(format!("  because: {cause}"));
        }
        last = cause;
    }
    crate::output::note(&lines.join("\n"));
    ExitCode::from(code(error))
}
