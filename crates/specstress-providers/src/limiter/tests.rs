use super::*;

fn limiter(change: impl FnOnce(&mut LimiterOptions)) -> Limiter {
    let mut options = LimiterOptions::default();
    change(&mut options);
    Limiter::new(options).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

const CHEAP: Cost = Cost {
    input: 10,
    output: 10,
};

async fn pass(limiter: &Limiter, end: &End) {
    limiter.acquire(CHEAP).await.settle(end, &none());
}

/// Fills the window `rounds` times and answers everything.
async fn rounds(limiter: &Limiter, rounds: usize) {
    for _ in 0..rounds {
        let mut held = Vec::new();
        while limiter.snapshot().in_flight < limiter.snapshot().concurrency {
            held.push(limiter.acquire(CHEAP).await);
        }
        for permit in held {
            permit.settle(&End::Success(Some(CHEAP)), &none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn concurrency_multiplies_falls_creeps_and_returns() {
    let limiter = limiter(|o| o.max_concurrency = 100);
    rounds(&limiter, 2).await;
    let grown = limiter.snapshot().concurrency;
    assert!((14..=32).contains(&grown), "{grown}");
    rounds(&limiter, 10).await;
    assert_eq!(limiter.snapshot().concurrency, 100, "bounded");
    // A burst of throttles of one round trip cuts once.
    let held = [
        limiter.acquire(CHEAP).await,
        limiter.acquire(CHEAP).await,
        limiter.acquire(CHEAP).await,
    ];
    for permit in held {
        permit.settle(&End::Throttled(Some(Duration::from_secs(1))), &none());
    }
    let cut = limiter.snapshot().concurrency;
    assert!((90..100).contains(&cut), "one in sixteen at most: {cut}");
    assert_eq!(limiter.snapshot().throttled, 3);
    rounds(&limiter, 2).await;
    let crept = limiter.snapshot().concurrency;
    assert!((cut..=cut + 2).contains(&crept), "{crept}");
    // Refusals in a row halve; then it is back at nine tenths soon, and creeps on.
    for _ in 0..6 {
        pass(&limiter, &End::Throttled(None)).await;
    }
    let low = limiter.snapshot().concurrency;
    assert!(low <= 5, "{low}");
    rounds(&limiter, 14).await;
    let back = limiter.snapshot().concurrency;
    assert!((80..=100).contains(&back), "{back}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_window_does_not_grow() {
    let limiter = limiter(|_| ());
    for _ in 0..100 {
        pass(&limiter, &End::Success(None)).await;
    }
    assert_eq!(limiter.snapshot().concurrency, 8);
}

#[tokio::test(start_paused = true)]
async fn never_frozen_whatever_the_server_says() {
    let limiter = limiter(|_| ());
    let start = Instant::now();
    for _ in 0..20 {
        pass(&limiter, &End::Throttled(Some(Duration::from_hours(24)))).await;
        assert!(limiter.snapshot().concurrency >= 1);
    }
    assert_eq!(limiter.snapshot().concurrency, 1);
    // Twenty pauses of a day each were cut to a minute each.
    assert_eq!(start.elapsed().as_secs(), 19 * 60);
    // Limits that leave nothing for a day still let a probe through per minute.
    let permit = limiter.acquire(CHEAP).await;
    permit.settle(
        &End::Success(None),
        &headers(&[
            ("x-ratelimit-limit-requests", "1"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "24h0m0s"),
        ]),
    );
    let before = Instant::now();
    pass(&limiter, &End::Success(None)).await;
    assert_eq!(before.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_everybody_for_as_long_as_asked() {
    let limiter = limiter(|_| ());
    pass(&limiter, &End::Throttled(Some(Duration::from_secs(7)))).await;
    assert_eq!(limiter.snapshot().pause, Some(Duration::from_secs(7)));
    let before = Instant::now();
    pass(&limiter, &End::Success(None)).await;
    assert_eq!(before.elapsed().as_secs(), 7);
    assert_eq!(limiter.snapshot().pause, None);
}

#[tokio::test(start_paused = true)]
async fn throttles_in_a_row_pause_longer_each_time_and_success_forgives() {
    let limiter = limiter(|_| ());
    pass(&limiter, &End::Throttled(None)).await;
    assert_eq!(limiter.snapshot().pause, None, "one is an accident");
    let mut pauses = Vec::new();
    for _ in 0..4 {
        pass(&limiter, &End::Throttled(None)).await;
        pauses.push(limiter.snapshot().pause.unwrap().as_millis());
    }
    assert_eq!(pauses, [500, 1000, 2000, 4000]);
    pass(&limiter, &End::Success(None)).await;
    pass(&limiter, &End::Throttled(None)).await;
    assert_eq!(limiter.snapshot().pause, None);
}

/// A refusal with a wait, from a server that says what is left.
#[tokio::test(start_paused = true)]
async fn a_wait_holds_the_others_unless_there_is_plenty_left() {
    let refuse = async |limiter: &Limiter, remaining: &str| {
        limiter.acquire(CHEAP).await.settle(
            &End::Throttled(Some(Duration::from_secs(9))),
            &headers(&[
                ("x-ratelimit-limit-requests", "600"),
                ("x-ratelimit-remaining-requests", remaining),
                ("x-ratelimit-reset-requests", "1s"),
            ]),
        );
        limiter.snapshot().pause
    };
    let (spent, fine) = (limiter(|_| ()), limiter(|_| ()));
    assert_eq!(refuse(&spent, "0").await, Some(Duration::from_secs(9)));
    assert_eq!(refuse(&fine, "500").await, None);
    assert_eq!(fine.snapshot().concurrency, 7, "cut all the same");
    // Twice in a row is no accident.
    assert_eq!(refuse(&fine, "500").await, Some(Duration::from_secs(9)));
}

/// Refusals that strike one call in seventy, whatever the load, must not keep the window small.
#[tokio::test(start_paused = true)]
async fn scattered_refusals_do_not_stall_a_provider() {
    let limiter = limiter(|_| ());
    let begin = Instant::now();
    let tasks: Vec<_> = (0..7000)
        .map(|at| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let permit = limiter.acquire(CHEAP).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
                if at % 70 == 13 {
                    permit.settle(&End::Throttled(None), &none());
                    limiter.acquire(CHEAP).await
                } else {
                    permit
                }
                .settle(&End::Success(Some(CHEAP)), &none());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // 7,000 calls of 0.2 s in 60 s: 23 in flight on average.
    let took = begin.elapsed().as_secs_f64();
    assert!(took < 60.0, "{took}");
}

#[tokio::test(start_paused = true)]
async fn requests_per_minute_are_learnt_from_headers() {
    let limiter = limiter(|_| ());
    let permit = limiter.acquire(CHEAP).await;
    permit.settle(
        &End::Success(Some(CHEAP)),
        &headers(&[
            ("x-ratelimit-limit-requests", "120"),
            ("x-ratelimit-remaining-requests", "10"),
            ("x-ratelimit-reset-requests", "55s"),
        ]),
    );
    assert_eq!(limiter.snapshot().requests_per_minute, Some(120.0));
    let before = Instant::now();
    for _ in 0..50 {
        pass(&limiter, &End::Success(None)).await;
    }
    // Ten at once, forty at two per second.
    let took = before.elapsed().as_secs_f64();
    assert!((19.9..20.3).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_and_settled() {
    let limiter = limiter(|o| o.tokens_per_minute = Some(6000));
    let big = Cost {
        input: 1000,
        output: 2000,
    };
    let used = Cost {
        input: 1000,
        output: 500,
    };
    let before = Instant::now();
    // Two reservations empty the bucket; settling gives half of each back.
    let (one, two) = (limiter.acquire(big).await, limiter.acquire(big).await);
    one.settle(&End::Success(Some(used)), &none());
    two.settle(&End::Success(Some(used)), &none());
    limiter
        .acquire(big)
        .await
        .settle(&End::Success(Some(big)), &none());
    assert_eq!(before.elapsed().as_secs(), 0);
    // Empty again: 3000 tokens are half a minute.
    drop(limiter.acquire(big).await);
    assert_eq!(before.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served_even_for_the_expensive() {
    let limiter = limiter(|o| {
        o.start_concurrency = 1;
        o.max_concurrency = 1;
        o.tokens_per_minute = Some(6000);
    });
    let first = limiter.acquire(CHEAP).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (name, output) in [("big", 6000), ("small", 1), ("tiny", 1)] {
        let (limiter, order) = (limiter.clone(), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let permit = limiter.acquire(Cost { input: 0, output }).await;
            order.lock().unwrap().push(name);
            permit.settle(&End::Success(None), &none());
        }));
        tokio::task::yield_now().await;
    }
    assert_eq!(limiter.snapshot().waiting, 3);
    first.settle(&End::Success(None), &none());
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["big", "small", "tiny"]);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_the_queue_and_the_slot() {
    let limiter = limiter(|o| {
        o.start_concurrency = 1;
        o.max_concurrency = 1;
    });
    let held = limiter.acquire(CHEAP).await;
    let waiting = tokio::spawn({
        let limiter = limiter.clone();
        async move { drop(limiter.acquire(CHEAP).await) }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    let _ = waiting.await;
    assert_eq!(limiter.snapshot().waiting, 0);
    drop(held);
    assert_eq!(limiter.snapshot().in_flight, 0);
    pass(&limiter, &End::Success(None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_does_not_stall_another() {
    let (slow, fast) = (limiter(|_| ()), limiter(|_| ()));
    pass(&slow, &End::Throttled(Some(Duration::from_mins(1)))).await;
    let stuck = tokio::spawn({
        let slow = slow.clone();
        async move { drop(slow.acquire(CHEAP).await) }
    });
    let before = Instant::now();
    for _ in 0..1000 {
        pass(&fast, &End::Success(None)).await;
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(!stuck.is_finished());
    stuck.await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 60);
}

/// Against a model of a server with a fixed window and no headers: the work gets done in little more than
/// the time the limit allows.
#[tokio::test(start_paused = true)]
async fn keeps_up_with_a_server_that_only_says_429() {
    const LIMIT: u32 = 600;
    let limiter = limiter(|_| ());
    let window = Arc::new(Mutex::new((Instant::now(), 0_u32)));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..3000)
        .map(|_| {
            let (limiter, window) = (limiter.clone(), Arc::clone(&window));
            tokio::spawn(async move {
                loop {
                    let permit = limiter.acquire(CHEAP).await;
                    let wait = {
                        let mut window = window.lock().unwrap();
                        let age = window.0.elapsed();
                        if age >= Duration::from_mins(1) {
                            *window = (Instant::now(), 0);
                        }
                        if window.1 < LIMIT {
                            window.1 += 1;
                            None
                        } else {
                            Some(Duration::from_mins(1).saturating_sub(window.0.elapsed()))
                        }
                    };
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    match wait {
                        None => {
                            return permit.settle(&End::Success(Some(CHEAP)), &none());
                        }
                        Some(wait) => permit.settle(&End::Throttled(Some(wait)), &none()),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let took = begin.elapsed().as_secs_f64();
    // 3000 calls at 600 per window: the last window opens after 240 seconds.
    assert!((240.0..320.0).contains(&took), "{took}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever servers say, in whatever order: the window stays in its bounds and the next call goes out
    /// within the longest pause.
    #[test]
    fn no_server_freezes_or_floods(
        replies in proptest::collection::vec(
            (0..4_u8, 0..200_000_u32, 0..3_u32, 0..100_000_u32, 0..5_000_u64), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let limiter = limiter(|o| o.max_concurrency = 20);
            for (end, limit, remaining, reset, tokens) in replies {
                let cost = Cost { input: tokens, output: tokens };
                let before = Instant::now();
                let permit = limiter.acquire(cost).await;
                // The timer counts whole milliseconds.
                let longest = LimiterOptions::default().max_pause + Duration::from_millis(2);
                assert!(before.elapsed() <= longest, "{:?}", before.elapsed());
                let end = match end {
                    0 => End::Success(Some(Cost { input: tokens * 3, output: 0 })),
                    1 => End::Throttled(Some(Duration::from_secs(u64::from(reset)))),
                    2 => End::Throttled(None),
                    _ => End::Failed,
                };
                let (limit, remaining) = (limit.to_string(), remaining.to_string());
                let reset = format!("{reset}s");
                permit.settle(&end, &headers(&[
                    ("x-ratelimit-limit-requests", &limit),
                    ("x-ratelimit-remaining-requests", &remaining),
                    ("x-ratelimit-reset-requests", &reset),
                    ("x-ratelimit-limit-tokens", &limit),
                    ("x-ratelimit-remaining-tokens", &remaining),
                    ("x-ratelimit-reset-tokens", &reset),
                ]));
                let now = limiter.snapshot();
                assert!((1..=20).contains(&now.concurrency) && now.in_flight == 0);
            }
        });
    }
}
