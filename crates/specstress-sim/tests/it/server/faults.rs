//! Every fault on every wire, and that they end.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use specstress_sim::{FaultKind, FaultRates, ServerOptions};

use super::client::{Call, Reply, Running, WIRES, connect, question};

/// A server on which every request has this fault once.
fn once(change: impl Fn(&mut FaultRates)) -> Running {
    let mut faults = FaultRates {
        max_per_request: 1,
        stall_ms: 300,
        retry_after_ms: 1_500,
        ..FaultRates::default()
    };
    change(&mut faults);
    Running::start(ServerOptions {
        faults,
        ..ServerOptions::default()
    })
}

/// Asks on each wire, shows the fault, and checks that the second try is answered and all is counted.
fn check(kind: FaultKind, change: impl Fn(&mut FaultRates), look: impl Fn(&str, &Reply)) {
    let server = once(change);
    for wire in WIRES {
        let call = question(wire, "What now?");
        look(wire, &server.ask(&call));
        assert_answered(&server.ask(&call), wire);
    }
    let stats = server.stop();
    assert_eq!(stats.faults[&kind], 4);
    assert_eq!(stats.fault_count(), 4);
    assert_eq!((stats.logical, stats.logical_answered), (4, 4));
}

fn assert_answered(reply: &Reply, wire: &str) {
    assert_eq!(reply.status, 200, "{wire}");
    let body = reply.json();
    let place = match wire {
        "anthropic" => "/content/0/text",
        "gemini" => "/candidates/0/content/parts/0/text",
        _ => "/choices/0/message/content",
    };
    let text = body.pointer(place).and_then(Value::as_str);
    assert!(!text.unwrap().is_empty(), "{wire}: {body}");
}

#[test]
fn rate_limited_says_when_to_come_back() {
    check(
        FaultKind::RateLimited,
        |faults| faults.rate_limited = 1.0,
        |wire, reply| {
            assert_eq!(reply.status, 429);
            let body = reply.json();
            match wire {
                "anthropic" => assert_eq!(body["error"]["type"], "rate_limit_error"),
                "openai" => assert_eq!(reply.header("retry-after-ms"), Some("1500")),
                "gemini" => {
                    assert_eq!(body["error"]["status"], "RESOURCE_EXHAUSTED");
                    assert_eq!(body["error"]["details"][1]["retryDelay"], "1.5s");
                }
                _ => assert!(body["error"].is_string()),
            }
            let header = (wire != "gemini").then_some("2");
            assert_eq!(reply.header("retry-after"), header, "{wire}");
        },
    );
}

#[test]
fn silent_rate_limits_say_nothing() {
    check(
        FaultKind::RateLimitedSilent,
        |faults| faults.rate_limited_silent = 1.0,
        |wire, reply| {
            assert_eq!(reply.status, 429);
            assert_eq!(reply.header("retry-after"), None);
            assert!(!reply.body.contains("retryDelay"), "{wire}");
        },
    );
}

#[test]
fn overload_is_529_at_anthropic_and_503_elsewhere() {
    check(
        FaultKind::Overloaded,
        |faults| faults.overloaded = 1.0,
        |wire, reply| {
            let body = reply.json();
            if wire == "anthropic" {
                assert_eq!(reply.status, 529);
                assert_eq!(body["error"]["type"], "overloaded_error");
                assert_eq!(body["request_id"].as_str(), reply.header("request-id"));
            } else {
                assert_eq!(reply.status, 503);
            }
            if wire == "gemini" {
                assert_eq!(body["error"]["status"], "UNAVAILABLE");
            }
        },
    );
}

#[test]
fn bad_gateways_and_error_bodies() {
    check(
        FaultKind::BadGateway,
        |faults| faults.bad_gateway = 1.0,
        |_, reply| {
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (502, Some("text/html"))
            );
            assert!(reply.body.starts_with("<html>"));
        },
    );
    check(
        FaultKind::ErrorBody,
        |faults| faults.error_body = 1.0,
        |_, reply| {
            assert_eq!(reply.status, 200);
            assert!(reply.json().get("error").is_some());
        },
    );
}

#[test]
fn truncated_json_is_a_whole_reply_of_half_a_body() {
    check(
        FaultKind::Truncated,
        |faults| faults.truncated = 1.0,
        |_, reply| {
            assert_eq!(reply.status, 200);
            assert!(reply.body.starts_with('{'));
            let error = serde_json::from_str::<Value>(&reply.body).unwrap_err();
            assert!(error.is_eof(), "{error}");
        },
    );
}

