//! The batches of one model, from the queue to the store.

mod draft;
mod fetch;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use specstress_llm::{
    BatchModel, BatchState, BatchStatus, BatchTag, LlmError, LlmErrorKind, LostBatch, ModelId,
    RequestKey, StopSignal, StoreError,
};

use draft::{Draft, Next};

use super::{BatchLane, BatchRetry, BatchSettings, pause};
use crate::budget::Purse;
use crate::progress::Observer;
use crate::store::{BatchEnd, BatchRecord, SqliteStore, Verdict, now};

/// How long after its deadline a batch in an unknown state is waited for, in seconds.
const GRACE: u64 = 3600;

/// How long a batch without a deadline may take, in seconds.
const LONGEST: u64 = 48 * 3600;

pub(super) struct Lane<'a> {
    through: &'a BatchLane,
    settings: &'a BatchSettings,
    store: &'a SqliteStore,
    purse: &'a Purse,
    stop: &'a StopSignal,
    observer: &'a dyn Observer,
    /// Grows while the provider's queue is full.
    back_off: u32,
    /// The budget's refusal, once there was one.
    over: Option<LlmError>,
}

fn broken(error: StoreError) -> LlmError {
    LlmError::new(LlmErrorKind::Store, error.to_string()).with_source(error)
}

/// Whether it is open whether the thing asked for was done.
fn is_ambiguous(error: &LlmError) -> bool {
    matches!(
        error.kind(),
        LlmErrorKind::Transport | LlmErrorKind::Unavailable | LlmErrorKind::BadReply
    )
}

/// When nothing more is to be hoped for of a batch.
fn deadline(batch: &BatchRecord, told: Option<u64>) -> u64 {
    told.or(batch.expires_at)
        .unwrap_or(batch.begun_at + LONGEST)
        + GRACE
}

