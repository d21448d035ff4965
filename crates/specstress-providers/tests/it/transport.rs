//! What stands between a call and the wire: compression, proxies, certificates, HTTP/2, and the sample's header.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use specstress_llm::{ChatModel as _, ChatRequest, LlmErrorKind};
use specstress_providers::{Provider, ProviderError, ProviderKind};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, version};

use crate::server::{Server, reply};
use crate::{KEY, completion, config, provider};

/// A completion that says "zipped", as `gzip -9` writes it.
#[rustfmt::skip]
const ZIPPED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 77, 141, 193, 10, 2, 49, 12, 68, 255, 101,
    206, 123, 112, 61, 246, 87, 68, 150, 178, 141, 110, 176, 77, 202, 38, 130, 184, 244, 223, 109,
    15, 138, 167, 121, 12, 121, 153, 3, 156, 16, 48, 99, 66, 209, 68, 185, 115, 233, 188, 110,
    202, 43, 25, 194, 229, 0, 75, 162, 23, 194, 105, 194, 141, 133, 109, 91, 118, 138, 166, 210,
    47, 205, 181, 14, 145, 204, 226, 157, 16, 14, 236, 154, 123, 34, 154, 177, 121, 20, 31, 175,
    84, 156, 58, 5, 188, 185, 86, 74, 104, 237, 58, 225, 249, 53, 234, 174, 165, 250, 226, 250,
    32, 233, 123, 243, 16, 74, 205, 228, 172, 242, 223, 186, 122, 204, 191, 226, 220, 218, 7, 248,
    242, 137, 194, 186, 0, 0, 0,
];

#[tokio::test]
async fn compressed_replies_are_read() {
    let server = Server::start([reply(200, &[("content-encoding", "gzip")], ZIPPED)]).await;
    let model = provider(config(ProviderKind::Compatible, &server.url)).model("m");
    let answer = model.chat(&ChatRequest::user("x")).await.unwrap();
    assert_eq!(answer.text, "zipped");
    assert!(answer.raw.starts_with('{'), "kept as JSON: {}", answer.raw);
}

#[tokio::test]
async fn a_proxy_carries_calls_to_others_and_none_to_this_machine() {
    let proxy = Server::start([reply(200, &[], completion("by proxy"))]).await;
    let mut far = config(ProviderKind::Compatible, "http://models.example/v1");
    far.http.proxy = Some(proxy.url.clone());
    let answer = provider(far).model("m").chat(&ChatRequest::user("x")).await;
    assert_eq!(answer.unwrap().text, "by proxy");
    let seen = &proxy.seen()[0];
    assert_eq!(seen.path, "http://models.example/v1/chat/completions");
    assert_eq!(seen.headers["host"], "models.example");

    let near = Server::start([reply(200, &[], completion("straight"))]).await;
    let mut config = config(ProviderKind::Compatible, &near.url);
    config.http.proxy = Some(proxy.url.clone());
    let answer = provider(config)
        .model("m")
        .chat(&ChatRequest::user("x"))
        .await;
    assert_eq!(answer.unwrap().text, "straight");
    assert_eq!(proxy.count(), 1);
}

#[tokio::test]
async fn the_sample_goes_into_the_header_that_is_named_and_nowhere_else() {
    let server = Server::start([reply(200, &[], completion("hi"))]).await;
    let plain = config(ProviderKind::Compatible, &server.url);
    let mut named = plain.clone();
    named.wire.sample_header = Some("X-Specstress-Sample".to_owned());
    let third = ChatRequest::user("x").with_sample(2);
    provider(named.clone())
        .model("m")
        .chat(&third)
        .await
        .unwrap();
    provider(plain).model("m").chat(&third).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].headers["x-specstress-sample"], "2");
    assert!(!seen[1].headers.contains_key("x-specstress-sample"));
    assert_eq!(seen[0].body, seen[1].body);
    named.wire.sample_header = Some("two words".to_owned());
    let error = Provider::with_key(named, None).unwrap_err();
    assert!(matches!(error, ProviderError::Header { .. }), "{error}");
}

/// HTTP over TLS with a certificate that nobody but its maker trusts.
struct Secure {
    url: String,
    /// The certificate as PEM.
    authority: String,
    connections: Arc<AtomicUsize>,
    versions: Arc<Mutex<Vec<Version>>>,
}

impl Secure {
    async fn start(protocols: &[&str]) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let secure = Self {
            url: format!("https://localhost:{port}"),
            authority: own.cert.pem(),
            connections: Arc::default(),
            versions: Arc::default(),
        };
        let (connections, versions) = (
            Arc::clone(&secure.connections),
            Arc::clone(&secure.versions),
        );
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, versions) = (acceptor.clone(), Arc::clone(&versions));
                let connections = Arc::clone(&connections);
                tokio::spawn(async move {
                    // Who does not trust the certificate hangs up here.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    connections.fetch_add(1, Ordering::Relaxed);
                    let answer = service_fn(move |request: Request<Incoming>| {
                        versions.lock().unwrap().push(request.version());
                        async {
                            request.into_body().collect().await?;
                            let body = Full::new(Bytes::from(completion("hi")));
                            Ok::<_, hyper::Error>(Response::new(body))
                        }
                    });
                    let http = Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        secure
    }

    fn provider(&self, folder: &tempfile::TempDir, connections: usize) -> Provider {
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, &self.authority).unwrap();
        let mut config = config(ProviderKind::Compatible, &self.url);
        config.http.ca_file = Some(file);
        config.http.connections = connections;
        provider(config)
    }
}

#[tokio::test]
async fn many_calls_share_the_connections_of_http_2() {
    let folder = tempfile::tempdir().unwrap();
    let server = Secure::start(&["h2", "http/1.1"]).await;
    let provider = server.provider(&folder, 2);
    // One call opens each connection, or all of the first ones would open their own.
    for _ in 0..2 {
        provider
            .model("m")
            .chat(&ChatRequest::user("x"))
            .await
            .unwrap();
    }
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let model = provider.model("m");
            tokio::spawn(async move { model.chat(&ChatRequest::user("x")).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text, "hi");
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 2);
    let versions = server.versions.lock().unwrap().clone();
    assert!(versions.len() == 62 && versions.iter().all(|version| *version == Version::HTTP_2));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Secure::start(&["http/1.1"]).await;
    let mut stranger = config(ProviderKind::Compatible, &server.url);
    stranger.retry.max_attempts = 1;
    let error = provider(stranger)
        .model("m")
        .chat(&ChatRequest::user("x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), LlmErrorKind::Transport);
    assert!(!format!("{error:?}").contains(KEY));
    let known = server.provider(&folder, 1);
    assert_eq!(
        known
            .model("m")
            .chat(&ChatRequest::user("x"))
            .await
            .unwrap()
            .text,
        "hi"
    );
    assert_eq!(*server.versions.lock().unwrap(), [Version::HTTP_11]);

    let mut broken = config(ProviderKind::Compatible, &server.url);
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "no certificate").unwrap();
    broken.http.ca_file = Some(file);
    let error = Provider::with_key(broken, None).unwrap_err();
    assert!(
        matches!(error, ProviderError::Certificates { .. }),
        "{error}"
    );
}