#[test]
fn rerouted_and_empty_replies_are_well_formed() {
    check(
        FaultKind::Rerouted,
        |faults| faults.rerouted = 1.0,
        |wire, reply| {
            assert_answered(reply, wire);
            let body = reply.json();
            let model = body.get("model").or_else(|| body.get("modelVersion"));
            assert!(
                model.unwrap().as_str().unwrap().ends_with("_next"),
                "{body}"
            );
        },
    );
    check(
        FaultKind::Empty,
        |faults| faults.empty = 1.0,
        |wire, reply| {
            let body = reply.json();
            match wire {
                "anthropic" => assert_eq!(body["content"], json!([])),
                "gemini" => {
                    assert_eq!(body["candidates"][0]["finishReason"], "STOP");
                    assert!(body["candidates"][0].get("content").is_none());
                }
                _ => assert_eq!(body["choices"][0]["message"]["content"], ""),
            }
        },
    );
}

#[test]
fn stalls_are_long_and_right() {
    let server = once(|faults| faults.stalled = 1.0);
    let call = question("openai", "What now?");
    let start = Instant::now();
    let slow = server.ask(&call);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(server.ask(&call).body, slow.body);
    let stats = server.stop();
    assert_eq!((stats.faults[&FaultKind::Stalled], stats.answered), (1, 2));
}

#[test]
fn connections_are_reset_before_and_in_the_body() {
    let server = once(|faults| faults.reset_before = 1.0);
    for wire in WIRES {
        let call = question(wire, "What now?");
        let error = server.send(&call).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{wire}");
        assert_answered(&server.ask(&call), wire);
    }
    assert_eq!(server.stop().faults[&FaultKind::ResetBefore], 4);

    let server = once(|faults| faults.reset_mid_body = 1.0);
    for wire in WIRES {
        let call = question(wire, "What now?");
        let error = server.send(&call).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{wire}");
        assert_answered(&server.ask(&call), wire);
    }
    let stats = server.stop();
    assert_eq!(stats.faults[&FaultKind::ResetMidBody], 4);
    assert_eq!((stats.answered, stats.duplicates), (4, 0));
}

#[test]
fn half_of_the_body_arrives_before_the_reset() {
    let server = once(|faults| faults.reset_mid_body = 1.0);
    let body =
        json!({"model": "birch_main", "messages": [{"role": "user", "content": "What now?"}]});
    let mut stream = connect(server.address);
    let text = body.to_string();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer k\r\n\
         content-length: {}\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
    let mut seen = Vec::new();
    let error = loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) => panic!("a polite end"),
            Ok(count) => seen.extend(&chunk[..count]),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let seen = String::from_utf8(seen).unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        body.starts_with('{') && !body.contains("system_fingerprint"),
        "{body}"
    );
    server.stop();
}

#[test]
fn embeddings_have_faults_but_cannot_be_rerouted_without_a_name() {
    let gemini = Call::gemini(
        "embedder:embedContent",
        &json!({"content": {"parts": [{"text": "a"}]}}),
    );
    let openai = Call::openai(
        "/v1/embeddings",
        &json!({"model": "embedder", "input": "a"}),
    );
    let server = once(|faults| faults.rerouted = 1.0);
    assert_eq!(server.ask(&openai).json()["model"], "embedder_next");
    assert_eq!(server.ask(&gemini).status, 200);
    let stats = server.stop();
    assert_eq!((stats.fault_count(), stats.answered), (1, 1));
    let server = once(|faults| faults.empty = 1.0);
    assert_eq!(server.ask(&openai).json()["data"], json!([]));
    assert_eq!(server.ask(&gemini).json()["embedding"]["values"], json!([]));
    server.stop();
}

/// The same run twice, in two orders: each request meets the same faults, at most two, and one answer.
#[test]
fn faults_repeat_and_every_request_is_answered_once() {
    let run = |reverse: bool| {
        let server = Running::start(ServerOptions {
            seed: 11,
            faults: FaultRates {
                stall_ms: 0,
                ..FaultRates::even(0.6)
            },
            ..ServerOptions::default()
        });
        let mut order: Vec<usize> = (0..60).collect();
        if reverse {
            order.reverse();
        }
        let mut histories = vec![Vec::new(); 60];
        for index in order {
            let call = question(WIRES[index % 4], &format!("Question {index}?"));
            loop {
                let before = server.stats();
                let reply = server.send(&call);
                let after = server.stats();
                let fault = after
                    .faults
                    .iter()
                    .find(|(kind, count)| before.faults.get(kind) != Some(count))
                    .map(|(kind, _)| *kind);
                histories[index].push(fault);
                if after.answered > before.answered {
                    assert_answered(&reply.unwrap(), WIRES[index % 4]);
                    break;
                }
                assert!(fault.is_some());
            }
            assert!(histories[index].len() <= 3);
        }
        (histories, server.stop())
    };
    let (forward, stats) = run(false);
    let (backward, _) = run(true);
    assert_eq!(forward, backward);
    assert_eq!((stats.logical_answered, stats.duplicates), (60, 0));
    assert!(stats.faults.len() >= 9, "{:?}", stats.faults);
    assert!(forward.iter().any(|history| history.len() == 1));
    assert!(forward.iter().any(|history| history.len() == 3));
}
