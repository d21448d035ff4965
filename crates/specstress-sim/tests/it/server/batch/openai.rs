use serde_json::{Value, json};

use super::shop::{
    Way, advance, creation, form, good, items, jsonl, path_of, post, read, results, rows, run,
    send, server, slow, submit, until, upload, wait,
};

const WAY: Way = Way("openai", true);

#[test]
fn a_batch_goes_through_its_states() {
    let server = slow(|_| {});
    let id = submit(&server, WAY, &items("openai", 5));
    let is = |status: &'static str| {
        let batch = until(&server, "openai", &id, |batch| batch["status"] == status);
        assert!(status == "completed" || batch["output_file_id"].is_null());
        batch
    };
    is("validating");
    advance(&server, 0.5);
    let batch = is("in_progress");
    let done = batch["request_counts"]["completed"].as_u64().unwrap();
    assert!((1..5).contains(&done), "{done}");
    advance(&server, 0.45);
    is("finalizing");
    advance(&server, 0.1);
    let batch = is("completed");
    assert_eq!(
        batch["request_counts"],
        json!({"total": 5, "completed": 5, "failed": 0})
    );
    assert_eq!(
        (&batch["model"], &batch["error_file_id"]),
        (&json!("birch_main"), &Value::Null)
    );
    assert_eq!(batch["metadata"], json!({"tag": "t"}));
    let results = results(&server, "openai", &batch);
    let sum = |field: &str| -> u64 {
        let bodies = results.values().map(|result| result.as_ref().unwrap());
        bodies
            .map(|body| body["usage"][field].as_u64().unwrap())
            .sum()
    };
    assert_eq!(batch["usage"]["input_tokens"], sum("prompt_tokens"));
    assert_eq!(batch["usage"]["output_tokens"], sum("completion_tokens"));
    assert_eq!(batch["usage"]["total_tokens"], sum("total_tokens"));
    let cancel = send(
        &server,
        "openai",
        "POST",
        &format!("{}/cancel", path_of("openai", &id)),
    );
    assert_eq!(cancel.status, 409);
    assert!(cancel.body.contains("completed"));
}

#[test]
fn failures_are_in_a_file_of_their_own() {
    let server = server(|_| {});
    let mut all = items("openai", 4);
    all[2].1["messages"] = json!([]);
    let (batch, results) = run(&server, WAY, &all);
    assert_eq!(batch["status"], "completed");
    assert_eq!(
        batch["request_counts"],
        json!({"total": 4, "completed": 3, "failed": 1})
    );
    assert_eq!(results["item-2"], Err("400".to_owned()));
    let file = batch["error_file_id"].as_str().unwrap();
    let row = rows(&read(&server, "openai", &format!("/v1/files/{file}/content")).body)
        .next()
        .unwrap();
    assert_eq!(
        (&row["custom_id"], &row["error"]),
        (&json!("item-2"), &Value::Null)
    );
    assert_eq!(
        row["response"]["body"]["error"]["type"],
        "invalid_request_error"
    );
    let told = good(&send(
        &server,
        "openai",
        "GET",
        &format!("/v1/files/{file}"),
    ));
    assert_eq!(
        (&told["object"], &told["purpose"]),
        (&json!("file"), &json!("batch_output"))
    );
    // A model that is not there fails item by item.
    let mut all = items("openai", 3);
    for item in &mut all {
        item.1["model"] = "nobody".into();
    }
    let (batch, results) = run(&server, WAY, &all);
    assert_eq!(batch["output_file_id"], Value::Null);
    assert!(
        results
            .values()
            .all(|result| *result == Err("404".to_owned()))
    );
}

#[test]
fn bad_files_fail_in_their_validation() {
    let server = server(|batch| batch.max_requests = Some(3));
    let good_line = jsonl("openai", &items("openai", 1));
    let line = |change: fn(&mut Value)| {
        let mut line: Value = serde_json::from_str(&good_line).unwrap();
        line["custom_id"] = "other".into();
        change(&mut line);
        format!("{good_line}\n{line}\n")
    };
    for (file, code, at) in [
        (
            format!("{good_line}{{\"custom_id\":"),
            "invalid_json_line",
            json!(2),
        ),
        (
            line(|line| drop(line.as_object_mut().unwrap().remove("body"))),
            "missing_required_parameter",
            json!(3),
        ),
        (
            line(|line| line["custom_id"] = "item-0".into()),
            "duplicate_custom_id",
            json!(3),
        ),
        (
            line(|line| line["body"]["model"] = "birch_mini".into()),
            "mismatched_model",
            json!(3),
        ),
        (
            line(|line| line["url"] = "/v1/responses".into()),
            "mismatched_endpoint",
            json!(3),
        ),
        (
            line(|line| line["method"] = "GET".into()),
            "invalid_method",
            json!(3),
        ),
        ("\n\n".to_owned(), "empty_file", Value::Null),
        (
            jsonl("openai", &items("openai", 4)),
            "too_many_tasks",
            Value::Null,
        ),
    ] {
        let file = upload(&server, "openai", &file);
        let create = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
        let made = good(&post(&server, "openai", "/v1/batches", &create));
        assert_eq!(made["status"], "validating", "{code}");
        let batch = wait(&server, "openai", made["id"].as_str().unwrap());
        assert_eq!(batch["status"], "failed");
        assert!(batch["failed_at"].is_u64());
        let errors = &batch["errors"]["data"];
        assert_eq!(
            (&errors[0]["code"], &errors[0]["line"]),
            (&json!(code), &at),
            "{errors}"
        );
        assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
        assert_eq!(batch["request_counts"]["total"], 0);
        // The file is kept, to be looked at.
        assert_eq!(
            send(
                &server,
                "openai",
                "GET",
                &format!("/v1/files/{file}/content")
            )
            .status,
            200
        );
    }
}

