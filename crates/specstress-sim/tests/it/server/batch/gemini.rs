use serde_json::{Value, json};

use super::shop::{
    Way, advance, creation, good, items, jsonl, path_of, post, results, run, send, server, slow,
    submit, until, upload, wait,
};
use crate::server::client::Call;

const INLINE: Way = Way("gemini", false);
const FILE: Way = Way("gemini", true);
const CREATE: &str = "/v1beta/models/cedar_pro:batchGenerateContent";

#[test]
fn a_batch_is_an_operation() {
    let server = slow(|_| {});
    let id = submit(&server, INLINE, &items("gemini", 5));
    let is = |state: &'static str| {
        let batch = until(&server, "gemini", &id, |batch| {
            batch["metadata"]["state"] == state
        });
        assert_eq!(batch.get("response").is_some(), batch.get("done").is_some());
        batch
    };
    assert_eq!(
        is("BATCH_STATE_PENDING")["metadata"]["batchStats"]["pendingRequestCount"],
        "5"
    );
    advance(&server, 0.5);
    is("BATCH_STATE_RUNNING");
    advance(&server, 0.5);
    let batch = is("BATCH_STATE_SUCCEEDED");
    assert_eq!(
        batch["metadata"]["batchStats"],
        json!({"requestCount": "5", "successfulRequestCount": "5"})
    );
    assert_eq!(batch["metadata"]["displayName"], "t");
    assert_eq!(batch["metadata"]["model"], "models/cedar_pro");
    // Lists have everything but the responses.
    let list = good(&send(&server, "gemini", "GET", "/v1beta/batches"));
    let listed = &list["operations"][0];
    assert_eq!(listed["name"], batch["name"]);
    assert_eq!(listed["metadata"]["output"], json!({}));
    assert_eq!(
        good(&send(
            &server,
            "gemini",
            "POST",
            &format!("{}:cancel", path_of("gemini", &id))
        )),
        json!({})
    );
    assert_eq!(
        wait(&server, "gemini", &id)["metadata"]["state"],
        "BATCH_STATE_SUCCEEDED"
    );
    assert_eq!(
        good(&send(&server, "gemini", "DELETE", &path_of("gemini", &id))),
        json!({})
    );
    assert_eq!(
        send(&server, "gemini", "GET", &path_of("gemini", &id)).status,
        404
    );
}

#[test]
fn results_of_a_file_are_a_file() {
    let server = server(|_| {});
    let mut all = items("gemini", 4);
    all[3].1["contents"] = json!([]);
    let (batch, results) = run(&server, FILE, &all);
    let output = &batch["metadata"]["output"];
    assert_eq!(output["responsesFile"], batch["response"]["responsesFile"]);
    assert_eq!(output.get("inlinedResponses"), None);
    assert_eq!(results["item-3"], Err("3".to_owned()));
    let file = output["responsesFile"].as_str().unwrap();
    let told = good(&send(&server, "gemini", "GET", &format!("/v1beta/{file}")));
    assert_eq!(
        (&told["name"], &told["source"]),
        (&json!(file), &json!("GENERATED"))
    );
    assert_eq!(
        good(&send(
            &server,
            "gemini",
            "DELETE",
            &format!("/v1beta/{file}")
        )),
        json!({})
    );
    assert_eq!(
        send(
            &server,
            "gemini",
            "GET",
            &format!("/v1beta/{file}:download")
        )
        .status,
        404
    );
}

#[test]
fn names_may_be_in_either_case() {
    let server = server(|_| {});
    let file = upload(&server, "gemini", &jsonl("gemini", &items("gemini", 2)));
    let body = json!({"batch": {"display_name": "t", "input_config": {"file_name": file}}});
    let batch = good(&post(&server, "gemini", CREATE, &body));
    let batch = wait(&server, "gemini", batch["name"].as_str().unwrap());
    assert_eq!(results(&server, "gemini", &batch).len(), 2);
    assert_eq!(batch["metadata"]["inputConfig"]["fileName"], file);
}

