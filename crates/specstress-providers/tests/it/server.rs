//! A small HTTP/1.1 server on loopback that misbehaves on request and remembers what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A whole reply.
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        after: Duration,
    },
    /// A reply that promises more than comes before the connection ends.
    HalfReply,
    /// No reply: the connection ends.
    Drop,
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Act {
    Act::Reply {
        status,
        headers: headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.into(),
        after: Duration::ZERO,
    }
}

pub(crate) fn slow(after: Duration, act: Act) -> Act {
    match act {
        Act::Reply {
            status,
            headers,
            body,
            ..
        } => Act::Reply {
            status,
            headers,
            body,
            after,
        },
        other => other,
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Acts on requests in the order they come; after the script every request gets the last act.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    script: Arc<Mutex<VecDeque<Act>>>,
}

impl Server {
    pub(crate) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
            connections: Arc::default(),
            script: Arc::new(Mutex::new(script.into_iter().collect())),
        };
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().unwrap() += 1;
                tokio::spawn(serve(
                    stream,
                    Arc::clone(&shared.script),
                    Arc::clone(&shared.seen),
                ));
            }
        });
        server
    }

    /// Adds to the script; for acts that name the server's address.
    pub(crate) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.script.lock().unwrap().extend(acts);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let act = {
            let mut script = script.lock().unwrap();
            seen.lock().unwrap().push(request);
            match script.len() {
                0 => reply(500, &[], "no script"),
                1 => script[0].clone(),
                _ => script.pop_front().unwrap(),
            }
        };
        match act {
            Act::Drop => return,
            Act::HalfReply => {
                let half = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\":[{\"mess";
                let _ = stream.write_all(half.as_bytes()).await;
                return;
            }
            Act::Reply {
                status,
                headers,
                body,
                after,
            } => {
                tokio::time::sleep(after).await;
                let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                text.push_str("\r\n");
                let whole = [text.as_bytes(), &body].concat();
                if stream.write_all(&whole).await.is_err() {
                    return;
                }
            }
        }
    }
}

pub(crate) async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while buffer.len() < end + 4 + length {
        more(stream, buffer).await?;
    }
    let body = String::from_utf8(buffer[end + 4..end + 4 + length].to_vec()).unwrap();
    buffer.drain(..end + 4 + length);
    Some(Seen {
        at: Instant::now(),
        method,
        path,
        headers,
        body,
    })
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let n = stream.read(&mut chunk).await.ok().filter(|&n| n > 0)?;
    buffer.extend_from_slice(&chunk[..n]);
    Some(())
}
