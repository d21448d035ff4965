//! Takes the calls of the batch services and answers them.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::batch::engine::{self, Draft, Made, Source};
use crate::server::batch::job::Batch;
use crate::server::batch::query::Query;
use crate::server::batch::route::Call;
use crate::server::batch::rows::Rows;
use crate::server::batch::store::{Content, File, Store, Which};
use crate::server::batch::{Limits, anthropic, ending, files, gemini, list, openai, xai};
use crate::server::service::Service;
use crate::server::wire::{Refusal, Wire};

/// What a call comes to.
pub(super) enum Reply {
    Json(Value),
    /// JSON that is written already.
    Written(String),
    /// A file as it was uploaded.
    Raw(Bytes),
    /// Results, one to a line.
    Rows(Rows),
    /// The address for the bytes of an upload.
    UploadAt(String),
    /// It was done, and nobody is told.
    Dropped,
}

/// One call, its reader and its place.
pub(super) struct Desk<'s> {
    pub(super) service: &'s Arc<Service>,
    pub(super) wire: Wire,
    pub(super) headers: &'s HeaderMap,
    pub(super) query: Query,
    /// Scheme, host and wire, as addresses in replies start.
    pub(super) origin: String,
    pub(super) limits: Limits,
}

impl Desk<'_> {
    pub(super) async fn answer(&self, call: Call, bytes: Bytes) -> Result<Reply, Refusal> {
        let now = self.service.batches.clock.now().at;
        let wire = self.wire;
        let store = || self.service.batches.lock();
        let count = |count: fn(&mut crate::server::batch::BatchStats) -> &mut u64| {
            *count(self.service.stats.ledger().batches(wire)) += 1;
        };
        match call {
            Call::Create | Call::CreateFor(_) => {
                let model = match call {
                    Call::CreateFor(model) => Some(model),
                    _ => None,
                };
                let draft = self.draft(model.as_deref(), &bytes).await?;
                let Made { number, dropped } = engine::create(self.service, draft);
                if dropped {
                    return Ok(Reply::Dropped);
                }
                self.show(&store(), number, self.service.batches.clock.now().at)
            }
            Call::List => {
                count(|stats| &mut stats.lists);
                list::batches(&store(), wire, &self.query, &self.origin, now).map(Reply::Json)
            }
            Call::Get(id) => {
                count(|stats| &mut stats.polls);
                let store = store();
                let (number, _) = store.find(wire, &id)?;
                self.show(&store, number, now)
            }
            Call::Add(id) => {
                let (number, source) = {
                    let store = store();
                    let (number, batch) = store.find(wire, &id)?;
                    (number, xai::addition(&bytes, batch, &self.limits)?)
                };
                let made = engine::add(self.service, number, source)?;
                Ok(if made.dropped {
                    Reply::Dropped
                } else {
                    Reply::Json(json!({}))
                })
            }
            Call::Requests(id) => {
                let store = store();
                let (_, batch) = store.find(wire, &id)?;
                let rows = xai::requests(batch, now);
                list::rows("batch_request_metadata", rows, &self.query).map(Reply::Written)
            }
            Call::Results(id) => self.results(&id, now),
            Call::Cancel(id) => {
                let number = store().find(wire, &id)?.0;
                self.check_cancel(number, now)?;
                count(|stats| &mut stats.cancels);
                ending::cancel(self.service, number);
                if wire == Wire::Gemini {
                    return Ok(Reply::Json(json!({})));
                }
                self.show(&store(), number, self.service.batches.clock.now().at)
            }
            Call::Delete(id) => {
                let mut store = store();
                let (number, batch) = store.find(wire, &id)?;
                if !batch.has_ended() {
                    let message = "the batch has not ended: cancel it first";
                    return Err(Refusal::new(400, message));
                }
                store.remove(number);
                count(|stats| &mut stats.deletes);
                Ok(Reply::Json(match wire {
                    Wire::Gemini => json!({}),
                    _ => json!({"id": id, "type": "message_batch_deleted"}),
                }))
            }
            Call::Upload => self.upload(&bytes),
            Call::Files => list::all_files(&store(), wire, &self.query).map(Reply::Json),
            Call::File(id) => {
                let store = store();
                Ok(Reply::Json(files::show(&id, store.file(wire, &id)?)))
            }
            Call::Content(id) => self.content(&id, now),
            Call::DeleteFile(id) => {
                let mut store = store();
                store.file(wire, &id)?;
                store.files.remove(&id);
                count(|stats| &mut stats.deletes);
                Ok(Reply::Json(match wire {
                    Wire::Gemini => json!({}),
                    _ => json!({"id": id, "object": "file", "deleted": true}),
                }))
            }
        }
    }

    async fn draft(&self, model: Option<&str>, bytes: &Bytes) -> Result<Draft, Refusal> {
        // Reading a file takes its time; the store is not held for it.
        let file = |id: &str| -> Result<File, Refusal> {
            self.service.batches.lock().file(self.wire, id).cloned()
        };
        let mut draft = match self.wire {
            Wire::Anthropic => anthropic::draft(bytes, &self.limits)?,
            Wire::OpenAi => {
                let plan = openai::plan(bytes)?;
                let file = file(&plan.file)?;
                openai::draft(plan, &file, &self.limits)?
            }
            Wire::Gemini => {
                let inline = Limits::of(Wire::Gemini, false, &self.service.options.batch);
                gemini::draft(model.unwrap_or_default(), bytes, file, &inline)?
            }
            Wire::Xai => xai::draft(bytes, file, &self.limits)?,
        };
        // Gemini refuses what is over the limit of tokens before there is a batch.
        if self.wire == Wire::Gemini && self.service.options.batch.enqueued_tokens.is_some() {
            draft.source = match draft.source {
                Some(Source::Entries(entries)) => {
                    let items = engine::answer_apart(self.service, &draft.asked, entries).await;
                    Some(Source::Items(items))
                }
                other => other,
            };
            if let Some(Source::Items(items)) = &draft.source {
                engine::refuse_over_limit(self.service, self.wire, items)?;
            }
        }
        Ok(draft)
    }

    fn show(&self, store: &Store, number: u64, now: Instant) -> Result<Reply, Refusal> {
        let batch = store
            .get(number)
            .ok_or_else(|| Refusal::new(404, "the batch is gone"))?;
        Ok(Reply::Json(match self.wire {
            Wire::Anthropic => anthropic::show(batch, now, &self.origin),
            Wire::OpenAi => openai::show(batch, now, |id| store.files.contains_key(id)),
            Wire::Gemini => gemini::show(batch, now, true),
            Wire::Xai => xai::show(batch, now),
        }))
    }

    fn check_cancel(&self, number: u64, now: Instant) -> Result<(), Refusal> {
        let store = self.service.batches.lock();
        let ended = store.get(number).is_some_and(Batch::has_ended);
        if !ended {
            return Ok(());
        }
        match self.wire {
            Wire::Anthropic => Err(Refusal::new(
                400,
                "the batch has ended and cannot be cancelled",
            )),
            Wire::OpenAi => {
                let status = match self.show(&store, number, now)? {
                    Reply::Json(body) => body["status"].clone(),
                    _ => Value::Null,
                };
                let message = format!("Cannot cancel a batch with status {status}.");
                Err(Refusal::new(409, message))
            }
            // Best effort.
            Wire::Gemini | Wire::Xai => Ok(()),
        }
    }

    fn results(&self, id: &str, now: Instant) -> Result<Reply, Refusal> {
        let store = self.service.batches.lock();
        let (number, batch) = store.find(self.wire, id)?;
        let reply = if self.wire == Wire::Xai {
            let rows = xai::results(batch, now);
            Reply::Written(list::rows("results", rows, &self.query)?)
        } else {
            if !anthropic::has_results(batch) {
                let message =
                    format!("the results of {id} are not available: they are once it has ended");
                return Err(Refusal::new(404, message));
            }
            Reply::Rows(self.rows(number, Which::All, now))
        };
        self.service.stats.ledger().batches(self.wire).downloads += 1;
        Ok(reply)
    }

    fn content(&self, id: &str, now: Instant) -> Result<Reply, Refusal> {
        let store = self.service.batches.lock();
        let (number, which) = match &store.file(self.wire, id)?.content {
            Content::Raw(bytes) => return Ok(Reply::Raw(bytes.clone())),
            Content::Read(_) | Content::Partial(_) => {
                let message =
                    format!("{id}: the sim server drops the text of a file that a batch has read");
                return Err(Refusal::new(404, message));
            }
            Content::Results { batch, which } => (*batch, *which),
        };
        if store.get(number).is_none() {
            return Err(Refusal::new(404, format!("{id}: its batch was deleted")));
        }
        self.service.stats.ledger().batches(self.wire).downloads += 1;
        Ok(Reply::Rows(self.rows(number, which, now)))
    }

    fn rows(&self, batch: u64, which: Which, now: Instant) -> Rows {
        Rows {
            service: Arc::clone(self.service),
            batch,
            wire: self.wire,
            which,
            next: 0,
            now,
        }
    }

    fn upload(&self, bytes: &Bytes) -> Result<Reply, Refusal> {
        let now = self.service.batches.clock.now();
        let mut store = self.service.batches.lock();
        let done = |store: &Store, id: &str| {
            self.service.stats.ledger().batches(self.wire).uploads += 1;
            let told = files::show(id, store.file(self.wire, id)?);
            Ok(Reply::Json(match self.wire {
                Wire::Gemini => json!({"file": told}),
                _ => told,
            }))
        };
        if self.wire != Wire::Gemini {
            let file = files::upload(self.wire, self.headers, bytes, &self.limits, now)?;
            let Content::Raw(data) = &file.content else {
                return Err(Refusal::new(400, "there is no file"));
            };
            let id = store.file_id(self.wire, data);
            store.insert_file(id.clone(), file);
            return done(&store, &id);
        }
        let Some(upload) = self.query.get("upload_id") else {
            let file = files::start(self.headers, bytes, &self.limits, now)?;
            let id = store.file_id(Wire::Gemini, file.name.as_bytes());
            let id = id.replace("files/", "upload-");
            store.insert_file(id.clone(), file);
            let address = format!("{}/upload/v1beta/files?upload_id={id}", self.origin);
            return Ok(Reply::UploadAt(address));
        };
        match files::proceed(&mut store, upload, self.headers, bytes, &self.limits)? {
            Some(id) => done(&store, &id),
            None => Ok(Reply::Json(json!({}))),
        }
    }
}
