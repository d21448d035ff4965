use serde_json::{Value, json};

use super::shop::{
    Way, advance, good, items, path_of, post, rows, run, send, server, slow, submit, wait,
};
use crate::server::client::Call;

const WAY: Way = Way("anthropic", false);
const PATH: &str = "/v1/messages/batches";

#[test]
fn counts_wait_for_the_end() {
    let server = slow(|_| {});
    let mut all = items("anthropic", 4);
    all[0].1["model"] = "nobody".into();
    let id = submit(&server, WAY, &all);
    let path = path_of("anthropic", &id);
    let early = good(&send(&server, "anthropic", "GET", &path));
    assert_eq!(early["type"], "message_batch");
    assert_eq!(early["processing_status"], "in_progress");
    assert_eq!(
        early["request_counts"],
        json!({"processing": 4, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0})
    );
    assert_eq!(
        (&early["ended_at"], &early["results_url"]),
        (&Value::Null, &Value::Null)
    );
    let results = send(&server, "anthropic", "GET", &format!("{path}/results"));
    assert_eq!(
        (results.status, &results.json()["error"]["type"]),
        (404, &json!("not_found_error"))
    );
    assert_eq!(send(&server, "anthropic", "DELETE", &path).status, 400);
    advance(&server, 0.5);
    // Half of it is done by now, and nothing of that is told.
    let early = good(&send(&server, "anthropic", "GET", &path));
    assert_eq!(early["request_counts"]["processing"], 4);
    advance(&server, 0.5);
    let late = wait(&server, "anthropic", &id);
    assert_eq!(
        late["request_counts"],
        json!({"processing": 0, "succeeded": 3, "errored": 1, "canceled": 0, "expired": 0})
    );
    let address = late["results_url"].as_str().unwrap();
    assert_eq!(address, format!("http://sim/anthropic{path}/results"));
    assert!(late["ended_at"].as_str().unwrap().ends_with('Z'));
    let cancel = send(&server, "anthropic", "POST", &format!("{path}/cancel"));
    assert_eq!(cancel.status, 400);
    let gone = good(&send(&server, "anthropic", "DELETE", &path));
    assert_eq!(gone, json!({"id": id, "type": "message_batch_deleted"}));
    assert_eq!(send(&server, "anthropic", "GET", &path).status, 404);
}

#[test]
fn a_cancelled_batch_keeps_what_was_done() {
    let server = slow(|_| {});
    let id = submit(&server, WAY, &items("anthropic", 40));
    advance(&server, 0.5);
    let path = path_of("anthropic", &id);
    let told = good(&send(
        &server,
        "anthropic",
        "POST",
        &format!("{path}/cancel"),
    ));
    assert_eq!(told["processing_status"], "canceling");
    assert!(told["cancel_initiated_at"].is_string());
    advance(&server, 1.0);
    let batch = wait(&server, "anthropic", &id);
    let results = super::shop::results(&server, "anthropic", &batch);
    let canceled = results
        .values()
        .filter(|result| **result == Err("canceled".into()))
        .count();
    assert_eq!(results.len(), 40);
    assert!(canceled > 0 && canceled < 40, "{canceled}");
    assert_eq!(batch["request_counts"]["canceled"], canceled);
    let stats = server.stop();
    let stats = &stats.batches["anthropic"];
    assert_eq!((stats.cancels, stats.cancelled), (1, canceled as u64));
    assert_eq!(
        (stats.billed, stats.answered),
        (40 - canceled as u64, 40 - canceled as u64)
    );
}

