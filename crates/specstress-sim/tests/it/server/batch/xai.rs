use serde_json::{Value, json};

use super::shop::{
    Way, addition, advance, good, items, jsonl, path_of, post, results, run, send, server, slow,
    submit, until, upload, wait,
};

const FILE: Way = Way("xai", true);

#[test]
fn a_batch_is_filled_by_and_by() {
    let server = slow(|_| {});
    let made = good(&post(&server, "xai", "/v1/batches", &json!({"name": "n"})));
    let id = made["batch_id"].as_str().unwrap().to_owned();
    assert_eq!(made.get("status"), None, "there is none on this wire");
    assert_eq!(
        made["state"],
        json!({"num_requests": 0, "num_pending": 0, "num_success": 0, "num_error": 0, "num_cancelled": 0})
    );
    assert_eq!(
        made["create_time"].as_str().unwrap().len(),
        10,
        "a bare day"
    );
    let all = items("xai", 10);
    let path = format!("/v1/batches/{id}/requests");
    assert_eq!(
        good(&post(&server, "xai", &path, &addition(&all[..4].to_vec()))),
        json!({})
    );
    let early = good(&send(&server, "xai", "GET", &path_of("xai", &id)));
    assert_eq!(
        (
            &early["state"]["num_requests"],
            &early["state"]["num_pending"]
        ),
        (&json!(4), &json!(4))
    );
    // The same id again, in the batch or in the addition.
    assert_eq!(
        post(&server, "xai", &path, &addition(&all[3..5].to_vec())).status,
        400
    );
    let twice = vec![all[5].clone(), all[5].clone()];
    let refused = post(&server, "xai", &path, &addition(&twice));
    assert_eq!(refused.status, 400);
    let body = refused.json();
    assert_eq!(body["code"], "Client specified an invalid argument");
    assert!(body["error"].as_str().unwrap().contains("comes twice"));
    good(&post(&server, "xai", &path, &addition(&all[4..].to_vec())));
    let known = good(&send(&server, "xai", "GET", &format!("{path}?limit=6")));
    assert_eq!(known["batch_request_metadata"].as_array().unwrap().len(), 6);
    assert!(known["pagination_token"].is_string());
    advance(&server, 1.0);
    let late = wait(&server, "xai", &id);
    assert_eq!(late["state"]["num_success"], 10);
    assert_eq!(
        (&late["cancel_time"], &late["cancel_by_xai_message"]),
        (&Value::Null, &Value::Null)
    );
    let results = results(&server, "xai", &late);
    assert_eq!(results.len(), 10);
    let ticks: u64 = results
        .values()
        .map(|result| {
            result.as_ref().unwrap()["usage"]["cost_in_usd_ticks"]
                .as_u64()
                .unwrap()
        })
        .sum();
    assert_eq!(late["cost_breakdown"]["total_cost_usd_ticks"], ticks);
    let known = good(&send(&server, "xai", "GET", &path));
    let rows = known["batch_request_metadata"].as_array().unwrap();
    assert!(
        rows.iter()
            .all(|row| row["state"] == "succeeded" && row["model"] == "dune_max")
    );
    let stats = server.stop();
    assert_eq!(
        (stats.batches["xai"].created, stats.batches["xai"].items),
        (1, 10)
    );
}

