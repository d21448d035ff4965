use hyper::Method;

use crate::server::wire::{Refusal, Wire};

/// What is asked of a batch service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Create,
    /// Gemini's creation, which names the model in its path.
    CreateFor(String),
    List,
    Get(String),
    /// xAI's: more items.
    Add(String),
    /// xAI's: what is known of each item.
    Requests(String),
    Results(String),
    Cancel(String),
    Delete(String),
    Upload,
    Files,
    File(String),
    Content(String),
    DeleteFile(String),
}

/// A request to a batch service.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::server) struct Asking {
    pub(super) wire: Wire,
    pub(super) call: Result<Call, Refusal>,
}

/// Calls of one path, by method.
type Calls = Vec<(Method, Call)>;

/// Reads method and path; `None` for what is no matter of batches. Where the path does not start with the name of
/// a wire, `/v1/files` and `/v1/batches` are `OpenAI`'s but for the calls that only xAI has.
pub(in crate::server) fn route(method: &Method, path: &str) -> Option<Asking> {
    let mut segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let named = Wire::ALL
        .into_iter()
        .find(|wire| segments.first() == Some(&wire.name()));
    if named.is_some() {
        segments.remove(0);
    }
    let wires = match named {
        Some(wire) => vec![wire],
        None => vec![Wire::Anthropic, Wire::OpenAi, Wire::Xai, Wire::Gemini],
    };
    let (wire, calls) = wires.into_iter().find_map(|wire| {
        let calls = match wire {
            Wire::Anthropic => anthropic(&segments),
            Wire::OpenAi | Wire::Xai => openai(&segments, wire),
            Wire::Gemini => gemini(&segments),
        };
        calls.map(|calls| (wire, calls))
    })?;
    let call = calls.iter().find(|(expected, _)| expected == method);
    let call = call.map(|(_, call)| call.clone()).ok_or_else(|| {
        let expected: Vec<&str> = calls.iter().map(|(method, _)| method.as_str()).collect();
        let expected = expected.join(" or ");
        Refusal::new(405, format!("{path} takes {expected}, not {method}"))
    });
    Some(Asking { wire, call })
}

fn get(call: Call) -> (Method, Call) {
    (Method::GET, call)
}

fn post(call: Call) -> (Method, Call) {
    (Method::POST, call)
}

fn delete(call: Call) -> (Method, Call) {
    (Method::DELETE, call)
}

fn anthropic(segments: &[&str]) -> Option<Calls> {
    let ["v1", "messages", "batches", rest @ ..] = segments else {
        return None;
    };
    Some(match *rest {
        [] => vec![post(Call::Create), get(Call::List)],
        [id] => vec![get(Call::Get(id.into())), delete(Call::Delete(id.into()))],
        [id, "results"] => vec![get(Call::Results(id.into()))],
        [id, "cancel"] => vec![post(Call::Cancel(id.into()))],
        _ => return None,
    })
}

/// `OpenAI`'s paths, and what xAI has of them and beside.
fn openai(segments: &[&str], wire: Wire) -> Option<Calls> {
    let ["v1", rest @ ..] = segments else {
        return None;
    };
    let xai = wire == Wire::Xai;
    Some(match *rest {
        ["batches"] => vec![post(Call::Create), get(Call::List)],
        ["batches", id] => match id.split_once(':') {
            None => vec![get(Call::Get(id.into()))],
            Some((id, "cancel")) if xai => vec![post(Call::Cancel(id.into()))],
            Some(_) => return None,
        },
        ["batches", id, "cancel"] if !xai => vec![post(Call::Cancel(id.into()))],
        ["batches", id, "requests"] if xai => {
            vec![post(Call::Add(id.into())), get(Call::Requests(id.into()))]
        }
        ["batches", id, "results"] if xai => vec![get(Call::Results(id.into()))],
        ["files"] => vec![post(Call::Upload), get(Call::Files)],
        ["files", id] if !id.contains(':') => {
            vec![
                get(Call::File(id.into())),
                delete(Call::DeleteFile(id.into())),
            ]
        }
        ["files", id, "content"] => vec![get(Call::Content(id.into()))],
        _ => return None,
    })
}

