//! The calls of a batch service.

use std::sync::Arc;

use serde_json::Value;
use specstress_llm::{BatchLine, BatchStatus, BatchTag, LlmError, LlmErrorKind, LostBatch};

use super::find::Search;
use super::form::{BatchForm, Input, Outputs, Results, Source};
use super::held::{Held, Holding, Place};
use super::upload;
use crate::catalog::ModelInfo;
use crate::endpoint::{Attempts, Endpoint};
use crate::percent;
use crate::transport::{Call, Verb};
use crate::wire::{WireReply, accepted, document, repair, text_of, unreadable};

/// The batch service of one model.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) info: Arc<ModelInfo>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) form: Arc<dyn BatchForm>,
    /// What every call carries beside the key.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) holding: Holding,
}

/// A page of results as texts.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) lines: Vec<String>,
    pub(super) next: Option<String>,
}

impl Service {
    /// Uploads where needed and creates, in one attempt.
    pub(super) async fn create(
        &self,
        tag: &BatchTag,
        lines: &[BatchLine],
    ) -> Result<String, LlmError> {
        let bytes = lines.iter().map(|line| line.json.len() + 1).sum();
        let file = match self.form.input(lines.len(), bytes) {
            Input::Inline => None,
            Input::Multipart(purpose) => Some(upload::form(self, tag, lines, purpose).await?),
            Input::Resumable => Some(upload::resumable(self, tag, lines).await?),
        };
        let source = match &file {
            Some(file) => Source::File(file),
            None => Source::Lines(lines),
        };
        let (path, body) = self.form.create(tag, source)?;
        let call = self.call(Verb::Post, path).with_body(body);
        let field = self.form.id_field();
        let created = self.endpoint.call_aside(&call, Attempts::One, |reply| {
            let body = document(&self.info, reply, &[field])?;
            text_of(&body, field)
                .map(ToOwned::to_owned)
                .ok_or_else(|| unreadable(&self.info, reply, "a batch without an id"))
        });
        let created = created.await;
        if let (Err(error), Some(file)) = (&created, &file)
            && !leaves_open(error)
        {
            self.delete_file(file).await;
        }
        created
    }

    /// Deletes a file that no batch uses. It is harmless where it stays.
    async fn delete_file(&self, id: &str) {
        let id = id.strip_prefix("files/").unwrap_or(id);
        let call = self.call(Verb::Delete, format!("/files/{}", percent::encode(id, b"")));
        let deleted = self.endpoint.call_aside(&call, Attempts::One, |_| Ok(()));
        let _ = deleted.await;
    }

    pub(super) async fn find(&self, lost: &LostBatch<'_>) -> Result<Vec<String>, LlmError> {
        let mut search = Search::new(lost, self.form.keeps_tag());
        let mut page: Option<String> = None;
        loop {
            let call = self.call(Verb::Get, self.form.list_path(page.as_deref()));
            let listing = self
                .endpoint
                .call_aside(&call, Attempts::ByPolicy, |reply| {
                    // An empty list may be an empty object.
                    let body: Value = match (reply.status, reply.body.trim()) {
                        (200..300, "{}") => Value::Null,
                        _ => document(&self.info, reply, &["data", "operations", "batches"])?,
                    };
                    Ok(self.form.list(&body))
                });
            page = search.take(listing.await?);
            if page.is_none() {
                return Ok(search.found());
            }
        }
    }

    pub(super) async fn status(&self, id: &str) -> Result<BatchStatus, LlmError> {
        let field = self.form.id_field();
        self.ask(id, |reply| {
            let body = document(&self.info, reply, &[field])?;
            Ok(self.form.status(&self.info, &body))
        })
        .await
    }

    /// Cancels; that it is over already is as good.
    pub(super) async fn cancel(&self, id: &str) -> Result<(), LlmError> {
        let (path, body) = self.form.cancel(id);
        let call = self.call(Verb::Post, path).with_body(body);
        let cancelled = self
            .endpoint
            .call_aside(&call, Attempts::ByPolicy, |reply| {
                let refused = |error| match reply.status {
                    // Too late to cancel; asking again changes nothing.
                    409 => LlmError::new(
                        LlmErrorKind::BadRequest,
                        format!("{}: batch {id:?} cannot be cancelled", self.info.id()),
                    )
                    .with_status(409)
                    .with_source(error),
                    _ => error,
                };
                accepted(&self.info, reply).map_err(refused)
            });
        match cancelled.await {
            Err(error) if matches!(error.status(), Some(400..429)) => {
                let state = self.status(id).await?.state;
                if state.is_over() || state == specstress_llm::BatchState::Cancelling {
                    return Ok(());
                }
                Err(self.of_batch(id, error))
            }
            ended => ended,
        }
    }

    /// A page of results, as texts of one result each.
    pub(super) async fn results(&self, id: &str, page: Option<&str>) -> Result<Texts, LlmError> {
        match self.form.results(id) {
            Results::Pages(path) => self.results_page(id, path, page).await,
            Results::InStatus => self.results_file(id, page).await,
        }
    }

