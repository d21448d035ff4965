//! The panel over HTTP.

mod batch;
mod body;
mod clock;
mod connection;
mod control;
mod faults;
mod limiter;
mod options;
mod reply;
mod route;
mod service;
mod stats;
mod wire;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::task::JoinSet;

use crate::error::SimError;
use crate::server::connection::{Connection, Ending};
use crate::server::service::Service;
use crate::world::SimWorld;

pub use batch::{BatchFaults, BatchOptions, BatchStats};
pub use faults::{FaultKind, FaultRates};
pub use options::{Latency, ProviderLimits, RateLimits, ServerOptions};
pub use stats::{ModelStats, ServerStats, StatsHandle};

/// How long requests in flight may take once the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A wait before the next try when the system has no connection to give, for want of descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The simulated panel over HTTP/1.1 and HTTP/2 (without TLS) on loopback, in the wire formats of the
/// providers, with their headers, errors, rate limits and, as configured, faults: to rehearse a whole run
/// without a key.
///
/// | wire | models | served | key |
/// |---|---|---|---|
/// | Anthropic | `alder_*`, helpers | `POST /v1/messages` | `x-api-key` or `authorization: Bearer` |
/// | `OpenAI` | `birch_*`, helpers, `embedder` | `POST /v1/chat/completions`, `/v1/responses`, `/v1/embeddings` | `authorization: Bearer` |
/// | Gemini | `cedar_*`, helpers, `embedder` | `POST /v1beta/models/KEY:generateContent`, `:batchEmbedContents`, `:embedContent` (`/v1` too) | `x-goog-api-key` |
/// | xAI | `dune_*`, helpers | `POST /v1/chat/completions`, `/v1/responses` | `authorization: Bearer` |
///
/// All four have their batch services: Anthropic's `/v1/messages/batches`; `/v1/files` and `/v1/batches` of
/// `OpenAI` and xAI; Gemini's `:batchGenerateContent`, `/v1beta/batches` and `/v1beta/files`, with uploads and
/// downloads. See [`BatchOptions`].
///
/// Each also has `GET .../models` and `GET .../models/KEY`. Helpers are the authors, `rubric` and the judges.
/// A path may start with `/anthropic`, `/openai`, `/gemini` or `/xai`, which settles the wire; without, `dune_*`
/// models get xAI's and helpers `OpenAI`'s ways on `/v1/chat/completions`, and batches and files common to both are
/// `OpenAI`'s. Any key is accepted.
///
/// The text and end of a reply are those of the in-process [`SimModel`](crate::SimModel) for the same request:
/// texts in the same parts and the settings that were sent. The header `x-specstress-sample: N` stands for
/// [`ChatRequest::sample`](specstress_llm::ChatRequest::sample). Blocks with `cache_control` are shared parts
/// and count as cached. A schema without a name on the wire is named `reply`. Reasoning tokens (half of the
/// answer's) are added for `birch_reason*`, `cedar_pro`, `dune_max` and wherever thinking or an effort is asked
/// for. Streams, images and tools (but for one forced Anthropic tool in place of a schema) are not served.
/// Requests are checked as the provider would: unknown top-level fields, missing `max_tokens` at Anthropic and
/// the like are a 400 in its own error shape.
///
/// An item of a batch is answered like the same live call, but for what the wire says of batches: Anthropic's
/// `service_tier`, xAI's cost, a fifth lower. Beside its `custom_id`, `key` or `batch_request_id` it may have
/// `"x-specstress-sample": N` for its sample. Batches live as long as the server; the text of an uploaded file is
/// dropped once a batch has read it.
///
/// Two paths are no provider's and take no key: `GET /specstress/stats` tells the counters, and
/// `POST /specstress/advance?ms=N` puts the clock of the batches forward, so that tests need not wait.
///
/// The same request has the same reply byte for byte, but for the request id of errors. Faults follow from the
/// seed, the request and the number of the attempt, so a run over HTTP can be repeated.
///
/// Cost: tens of microseconds per request, and about two hundred bytes of memory per logical request. A batch keeps
/// its replies, not its requests.
///
/// ```
/// use specstress_sim::{ServerOptions, SimOptions, SimServer, SimWorld};
/// use std::io::{Read, Write};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = SimWorld::new(&specstress_values::Taxonomy::builtin(), SimOptions::default())?;
/// let server = SimServer::bind(world, ServerOptions::default())?;
/// let (address, stats) = (server.local_addr(), server.stats());
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let serving = std::thread::spawn(move || {
///     let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
///     runtime.block_on(server.serve(async { drop(stopped.await) })).map_err(std::io::Error::other)
/// });
///
/// let body = r#"{"model":"birch_main","messages":[{"role":"user","content":"Should I tell them?"}]}"#;
/// let mut connection = std::net::TcpStream::connect(address)?;
/// write!(
///     connection,
///     "POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer any\r\n\
///      connection: close\r\ncontent-length: {}\r\n\r\n{body}",
///     body.len()
/// )?;
/// let mut reply = String::new();
/// connection.read_to_string(&mut reply)?;
/// assert!(reply.starts_with("HTTP/1.1 200 OK") && reply.contains("chat.completion"));
/// assert_eq!(stats.read().answered, 1);
///
/// drop(stop);
/// serving.join().expect("the server does not panic")?;
/// # Ok(()) }
/// ```
pub struct SimServer {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    stats: StatsHandle,
}

impl SimServer {
    /// Checks the options and listens at [`ServerOptions::address`]; connections are answered once
    /// [`serve`](Self::serve) runs. Other addresses than loopback are refused, since any key is accepted.
    pub fn bind(world: SimWorld, options: ServerOptions) -> Result<Self, SimError> {
        options.check()?;
        let asked = options.address;
        let failed = |error: std::io::Error| SimError::Listen {
            address: asked,
            kind: error.kind(),
        };
        let listener = TcpListener::bind(asked).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stats = StatsHandle::default();
        Ok(Self {
            listener,
            address,
            service: Service::new(world, options, stats.clone()),
            stats,
        })
    }

    /// The address with the port that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A handle on the counters, which stays good while and after the server runs.
    pub fn stats(&self) -> StatsHandle {
        self.stats.clone()
    }

    /// Answers requests until `stop` is ready, then lets those in flight finish, for five seconds at most,
    /// and returns the final counters. Must run in a tokio runtime with IO and time.
    pub async fn serve<S>(self, stop: S) -> Result<ServerStats, SimError>
    where
        S: Future<Output = ()> + Send,
    {
        let address = self.address;
        let listener =
            tokio::net::TcpListener::from_std(self.listener).map_err(|error| SimError::Listen {
                address,
                kind: error.kind(),
            })?;
        let service = Arc::new(self.service);
        let builder = Builder::new(TokioExecutor::new());
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    let ending = Ending::default();
                    let io = TokioIo::new(Connection::new(stream, ending.clone()));
                    let service = Arc::clone(&service);
                    let answer = service_fn(move |request| {
                        let (service, ending) = (Arc::clone(&service), ending.clone());
                        async move { service.serve(request, ending).await }
                    });
                    let connection = builder.serve_connection(io, answer).into_owned();
                    let watched = graceful.watch(connection);
                    connections.spawn(async move {
                        // Connections break, by faults and by clients that go away.
                        drop(watched.await);
                    });
                }
            }
        }
        drop(listener);
        // Whoever is not done by then is cut off.
        let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
        connections.shutdown().await;
        Ok(self.stats.read())
    }
}

impl fmt::Debug for SimServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