fn gemini(segments: &[&str]) -> Option<Calls> {
    let (before, rest) = match *segments {
        ["upload", "v1" | "v1beta", "files"] => return Some(vec![post(Call::Upload)]),
        ["download", "v1" | "v1beta", ref rest @ ..] => (true, rest),
        ["v1" | "v1beta", ref rest @ ..] => (false, rest),
        _ => return None,
    };
    let split = |last: &str| -> (String, Option<String>) {
        match last.split_once(':') {
            Some((name, call)) => (name.to_owned(), Some(call.to_owned())),
            None => (last.to_owned(), None),
        }
    };
    let (kind, last) = match *rest {
        ["batches"] if !before => return Some(vec![get(Call::List)]),
        ["files"] if !before => return Some(vec![get(Call::Files)]),
        [kind, last] => (kind, split(last)),
        _ => return None,
    };
    let name = format!("{kind}/{}", last.0);
    Some(match (kind, last.1.as_deref()) {
        ("files", Some("download")) => vec![get(Call::Content(name))],
        _ if before => return None,
        ("files", None) => vec![
            get(Call::File(name.clone())),
            delete(Call::DeleteFile(name)),
        ],
        ("batches", None) => vec![get(Call::Get(name.clone())), delete(Call::Delete(name))],
        ("batches", Some("cancel")) => vec![post(Call::Cancel(name))],
        ("models", Some("batchGenerateContent")) => vec![post(Call::CreateFor(last.0))],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_wire_and_call() {
        let at = |method: Method, path: &str| {
            route(&method, path).map(|asking| (asking.wire, asking.call.ok()))
        };
        let id = || "b".to_owned();
        let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
        for (method, path, expected) in [
            (
                &post,
                "/v1/messages/batches",
                (Wire::Anthropic, Call::Create),
            ),
            (
                &delete,
                "/anthropic/v1/messages/batches/b",
                (Wire::Anthropic, Call::Delete(id())),
            ),
            (
                &get,
                "/v1/messages/batches/b/results",
                (Wire::Anthropic, Call::Results(id())),
            ),
            (&post, "/v1/batches", (Wire::OpenAi, Call::Create)),
            (&post, "/xai/v1/batches", (Wire::Xai, Call::Create)),
            (
                &post,
                "/v1/batches/b:cancel",
                (Wire::Xai, Call::Cancel(id())),
            ),
            (
                &post,
                "/openai/v1/batches/b/cancel",
                (Wire::OpenAi, Call::Cancel(id())),
            ),
            (
                &get,
                "/v1/batches/b/requests",
                (Wire::Xai, Call::Requests(id())),
            ),
            (
                &get,
                "/openai/v1/files/b/content",
                (Wire::OpenAi, Call::Content(id())),
            ),
            (
                &get,
                "/gemini/v1/batches/b",
                (Wire::Gemini, Call::Get("batches/b".into())),
            ),
            (&get, "/v1beta/batches", (Wire::Gemini, Call::List)),
            (
                &get,
                "/v1beta/files/b:download",
                (Wire::Gemini, Call::Content("files/b".into())),
            ),
            (
                &get,
                "/gemini/download/v1beta/files/b:download",
                (Wire::Gemini, Call::Content("files/b".into())),
            ),
            (
                &post,
                "/gemini/upload/v1beta/files",
                (Wire::Gemini, Call::Upload),
            ),
            (
                &post,
                "/v1beta/models/m:batchGenerateContent",
                (Wire::Gemini, Call::CreateFor("m".into())),
            ),
        ] {
            let found = at(method.clone(), path);
            assert_eq!(
                found,
                Some((expected.0, Some(expected.1))),
                "{method} {path}"
            );
        }
        for (method, path) in [
            (&post, "/v1/messages"),
            (&post, "/xai/v1/messages/batches"),
            (&post, "/openai/v1/batches/b:cancel"),
            (&get, "/openai/v1/batches/b/results"),
            (&post, "/v1beta/models/m:generateContent"),
            (&get, "/v1/models/m"),
            (&get, "/v1beta/batches/b:fly"),
        ] {
            assert_eq!(at(method.clone(), path), None, "{method} {path}");
        }
        let wrong = route(&delete, "/v1/batches/b").unwrap().call.unwrap_err();
        assert_eq!(wrong.status, 405);
    }
}
