use crate::server::wire::Refusal;

/// The parameters of a query string, decoded; `+` is a space, as in forms.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: Option<&str>) -> Self {
        let pairs = text.unwrap_or_default().split('&');
        Self(
            pairs
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A number of rows, from 1 to a greatest one.
    pub(super) fn limit(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        text.parse()
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| {
                let message = format!("{name}: {text:?} is not a whole number from 1 to {most}");
                Refusal::field(name, message)
            })
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &tail[2..];
                    }
                    None => bytes.push(b'%'),
                }
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A page of rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    /// Where the next one starts, if there is one.
    pub(super) next: Option<usize>,
}

/// Cuts a page out of all rows.
pub(super) fn page<T>(rows: impl IntoIterator<Item = T>, start: usize, limit: usize) -> Page<T> {
    let mut rows: Vec<T> = rows.into_iter().skip(start).take(limit + 1).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    Page {
        rows,
        next: more.then_some(start + limit),
    }
}

/// A token for the next page. It has characters that must be encoded in a query, as real ones have.
pub(super) fn token(start: usize) -> String {
    format!("sim+{start}/=")
}

/// Where the page of a token starts.
pub(super) fn start_of(token: Option<&str>, name: &str) -> Result<usize, Refusal> {
    let Some(token) = token else { return Ok(0) };
    token
        .strip_prefix("sim+")
        .and_then(|rest| rest.strip_suffix("/="))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| {
            Refusal::field(
                name,
                format!("{name}: {token:?} is not a token of this list"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_limits_checked() {
        let query = Query::read(Some("limit=5&token=sim%2B3%2F%3D&plus=a+b&odd=%zz&empty="));
        assert_eq!(query.get("token"), Some("sim+3/="));
        assert_eq!(query.get("plus"), Some("a b"));
        assert_eq!(query.get("odd"), Some("%zz"));
        assert_eq!(query.get("empty"), None);
        assert_eq!(query.limit("limit", 20, 100).unwrap(), 5);
        assert_eq!(query.limit("none", 20, 100).unwrap(), 20);
        assert!(query.limit("limit", 20, 4).is_err());
        assert!(
            Query::read(Some("limit=0"))
                .limit("limit", 20, 100)
                .is_err()
        );
    }

    #[test]
    fn pages_follow_each_other() {
        let (mut all, mut start) = (Vec::new(), 0);
        loop {
            let page = page(0..7, start, 3);
            all.extend(page.rows);
            let Some(next) = page.next else { break };
            start = start_of(Some(&token(next)), "t").unwrap();
        }
        assert_eq!(all, (0..7).collect::<Vec<_>>());
        assert_eq!(page(0..6, 3, 3).next, None);
        assert!(
            start_of(Some("sim 3/="), "t").is_err(),
            "a token sent undecoded"
        );
    }
}
