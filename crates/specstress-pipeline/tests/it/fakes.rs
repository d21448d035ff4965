//! Hand-made models and people. A person asks its model in plain words, so that whatever the model says (an
//! answer, a block, an error) reaches the pipeline the way a real model's does, through the recorder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use specstress_judge::{Decision, Judge, Verdict};
use specstress_llm::{
    CallMode, Capabilities, ChatModel, ChatRequest, ChatResponse, Embedding, EmbeddingModel,
    EmbeddingRequest, FinishReason, LlmError, LlmErrorKind, ModelId, Recorded, Unanswered, Usage,
};
use specstress_rubric::{
    Answer, Classification, ClassificationTask, Classifications, Classifier, Labeler, Position,
    Rating, RefusalKind, Spectrum, SpectrumBuilder, SpectrumPair, Topic, TripleQueries,
};
use specstress_scenarios::{GeneratedQuery, Nudger, ScenarioGenerator};
use specstress_values::{Side, ValuePair};

use crate::batch_fakes::{self, priced};

pub(crate) type Reply = Result<ChatResponse, LlmError>;
type Answering = dyn Fn(&str, u32) -> Reply + Send + Sync;
type Placing = dyn Fn(&str) -> Result<Embedding, LlmError> + Send + Sync;

/// A model that answers by a function of the request's text and sample, counts its calls, and takes its time
/// so that requests overtake each other.
pub(crate) struct FakeModel {
    id: ModelId,
    calls: AtomicUsize,
    answer: Box<Answering>,
}

impl FakeModel {
    pub(crate) fn new(
        name: &str,
        answer: impl Fn(&str, u32) -> Reply + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: ModelId::new("fake", name),
            calls: AtomicUsize::new(0),
            answer: Box::new(answer),
        })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Answers outside of [`ChatModel::chat`], as a batch does.
    pub(crate) fn answer(&self, request: &ChatRequest) -> Reply {
        self.calls.fetch_add(1, Ordering::SeqCst);
        priced((self.answer)(&request.last_user_text(), request.sample))
    }
}

pub(crate) fn says(text: impl Into<String>) -> Reply {
    Ok(ChatResponse::stop("fake", text))
}

pub(crate) fn blocked(category: &str) -> Reply {
    Ok(ChatResponse {
        finish: FinishReason::Blocked {
            category: category.to_owned(),
        },
        ..ChatResponse::stop("fake", "")
    })
}

pub(crate) fn truncated() -> Reply {
    Ok(ChatResponse {
        finish: FinishReason::Length,
        ..ChatResponse::stop("fake", "half an ans")
    })
}

pub(crate) fn fails(kind: LlmErrorKind, message: &str) -> Reply {
    Err(LlmError::new(kind, message))
}

impl fmt::Debug for FakeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeModel")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Gives way to others a number of times that depends on the text.
async fn dawdle(text: &str) {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    for _ in 0..hasher.finish() % 7 {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl ChatModel for FakeModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn chat(&self, request: &ChatRequest) -> Reply {
        dawdle(&request.last_user_text()).await;
        self.answer(request)
    }

    fn capabilities(&self) -> Capabilities {
        batch_fakes::capabilities()
    }

    fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        Some(batch_fakes::price(usage, mode))
    }
}

/// An embedder by a function of the text; counts texts.
pub(crate) struct FakeEmbedder {
    id: ModelId,
    texts: AtomicUsize,
    vector: Box<Placing>,
}

impl FakeEmbedder {
    pub(crate) fn new(
        vector: impl Fn(&str) -> Result<Embedding, LlmError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: ModelId::new("fake", "embedder"),
            texts: AtomicUsize::new(0),
            vector: Box::new(vector),
        })
    }

    pub(crate) fn texts(&self) -> usize {
        self.texts.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for FakeEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeEmbedder")
    }
}

#[async_trait]
impl EmbeddingModel for FakeEmbedder {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn embed(&self, request: &EmbeddingRequest) -> Result<Vec<Embedding>, LlmError> {
        self.texts.fetch_add(request.texts.len(), Ordering::SeqCst);
        dawdle(&request.texts.concat()).await;
        request
            .texts
            .iter()
            .map(|text| (self.vector)(text))
            .collect()
    }

    fn quote(&self, _tokens: u64) -> Option<f64> {
        Some(0.0)
    }

    fn max_batch(&self) -> usize {
        2
    }
}

/// Everyone who works by asking a model.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// What a judge holds answers against.
    pub(crate) spec: String,
    pub(crate) model: Recorded<Arc<FakeModel>>,
}

impl Person {
    async fn ask(&self, text: String) -> Result<String, Unanswered> {
        let response = self.model.chat(&ChatRequest::user(text)).await?;
        response.answer().map(ToOwned::to_owned)
    }

