use specstress_llm::{BatchLine, BatchState, BatchStatus, BatchTag, LlmError, RequestKey};

use serde_json::Value;
use serde_json::value::RawValue;

use super::find::Listing;
use super::item::Item;
use crate::catalog::ModelInfo;

/// How the requests of a batch reach the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// In the call that creates the batch.
    Inline,
    /// As a file uploaded in one call, with this purpose where there is one.
    Multipart(Option<&'static str>),
    /// As a file uploaded in two calls, the second to an address that the first one names.
    Resumable,
}

/// What a batch is created from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    Lines(&'a [BatchLine]),
    /// The id of an uploaded file.
    File(&'a str),
}

/// Where the results of a batch are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Results {
    /// The status names the files, or holds the results itself.
    InStatus,
    /// Pages of JSON at this path.
    Pages(String),
}

/// What the status of a batch says of its results.
#[derive(Debug)]
pub(super) enum Outputs<'t> {
    /// Files of lines at these paths; none when there is nothing.
    Files(Vec<String>),
    /// One JSON text per result.
    Here(Vec<&'t RawValue>),
}

/// One provider's batch service as paths, bodies and readings; no IO.
pub(super) trait BatchForm: Send + Sync + std::fmt::Debug {
    /// The line of a request whose live body is this JSON.
    fn line(&self, key: &RequestKey, body: &str) -> String;

    /// How lines of this count and length are sent.
    fn input(&self, lines: usize, bytes: usize) -> Input;

    /// The path and body of the call that creates a batch.
    fn create(&self, tag: &BatchTag, source: Source<'_>) -> Result<(String, String), LlmError>;

    /// The field with a batch's id.
    fn id_field(&self) -> &'static str;

    /// The path of a batch.
    fn path(&self, id: &str) -> String;

    /// The path and body of the call that cancels a batch.
    fn cancel(&self, id: &str) -> (String, &'static str);

    /// What a batch's object says.
    fn status(&self, model: &ModelInfo, body: &Value) -> BatchStatus;

    /// The path of a page of the list of all batches.
    fn list_path(&self, page: Option<&str>) -> String;

    /// Reads such a page.
    fn list(&self, body: &Value) -> Listing;

    /// Whether the tag is on the wire.
    fn keeps_tag(&self) -> bool {
        true
    }

    /// Where the results are.
    fn results(&self, id: &str) -> Results;

    /// For [`Results::InStatus`]: what the text of a batch's object says of them.
    fn outputs<'t>(&self, status: &'t str) -> Outputs<'t> {
        let _ = status;
        Outputs::Files(Vec::new())
    }

    /// One result and whose it is; `None` for what is no result of ours.
    fn item<'t>(&self, line: &'t str) -> Option<(RequestKey, Item<'t>)>;
}

/// A word of the provider that is not known, or the lack of one.
pub(super) fn odd_state(word: Option<&str>) -> BatchState {
    BatchState::Unknown(word.unwrap_or("no state").to_owned())
}

/// The lines as the text of a file.
pub(super) fn file_text(lines: &[BatchLine]) -> impl Iterator<Item = &str> {
    lines.iter().flat_map(|line| [line.json.as_str(), "\n"])
}
