use hyper::{HeaderMap, Method};

use crate::server::wire::{Form, Refusal, Wire};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An answer or vectors; the model is named by the path or, where that is `None`, by the body.
    Work(Form, Option<String>),
    Model(String),
    Models,
}

/// A request's address as this server reads it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) wire: Wire,
    /// Whether the path itself names the wire, so that the model does not decide.
    pub(super) fixed: bool,
    pub(super) target: Result<Target, Refusal>,
}

/// Reads method and path. The path may start with `/anthropic`, `/openai`, `/gemini` or `/xai`; without, the
/// wire follows from the path, or from the headers where `OpenAI` and Anthropic have the same.
pub(super) fn route(method: &Method, path: &str, headers: &HeaderMap) -> Route {
    let mut segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let named = Wire::ALL
        .into_iter()
        .find(|wire| segments.first() == Some(&wire.name()));
    if named.is_some() {
        segments.remove(0);
    }
    let version = segments.first().copied().unwrap_or_default();
    let rest = segments.get(1..).unwrap_or_default();
    let nowhere = || {
        Err(Refusal::new(
            404,
            format!("there is no {method} {path} here"),
        ))
    };
    let (guess, target) = match (version, rest) {
        ("v1", ["messages"]) => work(Wire::Anthropic, Form::Messages),
        ("v1", ["chat", "completions"]) => work(Wire::OpenAi, Form::Completions),
        ("v1", ["responses"]) => work(Wire::OpenAi, Form::Responses),
        ("v1", ["embeddings"]) => work(Wire::OpenAi, Form::Embeddings),
        ("v1" | "v1beta", ["models"]) => (by_headers(version, headers), Ok(Target::Models)),
        ("v1" | "v1beta", ["models", last]) => match last.split_once(':') {
            None => (
                by_headers(version, headers),
                Ok(Target::Model((*last).to_owned())),
            ),
            Some((model, call)) => {
                let form = match call {
                    "generateContent" => Some(Form::Generate),
                    "batchEmbedContents" => Some(Form::EmbedBatch),
                    "embedContent" => Some(Form::EmbedOne),
                    _ => None,
                };
                let target = form.map(|form| Target::Work(form, Some(model.to_owned())));
                (Wire::Gemini, target.map_or_else(nowhere, Ok))
            }
        },
        ("v1beta", _) => (Wire::Gemini, nowhere()),
        _ => (by_headers(version, headers), nowhere()),
    };
    let wire = named.unwrap_or(guess);
    let target = target.and_then(|target| {
        let fits = match &target {
            Target::Work(form, _) => served(wire, *form),
            // Gemini has its own version beside the common one.
            Target::Model(_) | Target::Models => version == "v1" || wire == Wire::Gemini,
        };
        if !fits {
            return nowhere();
        }
        let expected = match target {
            Target::Work(..) => Method::POST,
            Target::Model(_) | Target::Models => Method::GET,
        };
        if *method == expected {
            Ok(target)
        } else {
            Err(Refusal::new(
                405,
                format!("{path} takes {expected}, not {method}"),
            ))
        }
    });
    Route {
        wire,
        fixed: named.is_some(),
        target,
    }
}

fn work(wire: Wire, form: Form) -> (Wire, Result<Target, Refusal>) {
    (wire, Ok(Target::Work(form, None)))
}

fn served(wire: Wire, form: Form) -> bool {
    match form {
        Form::Messages => wire == Wire::Anthropic,
        Form::Completions | Form::Responses => matches!(wire, Wire::OpenAi | Wire::Xai),
        Form::Embeddings => wire == Wire::OpenAi,
        Form::Generate | Form::EmbedBatch | Form::EmbedOne => wire == Wire::Gemini,
    }
}

fn by_headers(version: &str, headers: &HeaderMap) -> Wire {
    if version == "v1beta" || headers.contains_key("x-goog-api-key") {
        Wire::Gemini
    } else if headers.contains_key("anthropic-version") || headers.contains_key("x-api-key") {
        Wire::Anthropic
    } else {
        Wire::OpenAi
    }
}