impl<'a> Lane<'a> {
    pub(super) fn new(
        lane: &'a BatchLane,
        settings: &'a BatchSettings,
        store: &'a SqliteStore,
        purse: &'a Purse,
        stop: &'a StopSignal,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            through: lane,
            settings,
            store,
            purse,
            stop,
            observer,
            back_off: 0,
            over: None,
        }
    }

    fn batch(&self) -> &dyn BatchModel {
        &self.through.batch
    }

    fn model(&self) -> &ModelId {
        self.through.batch.id()
    }

    fn stopped(&self) -> LlmError {
        LlmError::new(
            LlmErrorKind::Stopped,
            format!("stopped while batches of {} were open", self.model()),
        )
    }

    async fn pause(&self, duration: Duration) -> Result<(), LlmError> {
        if pause(duration, self.stop).await {
            return Err(self.stopped());
        }
        Ok(())
    }

    fn open(&self) -> Result<Vec<BatchRecord>, LlmError> {
        let model = self.model().to_string();
        let mut open = self.store.open_batches().map_err(broken)?;
        open.retain(|batch| batch.model == model);
        Ok(open)
    }

    /// Works until nothing waits and nothing is open.
    pub(super) async fn run(mut self) -> Result<(), LlmError> {
        loop {
            for lost in self.open()?.into_iter().filter(|batch| batch.id.is_none()) {
                self.look_for(&lost).await?;
            }
            self.fill().await?;
            let open = self.open()?;
            if open.is_empty() && self.store.waiting(self.model()).map_err(broken)? == 0 {
                return Ok(());
            }
            if open.is_empty()
                && let Some(over) = self.over.take()
            {
                return Err(over);
            }
            let factor = 2_f64.powi(self.back_off.min(6).cast_signed());
            self.pause(Duration::from_secs_f64(self.settings.poll_seconds * factor))
                .await?;
            for batch in open {
                self.poll(&batch).await?;
            }
        }
    }

    /// Creates batches while calls wait and the limits allow.
    async fn fill(&mut self) -> Result<(), LlmError> {
        loop {
            if self.stop.is_stopped() {
                return Err(self.stopped());
            }
            let open = self.open()?.len();
            if open >= self.settings.in_flight {
                return Ok(());
            }
            match self.next_draft().await? {
                Next::Draft(draft) => {
                    if !self.create(draft).await? {
                        return Ok(());
                    }
                }
                Next::Nothing | Next::NoRoom => return Ok(()),
            }
        }
    }

    /// Records a batch, creates it and records that. Answers whether another may be tried at once.
    async fn create(&mut self, draft: Draft) -> Result<bool, LlmError> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH);
        let salt = format!("{:?} {}", nanos.ok(), std::process::id());
        let tag = BatchTag::new(&salt, draft.lines.iter().map(|line| &line.key));
        let reserved = (draft.amount.usd, draft.amount.tokens);
        self.store
            .begin_batch(&tag, self.model(), &draft.lines, reserved)
            .await
            .map_err(broken)?;
        self.purse
            .hold_batch(tag.as_str(), &self.model().to_string(), draft.amount);
        match self.batch().create(&tag, &draft.lines).await {
            Ok(id) => {
                self.back_off = 0;
                self.attach(&tag, &id, true).await?;
                Ok(true)
            }
            Err(error) if is_ambiguous(&error) => {
                drop(draft);
                self.note(&format!(
                    "{}: creating a batch got no answer ({error}); looking for it",
                    self.model()
                ));
                let lost = self.open()?.into_iter().find(|batch| batch.tag == tag);
                if let Some(lost) = lost {
                    self.look_for(&lost).await?;
                }
                Ok(false)
            }
            Err(error) if error.is_fatal() => {
                self.end(
                    &tag,
                    "refused",
                    Some(error.to_string()),
                    HashMap::new(),
                    Verdict::Again,
                )
                .await?;
                Err(error)
            }
            Err(error) if error.kind() == LlmErrorKind::RateLimited => {
                // The provider's queue is full: what is open must end first.
                self.back_off += 1;
                self.end(
                    &tag,
                    "refused",
                    Some(error.to_string()),
                    HashMap::new(),
                    Verdict::Again,
                )
                .await?;
                Ok(false)
            }
            Err(error) => {
                self.note(&format!("{}: a batch was refused: {error}", self.model()));
                self.refuse(&tag, error.kind(), &error.to_string()).await?;
                Ok(true)
            }
        }
    }

    async fn attach(&self, tag: &BatchTag, id: &str, certain: bool) -> Result<(), LlmError> {
        self.store
            .attach_batch(tag, id, certain)
            .await
            .map_err(broken)?;
        self.observe(tag)
    }

    /// Finds out whether a batch exists whose creation was begun.
    async fn look_for(&self, lost: &BatchRecord) -> Result<(), LlmError> {
        let mut left = self.settings.find_seconds;
        let wait = (left / 6.0).min(5.0);
        let question = LostBatch {
            tag: &lost.tag,
            begun_at: lost.begun_at,
            requests: lost.requests,
        };
        loop {
            let listed = match self.batch().find(&question).await {
                Ok(ids) => {
                    let mut doubtful = false;
                    for id in ids {
                        doubtful |= self.store.is_doubtful(&id).map_err(broken)?;
                        if !self.store.is_taken(&id).map_err(broken)? {
                            self.note(&format!("{}: found batch {id} again", self.model()));
                            let certain = self.batch().finds_by_tag();
                            return self.attach(&lost.tag, &id, certain).await;
                        }
                    }
                    // One that another batch took for its own may be this one.
                    !doubtful
                }
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => {
                    self.note(&format!("{}: cannot list batches: {error}", self.model()));
                    false
                }
            };
            // Lists lag behind what was created, so only a late one proves anything.
            if left <= 0.0 {
                if listed {
                    break;
                }
                // It may be there: nothing is sent again before a list says that it is not.
                return Ok(());
            }
            left -= wait;
            self.pause(Duration::from_secs_f64(wait)).await?;
        }
        let end = BatchEnd {
            state: "not created".to_owned(),
            detail: Some("no such batch was found at the provider".to_owned()),
            errors: HashMap::new(),
            silent: Verdict::Again,
            tries: self.settings.tries,
        };
        // Another lane may have found that its batch is this one.
        let closed = self
            .store
            .end_uncreated(&lost.tag, end)
            .await
            .map_err(broken)?;
        if closed {
            self.purse.release_batch(lost.tag.as_str());
            self.observe(&lost.tag)?;
        }
        Ok(())
    }

    /// Looks at a batch, and takes it in when it is over.
    async fn poll(&mut self, batch: &BatchRecord) -> Result<(), LlmError> {
        let Some(id) = &batch.id else {
            return Ok(());
        };
        let status = match self.batch().status(id).await {
            Ok(status) => status,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) if error.is_retryable() => {
                self.note(&format!("{}: no news of batch {id}: {error}", self.model()));
                return Ok(());
            }
            // With another key or workspace it would be unknown too: its requests are not sent again while it may live.
            Err(error) if now() <= deadline(batch, None) => {
                return Err(LlmError::new(
                    LlmErrorKind::Unauthorized,
                    format!(
                        "{}: the provider does not know batch {id}, which holds {} requests; is this the key it was \
                         created with? (it is given up an hour after its deadline)",
                        self.model(),
                        batch.requests
                    ),
                )
                .with_source(error));
            }
            Err(error) => {
                let detail = format!("the provider no longer knows the batch: {error}");
                return self
                    .end(
                        &batch.tag,
                        "gone",
                        Some(detail),
                        HashMap::new(),
                        self.silent(),
                    )
                    .await;
            }
        };
        self.store
            .note_poll(&batch.tag, &status)
            .await
            .map_err(broken)?;
        self.observe(&batch.tag)?;
        match &status.state {
            state if state.has_results() => self.fetch(batch, id, state.as_str()).await,
            BatchState::Failed => self.take_refusal(batch, &status).await,
            // Nobody said it is over, but it must be.
            _ if now() > deadline(batch, status.expires_at) => {
                self.fetch(batch, id, "overdue").await
            }
            _ => Ok(()),
        }
    }

    /// A batch was refused as a whole after it was created.
    async fn take_refusal(
        &mut self,
        batch: &BatchRecord,
        status: &BatchStatus,
    ) -> Result<(), LlmError> {
        let (kind, message) = status.refusal.clone().unwrap_or((
            LlmErrorKind::BadRequest,
            "the provider does not say why".to_owned(),
        ));
        self.note(&format!("{}: a batch failed: {message}", self.model()));
        if kind == LlmErrorKind::RateLimited {
            self.back_off += 1;
            return self
                .end(
                    &batch.tag,
                    "failed",
                    Some(message),
                    HashMap::new(),
                    Verdict::Again,
                )
                .await;
        }
        self.refuse(&batch.tag, kind, &message).await
    }

    /// Closes a batch that will not be taken: its calls go where failures go.
    async fn refuse(
        &self,
        tag: &BatchTag,
        kind: LlmErrorKind,
        message: &str,
    ) -> Result<(), LlmError> {
        let detail = format!("{}: {message}", kind.as_str());
        self.end(tag, "failed", Some(detail), HashMap::new(), self.silent())
            .await
    }

    async fn end(
        &self,
        tag: &BatchTag,
        state: &str,
        detail: Option<String>,
        errors: HashMap<RequestKey, Verdict>,
        silent: Verdict,
    ) -> Result<(), LlmError> {
        let end = BatchEnd {
            state: state.to_owned(),
            detail,
            errors,
            silent,
            tries: self.settings.tries,
        };
        self.store.end_batch(tag, end).await.map_err(broken)?;
        self.purse.release_batch(tag.as_str());
        self.observe(tag)
    }

    /// What becomes of a call with this error.
    fn verdict(&self, error: &LlmError) -> Verdict {
        if !error.is_retryable() {
            return Verdict::Failed(error.kind(), error.to_string());
        }
        match self.settings.retry {
            BatchRetry::Live => Verdict::Live,
            BatchRetry::Batch => Verdict::Retry(error.kind(), error.to_string()),
        }
    }

    /// What becomes of calls without a result.
    fn silent(&self) -> Verdict {
        self.verdict(&LlmError::new(
            LlmErrorKind::Expired,
            "the batch ended without a result for this request",
        ))
    }

    fn note(&self, text: &str) {
        self.observer.note(text);
    }

    fn observe(&self, tag: &BatchTag) -> Result<(), LlmError> {
        if let Some(batch) = self.store.batch(tag).map_err(broken)? {
            self.observer.batch(&batch);
        }
        Ok(())
    }
}
