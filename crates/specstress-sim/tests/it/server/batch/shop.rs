//! The least client of all four batch services.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use specstress_sim::{BatchFaults, BatchOptions, ServerOptions};

use crate::server::client::{Call, Reply, Running};

/// Every way to send a batch: wire and whether by file.
pub(crate) const WAYS: [Way; 6] = [
    Way("anthropic", false),
    Way("openai", true),
    Way("gemini", false),
    Way("gemini", true),
    Way("xai", false),
    Way("xai", true),
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Way(pub(crate) &'static str, pub(crate) bool);

/// A server whose batches end after a short while.
pub(crate) fn server(change: impl FnOnce(&mut BatchOptions)) -> Running {
    let mut batch = BatchOptions {
        delay_ms: 60,
        cancel_ms: 20,
        ..BatchOptions::default()
    };
    change(&mut batch);
    Running::start(ServerOptions {
        batch,
        ..ServerOptions::default()
    })
}

/// How long batches of a slow server take, by its own clock.
pub(crate) const SLOW_MS: u32 = 1_000_000;

/// A server whose clock has to be put forward before anything ends.
pub(crate) fn slow(change: impl FnOnce(&mut BatchOptions)) -> Running {
    server(|batch| {
        (batch.delay_ms, batch.cancel_ms) = (SLOW_MS, SLOW_MS);
        change(batch);
    })
}

/// Puts the clock forward by a share of the time a batch takes on a slow server.
pub(crate) fn advance(server: &Running, share: f64) {
    let path = format!("/specstress/advance?ms={:.0}", f64::from(SLOW_MS) * share);
    let call = Call {
        method: "POST",
        ..Call::get(&path, ("x", "y"))
    };
    assert_eq!(server.ask(&call).status, 200);
}

/// Polls until a batch is as wanted, which is a matter of answering its items.
pub(crate) fn until(
    server: &Running,
    wire: &str,
    id: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    for _ in 0..2_000 {
        let batch = good(&read(server, wire, &path_of(wire, id)));
        if wanted(&batch) {
            return batch;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{wire}: {id} did not come to what is wanted");
}

pub(crate) fn faulty(faults: BatchFaults) -> Running {
    server(|batch| batch.faults = faults)
}

pub(crate) fn send(server: &Running, wire: &str, method: &'static str, path: &str) -> Reply {
    server.ask(&Call::on(wire, method, path, ""))
}

pub(crate) fn post(server: &Running, wire: &str, path: &str, body: &Value) -> Reply {
    server.ask(&Call::on(wire, "POST", path, &body.to_string()))
}

/// Sends what must be accepted.
pub(crate) fn good(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

pub(crate) fn model(wire: &str) -> &'static str {
    match wire {
        "anthropic" => "alder_grand",
        "openai" => "birch_main",
        "gemini" => "cedar_pro",
        _ => "dune_max",
    }
}

/// A question as a live call of the wire has it.
pub(crate) fn body(wire: &str, text: &str) -> Value {
    match wire {
        "gemini" => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        "anthropic" => {
            json!({"model": model(wire), "max_tokens": 1000, "messages": [{"role": "user", "content": text}]})
        }
        _ => json!({"model": model(wire), "messages": [{"role": "user", "content": text}]}),
    }
}

pub(crate) fn live(server: &Running, wire: &str, body: &Value) -> Reply {
    let path = match wire {
        "anthropic" => "/v1/messages",
        "gemini" => "/v1beta/models/cedar_pro:generateContent",
        _ => "/v1/chat/completions",
    };
    post(server, wire, path, body)
}

pub(crate) type Items = Vec<(String, Value)>;

pub(crate) fn items(wire: &str, count: usize) -> Items {
    (0..count)
        .map(|n| {
            (
                format!("item-{n}"),
                body(wire, &format!("Should I tell them? {n}")),
            )
        })
        .collect()
}

/// A form with a file in it.
pub(crate) fn form(wire: &str, name: &str, fields: &[(&str, &str)], file: &str) -> Call {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (name, value) in fields {
        write!(
            text,
            "--cut\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    write!(
        text,
        "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: application/octet-stream\r\n\r\n{file}\r\n--cut--\r\n"
    )
    .unwrap();
    Call::on(wire, "POST", "/v1/files", &text)
        .with("content-type", "multipart/form-data; boundary=cut")
}

pub(crate) fn jsonl(wire: &str, items: &Items) -> String {
    let line = |(id, body): &(String, Value)| {
        let line = match wire {
            "gemini" => json!({"key": id, "request": body}),
            _ => {
                json!({"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": body})
            }
        };
        format!("{line}\n")
    };
    items.iter().map(line).collect()
}

/// Uploads a file; its id.
pub(crate) fn upload(server: &Running, wire: &str, text: &str) -> String {
    if wire == "gemini" {
        let start = Call::on(
            wire,
            "POST",
            "/upload/v1beta/files",
            r#"{"file":{"display_name":"in"}}"#,
        )
        .with("x-goog-upload-protocol", "resumable")
        .with("x-goog-upload-command", "start")
        .with(
            "x-goog-upload-header-content-length",
            &text.len().to_string(),
        );
        let start = server.ask(&start);
        let address = start.header("x-goog-upload-url").unwrap().to_owned();
        let (_, path) = address.split_once("/gemini").unwrap();
        let bytes = Call::on(wire, "POST", path, text)
            .with("x-goog-upload-offset", "0")
            .with("x-goog-upload-command", "upload, finalize");
        return good(&server.ask(&bytes))["file"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
    }
    let purpose: &[_] = if wire == "openai" {
        &[("purpose", "batch")]
    } else {
        &[]
    };
    good(&server.ask(&form(wire, "in.jsonl", purpose, text)))["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Where a batch is made and with what, after whatever must come before.
pub(crate) fn creation(server: &Running, way: Way, items: &Items) -> (String, Value) {
    let Way(wire, by_file) = way;
    let file = by_file.then(|| upload(server, wire, &jsonl(wire, items)));
    match wire {
        "anthropic" => {
            let requests: Vec<Value> = items
                .iter()
                .map(|(id, body)| json!({"custom_id": id, "params": body}))
                .collect();
            ("/v1/messages/batches".into(), json!({"requests": requests}))
        }
        "openai" => (
            "/v1/batches".into(),
            json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h",
                   "metadata": {"tag": "t"}}),
        ),
        "gemini" => {
            let inline = || {
                let requests: Vec<Value> = items
                    .iter()
                    .map(|(id, body)| json!({"request": body, "metadata": {"key": id}}))
                    .collect();
                json!({"requests": {"requests": requests}})
            };
            let config = file.map_or_else(inline, |file| json!({"fileName": file}));
            (
                "/v1beta/models/cedar_pro:batchGenerateContent".into(),
                json!({"batch": {"displayName": "t", "inputConfig": config}}),
            )
        }
        _ => {
            let mut body = json!({"name": "t"});
            if let Some(file) = file {
                body["input_file_id"] = file.into();
            }
            ("/v1/batches".into(), body)
        }
    }
}

pub(crate) fn id_of(wire: &str, batch: &Value) -> String {
    let field = match wire {
        "gemini" => "name",
        "xai" => "batch_id",
        _ => "id",
    };
    batch[field].as_str().unwrap().to_owned()
}

/// Makes a batch of these items; its id.
pub(crate) fn submit(server: &Running, way: Way, items: &Items) -> String {
    let (path, body) = creation(server, way, items);
    let id = id_of(way.0, &good(&post(server, way.0, &path, &body)));
    if way == Way("xai", false) {
        good(&post(
            server,
            "xai",
            &format!("/v1/batches/{id}/requests"),
            &addition(items),
        ));
    }
    id
}

pub(crate) fn addition(items: &Items) -> Value {
    let requests: Vec<Value> = items
        .iter()
        .map(|(id, body)| json!({"batch_request_id": id, "batch_request": {"chat_get_completion": body}}))
        .collect();
    json!({"batch_requests": requests})
}

pub(crate) fn path_of(wire: &str, id: &str) -> String {
    match wire {
        "anthropic" => format!("/v1/messages/batches/{id}"),
        "gemini" => format!("/v1beta/{id}"),
        _ => format!("/v1/batches/{id}"),
    }
}

/// A read that is tried again while the service is unavailable.
pub(crate) fn read(server: &Running, wire: &str, path: &str) -> Reply {
    loop {
        match server.send(&Call::on(wire, "GET", path, "")) {
            Ok(reply) if reply.status == 503 => {}
            Ok(reply) => return reply,
            // A download that broke off.
            Err(_) => {}
        }
    }
}

pub(crate) fn has_ended(wire: &str, batch: &Value) -> bool {
    match wire {
        "anthropic" => batch["processing_status"] == "ended",
        "openai" => {
            let status = batch["status"].as_str().unwrap();
            ["failed", "completed", "expired", "cancelled"].contains(&status)
        }
        "gemini" => batch["done"] == true,
        _ => {
            !batch["cancel_by_xai_message"].is_null()
                || batch["state"]["num_requests"] != 0 && batch["state"]["num_pending"] == 0
        }
    }
}

/// Polls until the end.
pub(crate) fn wait(server: &Running, wire: &str, id: &str) -> Value {
    until(server, wire, id, |batch| has_ended(wire, batch))
}

/// What an item came to: the body of its reply, or what went wrong.
pub(crate) type Results = BTreeMap<String, Result<Value, String>>;

fn take(results: &mut Results, id: &Value, result: Result<Value, String>) {
    let id = id.as_str().unwrap().to_owned();
    assert_eq!(results.insert(id.clone(), result), None, "{id} came twice");
}

pub(crate) fn rows(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// All results of an ended batch; no result of an item is taken twice.
pub(crate) fn results(server: &Running, wire: &str, batch: &Value) -> Results {
    let mut all = Results::new();
    match wire {
        "anthropic" => {
            let Some(address) = batch["results_url"].as_str() else {
                return all;
            };
            let (_, path) = address.split_once("/anthropic").unwrap();
            let reply = read(server, wire, path);
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (200, Some("application/x-jsonl"))
            );
            for row in rows(&reply.body) {
                let result = &row["result"];
                let kind = result["type"].as_str().unwrap();
                let result = match kind {
                    "succeeded" => Ok(result["message"].clone()),
                    "errored" => Err(result["error"]["error"]["type"]
                        .as_str()
                        .unwrap()
                        .to_owned()),
                    other => Err(other.to_owned()),
                };
                take(&mut all, &row["custom_id"], result);
            }
        }
        "openai" => {
            for file in ["output_file_id", "error_file_id"] {
                let Some(file) = batch[file].as_str() else {
                    continue;
                };
                let reply = read(server, wire, &format!("/v1/files/{file}/content"));
                for row in rows(&reply.body) {
                    let result = match (&row["response"]["status_code"], &row["error"]["code"]) {
                        (Value::Number(code), Value::Null) if code.as_u64() == Some(200) => {
                            Ok(row["response"]["body"].clone())
                        }
                        (Value::Number(code), Value::Null) => Err(code.to_string()),
                        (_, code) => Err(code.as_str().unwrap().to_owned()),
                    };
                    take(&mut all, &row["custom_id"], result);
                }
            }
        }
        "gemini" => {
            let output = &batch["metadata"]["output"];
            let result = |row: &Value| match row.get("response") {
                Some(response) => Ok(response.clone()),
                None => Err(row["error"]["code"].to_string()),
            };
            if let Some(file) = output["responsesFile"].as_str() {
                let reply = read(server, wire, &format!("/v1beta/{file}:download?alt=media"));
                for row in rows(&reply.body) {
                    take(&mut all, &row["key"], result(&row));
                }
            }
            if let Some(inlined) = output["inlinedResponses"]["inlinedResponses"].as_array() {
                for row in inlined {
                    take(&mut all, &row["metadata"]["key"], result(row));
                }
            }
        }
        _ => {
            let id = batch["batch_id"].as_str().unwrap();
            let mut path = format!("/v1/batches/{id}/results?limit=3");
            loop {
                let page = good(&read(server, wire, &path));
                for row in page["results"].as_array().unwrap() {
                    let result = &row["batch_result"];
                    let result = match result.get("response") {
                        Some(response) => Ok(response["chat_get_completion"].clone()),
                        None => Err(result["error"]["code"].to_string()),
                    };
                    take(&mut all, &row["batch_request_id"], result);
                }
                let Some(token) = page["pagination_token"].as_str() else {
                    return all;
                };
                let token = token
                    .replace('+', "%2B")
                    .replace('/', "%2F")
                    .replace('=', "%3D");
                path = format!("/v1/batches/{id}/results?limit=3&pagination_token={token}");
            }
        }
    }
    all
}

/// Makes a batch, waits for its end and takes its results.
pub(crate) fn run(server: &Running, way: Way, items: &Items) -> (Value, Results) {
    let id = submit(server, way, items);
    let batch = wait(server, way.0, &id);
    let results = results(server, way.0, &batch);
    (batch, results)
}

pub(crate) fn text_of(wire: &str, body: &Value) -> String {
    let place = match wire {
        "anthropic" => "/content/0/text",
        "gemini" => "/candidates/0/content/parts/0/text",
        _ => "/choices/0/message/content",
    };
    body.pointer(place).unwrap().as_str().unwrap().to_owned()
}