/// Any key will do, in the form the provider wants it.
pub(super) fn authorize(wire: Wire, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let filled = |value: Option<&str>| value.is_some_and(|value| !value.trim().is_empty());
    let bearer = filled(text("authorization").and_then(|value| value.strip_prefix("Bearer ")));
    match wire {
        Wire::Anthropic => match (filled(text("x-api-key")), bearer) {
            (true, true) => Err(Refusal::new(
                401,
                "both x-api-key and authorization are set: send one of them",
            )),
            (false, false) => Err(Refusal::new(401, "x-api-key header is required")),
            _ => Ok(()),
        },
        Wire::OpenAi | Wire::Xai if bearer => Ok(()),
        Wire::OpenAi | Wire::Xai => Err(Refusal::new(
            401,
            "no API key: send it in the header authorization: Bearer KEY",
        )),
        Wire::Gemini if filled(text("x-goog-api-key")) => Ok(()),
        Wire::Gemini => Err(Refusal::new(
            401,
            "no API key: send it in the header x-goog-api-key",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn at(method: &Method, path: &str, names: &[(&'static str, &str)]) -> Route {
        route(method, path, &headers(names))
    }

    #[test]
    fn paths_name_wire_and_form() {
        let post = |path| {
            let route = at(&Method::POST, path, &[]);
            (route.wire, route.fixed, route.target.ok())
        };
        let work =
            |form, model: Option<&str>| Some(Target::Work(form, model.map(ToOwned::to_owned)));
        for (path, expected) in [
            (
                "/v1/messages",
                (Wire::Anthropic, false, work(Form::Messages, None)),
            ),
            (
                "/xai/v1/chat/completions",
                (Wire::Xai, true, work(Form::Completions, None)),
            ),
            (
                "/v1/responses",
                (Wire::OpenAi, false, work(Form::Responses, None)),
            ),
            (
                "/v1beta/models/cedar_pro:generateContent",
                (Wire::Gemini, false, work(Form::Generate, Some("cedar_pro"))),
            ),
            (
                "/gemini/v1/models/embedder:batchEmbedContents",
                (Wire::Gemini, true, work(Form::EmbedBatch, Some("embedder"))),
            ),
            ("/xai/v1/embeddings", (Wire::Xai, true, None)),
            ("/openai/v1/messages", (Wire::OpenAi, true, None)),
            (
                "/v1beta/models/cedar_pro:streamGenerateContent",
                (Wire::Gemini, false, None),
            ),
            ("/", (Wire::OpenAi, false, None)),
        ] {
            assert_eq!(post(path), expected, "{path}");
        }
        let wrong = at(&Method::GET, "/v1/messages", &[]).target.unwrap_err();
        assert_eq!(wrong.status, 405);
    }

    #[test]
    fn shared_paths_are_told_apart_by_their_headers() {
        let wire = |path, names: &[_]| {
            let route = at(&Method::GET, path, names);
            assert_eq!(route.target, Ok(Target::Model("m".to_owned())), "{path}");
            route.wire
        };
        assert_eq!(
            wire("/v1/models/m", &[("authorization", "Bearer k")]),
            Wire::OpenAi
        );
        assert_eq!(wire("/v1/models/m", &[("x-api-key", "k")]), Wire::Anthropic);
        assert_eq!(
            wire("/v1/models/m", &[("x-goog-api-key", "k")]),
            Wire::Gemini
        );
        assert_eq!(wire("/v1beta/models/m", &[]), Wire::Gemini);
        assert_eq!(wire("/xai/v1/models/m", &[]), Wire::Xai);
    }

    #[test]
    fn keys_have_a_form_but_no_value() {
        let check = |wire, pairs: &[_]| authorize(wire, &headers(pairs)).is_ok();
        assert!(check(Wire::Anthropic, &[("x-api-key", "k")]));
        assert!(check(Wire::Anthropic, &[("authorization", "Bearer k")]));
        assert!(!check(
            Wire::Anthropic,
            &[("authorization", "Bearer k"), ("x-api-key", "k")]
        ));
        assert!(!check(Wire::Anthropic, &[("x-api-key", " ")]));
        assert!(check(Wire::Xai, &[("authorization", "Bearer k")]));
        assert!(!check(Wire::OpenAi, &[("authorization", "k")]));
        assert!(!check(Wire::OpenAi, &[("authorization", "Bearer ")]));
        assert!(check(Wire::Gemini, &[("x-goog-api-key", "k")]));
        assert!(!check(Wire::Gemini, &[("authorization", "Bearer k")]));
    }
}
