//! `cargo bench -p specstress-benches --bench throughput`: requests per second and CPU time per request of a call as a study makes it (call store, limiter, retries,
//! reading the reply) against a bare loop of the same HTTP library on the same local server, and the memory of
//! 1,000 and of 100,000 calls.
//!
//! The server is a process of its own, so that the CPU time is the client's alone. For a profiler: start the binary with
//! `--serve`, and again with `--only bare|client URL REQUESTS IN_FLIGHT`.

#![expect(clippy::print_stdout, reason = "a benchmark shows what it finds")]

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use specstress_llm::{ChatModel, ChatRequest, Recorder};
use specstress_pipeline::SqliteStore;
use specstress_providers::{Provider, ProviderConfig, ProviderKind, SecretString};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const REQUESTS: u64 = 20_000;
const ROUNDS: usize = 3;
const SYSTEM: &str = "You are a helpful assistant. Answer in the language of the question.";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--serve"] => serve(),
        ["--only", way, url, requests, in_flight] => {
            only(way, url, requests.parse()?, in_flight.parse()?)
        }
        // Cargo passes `--bench`.
        _ => compare(),
    }
}

/// A question of a usual length, different for each number.
fn question(number: u64) -> String {
    let doubt = "My sister asks me to keep a promise that I think will hurt her. ".repeat(6);
    format!("{number}: {doubt}What would you do?")
}

/// The reply to a request: the number it begins with and an answer of some 300 tokens.
fn reply(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut parts = text.split(':').filter_map(|part| part.rsplit('"').next());
    let number = parts.find_map(|part| part.parse::<u64>().ok());
    let answer = "I would tell her what I fear, and leave the choice to her. ".repeat(20);
    serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null, "message": {
            "role": "assistant", "content": format!("{number:?}: {answer}"), "refusal": null}}],
        "usage": {"prompt_tokens": 110, "completion_tokens": 300, "total_tokens": 410},
    })
    .to_string()
}

async fn answer(request: Request<Incoming>) -> hyper::http::Result<Response<Full<Bytes>>> {
    // A body that breaks off is an empty one: the client went away.
    let body = request.into_body().collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    Response::builder()
        .header("content-type", "application/json")
        .header("x-request-id", "req_1")
        .header("x-ratelimit-limit-requests", "100000000")
        .header("x-ratelimit-remaining-requests", "99999999")
        .header("x-ratelimit-reset-requests", "1ms")
        .body(Full::new(Bytes::from(reply(&body))))
}

#[tokio::main(flavor = "current_thread")]
async fn serve() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = service_fn(answer);
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            // Ends with the client.
            drop(http.serve_connection(TokioIo::new(stream), answer).await);
        });
    }
}

/// The server in a process of its own, ended when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { process, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One way through all requests.
#[derive(Clone, Copy, Debug)]
struct Pass {
    wall: Duration,
    cpu: Duration,
    /// Bytes of all replies, to hold the two ways against each other.
    bytes: u64,
}

/// Runs workers that each take the next number until all are taken.
async fn drive<F>(
    requests: u64,
    in_flight: usize,
    one: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<Pass>
where
    F: Future<Output = Result<u64>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let (began, cpu) = (Instant::now(), cpu_time());
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let (next, one) = (Arc::clone(&next), one.clone());
        workers.spawn(async move {
            let mut bytes = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return Ok::<_, Box<dyn Error + Send + Sync>>(bytes);
                }
                bytes += one(number).await?;
            }
        });
    }
    let mut bytes = 0;
    while let Some(worker) = workers.join_next().await {
        bytes += worker??;
    }
    Ok(Pass {
        wall: began.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
        bytes,
    })
}

/// The HTTP library alone: the body is ready, the reply's bytes are read and its status looked at.
async fn bare(url: &str, requests: u64, in_flight: usize) -> Result<Pass> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{url}/v1/chat/completions");
    drive(requests, in_flight, move |number| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            let body = serde_json::json!({"model": "m", "max_tokens": 512, "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": question(number)}]});
            let request = client
                .post(url)
                .header("content-type", "application/json")
                .header("authorization", "Bearer any")
                .body(body.to_string());
            let reply = request.send().await?.error_for_status()?.bytes().await?;
            Ok(reply.len() as u64)
        }
    })
    .await
}

