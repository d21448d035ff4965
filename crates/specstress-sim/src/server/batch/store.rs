use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use serde_json::Value;
use specstress_llm::Digest;
use tokio::time::Instant;

use crate::server::batch::item::{Asked, Item};
use crate::server::batch::job::Batch;
use crate::server::batch::options::MOST_IN_A_ROW;
use crate::server::batch::time::{BatchClock, Moment};
use crate::server::wire::{Refusal, Wire};

/// All batches and files, as long as the server lives.
#[derive(Debug, Default)]
pub(in crate::server) struct Batches {
    store: Mutex<Store>,
    pub(in crate::server) clock: BatchClock,
}

impl Batches {
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        // Every change is whole after one statement or is of one batch only.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Store {
    /// By the number of its creation.
    batches: BTreeMap<u64, Batch>,
    made: u64,
    files_made: u64,
    pub(super) files: BTreeMap<String, File>,
    /// How often each set of items was sent, with the batches that hold it and the faults they met.
    pub(super) sets: HashMap<String, SetHistory>,
    labels: HashMap<(&'static str, String), u32>,
    reads: HashMap<String, Reads>,
    uploads: HashMap<String, u32>,
}

/// What became of one set of item ids.
#[derive(Debug, Default)]
pub(super) struct SetHistory {
    pub(super) sent: u32,
    pub(super) faults: u32,
    pub(super) dropped: u32,
    /// Batches that hold it, by number and part.
    pub(super) places: Vec<(u64, usize)>,
}

/// How often one thing was read, and its faults in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    number: u32,
    row: u32,
}

/// A file of a provider.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) wire: Wire,
    /// Its number among the files, for lists.
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) mime: String,
    pub(super) purpose: String,
    pub(super) bytes: u64,
    pub(super) created: Moment,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// As it was uploaded, so far.
    Raw(Bytes),
    /// A resumable upload that is not finished.
    Partial(Vec<u8>),
    /// Read by a batch, and dropped.
    Read(Arc<ReadFile>),
    /// Results of a batch, with or without those that failed.
    Results { batch: u64, which: Which },
}

/// What a batch made of a file.
#[derive(Debug)]
pub(super) struct ReadFile {
    pub(super) asked: Asked,
    pub(super) model: Option<String>,
    pub(super) items: Arc<[Item]>,
}

/// Which results are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Answered,
    Errors,
}

impl Store {
    pub(super) fn insert(&mut self, batch: Batch) -> u64 {
        self.made += 1;
        self.batches.insert(self.made, batch);
        self.made
    }

    pub(super) fn get(&self, number: u64) -> Option<&Batch> {
        self.batches.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Batch> {
        self.batches.get_mut(&number)
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.batches.remove(&number);
    }

    /// The batch of a provider by its id.
    pub(super) fn find(&self, wire: Wire, id: &str) -> Result<(u64, &Batch), Refusal> {
        self.batches
            .iter()
            .find(|(_, batch)| batch.asked.wire == wire && batch.id == id)
            .map(|(number, batch)| (*number, batch))
            .ok_or_else(|| Refusal::new(404, format!("there is no batch {id:?} here")))
    }

    /// What lists show of a provider, newest first.
    pub(super) fn newest(&self, wire: Wire, now: Instant) -> Vec<&Batch> {
        self.batches
            .values()
            .rev()
            .filter(|batch| batch.asked.wire == wire && batch.visible <= now)
            .collect()
    }

    pub(super) fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.values()
    }

    /// A new id: the same for the same content sent equally often.
    pub(super) fn file_id(&mut self, wire: Wire, content: &[u8]) -> String {
        let name = Digest::new("specstress sim file 1")
            .field("wire", wire.name())
            .field("content", content)
            .hex();
        let count = self.uploads.entry(name.clone()).or_default();
        *count += 1;
        format!("{}{}{:02}", file_prefix(wire), &name[..20], count)
    }

    pub(super) fn insert_file(&mut self, id: String, mut file: File) {
        self.files_made += 1;
        file.number = self.files_made;
        self.files.insert(id, file);
    }

    pub(super) fn file(&self, wire: Wire, id: &str) -> Result<&File, Refusal> {
        self.files
            .get(id)
            .filter(|file| file.wire == wire && !matches!(file.content, Content::Partial(_)))
            .ok_or_else(|| Refusal::new(404, format!("No such File object: {id}")))
    }

    /// Counts a label; whether there was one like it.
    pub(super) fn has_label(&mut self, wire: Wire, label: &Value) -> bool {
        let count = self
            .labels
            .entry((wire.name(), label.to_string()))
            .or_default();
        *count += 1;
        *count > 1
    }

    /// Counts a read of a thing. `draw` says for its number whether it meets a fault, which is granted unless
    /// it would be one of too many in a row.
    pub(super) fn read(&mut self, path: &str, draw: impl Fn(u32) -> bool) -> bool {
        let reads = self.reads.entry(path.to_owned()).or_default();
        reads.number += 1;
        let fault = reads.row < MOST_IN_A_ROW && draw(reads.number);
        reads.row = if fault { reads.row + 1 } else { 0 };
        fault
    }
}

fn file_prefix(wire: Wire) -> &'static str {
    match wire {
        Wire::Gemini => "files/",
        Wire::Xai => "file_",
        Wire::OpenAi | Wire::Anthropic => "file-",
    }
}
