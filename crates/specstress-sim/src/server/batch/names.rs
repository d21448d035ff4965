//! Names that follow from what they name, so that a run can be repeated.

use std::collections::BTreeSet;

use serde_json::Value;
use specstress_llm::Digest;

use crate::server::batch::engine::Source;
use crate::server::batch::item::Asked;
use crate::server::batch::store::Which;
use crate::server::wire::Wire;

/// Names a set of items, however they are ordered.
pub(super) fn set_name(asked: &Asked, source: &Source, file: Option<&str>) -> String {
    let mut ids: BTreeSet<&str> = source.ids().into_iter().collect();
    let digest = Digest::new("specstress sim batch 1").field("wire", asked.wire.name());
    let flawed = matches!(source, Source::Flawed(_));
    if flawed {
        ids.extend(file);
    }
    ids.into_iter()
        .fold(digest, |digest, id| digest.field("id", id))
        .hex()
}

pub(super) fn empty_set_name(wire: Wire, label: &Value) -> String {
    Digest::new("specstress sim empty batch 1")
        .field("wire", wire.name())
        .field("label", label.to_string())
        .hex()
}

/// The same for the same items sent equally often.
pub(super) fn batch_id(wire: Wire, set: &str, nth: u32) -> String {
    let id = format!("{}{nth:02}", &set[..20]);
    match wire {
        Wire::Anthropic => format!("msgbatch_{id}"),
        Wire::OpenAi | Wire::Xai => format!("batch_{id}"),
        Wire::Gemini => format!("batches/{id}"),
    }
}

/// The name of a file of results.
pub(super) fn results_file(wire: Wire, batch: &str, which: Which) -> String {
    let id = batch.rsplit(['/', '_']).next().unwrap_or_default();
    match (wire, which) {
        (Wire::Gemini, _) => format!("files/batch-{id}"),
        (_, Which::Errors) => format!("file-errors{id}"),
        _ => format!("file-output{id}"),
    }
}
