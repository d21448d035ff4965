//! A running server and the least client that can talk to it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use specstress_sim::{ServerOptions, ServerStats, SimServer, SimWorld, StatsHandle};
use tokio::sync::oneshot;

use crate::study::calm;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) world: SimWorld,
    stats: StatsHandle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<ServerStats>,
}

impl Running {
    pub(crate) fn start(options: ServerOptions) -> Self {
        let world = SimWorld::new(&specstress_values::Taxonomy::builtin(), calm(3)).unwrap();
        Self::start_world(world, options)
    }

    pub(crate) fn start_world(world: SimWorld, options: ServerOptions) -> Self {
        let server = SimServer::bind(world.clone(), options).unwrap();
        let (address, stats) = (server.local_addr(), server.stats());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(server.serve(async { drop(stopped.await) }))
                .unwrap()
        });
        Self {
            address,
            world,
            stats,
            stop,
            thread,
        }
    }

    pub(crate) fn plain() -> Self {
        Self::start(ServerOptions::default())
    }

    pub(crate) fn stats(&self) -> ServerStats {
        self.stats.read()
    }

    pub(crate) fn stop(self) -> ServerStats {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }

    pub(crate) fn send(&self, call: &Call) -> io::Result<Reply> {
        exchange(self.address, &call.bytes())
    }

    /// Sends what must be answered.
    pub(crate) fn ask(&self, call: &Call) -> Reply {
        self.send(call).unwrap()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Call {
    fn post(path: &str, key: (&'static str, &str), body: &Value) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            headers: vec![(key.0, key.1.to_owned())],
            body: body.to_string(),
        }
    }

    /// A call with the key in the form of a wire; the path starts behind the wire's name.
    pub(crate) fn on(wire: &str, method: &'static str, path: &str, body: &str) -> Self {
        let key = match wire {
            "anthropic" => ("x-api-key", "k"),
            "gemini" => ("x-goog-api-key", "k"),
            _ => ("authorization", "Bearer k"),
        };
        let call = Self {
            method,
            ..Self::get(&format!("/{wire}{path}"), key)
        };
        match wire {
            "anthropic" => call.with("anthropic-version", "2023-06-01"),
            _ => call,
        }
        .with_body(body)
    }

    pub(crate) fn get(path: &str, key: (&'static str, &str)) -> Self {
        Self {
            method: "GET",
            ..Self::post(path, key, &json!({}))
        }
        .with_body("")
    }

    pub(crate) fn anthropic(body: &Value) -> Self {
        Self::post("/v1/messages", ("x-api-key", "k"), body).with("anthropic-version", "2023-06-01")
    }

    pub(crate) fn openai(path: &str, body: &Value) -> Self {
        Self::post(path, ("authorization", "Bearer k"), body)
    }

    pub(crate) fn gemini(call: &str, body: &Value) -> Self {
        let path = format!("/v1beta/models/{call}");
        Self::post(&path, ("x-goog-api-key", "k"), body)
    }

    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }

    pub(crate) fn with_body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: sim\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        let length = self.body.len().to_string();
        text.extend([
            "connection: close\r\ncontent-length: ",
            &length,
            "\r\n\r\n",
            &self.body,
        ]);
        text.into_bytes()
    }
}

/// A question on each chat wire; the same words everywhere.
pub(crate) fn question(wire: &str, text: &str) -> Call {
    let messages = json!([{"role": "user", "content": text}]);
    match wire {
        "anthropic" => Call::anthropic(
            &json!({"model": "alder_grand", "max_tokens": 1000, "messages": messages}),
        ),
        "openai" => Call::openai(
            "/v1/chat/completions",
            &json!({"model": "birch_main", "messages": messages}),
        ),
        "xai" => Call::openai(
            "/v1/chat/completions",
            &json!({"model": "dune_max", "messages": messages}),
        ),
        "gemini" => Call::gemini(
            "cedar_pro:generateContent",
            &json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        ),
        other => panic!("no wire {other}"),
    }
}

pub(crate) const WIRES: [&str; 4] = ["anthropic", "openai", "gemini", "xai"];

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // A server that hangs must fail the test.
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Sends bytes and reads to the end. A body shorter than promised is an error, as for any client.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<Reply> {
    let mut stream = connect(address);
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default().split(' ').nth(1);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    assert_eq!(body.len(), length);
    Ok(Reply {
        status: status.unwrap().parse().unwrap(),
        headers,
        body: body.to_owned(),
    })
}
