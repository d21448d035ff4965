use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::ModelId;
use crate::json::canonical;
use crate::request::{ChatRequest, Effort, Message, Part};

/// Builds a SHA-256 over named, length-prefixed fields, so that no two field lists give the same bytes.
///
/// ```
/// use specstress_llm::Digest;
///
/// let one = Digest::new("demo").field("a", "bc").finish();
/// let two = Digest::new("demo").field("ab", "c").finish();
/// assert_ne!(one, two);
/// ```
#[derive(Clone, Debug)]
pub struct Digest(Sha256);

impl Digest {
    /// Starts a digest of one kind of thing; the domain keeps kinds apart.
    pub fn new(domain: &str) -> Self {
        Self(Sha256::new()).field("domain", domain)
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for bytes in [name.as_bytes(), value.as_ref()] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
        self
    }

    /// Adds a field where there is a value; an absent field differs from an empty one.
    #[must_use]
    pub fn optional(self, name: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The 32 bytes.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The 64 lowercase hexadecimal digits.
    pub fn hex(self) -> String {
        to_hex(&self.finish())
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The identity of a call: a SHA-256 of the model, the canonical request and the sample index.
///
/// Two requests that would be answered alike have the same key whatever order they are made in, and
/// nothing else is ever used to pair a reply with its request. The text form is 64 hexadecimal digits,
/// which every provider accepts as a batch `custom_id`.
///
/// ```
/// use specstress_llm::{ChatRequest, ModelId, RequestKey};
///
/// let model: ModelId = "openai/gpt-4.1".parse()?;
/// let request = ChatRequest::user("Hello");
/// let first = RequestKey::chat(&model, &request);
/// assert_eq!(first, RequestKey::chat(&model, &request.clone()));
/// assert_ne!(first, RequestKey::chat(&model, &request.with_sample(1)));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestKey([u8; 32]);

impl RequestKey {
    /// The key of a chat call. Long shared parts are hashed once, when they are made, not once per call.
    pub fn chat(model: &ModelId, request: &ChatRequest) -> Self {
        // Every field is named so that a new one forces a decision here: identity is content.
        let ChatRequest {
            system,
            messages,
            max_tokens,
            temperature,
            top_p,
            seed,
            stop,
            effort,
            schema,
            sample,
        } = request;
        let mut digest = Digest::new("specstress chat request 1")
            .field("provider", model.provider())
            .field("model", model.name());
        for part in system {
            digest = digest.field("system", part.digest());
        }
        for Message { role, parts } in messages {
            digest = digest.field("role", role.as_str());
            digest = parts
                .iter()
                .map(Part::digest)
                .fold(digest, |digest, part| digest.field("part", part));
        }
        for text in stop {
            digest = digest.field("stop", text);
        }
        Self(
            digest
                .optional("max_tokens", max_tokens.map(u32::to_le_bytes))
                .optional("temperature", temperature.map(float_bytes))
                .optional("top_p", top_p.map(float_bytes))
                .optional("seed", seed.map(u64::to_le_bytes))
                .optional("effort", effort.map(Effort::as_str))
                .optional("schema_name", schema.as_ref().map(|schema| &schema.name))
                .optional(
                    "schema",
                    schema.as_ref().map(|schema| canonical(&schema.schema)),
                )
                .field("sample", sample.to_le_bytes())
                .finish(),
        )
    }

    /// The key of one embedded text.
    pub fn embedding(model: &ModelId, dimensions: Option<u32>, text: &str) -> Self {
        Self(
            Digest::new("specstress embedding request 1")
                .field("provider", model.provider())
                .field("model", model.name())
                .optional("dimensions", dimensions.map(u32::to_le_bytes))
                .field("text", text)
                .finish(),
        )
    }

    /// The raw bytes, for stores.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key from the bytes of a store.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// One byte pattern per number: minus zero is zero.
fn float_bytes(value: f64) -> [u8; 8] {
    (value + 0.0).to_le_bytes()
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestKey({self})")
    }
}

impl FromStr for RequestKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("request key {text:?} is not 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for RequestKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RequestKey> for String {
    fn from(key: RequestKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ResponseSchema, SharedText};

    fn model() -> ModelId {
        ModelId::new("openai", "gpt-4.1")
    }

    #[test]
    fn every_field_changes_the_key() {
        let base = ChatRequest::user("hello");
        let variants = [
            base.clone(),
            base.clone().with_system("be brief"),
            base.clone().with_max_tokens(10),
            base.clone().with_temperature(0.0),
            base.clone().with_top_p(0.5),
            base.clone().with_seed(1),
            base.clone().with_stop("END"),
            base.clone().with_effort(Effort::High),
            base.clone().with_schema(ResponseSchema {
                name: "r".into(),
                schema: serde_json::json!({"type": "object"}),
            }),
            base.clone().with_sample(1),
            base.clone().with_assistant("hello"),
            ChatRequest::user("hello "),
        ];
        let keys: std::collections::BTreeSet<_> = variants
            .iter()
            .map(|request| RequestKey::chat(&model(), request))
            .collect();
        assert_eq!(keys.len(), variants.len());
        assert_ne!(
            RequestKey::chat(&model(), &base),
            RequestKey::chat(&ModelId::new("openai", "o3"), &base)
        );
    }

    #[test]
    fn shared_text_hashes_like_plain_text() {
        let shared = ChatRequest::user(SharedText::new("spec"));
        assert_eq!(
            RequestKey::chat(&model(), &shared),
            RequestKey::chat(&model(), &ChatRequest::user("spec"))
        );
    }

    #[test]
    fn keys_are_stable_over_versions() {
        // A change here means that every stored call is lost: raise the domain's number on purpose.
        let key = RequestKey::chat(&model(), &ChatRequest::user("hello").with_temperature(-0.0));
        assert_eq!(
            key.to_string(),
            "b55d9e59e2ee8bfbba747eb644630d43a866d7594ac0a4212f98aece8ff044d6"
        );
        assert_eq!(key.to_string().parse::<RequestKey>().unwrap(), key);
        assert!("12".parse::<RequestKey>().is_err());
        // Made when the keys of objects were sorted; the order in which a schema is written does not matter.
        for schema in [
            r#"{"type": "object", "properties": {"reasoning": {"type": "string"}, "decision": {"enum": ["a"]}}}"#,
            r#"{"properties": {"decision": {"enum": ["a"]}, "reasoning": {"type": "string"}}, "type": "object"}"#,
        ] {
            let request = ChatRequest::user("hello").with_schema(ResponseSchema {
                name: "verdict".into(),
                schema: serde_json::from_str(schema).unwrap(),
            });
            assert_eq!(
                RequestKey::chat(&model(), &request).to_string(),
                "639d2b1bc7ffb28a3d706f657441560e1adac654c682710bea9816639dd73000"
            );
        }
    }
}
