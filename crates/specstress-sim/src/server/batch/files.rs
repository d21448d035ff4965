//! Uploads, and what is told of files.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::batch::Limits;
use crate::server::batch::multipart::parts;
use crate::server::batch::read::json_or_default;
use crate::server::batch::store::{Content, File, Store};
use crate::server::batch::time::Moment;
use crate::server::clock::rfc3339;
use crate::server::wire::{Refusal, Wire};

const PURPOSES: [&str; 5] = ["batch", "assistants", "fine-tune", "user_data", "vision"];

/// Reads the multipart upload of `OpenAI` and xAI, which knows no purpose.
pub(super) fn upload(
    wire: Wire,
    headers: &HeaderMap,
    body: &Bytes,
    limits: &Limits,
    now: Moment,
) -> Result<File, Refusal> {
    let content_type = headers.get(hyper::header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let fields = parts(content_type, body)?;
    let purpose = fields
        .iter()
        .find(|part| part.name == "purpose")
        .map(|part| String::from_utf8_lossy(&part.data).into_owned());
    let file = fields
        .into_iter()
        .find(|part| part.name == "file")
        .ok_or_else(|| Refusal::field("file", "'file' is a required property"))?;
    let name = file
        .filename
        .ok_or_else(|| Refusal::field("file", "the file has no name"))?;
    if wire == Wire::OpenAi {
        let Some(purpose) = &purpose else {
            return Err(Refusal::field(
                "purpose",
                "'purpose' is a required property",
            ));
        };
        if !PURPOSES.contains(&purpose.as_str()) {
            return Err(Refusal::field(
                "purpose",
                format!("{purpose:?} is not a purpose"),
            ));
        }
        // Names are matched in any case.
        if purpose == "batch" && !name.to_lowercase().ends_with(".jsonl") {
            return Err(Refusal::new(
                400,
                "Invalid file format for Batch API. Must be .jsonl",
            ));
        }
    }
    if file.data.is_empty() {
        return Err(Refusal::field("file", "the file is empty"));
    }
    limits.bytes(file.data.len())?;
    Ok(File {
        wire,
        number: 0,
        name,
        mime: "application/jsonl".to_owned(),
        purpose: purpose.unwrap_or_default(),
        bytes: file.data.len() as u64,
        created: now,
        content: Content::Raw(file.data),
    })
}

/// A file as its provider tells of it.
pub(super) fn show(id: &str, file: &File) -> Value {
    if file.wire == Wire::Gemini {
        return json!({
            "name": id,
            "displayName": file.name,
            "mimeType": file.mime,
            "sizeBytes": file.bytes.to_string(),
            "createTime": rfc3339(file.created.unix),
            "updateTime": rfc3339(file.created.unix),
            "expirationTime": rfc3339(file.created.unix + 2 * 86_400),
            "uri": format!("https://generativelanguage.googleapis.com/v1beta/{id}"),
            "state": "ACTIVE",
            "source": if file.purpose == "batch_output" { "GENERATED" } else { "UPLOADED" },
        });
    }
    let mut told = json!({
        "id": id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created.unix,
        "expires_at": file.created.unix + 30 * 86_400,
        "filename": file.name,
    });
    if file.wire == Wire::OpenAi {
        told["purpose"] = file.purpose.clone().into();
        told["status"] = "processed".into();
        told["status_details"] = Value::Null;
    }
    told
}

#[derive(Default, Deserialize)]
struct Start {
    #[serde(default)]
    file: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default, alias = "displayName")]
    display_name: String,
    #[serde(default, alias = "mimeType")]
    mime_type: Option<String>,
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The first step of Gemini's upload: the file that is to come.
pub(super) fn start(
    headers: &HeaderMap,
    body: &[u8],
    limits: &Limits,
    now: Moment,
) -> Result<File, Refusal> {
    if header(headers, "x-goog-upload-protocol") != Some("resumable")
        || header(headers, "x-goog-upload-command") != Some("start")
    {
        let message = "the sim server takes uploads of the resumable protocol: x-goog-upload-protocol: resumable \
             and x-goog-upload-command: start";
        return Err(Refusal::new(400, message));
    }
    let length = header(headers, "x-goog-upload-header-content-length");
    let length = length
        .map(str::parse::<usize>)
        .transpose()
        .map_err(|_| Refusal::new(400, "x-goog-upload-header-content-length: not a number"))?;
    limits.bytes(length.unwrap_or_default())?;
    let Start { file } = json_or_default(body)?;
    let mime = header(headers, "x-goog-upload-header-content-type").map(ToOwned::to_owned);
    Ok(File {
        wire: Wire::Gemini,
        number: 0,
        name: file.display_name,
        mime: file
            .mime_type
            .or(mime)
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
        purpose: String::new(),
        bytes: length.unwrap_or_default() as u64,
        created: now,
        content: Content::Partial(Vec::new()),
    })
}

/// A later step: bytes, and whether they are the last. Returns the finished file's id.
pub(super) fn proceed(
    store: &mut Store,
    upload: &str,
    headers: &HeaderMap,
    body: &Bytes,
    limits: &Limits,
) -> Result<Option<String>, Refusal> {
    let command = header(headers, "x-goog-upload-command").unwrap_or_default();
    let commands: Vec<&str> = command.split(',').map(str::trim).collect();
    let Some(file) = store.files.get_mut(upload) else {
        return Err(Refusal::new(
            404,
            "there is no such upload, or it is finished",
        ));
    };
    let Content::Partial(bytes) = &mut file.content else {
        return Err(Refusal::new(
            404,
            "there is no such upload, or it is finished",
        ));
    };
    if commands.contains(&"upload") {
        let offset = header(headers, "x-goog-upload-offset");
        if offset.and_then(|offset| offset.parse().ok()) != Some(bytes.len()) {
            let message = format!(
                "x-goog-upload-offset: must be {}, what has come",
                bytes.len()
            );
            return Err(Refusal::new(400, message));
        }
        bytes.extend_from_slice(body);
        limits.bytes(bytes.len())?;
    } else if !commands.contains(&"finalize") {
        let message = "x-goog-upload-command: must be upload, finalize or both";
        return Err(Refusal::new(400, message));
    }
    if !commands.contains(&"finalize") {
        return Ok(None);
    }
    let declared = file.bytes;
    let bytes = Bytes::from(std::mem::take(bytes));
    if declared > 0 && declared != bytes.len() as u64 {
        let message = format!("{} bytes came, {declared} were declared", bytes.len());
        store.files.remove(upload);
        return Err(Refusal::new(400, message));
    }
    let Some(mut file) = store.files.remove(upload) else {
        return Ok(None);
    };
    let id = store.file_id(Wire::Gemini, &bytes);
    file.bytes = bytes.len() as u64;
    file.content = Content::Raw(bytes);
    store.insert_file(id.clone(), file);
    Ok(Some(id))
}
