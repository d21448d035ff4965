//! The batches of one model, from the queue to the store.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use specstress_llm::{
    BatchLine, BatchModel, BatchState, BatchStatus, BatchTag, CallMode, LlmError, LlmErrorKind,
    LostBatch, ModelId, RequestKey, StopSignal, StoreError,
};

use super::{BatchLane, BatchRetry, BatchSettings, pause};
use crate::budget::{Amount, Purse};
use crate::progress::Observer;
use crate::store::{BatchEnd, BatchRecord, SqliteStore, Verdict, now};

/// Queued calls read at a time.
const PAGE: usize = 256;

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

/// A batch about to be created.
struct Draft {
    lines: Vec<BatchLine>,
    amount: Amount,
}

enum Next {
    Draft(Draft),
    /// Nothing waits, or too little for a batch.
    Nothing,
    /// The budget has no room now.
    NoRoom,
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

    /// The next batch, as large as the limits and the budget allow.
    async fn next_draft(&mut self) -> Result<Next, LlmError> {
        let waiting = self.store.waiting(self.model()).map_err(broken)?;
        if waiting == 0 {
            return Ok(Next::Nothing);
        }
        if waiting < self.settings.min_requests {
            self.store.go_live(self.model()).await.map_err(broken)?;
            return Ok(Next::Nothing);
        }
        let limits = self.batch().limits();
        let most = self
            .settings
            .max_requests
            .map_or(limits.requests, |own| own.min(limits.requests));
        let most_bytes = self.settings.max_bytes.min(limits.bytes);
        let mut lines: Vec<BatchLine> = Vec::new();
        let mut calls = Vec::new();
        let (mut bytes, mut after, mut full) = (0, -1, false);
        while !full && lines.len() < most {
            let page = self
                .store
                .next_waiting(self.model(), after, PAGE.min(most - lines.len()))
                .map_err(broken)?;
            if page.is_empty() {
                break;
            }
            for call in page {
                after = call.row;
                let line = match self.batch().encode(&call.key, &call.request) {
                    Ok(line) => line,
                    Err(error) => {
                        self.store
                            .fail_pending(call.key, &error)
                            .await
                            .map_err(broken)?;
                        continue;
                    }
                };
                // With the newline or comma that follows it.
                let size = line.json.len() + 1;
                if size > most_bytes {
                    let error = LlmError::new(
                        LlmErrorKind::BadRequest,
                        format!(
                            "a request of {size} bytes does not fit into a batch of {}, which takes {most_bytes}; raise batch.max_bytes or make it live",
                            self.model()
                        ),
                    );
                    self.store
                        .fail_pending(call.key, &error)
                        .await
                        .map_err(broken)?;
                    continue;
                }
                if bytes + size > most_bytes {
                    full = true;
                    break;
                }
                bytes += size;
                let (own, shared) = call.request.text_bytes();
                calls.push((call.stage, own + shared, call.request.max_tokens));
                lines.push(line);
            }
        }
        if lines.is_empty() {
            return Ok(Next::Nothing);
        }
        let chat = &self.through.chat;
        let fitting = self.purse.fit_batch(
            &self.model().to_string(),
            &calls,
            chat.capabilities().max_output,
            |usage| chat.quote(usage, CallMode::Batch),
        );
        match fitting {
            Ok((fitting, amount)) => {
                lines.truncate(fitting);
                self.over = None;
                Ok(Next::Draft(Draft { lines, amount }))
            }
            Err(over) => {
                self.over = Some(over);
                Ok(Next::NoRoom)
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
                    for id in ids {
                        if !self.store.is_taken(&id).map_err(broken)? {
                            self.note(&format!("{}: found batch {id} again", self.model()));
                            let certain = self.batch().finds_by_tag();
                            return self.attach(&lost.tag, &id, certain).await;
                        }
                    }
                    true
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
        self.end(
            &lost.tag,
            "not created",
            Some("no such batch was found at the provider".to_owned()),
            HashMap::new(),
            Verdict::Again,
        )
        .await
    }

    /// When nothing more is to be hoped for.
    fn deadline(&self, batch: &BatchRecord, told: Option<u64>) -> u64 {
        told.or(batch.expires_at)
            .unwrap_or(batch.begun_at + LONGEST)
            + GRACE
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
            Err(error) if now() <= self.deadline(batch, None) => {
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
        let deadline = self.deadline(batch, status.expires_at);
        match &status.state {
            state if state.has_results() => self.fetch(batch, id, state.as_str()).await,
            BatchState::Failed => self.take_refusal(batch, &status).await,
            // Nobody said it is over, but it must be.
            _ if now() > deadline => self.fetch(batch, id, "overdue").await,
            _ => Ok(()),
        }
    }

    /// Stores all results of a batch and closes it.
    async fn fetch(&mut self, batch: &BatchRecord, id: &str, end: &str) -> Result<(), LlmError> {
        let mut errors: HashMap<RequestKey, Verdict> = HashMap::new();
        let mut page: Option<String> = None;
        let mut certain = batch.certain;
        let mut strangers = 0_u64;
        loop {
            let results = match self.batch().results(id, page.as_deref()).await {
                Ok(results) => results,
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) if error.is_retryable() => {
                    // What is stored is stored; the rest comes with the next look.
                    self.note(&format!("{}: results of {id}: {error}", self.model()));
                    return Ok(());
                }
                Err(error) => {
                    let detail = format!("its results cannot be fetched: {error}");
                    return self
                        .end(&batch.tag, end, Some(detail), errors, self.silent())
                        .await;
                }
            };
            if !certain && !results.items.is_empty() {
                let keys: Vec<RequestKey> = results.items.iter().map(|(key, _)| *key).collect();
                match self.store.holder_of(&keys).map_err(broken)? {
                    Some(tag) if tag == batch.tag => certain = true,
                    // Batches of one size that were created together: the ids were mixed up.
                    Some(other) => {
                        return self
                            .store
                            .hand_over(&batch.tag, &other, id)
                            .await
                            .map_err(broken);
                    }
                    None => {
                        self.note(&format!("{}: batch {id} is somebody else's", self.model()));
                        return self
                            .store
                            .detach_batch(&batch.tag, id)
                            .await
                            .map_err(broken);
                    }
                }
            }
            for (key, result) in results.items {
                match result {
                    Ok(response) => {
                        let cost = response
                            .cost_usd
                            .or_else(|| self.through.chat.quote(&response.usage, CallMode::Batch));
                        let usage = response.usage;
                        let known = self
                            .store
                            .settle_reply(key, response, cost)
                            .await
                            .map_err(broken)?;
                        match known {
                            Some((stage, bytes)) => {
                                self.purse
                                    .spend_batched(&stage, &batch.model, bytes, &usage, cost);
                            }
                            None => strangers += 1,
                        }
                    }
                    Err(error) => {
                        errors.insert(key, self.verdict(&error));
                    }
                }
            }
            page = results.next;
            if page.is_none() {
                break;
            }
        }
        self.back_off = 0;
        let detail = (strangers > 0)
            .then(|| format!("{strangers} results were of no request that still waited"));
        self.end(&batch.tag, end, detail, errors, self.silent())
            .await
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
