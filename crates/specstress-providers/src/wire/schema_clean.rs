//! The one JSON schema of a request, made fit for each provider.

use serde_json::{Map, Value, json};

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaRules {
    /// Strict mode: closed objects, every property required, optional ones nullable.
    OpenAi,
    /// Closed objects; no numeric, length or array limits.
    Anthropic,
    /// The keywords that `responseJsonSchema` lists.
    Gemini,
}

/// Keywords that say something of the schema and nothing of the value.
const ANNOTATIONS: [&str; 5] = ["$schema", "$id", "$comment", "default", "examples"];

const ANTHROPIC_DROPS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contains",
];

const GEMINI_KEEPS: [&str; 19] = [
    "$anchor",
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "maxItems",
    "minimum",
    "minItems",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyOrdering",
    "required",
    "title",
];

/// The schema as the provider takes it, or `None` when it cannot be (Anthropic takes no recursion): then
/// it is not sent and the reply is decoded leniently.
///
/// Limits that are dropped are said in the description instead, so that the model still reads them.
pub(super) fn clean(schema: &Value, rules: SchemaRules) -> Option<Value> {
    if rules == SchemaRules::Anthropic && is_recursive(schema) {
        return None;
    }
    Some(walk(schema, rules))
}

fn walk(schema: &Value, rules: SchemaRules) -> Value {
    let Value::Object(object) = schema else {
        return schema.clone();
    };
    let mut out = Map::new();
    let mut said = Vec::new();
    for (keyword, value) in object {
        if ANNOTATIONS.contains(&keyword.as_str()) {
            continue;
        }
        if rules == SchemaRules::Gemini && keyword == "const" {
            out.insert("enum".to_owned(), json!([value]));
            continue;
        }
        if dropped(keyword, rules) {
            if !value.is_object() && !value.is_array() {
                said.push(format!("{keyword}: {value}"));
            }
            continue;
        }
        let value = match keyword.as_str() {
            "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas" => {
                match value {
                    Value::Object(named) => named
                        .iter()
                        .map(|(name, schema)| (name.clone(), walk(schema, rules)))
                        .collect::<Map<_, _>>()
                        .into(),
                    other => other.clone(),
                }
            }
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => match value {
                Value::Array(schemas) => schemas
                    .iter()
                    .map(|schema| walk(schema, rules))
                    .collect::<Vec<_>>()
                    .into(),
                other => other.clone(),
            },
            "items" | "not" | "additionalProperties" | "contains" | "if" | "then" | "else" => {
                walk(value, rules)
            }
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    if !said.is_empty() {
        let old = out.get("description").and_then(Value::as_str).unwrap_or("");
        let separator = if old.is_empty() { "" } else { " " };
        let text = format!("{old}{separator}({})", said.join(", "));
        out.insert("description".to_owned(), text.into());
    }
    if rules != SchemaRules::Gemini && is_object_schema(&out) {
        close(&mut out, rules);
    }
    Value::Object(out)
}

fn dropped(keyword: &str, rules: SchemaRules) -> bool {
    match rules {
        SchemaRules::OpenAi => false,
        SchemaRules::Anthropic => ANTHROPIC_DROPS.contains(&keyword),
        SchemaRules::Gemini => keyword != "type" && !GEMINI_KEEPS.contains(&keyword),
    }
}

fn is_object_schema(schema: &Map<String, Value>) -> bool {
    let typed = match schema.get("type") {
        Some(Value::String(name)) => name == "object",
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        _ => false,
    };
    typed || schema.contains_key("properties")
}

fn close(schema: &mut Map<String, Value>, rules: SchemaRules) {
    schema.insert("additionalProperties".to_owned(), false.into());
    if rules != SchemaRules::OpenAi {
        return;
    }
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(ToOwned::to_owned))
        .collect();
    let properties = schema
        .entry("properties")
        .or_insert_with(|| json!({}))
        .as_object_mut();
    let names: Vec<String> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            if !required.contains(name) {
                make_nullable(property);
            }
            name.clone()
        })
        .collect();
    schema.insert("required".to_owned(), names.into());
}

