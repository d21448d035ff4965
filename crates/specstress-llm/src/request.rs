use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::Digest;

/// Text that many requests share, such as a whole model spec: held once, hashed once.
///
/// Providers put it under prompt caching; stores keep it once.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedText(Arc<SharedInner>);

#[derive(PartialEq, Eq)]
struct SharedInner {
    text: String,
    digest: [u8; 32],
}

impl SharedText {
    /// Takes the text and hashes it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let digest = text_digest(&text);
        Self(Arc::new(SharedInner { text, digest }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// SHA-256 of the text.
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedText({} bytes)", self.0.text.len())
    }
}

fn text_digest(text: &str) -> [u8; 32] {
    Digest::new("specstress text 1")
        .field("text", text)
        .finish()
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Text of this request alone.
    Text(String),
    /// Text shared with other requests: the long constant part, worth caching at the provider.
    #[serde(
        serialize_with = "serialize_shared",
        deserialize_with = "deserialize_shared"
    )]
    Shared(SharedText),
}

fn serialize_shared<S: Serializer>(text: &SharedText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_str())
}

fn deserialize_shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SharedText, D::Error> {
    String::deserialize(deserializer).map(SharedText::new)
}

impl Part {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Shared(text) => text.as_str(),
        }
    }

    /// SHA-256 of the text; the same for both kinds of part.
    pub fn digest(&self) -> [u8; 32] {
        match self {
            Self::Text(text) => text_digest(text),
            Self::Shared(text) => text.digest(),
        }
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<SharedText> for Part {
    fn from(text: SharedText) -> Self {
        Self::Shared(text)
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// `user` or `assistant`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation; its text is the parts joined without a separator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What they say.
    pub parts: Vec<Part>,
}

impl Message {
    /// The parts joined.
    pub fn text(&self) -> String {
        self.parts.iter().map(Part::as_str).collect()
    }
}

/// How hard a model should think, from not at all to as much as it can; providers map it to their own
/// scale (method: providers differ in which levels they take).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// No reasoning.
    None,
    /// As little as the model can.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    Xhigh,
    /// All it has.
    Max,
}

impl Effort {
    /// The lowercase name, as most providers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// The JSON schema a reply should follow. Models without native support ignore it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseSchema {
    /// A short name, `^[a-zA-Z0-9_-]{1,64}$`.
    pub name: String,
    /// The schema; every object closed and every property required, so that every provider takes it.
    pub schema: serde_json::Value,
}

/// One request for one complete answer. Whatever is `None` is not sent: providers refuse defaults that a
/// model does not take.
///
/// ```
/// use specstress_llm::{ChatRequest, SharedText};
///
/// let spec = SharedText::new("# The spec\n...");
/// let request = ChatRequest::user(spec).with_user_part("Is this answer allowed?").with_max_tokens(1024);
/// assert_eq!(request.last_user_text(), "# The spec\n...Is this answer allowed?");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatRequest {
    /// The system prompt; empty for none.
    pub system: Vec<Part>,
    /// The conversation, oldest first, ending with the user.
    pub messages: Vec<Message>,
    /// Most tokens to write, reasoning included where the provider counts it.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 and up.
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f64>,
    /// Sampling seed, for the providers that take one.
    pub seed: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// The form the answer should have.
    pub schema: Option<ResponseSchema>,
    /// Which of several samples of the same request this is. Not sent; part of the key.
    pub sample: u32,
}

impl ChatRequest {
    /// A conversation of one user turn.
    pub fn user(text: impl Into<Part>) -> Self {
        Self::default().with_user(text)
    }

    /// Adds a user turn.
    #[must_use]
    pub fn with_user(self, text: impl Into<Part>) -> Self {
        self.with_turn(Role::User, text.into())
    }

    /// Adds an assistant turn.
    #[must_use]
    pub fn with_assistant(self, text: impl Into<Part>) -> Self {
        self.with_turn(Role::Assistant, text.into())
    }

    /// Adds a part to the last turn when that is the user's, else opens a user turn.
    #[must_use]
    pub fn with_user_part(mut self, text: impl Into<Part>) -> Self {
        match self.messages.last_mut() {
            Some(message) if message.role == Role::User => {
                message.parts.push(text.into());
                self
            }
            _ => self.with_user(text),
        }
    }

    /// Adds to the system prompt.
    #[must_use]
    pub fn with_system(mut self, text: impl Into<Part>) -> Self {
        self.system.push(text.into());
        self
    }

    /// Limits the tokens written.
    #[must_use]
    pub fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets the temperature.
    #[must_use]
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets nucleus sampling.
    #[must_use]
    pub fn with_top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets the sampling seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a stop text.
    #[must_use]
    pub fn with_stop(mut self, text: impl Into<String>) -> Self {
        self.stop.push(text.into());
        self
    }

    /// Sets the reasoning effort.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = Some(effort);
        self
    }

    /// Asks for JSON of this schema.
    #[must_use]
    pub fn with_schema(mut self, schema: ResponseSchema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Says which sample of the same request this is.
    #[must_use]
    pub fn with_sample(mut self, sample: u32) -> Self {
        self.sample = sample;
        self
    }

    /// Bytes of text in this request's own parts and in its shared ones: `(own, shared)`.
    pub fn text_bytes(&self) -> (u64, u64) {
        let parts = self.messages.iter().flat_map(|message| &message.parts);
        self.system
            .iter()
            .chain(parts)
            .fold((0, 0), |(own, shared), part| {
                let bytes = part.as_str().len() as u64;
                match part {
                    Part::Text(_) => (own + bytes, shared),
                    Part::Shared(_) => (own, shared + bytes),
                }
            })
    }

    /// The text of the last user turn; empty when there is none.
    pub fn last_user_text(&self) -> String {
        self.messages
            .iter()
            .rev()
            .find(|message| message.role == Role::User)
            .map(Message::text)
            .unwrap_or_default()
    }

    fn with_turn(mut self, role: Role, part: Part) -> Self {
        self.messages.push(Message {
            role,
            parts: vec![part],
        });
        self
    }
}
