use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::server::body::ReplyBody;
use crate::server::clock::{go_duration, moment_after, whole_seconds};
use crate::server::limiter::Gauge;
use crate::server::wire::{Refusal, Wire, error_body};

/// What every reply to one request has in common.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) wire: Wire,
    /// The provider's id of the request.
    pub(super) request_id: String,
    /// Limits of requests and tokens.
    pub(super) gauges: [Option<Gauge>; 2],
}

impl Envelope {
    /// That of the n-th request, without limits.
    pub(super) fn plain(wire: Wire, number: u64) -> Self {
        Self {
            wire,
            request_id: format!("req_sim_{number}"),
            gauges: [None, None],
        }
    }

    pub(super) fn json(&self, status: u16, body: &Value) -> Response<ReplyBody> {
        self.reply(
            status,
            "application/json",
            ReplyBody::whole(body.to_string().into_bytes()),
        )
    }

    pub(super) fn reply(
        &self,
        status: u16,
        content_type: &'static str,
        body: ReplyBody,
    ) -> Response<ReplyBody> {
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            hyper::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        let mut put = |name: String, value: String| {
            // Names and values are made here, of ASCII only.
            if let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value),
            ) {
                headers.insert(name, value);
            }
        };
        for (name, value) in self.rate_headers() {
            put(name, value);
        }
        match self.wire {
            Wire::Anthropic => put("request-id".to_owned(), self.request_id.clone()),
            Wire::OpenAi | Wire::Xai => put("x-request-id".to_owned(), self.request_id.clone()),
            // Google names the reply in its body.
            Wire::Gemini => {}
        }
        response
    }

    /// Limits as the provider tells them; Gemini tells nothing.
    fn rate_headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        for (unit, gauge) in ["requests", "tokens"].into_iter().zip(self.gauges) {
            let Some(gauge) = gauge else { continue };
            let fields = [
                ("limit", gauge.limit.to_string()),
                ("remaining", gauge.remaining.to_string()),
                (
                    "reset",
                    match self.wire {
                        Wire::Anthropic => moment_after(gauge.reset),
                        _ => go_duration(gauge.reset),
                    },
                ),
            ];
            for (field, value) in fields {
                let name = match self.wire {
                    Wire::Anthropic => format!("anthropic-ratelimit-{unit}-{field}"),
                    Wire::OpenAi | Wire::Xai => format!("x-ratelimit-{field}-{unit}"),
                    Wire::Gemini => continue,
                };
                headers.push((name, value));
            }
        }
        headers
    }

    /// A refusal in the provider's words, with the wait in its headers where the provider has such.
    pub(super) fn refusal(&self, refusal: &Refusal) -> Response<ReplyBody> {
        let body = error_body(self.wire, refusal, &self.request_id);
        let mut response = self.json(refusal.status, &body);
        if let Some(wait) = refusal.wait
            && self.wire != Wire::Gemini
        {
            let headers = response.headers_mut();
            headers.insert("retry-after", whole_seconds(wait).into());
            if self.wire == Wire::OpenAi {
                headers.insert("retry-after-ms", millis(wait).into());
            }
        }
        response
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::limiter::Unit;

    fn envelope(wire: Wire) -> Envelope {
        let gauge = Gauge {
            limit: 50,
            remaining: 7,
            reset: Duration::from_millis(1_500),
        };
        Envelope {
            wire,
            request_id: "req_1".to_owned(),
            gauges: [Some(gauge), None],
        }
    }

    #[test]
    fn limits_and_waits_are_told_in_the_providers_way() {
        let short = Refusal::short_of(Unit::Requests, Some(Duration::from_millis(1_200)));
        let header = |wire, name: &str| {
            let response = envelope(wire).refusal(&short);
            assert_eq!(response.status(), 429);
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            header(Wire::Anthropic, "anthropic-ratelimit-requests-remaining"),
            some("7")
        );
        let reset = header(Wire::Anthropic, "anthropic-ratelimit-requests-reset").unwrap();
        assert!(reset.len() == 20 && reset.ends_with('Z'), "{reset}");
        assert_eq!(header(Wire::Anthropic, "request-id"), some("req_1"));
        assert_eq!(header(Wire::Anthropic, "retry-after"), some("2"));
        assert_eq!(header(Wire::Anthropic, "retry-after-ms"), None);
        assert_eq!(
            header(Wire::OpenAi, "x-ratelimit-reset-requests"),
            some("1.5s")
        );
        assert_eq!(header(Wire::OpenAi, "x-ratelimit-limit-tokens"), None);
        assert_eq!(header(Wire::OpenAi, "retry-after-ms"), some("1200"));
        assert_eq!(header(Wire::Xai, "x-request-id"), some("req_1"));
        assert_eq!(header(Wire::Xai, "retry-after"), some("2"));
        for name in ["retry-after", "x-request-id", "x-ratelimit-limit-requests"] {
            assert_eq!(header(Wire::Gemini, name), None);
        }
    }
}
