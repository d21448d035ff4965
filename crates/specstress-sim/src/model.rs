use std::sync::Arc;

use async_trait::async_trait;
use specstress_llm::{
    Capabilities, ChatModel, ChatRequest, ChatResponse, LlmError, LlmErrorKind, ModelId, Part,
    RequestKey, Usage,
};

use crate::draw::Draw;
use crate::reply::{Call, request_id};
use crate::task::Asked;
use crate::world::World;

/// A simulated language model: answers every prompt of a study, recognised from its text, in the form the
/// prompt asks for (method: section 3).
///
/// The reply depends on the world's seed, the model's key and the [`RequestKey`]; what a panel member
/// answers (not how it words it) depends on the words of the question and the sample alone. A request with
/// more than one user turn is a re-ask and answered in good form. Token counts are bytes divided by four;
/// shared parts count as cached input. Limits and sampling settings are taken and have no effect. A
/// request without a user turn is a `BadRequest`. Cost: tens of microseconds.
///
/// Made by [`SimWorld::model`](crate::SimWorld::model).
#[derive(Clone, Debug)]
pub struct SimModel {
    world: Arc<World>,
    id: ModelId,
}

impl SimModel {
    pub(crate) fn new(world: Arc<World>, key: &str) -> Self {
        Self {
            world,
            id: ModelId::new("sim", key),
        }
    }

    /// The key: the id without `sim/`.
    pub fn key(&self) -> &str {
        self.id.name()
    }
}

#[async_trait]
impl ChatModel for SimModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let asked = Asked::read(request).ok_or_else(|| {
            LlmError::new(
                LlmErrorKind::BadRequest,
                format!("{}: the request has no user turn", self.id),
            )
        })?;
        let request_key = RequestKey::chat(&self.id, request).to_string();
        let call = Call {
            world: &self.world,
            key: self.key(),
            asked: &asked,
            sample: request.sample,
            draw: Draw::new(self.world.options.seed, &["call", self.key(), &request_key]),
        };
        let reply = call.reply();
        let mut response = ChatResponse::stop(self.key(), reply.text);
        response.finish = reply.finish;
        response.usage = usage(request, &response.text);
        response.request_id = Some(request_id(self.key(), &request_key));
        Ok(response)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.sampling = true;
        capabilities
    }
}

pub(crate) fn usage(request: &ChatRequest, text: &str) -> Usage {
    let tokens = |bytes: usize| bytes.div_ceil(4) as u64;
    let mut usage = Usage {
        output: tokens(text.len()),
        ..Usage::default()
    };
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    for part in request.system.iter().chain(parts) {
        match part {
            Part::Shared(shared) => usage.cached_input += tokens(shared.as_str().len()),
            Part::Text(text) => usage.input += tokens(text.len()),
        }
    }
    usage
}