/// As a study calls.
async fn client(url: &str, requests: u64, in_flight: usize) -> Result<Pass> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("calls.sqlite"))?;
    let recorder = Recorder::new(Arc::new(store));
    let mut config = ProviderConfig::new(ProviderKind::Compatible).with_base_url(url);
    config.limits.start_concurrency = in_flight;
    config.limits.max_concurrency = in_flight;
    let key = SecretString::from("any".to_owned());
    let provider =
        Provider::with_key(config, Some(&key))?.with_stop(recorder.stop_signal().clone());
    let model = Arc::new(recorder.wrap(provider.model("m")));
    let pass = drive(requests, in_flight, move |number| {
        let model = Arc::clone(&model);
        async move {
            let request = ChatRequest::user(question(number))
                .with_system(SYSTEM)
                .with_max_tokens(512);
            let response = model.chat(&request).await?;
            response.answer()?;
            Ok(response.raw.len() as u64)
        }
    })
    .await?;
    let stats = provider.stats();
    assert_eq!((stats.answered, stats.retries), (requests, 0), "{stats:?}");
    assert_eq!(recorder.counts().made(), requests);
    Ok(pass)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn compare() -> Result<()> {
    let server = Server::start()?;
    let runtime = runtime()?;
    println!(
        "{REQUESTS} calls, best of {ROUNDS} rounds, {} cores with the server's",
        std::thread::available_parallelism()?
    );
    println!("in flight           requests/s   client CPU/request");
    for in_flight in [64, 512] {
        // Connections and pages are made once.
        runtime.block_on(bare(&server.url, REQUESTS / 10, in_flight))?;
        let (mut bares, mut clients) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bares.push(runtime.block_on(bare(&server.url, REQUESTS, in_flight))?);
            clients.push(runtime.block_on(client(&server.url, REQUESTS, in_flight))?);
        }
        let bytes = bares[0].bytes;
        assert!(bytes > 0 && bares.iter().chain(&clients).all(|pass| pass.bytes == bytes));
        let bare = show(in_flight, "bare loop", &bares);
        let client = show(in_flight, "client", &clients);
        println!(
            "{in_flight:>9} client     {:>9.0} % of the bare loop",
            100.0 * client / bare
        );
    }
    println!("\ncalls      peak memory of the client");
    for requests in [1_000_u64, 100_000] {
        let output = Command::new(std::env::current_exe()?)
            .args([
                "--only",
                "client",
                &server.url,
                &requests.to_string(),
                "512",
            ])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        print!(
            "{requests:>7}    {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}

/// Prints the fastest round and returns its requests per second.
fn show(in_flight: usize, name: &str, passes: &[Pass]) -> f64 {
    let per_second = |pass: &Pass| REQUESTS as f64 / pass.wall.as_secs_f64();
    let best = passes.iter().map(per_second).fold(0.0, f64::max);
    let cpu = passes.iter().map(|pass| pass.cpu).min().unwrap_or_default();
    let micros = cpu.as_secs_f64() * 1e6 / REQUESTS as f64;
    println!("{in_flight:>9} {name:<10} {best:>9.0} {micros:>15.0} us");
    best
}

fn only(way: &str, url: &str, requests: u64, in_flight: usize) -> Result<()> {
    let runtime = runtime()?;
    match way {
        "bare" => runtime.block_on(bare(url, requests, in_flight))?,
        "client" => runtime.block_on(client(url, requests, in_flight))?,
        _ => return Err("say bare or client".into()),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{}", peak.unwrap_or("not told by this system").trim());
    Ok(())
}

/// User and system time of this process and all its threads; zero where the system does not tell.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program comes first, in brackets, and may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at| {
        let field = fields.split_whitespace().nth(at);
        field
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    // In hundredths of a second on every Linux of today.
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}
