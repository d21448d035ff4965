//! The results of a batch, into the store.

use std::collections::HashMap;

use specstress_llm::{CallMode, LlmError, RequestKey};

use super::{Lane, broken};
use crate::store::{BatchRecord, Verdict};

impl Lane<'_> {
    /// Stores all results of a batch and closes it.
    pub(super) async fn fetch(
        &mut self,
        batch: &BatchRecord,
        id: &str,
        end: &str,
    ) -> Result<(), LlmError> {
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
}
