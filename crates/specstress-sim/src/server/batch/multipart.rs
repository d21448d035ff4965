use hyper::body::Bytes;

use crate::server::wire::Refusal;

/// A field of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) data: Bytes,
}

/// The fields of a `multipart/form-data` body, without copying what they hold.
pub(super) fn parts(content_type: &str, body: &Bytes) -> Result<Vec<Field>, Refusal> {
    let wrong = |message: &str| Refusal::new(400, format!("multipart/form-data: {message}"));
    if !content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
    {
        return Err(Refusal::new(
            400,
            "the content type must be multipart/form-data",
        ));
    }
    let boundary =
        parameter(content_type, "boundary").ok_or_else(|| wrong("there is no boundary"))?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut at = if body.starts_with(&delimiter[2..]) {
        delimiter.len() - 2
    } else {
        find(body, &delimiter, 0).ok_or_else(|| wrong("the boundary is not in the body"))?
            + delimiter.len()
    };
    let mut fields = Vec::new();
    loop {
        match body.get(at..at + 2) {
            Some(b"--") => return Ok(fields),
            Some(b"\r\n") => at += 2,
            _ => return Err(wrong("the body ends without its last boundary")),
        }
        let end = find(body, b"\r\n\r\n", at).ok_or_else(|| wrong("a part has no head"))?;
        let head = String::from_utf8_lossy(&body[at..end]);
        let start = end + 4;
        // An empty part ends right behind its head.
        let stop = find(body, &delimiter, start - 2).ok_or_else(|| wrong("a part does not end"))?;
        let disposition = head
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
            .map(|(_, value)| value)
            .unwrap_or_default();
        let name = parameter(disposition, "name").ok_or_else(|| wrong("a part has no name"))?;
        fields.push(Field {
            name,
            filename: parameter(disposition, "filename"),
            data: body.slice(start.min(stop)..stop),
        });
        at = stop + delimiter.len();
    }
}

/// A parameter of a header, quoted or not.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = value.trim();
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| bare.unwrap_or(value).to_owned())
    })
}

/// The first place of a text at or after another. Texts start with a byte that lines of JSON do not have.
fn find(body: &[u8], text: &[u8], from: usize) -> Option<usize> {
    let first = *text.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|&byte| byte == first)?;
        if body[at..].starts_with(text) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x-y\"";

    #[test]
    fn fields_are_cut_out_at_their_boundaries() {
        let body = Bytes::from_static(
            b"--x-y\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
              --x-y\r\ncontent-disposition: form-data; name=file; filename=\"a b.jsonl\"\r\n\
              content-type: application/jsonl\r\n\r\n{\"a\":1}\n--x-\n\r\n--x\r\n\r\n--x-y\r\n\
              content-disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x-y--\r\n",
        );
        let fields = parts(TYPE, &body).unwrap();
        let told: Vec<_> = fields
            .iter()
            .map(|field| (&*field.name, field.filename.as_deref(), &*field.data))
            .collect();
        assert_eq!(
            told,
            [
                ("purpose", None, &b"batch"[..]),
                (
                    "file",
                    Some("a b.jsonl"),
                    &b"{\"a\":1}\n--x-\n\r\n--x\r\n"[..]
                ),
                ("empty", None, &b""[..]),
            ]
        );
    }

    #[test]
    fn broken_forms_are_refused() {
        for (kind, body) in [
            ("application/json", "{}"),
            ("multipart/form-data", "--x-y--"),
            (TYPE, ""),
            (TYPE, "--x-y"),
            (TYPE, "--x-y\r\ncontent-disposition: form-data; name=a\r\n"),
            (
                TYPE,
                "--x-y\r\ncontent-disposition: form-data; name=a\r\n\r\nb",
            ),
            (TYPE, "--x-y\r\na: b\r\n\r\nb\r\n--x-y--"),
        ] {
            let body = Bytes::copy_from_slice(body.as_bytes());
            assert!(parts(kind, &body).is_err(), "{kind}: {body:?}");
        }
    }
}
