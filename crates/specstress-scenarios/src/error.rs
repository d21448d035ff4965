use std::io;
use std::path::PathBuf;

use specstress_llm::PromptError;

use crate::parse::QueryTag;

/// A prompt file that cannot be used.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
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
    /// The template never shows the tag after which the reply is read.
    #[error("prompt file {} never says {tag}; the question is read after that tag, so ask for it", path.display())]
    NoTag {
        /// The file.
        path: PathBuf,
        /// The tag.
        tag: QueryTag,
    },
}

/// Why a reply holds no usable question. The messages are shown to the model when it is asked again.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioRejection {
    /// The tag is nowhere.
    #[error("the tag {tag} is missing; write it on a line of its own and the question after it")]
    MissingTag {
        /// The tag asked for.
        tag: QueryTag,
    },
    /// Nothing stands after the last tag.
    #[error(
        "nothing follows the last {tag}; write the question after it, and do not repeat the tag"
    )]
    EmptyQuery {
        /// The tag asked for.
        tag: QueryTag,
    },
    /// What stands after the tag is the model declining.
    #[error(
        "the text after {tag} declines the task (it begins {start:?}); it must be a question from a user"
    )]
    Refusal {
        /// The tag asked for.
        tag: QueryTag,
        /// Its first 60 characters.
        start: String,
    },
}