#[test]
fn tokens_are_enqueued_up_to_a_limit() {
    let probe = server(|_| {});
    let (batch, _) = run(&probe, WAY, &items("openai", 4));
    let tokens = batch["usage"]["input_tokens"].as_u64().unwrap();
    drop(probe.stop());
    let server = slow(|batch| batch.enqueued_tokens = Some(tokens + 1));
    let first = submit(&server, WAY, &items("openai", 4));
    advance(&server, 0.2);
    until(&server, "openai", &first, |batch| {
        batch["status"] == "in_progress"
    });
    let (path, body) = creation(&server, WAY, &items("openai", 3));
    let second = good(&post(&server, "openai", &path, &body));
    advance(&server, 0.2);
    let second = wait(&server, "openai", second["id"].as_str().unwrap());
    assert_eq!(second["errors"]["data"][0]["code"], "token_limit_exceeded");
    advance(&server, 0.6);
    assert_eq!(wait(&server, "openai", &first)["status"], "completed");
    // The file was not used up, and now there is room.
    let third = good(&post(&server, "openai", &path, &body));
    advance(&server, 1.0);
    let third = wait(&server, "openai", third["id"].as_str().unwrap());
    assert_eq!(third["status"], "completed");
    assert_eq!(server.stop().batches["openai"].duplicates, 0);
}

#[test]
fn a_cancelled_batch_has_files_of_what_was_done() {
    let server = slow(|_| {});
    let id = submit(&server, WAY, &items("openai", 40));
    advance(&server, 0.5);
    let path = path_of("openai", &id);
    let told = good(&send(&server, "openai", "POST", &format!("{path}/cancel")));
    assert_eq!(told["status"], "cancelling");
    advance(&server, 1.0);
    let batch = wait(&server, "openai", &id);
    assert_eq!(batch["status"], "cancelled");
    assert!(batch["cancelling_at"].is_u64() && batch["cancelled_at"].is_u64());
    let results = results(&server, "openai", &batch);
    let done = batch["request_counts"]["completed"].as_u64().unwrap();
    assert!(done > 0 && done < 40);
    assert_eq!(results.len() as u64, done);
    assert!(results.values().all(Result::is_ok));
}

#[test]
fn uploads_and_creations_are_checked() {
    let server = server(|batch| batch.max_bytes = Some(100_000));
    let text = jsonl("openai", &items("openai", 1));
    let batch = [("purpose", "batch")];
    for (call, status, told) in [
        (form("openai", "in.jsonl", &[], &text), 400, "purpose"),
        (
            form("openai", "in.jsonl", &[("purpose", "fun")], &text),
            400,
            "fun",
        ),
        (
            form("openai", "in.txt", &batch, &text),
            400,
            "Must be .jsonl",
        ),
        (form("openai", "in.jsonl", &batch, ""), 400, "empty"),
        (
            form("openai", "in.jsonl", &batch, &"x".repeat(110_000)),
            413,
            "100000 bytes",
        ),
        (
            form("openai", "in.jsonl", &batch, &text).with_body("{}"),
            400,
            "boundary",
        ),
    ] {
        let reply = server.ask(&call);
        assert_eq!(reply.status, status, "{}", reply.body);
        assert!(reply.body.contains(told), "{}", reply.body);
    }
    let file = upload(&server, "openai", &text);
    let create = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
        change(&mut body);
        post(&server, "openai", "/v1/batches", &body)
    };
    let pairs: serde_json::Map<String, Value> =
        (0..17).map(|n| (n.to_string(), json!("v"))).collect();
    for (reply, status, told) in [
        (
            create(&|body| body["endpoint"] = "/v1/images".into()),
            400,
            "endpoint",
        ),
        (
            create(&|body| body["completion_window"] = "1h".into()),
            400,
            "24h",
        ),
        (
            create(&|body| body["metadata"] = json!({"a": 1})),
            400,
            "strings",
        ),
        (
            create(&|body| body["metadata"] = json!({"k".repeat(65): "v"})),
            400,
            "64",
        ),
        (
            create(&|body| body["metadata"] = json!({"k": "v".repeat(513)})),
            400,
            "512",
        ),
        (
            create(&|body| body["metadata"] = pairs.clone().into()),
            400,
            "16 pairs",
        ),
        (create(&|body| body["name"] = "n".into()), 400, "name"),
        (
            create(&|body| {
                body["output_expires_after"] = json!({"anchor": "created_at", "seconds": 1});
            }),
            400,
            "3600",
        ),
        (
            create(&|body| body["input_file_id"] = "file-no".into()),
            404,
            "No such File",
        ),
    ] {
        assert_eq!(reply.status, status, "{}", reply.body);
        let message = reply.json()["error"]["message"].to_string();
        assert!(message.contains(told), "{message}");
    }
    let other = good(&server.ask(&form(
        "openai",
        "in.jsonl",
        &[("purpose", "user_data")],
        &text,
    )));
    let wrong = create(&|body| body["input_file_id"] = other["id"].clone());
    assert_eq!(wrong.json()["error"]["param"], "input_file_id");
}

