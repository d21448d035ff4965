use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, Version};
use serde_json::Value;
use specstress_llm::{ChatModel, ChatResponse, Digest, EmbeddingModel, LlmError};
use tokio::time::Instant;

use crate::draw::Draw;
use crate::model::usage;
use crate::server::batch::{self, Batches};
use crate::server::body::{Cut, ReplyBody};
use crate::server::clock::today;
use crate::server::connection::Ending;
use crate::server::control;
use crate::server::faults::FaultKind;
use crate::server::limiter::{Limiter, Shortage, Unit};
use crate::server::options::ServerOptions;
use crate::server::reply::Envelope;
use crate::server::route::{Route, Target, authorize, route};
use crate::server::stats::{LogicalId, StatsHandle, content_id};
use crate::server::wire::{self, Ask, Form, Refusal, Said, Wire, Work, embedding_tokens};
use crate::world::SimWorld;

/// As at Anthropic.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The header that says which of several samples of the same request is meant.
const SAMPLE: &str = "x-specstress-sample";

const BAD_GATEWAY: &str = "<html>\n<head><title>502 Bad Gateway</title></head>\n\
    <body><center><h1>502 Bad Gateway</h1></center></body>\n</html>\n";

/// Answers requests: everything between a connection and the world.
#[derive(Debug)]
pub(super) struct Service {
    world: SimWorld,
    pub(super) options: ServerOptions,
    limiters: [Mutex<Limiter>; 4],
    pub(super) stats: StatsHandle,
    pub(super) batches: Batches,
    started: Instant,
}

/// A request that has been let in; gives its place back when the reply is made or the client goes away.
struct Admitted<'s> {
    service: &'s Service,
    wire: Wire,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.service.limiter(self.wire).leave();
        self.service.stats.ledger().leave();
    }
}

/// One attempt at one logical request.
struct Attempt {
    id: LogicalId,
    name: String,
    number: u32,
    fault: Option<FaultKind>,
}

/// An answer before faults that change it.
pub(super) enum Answer {
    Chat(Box<ChatResponse>),
    Vectors(Vec<Vec<f32>>),
}

impl Service {
    pub(super) fn new(world: SimWorld, options: ServerOptions, stats: StatsHandle) -> Self {
        let limiters = Wire::ALL.map(|wire| Mutex::new(Limiter::new(options.limits.of(wire))));
        Self {
            world,
            options,
            limiters,
            stats,
            batches: Batches::default(),
            started: Instant::now(),
        }
    }

    fn limiter(&self, wire: Wire) -> MutexGuard<'_, Limiter> {
        self.limiters[wire as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Serves one request. An error breaks the connection off.
    pub(super) async fn serve(
        self: &Arc<Self>,
        request: Request<Incoming>,
        ending: Ending,
    ) -> Result<Response<ReplyBody>, Cut> {
        let number = {
            let mut ledger = self.stats.ledger();
            ledger.stats.requests += 1;
            ledger.stats.requests
        };
        let (head, body) = request.into_parts();
        // On HTTP/2 a reset ends one stream, not the connection that others share.
        let ending = (head.version < Version::HTTP_2).then_some(ending);
        if let Some(reply) = control::serve(self, number, &head) {
            return Ok(reply);
        }
        if let Some(asked) = batch::route(&head.method, head.uri.path()) {
            return batch::serve(self, asked, number, &head, body, ending).await;
        }
        let Route {
            wire,
            fixed,
            target,
        } = route(&head.method, head.uri.path(), &head.headers);
        let mut envelope = Envelope::plain(wire, number);
        let target = authorize(wire, &head.headers).and(target);
        let (form, path_model) = match target {
            Err(refusal) => return Ok(self.reject(&envelope, &refusal)),
            Ok(Target::Model(key)) => return Ok(self.model(envelope, fixed, &key)),
            Ok(Target::Models) => return Ok(self.models(&envelope)),
            Ok(Target::Work(form, model)) => (form, model),
        };
        let bytes = match Limited::new(body, MOST_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                let refusal = Refusal::new(413, "the request is larger than 32 MB");
                return Ok(self.reject(&envelope, &refusal));
            }
            // The client went away.
            Err(_) => return Err(Cut),
        };
        let read = self.read(
            &mut envelope,
            fixed,
            form,
            path_model.as_deref(),
            &bytes,
            &head.headers,
        );
        let (ask, sample) = match read {
            Ok(read) => read,
            Err(refusal) => return Ok(self.reject(&envelope, &refusal)),
        };
        self.stats.ledger().model(&ask.model).requests += 1;
        let admitted = self.admit(envelope.wire, &ask);
        envelope.gauges = self.limiter(envelope.wire).gauges(self.now());
        let _place = match admitted {
            Ok(place) => place,
            Err(Shortage { unit, wait }) => {
                return Ok(envelope.refusal(&Refusal::short_of(unit, wait)));
            }
        };
        let attempt = self.attempt(envelope.wire, form, &ask.model, sample, &bytes);
        self.work(envelope, form, &ask, &attempt, ending).await
    }

