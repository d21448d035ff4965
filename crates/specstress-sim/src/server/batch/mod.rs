//! The batch services of the providers: many requests at once, answered later.
//!
//! Each provider's forms are in a file of its own; what they share, from a batch that is well formed to its end, is in
//! [`engine`]. Everything is in memory: a batch survives its client, not the server.

mod anthropic;
mod desk;
mod ending;
mod engine;
mod files;
mod front;
mod gemini;
mod item;
mod job;
mod list;
mod multipart;
mod names;
mod openai;
mod options;
mod query;
mod read;
mod route;
mod rows;
mod stats;
mod store;
mod time;
mod xai;

use crate::server::wire::{Refusal, Wire};

pub(in crate::server) use front::serve;
pub use options::{BatchFaults, BatchOptions};
pub(in crate::server) use route::route;
pub use stats::BatchStats;
pub(in crate::server) use store::Batches;

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What a provider takes in one batch.
#[derive(Clone, Copy, Debug)]
struct Limits {
    requests: usize,
    bytes: usize,
    wire: Wire,
}

const MB: usize = 1_000_000;

impl Limits {
    /// The limits of a provider, with those of the options before them. `file` for an upload.
    fn of(wire: Wire, file: bool, options: &BatchOptions) -> Self {
        let (requests, bytes) = match wire {
            Wire::Anthropic => (100_000, 256 * MB),
            Wire::OpenAi => (50_000, 200 * MB),
            // No number of requests is known of Gemini and xAI.
            Wire::Gemini if file => (usize::MAX, 2_000 * MB),
            Wire::Gemini => (usize::MAX, 20 * MB),
            Wire::Xai => (usize::MAX, 200 * MB),
        };
        let or = |limit: Option<u64>, own: usize| {
            limit.map_or(own, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
        };
        Self {
            requests: or(options.max_requests.map(u64::from), requests),
            bytes: or(options.max_bytes, bytes),
            wire,
        }
    }

    fn count(&self, count: usize) -> Result<(), Refusal> {
        if count == 0 {
            return Err(Refusal::field(
                "requests",
                "requests: at least one is needed",
            ));
        }
        if count > self.requests {
            let message = format!("{count} requests in one batch, at most {}", self.requests);
            return Err(Refusal::field("requests", message));
        }
        Ok(())
    }

    fn bytes(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.bytes {
            return Err(self.too_large());
        }
        Ok(())
    }

    fn too_large(&self) -> Refusal {
        // Google has no 413 for this.
        let status = if self.wire == Wire::Gemini { 400 } else { 413 };
        let message = format!("payload size exceeds the limit: {} bytes", self.bytes);
        Refusal::new(status, message)
    }
}
