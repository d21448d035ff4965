use serde_json::{Map, Value};
use specstress_llm::{Message, Part, Role, SharedText};

use crate::server::wire::{Refusal, Wire};

/// The fields of a JSON object, read strictly: what has the wrong type is refused by name.
#[derive(Clone, Debug)]
pub(in crate::server) struct Fields<'a> {
    wire: Wire,
    /// Where the object stands in the request, with a final dot; empty for the request itself.
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(in crate::server) fn of(wire: Wire, value: &'a Value) -> Result<Self, Refusal> {
        let map = value
            .as_object()
            .ok_or_else(|| Refusal::new(400, "the request body is not a JSON object"))?;
        Ok(Self {
            wire,
            path: String::new(),
            map,
        })
    }

    fn name(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }

    pub(super) fn wrong(&self, field: &str, reason: &str) -> Refusal {
        let name = self.name(field);
        Refusal::field(&name, format!("{name}: {reason}"))
    }

    /// Refuses fields beyond these, in the provider's words. Gemini takes both cases of a name.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let unknown = self.map.keys().find(|key| {
            !known
                .iter()
                .any(|name| key == name || self.snake(name) == **key)
        });
        let Some(key) = unknown else { return Ok(()) };
        let name = self.name(key);
        Err(match self.wire {
            Wire::Anthropic => {
                Refusal::field(&name, format!("{name}: Extra inputs are not permitted"))
            }
            Wire::Gemini => Refusal::field(
                &name,
                format!(
                    "Invalid JSON payload received. Unknown name \"{key}\"{}: Cannot find field.",
                    match self.path.trim_end_matches('.') {
                        "" => String::new(),
                        path => format!(" at '{path}'"),
                    }
                ),
            ),
            Wire::OpenAi | Wire::Xai => Refusal::field(
                &name,
                format!("Unrecognized request argument supplied: {name}"),
            )
            .code("unknown_parameter"),
        })
    }

    fn snake(&self, name: &str) -> String {
        if self.wire != Wire::Gemini {
            return name.to_owned();
        }
        name.chars().fold(String::new(), |mut snake, c| {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
            snake
        })
    }

    /// A field that is there and not null.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map
            .get(field)
            .or_else(|| self.map.get(&self.snake(field)))
            .filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, field: &str) -> Result<&'a Value, Refusal> {
        self.get(field)
            .ok_or_else(|| self.wrong(field, "Field required"))
    }

    fn typed<T>(
        &self,
        field: &str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        self.get(field)
            .map(|value| read(value).ok_or_else(|| self.wrong(field, what)))
            .transpose()
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&'a str>, Refusal> {
        self.typed(field, "Input should be a string", Value::as_str)
    }

    pub(super) fn required_text(&self, field: &str) -> Result<&'a str, Refusal> {
        self.required(field)?;
        Ok(self.text(field)?.unwrap_or_default())
    }

    pub(super) fn list(&self, field: &str) -> Result<Option<&'a [Value]>, Refusal> {
        self.typed(field, "Input should be an array", |value| {
            value.as_array().map(Vec::as_slice)
        })
    }

    /// A number of tokens or dimensions, at least 1.
    pub(super) fn count(&self, field: &str) -> Result<Option<u32>, Refusal> {
        self.typed(
            field,
            "Input should be a whole number of at least 1",
            |value| {
                u32::try_from(value.as_u64()?)
                    .ok()
                    .filter(|&count| count > 0)
            },
        )
    }

    pub(super) fn seed(&self, field: &str) -> Result<Option<u64>, Refusal> {
        self.typed(
            field,
            "Input should be a whole number, not negative",
            Value::as_u64,
        )
    }

    pub(super) fn number(&self, field: &str, high: f64) -> Result<Option<f64>, Refusal> {
        let what = format!("Input should be a number from 0 to {high}");
        self.typed(field, &what, |value| {
            value
                .as_f64()
                .filter(|number| (0.0..=high).contains(number))
        })
    }

    /// One text or a list of texts.
    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, Refusal> {
        let read = |value: &'a Value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(ToOwned::to_owned))
                .collect(),
            _ => None,
        };
        let texts = self.typed(field, "Input should be a string or strings", read)?;
        Ok(texts.unwrap_or_default())
    }

    pub(super) fn object(&self, field: &str) -> Result<Option<Self>, Refusal> {
        let map = self.typed(field, "Input should be an object", Value::as_object)?;
        Ok(map.map(|map| Self {
            wire: self.wire,
            path: format!("{}.", self.name(field)),
            map,
        }))
    }

    /// The objects of a list.
    pub(super) fn objects(&self, field: &str) -> Result<Option<Vec<Self>>, Refusal> {
        let Some(items) = self.list(field)? else {
            return Ok(None);
        };
        let item = |(index, item): (usize, &'a Value)| {
            let name = format!("{field}.{index}");
            let map = item
                .as_object()
                .ok_or_else(|| self.wrong(&name, "Input should be an object"))?;
            Ok(Self {
                wire: self.wire,
                path: format!("{}.", self.name(&name)),
                map,
            })
        };
        items
            .iter()
            .enumerate()
            .map(item)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Streams are refused: a simulated answer is whole.
    pub(super) fn no_stream(&self) -> Result<(), Refusal> {
        match self.get("stream") {
            Some(Value::Bool(true)) => Err(self.wrong("stream", "the sim server does not stream")),
            _ => Ok(()),
        }
    }

    /// Content that is one text, or blocks of text of one of these types. Blocks marked for caching become
    /// shared parts.
    pub(super) fn content(&self, field: &str, types: &[&str]) -> Result<Vec<Part>, Refusal> {
        if let Some(Value::String(text)) = self.get(field) {
            return Ok(vec![Part::Text(text.clone())]);
        }
        self.required(field)?;
        let blocks = self.objects(field)?.unwrap_or_default();
        let part = |block: &Self| {
            let kind = block.required_text("type")?;
            if !types.contains(&kind) {
                return Err(block.wrong("type", "the sim server reads text only"));
            }
            let text = block.required_text("text")?;
            Ok(match block.get("cache_control") {
                Some(_) => Part::Shared(SharedText::new(text)),
                None => Part::Text(text.to_owned()),
            })
        };
        blocks.iter().map(part).collect()
    }

    /// A conversation of `role` and `content`, split into the system prompt and the turns.
    pub(super) fn conversation(
        &self,
        field: &str,
        types: &[&str],
    ) -> Result<(Vec<Part>, Vec<Message>), Refusal> {
        self.required(field)?;
        let (mut system, mut turns) = (Vec::new(), Vec::new());
        for message in self.objects(field)?.unwrap_or_default() {
            let parts = message.content("content", types)?;
            let role = match message.required_text("role")? {
                "user" => Role::User,
                "assistant" => Role::Assistant,
                "system" | "developer" => {
                    system.extend(parts);
                    continue;
                }
                _ => return Err(message.wrong("role", "Input should be 'user' or 'assistant'")),
            };
            turns.push(Message { role, parts });
        }
        self.has_user(field, &turns)?;
        Ok((system, turns))
    }

    pub(super) fn has_user(&self, field: &str, turns: &[Message]) -> Result<(), Refusal> {
        if turns.iter().any(|turn| turn.role == Role::User) {
            return Ok(());
        }
        Err(self.wrong(field, "at least one message of the user is required"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::wire::error_body;
    use serde_json::json;

    fn said(wire: Wire, result: Result<(), Refusal>) -> String {
        error_body(wire, &result.unwrap_err(), "").to_string()
    }

    #[test]
    fn unknown_fields_are_named_as_the_provider_would() {
        let body = json!({"model": "m", "generation_config": {}, "n_best": 3});
        let check = |wire| {
            let fields = Fields::of(wire, &body).unwrap();
            said(
                wire,
                fields.only(&["model", "generationConfig", "generation_config"]),
            )
        };
        assert!(check(Wire::Anthropic).contains("n_best: Extra inputs are not permitted"));
        assert!(check(Wire::OpenAi).contains("Unrecognized request argument supplied: n_best"));
        assert!(check(Wire::Gemini).contains("Unknown name"));
        let gemini = Fields::of(Wire::Gemini, &body).unwrap();
        assert!(gemini.only(&["model", "generationConfig", "nBest"]).is_ok());
        assert!(gemini.object("generationConfig").unwrap().is_some());
        let strict = Fields::of(Wire::OpenAi, &body).unwrap();
        assert!(
            strict
                .only(&["model", "generationConfig", "nBest"])
                .is_err()
        );
    }

    #[test]
    fn types_are_checked_with_their_place() {
        let body = json!({"a": {"b": ["x", 1]}, "n": 0, "t": 3.0, "z": null});
        let fields = Fields::of(Wire::Anthropic, &body).unwrap();
        let inner = fields.object("a").unwrap().unwrap();
        let text = error_body(Wire::Anthropic, &inner.texts("b").unwrap_err(), "").to_string();
        assert!(text.contains("a.b: Input should be"), "{text}");
        assert!(fields.count("n").is_err() && fields.number("t", 2.0).is_err());
        assert_eq!(fields.number("t", 3.0).unwrap(), Some(3.0));
        assert_eq!(fields.text("z").unwrap(), None);
        assert!(Fields::of(Wire::Xai, &json!([])).is_err());
    }
}