    async fn read<T>(
        &self,
        text: String,
        parse: impl FnOnce(&str) -> Option<T> + Send,
    ) -> Result<T, Unanswered> {
        let raw = self.ask(text).await?;
        parse(&raw).ok_or(Unanswered::Unparsable {
            reason: "no such form".to_owned(),
            raw,
            attempts: 1,
        })
    }
}

fn made(query: String) -> GeneratedQuery {
    GeneratedQuery {
        query,
        reasoning: String::new(),
    }
}

#[async_trait]
impl ScenarioGenerator for Person {
    fn name(&self) -> &str {
        &self.name
    }

    async fn generate(&self, pair: &ValuePair) -> Result<GeneratedQuery, Unanswered> {
        self.ask(format!("question|{}|{}", pair.value1, pair.value2))
            .await
            .map(made)
    }
}

#[async_trait]
impl Nudger for Person {
    async fn nudge(
        &self,
        pair: &ValuePair,
        toward: Side,
        neutral: &str,
    ) -> Result<GeneratedQuery, Unanswered> {
        self.ask(format!("nudge|{}|{neutral}", pair.value(toward)))
            .await
            .map(made)
    }
}

#[async_trait]
impl SpectrumBuilder for Person {
    async fn build(
        &self,
        pair: &ValuePair,
        queries: TripleQueries<'_>,
    ) -> Result<SpectrumPair, Unanswered> {
        let ask = format!(
            "spectra|{}|{}|{:?}|{:?}|{:?}",
            pair.value1, pair.value2, queries.neutral, queries.value1, queries.value2
        );
        self.read(ask, |reply| {
            let (first, second) = reply.split_once('|')?;
            let spectrum = |value: &str, sketch: &str| Spectrum {
                value: value.to_owned(),
                strategies: std::array::from_fn(|at| format!("{sketch} {at}")),
            };
            Some(SpectrumPair {
                value1: spectrum(&pair.value1, first),
                value2: spectrum(&pair.value2, second),
            })
        })
        .await
    }
}

fn listed(answers: &[Answer<'_>]) -> String {
    let mut text = String::new();
    for answer in answers {
        for piece in ["\n", answer.model, ": ", answer.text] {
            text.push_str(piece);
        }
    }
    text
}

#[async_trait]
impl Classifier for Person {
    /// Reads lines of `model p1 p2`.
    async fn classify(&self, task: &ClassificationTask<'_>) -> Result<Classifications, Unanswered> {
        let ask = format!(
            "classify|{}|{}{}",
            task.query,
            task.spectra.value1.strategies[0],
            listed(task.answers)
        );
        self.read(ask, |reply| {
            let rating = |text: &str, reasoning: &str| {
                Some(Rating {
                    position: text.parse::<Position>().ok()?,
                    confidence: 0.5,
                    reasoning: reasoning.to_owned(),
                })
            };
            reply
                .lines()
                .map(|line| {
                    let mut words = line.split(' ');
                    let model = words.next()?.to_owned();
                    let value1 = rating(words.next()?, "one")?;
                    let value2 = rating(words.next()?, "two")?;
                    Some((model, Classification { value1, value2 }))
                })
                .collect()
        })
        .await
    }
}

#[async_trait]
impl Labeler for Person {
    async fn topics(&self, query: &str) -> Result<BTreeSet<Topic>, Unanswered> {
        self.read(format!("topics|{query}"), |reply| {
            let names = reply.split(',').filter(|name| !name.is_empty());
            names.map(|name| name.parse().ok()).collect()
        })
        .await
    }

    async fn refusal(&self, query: &str, answer: &str) -> Result<RefusalKind, Unanswered> {
        self.read(format!("refusal|{query}|{answer}"), |reply| {
            reply.parse().ok()
        })
        .await
    }

    /// Reads lines of `model: label, label`.
    async fn expressed_values(
        &self,
        query: &str,
        answers: &[Answer<'_>],
    ) -> Result<BTreeMap<String, Vec<String>>, Unanswered> {
        self.read(format!("values|{query}{}", listed(answers)), |reply| {
            reply
                .lines()
                .map(|line| {
                    let (model, labels) = line.split_once(": ")?;
                    let labels = labels.split(", ").map(ToOwned::to_owned).collect();
                    Some((model.to_owned(), labels))
                })
                .collect()
        })
        .await
    }
}

#[async_trait]
impl Judge for Person {
    fn name(&self) -> &str {
        &self.name
    }

    async fn judge(&self, query: &str, answer: &str) -> Result<Verdict, Unanswered> {
        let ask = format!("judge|{}|{query}|{answer}", self.spec);
        self.read(ask, |reply| {
            Some(Verdict {
                decision: reply.parse::<Decision>().ok()?,
                reasoning: format!("the spec says {reply}"),
                citations: Vec::new(),
            })
        })
        .await
    }
}
