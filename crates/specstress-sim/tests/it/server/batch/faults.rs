//! Everything that goes wrong with batches, and that it ends.

use specstress_sim::{BatchFaults, ServerOptions};
use std::io::ErrorKind;

use serde_json::{Value, json};

use super::shop::{
    WAYS, addition, creation, faulty, good, id_of, items, path_of, post, results, run, send,
    server, submit, wait,
};
use crate::server::client::{Call, Running};

#[test]
fn items_fail_once_and_are_answered_then() {
    let server = faulty(BatchFaults {
        item_failed: 1.0,
        ..BatchFaults::default()
    });
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[4]] {
        let items = items(way.0, 3);
        let (_, first) = run(&server, way, &items);
        let expected = match way.0 {
            "anthropic" => "api_error",
            "openai" => "500",
            _ => "13",
        };
        assert_eq!(first.len(), 3);
        assert!(
            first
                .values()
                .all(|result| *result == Err(expected.to_owned())),
            "{first:?}"
        );
        let (_, second) = run(&server, way, &items);
        assert!(
            second.len() == 3 && second.values().all(Result::is_ok),
            "{way:?}"
        );
    }
    let stats = server.stop();
    let stats = &stats.batches["openai"];
    assert_eq!((stats.errored, stats.answered, stats.billed), (3, 3, 3));
    assert_eq!((stats.same_items, stats.duplicates), (1, 0));
    assert_eq!(stats.faults["item_failed"], 3);
}

#[test]
fn items_expire() {
    let server = faulty(BatchFaults {
        item_expired: 0.5,
        ..BatchFaults::default()
    });
    for (way, expected) in [
        (WAYS[0], "expired"),
        (WAYS[1], "batch_expired"),
        (WAYS[2], "4"),
        (WAYS[4], "4"),
    ] {
        let (batch, results) = run(&server, way, &items(way.0, 20));
        let expired = results
            .values()
            .filter(|result| **result == Err(expected.to_owned()))
            .count();
        assert!(expired > 0 && expired < 20, "{way:?}: {expired}");
        assert_eq!(
            results.values().filter(|result| result.is_ok()).count(),
            20 - expired
        );
        if way.0 == "openai" {
            assert_eq!(batch["status"], "expired");
            assert!(batch["expired_at"].is_u64());
        }
        let stats = server.stats();
        let stats = &stats.batches[way.0];
        assert_eq!(
            (stats.expired, stats.billed),
            (expired as u64, 20 - expired as u64)
        );
    }
}

#[test]
fn batches_expire_with_what_was_done() {
    let server = faulty(BatchFaults {
        expired: 1.0,
        ..BatchFaults::default()
    });
    for way in WAYS {
        // Two ways of one provider must not send the same.
        let count = if way.1 { 21 } else { 20 };
        let items = items(way.0, count);
        let (batch, first) = run(&server, way, &items);
        let answered = first.values().filter(|result| result.is_ok()).count();
        match way.0 {
            "gemini" => {
                assert_eq!(batch["metadata"]["state"], "BATCH_STATE_EXPIRED");
                assert!(first.is_empty());
            }
            "xai" => {
                assert_eq!(batch["state"]["num_success"], answered);
                assert_eq!(first.len(), answered, "the rest has no results");
            }
            _ => assert_eq!(first.len(), count),
        }
        if way.0 == "openai" {
            assert_eq!(batch["status"], "expired");
            assert_eq!(
                batch["request_counts"],
                json!({"total": count, "completed": answered, "failed": count - answered})
            );
        }
        if way.0 != "gemini" {
            assert!((5..=15).contains(&answered), "{way:?}: {answered}");
        }
    }
}

#[test]
fn batches_fail_as_a_whole() {
    let server = faulty(BatchFaults {
        failed: 1.0,
        ..BatchFaults::default()
    });
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[4]] {
        let items = items(way.0, 3);
        let (batch, first) = run(&server, way, &items);
        match way.0 {
            "anthropic" => assert!(
                first
                    .values()
                    .all(|result| *result == Err("api_error".into()))
            ),
            "openai" => assert_eq!((&batch["status"], first.len()), (&json!("failed"), 0)),
            "gemini" => assert_eq!((&batch["error"]["code"], first.len()), (&json!(13), 0)),
            _ => assert!(batch["cancel_by_xai_message"].is_string()),
        }
        let (_, second) = run(&server, way, &items);
        assert!(
            second.len() == 3 && second.values().all(Result::is_ok),
            "{way:?}"
        );
        let stats = server.stats();
        assert_eq!(
            (stats.batches[way.0].errored, stats.batches[way.0].answered),
            (3, 3)
        );
    }
}

