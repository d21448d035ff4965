//! Rate limits, latency, and how the server starts and stops.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use specstress_sim::{Latency, ProviderLimits, RateLimits, ServerOptions, SimError, SimServer};

use super::client::{Running, WIRES, exchange, question};
use crate::study;

fn limited(limits: RateLimits) -> Running {
    Running::start(ServerOptions {
        limits: ProviderLimits::uniform(limits),
        ..ServerOptions::default()
    })
}

#[test]
fn requests_per_minute_are_held_by_provider_and_told_in_headers() {
    let server = limited(RateLimits {
        requests_per_minute: Some(3),
        ..RateLimits::default()
    });
    for wire in WIRES {
        for left in [2, 1, 0] {
            let reply = server.ask(&question(wire, &format!("Question {left}?")));
            assert_eq!(reply.status, 200);
            let remaining = match wire {
                "anthropic" => reply.header("anthropic-ratelimit-requests-remaining"),
                "gemini" => continue,
                _ => reply.header("x-ratelimit-remaining-requests"),
            };
            assert_eq!(remaining, Some(left.to_string().as_str()), "{wire}");
        }
        let refused = server.ask(&question(wire, "One more?"));
        assert_eq!(refused.status, 429);
        // One request comes back every twenty seconds.
        if wire == "gemini" {
            assert!(refused.body.contains("retryDelay"));
        } else {
            let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((15..=20).contains(&wait), "{wire}: {wait}");
        }
        match wire {
            "anthropic" => {
                let reset = refused
                    .header("anthropic-ratelimit-requests-reset")
                    .unwrap();
                assert!(reset.starts_with("20") && reset.ends_with('Z'), "{reset}");
            }
            "openai" => {
                let reset = refused.header("x-ratelimit-reset-requests").unwrap();
                assert!(reset.ends_with('s') && !reset.ends_with("ms"), "{reset}");
                assert_eq!(refused.header("x-ratelimit-limit-requests"), Some("3"));
            }
            _ => {}
        }
    }
    let stats = server.stop();
    assert_eq!((stats.answered, stats.rate_limited), (12, 4));
    assert_eq!(stats.models["birch_main"].rate_limited, 1);
    // A refusal by the limiter is no attempt.
    assert_eq!(stats.logical, 12);
}

#[test]
fn a_client_that_waits_as_told_gets_the_rate_that_is_allowed() {
    let server = limited(RateLimits {
        requests_per_minute: Some(1_200),
        burst_seconds: 0.1,
        ..RateLimits::default()
    });
    let start = Instant::now();
    for index in 0..22 {
        let call = question("openai", &format!("Question {index}?"));
        loop {
            let reply = server.ask(&call);
            if reply.status == 200 {
                break;
            }
            let wait: u64 = reply.header("retry-after-ms").unwrap().parse().unwrap();
            assert!((1..=50).contains(&wait), "{wait}");
            std::thread::sleep(Duration::from_millis(wait));
        }
    }
    // Two at once and twenty at twenty per second.
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(990), "{took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(server.stop().duplicates, 0);
}

#[test]
fn tokens_per_minute_count_question_and_answer() {
    let server = limited(RateLimits {
        tokens_per_minute: Some(60),
        ..RateLimits::default()
    });
    let reply = server.ask(&question("openai", "What now?"));
    let spent = reply.json()["usage"]["total_tokens"].as_u64().unwrap();
    assert!(spent > 63, "an answer is longer than that: {spent}");
    assert_eq!(reply.header("x-ratelimit-remaining-tokens"), Some("0"));
    let refused = server.ask(&question("openai", "And now?"));
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"]["type"], "tokens");
    // The debt and the 2 tokens of the question, at one per second.
    let wait: f64 = refused.header("retry-after").unwrap().parse().unwrap();
    let expected = spent as f64 - 60.0 + 2.0;
    assert!((wait - expected).abs() < 3.0, "{wait} for {expected}");
    // Others have limits of their own.
    assert_eq!(server.ask(&question("xai", "What now?")).status, 200);
    server.stop();
}

