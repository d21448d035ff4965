//! A simulated world, and models of it that are watched.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_executor::block_on;
use specstress_llm::{
    CallSettings, ChatModel, ChatModelExt, ChatRequest, ChatResponse, LlmError, ModelId,
};
use specstress_scenarios::{
    LlmNudger, LlmScenarioGenerator, Nudge, Nudger, ScenarioGenerator, ScenarioPrompts,
};
use specstress_sim::{SimModel, SimOptions, SimWorld};
use specstress_values::{PairSampler, Taxonomy, UniformPairs, ValuePair};

pub(crate) const AUTHORS: [&str; 3] = ["author_a", "author_b", "author_c"];

/// A simulated model that keeps what it was asked. Clones share the list.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    model: SimModel,
    requests: Arc<Mutex<Vec<ChatRequest>>>,
}

impl Watched {
    pub(crate) fn new(world: &SimWorld, key: &str) -> Self {
        Self {
            model: world.model(key).unwrap(),
            requests: Arc::default(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<ChatRequest> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

#[async_trait]
impl ChatModel for Watched {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.requests.lock().unwrap().push(request.clone());
        self.model.chat(request).await
    }
}

/// The failures of the default options are left in: what asks has to cope.
pub(crate) fn world(seed: u64) -> SimWorld {
    with(SimOptions {
        seed,
        ..SimOptions::default()
    })
}

/// No failure and no noise of readers, so that what differs between two calls differs in the prompt.
pub(crate) fn exact(seed: u64) -> SimWorld {
    with(SimOptions {
        seed,
        generator_failures: 0.0,
        malformed_json: 0.0,
        blocked: 0.0,
        truncated: 0.0,
        reading_noise: 0.0,
        label_noise: 0.0,
        ..SimOptions::default()
    })
}

pub(crate) fn with(options: SimOptions) -> SimWorld {
    SimWorld::new(&Taxonomy::builtin(), options).unwrap()
}

pub(crate) fn pairs(count: usize, seed: u64) -> Vec<ValuePair> {
    UniformPairs
        .sample(&Taxonomy::builtin(), count, seed)
        .unwrap()
}

/// A question as a study gets it: from the generator, and from the nudger where it leans.
pub(crate) fn question(world: &SimWorld, author: &str, pair: &ValuePair, nudge: Nudge) -> String {
    let prompts = ScenarioPrompts::default();
    let model = world.model(author).unwrap();
    let generator = LlmScenarioGenerator::new(author, &model, &prompts, CallSettings::default());
    let neutral = block_on(generator.generate(pair)).unwrap().query;
    match nudge.side() {
        None => neutral,
        Some(side) => {
            let nudger = LlmNudger::new(&model, &prompts, CallSettings::default());
            block_on(nudger.nudge(pair, side, &neutral)).unwrap().query
        }
    }
}

/// One question per pair, authors and framings in turn.
pub(crate) fn questions(world: &SimWorld, count: usize, seed: u64) -> Vec<(ValuePair, String)> {
    pairs(count, seed)
        .into_iter()
        .enumerate()
        .map(|(at, pair)| {
            let (author, nudge) = (AUTHORS[at % 3], Nudge::ALL[at / 3 % 3]);
            let query = question(world, author, &pair, nudge);
            (pair, query)
        })
        .collect()
}

/// What the panel answers, in panel order; models that were blocked or cut off are left out.
pub(crate) fn answers(world: &SimWorld, query: &str) -> Vec<(&'static str, String)> {
    world
        .panel()
        .into_iter()
        .filter_map(|persona| {
            let model = world.model(persona.key).unwrap();
            let answer = block_on(model.answer(&ChatRequest::user(query))).ok()?;
            Some((persona.key, answer))
        })
        .collect()
}

/// `hits` of `count` as a share.
pub(crate) fn share(hits: usize, count: usize) -> f64 {
    assert!(count > 0, "nothing to count");
    hits as f64 / count as f64
}