/// Strict mode has no optional properties: a missing one is written as null.
fn make_nullable(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    let plain = !["anyOf", "oneOf", "allOf", "$ref", "const"]
        .iter()
        .any(|keyword| object.contains_key(*keyword));
    match object.get_mut("type") {
        Some(Value::String(name)) if plain => {
            if name != "null" {
                let union = json!([name, "null"]);
                object.insert("type".to_owned(), union);
            }
        }
        Some(Value::Array(names)) if plain => {
            if !names.iter().any(|name| name == "null") {
                names.push("null".into());
            }
        }
        _ => {
            let inner = Value::Object(std::mem::take(object));
            object.insert("anyOf".to_owned(), json!([inner, {"type": "null"}]));
            return;
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Whether a definition, or the whole, refers to itself over any number of steps.
fn is_recursive(schema: &Value) -> bool {
    fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                for (keyword, value) in object {
                    match value {
                        Value::String(target) if keyword == "$ref" => found.push(target),
                        // What is defined is not used until something refers to it.
                        _ if keyword == "$defs" || keyword == "definitions" => {}
                        _ => refs(value, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| refs(value, found)),
            _ => {}
        }
    }
    fn visit<'a>(
        root: &'a Value,
        from: &'a Value,
        path: &mut Vec<&'a str>,
        done: &mut Vec<&'a str>,
    ) -> bool {
        let mut found = Vec::new();
        refs(from, &mut found);
        for target in found {
            if target == "#" || path.contains(&target) {
                return true;
            }
            if done.contains(&target) {
                continue;
            }
            if let Some(next) = target.strip_prefix('#').and_then(|to| root.pointer(to)) {
                path.push(target);
                let cycle = visit(root, next, path, done);
                path.pop();
                if cycle {
                    return true;
                }
            }
            done.push(target);
        }
        false
    }
    visit(schema, schema, &mut Vec::new(), &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "score": {"type": "integer", "minimum": 0, "maximum": 6, "description": "How strong."},
                "minimum": {"type": "string", "maxLength": 9},
                "kind": {"const": "rating"},
                "inner": {"type": "object", "properties": {"x": {"enum": ["a", "b"]}}, "required": []}
            },
            "required": ["score", "kind"]
        })
    }

    #[test]
    fn openai_closes_objects_and_requires_everything() {
        let clean = clean(&rating(), SchemaRules::OpenAi).unwrap();
        assert_eq!(clean["additionalProperties"], false);
        assert_eq!(clean["required"].as_array().unwrap().len(), 4);
        assert_eq!(clean["properties"]["score"]["maximum"], 6);
        assert_eq!(
            clean["properties"]["minimum"]["type"],
            json!(["string", "null"])
        );
        let inner = &clean["properties"]["inner"];
        assert_eq!(inner["type"], json!(["object", "null"]));
        assert_eq!(inner["additionalProperties"], false);
        assert_eq!(
            inner["properties"]["x"]["anyOf"],
            json!([{"enum": ["a", "b"]}, {"type": "null"}])
        );
        assert!(clean.get("$schema").is_none());
    }

    #[test]
    fn optional_values_may_be_null_in_strict_mode() {
        let schema = json!({"properties": {
            "a": {"type": "string", "enum": ["x"]},
            "b": {"$ref": "#/$defs/B"},
            "c": {"type": ["integer", "null"]}
        }});
        let clean = clean(&schema, SchemaRules::OpenAi).unwrap();
        let at = &clean["properties"];
        assert_eq!(
            at["a"],
            json!({"type": ["string", "null"], "enum": ["x", null]})
        );
        assert_eq!(at["b"]["anyOf"][1], json!({"type": "null"}));
        assert_eq!(at["c"], json!({"type": ["integer", "null"]}));
    }

    #[test]
    fn anthropic_says_the_limits_it_cannot_enforce() {
        let clean = clean(&rating(), SchemaRules::Anthropic).unwrap();
        let score = &clean["properties"]["score"];
        let said = score["description"].as_str().unwrap();
        assert!(
            said.starts_with("How strong. (") && said.contains("maximum: 6"),
            "{said}"
        );
        assert!(score.get("minimum").is_none());
        // A property may be called like a keyword.
        assert_eq!(clean["properties"]["minimum"]["type"], "string");
        assert_eq!(clean["required"], json!(["score", "kind"]));
        assert_eq!(clean["properties"]["inner"]["additionalProperties"], false);
    }

    #[test]
    fn gemini_keeps_what_it_lists() {
        let clean = clean(&rating(), SchemaRules::Gemini).unwrap();
        assert_eq!(clean["properties"]["kind"]["enum"], json!(["rating"]));
        assert_eq!(clean["properties"]["score"]["minimum"], 0);
        let named = &clean["properties"]["minimum"];
        assert_eq!(named["description"], "(maxLength: 9)");
        assert!(named.get("maxLength").is_none());
    }

    #[test]
    fn recursion_is_seen_and_sharing_is_not_recursion() {
        let tree = json!({"$ref": "#/$defs/T", "$defs": {"T": {"type": "object",
            "properties": {"next": {"$ref": "#/$defs/U"}}}, "U": {"items": {"$ref": "#/$defs/T"}}}});
        assert!(clean(&tree, SchemaRules::Anthropic).is_none());
        assert!(clean(&tree, SchemaRules::OpenAi).is_some());
        let own = json!({"properties": {"next": {"$ref": "#"}}});
        assert!(clean(&own, SchemaRules::Anthropic).is_none());
        let shared = json!({"properties": {"a": {"$ref": "#/$defs/T"}, "b": {"$ref": "#/$defs/T"}},
            "$defs": {"T": {"type": "string"}}});
        assert!(clean(&shared, SchemaRules::Anthropic).is_some());
    }
}
