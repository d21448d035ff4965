//! Passes requests on to another server and keeps what it says of them in headers.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::read;

#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) path: String,
    pub(crate) sent: String,
    pub(crate) status: u16,
    /// The head and body of the reply.
    pub(crate) reply: String,
}

impl Passed {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.reply
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(": "))
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

pub(crate) struct Relay {
    pub(crate) url: String,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Relay {
    pub(crate) async fn to(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            passed: Arc::default(),
        };
        let passed = Arc::clone(&relay.passed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream, Arc::clone(&passed)));
            }
        });
        relay
    }

    pub(crate) fn all(&self) -> Vec<Passed> {
        self.passed.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.passed.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> Passed {
        self.passed.lock().unwrap().last().unwrap().clone()
    }
}

async fn pass(mut client: TcpStream, upstream: u16, passed: Arc<Mutex<Vec<Passed>>>) {
    let Some(request) = read(&mut client, &mut Vec::new()).await else {
        return;
    };
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        // Plain text in one piece is easier to look at.
        if name != "accept-encoding" && name != "connection" {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("connection: close\r\n\r\n");
    text.push_str(&request.body);
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
    server.write_all(text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).await.unwrap();
    let text = String::from_utf8_lossy(&reply).into_owned();
    passed.lock().unwrap().push(Passed {
        path: request.path,
        sent: request.body,
        status: text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0),
        reply: text,
    });
    let _ = client.write_all(&reply).await;
}