#[test]
fn files_are_kept_until_they_are_read_or_deleted() {
    let server = server(|_| {});
    let all = items("openai", 2);
    let file = upload(&server, "openai", &jsonl("openai", &all));
    let told = good(&send(
        &server,
        "openai",
        "GET",
        &format!("/v1/files/{file}"),
    ));
    assert_eq!(
        (&told["filename"], &told["status"]),
        (&json!("in.jsonl"), &json!("processed"))
    );
    let content = send(
        &server,
        "openai",
        "GET",
        &format!("/v1/files/{file}/content"),
    );
    assert_eq!(content.body, jsonl("openai", &all));
    let create = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let batch = good(&post(&server, "openai", "/v1/batches", &create));
    let first = wait(&server, "openai", batch["id"].as_str().unwrap());
    assert_eq!(
        send(
            &server,
            "openai",
            "GET",
            &format!("/v1/files/{file}/content")
        )
        .status,
        404
    );
    // Another batch of the same file still works, as at the provider.
    let batch = good(&post(&server, "openai", "/v1/batches", &create));
    let second = wait(&server, "openai", batch["id"].as_str().unwrap());
    assert_eq!(
        results(&server, "openai", &first),
        results(&server, "openai", &second)
    );
    let list = good(&send(&server, "openai", "GET", "/v1/files?purpose=batch"));
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let all_files = good(&send(&server, "openai", "GET", "/v1/files"));
    assert_eq!(all_files["data"].as_array().unwrap().len(), 3);
    let gone = good(&send(
        &server,
        "openai",
        "DELETE",
        &format!("/v1/files/{file}"),
    ));
    assert_eq!(gone, json!({"id": file, "object": "file", "deleted": true}));
    assert_eq!(
        send(&server, "openai", "GET", &format!("/v1/files/{file}")).status,
        404
    );
    let stats = server.stop();
    assert_eq!(
        (
            stats.batches["openai"].uploads,
            stats.batches["openai"].duplicates
        ),
        (1, 1)
    );
}

#[test]
fn responses_and_embeddings_are_batched_too() {
    let server = server(|_| {});
    let line = |id: &str, url: &str, body: &Value| {
        format!(
            "{}\n",
            json!({"custom_id": id, "method": "POST", "url": url, "body": body})
        )
    };
    for (url, body) in [
        (
            "/v1/responses",
            json!({"model": "birch_main", "input": "Should I tell them?"}),
        ),
        (
            "/v1/embeddings",
            json!({"model": "embedder", "input": ["a", "b"], "dimensions": 16}),
        ),
    ] {
        let file = upload(&server, "openai", &line("r", url, &body));
        let create = json!({"input_file_id": file, "endpoint": url, "completion_window": "24h"});
        let batch = good(&post(&server, "openai", "/v1/batches", &create));
        let batch = wait(&server, "openai", batch["id"].as_str().unwrap());
        let results = results(&server, "openai", &batch);
        let answer = good(&post(&server, "openai", url, &body));
        assert_eq!(results["r"], Ok(answer), "{url}");
    }
}

#[test]
fn lists_are_paged() {
    let server = server(|_| {});
    let mut ids: Vec<String> = (1..=5)
        .map(|n| submit(&server, WAY, &items("openai", n)))
        .collect();
    ids.reverse();
    let list = |query: &str| {
        let list = good(&send(
            &server,
            "openai",
            "GET",
            &format!("/v1/batches{query}"),
        ));
        assert_eq!(list["object"], "list");
        let rows = list["data"].as_array().unwrap();
        let rows: Vec<String> = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap().into())
            .collect();
        (rows, list["has_more"].as_bool().unwrap())
    };
    assert_eq!(list(""), (ids.clone(), false));
    assert_eq!(list("?limit=3"), (ids[..3].to_vec(), true));
    assert_eq!(
        list(&format!("?limit=3&after={}", ids[2])),
        (ids[3..].to_vec(), false)
    );
    assert_eq!(
        send(&server, "openai", "GET", "/v1/batches?limit=101").status,
        400
    );
    assert_eq!(
        send(&server, "openai", "GET", "/v1/batches?after=no").status,
        404
    );
    // Without the name of the wire, the common paths are OpenAI's.
    let plain = crate::server::client::Call::get("/v1/batches", ("authorization", "Bearer k"));
    assert_eq!(
        server.ask(&plain).json()["data"].as_array().unwrap().len(),
        5
    );
}
