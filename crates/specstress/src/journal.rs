//! A list of what a model was really asked, for whoever wants to check that nothing is asked twice.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use specstress_llm::{
    CallMode, Capabilities, ChatModel, ChatRequest, ChatResponse, LlmError, LlmErrorKind, ModelId,
    RequestKey, Usage,
};

/// A file that gets one line per request, written before the model answers.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Option<Arc<File>>);

impl Journal {
    /// Appends to a file; without a path, to nothing.
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        path.map(|path| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map(Arc::new)
                .with_context(|| format!("cannot open the journal {}", path.display()))
        })
        .transpose()
        .map(Self)
    }

    /// The model, with its requests written down.
    pub(crate) fn wrap(&self, model: impl ChatModel + 'static) -> Arc<dyn ChatModel> {
        match &self.0 {
            Some(file) => Arc::new(Journaled {
                model,
                file: Arc::clone(file),
            }),
            None => Arc::new(model),
        }
    }
}

#[derive(Debug)]
struct Journaled<M> {
    model: M,
    file: Arc<File>,
}

#[async_trait]
impl<M: ChatModel> ChatModel for Journaled<M> {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    async fn chat(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let key = RequestKey::chat(self.model.id(), request);
        // One write per line: appends of several threads do not mix.
        (&*self.file)
            .write_all(format!("{key}\n").as_bytes())
            .map_err(|error| {
                LlmError::new(LlmErrorKind::Store, "cannot write the journal").with_source(error)
            })?;
        self.model.chat(request).await
    }

    fn capabilities(&self) -> Capabilities {
        self.model.capabilities()
    }

    fn quote(&self, usage: &Usage, mode: CallMode) -> Option<f64> {
        self.model.quote(usage, mode)
    }
}