#[test]
fn keys_may_be_left_out_inline() {
    let server = server(|_| {});
    let requests: Vec<Value> = items("gemini", 2)
        .into_iter()
        .map(|(_, request)| json!({"request": request}))
        .collect();
    let body =
        json!({"batch": {"displayName": "t", "inputConfig": {"requests": {"requests": requests}}}});
    let batch = good(&post(&server, "gemini", CREATE, &body));
    let batch = wait(&server, "gemini", batch["name"].as_str().unwrap());
    let rows = batch["metadata"]["output"]["inlinedResponses"]["inlinedResponses"].clone();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter()
            .all(|row| row.get("metadata").is_none() && row.get("response").is_some())
    );
}

#[test]
fn creations_are_checked() {
    let server = server(|batch| (batch.max_requests, batch.max_bytes) = (Some(2), Some(100_000)));
    let create = |config: Value| {
        let body = json!({"batch": {"displayName": "t", "inputConfig": config}});
        post(&server, "gemini", CREATE, &body)
    };
    let one = |key: &str| json!({"request": {}, "metadata": {"key": key}});
    let inline = |requests: Value| json!({"requests": {"requests": requests}});
    for (reply, status, told) in [
        (create(inline(json!([one("a"), one("a")]))), 400, "twice"),
        (
            create(inline(json!([one("a"), one("b"), one("c")]))),
            400,
            "at most 2",
        ),
        (create(inline(json!([]))), 400, "at least one"),
        (create(json!({})), 400, "either requests or file_name"),
        (create(json!({"fileName": "files/no"})), 404, "No such File"),
        (
            create(inline(json!([one(&"k".repeat(100_000))]))),
            400,
            "100000 bytes",
        ),
        (create(json!({"requests": []})), 400, "must be"),
        (
            post(
                &server,
                "gemini",
                "/v1beta/models/nobody:batchGenerateContent",
                &json!({}),
            ),
            404,
            "nobody",
        ),
    ] {
        assert_eq!(reply.status, status, "{}", reply.body);
        let error = &reply.json()["error"];
        let status = if status == 400 {
            "INVALID_ARGUMENT"
        } else {
            "NOT_FOUND"
        };
        assert_eq!(error["status"], status);
        assert!(error["message"].as_str().unwrap().contains(told), "{error}");
    }
}

