//! What holds for every provider.

use proptest::prelude::*;
use serde_json::Value;
use specstress_sim::{BatchFaults, BatchOptions, ServerOptions};

use super::shop::{
    SLOW_MS, WAYS, Way, advance, body, creation, good, id_of, items, live, path_of, post, read,
    results, rows, run, send, server, slow, submit, text_of, wait,
};
use crate::server::client::{Call, Running};

#[test]
fn a_batch_says_what_live_calls_say() {
    let server = server(|_| {});
    for way in WAYS {
        let wire = way.0;
        let items = items(wire, 9);
        let (_, results) = run(&server, way, &items);
        assert_eq!(results.len(), 9, "{way:?}");
        for (id, body) in &items {
            let batched = results[id].as_ref().unwrap();
            let live = live(&server, wire, body).json();
            assert_eq!(text_of(wire, batched), text_of(wire, &live), "{way:?}");
            match wire {
                "anthropic" => assert_eq!(batched["usage"]["service_tier"], "batch"),
                "xai" => {
                    let ticks = |body: &Value| body["usage"]["cost_in_usd_ticks"].as_u64().unwrap();
                    assert_eq!(ticks(batched), ticks(&live) / 5 * 4);
                }
                _ => assert_eq!(batched, &live),
            }
        }
    }
    let stats = server.stop();
    for wire in ["anthropic", "openai", "gemini", "xai"] {
        let batches = &stats.batches[wire];
        let ways = WAYS.iter().filter(|way| way.0 == wire).count() as u64;
        assert_eq!((batches.created, batches.items), (ways, 9 * ways), "{wire}");
        assert_eq!((batches.answered, batches.billed), (9 * ways, 9 * ways));
        // The second way sends the same items again.
        assert_eq!(batches.answered_again, 9 * (ways - 1), "{wire}");
        assert_eq!(batches.duplicates, ways - 1, "{wire}");
    }
    // Each item was asked live too, twice where it was batched twice.
    assert_eq!(stats.answered_live_and_in_batch, 9 * 6 + 9 * 2);
}

#[test]
fn results_are_in_an_order_of_their_own_but_for_gemini_inline() {
    let server = server(|_| {});
    for way in WAYS {
        let items = items(way.0, 30);
        let id = submit(&server, way, &items);
        let batch = wait(&server, way.0, &id);
        let (path, key) = match way {
            Way("anthropic", _) => (
                format!("{}/results", path_of("anthropic", &id)),
                "custom_id",
            ),
            Way("openai", _) => {
                let file = batch["output_file_id"].as_str().unwrap();
                (format!("/v1/files/{file}/content"), "custom_id")
            }
            Way("gemini", true) => {
                let file = batch["metadata"]["output"]["responsesFile"]
                    .as_str()
                    .unwrap();
                (format!("/download/v1beta/{file}:download?alt=media"), "key")
            }
            Way("gemini", _) => {
                let inlined = batch["response"]["inlinedResponses"]["inlinedResponses"].clone();
                let ids = inlined.as_array().unwrap().iter();
                let ids: Vec<_> = ids
                    .map(|row| row["metadata"]["key"].as_str().unwrap())
                    .collect();
                assert_eq!(ids, items.iter().map(|(id, _)| id).collect::<Vec<_>>());
                continue;
            }
            _ => (
                format!("{}/results", path_of("xai", &id)),
                "batch_request_id",
            ),
        };
        let reply = read(&server, way.0, &path);
        let ids: Vec<String> = match way.0 {
            "xai" => {
                let page = reply.json();
                let rows = page["results"].as_array().unwrap().clone();
                rows.iter()
                    .map(|row| row[key].as_str().unwrap().to_owned())
                    .collect()
            }
            _ => rows(&reply.body)
                .map(|row| row[key].as_str().unwrap().to_owned())
                .collect(),
        };
        let sent: Vec<String> = items.into_iter().map(|(id, _)| id).collect();
        assert_ne!(ids, sent, "{way:?}");
        let sorted = |mut ids: Vec<String>| {
            ids.sort();
            ids
        };
        assert_eq!(sorted(ids), sorted(sent), "{way:?}");
    }
}

