use std::io;
use std::path::PathBuf;

use specstress_llm::PromptError;
use specstress_llm::json::JsonError;

/// A model spec that cannot be read.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file is not there, not readable or not UTF-8.
    #[error("cannot read model spec {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has nothing but white space.
    #[error("model spec {} has no text", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The text is nothing but white space.
    #[error("the model spec has no text")]
    NoText,
}

/// A judge that cannot be set up.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The prompt file is there but cannot be read.
    #[error("cannot read prompt file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The template is broken, misspells a variable, or leaves out one the task needs.
    #[error("prompt file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<JudgeError>,
    },
    /// The template cannot be rendered.
    #[error("the verdict prompt cannot be used")]
    Prompt(#[from] PromptError),
    /// The spec is not in the section that all requests share.
    #[error(
        "the verdict prompt must show {{{{ spec }}}} under `=== shared ===`, so that a long spec is sent and paid for once"
    )]
    SpecNotShared,
    /// A choice of no section.
    #[error(
        "judges that are shown 0 sections of the spec cannot judge: choose 1 or more, or the whole spec"
    )]
    NoSections,
}

/// Why a reply holds no usable verdict. The messages are shown to the model when it is asked again.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JudgeRejection {
    /// No JSON object with both keys, or more than one.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The decision is none of the three.
    #[error("decision {given} is unknown; use \"compliant\", \"non-compliant\" or \"ambiguous\"")]
    Decision {
        /// What stood there, as JSON.
        given: String,
    },
    /// The reasoning is no text, or empty.
    #[error("reasoning must be a text that names the relevant parts of the spec, not {given}")]
    Reasoning {
        /// What stood there, as JSON.
        given: String,
    },
}
