//! Input files: in one call as a form, or in two as Google has it.

use specstress_llm::{BatchLine, BatchTag, LlmError};

use super::form::file_text;
use super::service::Service;
use crate::endpoint::Attempts;
use crate::percent;
use crate::retry::ServerHint;
use crate::transport::{Call, Place, Verb};
use crate::wire::{accepted, document, text_of, unreadable};

/// Stands between the parts of a form. No line of JSON can hold it: a line has no line break.
const BOUNDARY: &str = "specstress-form-boundary-5f1c8d2e7a904b36";
const JSON_LINES: &str = "application/jsonl";

/// Uploads the lines as a form; the id of the file.
pub(super) async fn form(
    service: &Service,
    tag: &BatchTag,
    lines: &[BatchLine],
    purpose: Option<&str>,
) -> Result<String, LlmError> {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let call = Call::new(Verb::Post, "/files")
        .with_headers(service.headers.clone())
        .with_headers(vec![("content-type", content_type)])
        .with_body(form_body(tag, lines, purpose));
    let answer = service
        .endpoint
        .call_aside(&call, Attempts::ByPolicy, |reply| {
            let body = document(&service.info, reply, &["id", "file_id"])?;
            text_of(&body, "id")
                .or_else(|| text_of(&body, "file_id"))
                .map(ToOwned::to_owned)
                .ok_or_else(|| unreadable(&service.info, reply, "a file without an id"))
        });
    answer.await
}

fn form_body(tag: &BatchTag, lines: &[BatchLine], purpose: Option<&str>) -> String {
    let bytes: usize = lines.iter().map(|line| line.json.len() + 1).sum();
    let mut body = String::with_capacity(bytes + 1_024);
    if let Some(purpose) = purpose {
        for piece in [
            "--",
            BOUNDARY,
            "\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\n",
            purpose,
            "\r\n",
        ] {
            body.push_str(piece);
        }
    }
    for piece in [
        "--",
        BOUNDARY,
        "\r\ncontent-disposition: form-data; name=\"file\"; filename=\"",
        &percent::encode(tag.as_str(), b""),
        ".jsonl\"\r\ncontent-type: ",
        JSON_LINES,
        "\r\n\r\n",
    ] {
        body.push_str(piece);
    }
    body.extend(file_text(lines));
    for piece in ["\r\n--", BOUNDARY, "--\r\n"] {
        body.push_str(piece);
    }
    body
}

/// Uploads the lines in two calls, both anew when the second one fails; the name of the file.
pub(super) async fn resumable(
    service: &Service,
    tag: &BatchTag,
    lines: &[BatchLine],
) -> Result<String, LlmError> {
    let text: String = file_text(lines).collect();
    let start = serde_json::json!({"file": {"display_name": tag.as_str()}}).to_string();
    let start = Call::new(Verb::Post, "/files")
        .at(Place::Upload)
        .with_headers(service.headers.clone())
        .with_headers(vec![
            ("x-goog-upload-protocol", "resumable".to_owned()),
            ("x-goog-upload-command", "start".to_owned()),
            (
                "x-goog-upload-header-content-length",
                text.len().to_string(),
            ),
            ("x-goog-upload-header-content-type", JSON_LINES.to_owned()),
        ])
        .with_body(start);
    let mut bytes = Call::new(Verb::Post, "/files:upload")
        .with_headers(vec![
            ("content-type", JSON_LINES.to_owned()),
            ("x-goog-upload-offset", "0".to_owned()),
            ("x-goog-upload-command", "upload, finalize".to_owned()),
        ])
        .with_body(text);
    let mut attempt = 1;
    loop {
        let address = service
            .endpoint
            .call_aside(&start, Attempts::ByPolicy, |reply| {
                accepted(&service.info, reply)?;
                reply
                    .headers
                    .get("x-goog-upload-url")
                    .cloned()
                    .ok_or_else(|| unreadable(&service.info, reply, "without an upload address"))
            });
        bytes.place = Place::Given(address.await?);
        let uploaded = service.endpoint.call_aside(&bytes, Attempts::One, |reply| {
            let body = document(&service.info, reply, &["file"])?;
            text_of(&body["file"], "name")
                .map(ToOwned::to_owned)
                .ok_or_else(|| unreadable(&service.info, reply, "a file without a name"))
        });
        match uploaded.await {
            Ok(name) => return Ok(name),
            Err(error) => {
                service
                    .endpoint
                    .again(attempt, error, ServerHint::default())
                    .await?;
            }
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use specstress_llm::RequestKey;

    #[test]
    fn a_form_is_written_as_rfc_7578_has_it() {
        let tag = BatchTag::from_recorded("tag");
        let lines = ["{\"a\":1}", "{\"b\":2}"].map(|json| BatchLine {
            key: RequestKey::from_bytes([0; 32]),
            json: json.to_owned(),
        });
        assert_eq!(
            form_body(&tag, &lines, Some("batch")),
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
                 --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"tag.jsonl\"\r\n\
                 content-type: application/jsonl\r\n\r\n{{\"a\":1}}\n{{\"b\":2}}\n\r\n--{BOUNDARY}--\r\n"
            )
        );
        assert!(!form_body(&tag, &lines, None).contains("purpose"));
    }
}
