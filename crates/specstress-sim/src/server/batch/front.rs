//! Between a connection and the desk: keys, bodies, faults of the way there and back.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use serde_json::json;

use crate::server::batch::Limits;
use crate::server::batch::desk::{Desk, Reply};
use crate::server::batch::query::Query;
use crate::server::batch::route::{Asking, Call};
use crate::server::body::{Cut, ReplyBody};
use crate::server::connection::Ending;
use crate::server::reply::Envelope;
use crate::server::route::authorize;
use crate::server::service::Service;
use crate::server::wire::{Refusal, Wire};

/// Serves one call. An error breaks the connection off.
pub(in crate::server) async fn serve(
    service: &Arc<Service>,
    asking: Asking,
    number: u64,
    head: &Parts,
    body: Incoming,
    ending: Option<Ending>,
) -> Result<Response<ReplyBody>, Cut> {
    let wire = asking.wire;
    let envelope = Envelope::plain(wire, number);
    let rejected = |refusal: &Refusal| {
        service.stats.ledger().batches(wire).rejected += 1;
        Ok(service.reject(&envelope, refusal))
    };
    let call = match asking.call {
        Ok(call) => call,
        Err(refusal) => return rejected(&refusal),
    };
    if let Err(refusal) = authorize(wire, &head.headers) {
        return rejected(&refusal);
    }
    if wire == Wire::Anthropic && !head.headers.contains_key("anthropic-version") {
        return rejected(&Refusal::new(400, "anthropic-version: header is required"));
    }
    // Whether a Gemini batch comes inline, which has a limit of its own, is known when it is read.
    let is_file = matches!(call, Call::Upload | Call::CreateFor(_));
    let limits = Limits::of(wire, is_file, &service.options.batch);
    // A form is a little larger than its file.
    let most = limits.bytes.saturating_add(64 * 1024);
    let bytes = match Limited::new(body, most).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return rejected(&limits.too_large());
        }
        // The client went away.
        Err(_) => return Err(Cut),
    };
    if let Some(name) = unavailable(service, wire, &call, head.uri.path()) {
        service.stats.ledger().batches(wire).fault(name);
        return Ok(envelope.refusal(&Refusal::new(503, "the service is unavailable (simulated)")));
    }
    let origin = origin(head, wire);
    let query = Query::read(head.uri.query());
    let cut = is_download(&call) && {
        let faults = service.options.batch.faults;
        let seed = service.options.seed;
        let path = format!("download {}", head.uri.path());
        let draw = |number| faults.cuts_download(seed, &path, number);
        service.batches.lock().read(&path, draw)
    };
    // What has been read whole is done, whether the client waits for the reply or not.
    let task = {
        let (service, headers) = (Arc::clone(service), head.headers.clone());
        tokio::spawn(async move {
            let desk = Desk {
                service: &service,
                wire,
                headers: &headers,
                query,
                origin,
                limits,
            };
            desk.answer(call, bytes).await
        })
    };
    let reply = match task.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(refusal)) => return rejected(&refusal),
        Err(_) => return rejected(&Refusal::new(500, "the sim server failed")),
    };
    deliver(service, &envelope, reply, cut, ending)
}

fn is_download(call: &Call) -> bool {
    matches!(call, Call::Results(_) | Call::Content(_))
}

/// Reads may meet an unavailable service; the name of the fault if this one does.
fn unavailable(service: &Service, wire: Wire, call: &Call, path: &str) -> Option<&'static str> {
    let reads = matches!(call, Call::Get(_) | Call::List | Call::Requests(_)) || is_download(call);
    let path = format!("{} {path}", wire.name());
    let (faults, seed) = (service.options.batch.faults, service.options.seed);
    let draw = |number| faults.is_unavailable(seed, &path, number);
    (reads && service.batches.lock().read(&path, draw)).then_some("unavailable")
}

fn origin(head: &Parts, wire: Wire) -> String {
    let host = head.headers.get(hyper::header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).or_else(|| {
        head.uri
            .authority()
            .map(hyper::http::uri::Authority::as_str)
    });
    format!("http://{}/{}", host.unwrap_or("localhost"), wire.name())
}

/// Puts what a call came to on its way, cut off where it must be.
fn deliver(
    service: &Service,
    envelope: &Envelope,
    reply: Reply,
    cut: bool,
    ending: Option<Ending>,
) -> Result<Response<ReplyBody>, Cut> {
    let wire = envelope.wire;
    let content_type = match reply {
        Reply::Rows(_) if wire == Wire::Anthropic => "application/x-jsonl",
        Reply::Rows(_) | Reply::Raw(_) => "application/octet-stream",
        _ => "application/json",
    };
    let body = match reply {
        Reply::Json(body) => body.to_string().into(),
        Reply::Written(body) => body.into(),
        Reply::Raw(body) => body,
        Reply::Rows(rows) if cut => rows.all().into(),
        Reply::Rows(mut rows) => {
            let body = ReplyBody::chunks(rows.bytes_left(), move || rows.chunk());
            return Ok(envelope.reply(200, content_type, body));
        }
        Reply::UploadAt(address) => {
            let mut response = envelope.json(200, &json!({}));
            let headers = response.headers_mut();
            if let Ok(address) = HeaderValue::try_from(address) {
                headers.insert("x-goog-upload-url", address);
            }
            headers.insert("x-goog-upload-status", HeaderValue::from_static("active"));
            return Ok(response);
        }
        Reply::Dropped => {
            if let Some(ending) = ending {
                ending.reset();
            }
            return Err(Cut);
        }
    };
    let body = if cut {
        service.stats.ledger().batches(wire).fault("download_cut");
        ReplyBody::half(body, ending)
    } else {
        ReplyBody::whole(body)
    };
    Ok(envelope.reply(200, content_type, body))
}
