use std::fmt::Display;
use std::future::Future;

use serde::de::DeserializeOwned;

use crate::json;
use crate::model::ChatModel;
use crate::outcome::Unanswered;
use crate::request::{ChatRequest, Role};

/// What callers do with any [`ChatModel`]: ask for text or typed JSON, with every way of not getting it
/// named. Implemented for all of them; never implement it yourself.
pub trait ChatModelExt: ChatModel {
    /// The text of one answer.
    fn answer(
        &self,
        request: &ChatRequest,
    ) -> impl Future<Output = Result<String, Unanswered>> + Send {
        async {
            let response = self.chat(request).await?;
            response.answer().map(ToOwned::to_owned)
        }
    }

    /// Reads the answer with `parse`; when that fails, shows the model its own reply and the error, and
    /// asks again, at most `reasks` times.
    ///
    /// Blocked and truncated answers are never asked again: the same question would end the same way.
    /// After the last failure the outcome is [`Unanswered::Unparsable`] with the last reply in it.
    fn decode<T, E, F>(
        &self,
        request: &ChatRequest,
        reasks: u32,
        parse: F,
    ) -> impl Future<Output = Result<T, Unanswered>> + Send
    where
        T: Send,
        E: Display + Send,
        F: Fn(&str) -> Result<T, E> + Send + Sync,
    {
        async move {
            let mut conversation = request.clone();
            for attempt in 0..=reasks {
                let response = self.chat(&conversation).await?;
                let text = match response.answer() {
                    Ok(text) => text,
                    // An empty reply is worth another try; there is just nothing to show the model.
                    Err(Unanswered::Unparsable { .. }) => "",
                    Err(unanswered) => return Err(unanswered),
                };
                let reason = match parse(text) {
                    Ok(value) => return Ok(value),
                    Err(error) => error.to_string(),
                };
                if attempt == reasks {
                    return Err(Unanswered::Unparsable {
                        reason,
                        raw: response.text,
                        attempts: reasks + 1,
                    });
                }
                if !text.is_empty() {
                    conversation = conversation.with_assistant(text);
                }
                let complaint = format!(
                    "Your reply could not be used: {reason}. Please answer again, in exactly the form asked for."
                );
                // Two user turns in a row are refused by some providers.
                conversation = match conversation.messages.last() {
                    Some(message) if message.role == Role::User => {
                        conversation.with_user_part(format!("\n\n{complaint}"))
                    }
                    _ => conversation.with_user(complaint),
                };
            }
            unreachable!("the last attempt returns")
        }
    }

    /// Reads the answer as JSON of type `T`, leniently (see [`json::decode`]), with re-asks.
    fn decode_json<T>(
        &self,
        request: &ChatRequest,
        reasks: u32,
    ) -> impl Future<Output = Result<T, Unanswered>> + Send
    where
        T: DeserializeOwned + Send,
    {
        self.decode(request, reasks, json::decode::<T>)
    }
}

impl<M: ChatModel + ?Sized> ChatModelExt for M {}