#[test]
fn results_come_while_it_runs_and_pages_hold() {
    let server = slow(|_| {});
    let id = submit(&server, Way("xai", false), &items("xai", 40));
    advance(&server, 0.5);
    until(&server, "xai", &id, |batch| {
        batch["state"]["num_pending"] != 40
    });
    let path = format!("/v1/batches/{id}/results?limit=1000");
    let ids = || {
        let page = good(&send(&server, "xai", "GET", &path));
        let rows = page["results"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["batch_request_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let early = ids();
    assert!(!early.is_empty() && early.len() < 40, "{}", early.len());
    advance(&server, 0.5);
    wait(&server, "xai", &id);
    let late = ids();
    assert_eq!(late.len(), 40);
    assert_eq!(late[..early.len()], early[..]);
    let raw = send(
        &server,
        "xai",
        "GET",
        &format!("/v1/batches/{id}/results?limit=3"),
    );
    let token = raw.json()["pagination_token"].as_str().unwrap().to_owned();
    let bare = format!("/v1/batches/{id}/results?limit=3&pagination_token={token}");
    assert_eq!(
        send(&server, "xai", "GET", &bare).status,
        400,
        "the token must be encoded"
    );
    assert_eq!(
        send(
            &server,
            "xai",
            "GET",
            &format!("/v1/batches/{id}/results?limit=1001")
        )
        .status,
        400
    );
}

#[test]
fn a_cancelled_batch_has_no_results_of_the_rest() {
    let server = slow(|_| {});
    let id = submit(&server, Way("xai", false), &items("xai", 40));
    advance(&server, 0.5);
    until(&server, "xai", &id, |batch| {
        batch["state"]["num_pending"] != 40
    });
    let told = good(&send(
        &server,
        "xai",
        "POST",
        &format!("/v1/batches/{id}:cancel"),
    ));
    assert!(told["cancel_time"].is_string());
    assert_eq!(told["cancel_by_xai_message"], Value::Null);
    // It takes its time to stop, but does nothing more.
    advance(&server, 0.4);
    let early = good(&send(&server, "xai", "GET", &path_of("xai", &id)));
    assert_ne!(early["state"]["num_pending"], 0);
    advance(&server, 0.6);
    let late = wait(&server, "xai", &id);
    let state = &late["state"];
    let (done, cancelled) = (
        state["num_success"].as_u64().unwrap(),
        state["num_cancelled"].as_u64().unwrap(),
    );
    assert!(
        done > 0 && cancelled > 0 && done + cancelled == 40,
        "{state}"
    );
    assert_eq!(results(&server, "xai", &late).len() as u64, done);
    assert_eq!(early["state"]["num_success"], done);
    let more = post(
        &server,
        "xai",
        &format!("/v1/batches/{id}/requests"),
        &addition(&items("xai", 41)),
    );
    assert_eq!(more.status, 400);
}

#[test]
fn bad_files_are_rejected_by_xai() {
    let server = server(|_| {});
    let good_line = jsonl("xai", &items("xai", 1));
    for (text, told) in [
        (format!("{good_line}no\n"), "line 2"),
        (format!("{good_line}{good_line}"), "twice"),
        ("\n".to_owned(), "no requests"),
    ] {
        let file = upload(&server, "xai", &text);
        let made = good(&post(
            &server,
            "xai",
            "/v1/batches",
            &json!({"name": "n", "input_file_id": file}),
        ));
        let batch = wait(&server, "xai", made["batch_id"].as_str().unwrap());
        assert!(batch["cancel_time"].is_string());
        let message = batch["cancel_by_xai_message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
        assert_eq!(batch["state"]["num_requests"], 0);
        assert!(results(&server, "xai", &batch).is_empty());
    }
}

#[test]
fn files_may_hold_several_models_and_have_no_purpose() {
    let server = server(|_| {});
    let mut all = items("xai", 3);
    all[1].1["model"] = "judge_alder".into();
    let (batch, results) = run(&server, FILE, &all);
    assert_eq!(batch["state"]["num_success"], 3);
    assert_eq!(results["item-1"].as_ref().unwrap()["model"], "judge_alder");
    let file = batch["input_file_id"].as_str().unwrap();
    let told = good(&send(&server, "xai", "GET", &format!("/v1/files/{file}")));
    assert_eq!(told.get("purpose"), None);
    assert!(file.starts_with("file_"));
}

#[test]
fn creations_are_checked_and_lists_paged() {
    let server = server(|batch| batch.max_requests = Some(2));
    for (body, status) in [
        (json!({}), 400),
        (json!({"name": ""}), 400),
        (json!({"name": "n", "endpoint": "e"}), 400),
        (json!({"name": "n", "input_file_id": "file_no"}), 404),
    ] {
        assert_eq!(
            post(&server, "xai", "/v1/batches", &body).status,
            status,
            "{body}"
        );
    }
    let mut id = String::new();
    for n in 0..5 {
        let body = json!({"name": format!("n{n}")});
        let made = good(&post(&server, "xai", "/v1/batches", &body));
        made["batch_id"].as_str().unwrap().clone_into(&mut id);
    }
    let path = format!("/v1/batches/{id}/requests");
    for body in [
        addition(&items("xai", 3)),
        addition(&Vec::new()),
        json!({"batch_requests": [{"batch_request_id": "a", "batch_request": {"other": {}}}]}),
    ] {
        assert_eq!(post(&server, "xai", &path, &body).status, 400, "{body}");
    }
    let first = good(&send(&server, "xai", "GET", "/v1/batches?limit=3"));
    let names: Vec<&str> = first["batches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["n4", "n3", "n2"]);
    let token = first["pagination_token"].as_str().unwrap();
    let token = token
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let rest = good(&send(
        &server,
        "xai",
        "GET",
        &format!("/v1/batches?limit=3&pagination_token={token}"),
    ));
    assert_eq!(rest["batches"].as_array().unwrap().len(), 2);
    assert_eq!(rest["pagination_token"], Value::Null);
}
