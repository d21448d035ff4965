use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::{LlmError, LlmErrorKind};
use crate::gate::{Ask, CallGate, NewCall};
use crate::id::ModelId;
use crate::key::RequestKey;
use crate::model::{
    CallMode, Capabilities, ChatModel, Embedding, EmbeddingModel, EmbeddingRequest,
};
use crate::request::ChatRequest;
use crate::response::{ChatResponse, Usage};
use crate::store::{CallReply, CallRequest, CallStore, StoreError, StoredCall};

/// Asks a run to stop: calls in flight end and are stored, no new call is made.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Asks to stop. Cannot be taken back.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether someone asked.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Live counts of a [`Recorder`]; read them at any time from any thread.
#[derive(Debug, Default)]
pub struct CallCounts {
    made: AtomicU64,
    stored: AtomicU64,
    failed: AtomicU64,
}

impl CallCounts {
    /// Calls that went to a model and brought a reply.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Calls answered from the store.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Calls that went to a model and failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Ordering::Relaxed);
    }
}

/// Puts a [`CallStore`] in front of models, so that nothing is asked twice.
///
/// A wrapped model first looks the request up by its [`RequestKey`]; only what is not there goes to the
/// model, and its reply is stored before anyone reads it. Two equal requests in flight at the same time
/// become one call. After [`StopSignal::stop`], stored replies are still served and new calls are refused
/// with [`LlmErrorKind::Stopped`].
///
/// ```
/// use std::sync::Arc;
/// use specstress_llm::{ChatModel, ChatRequest, MemoryStore, Recorder, ScriptedModel};
///
/// let recorder = Recorder::new(Arc::new(MemoryStore::default()));
/// let model = recorder.wrap(ScriptedModel::new("demo/echo").reply("once"));
/// let request = ChatRequest::user("hello");
/// # futures_executor::block_on(async {
/// assert_eq!(model.chat(&request).await?.text, "once");
/// assert_eq!(model.chat(&request).await?.text, "once"); // the script holds one reply only
/// assert_eq!((recorder.counts().made(), recorder.counts().stored()), (1, 1));
/// # Ok::<(), specstress_llm::LlmError>(()) })?;
/// # Ok::<(), specstress_llm::LlmError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recorder {
    store: Arc<dyn CallStore>,
    gate: Arc<dyn CallGate>,
    stop: StopSignal,
    counts: Arc<CallCounts>,
    in_flight: Arc<InFlight>,
}

impl Recorder {
    /// A recorder over a store.
    pub fn new(store: Arc<dyn CallStore>) -> Self {
        Self {
            store,
            gate: Arc::new(()),
            stop: StopSignal::default(),
            counts: Arc::default(),
            in_flight: Arc::default(),
        }
    }

    /// Asks this gate before every new call.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn CallGate>) -> Self {
        self.gate = gate;
        self
    }

    /// Uses a stop signal that others hold too.
    #[must_use]
    pub fn with_stop(mut self, stop: StopSignal) -> Self {
        self.stop = stop;
        self
    }

    /// The model behind the store.
    pub fn wrap<M>(&self, model: M) -> Recorded<M> {
        Recorded {
            model,
            recorder: self.clone(),
        }
    }

    /// What has been asked so far.
    pub fn counts(&self) -> &CallCounts {
        &self.counts
    }

    /// The signal that stops new calls.
    pub fn stop_signal(&self) -> &StopSignal {
        &self.stop
    }

    async fn look_up(&self, key: &RequestKey) -> Result<Option<CallReply>, LlmError> {
        let reply = self.store.get(key).await.map_err(store_failed)?;
        if reply.is_some() {
            CallCounts::add(&self.counts.stored, 1);
        }
        Ok(reply)
    }

    async fn admit(&self, call: &NewCall<'_>) -> Result<(), LlmError> {
        if self.stop.is_stopped() {
            return Err(LlmError::new(
                LlmErrorKind::Stopped,
                "the run was asked to stop",
            ));
        }
        self.gate.admit(call).await
    }

    /// Tells everyone who counts that an admitted call failed.
    fn failed(&self, call: &NewCall<'_>, error: &LlmError) {
        CallCounts::add(&self.counts.failed, call.keys.len());
        self.gate.ended(call, Err(error));
    }
}

fn store_failed(error: StoreError) -> LlmError {
    LlmError::new(LlmErrorKind::Store, error.to_string()).with_source(error)
}

fn wrong_kind(key: &RequestKey) -> LlmError {
    LlmError::new(
        LlmErrorKind::Store,
        format!("the stored reply of {key} is of another kind than the request"),
    )
}

/// A model whose calls are looked up and kept; made by [`Recorder::wrap`].
#[derive(Clone, Debug)]
pub struct Recorded<M> {
    model: M,
    recorder: Recorder,
}

