//! What no provider has: a look at the counters, and a clock that can be put forward.

use std::time::Duration;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use serde_json::json;

use crate::server::body::ReplyBody;
use crate::server::reply::Envelope;
use crate::server::service::Service;
use crate::server::wire::{Refusal, Wire};

/// A day and a little more ends every batch.
const MOST_MS: u64 = 100_000_000;

/// Serves `GET /specstress/stats` and `POST /specstress/advance?ms=N`; `None` for everything else. No key is needed.
pub(super) fn serve(service: &Service, number: u64, head: &Parts) -> Option<Response<ReplyBody>> {
    let call = head.uri.path().strip_prefix("/specstress/")?;
    let envelope = Envelope::plain(Wire::OpenAi, number);
    Some(match (&head.method, call) {
        (&Method::GET, "stats") => {
            let stats = serde_json::to_value(service.stats.read()).unwrap_or_default();
            envelope.json(200, &stats)
        }
        (&Method::POST, "advance") => {
            let millis = head.uri.query().and_then(|query| query.strip_prefix("ms="));
            let millis = millis.and_then(|text| text.parse().ok());
            if let Some(millis) = millis.filter(|millis| *millis <= MOST_MS) {
                service.batches.clock.advance(Duration::from_millis(millis));
                envelope.json(200, &json!({"advanced_ms": millis}))
            } else {
                let message = format!("give the query ms=N, milliseconds from 0 to {MOST_MS}");
                service.reject(&envelope, &Refusal::field("ms", message))
            }
        }
        _ => {
            let message = "there are GET /specstress/stats and POST /specstress/advance?ms=N";
            service.reject(&envelope, &Refusal::new(404, message))
        }
    })
}
