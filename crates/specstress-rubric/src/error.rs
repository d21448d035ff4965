use std::io;
use std::path::PathBuf;

use specstress_llm::PromptError;

/// A prompt file that cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RubricError {
    /// The file is there but cannot be read.
    #[error("cannot read prompt file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The template is broken, misspells a variable, or leaves out one the task needs.
    #[error("prompt file {} cannot be used", path.display())]
    Prompt {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: PromptError,
    },
}