#[test]
fn only_so_many_at_the_same_time() {
    let options = ServerOptions {
        limits: ProviderLimits {
            gemini: RateLimits {
                concurrent: Some(2),
                ..RateLimits::default()
            },
            ..ProviderLimits::default()
        },
        latency: Latency {
            base_ms: 400.0,
            ..Latency::default()
        },
        ..ServerOptions::default()
    };
    let server = Arc::new(Running::start(options));
    let threads: Vec<_> = (0..5)
        .map(|index| {
            let server = Arc::clone(&server);
            let call = question("gemini", &format!("Question {index}?"));
            std::thread::spawn(move || {
                let reply = server.ask(&call);
                assert!(!reply.body.contains("retryDelay"));
                reply.status
            })
        })
        .collect();
    let mut statuses: Vec<u16> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429, 429]);
    // The places are free again.
    assert_eq!(server.ask(&question("gemini", "And now?")).status, 200);
    let stats = Arc::into_inner(server).unwrap().stop();
    assert_eq!((stats.most_in_flight, stats.rate_limited), (2, 3));
}

#[test]
fn answers_take_their_time() {
    let server = Running::start(ServerOptions {
        latency: Latency {
            base_ms: 100.0,
            per_token_ms: 1.0,
            jitter: 0.0,
        },
        ..ServerOptions::default()
    });
    let start = Instant::now();
    let reply = server.ask(&question("openai", "What now?"));
    let took = start.elapsed();
    let tokens = reply.json()["usage"]["completion_tokens"].as_u64().unwrap();
    assert!(took >= Duration::from_millis(100 + tokens), "{took:?}");
    server.stop();
}

#[test]
fn only_loopback_is_served() {
    let bind = |address: &str| {
        let options = ServerOptions {
            address: address.parse().unwrap(),
            ..ServerOptions::default()
        };
        SimServer::bind(study::world(1), options)
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = bind(address).unwrap_err();
        assert!(matches!(error, SimError::NotLoopback { .. }), "{error}");
    }
    let server = bind("127.0.0.1:0").unwrap();
    let taken = server.local_addr().to_string();
    assert_ne!(server.local_addr().port(), 0);
    let error = bind(&taken).unwrap_err().to_string();
    assert!(
        error.contains(&taken) && error.contains("another port"),
        "{error}"
    );
}

#[test]
fn a_stop_lets_requests_in_flight_finish_and_closes_the_door() {
    let server = Running::start(ServerOptions {
        latency: Latency {
            base_ms: 400.0,
            ..Latency::default()
        },
        ..ServerOptions::default()
    });
    let address = server.address;
    // An idle connection must not hold the server up.
    let idle = TcpStream::connect(address).unwrap();
    let call = question("openai", "What now?");
    let asking = std::thread::spawn(move || exchange(address, &call.bytes()).unwrap());
    while server.stats().most_in_flight == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let stopping = Instant::now();
    assert_eq!(server.stats().answered, 0);
    let stats = server.stop();
    assert!(stopping.elapsed() < Duration::from_secs(3));
    assert_eq!(stats.answered, 1);
    let reply = asking.join().unwrap();
    assert_eq!(
        (reply.status, &reply.json()["model"]),
        (200, &"birch_main".into())
    );
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let server = Running::start(ServerOptions {
        latency: Latency {
            base_ms: 60_000.0,
            ..Latency::default()
        },
        ..ServerOptions::default()
    });
    let (address, call) = (server.address, question("openai", "What now?"));
    let asking = std::thread::spawn(move || exchange(address, &call.bytes()));
    while server.stats().most_in_flight == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let stopping = Instant::now();
    let stats = server.stop();
    let took = stopping.elapsed();
    assert!((4.9..15.0).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(stats.answered, 0);
    assert!(asking.join().unwrap().is_err());
}