#[test]
fn bad_files_fail() {
    let server = server(|_| {});
    let good_line = jsonl("gemini", &items("gemini", 1));
    for (file, told) in [
        (format!("{good_line}{{\"key\":\n"), "line 2"),
        (format!("{good_line}{good_line}"), "twice"),
        (format!("{good_line}{{\"key\":\"x\"}}\n"), "request"),
    ] {
        let file = upload(&server, "gemini", &file);
        let body = json!({"batch": {"displayName": "t", "inputConfig": {"fileName": file}}});
        let batch = good(&post(&server, "gemini", CREATE, &body));
        let batch = wait(&server, "gemini", batch["name"].as_str().unwrap());
        assert_eq!(batch["metadata"]["state"], "BATCH_STATE_FAILED");
        assert_eq!(batch["error"]["code"], 3);
        let message = batch["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
        assert_eq!(batch["metadata"].get("output"), None);
    }
}

#[test]
fn a_cancelled_batch_keeps_nothing() {
    let server = slow(|_| {});
    let id = submit(&server, INLINE, &items("gemini", 20));
    advance(&server, 0.5);
    assert_eq!(
        good(&send(
            &server,
            "gemini",
            "POST",
            &format!("{}:cancel", path_of("gemini", &id))
        )),
        json!({})
    );
    advance(&server, 1.0);
    let batch = wait(&server, "gemini", &id);
    assert_eq!(batch["metadata"]["state"], "BATCH_STATE_CANCELLED");
    assert!(results(&server, "gemini", &batch).is_empty());
    let stats = server.stop();
    let stats = &stats.batches["gemini"];
    assert_eq!(stats.answered, 0);
    // What was done before is paid for all the same.
    assert!(stats.billed > 0 && stats.billed < 20, "{stats:?}");
    assert_eq!(stats.errored + stats.cancelled, 20);
}

#[test]
fn tokens_are_enqueued_up_to_a_limit() {
    let server = slow(|batch| batch.enqueued_tokens = Some(30));
    let id = submit(&server, INLINE, &items("gemini", 4));
    let (path, body) = creation(&server, FILE, &items("gemini", 3));
    let refused = post(&server, "gemini", &path, &body);
    assert_eq!(
        (refused.status, &refused.json()["error"]["status"]),
        (429, &json!("RESOURCE_EXHAUSTED"))
    );
    advance(&server, 1.0);
    wait(&server, "gemini", &id);
    let batch = good(&post(&server, "gemini", &path, &body));
    advance(&server, 1.0);
    let batch = wait(&server, "gemini", batch["name"].as_str().unwrap());
    assert_eq!(results(&server, "gemini", &batch).len(), 3);
}

#[test]
fn uploads_are_resumable() {
    let server = server(|batch| batch.max_bytes = Some(10_000));
    let start = |length: &str, command: &str| {
        let call = Call::on(
            "gemini",
            "POST",
            "/upload/v1beta/files",
            r#"{"file":{"display_name":"in"}}"#,
        )
        .with("x-goog-upload-protocol", "resumable")
        .with("x-goog-upload-command", command)
        .with("x-goog-upload-header-content-length", length)
        .with("x-goog-upload-header-content-type", "jsonl");
        server.ask(&call)
    };
    assert_eq!(start("9", "begin").status, 400);
    assert_eq!(start("99999", "start").status, 400);
    let started = start("9", "start");
    assert_eq!(started.header("x-goog-upload-status"), Some("active"));
    let address = started.header("x-goog-upload-url").unwrap();
    assert!(
        address.starts_with("http://sim/gemini/upload/"),
        "{address}"
    );
    let path = address.split_once("/gemini").unwrap().1.to_owned();
    let send_bytes = |bytes: &str, offset: &str, command: &str| {
        let call = Call::on("gemini", "POST", &path, bytes)
            .with("x-goog-upload-offset", offset)
            .with("x-goog-upload-command", command);
        server.ask(&call)
    };
    assert_eq!(send_bytes("12345", "0", "upload").status, 200);
    assert_eq!(send_bytes("6789", "4", "upload, finalize").status, 400);
    let file = good(&send_bytes("6789", "5", "upload, finalize"))["file"].clone();
    assert_eq!(
        (&file["sizeBytes"], &file["mimeType"]),
        (&json!("9"), &json!("jsonl"))
    );
    assert_eq!(file["displayName"], "in");
    let name = file["name"].as_str().unwrap();
    let content = send(
        &server,
        "gemini",
        "GET",
        &format!("/v1beta/{name}:download?alt=media"),
    );
    assert_eq!(content.body, "123456789");
    assert_eq!(
        send_bytes("6789", "5", "upload, finalize").status,
        404,
        "it is finished"
    );
    // One that is shorter than it said.
    let path = start("9", "start")
        .header("x-goog-upload-url")
        .unwrap()
        .to_owned();
    let path = path.split_once("/gemini").unwrap().1.to_owned();
    let short = Call::on("gemini", "POST", &path, "123")
        .with("x-goog-upload-offset", "0")
        .with("x-goog-upload-command", "upload, finalize");
    assert_eq!(server.ask(&short).status, 400);
    let list = good(&send(&server, "gemini", "GET", "/v1beta/files"));
    assert_eq!(list["files"].as_array().unwrap().len(), 1);
}

#[test]
fn lists_are_paged() {
    let server = server(|_| {});
    let mut ids: Vec<String> = (1..=5)
        .map(|n| submit(&server, INLINE, &items("gemini", n)))
        .collect();
    ids.reverse();
    let (mut seen, mut path) = (Vec::new(), "/v1beta/batches?pageSize=2".to_owned());
    loop {
        let list = good(&send(&server, "gemini", "GET", &path));
        let rows = list["operations"].as_array().unwrap();
        seen.extend(
            rows.iter()
                .map(|row| row["name"].as_str().unwrap().to_owned()),
        );
        let Some(token) = list["nextPageToken"].as_str() else {
            break;
        };
        let token = token
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        path = format!("/v1beta/batches?pageSize=2&pageToken={token}");
    }
    assert_eq!(seen, ids);
    assert_eq!(
        send(&server, "gemini", "GET", "/v1beta/batches?pageToken=no").status,
        400
    );
}
