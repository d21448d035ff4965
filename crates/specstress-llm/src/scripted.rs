use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::{LlmError, LlmErrorKind};
use crate::id::ModelId;
use crate::model::{Capabilities, ChatModel};
use crate::request::ChatRequest;
use crate::response::ChatResponse;

type Answer = dyn Fn(&ChatRequest) -> Result<ChatResponse, LlmError> + Send + Sync;

/// A model that answers what it is told to, for tests, examples and dry runs.
///
/// Replies are used up in order; after the last one the fallback answers, and without a fallback the call
/// is an error. Every request is kept for inspection.
///
/// ```
/// use specstress_llm::{ChatModel, ChatRequest, ChatResponse, ScriptedModel};
///
/// let model = ScriptedModel::new("demo/echo")
///     .reply("first")
///     .otherwise(|request| Ok(ChatResponse::stop("echo", request.last_user_text())));
/// # futures_executor::block_on(async {
/// assert_eq!(model.chat(&ChatRequest::user("a")).await?.text, "first");
/// assert_eq!(model.chat(&ChatRequest::user("b")).await?.text, "b");
/// assert_eq!(model.requests().len(), 2);
/// # Ok::<(), specstress_llm::LlmError>(()) })?;
/// # Ok::<(), specstress_llm::LlmError>(())
/// ```
pub struct ScriptedModel {
    id: ModelId,
    script: Mutex<VecDeque<Result<ChatResponse, LlmError>>>,
    fallback: Option<Arc<Answer>>,
    requests: Mutex<Vec<ChatRequest>>,
}

impl ScriptedModel {
    /// A model with an empty script. An id without a provider gets the provider `scripted`.
    pub fn new(id: &str) -> Self {
        Self {
            id: id
                .parse()
                .unwrap_or_else(|_| ModelId::new("scripted", id.trim_matches('/'))),
            script: Mutex::default(),
            fallback: None,
            requests: Mutex::default(),
        }
    }

    /// Appends a finished reply.
    #[must_use]
    pub fn reply(self, text: impl Into<String>) -> Self {
        let response = ChatResponse::stop(self.id.name(), text);
        self.respond(Ok(response))
    }

    /// Appends any reply or error.
    #[must_use]
    pub fn respond(self, response: Result<ChatResponse, LlmError>) -> Self {
        self.script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(response);
        self
    }

    /// Answers whatever the script does not.
    #[must_use]
    pub fn otherwise(
        mut self,
        answer: impl Fn(&ChatRequest) -> Result<ChatResponse, LlmError> + Send + Sync + 'static,
    ) -> Self {
        self.fallback = Some(Arc::new(answer));
        self
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel")
            .field("id", &self.id)
            .field("fallback", &self.fallback.is_some())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ChatModel for ScriptedModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        let scripted = self
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        match (scripted, &self.fallback) {
            (Some(response), _) => response,
            (None, Some(answer)) => answer(request),
            (None, None) => Err(LlmError::new(
                LlmErrorKind::BadRequest,
                format!("the script of {} has no reply left", self.id),
            )),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}