#[async_trait]
impl<M: ChatModel> ChatModel for Recorded<M> {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let key = RequestKey::chat(self.model.id(), request);
        let recorder = &self.recorder;
        let turn = recorder.in_flight.turn(key);
        let _turn = turn.lock().await;
        match recorder.look_up(&key).await? {
            Some(CallReply::Chat(response)) => return Ok(response),
            Some(CallReply::Embedding(_)) => return Err(wrong_kind(&key)),
            None => {}
        }
        let call = NewCall {
            keys: &[key],
            ask: Ask::Chat(&self.model, request),
        };
        recorder.admit(&call).await?;
        let response = self
            .model
            .chat(request)
            .await
            .inspect_err(|error| recorder.failed(&call, error))?;
        let cost_usd = response
            .cost_usd
            .or_else(|| self.model.quote(&response.usage, CallMode::Live));
        recorder.gate.ended(&call, Ok((response.usage, cost_usd)));
        let call = StoredCall {
            key,
            model: self.model.id().clone(),
            request: CallRequest::Chat(request.clone()),
            reply: CallReply::Chat(response.clone()),
            mode: CallMode::Live,
            cost_usd,
        };
        recorder.store.put(call).await.map_err(store_failed)?;
        CallCounts::add(&recorder.counts.made, 1);
        Ok(response)
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        self.model.quote(usage, mode)
    }
}

#[async_trait]
impl<M: EmbeddingModel> EmbeddingModel for Recorded<M> {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    /// Looks every text up on its own; only the missing ones go to the model, each once, in batches of its
    /// size.
    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        let recorder = &self.recorder;
        let id = self.model.id();
        let keys: Vec<RequestKey> = request
            .texts
            .iter()
            .map(|text| RequestKey::embedding(id, request.dimensions, text))
            .collect();
        let texts: BTreeMap<RequestKey, &String> =
            keys.iter().copied().zip(&request.texts).collect();
        // Taken in the order of the keys, so that two requests that share texts cannot wait for each other.
        let turns: Vec<Turn> = texts
            .keys()
            .map(|&key| recorder.in_flight.turn(key))
            .collect();
        let mut held = Vec::with_capacity(turns.len());
        for turn in &turns {
            held.push(turn.lock().await);
        }
        let mut vectors: BTreeMap<RequestKey, Embedding> = BTreeMap::new();
        let mut missing: Vec<(RequestKey, &String)> = Vec::new();
        for (&key, &text) in &texts {
            match recorder.look_up(&key).await? {
                Some(CallReply::Embedding(vector)) => {
                    vectors.insert(key, vector);
                }
                Some(CallReply::Chat(_)) => return Err(wrong_kind(&key)),
                None => missing.push((key, text)),
            }
        }
        for batch in missing.chunks(self.model.max_batch().max(1)) {
            let keys: Vec<RequestKey> = batch.iter().map(|&(key, _)| key).collect();
            let asked = EmbeddingRequest {
                texts: batch.iter().map(|&(_, text)| text.clone()).collect(),
                dimensions: request.dimensions,
            };
            let call = NewCall {
                keys: &keys,
                ask: Ask::Embed(&self.model, &asked),
            };
            recorder.admit(&call).await?;
            let replies = self
                .model
                .embed(&asked)
                .await
                .inspect_err(|error| recorder.failed(&call, error))?;
            // Providers report tokens per request at best, so a text's share is by its length.
            let usage = Usage {
                input: call.input_tokens(),
                ..Usage::default()
            };
            let cost_usd = self.model.quote(usage.input);
            recorder.gate.ended(&call, Ok((usage, cost_usd)));
            let (bytes, _) = call.bytes();
            let share =
                |text: &str| cost_usd.map(|cost| cost * text.len() as f64 / bytes.max(1) as f64);
            if replies.len() != batch.len() {
                return Err(LlmError::new(
                    LlmErrorKind::BadReply,
                    format!(
                        "{id} returned {} vectors for {} texts",
                        replies.len(),
                        batch.len()
                    ),
                ));
            }
            for ((&key, text), vector) in keys.iter().zip(&asked.texts).zip(replies) {
                let call = StoredCall {
                    key,
                    model: id.clone(),
                    mode: CallMode::Live,
                    cost_usd: share(text),
                    request: CallRequest::Embedding {
                        text: text.clone(),
                        dimensions: request.dimensions,
                    },
                    reply: CallReply::Embedding(vector.clone()),
                };
                recorder.store.put(call).await.map_err(store_failed)?;
                CallCounts::add(&recorder.counts.made, 1);
                vectors.insert(key, vector);
            }
        }
        Ok(keys
            .iter()
            .filter_map(|key| vectors.get(key).cloned())
            .collect())
    }

    fn max_batch(&self) -> usize {
        self.model.max_batch()
    }

    fn quote(&self, tokens: u64) -> Option<f64> {
        self.model.quote(tokens)
    }
}

/// One lock per key in flight, so that equal requests wait for the first instead of being paid twice.
#[derive(Debug, Default)]
struct InFlight(Mutex<HashMap<RequestKey, Arc<futures_util::lock::Mutex<()>>>>);

impl InFlight {
    fn turn(self: &Arc<Self>, key: RequestKey) -> Turn {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Turn {
            lock: Arc::clone(locks.entry(key).or_default()),
            key,
            owner: Arc::clone(self),
        }
    }
}

struct Turn {
    lock: Arc<futures_util::lock::Mutex<()>>,
    key: RequestKey,
    owner: Arc<InFlight>,
}

impl Turn {
    async fn lock(&self) -> futures_util::lock::MutexGuard<'_, ()> {
        self.lock.lock().await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut locks = self.owner.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two holders: the map and this turn. More means that somebody still waits.
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.key);
        }
    }
}
