use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use specstress_llm::{LlmError, LlmErrorKind, StopSignal};

use crate::limiter::{Cost, End, Limiter};
use crate::retry::{Retrier, ServerHint};
use crate::stats::Counters;
use crate::transport::{Call, Transport};
use crate::wire::WireReply;

/// How often a waiting call looks at the stop signal, which cannot wake anyone.
const STOP_POLL: Duration = Duration::from_millis(200);

/// One provider with one key: every call of every model goes through [`call`](Self::call).
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) limiter: Limiter,
    pub(crate) retrier: Retrier,
    pub(crate) counters: Counters,
    stop: OnceLock<StopSignal>,
}

impl Endpoint {
    pub(crate) fn new(transport: Box<dyn Transport>, limiter: Limiter, retrier: Retrier) -> Self {
        Self {
            transport,
            limiter,
            retrier,
            counters: Counters::default(),
            stop: OnceLock::new(),
        }
    }

    /// Listens to a stop signal; only the first one counts.
    pub(crate) fn stop_with(&self, stop: StopSignal) {
        let _ = self.stop.set(stop);
    }

    /// Makes a call until it is answered or must be given up. `read` turns a reply of any status into an
    /// answer, with what it cost, or an error.
    pub(crate) async fn call<T, F>(&self, call: &Call, cost: Cost, read: F) -> Result<T, LlmError>
    where
        T: Send,
        F: Fn(&WireReply) -> Result<(T, Option<Cost>), LlmError> + Send + Sync,
    {
        self.counters.now().calls += 1;
        let answer = self.attempts(call, cost, read).await;
        let mut counts = self.counters.now();
        match answer {
            Ok(_) => counts.answered += 1,
            Err(_) => counts.failed += 1,
        }
        answer
    }

    async fn attempts<T, F>(&self, call: &Call, cost: Cost, read: F) -> Result<T, LlmError>
    where
        T: Send,
        F: Fn(&WireReply) -> Result<(T, Option<Cost>), LlmError> + Send + Sync,
    {
        self.retrier.earn();
        let mut attempt = 1;
        loop {
            let permit = self.unless_stopped(self.limiter.acquire(cost)).await?;
            self.counters.now().sent += 1;
            let (error, hint) = match self.transport.send(call).await {
                Ok(reply) => {
                    self.counters.now().rate_limited += u64::from(reply.status == 429);
                    let hint = ServerHint::read(&reply, SystemTime::now());
                    let read = read(&reply);
                    permit.settle(&end_of(reply.status, &read, hint), &reply.headers);
                    match read {
                        Ok((answer, _)) => return Ok(answer),
                        Err(error) => (error, hint),
                    }
                }
                Err(error) => (error, ServerHint::default()),
            };
            self.again(attempt, error, hint).await?;
            attempt += 1;
        }
    }

    /// Makes a call past the limiter: what has rates of its own must neither wait for those of live calls
    /// nor teach the limiter. `read` may take the body of a reply that it accepts.
    pub(crate) async fn call_aside<T, F>(
        &self,
        call: &Call,
        attempts: Attempts,
        read: F,
    ) -> Result<T, LlmError>
    where
        T: Send,
        F: Fn(&mut WireReply) -> Result<T, LlmError> + Send + Sync,
    {
        self.retrier.earn();
        let mut attempt = 1;
        loop {
            let (error, hint) = match self.transport.send(call).await {
                Ok(mut reply) => match read(&mut reply) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => (error, ServerHint::read(&reply, SystemTime::now())),
                },
                Err(error) => (error, ServerHint::default()),
            };
            match attempts {
                Attempts::One => return Err(hinted(error, hint)),
                Attempts::ByPolicy => self.again(attempt, error, hint).await?,
            }
            attempt += 1;
        }
    }

    /// Waits before another attempt after `attempt` of them, or gives up with the error.
    pub(crate) async fn again(
        &self,
        attempt: u32,
        error: LlmError,
        hint: ServerHint,
    ) -> Result<(), LlmError> {
        let error = hinted(error, hint);
        let Some(wait) = self.retrier.wait(attempt, &error, hint) else {
            return Err(error);
        };
        self.unless_stopped(tokio::time::sleep(wait)).await?;
        self.counters.now().retries += 1;
        Ok(())
    }

    /// Waits for something that sends nothing, unless the run is asked to stop. The wait keeps its place in
    /// a queue while the signal is polled.
    async fn unless_stopped<W: Future>(&self, wait: W) -> Result<W::Output, LlmError> {
        let mut wait = std::pin::pin!(wait);
        if self.stop.get().is_none() {
            return Ok(wait.await);
        }
        loop {
            if self.stop.get().is_some_and(StopSignal::is_stopped) {
                return Err(LlmError::new(
                    LlmErrorKind::Stopped,
                    "the run was asked to stop",
                ));
            }
            if let Ok(done) = tokio::time::timeout(STOP_POLL, wait.as_mut()).await {
                return Ok(done);
            }
        }
    }
}