    async fn results_page(
        &self,
        id: &str,
        path: String,
        page: Option<&str>,
    ) -> Result<Texts, LlmError> {
        let call = self
            .call(Verb::Get, super::xai::with_token(path, page))
            .for_results();
        let texts = self
            .endpoint
            .call_aside(&call, Attempts::ByPolicy, |reply| {
                let body = document(&self.info, reply, &["results", "pagination_token"])?;
                let next = text_of(&body, "pagination_token")
                    .filter(|next| Some(*next) != page)
                    .map(ToOwned::to_owned);
                let text = repair(&reply.body);
                let lines = super::xai::page_items(&text)
                    .ok_or_else(|| unreadable(&self.info, reply, "not a list of results"))?;
                Ok(Texts { lines, next })
            });
        texts.await.map_err(|error| self.of_batch(id, error))
    }

    async fn results_file(&self, id: &str, page: Option<&str>) -> Result<Texts, LlmError> {
        let mut place = Place::read(page);
        let held = match self.holding.get(id).filter(|_| page.is_some()) {
            Some(held) if held.file == place.file => held,
            earlier => {
                // Whether a second download has the same order is not promised.
                place.at = 0;
                let files = match earlier {
                    Some(earlier) => earlier.files.clone(),
                    None => match self.outputs(id).await? {
                        Found::Files(files) => files,
                        Found::Here(lines) => return Ok(Texts { lines, next: None }),
                    },
                };
                let Some(path) = files.get(place.file) else {
                    return Ok(Texts {
                        lines: Vec::new(),
                        next: None,
                    });
                };
                let text = self.download(id, path.clone()).await?;
                let file = place.file;
                let held = Arc::new(Held { files, file, text });
                self.holding.put(id, &held);
                held
            }
        };
        let (lines, next) = held.page(place.at);
        if next.is_none() {
            self.holding.drop(id);
        }
        Ok(Texts {
            lines: lines.into_iter().map(ToOwned::to_owned).collect(),
            next: next.map(Place::token),
        })
    }

    async fn outputs(&self, id: &str) -> Result<Found, LlmError> {
        let field = self.form.id_field();
        self.ask(id, |reply| {
            document(&self.info, reply, &[field])?;
            let text = repair(&reply.body);
            Ok(match self.form.outputs(&text) {
                Outputs::Files(files) => Found::Files(files),
                Outputs::Here(items) => Found::Here(
                    items
                        .into_iter()
                        .map(|item| item.get().to_owned())
                        .collect(),
                ),
            })
        })
        .await
    }

    async fn download(&self, id: &str, path: String) -> Result<String, LlmError> {
        let call = self.call(Verb::Get, path).for_results();
        let text = self
            .endpoint
            .call_aside(&call, Attempts::ByPolicy, |reply| {
                if !(200..300).contains(&reply.status) {
                    accepted(&self.info, reply)?;
                    return Err(unreadable(&self.info, reply, "no file of results"));
                }
                // One damaged line costs one request; a page of something else must not cost them all.
                if let Some(line) = reply.body.lines().find(|line| !line.trim().is_empty())
                    && !is_object(line)
                {
                    return Err(unreadable(&self.info, reply, "not a file of JSON lines"));
                }
                Ok(std::mem::take(&mut reply.body))
            });
        text.await.map_err(|error| self.of_batch(id, error))
    }

    /// Reads a batch's object.
    async fn ask<T: Send>(
        &self,
        id: &str,
        read: impl Fn(&WireReply) -> Result<T, LlmError> + Send + Sync,
    ) -> Result<T, LlmError> {
        let call = self.call(Verb::Get, self.form.path(id)).for_results();
        self.endpoint
            .call_aside(&call, Attempts::ByPolicy, |reply| read(reply))
            .await
            .map_err(|error| self.of_batch(id, error))
    }

    /// What is missing is the batch, not the model.
    fn of_batch(&self, id: &str, error: LlmError) -> LlmError {
        if error.kind() != LlmErrorKind::UnknownModel {
            return error;
        }
        let message = format!(
            "{}: the provider has no batch {id:?} or no longer its results; it may belong to another key",
            self.info.id()
        );
        LlmError::new(LlmErrorKind::BadRequest, message)
            .with_status(error.status().unwrap_or(404))
            .with_source(error)
    }

    fn call(&self, verb: Verb, path: String) -> Call {
        Call::new(verb, path).with_headers(self.headers.clone())
    }
}

/// Results that are here, or the files that hold them.
enum Found {
    Files(Vec<String>),
    Here(Vec<String>),
}

/// Whether a batch may exist after this error of its creation.
fn leaves_open(error: &LlmError) -> bool {
    matches!(
        error.kind(),
        LlmErrorKind::Transport | LlmErrorKind::Unavailable | LlmErrorKind::BadReply
    )
}

fn is_object(line: &str) -> bool {
    super::item::fields(&repair(line)).is_some()
}