    /// Reads a request; settles which wire it is on.
    fn read(
        &self,
        envelope: &mut Envelope,
        fixed: bool,
        form: Form,
        path_model: Option<&str>,
        bytes: &[u8],
        headers: &HeaderMap,
    ) -> Result<(Ask, u32), Refusal> {
        if envelope.wire == Wire::Anthropic && !headers.contains_key("anthropic-version") {
            return Err(Refusal::new(400, "anthropic-version: header is required"));
        }
        let body: Value = serde_json::from_slice(bytes)
            .map_err(|error| Refusal::new(400, format!("the body is not JSON: {error}")))?;
        let model = path_model.or_else(|| body["model"].as_str());
        if !fixed && model.is_some_and(|model| Wire::of_model(model) == Some(Wire::Xai)) {
            // Only the path that both share leads here with such a model.
            if envelope.wire == Wire::OpenAi {
                envelope.wire = Wire::Xai;
            }
        }
        let sample = match headers.get(SAMPLE) {
            None => 0,
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Refusal::field(SAMPLE, format!("{SAMPLE}: not a whole number")))?,
        };
        let ask = self.ask(envelope.wire, form, path_model, &body, sample)?;
        Ok((ask, sample))
    }

    /// Reads the body of a request that a live call or an item of a batch makes.
    pub(super) fn ask(
        &self,
        wire: Wire,
        form: Form,
        path_model: Option<&str>,
        body: &Value,
        sample: u32,
    ) -> Result<Ask, Refusal> {
        let mut ask = wire::read(wire, form, path_model, body)?;
        let embeds = ask.model == crate::persona::EMBEDDER;
        if !wire.knows(&ask.model) || embeds != form.embeds() || self.retired(&ask.model) {
            return Err(Refusal::unknown_model(&ask.model));
        }
        if let Work::Chat(chat) = &mut ask.work {
            chat.request.sample = sample;
        }
        Ok(ask)
    }

    fn retired(&self, key: &str) -> bool {
        let day = self.options.retires.get(key);
        day.is_some_and(|day| *day <= today())
    }

    fn admit(&self, wire: Wire, ask: &Ask) -> Result<Admitted<'_>, Shortage> {
        let input = match &ask.work {
            Work::Chat(chat) => usage(&chat.request, "").input,
            Work::Embed(embed) => embedding_tokens(&embed.request),
        };
        let admitted = self.limiter(wire).admit(self.now(), input);
        let mut ledger = self.stats.ledger();
        match admitted {
            Ok(()) => {
                ledger.enter();
                Ok(Admitted {
                    service: self,
                    wire,
                })
            }
            Err(shortage) => {
                ledger.stats.rate_limited += 1;
                ledger.model(&ask.model).rate_limited += 1;
                Err(shortage)
            }
        }
    }

    /// Opens an attempt. Its fault depends on what was asked and how often, never on time.
    fn attempt(&self, wire: Wire, form: Form, key: &str, sample: u32, bytes: &[u8]) -> Attempt {
        let name = Digest::new("specstress sim http request 1")
            .field("wire", wire.name())
            .field("form", format!("{form:?}"))
            .field("model", key)
            .field("sample", sample.to_le_bytes())
            .field("body", bytes)
            .hex();
        let mut id = LogicalId::default();
        for (byte, digits) in id.iter_mut().zip(name.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
        let faults = &self.options.faults;
        let draw = |number| {
            let fault = faults.draw(self.options.seed, &name, number);
            // Vectors of Gemini name no model that could be another.
            let nameless = matches!(form, Form::EmbedBatch | Form::EmbedOne);
            fault.filter(|&fault| fault != FaultKind::Rerouted || !nameless)
        };
        let most = faults.max_per_request;
        let (number, fault) = self.stats.ledger().attempt(id, key, most, draw);
        Attempt {
            id,
            name,
            number,
            fault,
        }
    }

    /// Answers, or fails as the attempt must.
    async fn work(
        &self,
        mut envelope: Envelope,
        form: Form,
        ask: &Ask,
        attempt: &Attempt,
        ending: Option<Ending>,
    ) -> Result<Response<ReplyBody>, Cut> {
        let wire = envelope.wire;
        if let Some(fault) = attempt.fault {
            if fault == FaultKind::ResetBefore {
                if let Some(ending) = ending {
                    ending.reset();
                }
                return Err(Cut);
            }
            if let Some(reply) = self.refused(&envelope, fault) {
                return Ok(reply);
            }
        }
        let mut answer = match self.answer(ask).await {
            Ok(answer) => answer,
            Err(error) => return Ok(self.reject(&envelope, &Refusal::new(400, error.to_string()))),
        };
        let (output, content) = match &answer {
            Answer::Chat(response) => (
                response.usage.output + response.usage.reasoning,
                response
                    .request_id
                    .as_deref()
                    .map(|id| content_id(wire, id)),
            ),
            Answer::Vectors(_) => (0, None),
        };
        {
            let mut limiter = self.limiter(wire);
            limiter.spend(self.now(), output);
            envelope.gauges = limiter.gauges(self.now());
        }
        self.take_time(output, attempt).await;
        let mut model = ask.model.clone();
        match attempt.fault {
            Some(FaultKind::Rerouted) => model.push_str("_next"),
            Some(FaultKind::Empty) => answer = emptied(answer),
            _ => {}
        }
        let body = body(wire, form, &model, ask, &answer)
            .to_string()
            .into_bytes();
        let reply = |body| envelope.reply(200, "application/json", body);
        Ok(match attempt.fault {
            Some(FaultKind::Truncated) => reply(ReplyBody::whole(body[..body.len() / 2].to_vec())),
            Some(FaultKind::ResetMidBody) => reply(ReplyBody::half(body, ending)),
            Some(FaultKind::Rerouted | FaultKind::Empty) => reply(ReplyBody::whole(body)),
            _ => {
                self.stats.ledger().answer(attempt.id, &ask.model, content);
                reply(ReplyBody::whole(body))
            }
        })
    }

    /// Faults that are replies of their own.
    fn refused(&self, envelope: &Envelope, fault: FaultKind) -> Option<Response<ReplyBody>> {
        let overloaded = || {
            let status = if envelope.wire == Wire::Anthropic {
                529
            } else {
                503
            };
            Refusal::new(status, "the server is overloaded (simulated)")
        };
        let wait = Duration::from_millis(self.options.faults.retry_after_ms.into());
        Some(match fault {
            FaultKind::RateLimited => {
                envelope.refusal(&Refusal::short_of(Unit::Requests, Some(wait)))
            }
            FaultKind::RateLimitedSilent => {
                envelope.refusal(&Refusal::short_of(Unit::Requests, None))
            }
            FaultKind::Overloaded => envelope.refusal(&overloaded()),
            FaultKind::BadGateway => envelope.reply(
                502,
                "text/html",
                ReplyBody::whole(BAD_GATEWAY.as_bytes().to_vec()),
            ),
            FaultKind::ErrorBody => {
                let body = wire::error_body(envelope.wire, &overloaded(), &envelope.request_id);
                envelope.json(200, &body)
            }
            _ => return None,
        })
    }

    pub(super) async fn answer(&self, ask: &Ask) -> Result<Answer, LlmError> {
        Ok(match &ask.work {
            Work::Chat(chat) => {
                let model = self.world.model(&ask.model).map_err(|error| {
                    LlmError::new(
                        specstress_llm::LlmErrorKind::UnknownModel,
                        error.to_string(),
                    )
                })?;
                let mut response = model.chat(&chat.request).await?;
                response.usage.reasoning = wire::reasoning(&ask.model, chat, response.usage);
                Answer::Chat(Box::new(response))
            }
            Work::Embed(embed) => {
                Answer::Vectors(self.world.embedder().embed(&embed.request).await?)
            }
        })
    }

    async fn take_time(&self, output: u64, attempt: &Attempt) {
        let number = attempt.number.to_string();
        let mut draw = Draw::new(self.options.seed, &["latency", &attempt.name, &number]);
        let mut wait = self.options.latency.wait(output, draw.unit());
        if attempt.fault == Some(FaultKind::Stalled) {
            wait += Duration::from_millis(self.options.faults.stall_ms.into());
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn reject(&self, envelope: &Envelope, refusal: &Refusal) -> Response<ReplyBody> {
        self.stats.ledger().stats.rejected += 1;
        envelope.refusal(refusal)
    }

    fn retires(&self, key: &str) -> Option<&str> {
        self.options.retires.get(key).map(String::as_str)
    }

    fn model(&self, mut envelope: Envelope, fixed: bool, key: &str) -> Response<ReplyBody> {
        if !fixed && envelope.wire == Wire::OpenAi && Wire::of_model(key) == Some(Wire::Xai) {
            envelope.wire = Wire::Xai;
        }
        if !envelope.wire.knows(key) {
            return self.reject(&envelope, &Refusal::unknown_model(key));
        }
        self.stats.ledger().stats.lookups += 1;
        let body = wire::model_body(envelope.wire, key, self.retires(key), &today());
        envelope.json(200, &body)
    }

    fn models(&self, envelope: &Envelope) -> Response<ReplyBody> {
        self.stats.ledger().stats.lookups += 1;
        let (wire, today) = (envelope.wire, today());
        let models: Vec<Value> = wire
            .models()
            .map(|key| wire::model_body(wire, key, self.retires(key), &today))
            .collect();
        envelope.json(200, &wire::model_list(wire, &models))
    }
}

fn emptied(answer: Answer) -> Answer {
    match answer {
        Answer::Chat(response) => {
            let mut empty = ChatResponse::stop(response.model, "");
            empty.request_id = response.request_id;
            empty.usage = response.usage;
            empty.usage.output = 0;
            Answer::Chat(Box::new(empty))
        }
        Answer::Vectors(_) => Answer::Vectors(Vec::new()),
    }
}

pub(super) fn body(wire: Wire, form: Form, model: &str, ask: &Ask, answer: &Answer) -> Value {
    match (&ask.work, answer) {
        (Work::Chat(chat), Answer::Chat(response)) => {
            wire::write(wire, form, &Said::new(model, chat, response))
        }
        (Work::Embed(embed), Answer::Vectors(vectors)) => {
            wire::write_vectors(form, model, embed, vectors)
        }
        // An answer is made for its work.
        _ => Value::Null,
    }
}