#[test]
fn samples_of_an_item_are_told_apart() {
    let server = server(|_| {});
    let one = body("anthropic", "Should I tell them?");
    let with = |id: &str, sample: u32| serde_json::json!({"custom_id": id, "params": one, "x-specstress-sample": sample});
    let create = serde_json::json!({"requests": [with("a", 0), with("b", 3)]});
    let batch = good(&post(&server, "anthropic", "/v1/messages/batches", &create));
    let batch = wait(&server, "anthropic", &id_of("anthropic", &batch));
    let results = results(&server, "anthropic", &batch);
    for (id, sample) in [("a", "0"), ("b", "3")] {
        let call = Call::on("anthropic", "POST", "/v1/messages", &one.to_string());
        let live = server.ask(&call.with("x-specstress-sample", sample)).json();
        let batched = results[id].as_ref().unwrap();
        assert_eq!(text_of("anthropic", batched), text_of("anthropic", &live));
        assert_eq!(batched["id"], live["id"]);
    }
    assert_ne!(
        results["a"].as_ref().unwrap()["id"],
        results["b"].as_ref().unwrap()["id"]
    );
}

#[test]
fn unknown_ids_are_404_and_missing_keys_401() {
    let server = server(|_| {});
    let calls = [
        ("anthropic", "GET", "/v1/messages/batches/msgbatch_no"),
        (
            "anthropic",
            "GET",
            "/v1/messages/batches/msgbatch_no/results",
        ),
        (
            "anthropic",
            "POST",
            "/v1/messages/batches/msgbatch_no/cancel",
        ),
        ("anthropic", "DELETE", "/v1/messages/batches/msgbatch_no"),
        ("openai", "GET", "/v1/batches/batch_no"),
        ("openai", "POST", "/v1/batches/batch_no/cancel"),
        ("openai", "GET", "/v1/files/file-no"),
        ("openai", "GET", "/v1/files/file-no/content"),
        ("openai", "DELETE", "/v1/files/file-no"),
        ("gemini", "GET", "/v1beta/batches/no"),
        ("gemini", "POST", "/v1beta/batches/no:cancel"),
        ("gemini", "DELETE", "/v1beta/batches/no"),
        ("gemini", "GET", "/v1beta/files/no"),
        ("gemini", "GET", "/v1beta/files/no:download?alt=media"),
        ("gemini", "DELETE", "/v1beta/files/no"),
        ("xai", "GET", "/v1/batches/batch_no"),
        ("xai", "GET", "/v1/batches/batch_no/results"),
        ("xai", "GET", "/v1/batches/batch_no/requests"),
        ("xai", "POST", "/v1/batches/batch_no:cancel"),
    ];
    for (wire, method, path) in calls {
        assert_eq!(
            send(&server, wire, method, path).status,
            404,
            "{method} {wire}{path}"
        );
        let mut nameless = Call::on(wire, method, path, "");
        nameless
            .headers
            .retain(|(name, _)| *name == "anthropic-version");
        assert_eq!(server.ask(&nameless).status, 401, "{method} {wire}{path}");
    }
    // A batch of one provider is none of another.
    let id = submit(&server, Way("openai", true), &items("openai", 1));
    assert_eq!(
        send(&server, "xai", "GET", &path_of("xai", &id)).status,
        404
    );
    assert_eq!(
        send(&server, "openai", "DELETE", &path_of("openai", &id)).status,
        405
    );
    let stats = server.stop();
    assert_eq!(stats.batches["gemini"].rejected, 12);
}

#[test]
fn lists_show_a_batch_once_its_time_has_come() {
    let server = slow(|batch| batch.list_delay_ms = SLOW_MS / 2);
    for way in [WAYS[0], WAYS[1], WAYS[2], WAYS[4]] {
        let wire = way.0;
        let listed = || {
            let path = match wire {
                "anthropic" => "/v1/messages/batches",
                "gemini" => "/v1beta/batches",
                _ => "/v1/batches",
            };
            let list = good(&send(&server, wire, "GET", path));
            let rows = match wire {
                "gemini" => &list["operations"],
                "xai" => &list["batches"],
                _ => &list["data"],
            };
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| id_of(wire, row))
                .collect::<Vec<_>>()
        };
        let id = submit(&server, way, &items(wire, 1));
        assert!(listed().is_empty(), "{wire}");
        assert_eq!(send(&server, wire, "GET", &path_of(wire, &id)).status, 200);
        advance(&server, 0.5);
        assert_eq!(listed(), [id], "{wire}");
    }
}