#[test]
fn batches_end_without_output() {
    let server = faulty(BatchFaults {
        no_output: 1.0,
        ..BatchFaults::default()
    });
    for way in WAYS {
        let (batch, results) = run(&server, way, &items(way.0, if way.1 { 4 } else { 3 }));
        assert!(results.is_empty(), "{way:?}");
        match way.0 {
            "anthropic" => {
                assert_eq!(
                    (&batch["processing_status"], &batch["results_url"]),
                    (&json!("ended"), &Value::Null)
                );
            }
            "openai" => {
                assert_eq!(batch["status"], "completed");
                assert_eq!(
                    (&batch["output_file_id"], &batch["error_file_id"]),
                    (&Value::Null, &Value::Null)
                );
            }
            "gemini" => {
                assert_eq!(batch["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
                assert_eq!(batch["metadata"].get("output"), None);
            }
            _ => {}
        }
    }
    let stats = server.stop();
    let stats = &stats.batches["anthropic"];
    assert_eq!((stats.answered, stats.billed, stats.errored), (0, 3, 3));
}

#[test]
fn a_dropped_creation_is_made_all_the_same() {
    let server = faulty(BatchFaults {
        create_dropped: 1.0,
        ..BatchFaults::default()
    });
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[4]] {
        let wire = way.0;
        let (path, body) = creation(&server, way, &items(wire, 2));
        let call = Call::on(wire, "POST", &path, &body.to_string());
        let error = server.send(&call).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
            ),
            "{error}"
        );
        let (path, rows) = match wire {
            "anthropic" => ("/v1/messages/batches", "data"),
            "openai" => ("/v1/batches", "data"),
            "gemini" => ("/v1beta/batches", "operations"),
            _ => ("/v1/batches", "batches"),
        };
        let list = good(&send(&server, wire, "GET", path));
        assert_eq!(list[rows].as_array().unwrap().len(), 1, "{wire}");
        let id = id_of(wire, &list[rows][0]);
        if wire != "xai" {
            let batch = wait(&server, wire, &id);
            assert_eq!(results(&server, wire, &batch).len(), 2);
        }
        // Whoever makes it again is heard, and noticed.
        assert_eq!(server.ask(&call).status, 200);
        let stats = server.stats();
        let stats = &stats.batches[wire];
        assert_eq!((stats.created, stats.faults["create_dropped"]), (2, 1));
        assert_eq!(stats.duplicates, u64::from(wire != "xai"), "{wire}");
        assert_eq!(stats.same_label, u64::from(wire != "anthropic"), "{wire}");
    }
}

#[test]
fn a_dropped_addition_is_made_and_cannot_be_made_again() {
    // Seeds are tried until one drops the addition and not the batch.
    for seed in 0.. {
        let mut options = ServerOptions {
            seed,
            ..ServerOptions::default()
        };
        options.batch.faults.create_dropped = 0.5;
        let server = Running::start(options);
        let create = Call::on("xai", "POST", "/v1/batches", r#"{"name":"n"}"#);
        let Ok(made) = server.send(&create) else {
            continue;
        };
        let id = id_of("xai", &good(&made));
        let path = format!("/v1/batches/{id}/requests");
        let add = Call::on(
            "xai",
            "POST",
            &path,
            &addition(&items("xai", 3)).to_string(),
        );
        if server.send(&add).is_ok() {
            continue;
        }
        let batch = good(&send(&server, "xai", "GET", &path_of("xai", &id)));
        assert_eq!(batch["state"]["num_requests"], 3);
        let again = server.ask(&add);
        assert_eq!(again.status, 400);
        assert!(again.body.contains("comes twice"), "{}", again.body);
        assert_eq!(server.stop().batches["xai"].items, 3);
        return;
    }
}

#[test]
fn polls_are_answered_503_but_not_for_ever() {
    let server = faulty(BatchFaults {
        unavailable: 1.0,
        ..BatchFaults::default()
    });
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[4]] {
        let wire = way.0;
        let id = submit(&server, way, &items(wire, 2));
        let path = path_of(wire, &id);
        let statuses: Vec<u16> = (0..8)
            .map(|_| send(&server, wire, "GET", &path).status)
            .collect();
        assert_eq!(statuses, [503, 503, 503, 200, 503, 503, 503, 200], "{wire}");
        let batch = wait(&server, wire, &id);
        assert_eq!(results(&server, wire, &batch).len(), 2);
    }
}

#[test]
fn downloads_break_off_but_not_for_ever() {
    let server = faulty(BatchFaults {
        download_cut: 1.0,
        ..BatchFaults::default()
    });
    for way in [WAYS[0], WAYS[1], WAYS[3], WAYS[4]] {
        let (_, results) = run(&server, way, &items(way.0, 9));
        assert_eq!(results.len(), 9, "{way:?}");
        assert!(server.stats().batches[way.0].faults["download_cut"] >= 3);
    }
}

#[test]
fn faults_repeat() {
    let once = |seed| {
        let mut options = ServerOptions {
            seed,
            ..ServerOptions::default()
        };
        options.batch.delay_ms = 20;
        options.batch.faults = BatchFaults {
            item_failed: 0.3,
            item_expired: 0.2,
            ..BatchFaults::default()
        };
        let server = Running::start(options);
        let (_, results) = run(&server, WAYS[0], &items("anthropic", 30));
        results
            .into_iter()
            .map(|(id, result)| (id, result.err()))
            .collect::<Vec<_>>()
    };
    assert_eq!(once(1), once(1));
    assert_ne!(once(1), once(2));
}

#[test]
fn stats_can_be_asked_for_while_it_serves() {
    let server = server(|_| {});
    run(&server, WAYS[0], &items("anthropic", 2));
    let stats = server
        .ask(&Call::get("/specstress/stats", ("x", "y")))
        .json();
    assert_eq!(stats["batches"]["anthropic"]["answered"], 2);
    assert_eq!(stats["batches"]["anthropic"]["billed"], 2);
    assert_eq!(
        post(&server, "openai", "/v1/batches", &json!({})).status,
        400
    );
}
