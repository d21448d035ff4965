use reqwest::Url;

use crate::catalog::ProviderKind;
use crate::error::ProviderError;

/// Reads a base URL, with or without its version segment: `https://api.openai.com` and
/// `https://api.openai.com/v1/` are the same.
pub(super) fn base_url(
    provider: &str,
    kind: ProviderKind,
    text: &str,
) -> Result<Url, ProviderError> {
    let wrong = |reason: String| ProviderError::BaseUrl {
        provider: provider.to_owned(),
        reason,
    };
    let mut url =
        Url::parse(text.trim()).map_err(|error| wrong(format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong(
            "must start with http:// or https:// and a host".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "must not have a query or fragment; keys belong in key_env".to_owned(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a user or password; keys belong in key_env".to_owned(),
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let versioned = path.rsplit('/').next().is_some_and(is_version);
    let path = if versioned {
        path
    } else {
        format!("{path}/{}", kind.version_segment())
    };
    url.set_path(&path);
    Ok(url)
}

/// `v1`, `v1beta`, `v2alpha1`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The address of a path below the base; a query may follow the path.
pub(super) fn join(base: &Url, path: &str) -> Url {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}

/// The same below `/upload`, which stands before the version segment.
pub(super) fn upload(base: &Url, path: &str) -> Url {
    let whole = base.path().trim_end_matches('/');
    let (prefix, version) = whole.rsplit_once('/').unwrap_or(("", whole));
    let mut below = base.clone();
    below.set_path(&format!("{prefix}/upload/{version}"));
    join(&below, path)
}

/// An address that a server gave, where it is at the host of the base.
pub(super) fn same_host(base: &Url, address: &str) -> Option<Url> {
    Url::parse(address)
        .ok()
        .filter(|url| url.origin() == base.origin())
}

/// The host and port for messages: never a user, path or query.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the server");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether the address is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_segment_is_there_once() {
        let full = |kind, text: &str, path: &str| {
            join(&base_url("p", kind, text).unwrap(), path).to_string()
        };
        for base in [
            "https://api.openai.com",
            "https://api.openai.com/",
            "https://api.openai.com/v1",
            " https://api.openai.com/v1/ ",
        ] {
            assert_eq!(
                full(ProviderKind::OpenAi, base, "/chat/completions"),
                "https://api.openai.com/v1/chat/completions"
            );
        }
        assert_eq!(
            full(
                ProviderKind::Compatible,
                "https://openrouter.ai/api/v1",
                "/chat/completions"
            ),
            "https://openrouter.ai/api/v1/chat/completions"
        );
        assert_eq!(
            full(
                ProviderKind::Gemini,
                "http://127.0.0.1:4120",
                "/models/gemini-2.5-pro:generateContent"
            ),
            "http://127.0.0.1:4120/v1beta/models/gemini-2.5-pro:generateContent"
        );
        assert_eq!(
            full(ProviderKind::Gemini, "https://g.example/v1", "/models"),
            "https://g.example/v1/models"
        );
        assert_eq!(
            full(ProviderKind::Compatible, "http://h/vllm", "/models"),
            "http://h/vllm/v1/models"
        );
    }

    #[test]
    fn uploads_stand_before_the_version_and_stay_at_the_host() {
        let base = |text| base_url("p", ProviderKind::Gemini, text).unwrap();
        assert_eq!(
            upload(&base("https://g.example"), "/files").to_string(),
            "https://g.example/upload/v1beta/files"
        );
        assert_eq!(
            upload(&base("http://h:1/proxy/v1"), "/files").to_string(),
            "http://h:1/proxy/upload/v1/files"
        );
        let given = |address| same_host(&base("https://g.example"), address).is_some();
        assert!(given("https://g.example/upload/v1beta/files?upload_id=1"));
        for other in [
            "https://g.example.evil/upload",
            "http://g.example/upload",
            "https://g.example:444/upload",
            "/upload",
        ] {
            assert!(!given(other), "{other}");
        }
        assert_eq!(
            join(
                &base("https://g.example"),
                "/batches?pageSize=100&pageToken=a%2Bb"
            )
            .to_string(),
            "https://g.example/v1beta/batches?pageSize=100&pageToken=a%2Bb"
        );
    }

    #[test]
    fn addresses_that_would_leak_or_fail_are_refused_unseen() {
        for bad in [
            "api.openai.com",
            "ftp://h/v1",
            "",
            "https://h/v1?key=sk-planted",
            "https://user:sk-planted@h/v1",
            "https://h/v1#sk-planted",
        ] {
            let error = base_url("p", ProviderKind::OpenAi, bad).unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("sk-planted"),
                "{error}"
            );
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        let loopback = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(loopback("http://localhost:1/v1"));
        assert!(loopback("http://127.0.0.2/"));
        assert!(loopback("http://[::1]:80/"));
        assert!(!loopback("http://10.0.0.1/"));
        assert!(!loopback("https://localhost.example/"));
    }
}