#[test]
fn items_are_refused_one_by_one() {
    let server = server(|_| {});
    for way in [
        Way("anthropic", false),
        Way("gemini", false),
        Way("gemini", true),
        Way("xai", false),
    ] {
        let wire = way.0;
        let mut items = items(wire, 3);
        items[1].1["unheard_of"] = true.into();
        let (_, results) = run(&server, way, &items);
        assert_eq!(results.len(), 3);
        assert!(
            results["item-0"].is_ok() && results["item-2"].is_ok(),
            "{way:?}"
        );
        let expected = match wire {
            "anthropic" => "invalid_request_error",
            _ => "3",
        };
        assert_eq!(results["item-1"], Err(expected.to_owned()), "{way:?}");
    }
    let mut unknown = items("anthropic", 1);
    unknown[0].1["model"] = "nobody".into();
    let (_, results) = run(&server, Way("anthropic", false), &unknown);
    assert_eq!(results["item-0"], Err("not_found_error".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever goes wrong: what comes back was sent, nothing comes twice, what is missing was cancelled or lost
    /// as a whole, and sending the failures again ends with every answer, which is the one without faults.
    #[test]
    fn no_item_is_lost_or_invented(
        seed in 0_u64..1_000, count in 1_usize..12, rate in 0.0_f64..0.33, way in 0_usize..6,
    ) {
        let way = WAYS[way];
        let batch = BatchOptions {
            delay_ms: 20,
            faults: BatchFaults { create_dropped: 0.0, ..BatchFaults::even(rate) },
            ..BatchOptions::default()
        };
        let server = Running::start(ServerOptions { seed, batch, ..ServerOptions::default() });
        let all = items(way.0, count);
        let mut left = all.clone();
        let mut answers = std::collections::BTreeMap::new();
        for round in 0.. {
            prop_assert!(round < 12, "{left:?} are never answered");
            let (_, results) = run(&server, way, &left);
            for (id, result) in results {
                prop_assert!(left.iter().any(|(sent, _)| *sent == id), "{id} was not sent");
                if let Ok(body) = result {
                    prop_assert!(answers.insert(id, text_of(way.0, &body)).is_none());
                }
            }
            left.retain(|(id, _)| !answers.contains_key(id));
            if left.is_empty() {
                break;
            }
        }
        for (id, body) in &all {
            let live = live(&server, way.0, body).json();
            prop_assert_eq!(&answers[id], &text_of(way.0, &live));
        }
        let stats = server.stop();
        let batches = &stats.batches[way.0];
        prop_assert_eq!((batches.answered, batches.answered_again), (count as u64, 0));
        prop_assert_eq!(batches.duplicates, 0);
        let ended = batches.answered + batches.errored + batches.expired + batches.cancelled;
        prop_assert_eq!(batches.items, ended);
    }
}

#[test]
fn what_is_sent_again_is_noticed() {
    let server = server(|_| {});
    for way in WAYS {
        let items = items(way.0, 2);
        let (path, body) = creation(&server, way, &items);
        let first = id_of(way.0, &good(&post(&server, way.0, &path, &body)));
        let second = id_of(way.0, &good(&post(&server, way.0, &path, &body)));
        assert_ne!(first, second, "{way:?}");
    }
    let stats = server.stop();
    assert_eq!(stats.batches["anthropic"].duplicates, 1);
    assert_eq!(stats.batches["openai"].duplicates, 1);
    assert_eq!(stats.batches["openai"].same_label, 1);
    // Inline, by file, and each of them again.
    assert_eq!(stats.batches["gemini"].duplicates, 3);
    assert_eq!(stats.batches["xai"].same_label, 3);
}