#[test]
fn creations_are_checked() {
    let server = server(|batch| (batch.max_requests, batch.max_bytes) = (Some(2), Some(2_000)));
    let create = |requests: Value| post(&server, "anthropic", PATH, &json!({"requests": requests}));
    let one = |id: &str| json!({"custom_id": id, "params": {}});
    for (requests, told) in [
        (json!([one("a"), one("a")]), "comes twice"),
        (json!([one("a"), one("b c")]), "requests.1.custom_id"),
        (json!([one("")]), "should match"),
        (json!([one(&"x".repeat(65))]), "should match"),
        (json!([one("a"), one("b"), one("c")]), "at most 2"),
        (json!([]), "at least one"),
        (json!([{"custom_id": "a"}]), "missing field `params`"),
        (
            json!([{"custom_id": "a", "params": {}, "name": "b"}]),
            "unknown field `name`",
        ),
        (json!("no"), "not as it must be"),
    ] {
        let reply = create(requests);
        assert_eq!(reply.status, 400, "{}", reply.body);
        let body = reply.json();
        assert_eq!(body["error"]["type"], "invalid_request_error");
        let message = body["error"]["message"].as_str().unwrap().to_lowercase();
        assert!(message.contains(&told.to_lowercase()), "{message}");
    }
    let large = create(json!([one(&"x".repeat(70_000))]));
    assert_eq!(
        (large.status, &large.json()["error"]["type"]),
        (413, &json!("request_too_large"))
    );
    let mut call = Call::on(
        "anthropic",
        "POST",
        PATH,
        &json!({"requests": [one("a")]}).to_string(),
    );
    call.headers
        .retain(|(name, _)| *name != "anthropic-version");
    assert_eq!(server.ask(&call).status, 400);
    let stats = server.stop();
    assert_eq!(
        (
            stats.batches["anthropic"].created,
            stats.batches["anthropic"].rejected
        ),
        (0, 11)
    );
}

#[test]
fn lists_are_paged_both_ways() {
    let server = server(|_| {});
    let mut ids: Vec<String> = (1..=5)
        .map(|n| submit(&server, WAY, &items("anthropic", n)))
        .collect();
    ids.reverse();
    let list = |query: &str| {
        let list = good(&send(
            &server,
            "anthropic",
            "GET",
            &format!("{PATH}{query}"),
        ));
        let rows = list["data"].as_array().unwrap();
        let rows: Vec<String> = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap().into())
            .collect();
        assert_eq!(list["first_id"].as_str(), rows.first().map(String::as_str));
        assert_eq!(list["last_id"].as_str(), rows.last().map(String::as_str));
        (rows, list["has_more"].as_bool().unwrap())
    };
    assert_eq!(list(""), (ids.clone(), false));
    assert_eq!(list("?limit=2"), (ids[..2].to_vec(), true));
    assert_eq!(
        list(&format!("?limit=2&after_id={}", ids[1])),
        (ids[2..4].to_vec(), true)
    );
    assert_eq!(
        list(&format!("?limit=2&after_id={}", ids[3])),
        (ids[4..].to_vec(), false)
    );
    assert_eq!(
        list(&format!("?limit=2&before_id={}", ids[4])),
        (ids[2..4].to_vec(), true)
    );
    assert_eq!(
        list(&format!("?limit=2&before_id={}", ids[1])),
        (ids[..1].to_vec(), false)
    );
    assert_eq!(
        send(&server, "anthropic", "GET", &format!("{PATH}?limit=0")).status,
        400
    );
    assert_eq!(
        send(&server, "anthropic", "GET", &format!("{PATH}?after_id=no")).status,
        404
    );
}

#[test]
fn errors_of_items_are_whole_error_bodies() {
    let server = server(|_| {});
    let mut all = items("anthropic", 1);
    all[0].1["stream"] = true.into();
    let (batch, _) = run(&server, WAY, &all);
    let path = format!(
        "{}/results",
        path_of("anthropic", batch["id"].as_str().unwrap())
    );
    let row = rows(&send(&server, "anthropic", "GET", &path).body)
        .next()
        .unwrap();
    let error = &row["result"]["error"];
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"]["type"], "invalid_request_error");
    assert!(error["request_id"].is_string());
}
