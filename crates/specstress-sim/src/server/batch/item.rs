use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::Value;
use specstress_llm::{Digest, Usage};
use tokio::runtime::Handle;

use crate::server::service::{Answer, Service, body};
use crate::server::stats::{LogicalId, content_id};
use crate::server::wire::{Form, Refusal, Wire};

/// A request of a batch as it came.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Box<str>,
    /// The JSON of the request itself, mostly a part of what was sent.
    pub(super) body: Bytes,
    pub(super) sample: u32,
}

/// A request of a batch with what the model says to it. The request itself is dropped.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: Box<str>,
    pub(super) model: Box<str>,
    pub(super) content: LogicalId,
    /// The body of the reply, or why the request is refused.
    pub(super) reply: Result<Box<str>, Refusal>,
    pub(super) usage: Usage,
    /// The cost, where the provider tells it.
    pub(super) ticks: u64,
}

/// How the items of one batch are asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) wire: Wire,
    pub(super) form: Form,
    /// The model of all of them, where the path of the batch names it.
    pub(super) model: Option<String>,
}

/// Answers every entry, in their order.
pub(super) fn answer(service: &Service, asked: &Asked, entries: Vec<Entry>) -> Arc<[Item]> {
    let runtime = Handle::current();
    entries
        .into_iter()
        .map(|entry| runtime.block_on(item(service, asked, entry)))
        .collect()
}

async fn item(service: &Service, asked: &Asked, entry: Entry) -> Item {
    let Asked { wire, form, model } = asked;
    let read = serde_json::from_slice::<Value>(&entry.body)
        .map_err(|error| Refusal::new(400, format!("the request is not JSON: {error}")))
        .and_then(|body| service.ask(*wire, *form, model.as_deref(), &body, entry.sample));
    let mut item = Item {
        model: model.clone().unwrap_or_default().into(),
        content: content_of(*wire, &entry),
        id: entry.id,
        reply: Ok(Box::default()),
        usage: Usage::default(),
        ticks: 0,
    };
    let ask = match read {
        Ok(ask) => ask,
        Err(refusal) => {
            item.reply = Err(refusal);
            return item;
        }
    };
    item.model = ask.model.as_str().into();
    let answer = match service.answer(&ask).await {
        Ok(answer) => answer,
        Err(error) => {
            item.reply = Err(Refusal::new(400, error.to_string()));
            return item;
        }
    };
    if let Answer::Chat(response) = &answer {
        item.usage = response.usage;
        if let Some(id) = &response.request_id {
            item.content = content_id(*wire, id);
        }
    }
    let mut body = body(*wire, *form, &ask.model, &ask, &answer);
    item.ticks = at_batch_rate(*wire, &mut body);
    item.reply = Ok(body.to_string().into());
    item
}

fn content_of(wire: Wire, entry: &Entry) -> LogicalId {
    let body = Digest::new("specstress sim batch body 1")
        .field("sample", entry.sample.to_le_bytes())
        .field("body", &entry.body)
        .hex();
    content_id(wire, &body)
}

/// Marks a reply as one of a batch where the wire does, and takes a fifth off a cost that is told, which only xAI
/// does. Returns that cost.
fn at_batch_rate(wire: Wire, body: &mut Value) -> u64 {
    match wire {
        Wire::Anthropic => body["usage"]["service_tier"] = "batch".into(),
        Wire::Xai => {
            if let Some(ticks) = body["usage"]["cost_in_usd_ticks"].as_u64() {
                let ticks = ticks / 5 * 4;
                body["usage"]["cost_in_usd_ticks"] = ticks.into();
                return ticks;
            }
        }
        Wire::OpenAi | Wire::Gemini => {}
    }
    0
}
