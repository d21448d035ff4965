//! What goes into the next batch.

use specstress_llm::{BatchLine, CallMode, LlmError, LlmErrorKind};

use super::{Lane, broken};
use crate::budget::Amount;

/// Queued calls read at a time.
const PAGE: usize = 256;

/// A batch about to be created.
pub(super) struct Draft {
    pub(super) lines: Vec<BatchLine>,
    pub(super) amount: Amount,
}

pub(super) enum Next {
    Draft(Draft),
    /// Nothing waits, or too little for a batch.
    Nothing,
    /// The budget has no room now.
    NoRoom,
}

impl Lane<'_> {
    /// The next batch, as large as the limits and the budget allow.
    pub(super) async fn next_draft(&mut self) -> Result<Next, LlmError> {
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
}
