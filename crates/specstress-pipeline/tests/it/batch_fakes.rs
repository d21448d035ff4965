//! A provider's batch service on a desk: it keeps batches while its clients come and go, and misbehaves on order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use specstress_llm::{
    BatchLimits, BatchLine, BatchModel, BatchPage, BatchState, BatchStatus, BatchTag, CallMode,
    Capabilities, ChatModel, ChatRequest, LlmError, LlmErrorKind, LostBatch, ModelId, RequestKey,
    Usage,
};
use specstress_pipeline::{BatchLane, BatchSettings, Batches};

use crate::cast::Cast;
use crate::fakes::{FakeModel, Reply};

/// Everything in batches, without long waits.
pub(crate) fn settings() -> BatchSettings {
    BatchSettings {
        batch: vec!["all".parse().unwrap()],
        min_requests: 1,
        poll_seconds: 0.001,
        find_seconds: 0.003,
        ..BatchSettings::default()
    }
}

/// A lane for every model of a cast.
pub(crate) fn batches(cast: &Cast, office: &Arc<Office>, settings: BatchSettings) -> Batches {
    let models = cast.models();
    let lanes = models.iter().map(|model| office.lane(model));
    Batches::new(settings, lanes.collect())
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble {
    /// The first time a request is seen in a batch, it fails in this way.
    pub(crate) first_try: Option<LlmErrorKind>,
    /// Requests whose text contains this always fail, and can be tried again.
    pub(crate) hopeless: Option<&'static str>,
    /// Every batch ends in this state with only half of its results.
    pub(crate) half: Option<BatchState>,
    /// This many creations get no answer, although the batch is made.
    pub(crate) silent_creations: usize,
    /// This many creations get no answer, and no batch is made.
    pub(crate) failed_creations: usize,
    /// This many batches fail as a whole after they were taken.
    pub(crate) refusals: Vec<LlmErrorKind>,
    /// This many looks at batches get no answer.
    pub(crate) deaf_polls: usize,
    /// This many lists get no answer.
    pub(crate) deaf_lists: usize,
    /// No batch is known, as with another key.
    pub(crate) wrong_key: bool,
    /// Looks until a batch is over.
    pub(crate) looks: usize,
    /// Whether batches have no tag, as at Anthropic.
    pub(crate) untagged: bool,
}

#[derive(Debug)]
struct Kept {
    tag: Option<String>,
    lines: Vec<BatchLine>,
    /// Who answers; nobody for a stranger's.
    model: Option<Arc<FakeModel>>,
    looks: usize,
    created_at: u64,
    refused: Option<LlmErrorKind>,
    /// Results are made once, however often they are fetched.
    replies: Option<Vec<(RequestKey, Result<String, LlmErrorKind>)>>,
}

/// The provider.
#[derive(Default)]
pub(crate) struct Office {
    pub(crate) trouble: Mutex<Trouble>,
    batches: Mutex<BTreeMap<String, Kept>>,
    seen: Mutex<BTreeSet<RequestKey>>,
    pub(crate) answered: Mutex<BTreeMap<RequestKey, usize>>,
    pub(crate) fetched: Mutex<BTreeMap<String, usize>>,
    /// Called when a batch was made, before anyone hears of it.
    pub(crate) on_create: Mutex<Option<Box<Hook>>>,
}

type Hook = dyn FnMut() + Send;

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

impl Office {
    pub(crate) fn with(trouble: Trouble) -> Arc<Self> {
        Arc::new(Self {
            trouble: Mutex::new(trouble),
            ..Self::default()
        })
    }

    pub(crate) fn created(&self) -> usize {
        self.batches.lock().unwrap().len()
    }

    /// Sets of requests that are in more than one batch as a whole.
    pub(crate) fn twins(&self) -> usize {
        let batches = self.batches.lock().unwrap();
        let mut sets = BTreeSet::new();
        let alive = batches.values().filter(|kept| kept.refused.is_none());
        alive
            .filter(|kept| {
                let keys: BTreeSet<RequestKey> = kept.lines.iter().map(|line| line.key).collect();
                !sets.insert(keys)
            })
            .count()
    }

    /// The most often any request was answered.
    pub(crate) fn most_answers(&self) -> usize {
        self.answered
            .lock()
            .unwrap()
            .values()
            .copied()
            .max()
            .unwrap_or(0)
    }

    /// A stranger's batch of some size.
    pub(crate) fn add_stranger(&self, id: &str, size: usize) {
        let lines = (0..size)
            .map(|at| {
                let key = RequestKey::chat(
                    &ModelId::new("somebody", "else"),
                    &ChatRequest::user(format!("{id} {at}")),
                );
                line(&key, &ChatRequest::user("stranger"))
            })
            .collect();
        let kept = Kept {
            tag: None,
            lines,
            model: None,
            looks: 0,
            created_at: now(),
            refused: None,
            replies: None,
        };
        self.batches.lock().unwrap().insert(id.to_owned(), kept);
    }

    pub(crate) fn lane(self: &Arc<Self>, model: &Arc<FakeModel>) -> BatchLane {
        BatchLane {
            chat: model.clone(),
            batch: Arc::new(FakeBatch {
                office: Arc::clone(self),
                model: Arc::clone(model),
            }),
        }
    }
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn line(key: &RequestKey, request: &ChatRequest) -> BatchLine {
    BatchLine {
        key: *key,
        json: serde_json::to_string(request).unwrap(),
    }
}

#[derive(Debug)]
struct FakeBatch {
    office: Arc<Office>,
    model: Arc<FakeModel>,
}

impl Office {
    /// Answers the lines of a batch, last things first, whoever asks for them.
    fn work(
        &self,
        model: Option<&Arc<FakeModel>>,
        lines: &[BatchLine],
        trouble: &Trouble,
    ) -> Vec<(RequestKey, Result<String, LlmErrorKind>)> {
        let most = if trouble.half.is_some() {
            lines.len().div_ceil(2)
        } else {
            lines.len()
        };
        let answer = |line: &BatchLine| {
            let first = self.seen.lock().unwrap().insert(line.key);
            if let Some(kind) = trouble.first_try.filter(|_| first) {
                return Err(kind);
            }
            if trouble
                .hopeless
                .is_some_and(|text| line.json.contains(text))
            {
                return Err(LlmErrorKind::Unavailable);
            }
            let request: ChatRequest = serde_json::from_str(&line.json).unwrap();
            let Some(model) = model else {
                return Ok("to somebody else".to_owned());
            };
            *self.answered.lock().unwrap().entry(line.key).or_default() += 1;
            Ok(model.answer(&request).unwrap().text)
        };
        let lines = lines.iter().rev().take(most);
        lines.map(|line| (line.key, answer(line))).collect()
    }
}

fn lost() -> LlmError {
    LlmError::new(LlmErrorKind::Transport, "the connection was reset")
}

#[async_trait]
impl BatchModel for FakeBatch {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits {
            requests: 4,
            bytes: 1 << 20,
        }
    }

    fn encode(&self, key: &RequestKey, request: &ChatRequest) -> Result<BatchLine, LlmError> {
        Ok(line(key, request))
    }

    async fn create(&self, tag: &BatchTag, lines: &[BatchLine]) -> Result<String, LlmError> {
        let silent = {
            let mut trouble = self.office.trouble.lock().unwrap();
            if trouble.failed_creations > 0 {
                trouble.failed_creations -= 1;
                return Err(lost());
            }
            let silent = trouble.silent_creations > 0;
            trouble.silent_creations = trouble.silent_creations.saturating_sub(1);
            let mut batches = self.office.batches.lock().unwrap();
            let id = format!("batch-{}", batches.len());
            let kept = Kept {
                tag: (!trouble.untagged).then(|| tag.to_string()),
                lines: lines.to_vec(),
                model: Some(Arc::clone(&self.model)),
                looks: trouble.looks,
                created_at: now(),
                refused: trouble.refusals.pop(),
                replies: None,
            };
            batches.insert(id.clone(), kept);
            (silent, id)
        };
        let hook = self.office.on_create.lock().unwrap().take();
        if let Some(mut hook) = hook {
            hook();
            // Whoever set the hook takes this future away now.
            futures::future::pending::<()>().await;
        }
        if silent.0 { Err(lost()) } else { Ok(silent.1) }
    }

    async fn find(&self, lost: &LostBatch<'_>) -> Result<Vec<String>, LlmError> {
        let untagged = {
            let mut trouble = self.office.trouble.lock().unwrap();
            if trouble.deaf_lists > 0 {
                trouble.deaf_lists -= 1;
                return Err(LlmError::new(LlmErrorKind::Unavailable, "no list"));
            }
            trouble.untagged
        };
        let batches = self.office.batches.lock().unwrap();
        Ok(batches
            .iter()
            .filter(|(_, kept)| {
                if untagged {
                    kept.lines.len() as u64 == lost.requests && kept.created_at >= lost.begun_at
                } else {
                    kept.tag.as_deref() == Some(lost.tag.as_str())
                }
            })
            .map(|(id, _)| id.clone())
            .collect())
    }

    async fn status(&self, id: &str) -> Result<BatchStatus, LlmError> {
        let half = {
            let mut trouble = self.office.trouble.lock().unwrap();
            if trouble.deaf_polls > 0 {
                trouble.deaf_polls -= 1;
                return Err(LlmError::new(LlmErrorKind::Unavailable, "no answer").with_status(503));
            }
            if trouble.wrong_key {
                return Err(
                    LlmError::new(LlmErrorKind::BadRequest, "no such batch").with_status(404)
                );
            }
            trouble.half.clone()
        };
        let mut batches = self.office.batches.lock().unwrap();
        let kept = batches.get_mut(id).unwrap();
        if let Some(kind) = kept.refused {
            let mut status = BatchStatus::new(BatchState::Failed);
            status.refusal = Some((kind, "not this one".to_owned()));
            return Ok(status);
        }
        if kept.looks > 0 {
            kept.looks -= 1;
            return Ok(BatchStatus::new(BatchState::Unknown(
                "pondering".to_owned(),
            )));
        }
        Ok(BatchStatus::new(half.unwrap_or(BatchState::Ended)))
    }

    async fn results(&self, id: &str, page: Option<&str>) -> Result<BatchPage, LlmError> {
        if page.is_none() {
            *self
                .office
                .fetched
                .lock()
                .unwrap()
                .entry(id.to_owned())
                .or_default() += 1;
        }
        let trouble = self.office.trouble.lock().unwrap().clone();
        let mut batches = self.office.batches.lock().unwrap();
        let kept = batches.get_mut(id).unwrap();
        let all = kept
            .replies
            .get_or_insert_with(|| self.office.work(kept.model.as_ref(), &kept.lines, &trouble));
        let at: usize = page.map_or(0, |page| page.parse().unwrap());
        // Two to a page.
        let items = all.iter().skip(at).take(2).map(|(key, reply)| {
            let reply = match reply {
                Ok(text) => priced(crate::fakes::says(text)),
                Err(kind) => Err(LlmError::new(*kind, "went wrong in the batch")),
            };
            (*key, reply)
        });
        Ok(BatchPage {
            items: items.collect(),
            next: (at + 2 < all.len()).then(|| (at + 2).to_string()),
        })
    }

    async fn cancel(&self, _id: &str) -> Result<(), LlmError> {
        Ok(())
    }

    fn finds_by_tag(&self) -> bool {
        !self.office.trouble.lock().unwrap().untagged
    }
}

/// A model with a price: a millionth of a dollar a token, half in batches, ten tokens in and a hundred out.
pub(crate) fn priced(reply: Reply) -> Reply {
    let mut response = reply?;
    response.usage = Usage {
        input: 10,
        output: 100,
        ..Usage::default()
    };
    Ok(response)
}

pub(crate) fn price(usage: &Usage, mode: CallMode) -> f64 {
    let factor = if mode == CallMode::Batch { 0.5 } else { 1.0 };
    usage.total() as f64 * 1e-6 * factor
}

pub(crate) fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.max_output = Some(200);
    capabilities
}