/// How often a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempts {
    /// Once: a second one might do a second time what the first one did unseen.
    One,
    /// As often as the retry policy allows.
    ByPolicy,
}

fn hinted(error: LlmError, hint: ServerHint) -> LlmError {
    match hint.wait {
        Some(wait) if error.retry_after().is_none() => error.with_retry_after(wait),
        _ => error,
    }
}

fn end_of<T>(status: u16, read: &Result<(T, Option<Cost>), LlmError>, hint: ServerHint) -> End {
    match read {
        Ok((_, spent)) => End::Success(*spent),
        Err(error) if error.kind() == LlmErrorKind::QuotaExhausted => End::Failed,
        Err(error) if matches!(status, 429 | 503 | 529) => {
            End::Throttled(hint.wait.or_else(|| error.retry_after()))
        }
        Err(error) if error.kind() == LlmErrorKind::RateLimited => {
            End::Throttled(hint.wait.or_else(|| error.retry_after()))
        }
        Err(_) => End::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use tokio::time::Instant;

    use crate::limiter::LimiterOptions;
    use crate::retry::RetryPolicy;
    use crate::transport::Verb;

    type Attempt = Result<WireReply, LlmError>;
    type Script = Arc<Mutex<VecDeque<Attempt>>>;

    #[derive(Debug)]
    struct Scripted {
        script: Script,
        sent: Arc<Mutex<Vec<Instant>>>,
    }

    #[async_trait]
    impl Transport for Scripted {
        async fn send(&self, _: &Call) -> Result<WireReply, LlmError> {
            self.sent.lock().unwrap().push(Instant::now());
            self.script.lock().unwrap().pop_front().unwrap()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "an attempt, like `lost`")]
    fn reply(status: u16, headers: &[(&str, &str)]) -> Attempt {
        let reply = WireReply {
            status,
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: "body".to_owned(),
        };
        Ok(reply)
    }

    fn lost() -> Attempt {
        Err(LlmError::new(LlmErrorKind::Transport, "reset"))
    }

    struct Bench {
        endpoint: Arc<Endpoint>,
        sent: Arc<Mutex<Vec<Instant>>>,
        began: Instant,
    }

    fn bench(
        script: impl IntoIterator<Item = Attempt>,
        change: impl FnOnce(&mut RetryPolicy),
    ) -> Bench {
        let mut policy = RetryPolicy {
            jitter_seed: Some(1),
            ..RetryPolicy::default()
        };
        change(&mut policy);
        let sent = Arc::default();
        let transport = Scripted {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            sent: Arc::clone(&sent),
        };
        Bench {
            endpoint: Arc::new(Endpoint::new(
                Box::new(transport),
                Limiter::new(LimiterOptions::default()).unwrap(),
                Retrier::new(policy),
            )),
            sent,
            began: Instant::now(),
        }
    }

    impl Bench {
        async fn call(&self) -> Result<u16, LlmError> {
            let call = Call::new(Verb::Post, "/x");
            let cost = Cost::default();
            let read = |reply: &WireReply| {
                match reply.status {
                    200 => Ok((200, None)),
                    429 => Err(LlmErrorKind::RateLimited),
                    529 | 503 => Err(LlmErrorKind::Unavailable),
                    401 => Err(LlmErrorKind::Unauthorized),
                    _ => Err(LlmErrorKind::BadRequest),
                }
                .map_err(|kind| LlmError::new(kind, "x").with_status(reply.status))
            };
            self.endpoint.call(&call, cost, read).await
        }

        fn times(&self) -> Vec<f64> {
            let sent = self.sent.lock().unwrap();
            let since = |at: &Instant| (*at - self.began).as_secs_f64();
            sent.iter().map(since).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_as_told_then_succeeds_and_counts() {
        let bench = bench(
            [
                reply(429, &[("retry-after", "10")]),
                lost(),
                reply(529, &[]),
                reply(200, &[]),
            ],
            |_| (),
        );
        assert_eq!(bench.call().await.unwrap(), 200);
        let times = bench.times();
        assert_eq!(times.len(), 4);
        assert!(times[0] < 0.01, "{times:?}");
        // The asked-for wait and up to a tenth; then full jitter of at most 1 s and 2 s.
        assert!((10.0..11.01).contains(&times[1]), "{times:?}");
        assert!(times[2] - times[1] <= 1.01, "{times:?}");
        assert!(times[3] - times[2] <= 2.01, "{times:?}");
        let counts = bench.endpoint.counters.read();
        assert_eq!((counts.calls, counts.answered, counts.failed), (1, 1, 0));
        assert_eq!(
            (counts.sent, counts.retries, counts.rate_limited),
            (4, 3, 1)
        );
        let limiter = bench.endpoint.limiter.snapshot();
        assert_eq!((limiter.throttled, limiter.completed), (2, 1));
        assert_eq!((limiter.in_flight, limiter.waiting), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_after_the_last_attempt_with_the_last_error() {
        let bench = bench((0..3).map(|_| reply(429, &[("retry-after", "2")])), |p| {
            p.max_attempts = 3;
        });
        let error = bench.call().await.unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(bench.times().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_retry_what_cannot_help() {
        for (first, kind) in [
            (reply(400, &[]), LlmErrorKind::BadRequest),
            (reply(401, &[]), LlmErrorKind::Unauthorized),
            (
                reply(529, &[("x-should-retry", "false")]),
                LlmErrorKind::Unavailable,
            ),
        ] {
            let bench = bench([first], |_| ());
            assert_eq!(bench.call().await.unwrap_err().kind(), kind);
            assert_eq!(bench.times().len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_one_call_holds_the_others_of_the_key() {
        let bench = bench(
            [
                reply(429, &[("retry-after", "30")]),
                reply(200, &[]),
                reply(200, &[]),
            ],
            |_| (),
        );
        let bench = Arc::new(bench);
        let first = tokio::spawn({
            let bench = Arc::clone(&bench);
            async move { bench.call().await }
        });
        tokio::task::yield_now().await;
        bench.call().await.unwrap();
        first.await.unwrap().unwrap();
        let times = bench.times();
        assert!(times[1] >= 30.0, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_waits_but_not_calls_in_flight() {
        let bench = bench(
            [reply(429, &[("retry-after", "50")]), reply(200, &[])],
            |_| (),
        );
        let stop = StopSignal::default();
        bench.endpoint.stop_with(stop.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            stop.stop();
        });
        let error = bench.call().await.unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::Stopped);
        assert!(bench.began.elapsed() < Duration::from_secs(4));
        assert_eq!(bench.times().len(), 1);
        let limiter = bench.endpoint.limiter.snapshot();
        assert_eq!((limiter.in_flight, limiter.waiting), (0, 0));
    }
}
